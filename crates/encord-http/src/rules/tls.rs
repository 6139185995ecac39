//! The errors of TLS: their texts, and the faults that they become.

use std::time::{Duration, SystemTime};

use rustls::pki_types::UnixTime;
use rustls::{CertificateError, InvalidMessage};

use crate::fault::{Fault, FaultKind};

/// Returns the fault of an error of rustls.
pub(crate) fn fault(error: &rustls::Error) -> Fault {
    let fault = match error {
        rustls::Error::InvalidCertificate(error) => Fault::new(FaultKind::Certificate, certificate(error)),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            Fault::new(FaultKind::Tls, "the server does not speak TLS on this port")
        }
        error => Fault::new(FaultKind::Tls, words(&error.to_string())),
    };
    fault.with_source(error.clone())
}

fn certificate(error: &CertificateError) -> String {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, Revoked,
        UnknownIssuer,
    };
    match error {
        UnknownIssuer => "it was issued by an authority that is not trusted here".into(),
        Expired => "it has expired".into(),
        ExpiredContext { not_after, .. } => format!("it expired on {}", date(*not_after)),
        NotValidYet => "it is not valid yet".into(),
        NotValidYetContext { not_before, .. } => format!("it is not valid before {}", date(*not_before)),
        Revoked => "it has been revoked".into(),
        NotValidForName => "it is for another host".into(),
        NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare_name(name)).collect();
            let names = if names.is_empty() { "no host".into() } else { names.join(", ") };
            format!("it is for {names}, not for {}", expected.to_str())
        }
        // rustls gives this error of its verifier as a text only.
        error if error.to_string().contains("CaUsedAsEndEntity") => {
            "it is the certificate of an authority (CA), used as that of a server: let the server show one that the authority \
             has issued for it"
                .into()
        }
        error => words(&error.to_string()),
    }
}

fn date(time: UnixTime) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs()))
}

/// Returns `a.example` for `DnsName("a.example")`, the form in which rustls writes the names of a certificate.
fn bare_name(name: &str) -> &str {
    name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name).trim_matches('"')
}

/// Turns the names of Rust types in a text of rustls into words: `Other(OtherError(BadPurpose))` becomes `bad purpose`.
pub(crate) fn words(text: &str) -> String {
    let wrappers = ["Other(", "OtherError("];
    let mut text = text.to_owned();
    for wrapper in wrappers {
        while let Some((before, after)) = text.split_once(wrapper) {
            text = format!("{before}{}", after.strip_suffix(')').unwrap_or(after));
        }
    }
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Splits a name in camel case into words. Other texts stay as they are.
fn word(word: &str) -> String {
    let has_hump = word.char_indices().any(|(at, letter)| at > 0 && letter.is_ascii_uppercase());
    let has_lower = word.chars().any(|letter| letter.is_ascii_lowercase());
    if !has_hump || !has_lower || !word.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return word.to_owned();
    }
    let mut words = String::new();
    for (at, letter) in word.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_names_of_types_become_words() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(words(text), expected);
        }
        check("received fatal alert: CertificateRequired", "received fatal alert: certificate required");
        check("Other(OtherError(BadPurpose))", "bad purpose");
        check("invalid peer certificate: Other(OtherError(BadPurpose))", "invalid peer certificate: bad purpose");
        check("TLS 1.3 DNS iPhone SHA256 plain", "TLS 1.3 DNS i phone SHA256 plain");
        check("", "");
    }

    #[test]
    fn r3_certificates_in_words() {
        let detail = |error| fault(&rustls::Error::InvalidCertificate(error)).detail().to_owned();
        assert_eq!(detail(CertificateError::Revoked), "it has been revoked");
        assert_eq!(detail(CertificateError::BadSignature), "bad signature");
        assert_eq!(
            detail(CertificateError::ExpiredContext {
                time: UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000)),
                not_after: UnixTime::since_unix_epoch(Duration::from_secs(1_600_000_000)),
            }),
            "it expired on Sun, 13 Sep 2020 12:26:40 GMT"
        );
    }
}
