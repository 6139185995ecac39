//! The manifest as a file or a pipe.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use encord_http::FileState;
use encord_upload::UploadItem;
use encord_upload::formats::{Items, Manifest, Urls};

use crate::args::Stream;
use crate::output::Failure;

/// A manifest that has been read and checked.
#[derive(Debug)]
pub(crate) struct Source {
    manifest: Manifest,
    /// The file, and its state when it was read.
    file: Option<(PathBuf, FileState)>,
}

impl Source {
    /// Reads and checks a manifest, and passes each item to `observe`.
    ///
    /// # Errors
    ///
    /// The manifest cannot be read, a line is malformed, or the file changed while it was read.
    pub(crate) fn read(stream: &Stream, urls: Urls, observe: impl FnMut(&UploadItem)) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| Failure::usage(format_args!("manifest {stream}: {error}"));
        let (read, file) = match stream {
            Stream::Standard => (Manifest::read(io::stdin().lock(), urls, observe), None),
            Stream::File(path) => {
                let file = File::open(path).map_err(unreadable)?;
                let before = FileState::of(&file.metadata().map_err(unreadable)?);
                let read = Manifest::read(&file, urls, observe);
                let after = file.metadata().map_err(unreadable)?;
                if after.is_file() && FileState::of(&after) != before {
                    return Err(Failure::usage(format_args!("manifest {stream}: it changed while it was read")));
                }
                (read, after.is_file().then(|| (path.clone(), before)))
            }
        };
        let manifest = read.map_err(|error| Failure::usage(format_args!("manifest {stream}: {error}")))?;
        Ok(Self { manifest, file })
    }

    /// Whether it has no items.
    pub(crate) fn is_empty(&self) -> bool {
        self.manifest.is_empty()
    }

    /// Returns the items in order. Each call begins with the first item.
    pub(crate) fn items(&self) -> Items {
        self.manifest.items()
    }

    /// Returns a name for this manifest, if it is a file.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        let (path, _) = self.file.as_ref()?;
        Some(self.manifest.fingerprint(&path.canonicalize().ok()?))
    }

    /// Whether the file has changed since it was read.
    pub(crate) fn has_changed(&self) -> bool {
        self.file.as_ref().is_some_and(|(path, state)| !path.metadata().is_ok_and(|now| FileState::of(&now) == *state))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_manifest_that_is_edited_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("items.jsonl");
        let line = "{\"path\": \"a\", \"signed_url\": \"http://h/a\"}\n";
        fs::write(&path, line).expect("written");
        let edit = |_: &UploadItem| fs::write(&path, line.repeat(2)).expect("written");
        let refused = Source::read(&Stream::File(path.clone()), Urls::Required, edit).expect_err("edited");
        let told = format!("manifest {}: it changed while it was read", path.display());
        assert_eq!(refused.errors(), [told]);
        let source = Source::read(&Stream::File(path.clone()), Urls::Required, |_| ()).expect("as it was");
        assert!(!source.has_changed());
        fs::write(&path, line).expect("written");
        assert!(source.has_changed());
    }
}
