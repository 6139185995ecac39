//! `encord uids`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use encord_client::ModelAttachment;
use encord_project_utils::{get_all_model_iteration_uids, read_model_iteration_uids};
use serde::Deserialize;

use crate::args::{Stream, UidsArgs};
use crate::output::{Exit, Failure, json, print};

/// So much is looked at to see in which form the models are.
const PEEKED_BYTES: usize = 8 * 1024;

/// Names that only the current form has.
const CURRENT_NAMES: [&[u8]; 5] =
    [b"\"modelGroup\"", b"\"projectModel\"", b"\"projectModelIterations\"", b"\"results\"", b"\"nextPageToken\""];

/// The models of `models-attachments`: an array of them, or a page as the platform answers it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Attachments {
    Array(Vec<ModelAttachment>),
    Page { results: Vec<ModelAttachment> },
}

pub(crate) fn run(args: &UidsArgs) -> Result<Exit, Failure> {
    let UidsArgs { file, count, json: as_json } = args;
    let uids = match file {
        Stream::Standard => uids(io::stdin().lock()),
        Stream::File(path) => {
            let opened = File::open(path).map_err(|error| Failure::usage(format_args!("{file}: {error}")))?;
            uids(opened)
        }
    };
    let uids = uids.map_err(|error| Failure::usage(format_args!("{file}: {error}")))?;
    print(|out| {
        if *count {
            writeln!(out, "{}", uids.len())
        } else if *as_json {
            json(out, &uids)
        } else {
            uids.iter().try_for_each(|uid| writeln!(out, "{uid}"))
        }
    })?;
    Ok(Exit::Done)
}

/// The distinct uids of models in either form, in order of first appearance.
fn uids(input: impl Read) -> Result<Vec<String>, String> {
    let mut input = BufReader::with_capacity(PEEKED_BYTES, input);
    let start = input.fill_buf().map_err(|error| format!("cannot read the model configurations: {error}"))?;
    if !is_current_form(start) {
        let uids = read_model_iteration_uids(input).map_err(|error| error.to_string())?;
        return Ok(uids.into_iter().collect());
    }
    let models = match serde_json::from_reader(input).map_err(|error| error.to_string())? {
        Attachments::Array(models) | Attachments::Page { results: models } => models,
    };
    Ok(get_all_model_iteration_uids(&models).iter().map(|uid| (*uid).to_owned()).collect())
}

fn is_current_form(start: &[u8]) -> bool {
    CURRENT_NAMES.iter().any(|name| {
        // The name of a field, not a title of the same words.
        start.windows(name.len()).enumerate().any(|(at, window)| {
            let mut rest = start[at + name.len()..].iter().filter(|byte| !byte.is_ascii_whitespace());
            window == *name && rest.next() == Some(&b':')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let attachment = |uids: &[&str]| {
            let iterations: Vec<_> = uids.iter().map(|uid| serde_json::json!({"trainingUuid": uid})).collect();
            serde_json::json!({"modelGroup": {"modelUuid": "m"}, "projectModel": {}, "projectModelIterations": iterations})
        };
        let array = serde_json::json!([attachment(&["b", "a"]), attachment(&["a", "c"])]);
        let page = serde_json::json!({"nextPageToken": null, "results": array});
        for current in [array, page] {
            assert_eq!(uids(current.to_string().as_bytes()).unwrap(), ["b", "a", "c"]);
        }
        let seed = r#"[{"model_uid": "m", "title": "t", "description": "d", "feature_node_hashes": {}, "model": "vgg16",
            "model_iteration_uids": ["y", "x", "y"]}]"#;
        assert_eq!(uids(seed.as_bytes()).unwrap(), ["y", "x"]);
        let titled = seed.replace("\"t\"", "\"results\"");
        assert_eq!(uids(titled.as_bytes()).unwrap(), ["y", "x"]);
        assert_eq!(uids("[]".as_bytes()).unwrap(), Vec::<String>::new());
        assert!(uids(r#"{"results": 1}"#.as_bytes()).is_err());
    }
}
