//! Where items and rows go: a folder and perhaps a dataset, by id or by name.

use encord_client::{Dataset, Effect, EncordUserClient, Error, ErrorKind, Folder, NewDataset, NewFolder};

/// A folder and perhaps a dataset.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Where items go.
    pub folder: Folder,
    /// Where rows go.
    pub dataset: Option<Dataset>,
    /// Whether the folder was made just now: nothing can be in it.
    pub is_new: bool,
}

/// What was made because it was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// A folder of this path.
    Folder(String),
    /// A dataset of this title.
    Dataset(String),
}

/// Whether what is not there is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is an error.
    Refuse,
    /// It is made.
    Make,
}

impl Destination {
    /// Finds folder and dataset, which are identifiers, exact names, or for the folder a path of names. Calls `made` for what had to
    /// be made.
    ///
    /// # Errors
    ///
    /// More than one has the name; there is none and it is not to be made; a call fails.
    pub async fn resolve(
        client: &EncordUserClient,
        folder: &str,
        dataset: Option<&str>,
        missing: Missing,
        mut made: impl FnMut(Made),
    ) -> Result<Self, Error> {
        let (folder, is_new) = match client.resolve_folder(folder).await {
            // An identifier is not asked about; whoever mistypes one should know before files are sent.
            Ok(id) => (client.get_storage_folder(id).await?.uuid, false),
            Err(error) if error.kind() == ErrorKind::NoSuchName && missing == Missing::Make => {
                (make_folder(client, folder, &mut made).await?, true)
            }
            Err(error) => return Err(error),
        };
        let dataset = match dataset {
            None => None,
            Some(title) => Some(match client.resolve_dataset(title).await {
                Ok(id) => client.get_dataset(id).await?.dataset_hash,
                Err(error) if error.kind() == ErrorKind::NoSuchName && missing == Missing::Make => {
                    make_dataset(client, title, &mut made).await?
                }
                Err(error) => return Err(error),
            }),
        };
        Ok(Self { folder: client.folder(folder), dataset: dataset.map(|id| client.dataset(id)), is_new })
    }
}

/// Makes the folders of a path that are not there.
async fn make_folder(
    client: &EncordUserClient,
    path: &str,
    made: &mut impl FnMut(Made),
) -> Result<encord_client::FolderId, Error> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let mut parent = None;
    for end in 1..=names.len() {
        let below = names[..end].join("/");
        let known = match client.resolve_folder(&below).await {
            Ok(id) => Some(id),
            Err(error) if error.kind() == ErrorKind::NoSuchName => None,
            Err(error) => return Err(error),
        };
        if known.is_some() {
            parent = known;
            continue;
        }
        let folder = NewFolder { parent, ..NewFolder::new(names[end - 1]) };
        parent = Some(match client.create_storage_folder(&folder).await {
            Ok(folder) => folder.uuid,
            // Whether it was made is looked up, never guessed (rule C3).
            Err(error) if error.effect() == Effect::Unknown => {
                client.resolve_folder(&below).await.map_err(|_| error)?
            }
            Err(error) => return Err(error),
        });
        made(Made::Folder(below));
    }
    match parent {
        Some(id) => Ok(id),
        None => client.resolve_folder(path).await,
    }
}

async fn make_dataset(
    client: &EncordUserClient,
    title: &str,
    made: &mut impl FnMut(Made),
) -> Result<encord_client::DatasetId, Error> {
    let id = match client.create_dataset(&NewDataset::new(title)).await {
        Ok(dataset) => dataset.dataset_uuid,
        Err(error) if error.effect() == Effect::Unknown => client.resolve_dataset(title).await.map_err(|_| error)?,
        Err(error) => return Err(error),
    };
    made(Made::Dataset(title.to_owned()));
    Ok(id)
}
