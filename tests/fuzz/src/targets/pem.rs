//! Certificates and keys as PEM text.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use encord_http::{Identity, InvalidCertificate, RootCertificates};

/// A certificate that was made for these tests.
const CERTIFICATE: &str = "
-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUQ2YQRAF9zCEnniShjCj9uRt264gwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGZnV6eiAxMCAXDTI2MTEyNTA0MDg1M1oYDzIxMjYxMTAxMDQw
ODUzWjARMQ8wDQYDVQQDDAZmdXp6IDEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQVnEpK9BJaF+3UM8DyITPXDEbM8Djk9VAcX0QrKuMP735tV8J43fn5BquUrARs
U4n2u9wKrjPyJI455paQRrHko1MwUTAdBgNVHQ4EFgQUk7JIMZKiwMCzZtZdckOV
38XXngUwHwYDVR0jBBgwFoAUk7JIMZKiwMCzZtZdckOV38XXngUwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAwbUmjuDI7/ZDFHQVbFpddMJ4p7ct
M/359s9ZHtCuI74CIAb+DgaSwIidS/mdtn2ygjZN/2wf1oIVVyBX5+E2SEpW
-----END CERTIFICATE-----
";
const KEY: &str = "
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHbXgyyMGl/HjuTcf
kPJMBF8NpFtKNZdX2ZPtLF4cWZGhRANCAAQVnEpK9BJaF+3UM8DyITPXDEbM8Djk
9VAcX0QrKuMP735tV8J43fn5BquUrARsU4n2u9wKrjPyJI455paQRrHk
-----END PRIVATE KEY-----
";

/// The first two bytes are the place of the secret in the text after them. All certificates are accepted, adding one adds one, and
/// no output shows a part of a certificate or a key.
pub(super) fn check(mut data: &[u8]) {
    let place = usize::from(u16::from_be_bytes(crate::take(&mut data))).min(data.len());
    let longer = [data, CERTIFICATE.as_bytes()].concat();
    let before = match RootCertificates::from_pem(data) {
        Ok(roots) => Some(count(&roots)),
        Err(InvalidCertificate::NoCertificate) => Some(0),
        Err(_) => None,
    };
    if let Some(before) = before {
        let longer = RootCertificates::from_pem(&longer).expect("a good one more");
        assert_eq!(count(&longer), before + 1);
        // Other certificates may follow.
        let chain = [CERTIFICATE.as_bytes(), data].concat();
        assert_eq!(format!("{:?}", Identity::from_pem(chain, KEY)), "Ok(Identity(…))");
    }

    let secret = [&data[..place], crate::SECRET.as_bytes(), &data[place..]].concat();
    hidden(&secret);
    for label in ["CERTIFICATE", "PRIVATE KEY"] {
        let text = BASE64_STANDARD.encode(&secret);
        hidden(format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").as_bytes());
    }
}

/// Reads the number from the `Debug` form: `RootCertificates(2)`.
fn count(roots: &RootCertificates) -> usize {
    let shown = format!("{roots:?}");
    let number = shown.strip_prefix("RootCertificates(").and_then(|rest| rest.strip_suffix(')'));
    number.and_then(|number| number.parse().ok()).expect("a number")
}

fn hidden(text: &[u8]) {
    let roots = RootCertificates::from_pem(text);
    let identities = [(text, text), (CERTIFICATE.as_bytes(), text), (text, KEY.as_bytes())]
        .map(|(chain, key)| Identity::from_pem(chain, key));
    let told = format!("{roots:?} {identities:?}");
    let errors = roots.err().into_iter().chain(identities.into_iter().filter_map(Result::err));
    let told = errors.fold(told, |told, error| format!("{told} {error}"));
    let encoded = BASE64_STANDARD.encode(crate::SECRET);
    assert!(!told.contains(crate::SECRET) && !told.contains(&encoded), "{told}");
}
