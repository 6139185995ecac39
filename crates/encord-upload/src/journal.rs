//! The journal: a list of uploaded items, so that a later run does not upload them again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use encord_http::{FileState, Sent, SignedUrl};
#[cfg(unix)]
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Mutex as Turn;
use tokio::task::spawn_blocking;

use crate::item::UploadItem;

/// The first line of every journal.
const HEADER: &str = r#"{"journal":"encord-upload","version":1}"#;

/// A longer line was not written by a journal, because no path is that long.
const MAX_LINE_BYTES: u64 = 256 * 1024;

/// The list of uploaded items, in a file of JSON Lines that is only appended to.
///
/// A line is written as soon as the server has acknowledged an item, and before the item is reported. So after a kill only the
/// items under way are uploaded again. An item is done if a line has its path, its size, its time of modification, its target
/// (host and path of the URL) and, on Unix, its time of change. For an item without a URL the target is not compared, so use a
/// journal for one destination only. A file that has changed is uploaded again. A path that is not UTF-8 is never written, so its
/// file is always uploaded again. Of a URL only host and path are written (rule U9).
///
/// The file is locked while it is open, if the file system has locks, unless it is opened by [`read_only`](Self::read_only). A
/// last line that was cut off is removed, and a line that cannot be read is skipped; its item is uploaded again. A written line
/// survives a crash of the process at once, and a loss of power only after [`finish`](Self::finish).
///
/// Clones share the file. It takes 32 bytes of memory for each line that the file had when it was opened.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    done: Done,
    turn: Turn<()>,
    /// `None` if the journal is only read.
    writer: Option<Mutex<Writer>>,
}

/// The sorted hashes of the items that are done.
#[derive(Debug, Default)]
struct Done {
    items: Vec<u128>,
    /// The hashes without the target.
    files: Vec<u128>,
    unreadable: u64,
}

#[derive(Debug)]
struct Writer {
    file: File,
    /// The offset of the end of the last complete line.
    end: u64,
    line: Vec<u8>,
    failed: Option<Arc<io::Error>>,
}

/// The facts by which a journal identifies an item.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    path: String,
    size: u64,
    /// Nanoseconds since 1970, negative before.
    mtime_ns: i128,
    /// When the file was last changed in any way, in the same unit. Lines of earlier versions do not have it. The inode is not
    /// written, because a copy and, on some file systems, the next mount change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ctime_ns: Option<i128>,
    target: String,
}

/// Why a journal cannot be used.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It is already open.
    #[error("journal {}: already open, here or in another process", .0.display())]
    Locked(PathBuf),
    /// The file exists, but is not a journal.
    #[error("journal {}: the file is not a journal of uploads; it is left as it is", .0.display())]
    NotAJournal(PathBuf),
    /// It was written by a later version of this program.
    #[error("journal {}: written by a later version of this program", .0.display())]
    Version(PathBuf),
    /// It cannot be read or written.
    #[error("journal {}: {source}", .path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// The reason.
        source: Arc<io::Error>,
    },
}

