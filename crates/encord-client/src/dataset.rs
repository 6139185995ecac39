//! Datasets: filters, and the calls for one dataset.

use std::fmt;
use std::sync::Arc;

use encord_enums::DataType;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::{Class, QueryMethod, Resource, V1Call, send_v1};
use crate::error::Error;
use crate::ids::{DatasetId, ItemId};
use crate::list::Records;
use crate::query::Query;
use crate::records::{DataRow, DatasetDetails};
use crate::shared::Shared;

/// The calls for one dataset. [`EncordUserClient::dataset`](crate::EncordUserClient::dataset) returns it.
#[derive(Clone)]
pub struct Dataset {
    shared: Arc<Shared>,
    id: DatasetId,
}

/// The facts of a dataset to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewDataset {
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: Option<String>,
    /// Whether to create a backing folder, which always has the same items as the dataset. This is the default of the SDK. The
    /// platform calls such datasets legacy.
    pub create_backing_folder: bool,
}

/// A filter for datasets. Times are ISO 8601, such as `2024-05-01T00:00:00`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetFilter {
    /// Only with exactly this title.
    pub title_eq: Option<String>,
    /// Only with a title like this pattern, where `%` stands for any text.
    pub title_like: Option<String>,
    /// Only with exactly this description.
    pub description_eq: Option<String>,
    /// Only with a description like this pattern.
    pub description_like: Option<String>,
    /// Only if created before this time.
    pub created_before: Option<String>,
    /// Only if created after this time.
    pub created_after: Option<String>,
    /// Only if changed before this time.
    pub edited_before: Option<String>,
    /// Only if changed after this time.
    pub edited_after: Option<String>,
    /// Lists all datasets of the organisation. Only for administrators.
    pub include_org_access: bool,
}

/// A filter for the rows of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Only with exactly this title.
    pub title_eq: Option<String>,
    /// Only with a title like this pattern, where `%` stands for any text.
    pub title_like: Option<String>,
    /// Only if created before this time.
    pub created_before: Option<String>,
    /// Only if created after this time.
    pub created_after: Option<String>,
    /// Only rows of these types. Empty means all types.
    pub data_types: Vec<DataType>,
    /// Only rows with these hashes.
    pub data_hashes: Option<Vec<String>>,
    /// Whether to include the user's metadata.
    pub fetch_client_metadata: bool,
}

/// How to treat an item that is already linked to the dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DuplicatesBehavior {
    /// The item keeps its row. The call can be repeated.
    #[default]
    Skip,
    /// The call fails.
    Fail,
    /// The item is linked again.
    Duplicate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatasetRequest<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    create_backing_folder: bool,
    legacy_call: bool,
}

impl NewDataset {
    /// A dataset with this title, without a backing folder.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub(crate) fn wire(&self) -> DatasetRequest<'_> {
        let Self { title, description, create_backing_folder } = self;
        DatasetRequest {
            title,
            description: description.as_deref(),
            create_backing_folder: *create_backing_folder,
            legacy_call: false,
        }
    }
}

impl DatasetFilter {
    pub(crate) fn query(&self) -> Query {
        let Self {
            title_eq,
            title_like,
            description_eq,
            description_like,
            created_before,
            created_after,
            edited_before,
            edited_after,
            include_org_access,
        } = self;
        Query::default()
            .with("titleEq", title_eq.as_deref())
            .with("titleLike", title_like.as_deref())
            .with("descriptionEq", description_eq.as_deref())
            .with("descriptionLike", description_like.as_deref())
            .with("createdBefore", created_before.as_deref())
            .with("createdAfter", created_after.as_deref())
            .with("editedBefore", edited_before.as_deref())
            .with("editedAfter", edited_after.as_deref())
            .with_flag("includeOrgAccess", Some(*include_org_access))
    }
}

impl Dataset {
    pub(crate) fn new(shared: Arc<Shared>, id: DatasetId) -> Self {
        Self { shared, id }
    }

    /// Returns the id of the dataset.
    pub fn id(&self) -> DatasetId {
        self.id
    }

    /// Reads the facts of the dataset, without its rows.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn get(&self) -> Result<DatasetDetails, Error> {
        let settings = json!({"fetch_client_metadata": false, "fetch_rows": false});
        let call = self.call("dataset", json!({"dataset_access_settings": settings}));
        send_v1(&self.shared, &call).await?.ok_or_else(Error::nothing)?.json()
    }

    /// Lists its rows, in one call.
    ///
    /// # Errors
    ///
    /// If the call fails. All rows are in one answer, so a dataset of more than about 100,000 rows may be too large.
    pub async fn list_rows(&self, filter: &RowFilter) -> Result<Records<DataRow>, Error> {
        let RowFilter {
            title_eq,
            title_like,
            created_before,
            created_after,
            data_types,
            data_hashes,
            fetch_client_metadata,
        } = filter;
        let data_types: Vec<_> = data_types.iter().map(|data_type| data_type.to_upper_case_string()).collect();
        let payload = RowsRequest {
            title_eq: title_eq.as_deref(),
            title_like: title_like.as_deref(),
            created_before: created_before.as_deref(),
            created_after: created_after.as_deref(),
            data_types: (!data_types.is_empty()).then_some(data_types),
            dataset_access_settings: AccessSettings { fetch_client_metadata: *fetch_client_metadata, fetch_rows: true },
            data_hashes: data_hashes.as_deref(),
        };
        let answer = send_v1(&self.shared, &self.call("datarows", &payload)).await?;
        Records::of_answer(answer.ok_or_else(Error::nothing)?)
    }

    /// Links items to the dataset. Each becomes a row. The documentation advises at most 1,000 items in one call.
    ///
    /// # Errors
    ///
    /// If the call fails. It is retried only with [`DuplicatesBehavior::Skip`], where a second call changes nothing.
    pub async fn link_items(
        &self,
        items: &[ItemId],
        duplicates: DuplicatesBehavior,
    ) -> Result<Records<DataRow>, Error> {
        let payload = LinkRequest { item_uuids: items, duplicates_behavior: duplicates };
        let class = if duplicates == DuplicatesBehavior::Skip { Class::Repeatable } else { Class::Once };
        let call = V1Call {
            query_method: QueryMethod::Post,
            uid: Some(self.id.to_string()),
            class,
            ..self.call("datasetlinkitems", &payload)
        };
        match send_v1(&self.shared, &call).await? {
            Some(answer) => Records::of_answer(answer),
            None => Ok(Records::default()),
        }
    }

    fn call<'a, P>(&self, query_type: &'a str, payload: P) -> V1Call<'a, P> {
        V1Call {
            resource: Resource::Dataset(self.id.into()),
            query_type,
            query_method: QueryMethod::Get,
            uid: None,
            payload,
            class: Class::Read,
        }
    }
}

/// The arguments of a list of rows. A field without a value is null, because `v1` requires all fields.
#[derive(Serialize)]
struct RowsRequest<'a> {
    title_eq: Option<&'a str>,
    title_like: Option<&'a str>,
    created_before: Option<&'a str>,
    created_after: Option<&'a str>,
    data_types: Option<Vec<&'static str>>,
    dataset_access_settings: AccessSettings,
    data_hashes: Option<&'a [String]>,
}

#[derive(Serialize)]
struct AccessSettings {
    fetch_client_metadata: bool,
    fetch_rows: bool,
}

#[derive(Serialize)]
struct LinkRequest<'a> {
    item_uuids: &'a [ItemId],
    duplicates_behavior: DuplicatesBehavior,
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataset({})", self.id)
    }
}
