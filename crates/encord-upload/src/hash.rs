//! The MD5 of a file, computed before the file is sent.

use std::path::Path;

use encord_http::{Client, Digests, FileState};
use tokio::task::spawn_blocking;

/// The MD5 of a file in this state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileMd5 {
    state: FileState,
    pub(crate) md5: [u8; 16],
}

/// Returns the MD5 of a file, or `None` if the file cannot be read. If the file is still in the state of `known`, it is not read
/// again. Dropping the future stops reading.
pub(crate) async fn file_md5(client: &Client, path: &Path, known: Option<FileMd5>) -> Option<FileMd5> {
    if let Some(known) = known
        && known.state.modified.is_some()
    {
        let path = path.to_owned();
        let metadata = spawn_blocking(move || path.metadata()).await.ok()?.ok()?;
        if FileState::of(&metadata) == known.state {
            return Some(known);
        }
    }
    let (state, checksums) = client.digest_file(path, Digests { md5: true, ..Digests::NONE }).await.ok()?;
    Some(FileMd5 { state, md5: checksums.md5? })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use encord_http::RequestsSettings;

    use super::*;

    #[tokio::test]
    async fn a_file_is_hashed_again_only_if_it_has_changed() {
        let client = Client::builder(RequestsSettings::default()).no_proxy().build().expect("a client");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "123456789").expect("written");
        let first = file_md5(&client, &path, None).await.expect("readable");
        assert_eq!(first.md5[..4], [0x25, 0xf9, 0xe7, 0x94]);

        let wrong = FileMd5 { md5: [7; 16], ..first };
        let same = file_md5(&client, &path, Some(wrong)).await.expect("readable");
        assert_eq!(same.md5, wrong.md5, "the file was read again");

        // Another file with the same length and time of modification takes its place.
        let other = folder.path().join("other");
        fs::write(&other, "987654321").expect("written");
        let modified = first.state.modified.expect("a time");
        File::options().write(true).open(&other).expect("opened").set_modified(modified).expect("set");
        fs::rename(&other, &path).expect("replaced");
        let second = file_md5(&client, &path, Some(first)).await.expect("readable");
        assert_eq!((second.state.length, second.state.modified), (first.state.length, first.state.modified));
        assert_eq!(second.md5 != first.md5, cfg!(unix), "only Unix tells such files apart");

        assert!(file_md5(&client, folder.path(), None).await.is_none(), "a folder has no MD5");
    }
}