impl Journal {
    /// Opens a journal, or makes a new one, and reads which items are done.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: the file is in use, is not a journal, or cannot be read or written.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let failed = |source: io::Error| JournalError::Io { path: path.clone(), source: Arc::new(source) };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked(path)),
            Err(TryLockError::Error(error)) if !has_no_locks(&error) => return Err(failed(error)),
            Err(TryLockError::Error(error)) => {
                let journal = path.display();
                tracing::warn!(%journal, %error, "the journal cannot be locked; nothing else may write to it meanwhile");
            }
            Ok(()) => {}
        }
        let (done, end) = read(&mut file).map_err(failed)?.of(&path)?;
        // Removes a line that was cut off; the next line would otherwise be appended to it.
        file.set_len(end).map_err(failed)?;
        let mut writer = Writer { file, end, line: Vec::new(), failed: None };
        if end == 0 {
            writer.append(|line| line.extend_from_slice(HEADER.as_bytes())).map_err(failed)?;
        }
        Ok(Self { shared: Arc::new(Shared { path, done, turn: Turn::default(), writer: Some(Mutex::new(writer)) }) })
    }

    /// Reads which items are done, and does not change the file. The file is not locked, another process may write it, and
    /// uploads with this journal are not recorded.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: the file does not exist, is not a journal, or cannot be read.
    pub fn read_only(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let path = path.into();
        let failed = |source: io::Error| JournalError::Io { path: path.clone(), source: Arc::new(source) };
        let content = File::open(&path).and_then(|mut file| read(&mut file)).map_err(failed)?;
        let (done, _) = content.of(&path)?;
        Ok(Self { shared: Arc::new(Shared { path, done, turn: Turn::default(), writer: None }) })
    }

    /// Returns how many lines the file had when it was opened.
    pub fn len(&self) -> usize {
        self.shared.done.items.len()
    }

    /// Whether the file had no lines when it was opened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many lines could not be read when the file was opened. Their items are uploaded again.
    pub fn unreadable(&self) -> u64 {
        self.shared.done.unreadable
    }

    /// Whether the journal lists this item as uploaded and the file has not changed since. Returns `false` if the file's metadata
    /// cannot be read.
    pub fn contains(&self, item: &UploadItem) -> bool {
        let Ok(file) = item.path.metadata() else { return false };
        let line = Line::new(&item.path, &FileState::of(&file), item.signed_url.as_ref());
        line.is_some_and(|line| self.has(&line))
    }

    /// Flushes all lines to the disk.
    ///
    /// # Errors
    ///
    /// [`JournalError::Io`] if this fails, or if a line could not be written earlier. The item of such a line was uploaded, and a
    /// later run uploads it again.
    pub fn finish(&self) -> Result<(), JournalError> {
        let Some(writer) = &self.shared.writer else { return Ok(()) };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let synced = writer.file.sync_data().map_err(Arc::new);
        let result = writer.failed.take().map_or(synced, Err);
        result.map_err(|source| JournalError::Io { path: self.shared.path.clone(), source })
    }

    /// Does the same as [`contains`](Self::contains), without blocking a thread of the runtime.
    pub(crate) async fn has_item(&self, item: &UploadItem) -> bool {
        if self.is_empty() {
            return false;
        }
        let path = item.path.clone();
        let Ok(Ok(file)) = spawn_blocking(move || path.metadata()).await else { return false };
        let line = Line::new(&item.path, &FileState::of(&file), item.signed_url.as_ref());
        line.is_some_and(|line| self.has(&line))
    }

    /// Keeps other tasks from writing a line until the guard is dropped.
    #[cfg(test)]
    pub(crate) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.turn.lock().await
    }

    /// Records that a file was sent to a URL, without blocking a thread of the runtime.
    pub(crate) async fn record(&self, path: &Path, sent: &Sent, url: &SignedUrl) {
        let Some(mut file) = sent.file else { return };
        // A file may hold more bytes than the file system states.
        file.length = sent.length;
        let Some(line) = Line::new(path, &file, Some(url)) else { return };
        let journal = self.clone();
        // One thread is enough: lines are written one after the other.
        let _turn = self.shared.turn.lock().await;
        let _ = spawn_blocking(move || journal.write(&line)).await;
    }

    /// Whether an item is done. If `line` has no target, a line with any target counts.
    fn has(&self, line: &Line) -> bool {
        let Done { items, files, unreadable: _ } = &self.shared.done;
        [line, &line.without_ctime()].into_iter().any(|line| {
            let anywhere = line.target.is_empty();
            let (done, key) = if anywhere { (files, line.file_key()) } else { (items, line.item_key()) };
            done.binary_search(&key).is_ok()
        })
    }

    /// Records an item as done. The first failure is kept for [`finish`](Self::finish); the upload continues.
    fn write(&self, line: &Line) {
        let Some(writer) = &self.shared.writer else { return };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Serialising a map of strings and numbers cannot fail.
        let written = writer.append(|bytes| drop(serde_json::to_writer(bytes, line)));
        if let Err(error) = written {
            if writer.failed.is_none() {
                tracing::error!(journal = %self.shared.path.display(), %error, "cannot write the journal");
            }
            writer.failed.get_or_insert(Arc::new(error));
        }
    }
}

impl Writer {
    /// Appends a complete line, or nothing.
    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.line.clear();
        write(&mut self.line);
        self.line.push(b'\n');
        let written = self.file.write_all(&self.line);
        match written {
            Ok(()) => self.end += self.line.len() as u64,
            Err(_) => self.file.set_len(self.end)?,
        }
        written
    }
}

