//! Valid lines, and the exact errors of malformed lines.

use std::path::Path;

use super::*;
use crate::item::UploadItem;

fn item(line: &str) -> UploadItem {
    read(line, Urls::Required).expect("well-formed").into_item()
}

#[track_caller]
fn refused(line: &str, expected: &str) {
    let reason = read(line, Urls::Required).err().expect("malformed");
    assert_eq!(reason, expected);
}

#[test]
fn a_line_needs_path_and_url_only() {
    let item = item(r#"{"path": "a/b.jpg", "signed_url": "https://h/p?sig=s3cret"}"#);
    assert_eq!(item.path, Path::new("a/b.jpg"));
    assert_eq!(item.signed_url.map(|url| url.to_string()).as_deref(), Some("h/p"));
    assert_eq!(item.title, None);
    assert_eq!(item.kind, ItemKind::Image);
    assert_eq!(item.content_type, None);
    assert!(item.headers.is_empty());

    let nulls =
        r#"{"path": "a", "signed_url": "", "title": null, "data_type": null, "content_type": null, "headers": null}"#;
    assert!(read(nulls, Urls::Required).is_ok());
}

#[test]
fn a_line_can_say_all() {
    let line = r#"{"headers": {"x-ms-blob-type": "BlockBlob"}, "content_type": "video/mp4", "data_type": "video",
        "title": "A", "signed_url": "https://h/p", "path": "a"}"#;
    let item = item(line);
    assert_eq!(item.title.as_deref(), Some("A"));
    assert_eq!(item.kind, ItemKind::Video);
    assert_eq!(item.content_type, Some(HeaderValue::from_static("video/mp4")));
    assert_eq!(item.headers["x-ms-blob-type"], "BlockBlob");
}

