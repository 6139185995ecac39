//! Who is let in, and how others are refused.

use encord_dev_platform::{DevPlatform, Switches};
use serde_json::{Value, json};

use crate::client::{Client, NOW, builder, start};

#[tokio::test]
async fn a_signature_of_another_key_is_refused_in_the_words_of_each_protocol() {
    let (platform, client) = start(Switches::default()).await;
    assert_eq!(client.get("storage/folders").await.status, 200);
    let other = Client::with_seed(&platform, [8; 32]);
    let refused = other.get("storage/folders").await;
    assert_eq!((refused.status, refused.text.as_str()), (401, r#"{"message":"the key is not registered"}"#));
    let refused = other.older(("projectwithuserrole", "GET"), None, Value::Null, json!({})).await;
    let expected = r#"{"payload":"the key is not registered","response":["SSH_KEY_NOT_FOUND_ERROR"],"status":400}"#;
    assert_eq!((refused.status, refused.text.as_str()), (400, expected));

    let open = builder().any_key(true).start().await.unwrap();
    assert_eq!(Client::with_seed(&open, [8; 32]).get("storage/folders").await.status, 200);
}

#[tokio::test]
async fn an_old_signature_is_refused_and_a_missing_one_is() {
    let (platform, mut client) = start(Switches::default()).await;
    client.created = NOW - 301;
    let refused = client.get("storage/folders").await;
    assert_eq!(refused.text, r#"{"message":"the request was signed 301 s ago; check the clock"}"#);
    assert!(refused.head.contains("date: wed, 01 may 2024 12:00:00 gmt\r\n"), "{}", refused.head);
    let bare = client.raw("GET", "/v2/public/storage/folders", "", "").await.unwrap();
    assert_eq!((bare.status, bare.text.as_str()), (401, r#"{"message":"the request is not signed"}"#));
    let body = r#"{"query_type": "dataset", "query_method": "GET"}"#;
    let bare = client.raw("POST", "/public", "", body).await.unwrap();
    let expected = r#"{"payload":"the request is not signed","response":["AUTHENTICATION_ERROR"],"status":401}"#;
    assert_eq!((bare.status, bare.text.as_str()), (401, expected));

    let token = format!("Authorization: Bearer {}\r\n", platform.token());
    assert_eq!(client.raw("GET", "/v2/public/storage/folders", &token, "").await.unwrap().status, 200);
    let wrong = client.raw("GET", "/v2/public/storage/folders", "Authorization: Bearer x\r\n", "").await.unwrap();
    assert_eq!((wrong.status, wrong.text.as_str()), (401, r#"{"message":"the bearer token is not known"}"#));
}

#[tokio::test]
async fn requests_that_ask_for_nothing_known_are_refused() {
    let (_platform, client) = start(Switches::default()).await;
    for (method, path, body, status, text) in [
        ("GET", "storage", "", 404, r#"{"message":"Not Found"}"#),
        ("PUT", "storage/folders", "", 405, r#"{"message":"Method Not Allowed"}"#),
        (
            "GET",
            "storage/folders/x",
            "",
            422,
            r#"{"detail":[{"loc":["body"],"msg":"not a valid uuid","type":"value_error"}]}"#,
        ),
        (
            "POST",
            "storage/folders",
            r#"{"name": 1}"#,
            422,
            r#"{"detail":[{"loc":["body"],"msg":"invalid type: integer `1`, expected a string","type":"value_error"}]}"#,
        ),
        ("POST", "storage/folders", r#"{"name": " "}"#, 400, r#"{"message":"the name of a folder cannot be empty"}"#),
    ] {
        let refused = client.send(method, path, body).await.unwrap();
        assert_eq!((refused.status, refused.text.as_str()), (status, text), "{method} {path}");
    }
    let refused = client.older(("nothing", "GET"), None, Value::Null, Value::Null).await;
    let expected =
        r#"{"payload":"the query `nothing` is not known here","response":["RESOURCE_NOT_FOUND_ERROR"],"status":400}"#;
    assert_eq!((refused.status, refused.text.as_str()), (400, expected));
    let other = client.raw("GET", "/elsewhere", "", "").await.unwrap();
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn no_secret_is_shown() {
    let platform = DevPlatform::builder().start().await.unwrap();
    let client = Client::new(&platform);
    client.get("storage/folders").await;
    let token = format!("Authorization: Bearer {}\r\n", platform.token());
    client.raw("GET", "/v2/public/storage/folders", &token, "").await.unwrap();
    let shown = format!("{platform:?} {:?} {:?}", platform.key(), platform.requests());
    assert!(!shown.contains(platform.token()), "{shown}");
    for line in platform.key().to_openssh().lines() {
        assert!(!shown.contains(line), "{line}");
    }
    assert!(!shown.contains("encord-sig"), "{shown}");
}
