//! Objects as files.
//!
//! The bytes of an object are in `BUCKET/NAME`. The name is percent-encoded, so that every name can be stored and no name leads
//! out of the folder. The metadata is in `.meta/BUCKET/NAME`. Both files are written in `.tmp` and renamed when they are
//! complete. The metadata is valid while it states the size and time of the file; otherwise the file is hashed again.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::digest::{Digested, Digests};
use super::{Name, ObjectInfo};
use crate::route::is_bucket;
use crate::sign::{decode, encode, hex, unhex};

/// Longer names are split into folders and a file, because file systems allow at most 255 bytes in a name.
const MAX_PIECE_BYTES: usize = 200;

#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    temporary: AtomicU64,
}

impl Folder {
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join(".meta"))?;
        let temporary = root.join(".tmp");
        fs::create_dir_all(&temporary)?;
        clear(&temporary)?;
        Ok(Self { root, temporary: AtomicU64::new(0) })
    }

    /// Returns a path for a new temporary file.
    pub(super) fn temporary(&self) -> PathBuf {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        self.root.join(".tmp").join(format!("{}-{number}", process::id()))
    }

    pub(super) fn read(&self, name: &Name) -> io::Result<File> {
        File::open(self.path(name))
    }

    /// Renames a complete temporary file to its place.
    pub(super) fn keep(&self, temporary: &Path, name: &Name, info: &ObjectInfo) -> io::Result<()> {
        let meta = self.temporary();
        fs::write(&meta, write_meta(info, modified(temporary)?))?;
        rename(&meta, &self.meta_path(name))?;
        rename(temporary, &self.path(name))
    }

    pub(super) fn remove(&self, name: &Name) -> io::Result<()> {
        fs::remove_file(self.path(name))?;
        match fs::remove_file(self.meta_path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns all objects. Files whose names this store would not write are ignored.
    pub(super) fn scan(&self) -> io::Result<Vec<(Name, ObjectInfo)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let Ok(bucket) = entry.file_name().into_string() else { continue };
            if is_bucket(&bucket) && entry.file_type()?.is_dir() {
                self.scan_bucket(&bucket, &mut found)?;
            }
        }
        Ok(found)
    }

    fn scan_bucket(&self, bucket: &str, found: &mut Vec<(Name, ObjectInfo)>) -> io::Result<()> {
        let mut folders = vec![(self.root.join(bucket), String::new())];
        while let Some((folder, before)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let Ok(piece) = entry.file_name().into_string() else { continue };
                let kind = entry.file_type()?;
                if let Some(piece) = piece.strip_suffix('+').filter(|_| kind.is_dir()) {
                    folders.push((entry.path(), format!("{before}{piece}")));
                } else if kind.is_file()
                    && let Ok(key) = String::from_utf8(decode(&format!("{before}{piece}")).into_owned())
                {
                    let name = Name { bucket: bucket.to_owned(), key };
                    if self.path(&name) == entry.path() {
                        let info = self.info(&name)?;
                        found.push((name, info));
                    }
                }
            }
        }
        Ok(())
    }

    fn info(&self, name: &Name) -> io::Result<ObjectInfo> {
        let path = self.path(name);
        let at = modified(&path)?;
        let size = fs::metadata(&path)?.len();
        let noted = fs::read_to_string(self.meta_path(name)).ok();
        if let Some(info) = noted.and_then(|text| read_meta(&text, name, at)).filter(|info| info.size == size) {
            return Ok(info);
        }
        let Digested { md5, crc32c, size } = hash(File::open(path)?)?;
        let Name { bucket, key } = name.clone();
        Ok(ObjectInfo { bucket, key, size, md5, crc32c, content_type: None, stored_at: at })
    }

    fn path(&self, name: &Name) -> PathBuf {
        below(self.root.join(&name.bucket), &name.key)
    }

    fn meta_path(&self, name: &Name) -> PathBuf {
        below(self.root.join(".meta").join(&name.bucket), &name.key)
    }
}

/// Removes unfinished files of an earlier store. Other files in the folder stay.
fn clear(temporary: &Path) -> io::Result<()> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    for entry in fs::read_dir(temporary)? {
        let entry = entry?;
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('-'));
        if parts.is_some_and(|(process, number)| is_number(process) && is_number(number)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn below(mut path: PathBuf, key: &str) -> PathBuf {
    let mut file = encode(key.as_bytes()).into_owned();
    if file.starts_with('.') {
        file.replace_range(..1, "%2E");
    }
    let mut rest = file.as_str();
    while rest.len() > MAX_PIECE_BYTES {
        // The encoded name is ASCII.
        let (piece, after) = rest.split_at(MAX_PIECE_BYTES);
        path.push(format!("{piece}+"));
        rest = after;
    }
    path.push(rest);
    path
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::rename(from, to)
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

fn hash(mut file: File) -> io::Result<Digested> {
    let mut digests = Digests::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        digests.update(bytes);
    }
    Ok(digests.digested())
}

/// Writes one line per fact: name, blank, value.
fn write_meta(info: &ObjectInfo, file_modified: SystemTime) -> String {
    let ObjectInfo { bucket: _, key: _, size, md5, crc32c, content_type, stored_at } = info;
    let (file, stored) = (nanos(file_modified), nanos(*stored_at));
    let mut text = format!("size {size}\nmd5 {}\ncrc32c {crc32c:08x}\nfile {file}\nstored {stored}\n", hex(md5));
    if let Some(content_type) = content_type {
        text.push_str("type ");
        text.push_str(content_type);
        text.push('\n');
    }
    text
}

/// Reads the metadata. `None` if the text is damaged or about another file.
fn read_meta(text: &str, Name { bucket, key }: &Name, file_modified: SystemTime) -> Option<ObjectInfo> {
    let fact = |name: &str| text.lines().find_map(|line| line.split_once(' ').filter(|(given, _)| *given == name));
    let fact = |name: &str| fact(name).map(|(_, value)| value);
    if fact("file")?.parse() != Ok(nanos(file_modified)) {
        return None;
    }
    Some(ObjectInfo {
        bucket: bucket.clone(),
        key: key.clone(),
        size: fact("size")?.parse().ok()?,
        md5: unhex(fact("md5")?.as_bytes())?.try_into().ok()?,
        crc32c: u32::from_str_radix(fact("crc32c")?, 16).ok()?,
        content_type: fact("type").map(str::to_owned),
        stored_at: SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(fact("stored")?.parse().ok()?))?,
    })
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
