//! The file of the state: JSON Lines, one record in each line. The last record of an id counts.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

const NAME: &str = "state.jsonl";
const LOCK: &str = "lock";

#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    file: File,
    /// Locked while the emulator runs.
    lock: File,
}

impl StateFile {
    /// Creates the folder if it is missing, and reads the file. An incomplete last line, which a killed run leaves, is ignored.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Vec<Value>)> {
        fs::create_dir_all(folder)?;
        let lock = File::create(folder.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("another emulator uses it"),
            TryLockError::Error(error) => error,
        })?;
        let path = folder.join(NAME);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        let mut lines = Vec::new();
        for line in BufReader::new(&file).split(b'\n') {
            lines.extend(serde_json::from_slice(&line?).ok());
        }
        Ok((Self { path, file, lock }, lines))
    }

    /// Replaces the file by one with these lines.
    pub(super) fn rewrite(self, lines: &[Value]) -> io::Result<Self> {
        let temporary = self.path.with_extension("tmp");
        let Self { path, lock, .. } = self;
        let mut file = Self { file: File::create(&temporary)?, path, lock };
        file.append(lines)?;
        fs::rename(&temporary, &file.path)?;
        Ok(file)
    }

    /// Appends these lines in one write.
    pub(super) fn append(&mut self, lines: &[Value]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        self.file.write_all(&text)
    }
}
