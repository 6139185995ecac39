//! `encord upload` to nginx.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::authority::Authority;
use crate::support::encord::{self, Item, files};
use crate::support::nginx::Nginx;
use crate::support::noise;

const MEGABYTE: usize = 1_000_000;

/// Kinds of items, with an ending that fits.
const KINDS: [(&str, &str); 9] = [
    ("image", "jpg"),
    ("image", "PNG"),
    ("video", "mp4"),
    ("audio", "mp3"),
    ("dicom", "dcm"),
    ("nifti", "nii.gz"),
    ("pdf", "pdf"),
    ("plain_text", "txt"),
    ("time_series", "csv"),
];

/// Sizes of the most; the first files are larger. Around them lie the sizes of common buffers.
const SMALL: [usize; 10] = [0, 1, 17, 4_095, 4_096, 8_193, 16_384, 65_536, 65_537, 262_145];
const LARGE: [usize; 7] =
    [200 * MEGABYTE, 20 * MEGABYTE, 8 * MEGABYTE, 8 * MEGABYTE + 1, 5 * MEGABYTE, 2 * MEGABYTE, 1 << 20];

#[test]
fn u8_300_files_arrive_byte_for_byte() {
    let Some(nginx) = Nginx::start(None) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut items = Vec::new();
    let mut lengths = Vec::new();
    for index in 0..300 {
        let (data_type, ending) = KINDS[index % KINDS.len()];
        let length = LARGE.get(index).copied().unwrap_or(SMALL[index % SMALL.len()]);
        let name = match index % 3 {
            0 => format!("{index:03}.{ending}"),
            1 => format!("{index:03} mit Leerzeichen & 100% + #?.{ending}"),
            _ => format!("{index:03} Größe 猫 🐈 e\u{301}.{ending}"),
        };
        let path = folder.path().join(&name);
        write(&path, index, length);
        items.push(Item { path, url: nginx.url(&format!("set {}/{name}", index % 7)), data_type });
        lengths.push(length as u64);
    }

    let run = encord::upload(&items).run();
    assert_eq!(run.code, Some(0), "{}\n{}", run.summary, nginx.log());
    run.check_order(&items);
    for (line, length) in run.report.iter().zip(&lengths) {
        assert_eq!((&*line.status, line.bytes, line.outcomes()), ("uploaded", *length, vec!["201"]), "{line:?}");
        assert_eq!(line.error, None);
    }
    assert_eq!(run.summary["uploaded"], 300);
    assert_eq!(run.summary["bytes"], lengths.iter().sum::<u64>());
    assert_eq!(files(&nginx.store()).len(), 300);
    for (index, item) in items.iter().enumerate() {
        let stored = nginx.store().join(format!("set {}", index % 7)).join(item.path.file_name().unwrap());
        assert!(fs::read(&stored).unwrap() == fs::read(&item.path).unwrap(), "{} differs", stored.display());
    }
}

#[test]
fn r3_a_certificate_that_does_not_verify_is_not_retried() {
    let [ours, other] = ["ours", "another"].map(Authority::new);
    let Some(nginx) = Nginx::start(Some(&ours)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    write(&path, 0, 100_000);
    let item = Item { path: path.clone(), url: nginx.url("photo.jpg"), data_type: "image" };
    let upload = |authority: &Authority| {
        let upload = encord::upload(std::slice::from_ref(&item)).flags("--max-retries 5 --backoff-factor 0");
        upload.env("SSL_CERT_FILE", authority.root()).run()
    };

    let run = upload(&other);
    assert_eq!((run.code, run.report[0].outcomes()), (Some(1), vec!["certificate"]), "{}", run.stderr);
    assert!(files(&nginx.store()).is_empty());

    let run = upload(&ours);
    assert_eq!((run.code, run.report[0].outcomes()), (Some(0), vec!["201"]), "{}", run.stderr);
    assert!(fs::read(nginx.store().join("photo.jpg")).unwrap() == fs::read(path).unwrap());
}

/// Writes a file of `length` bytes, of which no megabyte is like another.
fn write(path: &Path, index: usize, length: usize) {
    let block = noise(index as u64, length.min(MEGABYTE));
    let mut file = fs::File::create(path).unwrap();
    for start in (0..length).step_by(MEGABYTE) {
        let end = block.len().min(length - start);
        // Turned by as many bytes as there are blocks before.
        let turned = (start / MEGABYTE).min(end);
        file.write_all(&block[turned..end]).unwrap();
        file.write_all(&block[..turned]).unwrap();
    }
}
