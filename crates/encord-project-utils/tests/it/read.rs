//! `read_model_iteration_uids`.

#![expect(clippy::expect_used, reason = "helpers of tests are tests")]

use std::{
    error::Error,
    io::{self, Read},
};

use encord_project_utils::{
    ModelConfiguration, ReadError, get_all_model_iteration_uids, model_iteration_uids_from_slice,
    read_model_iteration_uids,
};
use proptest::prelude::*;

use crate::{lists_of_uids, model, naive_union};

#[track_caller]
fn check(json: &str, expected: &[&str]) {
    assert_eq!(uids(json.as_bytes()).expect(json), expected);
    assert!(model_iteration_uids_from_slice(json.as_bytes()).expect(json).iter().eq(expected));
}

fn uids(reader: impl Read) -> Result<Vec<String>, ReadError> {
    Ok(read_model_iteration_uids(reader)?.into_iter().collect())
}

#[test]
fn g1_union() {
    check("[]", &[]);
    check(" \n[ ] \n", &[]);
    check(r#"[{"model_iteration_uids": []}]"#, &[]);
    check(r#"[{"model_iteration_uids": ["b", "a"]}, {"model_iteration_uids": ["c", "b", "c"]}]"#, &["b", "a", "c"]);
}

#[test]
fn g3_escapes_are_read() {
    check(r#"[{"model_iteration_uids": ["\u0061", "a", "\n\"", "\ud83d\ude00"]}]"#, &["a", "\n\"", "😀"]);
    check(r#"[{"model_iter\u0061tion_uids": ["a"]}]"#, &["a"]);
}

#[test]
fn g3_other_fields_are_skipped() {
    check(
        r#"[{"a": {"model_iteration_uids": ["no"]}, "model_iteration_uids": ["a"], "a": 1, "title": null, "x": 1e999}]"#,
        &["a"],
    );
    check(r#"[{"model": "yolov5", "model_iteration_uids": ["a"]}]"#, &["a"]);
}

#[test]
fn g3_deep_nesting_in_other_fields_is_skipped() {
    let deep = format!("{}{}", r#"{"a":["#.repeat(500_000), "]}".repeat(500_000));
    check(&format!(r#"[{{"deep": {deep}, "model_iteration_uids": ["a"]}}]"#), &["a"]);
}

#[track_caller]
fn check_error(json: &str, expected: &str) {
    let error = read_model_iteration_uids(json.as_bytes()).expect_err(json);
    assert_eq!(error.to_string(), format!("malformed model configurations: {expected}"));
    let (line, column) = error.position().expect(json);
    assert!(expected.ends_with(&format!("at line {line} column {column}")));
    assert!(error.source().is_none());
}

#[test]
fn g3_not_a_list_of_models() {
    check_error(r#"{"a": []}"#, "invalid type: map, expected a list of model configurations at line 1 column 1");
    check_error("null", "invalid type: null, expected a list of model configurations at line 1 column 4");
    check_error("[5]", "invalid type: integer `5`, expected a model configuration at line 1 column 3");
    check_error("[\n[]]", "invalid type: sequence, expected a model configuration at line 2 column 1");
}

#[test]
fn g3_not_a_list_of_uids() {
    check_error("[{}]", "missing field `model_iteration_uids` at line 1 column 3");
    check_error("[\n{\"title\": \"T\"}]", "missing field `model_iteration_uids` at line 2 column 14");
    check_error(
        r#"[{"model_iteration_uids": null}]"#,
        "invalid type: null, expected a list of model iteration uids at line 1 column 30",
    );
    check_error(
        r#"[{"model_iteration_uids": "a"}]"#,
        "invalid type: string \"a\", expected a list of model iteration uids at line 1 column 29",
    );
    check_error(
        "[{\"model_iteration_uids\": [\n\"a\", null]}]",
        "invalid type: null, expected a model iteration uid as a string at line 2 column 9",
    );
    check_error(
        r#"[{"model_iteration_uids": [], "model_iteration_uids": []}]"#,
        "duplicate field `model_iteration_uids` at line 1 column 53",
    );
}

#[test]
fn g3_not_json() {
    check_error("", "EOF while parsing a value at line 1 column 0");
    check_error("[", "EOF while parsing a list at line 1 column 1");
    check_error(r#"[{"model_iteration_uids": ["a"#, "EOF while parsing a string at line 1 column 29");
    check_error(r#"[{"model_iteration_uids": []}"#, "EOF while parsing a list at line 1 column 29");
    check_error("[] []", "trailing characters at line 1 column 4");
    check_error("[]]", "trailing characters at line 1 column 3");
    check_error("[,]", "expected value at line 1 column 2");
    check_error(r#"[{"a": 1 "b": 2}]"#, "expected `,` or `}` at line 1 column 10");
}

#[test]
fn g3_not_utf8() {
    let error = read_model_iteration_uids(&b"[{\"model_iteration_uids\": [\"\xff\"]}]"[..]).unwrap_err();
    assert_eq!(error.to_string(), "malformed model configurations: invalid unicode code point at line 1 column 29",);
}

/// Where the `serde_json` of a reader puts an error, when it reads all of the input itself.
fn place_by_serde_json(json: &[u8]) -> Option<(usize, usize)> {
    #[derive(Debug, serde::Deserialize)]
    struct Model {
        #[serde(rename = "model_iteration_uids")]
        _uids: Vec<String>,
    }
    let error = serde_json::from_reader::<_, Vec<Model>>(json).err()?;
    Some((error.line(), error.column()))
}

#[track_caller]
fn check_place(json: &str, expected: (usize, usize)) {
    let error = read_model_iteration_uids(json.as_bytes()).expect_err("malformed");
    assert_eq!(error.position(), Some(expected), "{error}");
    assert_eq!(place_by_serde_json(json.as_bytes()), Some(expected));
}

#[test]
fn g3_the_place_of_an_error_is_that_in_the_whole_input() {
    const MODELS: usize = 8000;
    let model = r#"{"model_iteration_uids": ["a", "b"]}"#;
    for (before, line) in [("", 1), ("\n", 1 + MODELS), (" \n \n  ", 1 + 2 * MODELS)] {
        let models = format!("{before}{model},").repeat(MODELS);
        // As far as the last newline, or all.
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + model.len() + 1;
        let column = if line == 1 { 1 + column * MODELS } else { column };
        check_place(&format!("[{models}]"), (line, column + 1));
        check_place(&format!("[{models}{{}}]"), (line, column + 2));
        check_place(&format!("[{models}5]"), (line, column + 2));
        check_place(&format!("[{models}{model}"), (line, column + model.len()));
        check_place(&format!("[{models}{model}] ]"), (line, column + model.len() + 3));
        check_place(&format!("[{models}\n\n  {{\"a\" 5}}]"), (line + 2, 8));
    }
    // The array is over in the first piece, the input is not.
    check_place(&format!("[]{}x", " ".repeat(300_000)), (1, 300_003));
}

#[test]
fn g3_a_model_of_any_size_is_read() {
    for length in [200_000, 300_000, 5_000_000] {
        let long = "x".repeat(length);
        check(
            &format!(
                r#"[{{"model_iteration_uids": ["a"]}}, {{"title": "{long}", "model_iteration_uids": ["b", "a"]}}]"#
            ),
            &["a", "b"],
        );
        check(&format!(r#"[{{"title": "}}{long}}}", "model_iteration_uids": ["{long}"]}}]"#), &[&long]);
        check(&format!("[{}{{\"model_iteration_uids\": [\"a\"]}}{}]", " ".repeat(length), "\n".repeat(length)), &["a"]);
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "the cable is out"))
    }
}

#[test]
fn g3_error_of_the_reader_is_the_source() {
    let error = read_model_iteration_uids(r#"[{"model_iteration_uids": ["a","#.as_bytes().chain(Broken)).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the model configurations: the cable is out");
    assert_eq!(error.position(), None);
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::ConnectionReset));
}

/// Gives a byte at a time, and is interrupted in between.
struct Slow<'a>(&'a [u8], bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

proptest! {
    #[test]
    fn g3_streamed_equals_in_memory(lists in lists_of_uids()) {
        let models: Vec<_> = lists.iter().cloned().map(model).collect();
        let json = serde_json::to_vec_pretty(&models).unwrap();
        let streamed = uids(&json[..]).unwrap();
        prop_assert_eq!(&streamed, &naive_union(&lists));
        prop_assert!(get_all_model_iteration_uids(&models).iter().eq(&streamed));
        prop_assert_eq!(&uids(Slow(&json, false)).unwrap(), &streamed);
        prop_assert!(model_iteration_uids_from_slice(&json).unwrap().iter().eq(&streamed));
    }

    #[test]
    fn g3_cut_off_input_is_an_error(lists in lists_of_uids(), cut: prop::sample::Index) {
        let models: Vec<_> = lists.into_iter().map(model).collect();
        let json = serde_json::to_vec(&models).unwrap();
        prop_assert!(read_model_iteration_uids(&json[..cut.index(json.len())]).is_err());
    }

    #[test]
    fn g3_damaged_input_never_panics(
        lists in lists_of_uids(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let models: Vec<_> = lists.into_iter().map(model).collect();
        let mut json = serde_json::to_vec(&models).unwrap();
        for (index, byte) in damage {
            let index = index.index(json.len());
            json[index] = byte;
        }
        let streamed = uids(&json[..]);
        if let Ok(uids) = model_iteration_uids_from_slice(&json) {
            prop_assert!(uids.iter().eq(streamed.as_ref().unwrap()));
        } else {
            prop_assert_eq!(streamed.as_ref().unwrap_err().position(), place_by_serde_json(&json));
        }
        if let Ok(models) = serde_json::from_slice::<Vec<ModelConfiguration>>(&json) {
            prop_assert!(get_all_model_iteration_uids(&models).iter().eq(&streamed.unwrap()));
        }
    }

    #[test]
    fn g3_any_bytes_never_panic(bytes: Vec<u8>) {
        let _ = read_model_iteration_uids(&bytes[..]);
    }
}
