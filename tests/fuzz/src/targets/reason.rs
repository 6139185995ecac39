//! Bodies of error answers (rules U6 and U9).

use encord_http::HeaderMap;
use serde_json::json;

use crate::rules::reason::{Reason, Secrets};

/// A part of the signature in [`QUERY`]. No error may contain it.
const SIGNATURE: &str = "fe5f80f77d5fa3be";
const QUERY: &str = "X-Amz-Date=20240501T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=fe5f80f77d5fa3be&sig=s3cr3t";
/// In an input, separates the code and the message of an error.
const SEPARATOR: char = '|';

/// For any answer, the reason is one short line without secrets. A plain reason is unchanged.
pub(super) fn check(mut data: &[u8]) {
    let [form] = crate::take(&mut data);
    // Parses the input as a body, then as the texts of a body.
    let _ = parse(data, "");
    let text = String::from_utf8_lossy(data);
    let (code, message) = text.split_once(SEPARATOR).unwrap_or(("Code", &text));
    let element = |text: &str| match form & 4 {
        0 => format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")),
        _ => text.replace('&', "&amp;").replace('<', "&lt;"),
    };
    let body = match form & 3 {
        0 => format!("<Error><Code>{}</Code><Message>{}</Message><A>b</A></Error>", element(code), element(message)),
        1 => format!(
            "<?xml version='1.0'?>\n<E xmlns='x'><Error>\n<Message>{}</Message><Code>{}</Code></Error></E>",
            element(message),
            element(code)
        ),
        2 => json!({"error": {"code": code, "message": message}}).to_string(),
        _ => json!({"detail": message, "error": code}).to_string(),
    };
    let reason = parse(body.as_bytes(), "");
    for (said, read, max) in
        [(code, reason.as_ref().and_then(Reason::code), 100), (message, reason.as_ref().and_then(Reason::message), 300)]
    {
        if is_plain(said) && said.len() < max {
            let words = said.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(read.unwrap_or_default(), words, "{body}");
        }
    }

    // A secret of the request is removed from any place.
    let secret: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    if secret.len() >= 8 {
        let repeated = json!({"message": format!("{message}{}", secret.to_ascii_uppercase())}).to_string();
        let _ = parse(repeated.as_bytes(), &secret);
    }
}

/// Parses a body, and checks the properties of every reason.
fn parse(body: &[u8], secret: &str) -> Option<Reason> {
    let query = format!("{QUERY}&token={secret}");
    let reason = Reason::parse(&HeaderMap::new(), body, &Secrets::of(&query, &HeaderMap::new()))?;
    assert!(reason.code().is_some() || reason.message().is_some());
    for (text, max) in [(reason.code(), 100), (reason.message(), 300)] {
        let Some(text) = text else { continue };
        assert!((1..=max).contains(&text.chars().count()), "{text:?}");
        assert!(
            !text.contains(|char: char| char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char)),
            "{text:?}"
        );
        assert_eq!(text, text.trim());
        let lower = text.to_ascii_lowercase();
        for secret in [SIGNATURE, "s3cr3t", &secret.to_ascii_lowercase()] {
            assert!(secret.is_empty() || !lower.contains(secret), "{text:?} repeats {secret}");
        }
    }
    Some(reason)
}

/// Whether a text is printable ASCII without a URL and without parts of a secret.
fn is_plain(text: &str) -> bool {
    let can_be_shown = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    let lower = text.to_ascii_lowercase();
    text.bytes().all(can_be_shown)
        && ![SIGNATURE, "20240501t120000z", "s3cr3t", "://"].iter().any(|part| lower.contains(part))
}
