//! The models of a JSON array, taken from a reader a piece at a time.
//!
//! `serde_json` is several times faster on a slice than on a reader. So the input is read in pieces,
//! and of each piece the models that are whole are parsed as slices. Only what is plain is done
//! here: `[`, models with commas between them, `]`. As soon as anything else comes, all that is not
//! yet settled goes to `serde_json` as a reader, which either makes sense of it or says what is wrong
//! with it, and where.

use std::io::{self, BufReader, Cursor, Read};

use super::visit::ModelUids;
use crate::UidSet;

/// Bytes that are asked of the reader at once.
const PIECE: usize = 256 * 1024;

/// A model that is larger than this is not waited for.
const LARGEST: usize = 4 * 1024 * 1024;

/// A reader and what has been read of it, but for the models that are done.
pub(super) struct Chunks<R> {
    reader: R,
    /// Why the reader gives no more: its end, or an error.
    end: Option<io::Result<()>>,
    buffer: Vec<u8>,
    /// Where `buffer` begins.
    place: Place,
    /// Whether `buffer` begins with a model, rather than with the array.
    in_array: bool,
}

/// Newlines before a byte, and the bytes since the last of them.
#[derive(Clone, Copy, Default)]
struct Place {
    newlines: u64,
    bytes: u64,
}

/// What stands between two models, or after the last.
enum Next {
    /// A model, at this offset.
    Model(usize),
    /// The end of the array, and nothing but space behind it in the buffer.
    End,
    /// Too little to tell.
    Unknown,
    /// Something else.
    Other,
}

impl<R: Read> Chunks<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, end: None, buffer: Vec::new(), place: Place::default(), in_array: false }
    }

    /// Reads models to the end of the input. False if that end was not reached: what is left is
    /// [unread](Self::into_unread).
    pub(super) fn read_models(&mut self, uids: &mut UidSet<Box<str>>) -> bool {
        loop {
            let fresh = self.buffer.len();
            self.read_piece();
            match self.parse(fresh, uids) {
                Next::End if matches!(self.end, Some(Ok(()))) => return true,
                Next::End | Next::Unknown if self.end.is_none() && self.buffer.len() < LARGEST => {}
                _ => return false,
            }
        }
    }

    /// Everything from the last model on whose separator was not settled, as a JSON array of which
    /// each byte stands where it stands in the input.
    pub(super) fn into_unread(self) -> impl Read {
        let Place { newlines, bytes } = self.place;
        let bracket: &[u8] = if self.in_array { b"[" } else { b"" };
        // On the first line the bracket takes the place of a space.
        let spaces = if newlines == 0 { bytes.saturating_sub(1) } else { bytes };
        let up_to_here = bracket.chain(io::repeat(b'\n').take(newlines)).chain(io::repeat(b' ').take(spaces));
        let rest = Rest { reader: self.reader, end: self.end };
        BufReader::with_capacity(PIECE, up_to_here.chain(Cursor::new(self.buffer)).chain(rest))
    }

    /// Reads as much as the buffer holds already, so that a large model is not parsed too often.
    fn read_piece(&mut self) {
        let wanted = PIECE.max(self.buffer.len());
        match self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.buffer) {
            Ok(read) if read == wanted => {}
            end => self.end = Some(end.map(drop)),
        }
    }

    /// Takes the whole models out of the buffer, but for one whose separator is not settled.
    fn parse(&mut self, fresh: usize, uids: &mut UidSet<Box<str>>) -> Next {
        // Up to a brace, because a model that is cut off behind one is cut off in a string or
        // between values: only then is its error always that of an end that came too early.
        let Some(brace) = self.buffer[fresh..].iter().rposition(|byte| *byte == b'}') else { return Next::Unknown };
        let whole = fresh + brace + 1;

        let mut done = 0;
        if !self.in_array {
            match after_opening(&self.buffer) {
                Next::Model(at) => done = at,
                other => return other,
            }
        }
        let next = loop {
            let mut models =
                serde_json::Deserializer::from_slice(&self.buffer[done..whole.max(done)]).into_iter::<ModelUids<'_>>();
            match models.next() {
                Some(Ok(ModelUids(found))) => uids.extend_from_slice(&found),
                Some(Err(error)) if !error.is_eof() => break Next::Other,
                Some(Err(_)) | None => break Next::Unknown,
            }
            match after_model(&self.buffer, done + models.byte_offset()) {
                Next::Model(at) => done = at,
                other => break other,
            }
        };
        self.in_array |= done > 0;
        self.place.advance(&self.buffer[..done]);
        self.buffer.drain(..done);
        next
    }
}

impl Place {
    #[expect(clippy::naive_bytecount, reason = "fast enough for what costs a crate otherwise")]
    fn advance(&mut self, bytes: &[u8]) {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => {
                self.newlines += bytes[..=last].iter().filter(|byte| **byte == b'\n').count() as u64;
                self.bytes = (bytes.len() - last - 1) as u64;
            }
            None => self.bytes += bytes.len() as u64,
        }
    }
}

/// What a reader still gives, its end as it was met.
struct Rest<R> {
    reader: R,
    end: Option<io::Result<()>>,
}

impl<R: Read> Read for Rest<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.end.replace(Ok(())) {
            None => {
                self.end = None;
                self.reader.read(buffer)
            }
            Some(end) => end.map(|()| 0),
        }
    }
}

fn after_opening(buffer: &[u8]) -> Next {
    match next_byte(buffer, 0) {
        Some((b'[', at)) => model_at(buffer, at + 1),
        Some(_) => Next::Other,
        None => Next::Unknown,
    }
}

fn after_model(buffer: &[u8], at: usize) -> Next {
    match next_byte(buffer, at) {
        Some((b',', at)) => model_at(buffer, at + 1),
        Some((b']', at)) if next_byte(buffer, at + 1).is_none() => Next::End,
        Some(_) => Next::Other,
        None => Next::Unknown,
    }
}

fn model_at(buffer: &[u8], at: usize) -> Next {
    match next_byte(buffer, at) {
        Some((b'{', at)) => Next::Model(at),
        Some(_) => Next::Other,
        None => Next::Unknown,
    }
}

/// The next byte that is not JSON's white space, and where it is.
fn next_byte(buffer: &[u8], from: usize) -> Option<(u8, usize)> {
    let space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
    let at = from + buffer[from..].iter().position(|byte| !space(byte))?;
    Some((buffer[at], at))
}