impl Line {
    /// Makes a line, if the file's time of modification is known and its path is UTF-8.
    pub(crate) fn new(path: &Path, file: &FileState, target: Option<&SignedUrl>) -> Option<Self> {
        Some(Self {
            path: path.to_str()?.to_owned(),
            size: file.length,
            mtime_ns: nanoseconds(file.modified?)?,
            ctime_ns: file.changed.and_then(nanoseconds),
            target: target.map(ToString::to_string).unwrap_or_default(),
        })
    }

    fn file_key(&self) -> u128 {
        self.key(&[])
    }

    fn item_key(&self) -> u128 {
        self.key(&[self.target.as_bytes()])
    }

    fn key(&self, target: &[&[u8]]) -> u128 {
        let (size, mtime_ns) = (self.size.to_be_bytes(), self.mtime_ns.to_be_bytes());
        let ctime_ns = self.ctime_ns.map(i128::to_be_bytes);
        let ctime_ns = ctime_ns.as_ref().map_or(&[][..], |bytes| bytes);
        key(&[&[self.path.as_bytes(), &size, &mtime_ns, ctime_ns], target].concat())
    }

    /// Returns the line as an earlier version would have written it.
    fn without_ctime(&self) -> Self {
        let (path, target) = (self.path.clone(), self.target.clone());
        Self { path, target, ctime_ns: None, ..*self }
    }
}

/// Nanoseconds since 1970, negative before.
fn nanoseconds(time: SystemTime) -> Option<i128> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).ok(),
        Err(before) => i128::try_from(before.duration().as_nanos()).ok().map(|nanoseconds| -nanoseconds),
    }
}

/// Returns a key that is long enough that two items never have the same.
fn key(parts: &[&[u8]]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
}

/// Whether a lock failed because the file system has no locks, as some network file systems.
fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if let Some(errno) = Errno::from_io_error(error) {
        return [Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOLCK].contains(&errno);
    }
    error.kind() == io::ErrorKind::Unsupported
}

/// The content of a file that was opened as a journal.
enum Content {
    /// The items that are done, and the offset of the end of the last complete line.
    Journal(Done, u64),
    LaterVersion,
    Other,
}

impl Content {
    /// Returns the items that are done and the offset of the end of the last complete line, if the file is a journal.
    fn of(self, path: &Path) -> Result<(Done, u64), JournalError> {
        match self {
            Self::Journal(done, end) => Ok((done, end)),
            Self::LaterVersion => Err(JournalError::Version(path.to_owned())),
            Self::Other => Err(JournalError::NotAJournal(path.to_owned())),
        }
    }
}

fn read(file: &mut File) -> io::Result<Content> {
    #[derive(Deserialize)]
    struct Header {
        journal: String,
        version: u64,
    }

    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut line = Vec::new();
    reader.by_ref().take(1024).read_until(b'\n', &mut line)?;
    if line != [HEADER.as_bytes(), b"\n"].concat() {
        return Ok(match serde_json::from_slice::<Header>(&line) {
            Ok(header) if header.journal == "encord-upload" && header.version > 1 => Content::LaterVersion,
            // The file is empty, or was cut off in its first line.
            _ if HEADER.as_bytes().starts_with(&line) => Content::Journal(Done::default(), 0),
            _ => Content::Other,
        });
    }
    let mut done = Done::default();
    let mut end = line.len() as u64;
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? as u64;
        if line.last() != Some(&b'\n') {
            let Some(rest) = skip_line(&mut reader)? else { break };
            end += read + rest;
            done.unreadable += 1;
            continue;
        }
        end += read;
        match serde_json::from_slice::<Line>(&line) {
            Ok(line) => {
                done.items.push(line.item_key());
                done.files.push(line.file_key());
            }
            Err(_) => done.unreadable += 1,
        }
    }
    done.items.sort_unstable();
    done.files.sort_unstable();
    Ok(Content::Journal(done, end))
}

/// Skips the rest of a line, and returns its length; `None` if the line has no end.
fn skip_line(reader: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let length = end.unwrap_or(buffer.len());
        reader.consume(length);
        skipped += length as u64;
        if end.is_some() {
            return Ok(Some(skipped));
        }
    }
}

#[cfg(test)]
mod tests;
