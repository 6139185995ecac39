//! Errors of real stores are read, and no secret of the request is repeated.

use http::header::{AUTHORIZATION, HeaderValue};
use proptest::prelude::*;

use super::*;

const QUERY: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20240501%2Fus-east-1%2Fs3%2Faws4_request\
    &X-Amz-Date=20240501T120000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost\
    &X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024";

fn reason(body: &[u8]) -> Option<String> {
    Some(Reason::parse(&HeaderMap::new(), body, &Secrets::of(QUERY, &HeaderMap::new()))?.to_string())
}

#[track_caller]
fn check(body: &str, expected: Option<&str>) {
    assert_eq!(reason(body.as_bytes()).as_deref(), expected, "{body}");
}

#[test]
fn u9_the_query_of_a_url_is_cut() {
    check(
        r#"{"message": "Not good: https://blob.example/k?X-Goog-Signature=s1gned and more"}"#,
        Some("Not good: https://blob.example/k?…"),
    );
    check(r#"{"message": "https://blob.example/k is there? yes"}"#, Some("https://blob.example/k is there? yes"));
}

#[test]
fn u6_s3() {
    check(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we \
         calculated does not match the signature you provided. Check your key and signing method.</Message>\
         <AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20240501T120000Z</StringToSign>\
         <SignatureProvided>fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024</SignatureProvided>\
         <CanonicalRequest>PUT\n/b/a.jpg\nX-Amz-Algorithm=AWS4-HMAC-SHA256</CanonicalRequest>\
         <RequestId>TX0123456789</RequestId><HostId>c29tZQ==</HostId></Error>",
        Some(
            "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your \
             key and signing method.",
        ),
    );
    check(
        "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires>\
         <Expires>2024-05-01T13:00:00Z</Expires><ServerTime>2024-05-01T14:00:00Z</ServerTime></Error>",
        Some("AccessDenied: Request has expired"),
    );
    check(
        "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.\
         </Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>",
        Some("InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records."),
    );
    check(
        "<Error><Code>RequestTimeout</Code><Message>Your socket connection to the server was not read from or written to within \
         the timeout period. Idle connections will be closed.</Message></Error>",
        Some(
            "RequestTimeout: Your socket connection to the server was not read from or written to within the timeout period. Idle \
             connections will be closed.",
        ),
    );
    check(
        "<ErrorResponse xmlns=\"https://s3.example/\"><Error><Type>Sender</Type><Code>InvalidRequest</Code>\
         <Message>Please use AWS4-HMAC-SHA256.</Message></Error></ErrorResponse>",
        Some("InvalidRequest: Please use AWS4-HMAC-SHA256."),
    );
}

#[test]
fn u6_google() {
    check(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message>\
         <Details>The provided token has expired. Request signature expired at: 2024-05-01T13:00:00+00:00</Details></Error>",
        Some("ExpiredToken: Invalid argument."),
    );
    check(
        r#"{"error": {"code": 403, "message": "me@example.iam does not have storage.objects.create access.",
            "errors": [{"message": "no", "domain": "global", "reason": "forbidden"}]}}"#,
        Some("me@example.iam does not have storage.objects.create access."),
    );
}

#[test]
fn u6_azure() {
    check(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>MissingRequiredHeader</Code><Message>An HTTP header \
         that's mandatory for this request is not specified.\nRequestId:2fd1a5c2-001e-0000-0000-000000000000\n\
         Time:2024-05-01T12:00:00.0000000Z</Message><HeaderName>x-ms-blob-type</HeaderName></Error>",
        Some(
            "MissingRequiredHeader: An HTTP header that's mandatory for this request is not specified. \
             RequestId:2fd1a5c2-001e-0000-0000-000000000000 Time:2024-05-01T12:00:00.0000000Z (x-ms-blob-type)",
        ),
    );
    check(
        "<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.</Message>\
         <AuthenticationErrorDetail>Signature did not match. String to sign used was c\n\n2024</AuthenticationErrorDetail></Error>",
        Some("AuthenticationFailed: Server failed to authenticate the request."),
    );
    check(
        r#"{"error": {"code": "BlobImmutableDueToPolicy", "message": "This operation is not permitted."}}"#,
        Some("BlobImmutableDueToPolicy: This operation is not permitted."),
    );
    let mut headers = HeaderMap::new();
    headers.insert("x-ms-error-code", HeaderValue::from_static("BlobNotFound"));
    let of = |body: &[u8]| Reason::parse(&headers, body, &Secrets::default()).map(|reason| reason.to_string());
    assert_eq!(of(b"").as_deref(), Some("BlobNotFound"));
    assert_eq!(of(b"<html></html>").as_deref(), Some("BlobNotFound"));
    assert_eq!(of(b"<Error><Code>Other</Code></Error>").as_deref(), Some("Other"));
}

