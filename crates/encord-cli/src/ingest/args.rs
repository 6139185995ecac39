//! The flags of `encord upload PATH… --folder F`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use encord_ingest::{Kind, Titles};

use super::connect::ConnectOptions;
use crate::args::Stream;

/// What is uploaded, and what it becomes.
#[derive(Debug, Default, Args)]
pub(crate) struct IngestArgs {
    /// Files and folders. Folders are taken with all that is in them; hidden files and what .encordignore names are left out.
    #[arg(value_name = "PATH", requires = "folder", conflicts_with = "manifest", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Where items go: the uuid of a storage folder, its exact name, or a path of names. Made if it is not there, but not with
    /// --shard. With --manifest its files go there, and its lines have no URL.
    #[arg(long, value_name = "F", conflicts_with_all = ["no_journal", "sign_with"])]
    pub(crate) folder: Option<String>,
    /// Where rows go: the uuid of a dataset, or its exact title. Made if it is not there, but not with --shard.
    #[arg(long, value_name = "D", requires = "folder")]
    pub(crate) dataset: Option<String>,
    /// What you know of the files, by `path`: CSV with a header, or JSON Lines; `-` is standard input. It becomes the clientMetadata
    /// of the items.
    #[arg(long, value_name = "FILE", requires = "folder", value_hint = ValueHint::FilePath)]
    pub(crate) metadata: Option<Stream>,
    /// What every file is, whatever its name says: image, video, audio, dicom-series, nifti, text, pdf, time-series.
    #[arg(long, value_name = "KIND", requires = "folder", value_parser = file_kind)]
    pub(crate) kind: Option<Kind>,
    /// Take only files that match this glob; may be given several times.
    #[arg(long, value_name = "GLOB", requires = "paths", conflicts_with = "manifest")]
    pub(crate) include: Vec<String>,
    /// Leave out files and folders that match this glob; may be given several times.
    #[arg(long, value_name = "GLOB", requires = "paths", conflicts_with = "manifest")]
    pub(crate) exclude: Vec<String>,
    /// Make one item of the files of each folder; `--as` says which.
    #[arg(long = "group-by", value_name = "WHAT", value_enum, requires_all = ["group_kind", "paths"], conflicts_with = "manifest")]
    pub(crate) group: Option<GroupBy>,
    /// What the files of a folder become: image-group, image-sequence or dicom-series.
    #[arg(long = "as", value_name = "KIND", requires = "group", value_parser = group_kind)]
    pub(crate) group_kind: Option<Kind>,
    /// What to do where an item with the title and size of a file stands in the folder and this run's ledger does not know it: take
    /// the item for the file, or send the file all the same. Without, such a run does not begin.
    #[arg(long, value_name = "WHAT", value_enum, requires = "folder")]
    pub(crate) existing: Option<ExistingName>,
    /// What items are called: the path below PATH, or the name of the file alone.
    #[arg(long, value_name = "WHAT", value_enum, requires = "folder", default_value_t)]
    pub(crate) titles: TitlesName,
    /// Register again what earlier runs left as unresolved. Whether that makes doubles is the platform's to decide: look first.
    #[arg(long, requires = "folder")]
    pub(crate) repost_unresolved: bool,
    /// For how long the result of a job without an answer is looked for, in seconds.
    #[arg(long, value_name = "S", requires = "folder", default_value_t = encord_ingest::DEFAULT_SETTLE.as_secs())]
    pub(crate) settle: u64,
    #[command(flatten)]
    pub(crate) platform: ConnectOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupBy {
    /// The files of a folder.
    Folder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExistingName {
    /// Take the item for the file.
    Skip,
    /// Send the file.
    Upload,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TitlesName {
    /// The path below PATH.
    #[default]
    Path,
    /// The name of the file.
    Name,
}

impl From<TitlesName> for Titles {
    fn from(name: TitlesName) -> Self {
        match name {
            TitlesName::Path => Self::Path,
            TitlesName::Name => Self::Name,
        }
    }
}

fn file_kind(text: &str) -> Result<Kind, String> {
    let kind: Kind = text.parse().map_err(|error: encord_ingest::UnknownKind| error.to_string())?;
    if matches!(kind, Kind::ImageGroup | Kind::ImageSequence) {
        return Err(format!("{kind} is made of a folder: --group-by folder --as {kind}"));
    }
    Ok(kind)
}

fn group_kind(text: &str) -> Result<Kind, String> {
    let kind: Kind = text.parse().map_err(|error: encord_ingest::UnknownKind| error.to_string())?;
    if kind.takes_several_files() {
        return Ok(kind);
    }
    Err("a folder becomes an image-group, an image-sequence or a dicom-series".to_owned())
}
