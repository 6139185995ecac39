//! Signed URLs for the uploader. They come by way of the run, which signs those of files that are still what they were, and writes
//! down what was signed before it is used.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use encord_client::{Folder, StorageItemType, UploadSignedUrl};
use encord_upload::{SignedTarget, SignedUrlSource, SourceError, UploadItem};
use tokio::sync::{mpsc, oneshot};

use crate::calls;
use crate::kind::Kind;
use crate::units::{UnitList, mtime_ns};

/// One call signs at most so many URLs: the largest number that the SDK is known to ask for.
pub const MAX_URLS_PER_CALL: usize = 200;

/// What the uploader asks the run for.
#[derive(Debug)]
pub(crate) struct SignRequest {
    pub(crate) paths: Vec<PathBuf>,
    /// One answer for each path, in order.
    pub(crate) reply: oneshot::Sender<Vec<Result<SignedTarget, SourceError>>>,
}

/// Asks the run.
#[derive(Debug)]
pub(crate) struct RunSource(pub(crate) mpsc::Sender<SignRequest>);

impl SignedUrlSource for RunSource {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        let (reply, answer) = oneshot::channel();
        let paths = items.iter().map(|item| item.path.clone()).collect();
        if self.0.send(SignRequest { paths, reply }).await.is_ok()
            && let Ok(targets) = answer.await
        {
            return targets;
        }
        items.iter().map(|_| Err("the run has ended".into())).collect()
    }
}

/// What became of signing a file.
pub(crate) struct Signed {
    pub(crate) path: PathBuf,
    pub(crate) target: Result<UploadSignedUrl, NotSigned>,
}

/// Why a file was not signed.
pub(crate) enum NotSigned {
    /// The file is not what it was when it was found.
    File(String),
    Platform(encord_client::Error),
}

/// A file that is to be signed, if it is still what it was.
pub(crate) type Checked = (PathBuf, Result<Kind, String>);

/// Looks whether files are still what they were when they were found: each with its place in the list.
pub(crate) fn check(units: &UnitList, files: Vec<(Option<(usize, usize)>, PathBuf)>) -> Vec<Checked> {
    let check = |place: Option<(usize, usize)>, path: &PathBuf| {
        let (unit, file) = place.ok_or("nobody asked for this file")?;
        let metadata = path.metadata().map_err(|error: io::Error| error.to_string())?;
        let is_same = (metadata.len(), mtime_ns(&metadata)) == (units.size(unit, file), units.mtime_ns(unit, file));
        is_same.then(|| units.kind(unit)).ok_or_else(|| "the file has changed since it was found".to_owned())
    };
    files.into_iter().map(|(place, path)| (path.clone(), check(place, &path))).collect()
}

/// Signs URLs, some hundred at a time; one call is for one type.
pub(crate) async fn sign(folder: &Folder, files: Vec<Checked>) -> Vec<Signed> {
    let mut by_type: Vec<(StorageItemType, usize)> = Vec::new();
    for item_type in files.iter().filter_map(|(_, kind)| kind.as_ref().ok()).map(|kind| calls::item_type(*kind)) {
        match by_type.iter_mut().find(|(known, _)| *known == item_type) {
            Some((_, count)) => *count += 1,
            None => by_type.push((item_type, 1)),
        }
    }
    let mut urls = HashMap::new();
    for (item_type, mut count) in by_type {
        let mut signed = Ok(Vec::new());
        while let Ok(list) = &mut signed
            && count > 0
        {
            let now = count.min(MAX_URLS_PER_CALL);
            count -= now;
            match folder.upload_signed_urls(item_type, now).await {
                Ok(urls) => list.extend(urls),
                Err(error) => signed = Err(error),
            }
        }
        urls.insert(item_type, signed);
    }
    let mut target = |kind: Result<Kind, String>| match kind {
        Err(error) => Err(NotSigned::File(error)),
        Ok(kind) => match urls.get_mut(&calls::item_type(kind)) {
            Some(Ok(urls)) => urls.pop().ok_or_else(|| NotSigned::File("there is no URL for it".to_owned())),
            Some(Err(error)) => Err(NotSigned::Platform(error.clone())),
            None => Err(NotSigned::File("there is no URL for it".to_owned())),
        },
    };
    files.into_iter().map(|(path, kind)| Signed { path, target: target(kind) }).collect()
}
