//! `encord upload --dry-run`: what can be known before anything is sent.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::manifest::Manifest;
use crate::output::{Exit, Failure, json, note, print};
use crate::report::human_bytes;

#[derive(Debug, Default, Serialize)]
struct Sums {
    would_upload: u64,
    would_fail: u64,
    bytes: u64,
}

pub(crate) fn run(manifest: Manifest, allow_failures: bool, as_json: bool) -> Result<Exit, Failure> {
    let mut sums = Sums::default();
    let mut items = manifest.into_items();
    for item in &mut items {
        let url = item.signed_url.as_ref().map_or(Ok(()), |url| url.check().map_err(|error| error.to_string()));
        match url.and_then(|()| length(&item.path).map_err(|error| error.to_string())) {
            Ok(bytes) => {
                sums.would_upload += 1;
                sums.bytes += bytes;
            }
            Err(error) => {
                sums.would_fail += 1;
                note(format_args!("error: {}: {error}", item.path.display()));
            }
        }
    }
    items.finish()?;
    let Sums { would_upload, would_fail, bytes } = sums;
    print(|out| {
        if as_json {
            json(out, &sums)
        } else {
            let bytes = human_bytes(bytes);
            writeln!(out, "{would_upload} would be uploaded, {would_fail} would fail; {bytes}; nothing was sent")
        }
    })?;
    Ok(match (would_fail, allow_failures) {
        (0, _) => Exit::Done,
        (_, true) => Exit::Partial,
        (_, false) => Exit::Failed,
    })
}

/// The length of a file that can be read.
fn length(path: &Path) -> io::Result<u64> {
    // Asked before it is opened: opening a pipe waits for its other end.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(File::open(path)?.metadata()?.len())
}
