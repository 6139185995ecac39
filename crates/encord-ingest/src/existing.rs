//! Items that stand in the folder already, without our ledger.

use std::collections::{HashMap, HashSet};

use encord_client::{ErrorKind, Folder, ItemFilter, MAX_PAGE_SIZE};
use uuid::Uuid;

use crate::calls::item_facts;
use crate::plan::{Facts, ItemFacts};

/// What is done where an item stands in the folder under the title of a file and with its size, and the ledger does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Nothing is sent, and the user is asked.
    #[default]
    Ask,
    /// The item is taken for the file's.
    Skip,
    /// The file is sent all the same.
    Upload,
}

/// Looks for the items of units that are new to the ledger.
#[derive(Debug)]
pub(crate) struct Clashes {
    /// Units that are new, by name and size.
    wanted: HashMap<(u64, u64), Vec<u32>>,
    ours: HashSet<Uuid>,
    pub(crate) found: Vec<(u32, Uuid)>,
}

impl Clashes {
    /// For these units; items that the ledger knows are no clash.
    pub(crate) fn new(new: impl Iterator<Item = (u32, Facts)>, ours: HashSet<Uuid>) -> Self {
        let mut wanted: HashMap<(u64, u64), Vec<u32>> = HashMap::new();
        for (unit, Facts { name, size, .. }) in new {
            wanted.entry((name, size)).or_default().push(unit);
        }
        // The first one is taken first.
        for units in wanted.values_mut() {
            units.reverse();
        }
        Self { wanted, ours, found: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// An item of the folder.
    pub(crate) fn see(&mut self, item: &ItemFacts) {
        let size = if item.is_group { Some(0) } else { item.size };
        if !item.is_registered || self.ours.contains(&item.item) {
            return;
        }
        if let Some(units) = size.and_then(|size| self.wanted.get_mut(&(item.name, size)))
            && let Some(unit) = units.pop()
        {
            self.found.push((unit, item.item));
        }
    }

    /// Looks through the whole folder.
    pub(crate) async fn look(&mut self, folder: &Folder) -> Result<(), encord_client::Error> {
        let filter = ItemFilter { page_size: MAX_PAGE_SIZE, include_client_metadata: false, ..ItemFilter::default() };
        let mut items = folder.list_items(&filter);
        while let Some(item) = items.next().await {
            match item {
                Ok(item) => self.see(&item_facts(&item)),
                Err(error) if error.kind() == ErrorKind::Record => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_the_same_name_and_size_that_is_not_ours_is_a_clash() {
        let unit = |name, size, is_group| Facts { name, size, files: 1, is_group, has_placeholder: true };
        let new = [(0, unit(1, 10, false)), (1, unit(2, 10, false)), (2, unit(2, 10, false)), (3, unit(3, 0, true))];
        let mut clashes = Clashes::new(new.into_iter(), HashSet::from([Uuid::from_u128(100)]));
        let mut see = |item, name, size, is_group, is_registered| {
            let item = Uuid::from_u128(item);
            clashes.see(&ItemFacts { item, name, object: None, size, is_group, is_registered });
        };
        see(100, 1, Some(10), false, true);
        see(101, 1, Some(11), false, true);
        see(102, 1, None, false, true);
        see(103, 1, Some(10), false, false);
        see(104, 2, Some(10), false, true);
        see(105, 2, Some(10), false, true);
        see(106, 2, Some(10), false, true);
        see(107, 3, None, true, true);
        let found: Vec<_> = clashes.found.iter().map(|(unit, item)| (*unit, item.as_u128())).collect();
        assert_eq!(found, [(1, 104), (2, 105), (3, 107)]);
    }
}
