//! Finds folders, datasets and projects by identifier, by exact name, or for folders by path.

use crate::dataset::DatasetFilter;
use crate::error::{Error, ErrorKind, Inner, plain};
use crate::folder::FolderFilter;
use crate::ids::{DatasetId, FolderId, ProjectId};
use crate::list::List;
use crate::paging::MAX_PAGE_SIZE;
use crate::project::ProjectFilter;
use crate::records::{ProjectInfo, StorageFolder};
use crate::user_client::EncordUserClient;

/// The limit of similar names in an error.
const MAX_NEAREST: usize = 3;

/// The limit of names that are compared to find similar ones.
const MAX_COMPARED: usize = 1_000;

/// The lowest similarity of a name in an error, from 0 (different) to 1 (equal).
const MIN_SIMILARITY: f64 = 0.75;

impl EncordUserClient {
    /// Finds a folder by its identifier (this sends nothing), by its path from the root such as `photos/2024`, or by its exact name
    /// in any folder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoSuchName`] with similar names, [`ErrorKind::AmbiguousName`] with the identifiers of all folders with this
    /// name, or the error of a call.
    pub async fn resolve_folder(&self, text: &str) -> Result<FolderId, Error> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        let mut found = Vec::new();
        if names.len() > 1 {
            found = self.folders_at(&names).await?;
        }
        if found.is_empty() {
            found = named(self.find_storage_folders(&searching(text)), text).await?;
        }
        let ids = found.iter().map(|folder| folder.uuid);
        match unique("folder", text, ids)? {
            Some(id) => Ok(id),
            None => Err(no_such("folder", text, self.folder_names(&names).await)),
        }
    }

    /// Finds a dataset by its identifier (this sends nothing) or by its exact title.
    ///
    /// # Errors
    ///
    /// As [`resolve_folder`](Self::resolve_folder).
    pub async fn resolve_dataset(&self, text: &str) -> Result<DatasetId, Error> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let filter = DatasetFilter { title_eq: Some(text.to_owned()), ..DatasetFilter::default() };
        let found = self.list_datasets(&filter).await?;
        let ids = found.iter().filter(|dataset| dataset.title == text).map(|dataset| dataset.dataset_uuid);
        if let Some(id) = unique("dataset", text, ids)? {
            return Ok(id);
        }
        let all = self.list_datasets(&DatasetFilter::default()).await.unwrap_or_default();
        Err(no_such("dataset", text, all.into_iter().take(MAX_COMPARED).map(|dataset| dataset.title).collect()))
    }

    /// Finds a project by its identifier (this sends nothing) or by its exact title.
    ///
    /// # Errors
    ///
    /// As [`resolve_folder`](Self::resolve_folder).
    pub async fn resolve_project(&self, text: &str) -> Result<ProjectId, Error> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let filter = ProjectFilter { title_eq: Some(text.to_owned()), ..ProjectFilter::default() };
        let found = self.list_projects(&filter).all().await?;
        let ids = found.iter().filter(|project| project.title == text).map(|project| project.project_hash);
        if let Some(id) = unique("project", text, ids)? {
            return Ok(id);
        }
        let all = first(self.list_projects(&ProjectFilter::default())).await;
        let title = |project: ProjectInfo| project.title;
        Err(no_such("project", text, all.into_iter().map(title).collect()))
    }

    /// Returns the folders with this path. There may be several, because names need not be unique.
    async fn folders_at(&self, names: &[&str]) -> Result<Vec<StorageFolder>, Error> {
        let Some((first, rest)) = names.split_first() else { return Ok(Vec::new()) };
        let mut found = named(self.list_storage_folders(&searching(first)), first).await?;
        for name in rest {
            let mut below = Vec::new();
            for folder in found {
                below.extend(named(self.folder(folder.uuid).list_subfolders(&searching(name)), name).await?);
            }
            found = below;
        }
        Ok(found)
    }

    /// Returns names to compare with a path that does not exist: the folders beside the first missing one.
    async fn folder_names(&self, names: &[&str]) -> Vec<String> {
        let filter = FolderFilter { page_size: MAX_PAGE_SIZE, ..FolderFilter::default() };
        for above in (1..names.len()).rev() {
            let Ok(found) = self.folders_at(&names[..above]).await else { break };
            if let Some(folder) = found.first() {
                let path = names[..above].join("/");
                let below = first(self.folder(folder.uuid).list_subfolders(&filter)).await;
                return below.into_iter().map(|folder| format!("{path}/{}", folder.name)).collect();
            }
        }
        first(self.list_storage_folders(&filter)).await.into_iter().map(|folder| folder.name).collect()
    }
}

