//! The command line.

mod help;
pub(crate) mod platform;
mod stream;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{ArgPredicate, PathBufValueParser, Resettable, TypedValueParser};
use clap::{Arg, ArgAction, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use clap_complete::Shell;
use encord_upload::Shard;

use crate::ingest::args::IngestArgs;

use self::help::{
    COMPLETIONS_EXAMPLES, DATA_TYPE_EXAMPLES, DEMO_EXAMPLES, DEV_PLATFORM_EXAMPLES, DEV_STORE_EXAMPLES,
    EXAMPLES_AND_EXIT_CODES, MAN_EXAMPLES, PLATFORM_EXAMPLES, REPORT_EXAMPLES, SETTINGS_EXAMPLES, SIGN_EXAMPLES,
    UIDS_EXAMPLES, UPLOAD_EXAMPLES,
};
use self::platform::{DatasetsCommand, FoldersCommand, ModelsArgs, ProjectsCommand, WhoamiArgs};
pub(crate) use self::stream::Stream;

/// Work with the Encord platform: upload files to signed URLs, look at settings and records.
#[derive(Debug, Parser)]
#[command(name = "encord", version = env!("ENCORD_VERSION"), propagate_version = true, after_help = EXAMPLES_AND_EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way: files become items and rows of an emulator that fails on purpose. Needs nothing set up.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(DemoArgs),
    /// Upload files into a folder and a dataset, or the files of a manifest to their signed URLs.
    #[command(after_help = UPLOAD_EXAMPLES)]
    Upload(UploadArgs),
    /// Read a report: totals, failures by reason, slowest items, retries, throughput over time.
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Show each setting, where it comes from, the waits between attempts, and how long an upload can take.
    #[command(after_help = SETTINGS_EXAMPLES, mut_args(for_settings))]
    Settings(UploadArgs),
    /// List the distinct model iteration uids of a JSON array of model configurations.
    #[command(after_help = UIDS_EXAMPLES)]
    Uids(UidsArgs),
    /// Say what data types mean, or list all of them.
    #[command(after_help = DATA_TYPE_EXAMPLES)]
    DataType(DataTypeArgs),
    /// Run an object store for development on loopback, with faults if asked for.
    #[command(after_help = DEV_STORE_EXAMPLES)]
    DevStore(DevStoreArgs),
    /// Run the platform's API for development on loopback, with faults if asked for.
    #[command(after_help = DEV_PLATFORM_EXAMPLES)]
    DevPlatform(DevPlatformArgs),
    /// Sign URLs for the development store, or write a manifest for files and folders.
    #[command(after_help = SIGN_EXAMPLES)]
    Sign(SignArgs),
    /// Ask the platform whether it knows your key.
    #[command(after_help = PLATFORM_EXAMPLES)]
    Whoami(WhoamiArgs),
    /// List, make and show storage folders.
    #[command(subcommand, after_help = PLATFORM_EXAMPLES)]
    Folders(FoldersCommand),
    /// List, make and show datasets.
    #[command(subcommand, after_help = PLATFORM_EXAMPLES)]
    Datasets(DatasetsCommand),
    /// List and show projects.
    #[command(subcommand, after_help = PLATFORM_EXAMPLES)]
    Projects(ProjectsCommand),
    /// List the models of a project, or the uids of their trainings.
    #[command(after_help = PLATFORM_EXAMPLES)]
    Models(ModelsArgs),
    /// Print the completions for a shell.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the man page of the program or of a command.
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// The number of small images to make and upload.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = value_parser!(u32).range(1..))]
    pub(crate) files: u32,
    /// Keep the images, the stored objects and the ledger in this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "a flag is a bool")]
pub(crate) struct UploadArgs {
    #[command(flatten)]
    pub(crate) ingest: IngestArgs,
    /// A manifest: JSON Lines, one item a line; `-` is standard input. Its files go to signed URLs of your own, or with --folder into
    /// that folder.
    #[arg(
        long,
        value_name = "FILE",
        required = false,
        required_unless_present = "paths",
        default_value_if("paths", ArgPredicate::IsPresent, "-"),
        value_hint = ValueHint::FilePath
    )]
    pub(crate) manifest: Stream,
    #[command(flatten)]
    pub(crate) settings: SettingsOptions,
    /// The most items under way at once. Below it the number is found out, for each host.
    #[arg(long, value_name = "N", default_value_t = encord_upload::DEFAULT_CONCURRENCY, value_parser = at_least_one)]
    pub(crate) concurrency: usize,
    /// The journal: a file that lists uploaded items, with --folder the ledger. What it lists is skipped, unless the file has
    /// changed. Only one run at a time can use it.
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(journal_file))]
    pub(crate) journal: Option<PathBuf>,
    /// Keep no journal. By default a manifest that is a file has a journal in the state folder (`$XDG_STATE_HOME/encord`), so
    /// that the same command continues after a crash.
    #[arg(long, conflicts_with = "journal")]
    pub(crate) no_journal: bool,
    /// Get signed URLs from this program. It reads lines such as `{"path": "a.jpg", "title": "a.jpg"}` and answers each with
    /// `{"signed_url": "https://…", "headers": {}}`. A shell runs it for some items at a time, and again for each URL that has
    /// expired. The manifest then needs no `signed_url`. It is not retried and has no timeout.
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub(crate) sign_with: Option<OsString>,
    /// Upload only the items that this earlier report does not list as done.
    #[arg(long, value_name = "REPORT", value_hint = ValueHint::FilePath)]
    pub(crate) retry_from: Option<Stream>,
    /// Upload only shard I of N, 0 <= I < N. An item belongs to the same shard on every machine.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Where the report goes: JSON Lines, one item a line in the order of the manifest; `-` is standard output.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<Stream>,
    /// When to show progress on standard error. `auto`: a bar on a terminal, else a line every 30 seconds.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) progress: When,
    /// Say nothing but errors.
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log more, with the names of modules: `-v` debug, `-vv` all.
    #[arg(long, short, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Check manifest, settings, URLs, files, journal and report, and say what would be sent. Sends and writes nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the summary as one JSON object on standard output, after the report if that goes there too.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The flags that set settings, and the settings file. The values are text, so that all wrong values, also those of the file and
