//! Each kind of file becomes what it is.

use std::collections::BTreeMap;

use crate::support::ingest::World;

fn dicom(name: &str) -> Vec<u8> {
    [&[0; 128][..], b"DICM", name.as_bytes()].concat()
}

#[test]
fn each_kind_becomes_an_item_of_its_type() {
    let world = World::with(|builder| builder.switches("upload-headers=yes".parse().unwrap()));
    for (name, content) in [
        ("a.jpg", "image"),
        ("b.mp4", "video"),
        ("c.wav", "audio"),
        ("d.nii.gz", "nifti"),
        ("e.txt", "text"),
        ("f.pdf", "pdf"),
        ("g.csv", "x,y\n1,2\n"),
        ("größe 1 & 2.png", "odd"),
        ("empty.png", ""),
    ] {
        world.write(name, content);
    }
    world.write("h.dcm", dicom("h"));
    world.write("IM0001", dicom("i"));
    world.ends("--folder f --dataset d", 0);
    let types: BTreeMap<String, String> =
        world.top_items("f").into_iter().map(|item| (item.name, item.item_type)).collect();
    let expected = [
        ("IM0001", "dicomSeries"),
        ("a.jpg", "image"),
        ("b.mp4", "video"),
        ("c.wav", "audio"),
        ("d.nii.gz", "nifti"),
        ("e.txt", "plainText"),
        ("empty.png", "image"),
        ("f.pdf", "pdf"),
        ("g.csv", "timeseries"),
        ("größe 1 & 2.png", "image"),
        ("h.dcm", "dicomSeries"),
    ];
    assert!(types.iter().map(|(name, kind)| (&**name, &**kind)).eq(expected), "{types:?}");
    world.check_exact("f", "d", expected.len());
}

#[test]
fn folders_become_groups_sequences_and_series() {
    for (kind, item_type, extension) in [
        ("image-group", "imageGroup", "png"),
        ("image-sequence", "imageSequence", "png"),
        ("dicom-series", "dicomSeries", "dcm"),
    ] {
        for switches in ["default", "worst, page-limit=50"] {
            let world = World::with(|builder| builder.switches(switches.parse().unwrap()));
            for name in ["s1/10", "s1/9", "s1/1", "s2/1", "s2/deep/1"] {
                world.write(&format!("{name}.{extension}"), dicom(name));
            }
            world.ends(&format!("--folder f --dataset d --group-by folder --as {kind}"), 0);
            world.check_exact("f", "d", 3);
            let items = world.top_items("f");
            assert!(items.iter().all(|item| item.item_type == item_type), "{items:?}");
            let s1 = items.iter().find(|item| item.name == "s1").unwrap();
            let all = world.platform.items(s1.folder);
            let names: Vec<_> =
                s1.children.iter().map(|id| all.iter().find(|item| item.uuid == *id).unwrap().name.clone()).collect();
            assert_eq!(names, [format!("1.{extension}"), format!("9.{extension}"), format!("10.{extension}")]);
            let ended = world.ends(&format!("--folder f --dataset d --group-by folder --as {kind}"), 0);
            assert!(ended.stderr.contains("0 files sent, 3 registered"), "{}", ended.stderr);
        }
    }
}
