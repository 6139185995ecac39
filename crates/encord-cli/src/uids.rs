//! `encord uids`.

use std::fs::File;
use std::io::{self, Cursor, Read};

use encord_project_utils::read_model_iteration_uids;
use encord_upload::formats::without_byte_order_mark;

use crate::args::{Stream, UidsArgs};
use crate::escape::escaped;
use crate::output::{Exit, Failure, json, print};

pub(crate) fn run(args: &UidsArgs) -> Result<Exit, Failure> {
    let UidsArgs { file, count, json: as_json } = args;
    let unreadable = |error: io::Error| Failure::usage(format_args!("{file}: {error}"));
    let reader: Box<dyn Read> = match file {
        Stream::Standard => Box::new(io::stdin().lock()),
        Stream::File(path) => Box::new(File::open(path).map_err(unreadable)?),
    };
    let uids = read_model_iteration_uids(without_mark(reader).map_err(unreadable)?);
    let uids = uids.map_err(|error| Failure::usage(format_args!("{file}: {error}")))?;
    print(|out| {
        if *count {
            writeln!(out, "{}", uids.len())
        } else if *as_json {
            json(out, &uids.iter().collect::<Vec<_>>())
        } else {
            uids.iter().try_for_each(|uid| writeln!(out, "{}", escaped(uid)))
        }
    })?;
    Ok(Exit::Done)
}

/// The same text without the byte-order mark that Windows puts before UTF-8.
fn without_mark(mut reader: impl Read) -> io::Result<impl Read> {
    let mut start = Vec::with_capacity(3);
    reader.by_ref().take(3).read_to_end(&mut start)?;
    let start = without_byte_order_mark(&start).map_err(io::Error::other)?.to_owned();
    Ok(Cursor::new(start).chain(reader))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        #[track_caller]
        fn check(text: &[u8], expected: Result<&[u8], &str>) {
            let read = without_mark(text).and_then(|mut reader| {
                let mut text = Vec::new();
                reader.read_to_end(&mut text).map(|_| text)
            });
            assert_eq!(read.as_deref().map_err(ToString::to_string), expected.map_err(str::to_owned));
        }
        check(b"", Ok(b""));
        check(b"[]", Ok(b"[]"));
        check(b"[{}]", Ok(b"[{}]"));
        check(b"\xEF\xBB\xBF[{}]", Ok(b"[{}]"));
        check(b"\xFF\xFE[\0", Err("it is UTF-16, not UTF-8"));
    }
}
