//! The code and the message in an answer of 400 and above. No other part of the answer is shown.
//!
//! A store may repeat the request in its errors: S3 sends back the key's id, the signature and the canonical request. So only the
//! elements below are read, and a text is cut where it begins to repeat a secret of the request (rule U9).

mod secrets;
#[cfg(test)]
mod tests;

use std::fmt;

use http::HeaderMap;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use serde_json::Value;

pub(crate) use self::secrets::Secrets;

/// How much of a body is parsed. Errors of stores have 1 to 4 KiB.
const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_MESSAGE_CHARS: usize = 300;
const MAX_CODE_CHARS: usize = 100;

/// The code and the message with which a server explains a status of 400 and above.
///
/// Both are read from the XML errors of S3, Google Cloud Storage and Azure (`<Code>`, `<Message>`, `<HeaderName>`), from Azure's
/// header `x-ms-error-code`, and from JSON (`error.code`, `error.message`, `error`, `message`, `detail`). Each is one line
/// without control characters, at most 300 characters long. A text that repeats a secret of the request ends before it with `…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    code: Option<Box<str>>,
    message: Option<Box<str>>,
}

impl Reason {
    /// Returns the code, such as `SignatureDoesNotMatch`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the message, such as `Access Denied`.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Reads the headers and the body of an answer. If the body is cut off, its complete elements are read.
    pub(crate) fn parse(headers: &HeaderMap, body: &[u8], secrets: &Secrets) -> Option<Self> {
        let body = &body[..body.len().min(MAX_BODY_BYTES)];
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        let Found { code, message, header } = match body.first() {
            Some(b'<') => Found::in_xml(&String::from_utf8_lossy(body)),
            Some(b'{') => Found::in_json(body),
            _ => Found::default(),
        };
        let code = code.or_else(|| Some(headers.get("x-ms-error-code")?.to_str().ok()?.to_owned()));
        let message = match (message, header) {
            (Some(message), Some(header)) => Some(format!("{} ({header})", message.trim_end())),
            (message, header) => message.or(header),
        };
        let reason = Self {
            code: code.and_then(|code| shown(&code, MAX_CODE_CHARS, secrets)),
            message: message.and_then(|message| shown(&message, MAX_MESSAGE_CHARS, secrets)),
        };
        (reason.code.is_some() || reason.message.is_some()).then_some(reason)
    }
}

/// Writes `SignatureDoesNotMatch: The request signature we calculated does not match …`, or the one of the two that is known.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(text), None) | (None, Some(text)) => f.write_str(text),
            (None, None) => Ok(()),
        }
    }
}

/// The texts as the server wrote them, with their secrets.
#[derive(Default)]
struct Found {
    code: Option<String>,
    message: Option<String>,
    /// The name of a header that is missing or wrong.
    header: Option<String>,
}

impl Found {
    /// Finds the first complete element of each name, in the root or one level below it (`<ErrorResponse><Error>`).
    fn in_xml(body: &str) -> Self {
        const MAX_DEPTH: usize = 3;

        let mut found = Self::default();
        let mut reader = Reader::from_str(body);
        let mut depth = 0_usize;
        let mut text = String::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(_)) => {
                    depth += 1;
                    text.clear();
                }
                Ok(Event::Text(part)) => text.push_str(&part.xml10_content()),
                Ok(Event::CData(part)) => text.push_str(&part),
                Ok(Event::GeneralRef(entity)) => {
                    match (entity.resolve_char_ref(), resolve_predefined_entity(&entity)) {
                        (Ok(Some(char)), _) => text.push(char),
                        (_, Some(known)) => text.push_str(known),
                        // Entities that the document itself defines are not resolved.
                        _ => text.push(char::REPLACEMENT_CHARACTER),
                    }
                }
                Ok(Event::End(end)) => {
                    let field = match end.local_name().into_inner() {
                        "Code" => Some(&mut found.code),
                        "Message" => Some(&mut found.message),
                        "HeaderName" => Some(&mut found.header),
                        _ => None,
                    };
                    if let Some(field) = field.filter(|field| field.is_none() && (2..=MAX_DEPTH).contains(&depth)) {
                        *field = Some(std::mem::take(&mut text));
                    }
                    text.clear();
                    depth = depth.saturating_sub(1);
                }
                Ok(Event::Eof) | Err(_) => return found,
                Ok(_) => {}
            }
        }
    }

    /// Reads `{"error": {"code", "message"}}` of Google and Azure, `{"error", "message"}`, and `{"detail"}` of the platform.
    fn in_json(body: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<Value>(body) else { return Self::default() };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (error, detail) = (&json["error"], &json["detail"]);
        Self {
            // Google's code is a number, the status. It is not repeated.
            code: text(&error["code"]).or_else(|| text(error)),
            message: [&error["message"], &json["message"], detail, &detail[0]["msg"]].into_iter().find_map(text),
            header: None,
        }
    }
}

/// Returns the text as one line of at most `max_chars` characters, without secrets and control characters.
fn shown(text: &str, max_chars: usize, secrets: &Secrets) -> Option<Box<str>> {
    // Later text cannot be shown. It is not needed to find a secret that begins in the part that can be shown.
    let words = text.split_whitespace().flat_map(|word| [" ", word]).skip(1);
    let line: String = words.flat_map(str::chars).take(max_chars + secrets::WINDOW_BYTES).collect();
    let safe = &line[..[secrets.find(&line), query_of_a_url(&line)].into_iter().flatten().min().unwrap_or(line.len())];
    let mut shown = String::new();
    let mut chars = 0;
    for char in safe.chars() {
        let escaped = if is_hidden(char) { char.escape_unicode().to_string() } else { char.to_string() };
        chars += escaped.chars().count();
        if chars >= max_chars {
            break;
        }
        shown.push_str(&escaped);
    }
    let cut = chars >= max_chars || safe.len() < line.len();
    let shown = shown.trim_end();
    match (shown.is_empty(), cut) {
        (true, _) => None,
        (false, true) => Some(format!("{shown}…").into()),
        (false, false) => Some(shown.into()),
    }
}

/// Returns where the query of a URL begins. The query may be the credential of another request.
fn query_of_a_url(line: &str) -> Option<usize> {
    line.match_indices("://").find_map(|(start, _)| {
        let url = line[start..].split(' ').next()?;
        Some(start + url.find('?')? + 1)
    })
}

/// Whether a character could forge a line: control characters, and characters without width or that change the direction of text.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(char, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
