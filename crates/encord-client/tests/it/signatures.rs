//! Judgement 2: 1,000 random requests that the SDK signed.

use encord_client::signature::{sign_digest, sign_message};
use serde_json::Value;

use crate::support::{key, vectors};

#[test]
fn c6_random_requests_are_signed_as_by_the_sdk() {
    let key = key();
    let (mut v1, mut v2) = (0, 0);
    for line in vectors("signatures.jsonl").lines() {
        match serde_json::from_str::<Vec<Value>>(line).unwrap().as_slice() {
            [Value::String(body), Value::String(authorization)] => {
                assert_eq!(&sign_digest(&key, body.as_bytes()), authorization, "{line}");
                v1 += 1;
            }
            [Value::String(method), Value::String(target), Value::String(body), created, Value::String(signature)] => {
                let created = created.as_u64().unwrap();
                let signed = sign_message(&key, method, target, body.as_bytes(), created);
                assert_eq!(&signed.signature, signature, "{line}");
                v2 += 1;
            }
            _ => panic!("neither protocol: {line}"),
        }
    }
    assert_eq!((v1, v2), (500, 500));
}
