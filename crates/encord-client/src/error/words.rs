//! The messages of the server, made safe to show.

use serde_json::Value;

/// The limit for a message that is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 1_000;

const SIGNATURE_DIGITS: usize = 128;

/// Returns the message of an answer of `v2` or of a proxy: `message`, or otherwise the `detail` of `FastAPI`.
pub(crate) fn of_answer(body: &[u8], secret: Option<&str>) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let words = match (value.get("message"), value.get("detail")) {
        (Some(Value::String(message)), _) if !message.is_empty() => message.clone(),
        (_, Some(Value::String(detail))) if !detail.is_empty() => detail.clone(),
        (_, Some(Value::Array(details))) => details.iter().map(validation).collect::<Vec<_>>().join("; "),
        _ => return None,
    };
    Some(plain(&words, secret))
}

/// Reads a validation error of `FastAPI`: `{"loc": ["body", "name"], "msg": "field required", "type": "missing"}`.
fn validation(detail: &Value) -> String {
    let Some(message) = detail.get("msg").and_then(Value::as_str) else { return detail.to_string() };
    let place: Vec<_> = detail.get("loc").and_then(Value::as_array).into_iter().flatten().map(text).collect();
    if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) }
}

/// Returns a string without quotes, any other value as JSON.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Removes control characters, queries of URLs and the secret, and limits the length.
pub(crate) fn plain(words: &str, secret: Option<&str>) -> String {
    let words = match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => words.replace(secret, "…"),
        None => words.to_owned(),
    };
    let words = without_signatures(&without_queries(&words));
    let mut shown: String = words.chars().take(MAX_MESSAGE_CHARS).flat_map(control_escaped).collect();
    if words.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn control_escaped(char: char) -> impl Iterator<Item = char> {
    let escape = char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let (kept, escaped) = if escape { (None, Some(char.escape_default())) } else { (Some(char), None) };
    kept.into_iter().chain(escaped.into_iter().flatten())
}

/// Removes signatures of `v1`, which have 128 hexadecimal digits and can be used again.
fn without_signatures(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for word in words.split_inclusive(|char: char| !char.is_ascii_hexdigit()) {
        let digits = word.trim_end_matches(|char: char| !char.is_ascii_hexdigit());
        if digits.len() >= SIGNATURE_DIGITS {
            shown.extend(["…", &word[digits.len()..]]);
        } else {
            shown.push_str(word);
        }
    }
    shown
}

/// Removes the queries of URLs (`https://host/path?…`), which may be credentials.
fn without_queries(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(start) = rest.find("://") {
        let (before, url) = rest.split_at(start);
        let end = url
            .find(|char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '<' | '>' | '`'))
            .unwrap_or(url.len());
        let (url, after) = url.split_at(end);
        shown.push_str(before);
        match url.split_once('?') {
            Some((place, _)) => shown.extend([place, "?…"]),
            None => shown.push_str(url),
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_words_show_no_secret_and_no_query() {
        for (words, expected) in [
            ("no such folder", "no such folder"),
            ("bad token s3cret!", "bad token …!"),
            ("GET https://h/p?X-Sig=abc failed", "GET https://h/p?… failed"),
            ("'https://h/p?a=b' and \"http://g/q\"", "'https://h/p?…' and \"http://g/q\""),
            ("a\u{1b}[31mred\nline\u{202e}\u{2028}\u{feff}", "a\\u{1b}[31mred\\nline\\u{202e}\\u{2028}\\u{feff}"),
            ("://?", "://?…"),
            (&format!("{}:{} is old", "0a".repeat(32), "1B".repeat(64)), &format!("{}:… is old", "0a".repeat(32))),
        ] {
            assert_eq!(plain(words, Some("s3cret")), expected);
        }
        assert_eq!(plain(&"ü".repeat(2_000), None).chars().count(), MAX_MESSAGE_CHARS + 1);
        assert_eq!(plain("x", Some("")), "x");
    }

    #[test]
    fn words_are_message_or_detail() {
        for (body, expected) in [
            (r#"{"message": "m", "detail": "d"}"#, Some("m")),
            (r#"{"message": "", "detail": "d"}"#, Some("d")),
            (r#"{"message": null, "detail": "d"}"#, Some("d")),
            (
                r#"{"detail": [{"loc": ["body", "name"], "msg": "field required", "type": "missing"}, {"msg": "x"}, 7]}"#,
                Some("body.name: field required; x; 7"),
            ),
            (r#"{"error": "e"}"#, None),
            ("[]", None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(of_answer(body.as_bytes(), None).as_deref(), expected, "{body}");
        }
    }
}
