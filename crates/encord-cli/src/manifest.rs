//! The manifest: JSON Lines, read twice. The first time finds whatever is malformed before anything is sent; the second
//! time gives the items as they are needed, so that memory does not follow the length of the manifest.

mod json;
mod line;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::vec;

use encord_upload::UploadItem;

use crate::args::Stream;
use crate::output::Failure;

/// A manifest whose every line is well-formed.
#[derive(Debug)]
pub(crate) struct Manifest {
    name: String,
    source: Source,
    length: u64,
}

/// The items of a [`Manifest`]. Ends early when the file is not what it was; see [`Items::finish`].
pub(crate) struct Items {
    name: String,
    source: ItemSource,
    remaining: u64,
    problem: Option<String>,
}

#[derive(Debug)]
enum Source {
    /// Can be read again.
    File(File),
    /// Could be read only once.
    Memory(Vec<UploadItem>),
}

enum ItemSource {
    File(Lines<File>),
    Memory(vec::IntoIter<UploadItem>),
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a line is malformed: the first one, with its number.
    pub(crate) fn read(stream: &Stream) -> Result<Self, Failure> {
        let name = stream.to_string();
        let unreadable = |error: io::Error| Failure::usage(format_args!("manifest {name}: {error}"));
        let (source, length) = match stream {
            Stream::Standard => in_memory(io::stdin().lock()),
            Stream::File(path) => {
                let file = File::open(path).map_err(unreadable)?;
                if file.metadata().map_err(unreadable)?.is_file() { twice(file) } else { in_memory(file) }
            }
        }
        .map_err(|error| Failure::usage(format_args!("manifest {name}{error}")))?;
        Ok(Self { name, source, length })
    }

    /// How many items it has.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The items, in order.
    pub(crate) fn into_items(self) -> Items {
        let Self { name, source, length } = self;
        let source = match source {
            Source::File(file) => ItemSource::File(Lines::new(file)),
            Source::Memory(items) => ItemSource::Memory(items.into_iter()),
        };
        Items { name, source, remaining: length, problem: None }
    }
}

impl Items {
    /// Whether no item was missing of those that had been checked.
    ///
    /// # Errors
    ///
    /// The file changed in between.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { name, source: _, remaining: _, problem } = self;
        let failure =
            |problem| Failure::failed(format_args!("manifest {name} changed after it had been checked{problem}"));
        problem.map_or(Ok(()), |problem| Err(failure(problem)))
    }
}

impl Iterator for Items {
    type Item = UploadItem;

    fn next(&mut self) -> Option<UploadItem> {
        let remaining = self.remaining.checked_sub(1)?;
        let next = match &mut self.source {
            ItemSource::File(lines) => lines.next_item(),
            ItemSource::Memory(items) => Ok(items.next()),
        };
        match next {
            Ok(Some(item)) => {
                self.remaining = remaining;
                Some(item)
            }
            changed => {
                self.problem = Some(changed.err().unwrap_or_else(|| format!(": {} gone", self.remaining)));
                self.remaining = 0;
                None
            }
        }
    }
}

fn twice(mut file: File) -> Result<(Source, u64), String> {
    let mut lines = Lines::new(&mut file);
    let mut length = 0;
    while lines.next_item()?.is_some() {
        length += 1;
    }
    file.rewind().map_err(|error| format!(": {error}"))?;
    Ok((Source::File(file), length))
}

fn in_memory(reader: impl Read) -> Result<(Source, u64), String> {
    let mut lines = Lines::new(reader);
    let mut items = Vec::new();
    while let Some(item) = lines.next_item()? {
        items.push(item);
    }
    let length = items.len() as u64;
    Ok((Source::Memory(items), length))
}

/// Without `Debug`: the line has a signed URL (rule U9).
struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
}

impl<R: Read> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader), line: Vec::new(), number: 0 }
    }

    /// The next item; lines of blanks are skipped. The error goes after the name of the manifest.
    fn next_item(&mut self) -> Result<Option<UploadItem>, String> {
        loop {
            self.line.clear();
            let read = self.reader.read_until(b'\n', &mut self.line).map_err(|error| format!(": {error}"))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let line = self.line.trim_ascii();
            if !line.is_empty() {
                return line::read(line).map(Some).map_err(|reason| format!(", line {}: {reason}", self.number));
            }
        }
    }
}

#[cfg(test)]
mod tests;
