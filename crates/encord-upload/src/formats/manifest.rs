//! The manifest. The whole manifest is checked before the first item is returned, so that nothing is uploaded if a line is
//! malformed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tempfile::{SpooledData, SpooledTempFile};

use super::FormatError;
use super::line::{self, FileLine, Urls};
use super::record::Record;
use super::text::Lines;
use crate::item::UploadItem;

/// How many bytes of checked items are kept in memory. Longer lists are kept in a temporary file.
const MAX_MEMORY_BYTES: usize = 8 * 1024 * 1024;

/// A manifest whose lines were read and checked once. It has its own copy of the items, in memory or in an unnamed temporary
/// file, so that later changes of the manifest have no effect.
#[derive(Debug)]
pub struct Manifest {
    records: Kept,
    items: u64,
    fingerprint: Sha256,
}

impl FileLine {
    /// Reads a manifest whose lines have no URL, and passes each line to `take`, which can refuse it.
    ///
    /// # Errors
    ///
    /// [`FormatError`]: a line is malformed, has a URL or is refused, or the manifest cannot be read.
    pub fn read_all(reader: impl Read, mut take: impl FnMut(Self) -> Result<(), String>) -> Result<(), FormatError> {
        let mut lines = Lines::new(reader);
        while let Some((number, line)) = lines.next()? {
            line::read_file(&line).and_then(&mut take).map_err(|reason| FormatError::Line { number, reason })?;
        }
        Ok(())
    }
}

/// The items of a [`Manifest`], in order.
pub struct Items {
    records: BufReader<KeptReader>,
    buffer: Vec<u8>,
    left: u64,
}

#[derive(Clone)]
enum Kept {
    Memory(Arc<[u8]>),
    File(Arc<File>),
}

/// A reader with its own position, which begins at the start.
struct KeptReader {
    kept: Kept,
    offset: u64,
}

impl Manifest {
    /// Reads and checks a manifest, and passes each item to `observe`.
    ///
    /// # Errors
    ///
    /// [`FormatError`]: a line is malformed (the first one is named with its number), or the manifest cannot be read or copied.
    pub fn read(reader: impl Read, urls: Urls, mut observe: impl FnMut(&UploadItem)) -> Result<Self, FormatError> {
        let cannot_keep = |source: io::Error| FormatError::Copy { folder: std::env::temp_dir(), source };
        let mut copy = SpooledTempFile::new(MAX_MEMORY_BYTES);
        let (mut lines, mut items, mut fingerprint) = (Lines::new(reader), 0, Sha256::new());
        while let Some((number, line)) = lines.next()? {
            let record = line::read(&line, urls).map_err(|reason| FormatError::Line { number, reason })?;
            record.write(&mut copy).map_err(cannot_keep)?;
            let item = record.into_item();
            fingerprint.update(item.path.as_os_str().as_encoded_bytes());
            fingerprint.update(item.signed_url.as_ref().map_or_else(|| "\0".to_owned(), |url| format!("\0{url}\0")));
            observe(&item);
            items += 1;
        }
        copy.flush().map_err(cannot_keep)?;
        let records = match copy.into_inner() {
            SpooledData::InMemory(copy) => Kept::Memory(copy.into_inner().into()),
            SpooledData::OnDisk(copy) => Kept::File(Arc::new(copy)),
        };
        Ok(Self { records, items, fingerprint })
    }

    /// Returns the number of items.
    pub fn len(&self) -> u64 {
        self.items
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A name for this manifest at `place`: 32 hexadecimal digits that depend on the paths and targets of its items, and not on the
    /// signatures of its URLs.
    pub fn fingerprint(&self, place: &Path) -> String {
        let mut hash = self.fingerprint.clone();
        hash.update(place.as_os_str().as_encoded_bytes());
        let number = hash.finalize().iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        format!("{number:032x}")
    }

    /// Returns the items in order. Each call begins with the first item.
    pub fn items(&self) -> Items {
        let reader = KeptReader { kept: self.records.clone(), offset: 0 };
        Items { records: BufReader::with_capacity(64 * 1024, reader), buffer: Vec::new(), left: self.items }
    }
}

impl Iterator for Items {
    type Item = io::Result<UploadItem>;

    /// Returns the next item. Only a failing disk causes an error; no item follows an error.
    fn next(&mut self) -> Option<io::Result<UploadItem>> {
        let left = self.left.checked_sub(1)?;
        let record = Record::read(&mut self.records, &mut self.buffer);
        self.left = if record.is_ok() { left } else { 0 };
        Some(record.map(Record::into_item))
    }
}

impl Read for KeptReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &self.kept {
            Kept::Memory(bytes) => {
                let mut cursor = Cursor::new(bytes);
                cursor.set_position(self.offset);
                cursor.read(buffer)?
            }
            #[cfg(unix)]
            Kept::File(file) => std::os::unix::fs::FileExt::read_at(&**file, buffer, self.offset)?,
            #[cfg(windows)]
            Kept::File(file) => std::os::windows::fs::FileExt::seek_read(&**file, buffer, self.offset)?,
        };
        self.offset += read as u64;
        Ok(read)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Memory(_) => "in memory",
            Self::File(_) => "in a file",
        })
    }
}

