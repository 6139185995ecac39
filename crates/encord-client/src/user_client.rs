//! The client of the platform.

use std::fmt;
use std::sync::Arc;

use encord_http::Client;
use serde::Deserialize;

use crate::call::{Call, Class, send};
use crate::credentials::{BearerToken, Credentials};
use crate::dataset::{Dataset, DatasetFilter, NewDataset};
use crate::domain::Domain;
use crate::error::Error;
use crate::folder::{Folder, FolderFilter, NewFolder};
use crate::ids::{DatasetId, FolderId, ItemId, ProjectId};
use crate::item;
use crate::list::{List, Records};
use crate::project::{Project, ProjectFilter};
use crate::query::Query;
use crate::records::{DatasetCreated, DatasetDetails, DatasetInfo, ProjectInfo, StorageFolder, StorageItem};
use crate::shared::Shared;

/// The client of the platform: `EncordUserClient` of the SDK.
///
/// Cheap to clone; clones share credentials, settings and connections. Every request obeys the
/// [`RequestsSettings`](encord_http::RequestsSettings) that the client was built with.
#[derive(Clone)]
pub struct EncordUserClient {
    shared: Arc<Shared>,
}

impl EncordUserClient {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// The installation of the platform that this client talks to.
    pub fn domain(&self) -> &Domain {
        &self.shared.domain
    }

    /// Who this client is.
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// The client that sends, for uploads under the same settings (rule C7).
    pub fn http_client(&self) -> &Client {
        &self.shared.http
    }

    /// A token that stands for this client. How long it is good for is not known.
    ///
    /// # Errors
    ///
    /// When the call fails, or the answer is no token.
    pub async fn get_bearer_token(&self) -> Result<BearerToken, Error> {
        /// Wiped as soon as it has been read.
        #[derive(Deserialize)]
        struct Answer {
            token: String,
        }
        let answer = send(&self.shared, &Call::get("user/bearer-token", &Query::default())).await?;
        let Answer { token } = answer.json_secret()?;
        BearerToken::new(token).map_err(|error| Error::answer(error.to_string()))
    }

    /// What can be done with this folder. Nothing is sent.
    pub fn folder(&self, id: FolderId) -> Folder {
        Folder::new(Arc::clone(&self.shared), id)
    }

    /// What can be done with this dataset. Nothing is sent.
    pub fn dataset(&self, id: DatasetId) -> Dataset {
        Dataset::new(Arc::clone(&self.shared), id)
    }

    /// What can be done with this project. Nothing is sent.
    pub fn project(&self, id: ProjectId) -> Project {
        Project::new(Arc::clone(&self.shared), id)
    }

    /// Makes a folder. Never sent twice.
    ///
    /// # Errors
    ///
    /// When the call fails. [`Error::effect`] says whether there can be a folder all the same.
    pub async fn create_storage_folder(&self, folder: &NewFolder) -> Result<StorageFolder, Error> {
        send(&self.shared, &Call::post("storage/folders", folder, Class::Once)).await?.json()
    }

    /// A folder.
    ///
    /// # Errors
    ///
    /// When the call fails. The platform answers 403 for a folder that is not there too.
    pub async fn get_storage_folder(&self, id: FolderId) -> Result<StorageFolder, Error> {
        self.folder(id).get().await
    }

    /// The folders at the root.
    pub fn list_storage_folders(&self, filter: &FolderFilter) -> List<StorageFolder> {
        filter.list(&self.shared, "storage/folders", false)
    }

    /// All folders, wherever they are.
    pub fn find_storage_folders(&self, filter: &FolderFilter) -> List<StorageFolder> {
        filter.list(&self.shared, "storage/search/folders", false)
    }

    /// An item.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn get_storage_item(&self, id: ItemId, sign_url: bool) -> Result<StorageItem, Error> {
        item::get(&self.shared, id, sign_url).await
    }

    /// Many items in one call. Whether unknown ids fail the call or are left out is the platform's to decide.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn get_storage_items(&self, ids: &[ItemId], sign_urls: bool) -> Result<Records<StorageItem>, Error> {
        item::get_bulk(&self.shared, ids, sign_urls).await
    }

    /// Makes a dataset. Never sent twice.
    ///
    /// # Errors
    ///
    /// When the call fails. [`Error::effect`] says whether there can be a dataset all the same.
    pub async fn create_dataset(&self, dataset: &NewDataset) -> Result<DatasetCreated, Error> {
        send(&self.shared, &Call::post("datasets", &dataset.wire(), Class::Once)).await?.json()
    }

    /// The datasets, in one call.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn list_datasets(&self, filter: &DatasetFilter) -> Result<Records<DatasetInfo>, Error> {
        Records::of_answer(send(&self.shared, &Call::get("datasets/list", &filter.query())).await?)
    }

    /// A dataset.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn get_dataset(&self, id: DatasetId) -> Result<DatasetDetails, Error> {
        self.dataset(id).get().await
    }

    /// The projects.
    pub fn list_projects(&self, filter: &ProjectFilter) -> List<ProjectInfo> {
        filter.list(&self.shared)
    }

    /// A project.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn get_project(&self, id: ProjectId) -> Result<ProjectInfo, Error> {
        self.project(id).get().await
    }
}

impl fmt::Debug for EncordUserClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { credentials, domain, http: _, user_agent: _, trace_ids: _, clock: _ } = &*self.shared;
        f.debug_struct("EncordUserClient")
            .field("credentials", credentials)
            .field("domain", domain)
            .finish_non_exhaustive()
    }
}