#[test]
fn u6_a_url_that_cannot_be_parsed_is_not_the_lines_fault() {
    let item = item(r#"{"path": "a", "signed_url": "not a url"}"#);
    assert!(item.signed_url.is_some_and(|url| url.check().is_err()));
}

#[test]
fn malformed_lines_say_why() {
    let longer = "not JSON: one item a line; this line is the beginning of a longer one: use `jq -c .`";
    refused("{", longer);
    refused(r#"{"path": "a","#, longer);
    refused(
        "[",
        "not JSON: one item a line; this line is the beginning of a longer list: `jq -c '.[]'` makes a line of each item",
    );
    refused("{} {}", "not JSON: trailing characters at column 4");
    refused(
        "{\"path\": \"\u{1}\"}",
        "not JSON: control character (\\u0000-\\u001F) found while parsing a string at column 10",
    );
    refused("[]", "must be a JSON object, not a list; `jq -c '.[]'` makes a line of each item");
    refused("5", "must be a JSON object, not a number");
    refused("x", "not JSON: expected value at column 1");
    let table = "not JSON; a table (CSV) is not taken: each line is an object, `{\"path\": …, \"signed_url\": …}`";
    refused("path,signed_url", table);
    refused("a.jpg;https://h/p?s3cret", table);
    refused("{}", "`path` is missing");
    refused(r#"{"path": "a"}"#, "`signed_url` is missing");
    refused(r#"{"path": null, "signed_url": "u"}"#, "`path` is missing");
    refused(r#"{"path": 5, "signed_url": "u"}"#, "`path` must be a string, not a number");
    refused(r#"{"path": "a", "path": "b", "signed_url": "u"}"#, "`path` is given more than once");
    refused(r#"{"path": "a", "\u0070ath": null, "signed_url": "u"}"#, "`path` is given more than once");
    refused(r#"{"path": "a", "signed_url": "u", "tilte": "x"}"#, "unknown key `tilte`: write `title`");
}

#[test]
fn d6_a_data_type_is_read_strictly() {
    #[track_caller]
    fn check(data_type: &str, expected: &str) {
        refused(&format!(r#"{{"path": "a", "signed_url": "u", "data_type": "{data_type}"}}"#), expected);
    }
    const KNOWN: &str = "expected one of video, img_group, dicom, image, dicom_study, nifti, audio, time_series, \
                         plain_text, pdf, scene";
    check("hologram", &format!("unknown `data_type` `hologram`, {KNOWN}"));
    check("IMAGE", "unknown `data_type` `IMAGE`: write `image`");
    check("jpg", "unknown `data_type` `jpg`: write `image`");
    check("dicom-study", "unknown `data_type` `dicom-study`: write `dicom_study`");
    check("", &format!("unknown `data_type` ``, {KNOWN}"));
    check("group", "`data_type`: an item of data type group is not uploaded as one file");
    check("_MISSING_DATA_TYPE_", "`data_type`: an item of data type _MISSING_DATA_TYPE_ is not uploaded as one file");
}

#[test]
fn headers_are_checked() {
    #[track_caller]
    fn check(headers: &str, expected: &str) {
        refused(&format!(r#"{{"path": "a", "signed_url": "u", "headers": {headers}}}"#), expected);
    }
    check("[]", "`headers` must be an object, not a list");
    check(r#"{"a b": "x"}"#, "`headers`: not a header name `a b`");
    check(r#"{"a": 1}"#, "`headers`: the value of `a` must be a string, not a number");
    check(r#"{"a": "x\n"}"#, "`headers`: the value of `a` has a character that no header can have");
    check(r#"{"a": "x", "A": "y"}"#, "`headers`: `A` is given more than once");
    refused(
        r#"{"path": "a", "signed_url": "u", "content_type": " "}"#,
        "`content_type` is empty; leave it out, or write null, for that of the data type",
    );
    refused(
        r#"{"path": "a", "signed_url": "u", "content_type": "a\u0000"}"#,
        "`content_type` has a character that no header can have",
    );
}

#[test]
fn u9_no_reason_repeats_a_url() {
    const URL: &str = "https://storage.example/b/a.jpg?X-Signature=s3cret";
    for template in [
        "URL",
        r#""URL""#,
        r#"["URL"]"#,
        r#"{"path": "URL"}"#,
        r#"{"path": "URL", "signed_url": "a"}"#,
        r#"{"path": " URL", "signed_url": "URL"}"#,
        r#"{"path": "a", "signed_url": "URL", "title": "URL"}"#,
        r#"{"URL": "a.jpg"}"#,
        r#"{"path": "a", "signed_url": ["URL"]}"#,
        r#"{"path": "a", "signed_url": "URL", "URL": 1}"#,
        r#"{"path": "a", "signed_url": "URL", "signed_url": "URL"}"#,
        r#"{"path": "a", "signed_url": "URL", "data_type": "URL"}"#,
        r#"{"path": "a", "signed_url": "URL", "content_type": "URL\n"}"#,
        r#"{"path": "a", "signed_url": "URL", "headers": "URL"}"#,
        r#"{"path": "a", "signed_url": "URL", "headers": {"URL": ""}}"#,
        r#"{"path": "a", "signed_url": "URL", "headers": {"a": "URL\n"}}"#,
        r#"{"path": "a", "signed_url": "URL""#,
    ] {
        let reason = read(&template.replace("URL", URL), Urls::Required).err().expect("malformed");
        assert!(!reason.contains("s3cret") && !reason.contains("storage"), "{template}: {reason}");
    }
    refused(r#"{"path": "HTTPS://h/a?s3cret", "signed_url": "a"}"#, "`path` is a URL; it must be the file");
    refused(r#"{"path": "Http://h/a", "signed_url": "a"}"#, "`path` is a URL; it must be the file");
    refused(r#"{"path": "file:///h/a", "signed_url": "a"}"#, "`path` is a URL; write the path alone, without file://");
    for scheme in ["gs://", "s3://", "az://"] {
        let expected = format!("`path` is an object in a cloud ({scheme}); it must be a file of this machine");
        refused(&format!(r#"{{"path": "{scheme}b/a", "signed_url": "a"}}"#), &expected);
    }
    refused(r#"{"path": "a", "signed_url": "u", "title": "http://h/a"}"#, "`title` is a URL; it must be a name");
    for path in ["http:/a", "https", "é", "a/http://h"] {
        assert!(read(&format!(r#"{{"path": "{path}", "signed_url": "u"}}"#), Urls::Required).is_ok(), "{path}");
    }
}

#[test]
fn a_line_with_more_headers_than_any_server_takes_is_refused() {
    let line = |count: usize| {
        let headers: Vec<String> = (0..count).map(|n| format!("\"x-{n}\": \"v\"")).collect();
        format!(r#"{{"path": "a", "signed_url": "u", "headers": {{{}}}}}"#, headers.join(", "))
    };
    assert_eq!(item(&line(MAX_HEADERS)).headers.len(), MAX_HEADERS);
    refused(&line(MAX_HEADERS + 1), "`headers` has 1001 entries, more than 1000");
    refused(&line(25_000), "`headers` has 25000 entries, more than 1000");
}

#[test]
fn a_key_of_another_name_is_answered_with_the_right_one() {
    const KNOWN: &str = "known are `path`, `signed_url`, `title`, `data_type`, `content_type`, `headers`";
    #[track_caller]
    fn check(key: &str, expected: &str) {
        refused(&format!(r#"{{"path": "a", "signed_url": "u", "{key}": "x"}}"#), expected);
    }
    check("url", "unknown key `url`: write `signed_url`");
    check("File", "unknown key `File`: write `path`");
    check("signed_uri", "unknown key `signed_uri`: write `signed_url`");
    check("tilte", "unknown key `tilte`: write `title`");
    check("checksum", &format!("unknown key `checksum`, {KNOWN}"));
    check("a/b?s3cret", &format!("unknown key, {KNOWN}"));
}

#[test]
fn lines_of_other_files_are_named() {
    refused(
        r#"{"index": 0, "path": "a", "title": "a", "status": "failed", "bytes": 0, "attempts": [], "error": null}"#,
        "this is a line of a report, for --retry-from; a manifest says what is to be uploaded",
    );
    refused(r#"{"journal": "encord-upload", "version": 1}"#, "this is a journal, for --journal");
    refused(
        r#"{"path": "a", "size": 1, "mtime_ns": 1, "target": "h/a"}"#,
        "this is a line of a journal, for --journal",
    );
}

#[test]
fn u6_a_text_that_is_not_unicode_is_not_the_lines_fault() {
    let item = item(r#"{"path": "a", "signed_url": "https://h/\ud800", "title": "t\udcf6"}"#);
    assert!(item.signed_url.is_some_and(|url| url.check().is_err()));
    assert_eq!(item.title.as_deref(), Some("t\u{fffd}"));
}

#[test]
fn a_line_needs_no_url_where_another_gives_it() {
    let record = read(r#"{"path": "a"}"#, Urls::Optional).expect("well-formed");
    assert!(record.into_item().signed_url.is_none());
    assert_eq!(read("{}", Urls::Optional).err().as_deref(), Some("`path` is missing"));
}

#[test]
fn u9_an_answer_of_a_program_is_read_and_not_shown() {
    let target = read_target(r#"{"path": "a", "signed_url": "https://h/a?s3cret", "headers": {"a": "b"}}"#);
    let target = target.expect("well-formed");
    assert_eq!((target.url.to_string(), &target.headers["a"]), ("h/a".to_owned(), &HeaderValue::from_static("b")));
    for (line, expected) in [
        ("https://h/a?s3cret", "not JSON: expected value at column 1"),
        ("{}", "`signed_url` is missing"),
        (r#"{"error": "no such bucket", "signed_url": null}"#, "no such bucket"),
        (r#"{"signed_url": ["https://h/a?s3cret"]}"#, "`signed_url` must be a string, not a list"),
    ] {
        assert_eq!(read_target(line).expect_err("no target"), expected);
    }
}