impl std::fmt::Debug for Items {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::ItemKind;

    fn line(path: &str) -> String {
        format!("{{\"path\": \"{path}\", \"signed_url\": \"https://h/{path}\"}}\n")
    }

    fn paths(manifest: &Manifest) -> Vec<String> {
        manifest.items().map(|item| item.expect("readable").path.display().to_string()).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], &str>) {
        let mut observed = Vec::new();
        let read =
            Manifest::read(text.as_bytes(), Urls::Required, |item| observed.push(item.path.display().to_string()));
        match (read, expected) {
            (Ok(manifest), Ok(expected)) => {
                assert_eq!(observed, expected);
                assert_eq!((paths(&manifest), manifest.len()), (observed.clone(), observed.len() as u64));
                assert_eq!(paths(&manifest), observed);
            }
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (read, _) => panic!("{read:?}"),
        }
    }

    #[test]
    fn empty_lines_are_skipped_and_counted() {
        check("", Ok(&[]));
        check(&line("a"), Ok(&["a"]));
        check(&format!("\n  \r\n{}\n{}", line("a"), line("b").trim_end()), Ok(&["a", "b"]));
        check(&format!("{}\r\n", line("a").trim_end()), Ok(&["a"]));
        check(&format!("\n{}\n{{}}\n", line("a")), Err("line 4: `path` is missing"));
    }

    #[test]
    fn the_line_of_a_file_for_a_folder_has_no_url() {
        type Taken<'a> = (&'a str, Option<&'a str>, Option<ItemKind>);

        #[track_caller]
        fn check(text: &str, expected: Result<&[Taken<'_>], &str>) {
            let mut taken = Vec::new();
            let read = FileLine::read_all(text.as_bytes(), |FileLine { path, title, kind }| {
                if path == Path::new("refused") {
                    return Err("refused".to_owned());
                }
                taken.push((path.display().to_string(), title, kind));
                Ok(())
            });
            let taken: Vec<_> = taken.iter().map(|(path, title, kind)| (&**path, title.as_deref(), *kind)).collect();
            match (read, expected) {
                (Ok(()), Ok(expected)) => assert_eq!(taken, expected),
                (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
                (read, _) => panic!("{read:?}"),
            }
        }
        let whole = r#"{"path": "b", "title": "B", "data_type": "video", "signed_url": null, "content_type": null, "headers": {}}"#;
        check(
            &format!("{{\"path\": \"a\"}}\n\n{whole}\n"),
            Ok(&[("a", None, None), ("b", Some("B"), Some(ItemKind::Video))]),
        );
        for (key, value) in
            [("signed_url", "\"https://h/s3cret\""), ("content_type", "\"a/b\""), ("headers", "{\"a\": \"b\"}")]
        {
            let expected =
                format!("line 1: `{key}`: the platform signs the URL of a file for a folder; leave the key out");
            check(&format!("{{\"path\": \"a\", \"{key}\": {value}}}"), Err(&expected));
        }
        check("{\"path\": \"a\"}\n{\"path\": \"refused\"}", Err("line 2: refused"));
        check("{}", Err("line 1: `path` is missing"));
    }

    #[test]
    fn a_long_list_is_kept_in_a_file_and_read_by_several_at_once() {
        let name = |n: usize| format!("{n:01000}");
        let count = MAX_MEMORY_BYTES / 2000 + 10;
        let text: String = (0..count).map(|n| line(&name(n))).collect();
        let manifest = Manifest::read(text.as_bytes(), Urls::Required, |_| {}).expect("well-formed");
        assert!(matches!(manifest.records, Kept::File(_)));
        let (first, second) = (manifest.items(), manifest.items());
        let mut read = 0;
        for (n, (first, second)) in first.zip(second).enumerate() {
            let (first, second) = (first.expect("readable"), second.expect("readable"));
            assert_eq!((first.path.to_str(), second.path), (Some(&*name(n)), first.path.clone()));
            read += 1;
        }
        assert_eq!(read, count);
    }

    #[test]
    fn the_fingerprint_is_that_of_the_items_and_not_of_their_signatures() {
        let read = |text: &str| Manifest::read(text.as_bytes(), Urls::Required, |_| {}).expect("well-formed");
        let here = |text: &str| read(text).fingerprint(Path::new("/here"));
        let manifest = line("a") + &line("b");
        assert_eq!(here(&manifest).len(), 32);
        assert_eq!(here(&manifest), here(&manifest.replace("https://h/a", "https://h/a?X-Signature=new")));
        assert_eq!(here(&manifest), here(&format!("\n{manifest}\n")));
        for other in [line("a"), line("b") + &line("a"), line("ab"), manifest.replace("//h/", "//g/"), String::new()] {
            assert_ne!(here(&manifest), here(&other), "{other}");
        }
        assert_ne!(here(&manifest), read(&manifest).fingerprint(Path::new("/there")));
    }

    #[test]
    fn u9_nothing_shows_a_url() {
        let manifest = Manifest::read(line("s3cret").as_bytes(), Urls::Required, |_| {}).expect("well-formed");
        let shown = format!("{manifest:?} {:?}", manifest.items());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
