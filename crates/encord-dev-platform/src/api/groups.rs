//! Groups of items.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Answer, Api, Call};
use crate::state::{Item, ItemType};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(alias = "layout_contents")]
    layout_contents: Contents,
    name: Option<String>,
    #[serde(default, alias = "client_metadata")]
    client_metadata: Option<Map<String, Value>>,
}

/// A layout that names its items by position or by name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Contents {
    List(Vec<Uuid>),
    Named(BTreeMap<String, Uuid>),
}

impl Api<'_> {
    /// Creates an item that shows several items side by side.
    pub(super) fn create_group_items(&mut self, call: &Call) -> Answer {
        let groups: Vec<Group> = call.read()?;
        let folder = call.id(0)?;
        self.folder(folder)?;
        let mut created = Vec::new();
        for (at, Group { layout_contents, name, client_metadata }) in groups.into_iter().enumerate() {
            let children = match layout_contents {
                Contents::List(list) => list,
                Contents::Named(named) => named.into_values().collect(),
            };
            for child in &children {
                self.item(*child)?;
            }
            let name = name.unwrap_or_else(|| format!("group {}", at + 1));
            let mut item = Item::new(Uuid::new_v4(), folder, ItemType::Group, name, self.now);
            item.client_metadata = client_metadata.unwrap_or_default();
            item.children = children;
            created.push(item.uuid);
            self.state.items.put(item);
        }
        Ok(json!(created))
    }
}
