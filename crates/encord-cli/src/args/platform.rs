//! The commands that talk to the platform.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use encord_client::Domain;

use super::stream::Stream;

/// Which installation of the platform is meant, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct PlatformOptions {
    /// The region or installation: `eu`, `us` or a URL.
    #[arg(long, value_name = "DOMAIN", env = "ENCORD_DOMAIN", hide_env_values = true, default_value = "eu")]
    pub(crate) domain: Domain,
    /// The file of the private key. Without it: the file that `ENCORD_SSH_KEY_FILE` names, or the text in `ENCORD_SSH_KEY`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ssh_key_file: Option<PathBuf>,
    /// The settings file, of which the section `requests` counts here. Also set by `ENCORD_SETTINGS`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) settings: Option<Stream>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WhoamiArgs {
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FoldersCommand {
    /// List folders: those at the root, or those in a folder.
    List(FoldersListArgs),
    /// Make a folder. It is never made twice by itself: if the answer is lost, the error says so.
    Create(FoldersCreateArgs),
    /// Show a folder, and how much is in it.
    Show(FoldersShowArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct FoldersListArgs {
    /// The folder: its uuid, its exact name, or a path of names. Without it, the folders at the root.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<String>,
    /// Only folders with this in their name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Also the folders in them, and so on.
    #[arg(long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FoldersCreateArgs {
    /// The name.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The folder that it is put into: uuid, exact name, or path of names.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) parent: Option<String>,
    /// What people may want to know about it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FoldersShowArgs {
    /// The folder: its uuid, its exact name, or a path of names.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: String,
    /// List its items instead.
    #[arg(long)]
    pub(crate) items: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetsCommand {
    /// List datasets.
    List(DatasetsListArgs),
    /// Make a dataset. It is never made twice by itself: if the answer is lost, the error says so.
    Create(DatasetsCreateArgs),
    /// Show a dataset.
    Show(DatasetsShowArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetsListArgs {
    /// Only datasets with a title like this, where `%` stands for anything.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetsCreateArgs {
    /// The title.
    #[arg(value_name = "TITLE")]
    pub(crate) title: String,
    /// What people may want to know about it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Also make a folder that mirrors it, as the SDK does by default. The platform calls such datasets legacy.
    #[arg(long)]
    pub(crate) mirrored: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatasetsShowArgs {
    /// The dataset: its uuid or its exact title.
    #[arg(value_name = "DATASET")]
    pub(crate) dataset: String,
    /// List its rows instead.
    #[arg(long)]
    pub(crate) rows: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectsCommand {
    /// List projects.
    List(ProjectsListArgs),
    /// Show a project.
    Show(ProjectsShowArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProjectsListArgs {
    /// Only projects with a title like this, where `%` stands for anything.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProjectsShowArgs {
    /// The project: its uuid or its exact title.
    #[arg(value_name = "PROJECT")]
    pub(crate) project: String,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsArgs {
    /// The project: its uuid or its exact title.
    #[arg(value_name = "PROJECT")]
    pub(crate) project: String,
    /// Print only the distinct uids of their trainings, in order of first appearance.
    #[arg(long)]
    pub(crate) uids: bool,
    /// Ask as the SDK did until 0.1.155 (`Project.list_models`). Whether the platform still answers that is not known.
    #[arg(long)]
    pub(crate) legacy: bool,
    #[command(flatten)]
    pub(crate) platform: PlatformOptions,
}
