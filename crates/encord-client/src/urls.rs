//! A source of signed URLs for the uploader.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use encord_enums::StorageItemType;
use encord_http::{HeaderMap, HeaderName, HeaderValue};
use encord_upload::{ItemKind, SignedTarget, SignedUrlSource, SourceError, UploadItem};

use crate::error::Error;
use crate::folder::Folder;
use crate::records::UploadSignedUrl;
use crate::unit::UploadedObject;

/// Signs URLs for a folder shortly before they are used: a [`SignedUrlSource`] for the uploader of `encord-upload`.
///
/// It remembers the object of each file, by the file's path. [`take`](Self::take) returns the object, for the job that registers it.
/// Clones share this memory. A renewed URL has a new placeholder, which replaces the earlier one.
///
/// ```no_run
/// # async fn example(folder: encord_client::Folder) -> Result<(), Box<dyn std::error::Error>> {
/// use encord_client::{FileKind, FolderUrls, JobOptions, UploadUnit};
/// use encord_upload::{CloudUploadSettings, UploadItem, Uploader};
///
/// let urls = FolderUrls::new(folder.clone());
/// let uploader = Uploader::new(folder.http_client(), CloudUploadSettings::default()).source(urls.clone());
/// uploader.upload([UploadItem::unsigned("cat.jpg")], |_| ()).await?;
///
/// let units: Vec<_> = urls.take("cat.jpg".as_ref()).map(|object| UploadUnit::file(FileKind::Image, object)).into_iter().collect();
/// folder.start_upload_job(&units, &JobOptions::default()).await?.until_done().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FolderUrls {
    folder: Folder,
    objects: Arc<Mutex<HashMap<PathBuf, UploadedObject>>>,
}

impl FolderUrls {
    /// Makes a source of URLs for this folder.
    pub fn new(folder: Folder) -> Self {
        Self { folder, objects: Arc::default() }
    }

    /// Returns and forgets the object of the file at this path, if a URL was signed for it.
    pub fn take(&self, path: &Path) -> Option<UploadedObject> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).remove(path)
    }

    fn keep(&self, item: &UploadItem, signed: &UploadSignedUrl) {
        let object = UploadedObject { title: Some(item.display_title()), ..UploadedObject::from(signed) };
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).insert(item.path.clone(), object);
    }
}

impl SignedUrlSource for FolderUrls {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        let mut by_type: Vec<(StorageItemType, Vec<usize>)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(item_type) = item_type(item.kind) else { continue };
            match by_type.iter_mut().find(|(known, _)| *known == item_type) {
                Some((_, indices)) => indices.push(index),
                None => by_type.push((item_type, vec![index])),
            }
        }
        let mut answers: Vec<Option<Result<SignedTarget, SourceError>>> = items.iter().map(|_| None).collect();
        for (item_type, indices) in by_type {
            match self.folder.upload_signed_urls(item_type, indices.len()).await {
                Ok(signed) => {
                    for (index, signed) in indices.into_iter().zip(signed) {
                        self.keep(&items[index], &signed);
                        answers[index] = Some(signed.target().map_err(Into::into));
                    }
                }
                Err(error) => {
                    for index in indices {
                        answers[index] = Some(Err(error.clone().into()));
                    }
                }
            }
        }
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|| Err("no URL can be signed for files of this kind".into())))
            .collect()
    }
}

impl UploadSignedUrl {
    /// Returns the target for the uploader.
    ///
    /// # Errors
    ///
    /// If a header that the platform asks for cannot be sent.
    pub fn target(&self) -> Result<SignedTarget, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.upload_headers {
            let wrong = || Error::answer(format!("the upload header {name:?} cannot be sent"));
            let name = HeaderName::try_from(name).map_err(|_| wrong())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| wrong())?);
        }
        Ok(SignedTarget { url: self.signed_url.clone(), headers })
    }
}

impl fmt::Debug for FolderUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderUrls").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn item_type(kind: ItemKind) -> Option<StorageItemType> {
    Some(match kind {
        ItemKind::Image => StorageItemType::Image,
        ItemKind::Video => StorageItemType::Video,
        ItemKind::Audio => StorageItemType::Audio,
        ItemKind::Dicom => StorageItemType::DicomFile,
        ItemKind::Nifti => StorageItemType::Nifti,
        ItemKind::PlainText => StorageItemType::PlainText,
        ItemKind::Pdf => StorageItemType::Pdf,
        ItemKind::TimeSeries => StorageItemType::Timeseries,
        ItemKind::Scene => StorageItemType::Scene,
        _ => return None,
    })
}
