//! Writes an object. It is visible only when it is complete.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;

use super::digest::{Digested, Digests};
use super::{Content, Name, ObjectInfo, Objects, Place};

pub(crate) struct Writer {
    objects: Objects,
    name: Name,
    digests: Digests,
    sink: Sink,
}

enum Sink {
    Memory(BytesMut),
    File(Temporary),
    Nowhere,
}

/// A temporary file. It is removed when this is dropped, unless it was renamed to its place.
struct Temporary {
    path: PathBuf,
    file: Option<File>,
    placed: bool,
}

impl Writer {
    pub(super) async fn new(objects: Objects, name: Name) -> io::Result<Self> {
        let sink = match &objects.shared.place {
            Place::Memory => Sink::Memory(BytesMut::new()),
            Place::Discard => Sink::Nowhere,
            Place::Folder(folder) => {
                let path = folder.temporary();
                let file = File::create_new(&path).await?;
                Sink::File(Temporary { path, file: Some(file), placed: false })
            }
        };
        Ok(Self { objects, name, digests: Digests::default(), sink })
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digests.update(bytes);
        match &mut self.sink {
            Sink::Memory(all) => all.extend_from_slice(bytes),
            Sink::Nowhere => {}
            Sink::File(Temporary { file, .. }) => {
                if let Some(file) = file {
                    file.write_all(bytes).await?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn digested(&self) -> Digested {
        self.digests.digested()
    }

    /// Puts the object in its place. It replaces an object of the same name.
    pub(crate) async fn finish(self, content_type: Option<String>, stored_at: SystemTime) -> io::Result<ObjectInfo> {
        let Digested { md5, crc32c, size } = self.digests.digested();
        let Self { objects, name, sink, .. } = self;
        let Name { bucket, key } = name.clone();
        let info = ObjectInfo { bucket, key, size, md5, crc32c, content_type, stored_at };
        let content = match sink {
            Sink::Nowhere => Content::Discarded,
            Sink::Memory(bytes) => Content::Memory(Bytes::from(bytes)),
            Sink::File(mut temporary) => {
                // Its writes continue in the background.
                if let Some(mut file) = temporary.file.take() {
                    file.flush().await?;
                }
                return spawn_blocking(move || objects.keep(temporary, name, info)).await.map_err(io::Error::other)?;
            }
        };
        objects.index().insert(name, (info.clone(), content));
        Ok(info)
    }
}

impl Objects {
    fn keep(&self, mut temporary: Temporary, name: Name, info: ObjectInfo) -> io::Result<ObjectInfo> {
        let Place::Folder(folder) = &self.shared.place else { return Ok(info) };
        let mut index = self.index();
        folder.keep(&temporary.path, &name, &info)?;
        temporary.placed = true;
        index.insert(name, (info.clone(), Content::Folder));
        Ok(info)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            // A failure is ignored; the next store removes the file.
            drop(std::fs::remove_file(&self.path));
        }
    }
}
