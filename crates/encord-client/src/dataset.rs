//! Datasets: what is asked for, and what can be done with one.

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

/// A dataset, and what can be done with it. [`EncordUserClient::dataset`](crate::EncordUserClient::dataset) makes it.
#[derive(Clone)]
pub struct Dataset {
    shared: Arc<Shared>,
    id: DatasetId,
}

/// A dataset that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewDataset {
    /// Its title.
    pub title: String,
    /// What people may want to know about it.
    pub description: Option<String>,
    /// Whether a folder is made with it that mirrors it. The SDK does so by default; the platform calls such datasets legacy.
    pub create_backing_folder: bool,
}

/// Which datasets are listed. Times are ISO 8601, such as `2024-05-01T00:00:00`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetFilter {
    /// With exactly this title.
    pub title_eq: Option<String>,
    /// With a title like this, where `%` stands for anything.
    pub title_like: Option<String>,
    /// With exactly this description.
    pub description_eq: Option<String>,
    /// With a description like this.
    pub description_like: Option<String>,
    /// Made before this time.
    pub created_before: Option<String>,
    /// Made after this time.
    pub created_after: Option<String>,
    /// Changed before this time.
    pub edited_before: Option<String>,
    /// Changed after this time.
    pub edited_after: Option<String>,
    /// All datasets of the organisation, for its administrators.
    pub include_org_access: bool,
}

/// Which rows of a dataset are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// With exactly this title.
    pub title_eq: Option<String>,
    /// With a title like this, where `%` stands for anything.
    pub title_like: Option<String>,
    /// Made before this time.
    pub created_before: Option<String>,
    /// Made after this time.
    pub created_after: Option<String>,
    /// Of these types; without any, of all.
    pub data_types: Vec<DataType>,
    /// These rows only.
    pub data_hashes: Option<Vec<String>>,
    /// Whether each comes with the user's metadata.
    pub fetch_client_metadata: bool,
}

/// What becomes of an item that is linked to the dataset already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DuplicatesBehavior {
    /// It stays as it is. The call can be repeated.
    #[default]
    Skip,
    /// The call fails.
    Fail,
    /// It is linked once more.
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
    /// A dataset of this title, without a folder that mirrors it.
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

    /// Which dataset it is.
    pub fn id(&self) -> DatasetId {
        self.id
    }

    /// What the platform tells of it, without its rows.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn get(&self) -> Result<DatasetDetails, Error> {
        let settings = json!({"fetch_client_metadata": false, "fetch_rows": false});
        let call = self.call("dataset", json!({"dataset_access_settings": settings}));
        send_v1(&self.shared, &call).await?.ok_or_else(Error::nothing)?.json()
    }

    /// Its rows, in one call.
    ///
    /// # Errors
    ///
    /// When the call fails. All rows are in one answer, so a dataset of more than about 100,000 rows may be too large for it.
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

    /// Puts items into it: each becomes a row. The documentation advises at most 1,000 in one call.
    ///
    /// # Errors
    ///
    /// When the call fails. It is repeated only with [`DuplicatesBehavior::Skip`], where that changes nothing.
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

/// Without a value a field is null: `v1` wants them all.
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
