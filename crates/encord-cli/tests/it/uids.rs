//! `encord uids`.

use std::fs;

use crate::invocation::encord;

const MODELS: &str = r#"[
    {"title": "B", "model_iteration_uids": ["b", "a", "b"]},
    {"title": "C", "model_iteration_uids": []},
    {"title": "A", "model": "unheard_of", "model_iteration_uids": ["c", "a"]}
]"#;

#[test]
fn g1_g2_each_uid_once_in_order_of_first_appearance() {
    encord("uids").stdin(MODELS).run().expect(0, "b\na\nc\n", "");
    encord("uids -").stdin(MODELS).run().expect(0, "b\na\nc\n", "");
    encord("uids --count").stdin(MODELS).run().expect(0, "3\n", "");
    encord("uids --json").stdin(MODELS).run().expect(0, "[\"b\",\"a\",\"c\"]\n", "");
    encord("uids --json --count").stdin(MODELS).run().expect(0, "3\n", "");
}

#[test]
fn g1_empty_in_empty_out() {
    encord("uids").stdin("[]").run().expect(0, "", "");
    encord("uids --count").stdin("[]").run().expect(0, "0\n", "");
    encord("uids --json").stdin("[]").run().expect(0, "[]\n", "");
}

#[test]
fn files_are_read() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::write(folder.path().join("models.json"), MODELS).expect("written");
    encord("uids models.json").within(folder.path()).run().expect(0, "b\na\nc\n", "");
    encord("uids nothing.json").within(folder.path()).run().expect(
        2,
        "",
        "error: nothing.json: No such file or directory (os error 2)\n",
    );
    encord("uids .").within(folder.path()).run().expect(2, "", "error: .: Is a directory (os error 21)\n");
}

#[test]
fn g3_malformed_input_has_a_place_and_prints_nothing() {
    #[track_caller]
    fn check(models: &str, expected: &str) {
        let expected = format!("error: standard input: malformed model configurations: {expected}\n");
        encord("uids").stdin(models).run().expect(2, "", &expected);
    }
    check("", "EOF while parsing a value at line 1 column 0");
    check("[{\"model_iteration_uids\": [\"a\"]},\n{}]", "missing field `model_iteration_uids` at line 2 column 2");
    check("[{\"model_iteration_uids\": [\"a\"]}", "EOF while parsing a list at line 1 column 32");
    check("[] []", "trailing characters at line 1 column 4");
}
