//! Items: filters, and the calls for single items.

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

/// A filter for items, the order of the list, and the facts to include.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFilter {
    /// Only items whose name contains this text.
    pub search: Option<String>,
    /// Only items in a dataset, or only items in none.
    pub is_in_dataset: Option<bool>,
    /// Only items of these types. Empty means all types.
    pub item_types: Vec<StorageItemType>,
    /// The order.
    pub order: SortBy,
    /// Whether the order is descending.
    pub desc: bool,
    /// The number of records on a page, from 1 to [`MAX_PAGE_SIZE`](crate::MAX_PAGE_SIZE).
    pub page_size: u32,
    /// Whether to include a signed URL to read each item.
    pub sign_urls: bool,
    /// Whether to include the user's metadata.
    pub include_client_metadata: bool,
}

/// The numbers of what was deleted.
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
    /// Selects all items, ordered by name, with the user's metadata.
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
