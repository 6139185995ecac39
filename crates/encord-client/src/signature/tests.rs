//! Tests with recorded signatures of the SDK.

use super::*;
use crate::key::test_key;

const CREATED: u64 = 1_714_564_800;

#[track_caller]
fn check(method: &str, target: &str, body: &str, expected: &str) {
    let signature = sign_message(&test_key(), method, target, body.as_bytes(), CREATED);
    assert_eq!(signature.signature, format!("encord-sig=:{expected}:"));
    assert_eq!(
        signature.signature_input,
        "encord-sig=(\"@method\" \"@request-target\" \"content-digest\");created=1714564800;\
         keyid=\"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\";alg=\"ed25519\""
    );
}

#[test]
fn c6_the_signature_of_v2_is_the_sdks() {
    check(
        "GET",
        "/v2/public/user/bearer-token",
        "",
        "0/ZsJbnOn4nnaEtUaA6X8Ek0XM1H6B13GtTHxVExCf8AX1yWdjkAg0r86Q2KqwX1Dktgu5dISn0Eh9xRvvzXCg==",
    );
    check(
        "GET",
        "/v2/public/storage/folders?search=a+b%26c%2F%C3%BC&isRecursive=False&datasetSynced=True&order=name&desc=False&pageSize=2",
        "",
        "Hmu3epnogcHLqTVU/4fVHSgk+f5bk0CcQ+FmXPzXF0KPlKyRhRuzXznJwXCiXpBSNbhAWD/pMaB9KfQjwgAXAQ==",
    );
    check(
        "POST",
        "/v2/public/storage/folders",
        r#"{"name": "\u00dcn\u00efcode & co", "description": "d", "clientMetadata": "{\"k\": [1, 2]}"}"#,
        "spln9W8Q90TchT9QdGyC1E70mdkZjj7P7aI7VaHrOQks0GuDefv//5S4Td/kXnfmODWssUvU3wiJ2ISeggV4BA==",
    );
}

#[test]
fn c6_the_digest_covers_the_body_also_an_empty_one() {
    let digest = |body: &str| sign_message(&test_key(), "GET", "/", body.as_bytes(), CREATED).content_digest;
    assert_eq!(digest(""), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    let body = r#"{"name": "\u00dcn\u00efcode & co", "description": "d", "clientMetadata": "{\"k\": [1, 2]}"}"#;
    assert_eq!(digest(body), "sha-256=:cNkaoM0puPb+WYf7bVi0G8EHsd55iNr7EfHiMtuZgCc=:");
}

#[test]
fn c6_the_signature_of_v1_is_the_sdks() {
    let body =
        r#"{"query_type": "modelconfiguration", "query_method": "GET", "values": {"uid": null, "payload": null}}"#;
    assert_eq!(
        sign_digest(&test_key(), body.as_bytes()),
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8:\
         2d3f5f0605e7accf6f30b9914f82d8e216fc7b62f8fbf270508fd1532a7cc45b63da6fe735d10298d342748a4fab730a497e83a2096d1af74e47b868748ae50b"
    );
}
