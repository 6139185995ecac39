//! The stored objects: in memory, in a folder, or only their sizes and hashes.

mod digest;
mod folder;
mod writer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
pub(crate) use digest::Claims;
use folder::Folder;
pub(crate) use writer::Writer;

use crate::route::Name;
use crate::sign::hex;

/// Where objects are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// Keeps objects in memory, until the store ends.
    #[default]
    Memory,
    /// Keeps objects in this folder, which is created if it is missing. A file appears when it is complete. A store that is
    /// started later finds the objects again. Only one store at a time may use a folder.
    Folder(PathBuf),
    /// Keeps only sizes and hashes, so that uploads of any size can be checked. A `GET` of such an object is answered with 500.
    Discard,
}

/// The facts about a stored object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// The bucket.
    pub bucket: String,
    /// The name of the object in its bucket.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The MD5 of the stored bytes.
    pub md5: [u8; 16],
    /// The CRC-32C of the stored bytes, as in RFC 3720.
    pub crc32c: u32,
    /// The `Content-Type` of the upload.
    pub content_type: Option<String>,
    /// When it was stored.
    pub stored_at: SystemTime,
}

impl ObjectInfo {
    /// The entity tag: the MD5 in hexadecimal, in quotes.
    pub fn etag(&self) -> String {
        format!("\"{}\"", hex(&self.md5))
    }

    /// The value of `x-goog-hash`: `crc32c=…,md5=…`, both in base64, the CRC in network byte order.
    pub fn goog_hash(&self) -> String {
        format!("crc32c={},md5={}", STANDARD.encode(self.crc32c.to_be_bytes()), STANDARD.encode(self.md5))
    }
}

/// The bytes of an object.
#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    Folder,
    Discarded,
}

/// The bytes of an object, ready to be read.
#[derive(Debug)]
pub(crate) enum Reader {
    Memory(Bytes),
    File(File),
}

/// All objects. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    place: Place,
    index: Mutex<Index>,
}

type Index = BTreeMap<Name, (ObjectInfo, Content)>;

#[derive(Debug)]
enum Place {
    Memory,
    Folder(Folder),
    Discard,
}

impl Objects {
    /// Opens the storage, and finds the objects that it already has. Blocks.
    pub(crate) fn open(storage: Storage) -> io::Result<Self> {
        let mut index = Index::new();
        let place = match storage {
            Storage::Memory => Place::Memory,
            Storage::Discard => Place::Discard,
            Storage::Folder(path) => {
                let folder = Folder::open(path)?;
                for (name, info) in folder.scan()? {
                    index.insert(name, (info, Content::Folder));
                }
                Place::Folder(folder)
            }
        };
        Ok(Self { shared: Arc::new(Shared { place, index: Mutex::new(index) }) })
    }

    pub(crate) async fn writer(&self, name: Name) -> io::Result<Writer> {
        Writer::new(self.clone(), name).await
    }

    pub(crate) fn info(&self, name: &Name) -> Option<ObjectInfo> {
        self.index().get(name).map(|(info, _)| info.clone())
    }

    /// Returns the object as it is now, even if it is replaced later. Blocks while a file is opened.
    pub(crate) fn read(&self, name: &Name) -> io::Result<Option<(ObjectInfo, Reader)>> {
        let index = self.index();
        let Some((info, content)) = index.get(name) else { return Ok(None) };
        let reader = match (content, &self.shared.place) {
            (Content::Memory(bytes), _) => Reader::Memory(bytes.clone()),
            (Content::Folder, Place::Folder(folder)) => Reader::File(folder.read(name)?),
            _ => return Err(io::Error::other("the bytes of the object were discarded")),
        };
        Ok(Some((info.clone(), reader)))
    }

    /// Removes an object, and returns whether it existed. Blocks while a file is removed.
    pub(crate) fn delete(&self, name: &Name) -> io::Result<bool> {
        let mut index = self.index();
        if index.contains_key(name)
            && let Place::Folder(folder) = &self.shared.place
        {
            folder.remove(name)?;
        }
        Ok(index.remove(name).is_some())
    }

    /// Returns all objects in the order of their buckets and names.
    pub(crate) fn all(&self) -> Vec<ObjectInfo> {
        self.index().values().map(|(info, _)| info.clone()).collect()
    }

    /// Returns the objects of a bucket whose names begin with `prefix` and come after `after`, in the order of their names.
    pub(crate) fn list(&self, bucket: &str, prefix: &str, after: &str, max_keys: usize) -> Vec<ObjectInfo> {
        let index = self.index();
        let from = Name { bucket: bucket.to_owned(), key: prefix.max(after).to_owned() };
        let names = index.range(from..).take_while(|(name, _)| name.bucket == bucket && name.key.starts_with(prefix));
        let names = names.filter(|(name, _)| after.is_empty() || name.key.as_str() > after);
        names.take(max_keys).map(|(_, (info, _))| info.clone()).collect()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.shared.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
