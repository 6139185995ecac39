//! The secrets of a request, and the search for them in a text.

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

/// A text repeats a secret if it shares this many consecutive bytes with the secret.
pub(super) const WINDOW_BYTES: usize = 16;

/// The texts of a request that must not be shown: the values of its query, and of the headers with keys and tokens.
#[derive(Default)]
pub(crate) struct Secrets {
    /// In lower case.
    texts: Vec<Vec<u8>>,
}

/// A parameter whose name contains one of these holds a secret, even if the value is short.
const SECRET_NAMES: [&str; 9] =
    ["auth", "cookie", "credential", "key", "accessid", "password", "secret", "sig", "token"];
/// Parameters that say how a request is signed. A message of the store may name the same headers or the same algorithm.
const PUBLIC_NAMES: [&str; 2] = ["algorithm", "signedheaders"];

/// Shorter texts occur in too many messages by chance.
const MIN_SECRET_BYTES: usize = 4;
/// The same limit for parameters whose names do not show that they hold a secret.
const MIN_VALUE_BYTES: usize = 8;

impl Secrets {
    /// Collects the secrets of a request with this query, without its question mark, and these headers.
    pub(crate) fn of(query: &str, headers: &HeaderMap) -> Self {
        let mut secrets = Self::default();
        for pair in query.split(['&', ';']) {
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            secrets.add_parameter(&percent_decode_str(name).decode_utf8_lossy(), value);
        }
        for (name, value) in headers {
            secrets.add_header(name, &String::from_utf8_lossy(value.as_bytes()));
        }
        secrets
    }

    /// Returns the first byte of `text` from which on it repeats a secret.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let lower = text.to_ascii_lowercase();
        (0..lower.len()).filter(|at| lower.is_char_boundary(*at)).find(|at| {
            let rest = &lower.as_bytes()[*at..];
            self.texts.iter().any(|secret| {
                let window = secret.len().min(WINDOW_BYTES);
                rest.get(..window).is_some_and(|start| secret.windows(window).any(|part| part == start))
            })
        })
    }

    /// Adds the value as it is written in the query, and percent-decoded.
    fn add_parameter(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        if PUBLIC_NAMES.iter().any(|public| name.ends_with(public)) {
            return;
        }
        let min_bytes = if is_secret(&name) { MIN_SECRET_BYTES } else { MIN_VALUE_BYTES };
        let decoded: Vec<u8> = percent_decode_str(value).collect();
        for text in [value.as_bytes(), &decoded] {
            if text.len() >= min_bytes {
                self.texts.push(text.to_ascii_lowercase());
            }
        }
    }

    /// Adds the words of the value, except the scheme at its start and names of headers: `Bearer eyJ…`, `key:signature`,
    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=host;x-amz-date, Signature=…`.
    fn add_header(&mut self, name: &HeaderName, value: &str) {
        if !is_secret(name.as_str()) {
            return;
        }
        let credentials = value.split_once(' ').map_or(value, |(_scheme, credentials)| credentials);
        for word in credentials.split([' ', ',', ';', ':', '"']) {
            let word = match word.split_once('=') {
                // The part after `=` is a value, not base64 padding.
                Some((_name, value)) if !value.trim_matches('=').is_empty() => value,
                _ => word,
            };
            if word.len() >= MIN_VALUE_BYTES && !word.starts_with("x-") {
                self.texts.push(word.as_bytes().to_ascii_lowercase());
            }
        }
    }
}

fn is_secret(name: &str) -> bool {
    SECRET_NAMES.iter().any(|part| name.contains(part))
}
