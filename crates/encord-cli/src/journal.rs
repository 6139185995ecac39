//! The journal of a run.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

use encord_upload::{Journal, JournalError};

use crate::job::JournalFile;
use crate::output::{Failure, say};
use crate::report::{could_be_made, folder};

/// Opens the journal, or makes one. Says where a default journal is. If a default journal cannot be made, the upload runs without
/// one.
///
/// # Errors
///
/// The journal cannot be used.
pub(crate) fn open(file: &JournalFile) -> Result<Option<Journal>, Failure> {
    let path = file.path();
    let journal = match file {
        JournalFile::Given(_) => Journal::open(path).map_err(Failure::usage)?,
        JournalFile::Default(_) => {
            let made = make_folder(folder(path)).map_err(|error| format!("{}: {error}", folder(path).display()));
            let opened = made.and_then(|()| match Journal::open(path) {
                Err(error @ JournalError::Io { .. }) => Err(error.to_string()),
                opened => Ok(opened),
            });
            let opened = match opened {
                Ok(opened) => opened,
                Err(problem) => {
                    say(format_args!("warning: no journal is kept, so a run that is killed begins anew: {problem}"));
                    return Ok(None);
                }
            };
            let journal = opened.map_err(|error| {
                Failure::usage(error).with_hint("this journal is kept by default; --no-journal uploads without one")
            })?;
            let (path, done) = (path.display(), journal.len());
            let resumed = if done == 0 {
                String::new()
            } else {
                format!(", {done} uploaded before; --no-journal uploads all again")
            };
            say(format_args!("journal: {path}{resumed}"));
            journal
        }
    };
    warn_of_unreadable(path, &journal);
    Ok(Some(journal))
}

/// Reads the journal, if there is one, without changing it.
///
/// # Errors
///
/// The journal cannot be read, or could not be made.
pub(crate) fn read(file: &JournalFile) -> Result<Option<Journal>, Failure> {
    let path = file.path();
    let unusable = |error: io::Error| Failure::usage(format_args!("journal {}: {error}", path.display()));
    match OpenOptions::new().append(true).open(path) {
        Err(_) if matches!(file, JournalFile::Default(_)) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound && could_be_made(path) => {
            tempfile::tempfile_in(folder(path)).map_err(unusable)?;
            return Ok(None);
        }
        opened => opened.map_err(unusable)?,
    };
    let journal = Journal::read_only(path).map_err(Failure::usage)?;
    warn_of_unreadable(path, &journal);
    Ok(Some(journal))
}

fn warn_of_unreadable(path: &Path, journal: &Journal) {
    if journal.unreadable() > 0 {
        let (path, lines) = (path.display(), journal.unreadable());
        say(format_args!("warning: journal {path}: {lines} unreadable lines, whose items are uploaded again"));
    }
}

/// Makes a folder that only the user can read, because a journal has paths of files and names of objects.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