#[test]
fn u6_json() {
    check(r#"{"message": "no such folder"}"#, Some("no such folder"));
    check(r#"{"detail": "Not authenticated"}"#, Some("Not authenticated"));
    check(r#"{"detail": [{"loc": ["body"], "msg": "Field required", "input": 5}]}"#, Some("Field required"));
    check(
        r#"{"statusCode": "404", "error": "Bucket not found", "message": "Bucket"}"#,
        Some("Bucket not found: Bucket"),
    );
    for body in
        ["{}", r#"{"error": 5}"#, r#"{"message": {"a": 1}}"#, r#"{"detail": []}"#, r#"{"message": "cut"#, "[1]", "5"]
    {
        check(body, None);
    }
}

#[test]
fn u6_escapes_are_read() {
    check(
        "<Error><Code>A&amp;B</Code><Message>&lt;&#39;&#x1F600;&gt; <![CDATA[<raw> & so]]>&nbsp;</Message></Error>",
        Some("A&B: <'😀> <raw> & so\u{fffd}"),
    );
    check(r#"{"message": "\u0041\ud83d\ude00"}"#, Some("A😀"));
}

#[test]
fn u6_bodies_that_are_no_errors() {
    let deep = "<a>".repeat(20_000);
    for body in [
        "",
        " ",
        "Access Denied",
        "<",
        "<Error",
        "<Error><Code>",
        "<Error><Code>NoEnd",
        "<Code>AtTheRoot</Code>",
        "<html><body><h1>502 Bad Gateway</h1></body></html>",
        "<a><b><c><Code>TooDeep</Code></c></b></a>",
        "<Error><Code></Code><Message> \n </Message></Error>",
        "</Code></Code></Code>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><Error>&b;</Error>",
        &deep,
    ] {
        check(body, None);
    }
    assert_eq!(reason(b"\x00\xff\xfe<Error>"), None);
    assert_eq!(reason(b"<Error><Code>\xff\x00A</Code></Error>").as_deref(), Some("\u{fffd}\\u{0}A"));
    // Elements that are complete before the body is cut off are read.
    check("<Error><Code>SlowDown</Code><Message>Reduce your requ", Some("SlowDown"));
    // Only the first element of each name counts, and nothing behind the limit is read.
    check("<Error><Code>A</Code><Code>B</Code></Error>", Some("A"));
    check(&format!("<Error><a>{}</a><Code>Late</Code></Error>", "x".repeat(MAX_BODY_BYTES)), None);
}

#[test]
fn u9_a_text_is_one_line_of_bounded_length() {
    check("<Error><Message>a\r\n\tb \u{1b}[31m\u{202e}c</Message></Error>", Some("a b \\u{1b}[31m\\u{202e}c"));
    for (char, count) in [("x", 299), ("é", 299), ("\u{7}", 49)] {
        let long = reason(format!("<Error><Message>{}</Message></Error>", char.repeat(70_000 / 7)).as_bytes()).unwrap();
        let shown = if char == "\u{7}" { "\\u{7}" } else { char };
        assert!(long.chars().count() <= 300, "{long}");
        assert!(long.starts_with(&shown.repeat(count)) && long.ends_with('…'), "{long}");
    }
    check(&format!("<Error><Code>{}</Code></Error>", "C".repeat(200)), Some(&format!("{}…", "C".repeat(99))));
}

#[test]
fn u9_a_secret_of_the_query_is_cut() {
    let message = |text: &str| format!("<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>");
    let shown = [
        ("no AKIAIOSFODNN7EXAMPLE here", "AccessDenied: no…"),
        ("no akiaiosfodnn7example/20240501 here", "AccessDenied: no…"),
        ("key AKIAIOSFODNN7EXAMPLE%2F20240501", "AccessDenied: key…"),
        ("got fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024", "AccessDenied: got…"),
        ("got fe5f80f77d5fa3be…", "AccessDenied: got…"),
        (
            "PUT /b/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&amp;X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20240501",
            "AccessDenied: PUT \
          /b/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…",
        ),
        ("AKIAIOSFODNN7EXAMPLE/20240501 is unknown", "AccessDenied"),
        (
            "X-Amz-Signature and content-type;host are named",
            "AccessDenied: X-Amz-Signature and content-type;host are named",
        ),
    ];
    for (text, expected) in shown {
        check(&message(text), Some(expected));
    }
    check("<Error><Code>AKIAIOSFODNN7EXAMPLE</Code></Error>", None);
}

#[test]
fn u9_a_secret_of_the_headers_is_cut() {
    #[track_caller]
    fn check(name: &'static str, value: &'static str, text: &str, expected: &str) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
        let secrets = Secrets::of("sig=5ecre7&n=short", &headers);
        let body = serde_json::json!({ "message": text }).to_string();
        let reason = Reason::parse(&HeaderMap::new(), body.as_bytes(), &secrets);
        assert_eq!(reason.map(|reason| reason.to_string()).as_deref(), Some(expected));
    }
    check("authorization", "Bearer eyJhbGciOi.abc", "bad token eyJhbGciOi.abc", "bad token…");
    check(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIA1234/x, Signature=abcdef0123",
        "AWS4-HMAC-SHA256: abcdef0123",
        "AWS4-HMAC-SHA256:…",
    );
    check("authorization", "03a107bff3ce10be:0bc386624d7c4cd1", "user 0BC386624D7C4CD1", "user…");
    check("signature", "encord-sig=:+g0zIDrvIK8tfMoL==:", "is +g0zIDrvIK8tfMoL==", "is…");
    check("x-amz-security-token", "FwoGZXIvYXdzE", "token FwoGZXIvYXdzE is old", "token…");
    check("content-type", "image/jpeg", "image/jpeg or short or 5ecre", "image/jpeg or short or 5ecre");
    check("content-type", "image/jpeg", "the signature is 5ecre7", "the signature is…");
}

fn wrapped(form: u8, text: &str) -> Vec<u8> {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    match form {
        0 => format!("<Error><Code>{escaped}</Code></Error>").into(),
        1 => format!("<Error><Code>A</Code><Message>{escaped}</Message></Error>").into(),
        2 => format!("<Error><HeaderName>{escaped}</HeaderName></Error>").into(),
        3 => format!("<Error><Message><![CDATA[{text}]]></Message></Error>").into(),
        4 => serde_json::json!({ "error": { "code": text, "message": text } }).to_string().into(),
        _ => serde_json::json!({ "detail": text }).to_string().into(),
    }
}

proptest! {
    #[test]
    fn u9_no_secret_passes(
        secret in "[A-Za-z0-9+/]{16,200}",
        before in "[ -~]{0,320}",
        after in "[ -~]{0,40}",
        form in 0u8..6,
        in_header: bool,
    ) {
        let (query, headers) = if in_header {
            let value = HeaderValue::from_str(&format!("Bearer {secret}")).unwrap();
            (String::new(), HeaderMap::from_iter([(AUTHORIZATION, value)]))
        } else {
            (format!("name={}", percent_encoding::utf8_percent_encode(&secret, percent_encoding::NON_ALPHANUMERIC)), HeaderMap::new())
        };
        let body = wrapped(form, &format!("{before}{secret}{after}"));
        if let Some(reason) = Reason::parse(&HeaderMap::new(), &body, &Secrets::of(&query, &headers)) {
            let shown = reason.to_string();
            prop_assert!(!shown.contains(&secret[..16]) && !shown.contains(&secret[secret.len() - 16..]), "{shown}");
        }
    }

    #[test]
    fn u9_any_body_is_safe(mut body: Vec<u8>, start in 0usize..6) {
        body.splice(..0, [b"".as_slice(), b"{", b"<", b"<Error><Code>", b"<Error><Message>&", b"{\"message\":\""][start].iter().copied());
        if let Some(reason) = reason(&body) {
            prop_assert!(reason.chars().count() <= MAX_CODE_CHARS + 2 + MAX_MESSAGE_CHARS);
            prop_assert!(!reason.chars().any(char::is_control));
        }
    }

    #[test]
    fn u6_what_is_written_is_read(code in "[A-Za-z]{1,40}", message in "[!-~]{1,40}( [!-~]{1,40}){0,3}") {
        let expected = Some(format!("{code}: {message}"));
        let escaped = message.replace('&', "&amp;").replace('<', "&lt;");
        let xml = format!("<Error><Code>{code}</Code><Message>{escaped}</Message></Error>");
        prop_assert_eq!(Reason::parse(&HeaderMap::new(), xml.as_bytes(), &Secrets::default()).map(|r| r.to_string()), expected.clone());
        let json = serde_json::json!({ "error": { "code": code, "message": message } }).to_string();
        prop_assert_eq!(Reason::parse(&HeaderMap::new(), json.as_bytes(), &Secrets::default()).map(|r| r.to_string()), expected);
    }
}
