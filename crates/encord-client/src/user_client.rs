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
/// A clone is cheap: clones share credentials, settings and connections. Every request obeys the
/// [`RequestsSettings`](encord_http::RequestsSettings) of the client.
#[derive(Clone)]
pub struct EncordUserClient {
    shared: Arc<Shared>,
}

impl EncordUserClient {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Returns the installation of the platform to which this client sends.
    pub fn domain(&self) -> &Domain {
        &self.shared.domain
    }

    /// Returns the credentials of this client.
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// Returns the HTTP client, for uploads with the same settings (rule C7).
    pub fn http_client(&self) -> &Client {
        &self.shared.http
    }

    /// Gets a bearer token for the user of this client. It is not known how long the token is valid.
    ///
    /// # Errors
    ///
    /// If the call fails, or if the answer has no token.
    pub async fn get_bearer_token(&self) -> Result<BearerToken, Error> {
        /// The answer, which is wiped after it was read.
        #[derive(Deserialize)]
        struct Answer {
            token: String,
        }
        let answer = send(&self.shared, &Call::get("user/bearer-token", &Query::default())).await?;
        let Answer { token } = answer.json_secret()?;
        BearerToken::new(token).map_err(|error| Error::answer(error.to_string()))
    }

    /// Returns the calls for this folder. This sends nothing.
    pub fn folder(&self, id: FolderId) -> Folder {
        Folder::new(Arc::clone(&self.shared), id)
    }

    /// Returns the calls for this dataset. This sends nothing.
    pub fn dataset(&self, id: DatasetId) -> Dataset {
        Dataset::new(Arc::clone(&self.shared), id)
    }

    /// Returns the calls for this project. This sends nothing.
    pub fn project(&self, id: ProjectId) -> Project {
        Project::new(Arc::clone(&self.shared), id)
    }

    /// Creates a folder. This call is never sent twice.
    ///
    /// # Errors
    ///
    /// If the call fails. [`Error::effect`] says whether the folder may exist all the same.
    pub async fn create_storage_folder(&self, folder: &NewFolder) -> Result<StorageFolder, Error> {
        send(&self.shared, &Call::post("storage/folders", folder, Class::Once)).await?.json()
    }

    /// Reads the facts of a folder.
    ///
    /// # Errors
    ///
    /// If the call fails. The platform also answers 403 for a folder that does not exist.
    pub async fn get_storage_folder(&self, id: FolderId) -> Result<StorageFolder, Error> {
        self.folder(id).get().await
    }

    /// Lists the folders at the root.
    pub fn list_storage_folders(&self, filter: &FolderFilter) -> List<StorageFolder> {
        filter.list(&self.shared, "storage/folders", false)
    }

    /// Lists all folders at any depth.
    pub fn find_storage_folders(&self, filter: &FolderFilter) -> List<StorageFolder> {
        filter.list(&self.shared, "storage/search/folders", false)
    }

    /// Reads an item.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn get_storage_item(&self, id: ItemId, sign_url: bool) -> Result<StorageItem, Error> {
        item::get(&self.shared, id, sign_url).await
    }

    /// Reads several items in one call. It is not known whether the platform fails the call for an unknown id or skips the id.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn get_storage_items(&self, ids: &[ItemId], sign_urls: bool) -> Result<Records<StorageItem>, Error> {
        item::get_bulk(&self.shared, ids, sign_urls).await
    }

    /// Creates a dataset. This call is never sent twice.
    ///
    /// # Errors
    ///
    /// If the call fails. [`Error::effect`] says whether the dataset may exist all the same.
    pub async fn create_dataset(&self, dataset: &NewDataset) -> Result<DatasetCreated, Error> {
        send(&self.shared, &Call::post("datasets", &dataset.wire(), Class::Once)).await?.json()
    }

    /// Lists the datasets, in one call.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn list_datasets(&self, filter: &DatasetFilter) -> Result<Records<DatasetInfo>, Error> {
        Records::of_answer(send(&self.shared, &Call::get("datasets/list", &filter.query())).await?)
    }

    /// Reads the facts of a dataset.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn get_dataset(&self, id: DatasetId) -> Result<DatasetDetails, Error> {
        self.dataset(id).get().await
    }

    /// Lists the projects.
    pub fn list_projects(&self, filter: &ProjectFilter) -> List<ProjectInfo> {
        filter.list(&self.shared)
    }

    /// Reads the facts of a project.
    ///
    /// # Errors
    ///
    /// If the call fails.
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
