//! The manifest: JSON Lines, read twice. The first time finds whatever is malformed before anything is sent; the second
//! time gives the items as they are needed, so that memory does not follow the length of the manifest.

mod at;
mod line;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::sync::Arc;

use encord_upload::UploadItem;

use self::at::At;
use crate::args::Stream;
use crate::lines::Lines;
use crate::output::Failure;

/// A manifest whose every line is well-formed.
#[derive(Debug)]
pub(crate) struct Manifest {
    name: String,
    file: Arc<File>,
    length: u64,
}

/// The items of a [`Manifest`]. Ends early when the file is not what it was; see [`Items::finish`].
pub(crate) struct Items {
    name: String,
    lines: Lines<At>,
    remaining: u64,
    problem: Option<String>,
}

impl Manifest {
    /// Reads and checks a manifest, and shows each item. What can be read only once is kept in a temporary file, which
    /// has no name: a manifest is full of signed URLs.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a line is malformed: the first one, with its number.
    pub(crate) fn read(stream: &Stream, observe: impl FnMut(&UploadItem)) -> Result<Self, Failure> {
        let name = stream.to_string();
        let unreadable = |error: io::Error| Failure::usage(format_args!("manifest {name}: {error}"));
        let read = match stream {
            Stream::Standard => once(io::stdin().lock(), observe),
            Stream::File(path) => {
                let file = File::open(path).map_err(unreadable)?;
                if file.metadata().map_err(unreadable)?.is_file() { again(file, observe) } else { once(file, observe) }
            }
        };
        let (file, length) = read.map_err(|error| Failure::usage(format_args!("manifest {name}{error}")))?;
        Ok(Self { name, file: Arc::new(file), length })
    }

    /// Whether it has no items.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The items, in order. Those who ask again get all of them again.
    pub(crate) fn items(&self) -> Items {
        let lines = Lines::new(At::start_of(Arc::clone(&self.file)));
        Items { name: self.name.clone(), lines, remaining: self.length, problem: None }
    }
}

impl Items {
    /// Whether no item was missing of those that had been checked.
    ///
    /// # Errors
    ///
    /// The file changed in between.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Self { name, lines: _, remaining: _, problem } = self;
        let failure =
            |problem| Failure::failed(format_args!("manifest {name} changed after it had been checked{problem}"));
        problem.map_or(Ok(()), |problem| Err(failure(problem)))
    }
}

impl Iterator for Items {
    type Item = UploadItem;

    fn next(&mut self) -> Option<UploadItem> {
        let remaining = self.remaining.checked_sub(1)?;
        match next_item(&mut self.lines) {
            Ok(Some((_, item))) => {
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

/// Checks a file that can be read again.
fn again(file: File, mut observe: impl FnMut(&UploadItem)) -> Result<(File, u64), String> {
    let mut lines = Lines::new(&file);
    let mut length = 0;
    while let Some((_, item)) = next_item(&mut lines)? {
        observe(&item);
        length += 1;
    }
    Ok((file, length))
}

/// Checks what can be read only once, and gives a copy.
fn once(reader: impl Read, mut observe: impl FnMut(&UploadItem)) -> Result<(File, u64), String> {
    let kept = |error: io::Error| format!(": cannot keep it in a temporary file: {error}");
    let mut copy = BufWriter::new(tempfile::tempfile().map_err(kept)?);
    let mut lines = Lines::new(reader);
    let mut length = 0;
    while let Some((line, item)) = next_item(&mut lines)? {
        copy.write_all(line).and_then(|()| copy.write_all(b"\n")).map_err(kept)?;
        observe(&item);
        length += 1;
    }
    let file = copy.into_inner().map_err(|error| kept(error.into_error()))?;
    Ok((file, length))
}

/// The next item and its line. The error goes after the name of the manifest.
fn next_item<R: Read>(lines: &mut Lines<R>) -> Result<Option<(&[u8], UploadItem)>, String> {
    let Some((number, line)) = lines.next().map_err(|error| format!(": {error}"))? else { return Ok(None) };
    let item = line::read(line).map_err(|reason| format!(", line {number}: {reason}"))?;
    Ok(Some((line, item)))
}

#[cfg(test)]
mod tests;
