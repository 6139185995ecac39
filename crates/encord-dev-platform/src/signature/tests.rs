//! Tests with recorded requests of the SDK, unchanged and changed.

use http::HeaderValue;

use super::*;

const KEY: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const CREATED: u64 = 1_714_564_800;
const SKEW: Duration = Duration::from_secs(300);

const TOKEN: (&str, &str) = (
    "/v2/public/user/bearer-token",
    "0/ZsJbnOn4nnaEtUaA6X8Ek0XM1H6B13GtTHxVExCf8AX1yWdjkAg0r86Q2KqwX1Dktgu5dISn0Eh9xRvvzXCg==",
);

fn input() -> String {
    format!("encord-sig={COVERED};created={CREATED};keyid=\"{KEY}\";alg=\"ed25519\"")
}

fn headers(digest: &str, input: &str, signature: &str) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-digest", value(&format!("sha-256=:{digest}:")));
    headers.insert("signature-input", value(input));
    headers.insert("signature", value(&format!("encord-sig=:{signature}:")));
    headers
}

fn sender() -> Sender {
    Sender::Key(unhex(KEY).unwrap().try_into().unwrap())
}

fn token(headers: &HeaderMap, now: u64) -> Result<Sender, BadSignature> {
    newer(&Method::GET, TOKEN.0, headers, b"", now, SKEW)
}

#[test]
fn recorded_requests_are_good() {
    #[track_caller]
    fn check(method: &Method, target: &str, body: &str, digest: &str, signature: &str) {
        let headers = headers(digest, &input(), signature);
        assert_eq!(newer(method, target, &headers, body.as_bytes(), CREATED, SKEW), Ok(sender()));
    }
    check(&Method::GET, TOKEN.0, "", EMPTY, TOKEN.1);
    check(
        &Method::GET,
        "/v2/public/storage/folders?search=a+b%26c%2F%C3%BC&isRecursive=False&datasetSynced=True&order=name&desc=False&pageSize=2",
        "",
        EMPTY,
        "Hmu3epnogcHLqTVU/4fVHSgk+f5bk0CcQ+FmXPzXF0KPlKyRhRuzXznJwXCiXpBSNbhAWD/pMaB9KfQjwgAXAQ==",
    );
    check(
        &Method::POST,
        "/v2/public/storage/folders",
        r#"{"name": "\u00dcn\u00efcode & co", "description": "d", "clientMetadata": "{\"k\": [1, 2]}"}"#,
        "cNkaoM0puPb+WYf7bVi0G8EHsd55iNr7EfHiMtuZgCc=",
        "spln9W8Q90TchT9QdGyC1E70mdkZjj7P7aI7VaHrOQks0GuDefv//5S4Td/kXnfmODWssUvU3wiJ2ISeggV4BA==",
    );
}

#[test]
fn a_recorded_envelope_is_good_and_another_body_is_not() {
    let body =
        br#"{"query_type": "modelconfiguration", "query_method": "GET", "values": {"uid": null, "payload": null}}"#;
    let signature = "2d3f5f0605e7accf6f30b9914f82d8e216fc7b62f8fbf270508fd1532a7cc45b63da6fe735d10298d342748a4fab730a497e83a2096d1af74e47b868748ae50b";
    let headers = |value: String| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
        headers
    };
    let good = headers(format!("{KEY}:{signature}"));
    assert_eq!(older(&good, body), Ok(sender()));
    assert_eq!(older(&good, b"{}"), Err(BadSignature::Mismatch));
    assert_eq!(older(&HeaderMap::new(), body), Err(BadSignature::Missing));
    for bad in
        ["x".to_owned(), format!("{}:{signature}", KEY.to_uppercase()), format!("{KEY}:0"), format!(":{signature}")]
    {
        assert_eq!(older(&headers(bad), body), Err(BadSignature::Malformed("Authorization")));
    }
    assert_eq!(older(&headers(format!("{KEY}:00")), body), Err(BadSignature::Mismatch));
    assert_eq!(older(&headers("Bearer abc".to_owned()), body), Ok(Sender::Token("abc".to_owned())));
}

#[test]
fn the_clocks_may_differ_by_the_skew() {
    let headers = headers(EMPTY, &input(), TOKEN.1);
    assert_eq!(token(&headers, CREATED + 300), Ok(sender()));
    assert_eq!(token(&headers, CREATED - 300), Ok(sender()));
    assert_eq!(token(&headers, CREATED + 301), Err(BadSignature::Old(301)));
    assert_eq!(token(&headers, CREATED - 301), Err(BadSignature::Early(301)));
}

#[test]
fn whatever_is_covered_cannot_be_changed() {
    let good = headers(EMPTY, &input(), TOKEN.1);
    let check = |method, target, body: &[u8]| newer(&method, target, &good, body, CREATED, SKEW);
    assert_eq!(check(Method::POST, TOKEN.0, b""), Err(BadSignature::Mismatch));
    assert_eq!(check(Method::GET, "/v2/public/user/bearer-token?", b""), Err(BadSignature::Mismatch));
    assert_eq!(check(Method::GET, TOKEN.0, b"x"), Err(BadSignature::Digest));
    let later = input().replace("4800", "4801");
    assert_eq!(token(&headers(EMPTY, &later, TOKEN.1), CREATED), Err(BadSignature::Mismatch));
    for name in ["signature", "signature-input", "content-digest"] {
        let mut without = good.clone();
        without.remove(name);
        assert_eq!(token(&without, CREATED), Err(BadSignature::Missing), "{name}");
    }
}

#[test]
fn other_forms_are_refused() {
    for (from, to) in [
        ("encord-sig=", "sig1="),
        ("\"@method\" ", ""),
        (";created", ";nonce=1;created"),
        ("=1714564800", "=x"),
        ("ed25519", "rsa"),
        (";keyid", ";keyi"),
        ("03a1", "03A1"),
    ] {
        let changed = input().replace(from, to);
        assert_ne!(changed, input());
        let expected = Err(BadSignature::Malformed("Signature-Input"));
        assert_eq!(token(&headers(EMPTY, &changed, TOKEN.1), CREATED), expected, "{changed}");
    }
    let expected = Err(BadSignature::Malformed("Signature"));
    assert_eq!(token(&headers(EMPTY, &input(), "?"), CREATED), expected);
}
