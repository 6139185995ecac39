//! Items: which are listed, and the calls about single ones.

use std::sync::Arc;

use encord_enums::StorageItemType;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Class, send};
use crate::error::Error;
use crate::ids::ItemId;
use crate::list::{List, Records};
use crate::paging::{DEFAULT_PAGE_SIZE, SortBy, check_page_size};
use crate::query::Query;
use crate::records::StorageItem;
use crate::shared::Shared;

/// Which items are listed, in which order, and what is told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFilter {
    /// Items with this in their name.
    pub search: Option<String>,
    /// Items that are in a dataset, or in none.
    pub is_in_dataset: Option<bool>,
    /// Items of these types; without any, of all.
    pub item_types: Vec<StorageItemType>,
    /// What they are sorted by.
    pub order: SortBy,
    /// From the last to the first.
    pub desc: bool,
    /// How many come with a page, from 1 to [`MAX_PAGE_SIZE`](crate::MAX_PAGE_SIZE).
    pub page_size: u32,
    /// Whether each comes with a URL to read it from.
    pub sign_urls: bool,
    /// Whether each comes with the user's metadata.
    pub include_client_metadata: bool,
}

/// How many were deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DeletedItems {
    /// Items.
    #[serde(alias = "removed_items_count")]
    pub removed_items_count: u64,
    /// Folders.
    #[serde(alias = "removed_folders_count")]
    pub removed_folders_count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BulkRequest<'a> {
    item_uuids: &'a [ItemId],
    sign_urls: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteRequest<'a> {
    child_uuids: &'a [ItemId],
    remove_unused_frames: bool,
}

pub(crate) async fn get(shared: &Shared, id: ItemId, sign_url: bool) -> Result<StorageItem, Error> {
    let query = Query::default().with_flag("signUrl", Some(sign_url));
    send(shared, &Call::get(&format!("storage/items/{id}"), &query)).await?.json()
}

pub(crate) async fn get_bulk(shared: &Shared, ids: &[ItemId], sign_urls: bool) -> Result<Records<StorageItem>, Error> {
    let request = BulkRequest { item_uuids: ids, sign_urls };
    Records::of_answer(send(shared, &Call::post("storage/items/get-bulk", &request, Class::Read)).await?)
}

pub(crate) async fn delete(
    shared: &Shared,
    path: &str,
    items: &[ItemId],
    remove_unused_frames: bool,
) -> Result<DeletedItems, Error> {
    let request = DeleteRequest { child_uuids: items, remove_unused_frames };
    send(shared, &Call::post(path, &request, Class::Repeatable)).await?.json_or_default()
}

impl Default for ItemFilter {
    /// All items, by name, with the user's metadata.
    fn default() -> Self {
        Self {
            search: None,
            is_in_dataset: None,
            item_types: Vec::new(),
            order: SortBy::Name,
            desc: false,
            page_size: DEFAULT_PAGE_SIZE,
            sign_urls: false,
            include_client_metadata: true,
        }
    }
}

impl ItemFilter {
    pub(crate) fn list(&self, shared: &Arc<Shared>, path: String) -> List<StorageItem> {
        if let Err(error) = check_page_size(self.page_size) {
            return List::failed(error);
        }
        let filter = self.clone();
        List::paged(shared, path, move |token| {
            let Self { search, is_in_dataset, item_types, order, desc, page_size, sign_urls, include_client_metadata } =
                &filter;
            let query = Query::default()
                .with("search", search.as_deref())
                .with_flag("isRecursive", Some(false))
                .with_flag("isInDataset", *is_in_dataset);
            item_types
                .iter()
                .fold(query, |query, item_type| query.with("itemTypes", Some(item_type)))
                .with("order", Some(order.as_str()))
                .with_flag("desc", Some(*desc))
                .with("pageToken", token)
                .with("pageSize", Some(page_size))
                .with_flag("signUrls", Some(*sign_urls))
                .with_flag("includeClientMetadata", Some(*include_client_metadata))
                .with_flag("clientMetadataAsSignedUrl", Some(false))
        })
    }
}