fn searching(name: &str) -> FolderFilter {
    FolderFilter { search: Some(name.to_owned()), page_size: MAX_PAGE_SIZE, ..FolderFilter::default() }
}

/// Selects the folders with exactly this name. A search of the platform finds more.
async fn named(mut list: List<StorageFolder>, name: &str) -> Result<Vec<StorageFolder>, Error> {
    let mut found = Vec::new();
    while let Some(folder) = list.next().await {
        match folder {
            Ok(folder) if folder.name == name => found.push(folder),
            Err(error) if error.kind() != ErrorKind::Record => return Err(error),
            _ => {}
        }
    }
    Ok(found)
}

/// Returns the first records. Errors are ignored, because the records are only for a hint.
async fn first<T>(mut list: List<T>) -> Vec<T> {
    let mut records = Vec::new();
    while records.len() < MAX_COMPARED {
        match list.next().await {
            Some(Ok(record)) => records.push(record),
            Some(Err(error)) if error.kind() == ErrorKind::Record => {}
            _ => break,
        }
    }
    records
}

/// Returns the only id, if there is one. Several ids are an error.
fn unique<I: Copy + ToString>(what: &str, name: &str, ids: impl Iterator<Item = I>) -> Result<Option<I>, Error> {
    let ids: Vec<I> = ids.collect();
    match ids.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        _ => {
            let candidates: Vec<_> = ids.iter().map(ToString::to_string).collect();
            Err(Error::new(Inner {
                kind: ErrorKind::AmbiguousName,
                words: Some(format!("{} {what}s are called {:?}", ids.len(), plain(name, None))),
                hints: vec![format!("say which one: {}", candidates.join(", "))],
                candidates,
                ..Inner::default()
            }))
        }
    }
}

fn no_such(what: &str, name: &str, names: Vec<String>) -> Error {
    let candidates = nearest(name, names);
    let hints = if candidates.is_empty() {
        Vec::new()
    } else {
        let quoted: Vec<_> = candidates.iter().map(|candidate| format!("{:?}", plain(candidate, None))).collect();
        vec![format!("the nearest: {}", quoted.join(", "))]
    };
    Error::new(Inner {
        kind: ErrorKind::NoSuchName,
        words: Some(format!("no {what} is called {:?}", plain(name, None))),
        hints,
        candidates,
        ..Inner::default()
    })
}

/// Returns the names that are most similar, the most similar first.
fn nearest(name: &str, names: Vec<String>) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut rated: Vec<(f64, String)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .collect();
    rated.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    rated.dedup_by(|(_, left), (_, right)| left == right);
    rated.into_iter().take(MAX_NEAREST).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["photos 2023", "Photos 2024", "videos", "photo", "photos 2024"].map(str::to_owned).to_vec();
        assert_eq!(nearest("photos 2042", names), ["Photos 2024", "photos 2024", "photos 2023"]);
        assert_eq!(nearest("x", vec!["quite another".to_owned()]), Vec::<String>::new());
    }

    #[test]
    fn names_that_come_twice_are_told_with_their_ids() {
        let ids = [1_u8, 2].map(|n| FolderId(uuid::Uuid::from_bytes([n; 16])));
        assert_eq!(unique("folder", "a", ids[..1].iter().copied()).unwrap(), Some(ids[0]));
        assert_eq!(unique("folder", "a", std::iter::empty::<FolderId>()).unwrap(), None);
        let error = unique("folder", "a", ids.into_iter()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousName);
        assert_eq!(
            error.to_string(),
            "more than one has this name: 2 folders are called \"a\"; say which one: \
             01010101-0101-0101-0101-010101010101, 02020202-0202-0202-0202-020202020202"
        );
    }
}
