//! Folders: filters, and the calls for one folder.

use std::fmt;
use std::sync::Arc;

use encord_enums::StorageItemType;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::call::{Call, Class, send};
use crate::error::Error;
use crate::ids::{FolderId, ItemId, JobId};
use crate::item::{DeletedItems, ItemFilter};
use crate::job::UploadJob;
use crate::json;
use crate::list::{List, Records};
use crate::paging::{DEFAULT_PAGE_SIZE, SortBy, check_page_size};
use crate::query::Query;
use crate::records::{FolderSummary, StorageFolder, StorageItem, UploadSignedUrl};
use crate::shared::Shared;
use crate::unit::{JobOptions, JobRequest, UploadUnit};

/// The calls for one folder. [`EncordUserClient::folder`](crate::EncordUserClient::folder) returns it.
#[derive(Clone)]
pub struct Folder {
    shared: Arc<Shared>,
    id: FolderId,
}

/// The facts of a folder to create.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewFolder {
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its parent folder; `None` for the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<FolderId>,
    /// The user's metadata. It is sent as JSON text within JSON.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub client_metadata: Option<Map<String, Value>>,
}

/// A filter for folders, and the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFilter {
    /// Only folders whose name contains this text.
    pub search: Option<String>,
    /// Only folders that back a dataset, or only folders that do not.
    pub dataset_synced: Option<bool>,
    /// Lists all folders of the organisation. Only for administrators.
    pub include_org_access: Option<bool>,
    /// The order.
    pub order: SortBy,
    /// Whether the order is descending.
    pub desc: bool,
    /// The number of records on a page, from 1 to [`MAX_PAGE_SIZE`](crate::MAX_PAGE_SIZE).
    pub page_size: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignRequest {
    item_type: &'static str,
    count: usize,
}

impl NewFolder {
    /// A folder with this name at the root.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

impl Folder {
    pub(crate) fn new(shared: Arc<Shared>, id: FolderId) -> Self {
        Self { shared, id }
    }

    /// Returns the id of the folder.
    pub fn id(&self) -> FolderId {
        self.id
    }

    /// Returns the HTTP client, for uploads with the same settings.
    pub fn http_client(&self) -> &encord_http::Client {
        &self.shared.http
    }

    /// Reads the facts of the folder.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn get(&self) -> Result<StorageFolder, Error> {
        send(&self.shared, &Call::get(&self.path(""), &Query::default())).await?.json()
    }

    /// Reads the counts of its content.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn summary(&self) -> Result<FolderSummary, Error> {
        send(&self.shared, &Call::get(&self.path("/summary"), &Query::default())).await?.json()
    }

    /// Lists the folders in it.
    pub fn list_subfolders(&self, filter: &FolderFilter) -> List<StorageFolder> {
        filter.list(&self.shared, &self.path("/folders"), false)
    }

    /// Lists the folders in it at any depth.
    pub fn find_subfolders(&self, filter: &FolderFilter) -> List<StorageFolder> {
        filter.list(&self.shared, &self.path("/folders"), true)
    }

    /// Lists the items in it.
    pub fn list_items(&self, filter: &ItemFilter) -> List<StorageItem> {
        filter.list(&self.shared, self.path("/items"))
    }

    /// Deletes items of the folder.
    ///
    /// # Errors
    ///
    /// If the call fails. It is retried, because deleting a deleted item changes nothing.
    pub async fn delete_items(&self, items: &[ItemId], remove_unused_frames: bool) -> Result<DeletedItems, Error> {
        crate::item::delete(&self.shared, &self.path("/items/delete"), items, remove_unused_frames).await
    }

    /// Deletes the folder.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn delete(&self) -> Result<(), Error> {
        send(&self.shared, &Call::delete(&self.path(""))).await.map(drop)
    }

    /// Signs URLs for `count` new items. Each call creates new placeholders.
    ///
    /// # Errors
    ///
    /// If the call fails, or if the answer has another number of URLs.
    pub async fn upload_signed_urls(
        &self,
        item_type: StorageItemType,
        count: usize,
    ) -> Result<Vec<UploadSignedUrl>, Error> {
        let request = SignRequest { item_type: item_type.as_str(), count };
        let call = Call::post(&self.path("/upload-signed-urls"), &request, Class::Repeatable);
        let signed = Records::of_answer(send(&self.shared, &call).await?)?;
        if let Some(error) = signed.unreadable().first() {
            return Err(error.clone());
        }
        if signed.len() != count {
            return Err(Error::answer(format!("{} URLs were signed, {count} were asked for", signed.len())));
        }
        Ok(signed.into_vec())
    }

    /// Registers uploaded objects. This call is never sent twice, because each job creates its own items.
    ///
    /// # Errors
    ///
    /// If the call fails. [`Error::effect`] says whether the job may have started all the same.
    pub async fn start_upload_job(&self, units: &[UploadUnit], options: &JobOptions) -> Result<UploadJob, Error> {
        let call = Call::post(&self.path("/data-upload-jobs"), &JobRequest { units, options }, Class::Once);
        let id: JobId = send(&self.shared, &call).await?.json()?;
        Ok(self.upload_job(id))
    }

    /// Returns the calls for a job of this folder. This sends nothing.
    pub fn upload_job(&self, id: JobId) -> UploadJob {
        UploadJob::new(Arc::clone(&self.shared), self.id, id)
    }

    fn path(&self, below: &str) -> String {
        format!("storage/folders/{}{below}", self.id)
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Folder({})", self.id)
    }
}

impl Default for FolderFilter {
    /// Selects all folders that the user can see, ordered by name.
    fn default() -> Self {
        Self {
            search: None,
            dataset_synced: None,
            include_org_access: None,
            order: SortBy::Name,
            desc: false,
            page_size: DEFAULT_PAGE_SIZE,
        }
    }
}

impl FolderFilter {
    pub(crate) fn list(&self, shared: &Arc<Shared>, path: &str, recursive: bool) -> List<StorageFolder> {
        if let Err(error) = check_page_size(self.page_size) {
            return List::failed(error);
        }
        let filter = self.clone();
        List::paged(shared, path.to_owned(), move |token| {
            let Self { search, dataset_synced, include_org_access, order, desc, page_size } = &filter;
            Query::default()
                .with("search", search.as_deref())
                .with_flag("isRecursive", Some(recursive))
                .with_flag("datasetSynced", *dataset_synced)
                .with_flag("includeOrgAccess", *include_org_access)
                .with("order", Some(order.as_str()))
                .with_flag("desc", Some(*desc))
                .with("pageToken", token)
                .with("pageSize", Some(page_size))
        })
    }
}

#[expect(clippy::ref_option, reason = "what serde passes")]
fn as_text<S: Serializer>(metadata: &Option<Map<String, Value>>, serializer: S) -> Result<S::Ok, S::Error> {
    match metadata {
        Some(metadata) => serializer.serialize_str(&json::to_text(metadata)),
        None => serializer.serialize_none(),
    }
}
