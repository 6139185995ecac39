//! The ledger: what has been done, in a file that is only ever appended to (rule C2).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use crate::record::Record;
use crate::replay::{Header, Replay, VERSION};

/// No line is longer: a job of as many units as there can be takes less.
const MAX_LINE_BYTES: u64 = 64 * 1024 * 1024;

/// What each ledger begins with.
const START: &[u8] = br#"{"ledger":"encord-ingest""#;

/// The ledger of a run, open and locked.
///
/// Records survive the end of the process at once, and a loss of power from [`sync`](Self::sync) on. Only its owner can read the
/// file. A last line that was cut off is dropped; any other line that cannot be read makes the ledger unusable, since what it said
/// might be done twice.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    /// Where the last whole line ends.
    end: u64,
    lines: Vec<u8>,
}

/// Why a ledger cannot be used.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another run has it open.
    #[error("ledger {}: another run is using it", .0.display())]
    Locked(PathBuf),
    /// The file is there, and is something else.
    #[error("ledger {}: the file is not a ledger; it is left as it is", .0.display())]
    NotALedger(PathBuf),
    /// It was written by a later version of this program.
    #[error("ledger {}: written by a later version of this program", .0.display())]
    Version(PathBuf),
    /// It is for another folder or dataset, or another platform.
    #[error("ledger {}: it is for {of}, and not for {wanted}", .path.display())]
    OfAnother {
        /// The ledger.
        path: PathBuf,
        /// What it is for.
        of: String,
        /// What it should be for.
        wanted: String,
    },
    /// A line cannot be read, or does not follow from those before it.
    #[error("ledger {}, line {line}: {reason}; nothing is sent, because it could double what was done before", .path.display())]
    Line {
        /// The ledger.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be read or written.
    #[error("ledger {}: {source}", .path.display())]
    Io {
        /// The ledger.
        path: PathBuf,
        /// The reason.
        source: Arc<io::Error>,
    },
}

impl Ledger {
    /// Opens a ledger, or makes a new one, and reads what is done.
    ///
    /// # Errors
    ///
    /// [`LedgerError`].
    pub fn open(path: impl Into<PathBuf>, header: &Header) -> Result<(Self, Replay), LedgerError> {
        let path = path.into();
        let failed = |source: io::Error| LedgerError::Io { path: path.clone(), source: Arc::new(source) };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Locked(path)),
            // Some file systems of a network have no locks.
            Err(TryLockError::Error(error)) => {
                let ledger = path.display();
                tracing::warn!(%ledger, %error, "the ledger cannot be locked; no other run may use it meanwhile");
            }
        }
        let (replay, end) = read(&mut file, &path, header)?;
        // What was cut off would run into the next line.
        file.set_len(end).map_err(failed)?;
        let mut ledger = Self { path: path.clone(), file, end, lines: Vec::new() };
        if end == 0 {
            // Text and ids can be written as JSON.
            drop(serde_json::to_writer(&mut ledger.lines, header));
            ledger.lines.push(b'\n');
            ledger.write().map_err(failed)?;
            ledger.file.sync_all().and_then(|()| sync_folder(&path)).map_err(failed)?;
        }
        Ok((ledger, replay))
    }

    /// Reads what is done, and leaves the file as it is; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`LedgerError`].
    pub fn read(path: &Path, header: &Header) -> Result<Option<Replay>, LedgerError> {
        match File::open(path) {
            Ok(mut file) => read(&mut file, path, header).map(|(replay, _)| Some(replay)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LedgerError::Io { path: path.to_owned(), source: Arc::new(error) }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends records, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Io`]. The run must not go on.
    pub fn append(&mut self, records: &[Record]) -> Result<(), LedgerError> {
        for record in records {
            record.write(&mut self.lines);
        }
        self.write().map_err(|source| LedgerError::Io { path: self.path.clone(), source: Arc::new(source) })
    }

    /// Waits until everything is on disk.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Io`]. The run must not go on.
    pub fn sync(&mut self) -> Result<(), LedgerError> {
        let synced = self.file.sync_data();
        synced.map_err(|source| LedgerError::Io { path: self.path.clone(), source: Arc::new(source) })
    }

    fn write(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.lines);
        match written {
            Ok(()) => self.end += self.lines.len() as u64,
            Err(_) => self.file.set_len(self.end)?,
        }
        self.lines.clear();
        written
    }
}

/// What is done, and where the last whole line ends.
fn read(file: &mut File, path: &Path, header: &Header) -> Result<(Replay, u64), LedgerError> {
    let failed = |source: io::Error| LedgerError::Io { path: path.to_owned(), source: Arc::new(source) };
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let (mut line, mut number, mut end) = (Vec::new(), 0, 0);
    let mut replay = Replay::default();
    loop {
        line.clear();
        let length = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(failed)?;
        number += 1;
        if line.last() != Some(&b'\n') {
            // Cut off. Of something that is no ledger nothing is dropped.
            let is_ours = number > 1 || START.starts_with(&line[..line.len().min(START.len())]);
            return if is_ours { Ok((replay, end)) } else { Err(LedgerError::NotALedger(path.to_owned())) };
        }
        line.pop();
        if number == 1 {
            check_header(&line, path, header)?;
        } else {
            let bad = |error: crate::replay::BadLine| error.to_string();
            replay.line(&line).map_err(bad).map_err(|reason| LedgerError::Line {
                path: path.to_owned(),
                line: number,
                reason,
            })?;
        }
        end += length as u64;
    }
}

fn check_header(line: &[u8], path: &Path, wanted: &Header) -> Result<(), LedgerError> {
    /// What all versions have.
    #[derive(Deserialize)]
    struct Known {
        ledger: String,
        version: u32,
    }
    match serde_json::from_slice::<Known>(line) {
        Ok(Known { ledger, version }) if ledger == wanted.ledger && version > VERSION => {
            return Err(LedgerError::Version(path.to_owned()));
        }
        Ok(Known { ledger, .. }) if ledger == wanted.ledger => {}
        _ => return Err(LedgerError::NotALedger(path.to_owned())),
    }
    match serde_json::from_slice::<Header>(line) {
        Ok(of) if of == *wanted => Ok(()),
        Ok(of) => Err(LedgerError::OfAnother { path: path.to_owned(), of: purpose(&of), wanted: purpose(wanted) }),
        Err(error) => Err(LedgerError::Line { path: path.to_owned(), line: 1, reason: error.to_string() }),
    }
}

fn purpose(Header { domain, folder, dataset, .. }: &Header) -> String {
    match dataset {
        Some(dataset) => format!("folder {folder} and dataset {dataset} of {domain}"),
        None => format!("folder {folder} of {domain}"),
    }
}

/// A new file is in its folder only once the folder is on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
