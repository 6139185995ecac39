//! Manifests as wholes.

use std::fs;

use super::*;

fn file(text: &str) -> (tempfile::NamedTempFile, Stream) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), text).expect("written");
    let stream = Stream::File(file.path().to_owned());
    (file, stream)
}

fn line(path: &str) -> String {
    format!("{{\"path\": \"{path}\", \"signed_url\": \"https://h/{path}\"}}\n")
}

#[track_caller]
fn check(text: &str, expected: Result<&[&str], &str>) {
    let (file, stream) = file(text);
    let name = file.path().display().to_string();
    let mut observed = Vec::new();
    let read = Manifest::read(&stream, |item| observed.push(item.path.display().to_string())).map(|manifest| {
        let mut items = manifest.items();
        let paths: Vec<String> = items.by_ref().map(|item| item.path.display().to_string()).collect();
        items.finish().expect("nothing changed");
        assert_eq!(manifest.items().count(), paths.len());
        assert_eq!(observed, paths);
        paths
    });
    match (read, expected) {
        (Ok(paths), Ok(expected)) => assert_eq!(paths, expected),
        (Err(failure), Err(expected)) => {
            assert_eq!(failure.errors(), [expected.replace("FILE", &name)]);
        }
        (read, _) => panic!("{read:?}"),
    }
}

#[test]
fn empty_lines_are_skipped_and_counted() {
    check("", Ok(&[]));
    check(&line("a"), Ok(&["a"]));
    check(&format!("\n  \r\n{}\n{}", line("a"), line("b").trim_end()), Ok(&["a", "b"]));
    check(&format!("{}\r\n", line("a").trim_end()), Ok(&["a"]));
    check(&format!("\n{}\n{{}}\n", line("a")), Err("manifest FILE, line 4: `path` is missing"));
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let missing = directory.path().join("missing.jsonl");
    let failure = Manifest::read(&Stream::File(missing.clone()), |_| {}).expect_err("missing");
    let expected = format!("manifest {}: No such file or directory (os error 2)", missing.display());
    assert_eq!(failure.errors(), [expected]);
    let failure = Manifest::read(&Stream::File(directory.path().to_owned()), |_| {}).expect_err("a directory");
    let expected = format!("manifest {}: Is a directory (os error 21)", directory.path().display());
    assert_eq!(failure.errors(), [expected]);
}

#[test]
fn a_manifest_that_changes_is_noticed() {
    #[track_caller]
    fn check(after: &str, paths: usize, expected: &str) {
        let (file, stream) = file(&[line("a"), line("b")].concat());
        let name = file.path().display().to_string();
        let manifest = Manifest::read(&stream, |_| {}).expect("well-formed");
        fs::write(file.path(), after).expect("written");
        let mut items = manifest.items();
        assert_eq!(items.by_ref().count(), paths);
        assert!(items.next().is_none());
        let failure = items.finish().expect_err("changed");
        assert_eq!(failure.errors(), [format!("manifest {name} changed after it had been checked{expected}")]);
    }
    check("", 0, ": 2 gone");
    check(&line("a"), 1, ": 1 gone");
    check(&[&line("a"), "[]"].concat(), 1, ", line 2: must be a JSON object, not a list");
}

#[test]
fn what_can_be_read_only_once_is_read_twice_all_the_same() {
    let text = format!("\n{}\n\r\n{}", line("a"), line("b").trim_end());
    let (file, length) = once(text.as_bytes(), |_| {}).expect("well-formed");
    assert_eq!(length, 2);
    let manifest = Manifest { name: "m".to_owned(), file: Arc::new(file), length };
    for _ in 0..2 {
        let mut items = manifest.items();
        let paths: Vec<String> = items.by_ref().map(|item| item.path.display().to_string()).collect();
        assert_eq!(paths, ["a", "b"]);
        items.finish().expect("nothing changed");
    }
    let error = once([line("a"), "{}".to_owned()].concat().as_bytes(), |_| {}).expect_err("malformed");
    assert_eq!(error, ", line 2: `path` is missing");
}