/// the environment, are reported at once.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SettingsOptions {
    /// The settings file, TOML or JSON, with the sections `requests` and `upload`; `-` is standard input. Also set by
    /// `ENCORD_SETTINGS`.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) settings: Option<Stream>,
    /// Upload the other items after one has failed; also set by `ENCORD_ALLOW_FAILURES`.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) allow_failures: Option<bool>,
    /// Further attempts after the first; also set by `ENCORD_MAX_RETRIES`.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_retries: Option<String>,
    /// The wait before retry k is F * 2^(k-1) seconds, at most 120; also set by `ENCORD_BACKOFF_FACTOR`.
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pub(crate) backoff_factor: Option<String>,
    /// Further attempts to get a connection; also set by `ENCORD_CONNECTION_RETRIES`.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) connection_retries: Option<String>,
    /// How long getting a connection may take, and then the first byte of the response, in seconds, or `unlimited`; also set
    /// by `ENCORD_CONNECT_TIMEOUT`.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) connect_timeout: Option<String>,
    /// How long the whole response may take once the file is sent, in seconds, or `unlimited`; also set by
    /// `ENCORD_READ_TIMEOUT`.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) read_timeout: Option<String>,
    /// How long the sending of a file may stall, in seconds, or `unlimited`; also set by `ENCORD_WRITE_TIMEOUT`.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) write_timeout: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The report of an upload; `-` is standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Stream,
    /// Also write a page with charts, which needs nothing else.
    #[arg(long, value_name = "PAGE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UidsArgs {
    /// A JSON array of model configurations; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
    pub(crate) file: Stream,
    /// Print only their number.
    #[arg(long)]
    pub(crate) count: bool,
    /// Print JSON: an array of strings, or with `--count` a number.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DataTypeArgs {
    /// The values to look up, exactly as written. Without any, all are listed.
    #[arg(value_name = "VALUE")]
    pub(crate) values: Vec<String>,
    /// The values are in upper case, as in data rows and the metadata of label rows.
    #[arg(long)]
    pub(crate) upper: bool,
    /// Print a JSON array of objects.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DevStoreArgs {
    /// The port on 127.0.0.1; 0 is a free one.
    #[arg(long, value_name = "P", default_value_t = 9000)]
    pub(crate) port: u16,
    /// Keep the objects in this folder; without it they are in memory.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The faults to cause; `@FILE` reads the plan from a file.
    #[arg(long, value_name = "PLAN", default_value = "")]
    pub(crate) faults: String,
    /// Also accept requests without a signature.
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
    /// Print the address as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DevPlatformArgs {
    /// The port on 127.0.0.1; the object store has the next one; 0 are two free ones.
    #[arg(long, value_name = "P", default_value_t = 9100)]
    pub(crate) port: u16,
    /// Keep state, objects and key in this folder; without it they are gone at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// What goes wrong on purpose with requests; `@FILE` reads the plan from a file.
    #[arg(long, value_name = "PLAN", default_value = "")]
    pub(crate) faults: String,
    /// What goes wrong on purpose with uploads, as for `encord dev-store`.
    #[arg(long, value_name = "PLAN", default_value = "")]
    pub(crate) store_faults: String,
    /// How it behaves where nobody knows how the server does; `@FILE` reads the positions from a file.
    #[arg(long, value_name = "SWITCHES", default_value = "")]
    pub(crate) switches: String,
    /// Take the signature of any key.
    #[arg(long)]
    pub(crate) any_key: bool,
    /// Print where it listens and where the key is as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The URLs of objects; with `--manifest`, files and folders.
    #[arg(value_name = "TARGET", required = true)]
    pub(crate) targets: Vec<OsString>,
    /// Print a manifest that uploads these files and folders below this URL, such as `http://127.0.0.1:9000/dev`.
    #[arg(long, value_name = "BASE-URL", conflicts_with = "method")]
    pub(crate) manifest: Option<String>,
    /// The HTTP method that the URLs allow.
    #[arg(long, value_name = "METHOD", default_value = "PUT")]
    pub(crate) method: String,
    /// The kind of signature.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scheme: SchemeName,
    /// How long the URLs are valid, at most 604800 (7 days).
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) expires: u64,
    /// A header that the request must have, as `NAME: VALUE`; may be given several times.
    #[arg(long, value_name = "HEADER", conflicts_with = "manifest")]
    pub(crate) header: Vec<String>,
    #[command(flatten)]
    pub(crate) key: KeyOptions,
}

