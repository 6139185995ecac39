//! `encord uids`.

use std::fs::File;
use std::io::{self, Cursor, Read};

use encord_client::ModelAttachment;
use encord_project_utils::{get_all_model_iteration_uids, read_model_iteration_uids};
use encord_upload::formats::without_byte_order_mark;
use serde::Deserialize;

use crate::args::{Stream, UidsArgs};
use crate::escape::escaped;
use crate::output::{Exit, Failure, json, print};

/// How much of the input is read to find the form of the models.
const PEEKED_BYTES: usize = 8 * 1024;

/// Names that only the current form has.
const CURRENT_NAMES: [&[u8]; 5] =
    [b"\"modelGroup\"", b"\"projectModel\"", b"\"projectModelIterations\"", b"\"results\"", b"\"nextPageToken\""];

/// The models of `models-attachments`: an array, or a page as the platform sends it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Attachments {
    Array(Vec<ModelAttachment>),
    Page { results: Vec<ModelAttachment> },
}

pub(crate) fn run(args: &UidsArgs) -> Result<Exit, Failure> {
    let UidsArgs { file, count, json: as_json } = args;
    let unreadable = |error: io::Error| Failure::usage(format_args!("{file}: {error}"));
    let reader: Box<dyn Read> = match file {
        Stream::Standard => Box::new(io::stdin().lock()),
        Stream::File(path) => Box::new(File::open(path).map_err(unreadable)?),
    };
    let uids = uids(reader).map_err(unreadable)?.map_err(|error| Failure::usage(format_args!("{file}: {error}")))?;
    print(|out| {
        if *count {
            writeln!(out, "{}", uids.len())
        } else if *as_json {
            json(out, &uids)
        } else {
            uids.iter().try_for_each(|uid| writeln!(out, "{}", escaped(uid)))
        }
    })?;
    Ok(Exit::Done)
}

/// Returns the distinct uids of models in either form, in order of first appearance.
fn uids(input: impl Read) -> io::Result<Result<Vec<String>, String>> {
    let (start, input) = started(input)?;
    if !is_current_form(&start) {
        let uids = read_model_iteration_uids(input).map_err(|error| error.to_string());
        return Ok(uids.map(|uids| uids.into_iter().collect()));
    }
    let models = serde_json::from_reader(input).map_err(|error| error.to_string());
    Ok(models.map(|(Attachments::Array(models) | Attachments::Page { results: models })| {
        get_all_model_iteration_uids(&models).iter().map(|uid| (*uid).to_owned()).collect()
    }))
}

fn is_current_form(start: &[u8]) -> bool {
    CURRENT_NAMES.iter().any(|name| {
        // Matches the name of a field, not a title with the same words.
        start.windows(name.len()).enumerate().any(|(at, window)| {
            let mut rest = start[at + name.len()..].iter().filter(|byte| !byte.is_ascii_whitespace());
            window == *name && rest.next() == Some(&b':')
        })
    })
}

/// Returns the beginning of the input and the whole input, both without the byte-order mark that Windows puts before UTF-8.
fn started(mut reader: impl Read) -> io::Result<(Vec<u8>, impl Read)> {
    let mut start = Vec::with_capacity(PEEKED_BYTES);
    reader.by_ref().take(PEEKED_BYTES as u64).read_to_end(&mut start)?;
    let start = without_byte_order_mark(&start).map_err(io::Error::other)?.to_owned();
    Ok((start.clone(), Cursor::new(start).chain(reader)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let read = |text: &[u8]| uids(text).unwrap().unwrap();
        let attachment = |uids: &[&str]| {
            let iterations: Vec<_> = uids.iter().map(|uid| serde_json::json!({"trainingUuid": uid})).collect();
            serde_json::json!({"modelGroup": {"modelUuid": "m"}, "projectModel": {}, "projectModelIterations": iterations})
        };
        let array = serde_json::json!([attachment(&["b", "a"]), attachment(&["a", "c"])]);
        let page = serde_json::json!({"nextPageToken": null, "results": array});
        for current in [array, page] {
            assert_eq!(read(current.to_string().as_bytes()), ["b", "a", "c"]);
        }
        let seed = r#"[{"model_uid": "m", "title": "t", "description": "d", "feature_node_hashes": {}, "model": "vgg16",
            "model_iteration_uids": ["y", "x", "y"]}]"#;
        assert_eq!(read(seed.as_bytes()), ["y", "x"]);
        let titled = seed.replace("\"t\"", "\"results\"");
        assert_eq!(read(titled.as_bytes()), ["y", "x"]);
        assert_eq!(read(b"[]"), Vec::<String>::new());
        assert!(uids(r#"{"results": 1}"#.as_bytes()).unwrap().is_err());
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        #[track_caller]
        fn check(text: &[u8], expected: Result<&[u8], &str>) {
            let read = started(text).and_then(|(_, mut reader)| {
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
