//! The plan of a run, which is checked before anything is sent.

use std::env;
use std::path::{Path, PathBuf};

use encord_http_settings::EffectiveUploadSettings;
use encord_upload::UploadItem;
use encord_upload::formats::Urls;

use crate::args::{Stream, UploadArgs};
use crate::clashes::Outputs;
use crate::folders;
use crate::layers;
use crate::manifest::Source;
use crate::output::{Failure, say};
use crate::selection::{Choice, Selection, earlier_report};
use crate::targets::SharedTargets;

/// A run that has been checked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) settings: EffectiveUploadSettings,
    pub(crate) manifest: Source,
    pub(crate) selection: Selection,
    /// How many items the run uploads.
    pub(crate) taken: u64,
    /// How many items are left out because an earlier report lists them as uploaded.
    pub(crate) uploaded: u64,
    pub(crate) journal: Option<JournalFile>,
}

/// The place of the journal.
#[derive(Debug)]
pub(crate) enum JournalFile {
    Given(PathBuf),
    /// In the folder for state.
    Default(PathBuf),
}

impl JournalFile {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Given(path) | Self::Default(path) => path,
        }
    }
}

/// Reads and checks all inputs of a run, and warns of what is unusual.
///
/// # Errors
///
/// An input cannot be used, or an output would overwrite an input.
pub(crate) fn prepare(args: &UploadArgs) -> Result<Job, Failure> {
    refuse_two_from_standard_input(args)?;
    let settings = layers::resolve(&args.settings, env::vars_os())?.settings();
    let outputs = outputs(args)?;
    let retry_from = args.retry_from.as_ref().map(earlier_report).transpose()?;
    let selection = Selection { shard: args.shard, retry_from };
    let (mut taken, mut uploaded, mut index) = (0, 0, 0);
    let (mut targets, mut overwritten) = (SharedTargets::default(), None);
    let observe = |item: &UploadItem| {
        match selection.of(item) {
            Choice::Taken => {
                taken += 1;
                targets.add(index, item);
            }
            Choice::Uploaded => uploaded += 1,
            Choice::OtherShard => {}
        }
        index += 1;
        if overwritten.is_none() {
            overwritten = outputs.over(&item.path).map(|output| (output, item.path.clone()));
        }
    };
    let urls = if args.sign_with.is_some() { Urls::Optional } else { Urls::Required };
    let manifest = Source::read(&args.manifest, urls, observe)?;
    if let Some((output, path)) = overwritten {
        let path = path.display();
        return Err(Failure::usage(format_args!("the {output} would overwrite {path}, a file of the manifest")));
    }
    if manifest.is_empty() {
        say(format_args!("warning: manifest {}: no items", args.manifest));
    }
    for warning in targets.warnings(manifest.items()).map_err(Failure::failed)? {
        say(format_args!("warning: {warning}"));
    }
    let journal = journal(args, &manifest);
    Ok(Job { settings, manifest, selection, taken, uploaded, journal })
}

/// Returns the journal of the flag, else one in the folder for state if the manifest is a file.
fn journal(args: &UploadArgs, manifest: &Source) -> Option<JournalFile> {
    if let Some(path) = &args.journal {
        return Some(JournalFile::Given(path.clone()));
    }
    let folder = folders::state(|name| env::var_os(name)).filter(|_| !args.no_journal)?;
    let shard = args.shard.map(|shard| format!("-{shard}").replace('/', "-of-")).unwrap_or_default();
    let name = format!("upload-{}{shard}.jsonl", manifest.fingerprint()?);
    Some(JournalFile::Default(folder.join(name)))
}

/// Returns the files that the run writes. None of them may overwrite an input.
pub(crate) fn outputs(args: &UploadArgs) -> Result<Outputs, Failure> {
    let mut outputs = Outputs::default();
    if let Some(path) = &args.journal {
        outputs.add("journal", path)?;
        // The new report may replace the earlier one, which has been read by then. A journal may not be the same file, because it
        // is appended to.
        if let Some(Stream::File(earlier)) = &args.retry_from {
            outputs.refuse_input("earlier report", earlier)?;
        }
    }
    if let Some(Stream::File(path)) = &args.report {
        outputs.add("report", path)?;
    }
    if let Stream::File(path) = &args.manifest {
        outputs.refuse_input("manifest", path)?;
    }
    if let Some(path) = layers::file_named(&args.settings, env::vars_os()) {
        outputs.refuse_input("settings file", &path)?;
    }
    for (variable, words) in [("ENCORD_SSH_KEY_FILE", "key file"), ("SSL_CERT_FILE", "file of SSL_CERT_FILE")] {
        if let Some(path) = env::var_os(variable) {
            outputs.refuse_input(words, Path::new(&path))?;
        }
    }
    Ok(outputs)
}

/// Refuses a second input from standard input. Called before anything is read.
pub(crate) fn refuse_two_from_standard_input(args: &UploadArgs) -> Result<(), Failure> {
    let standard = [
        // With paths there is no manifest.
        (args.ingest.paths.is_empty() && args.manifest == Stream::Standard, "manifest"),
        (args.ingest.metadata == Some(Stream::Standard), "metadata"),
        (args.retry_from == Some(Stream::Standard), "earlier report"),
        (layers::read_standard_input(&args.settings, env::vars_os()), "settings file"),
    ];
    let mut standard = standard.into_iter().filter_map(|(is_standard, words)| is_standard.then_some(words));
    match (standard.next(), standard.next()) {
        (Some(first), Some(second)) => {
            Err(Failure::usage(format_args!("{first} and {second} cannot both come from standard input")))
        }
        _ => Ok(()),
    }
}