/// With which key URLs are signed and checked.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyOptions {
    /// The access id and the secret; also set by `ENCORD_DEV_STORE_KEY` and `ENCORD_DEV_STORE_SECRET`.
    #[arg(long, value_name = "ID:SECRET")]
    pub(crate) key: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemeName {
    /// Google Cloud Storage, V4.
    #[default]
    Gcs,
    /// Amazon S3, Signature Version 4.
    S3,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The command; without, the page of the program.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    #[default]
    Auto,
    Always,
    Never,
}

/// Any command line of `upload` is one of `settings` too; what sets nothing is not shown there.
fn for_settings(flag: Arg) -> Arg {
    match flag.get_id().as_str() {
        "settings" | "allow_failures" | "max_retries" | "backoff_factor" | "connection_retries" | "connect_timeout"
        | "read_timeout" | "write_timeout" => flag,
        "json" => flag.help("Print one JSON object; of the waits it lists the first 1000 at most"),
        "manifest" => flag.required_unless_present(Resettable::Reset).default_value("-").hide(true),
        _ => flag.hide(true),
    }
}

fn journal_file(path: PathBuf) -> Result<PathBuf, &'static str> {
    let is_standard = path.as_os_str() == "-";
    if is_standard { Err("the journal must be a file: it is read, and then appended to") } else { Ok(path) }
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("it must be a whole number of 1 or more")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
