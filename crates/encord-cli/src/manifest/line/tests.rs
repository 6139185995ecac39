//! Lines that are read, and the exact reasons of those that are not.

use std::path::Path;

use super::*;

#[track_caller]
fn refused(line: &str, expected: &str) {
    let reason = read(line.as_bytes()).expect_err("malformed");
    assert_eq!(reason, expected);
}

#[test]
fn a_line_needs_path_and_url_only() {
    let item = read(br#"{"path": "a/b.jpg", "signed_url": "https://h/p?sig=s3cret"}"#).expect("well-formed");
    assert_eq!(item.path, Path::new("a/b.jpg"));
    assert_eq!(item.signed_url.map(|url| url.to_string()).as_deref(), Some("h/p"));
    assert_eq!(item.title, None);
    assert_eq!(item.kind, ItemKind::Image);
    assert_eq!(item.content_type, None);
    assert!(item.headers.is_empty());

    let nulls =
        r#"{"path": "a", "signed_url": "", "title": null, "data_type": null, "content_type": null, "headers": null}"#;
    assert!(read(nulls.as_bytes()).is_ok());
}

#[test]
fn a_line_can_say_all() {
    let line = r#"{"headers": {"x-ms-blob-type": "BlockBlob"}, "content_type": "video/mp4", "data_type": "video",
        "title": "A", "signed_url": "https://h/p", "path": "a"}"#;
    let item = read(line.as_bytes()).expect("well-formed");
    assert_eq!(item.title.as_deref(), Some("A"));
    assert_eq!(item.kind, ItemKind::Video);
    assert_eq!(item.content_type, Some(HeaderValue::from_static("video/mp4")));
    assert_eq!(item.headers["x-ms-blob-type"], "BlockBlob");
}

#[test]
fn u6_a_url_that_cannot_be_parsed_is_not_the_lines_fault() {
    let item = read(br#"{"path": "a", "signed_url": "not a url"}"#).expect("well-formed");
    assert!(item.signed_url.is_some_and(|url| url.check().is_err()));
}

#[test]
fn malformed_lines_say_why() {
    refused("{", "not JSON: EOF while parsing an object at column 1");
    refused("{} {}", "not JSON: trailing characters at column 4");
    refused(
        "{\"path\": \"\u{1}\"}",
        "not JSON: control character (\\u0000-\\u001F) found while parsing a string at column 11",
    );
    refused("[]", "must be a JSON object, not a list");
    refused("{}", "`path` is missing");
    refused(r#"{"path": "a"}"#, "`signed_url` is missing");
    refused(r#"{"path": null, "signed_url": "u"}"#, "`path` is missing");
    refused(r#"{"path": 5, "signed_url": "u"}"#, "`path` must be a string, not a number");
    refused(r#"{"path": "a", "path": "b", "signed_url": "u"}"#, "`path` is given more than once");
    refused(r#"{"path": "a", "\u0070ath": null, "signed_url": "u"}"#, "`path` is given more than once");
    refused(
        r#"{"path": "a", "signed_url": "u", "tilte": "x"}"#,
        "unknown key `tilte`, known are `path`, `signed_url`, `title`, `data_type`, `content_type`, `headers`",
    );
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
    check("IMAGE", &format!("unknown `data_type` `IMAGE`, {KNOWN}"));
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
        "`content_type` is empty; null or nothing stands for the one of the data type",
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
        let reason = read(template.replace("URL", URL).as_bytes()).expect_err("malformed");
        assert!(!reason.contains("s3cret") && !reason.contains("storage"), "{template}: {reason}");
    }
    refused(r#"{"path": "HTTPS://h/a?s3cret", "signed_url": "a"}"#, "`path` is a URL; it must be the file");
    refused(r#"{"path": "Http://h/a", "signed_url": "a"}"#, "`path` is a URL; it must be the file");
    refused(r#"{"path": "a", "signed_url": "u", "title": "http://h/a"}"#, "`title` is a URL; it must be a name");
    for path in ["http:/a", "https", "é", "a/http://h"] {
        assert!(read(format!(r#"{{"path": "{path}", "signed_url": "u"}}"#).as_bytes()).is_ok(), "{path}");
    }
}
