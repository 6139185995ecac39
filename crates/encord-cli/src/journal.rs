//! The journal of a run.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use encord_upload::Journal;

use crate::output::{Failure, note};
use crate::report::{could_be_made, folder};

/// Opens a journal, or makes one, and says what is wrong with it.
pub(crate) fn open(path: &Path) -> Result<Journal, Failure> {
    let journal = Journal::open(path).map_err(Failure::usage)?;
    warn_of_unreadable(path, &journal);
    Ok(journal)
}

/// Reads the journal, if there is one, and changes nothing.
///
/// # Errors
///
/// It cannot be read, or none could be made.
pub(crate) fn read(path: &Path) -> Result<Option<Journal>, Failure> {
    let unusable = |error: io::Error| Failure::usage(format_args!("journal {}: {error}", path.display()));
    match OpenOptions::new().append(true).open(path) {
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
        note(format_args!("warning: journal {path}: {lines} unreadable lines, whose items are uploaded again"));
    }
}
