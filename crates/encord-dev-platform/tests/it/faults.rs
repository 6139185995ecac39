//! What the client sees of each planned fault, and whether anything was done.

use std::time::Duration;

use encord_dev_platform::{Operation, Outcome, Running, Switches};
use serde_json::{Value, json};

use crate::client::{Answer, Client, start};

/// Creates a folder under this plan, once: the answer, and how many folders there are then.
async fn create(plan: &str) -> (std::io::Result<Answer>, usize, Running) {
    let (platform, client) = start(Switches::default()).await;
    platform.set_faults(plan.parse().unwrap());
    let answer = client.send("POST", "storage/folders", r#"{"name": "a"}"#).await;
    let folders = platform.folders().len();
    (answer, folders, platform)
}

#[track_caller]
fn check(answer: &Answer, status: u16, text: &str) {
    assert_eq!((answer.status, answer.text.as_str()), (status, text));
}

#[tokio::test]
async fn a_status_comes_before_or_after_the_effect() {
    let (answer, folders, _) = create("create-folder: 503 x1 retry-after=7 message=no%20way").await;
    let answer = answer.unwrap();
    check(&answer, 503, r#"{"message":"no way"}"#);
    assert!(answer.head.contains("retry-after: 7\r\n"), "{}", answer.head);
    assert_eq!(folders, 0);

    let (answer, folders, platform) = create("create-folder: 500 after").await;
    check(&answer.unwrap(), 500, r#"{"message":"The fault plan asked for this status."}"#);
    assert_eq!(folders, 1);
    assert_eq!(platform.requests()[0].to_string(), "create-folder 500 (13 bytes, fault 500 after)");

    let (answer, folders, _) = create("*: 201").await;
    assert_eq!((answer.unwrap().status, folders), (201, 1));
    let (answer, folders, _) = create("*: 204").await;
    check(&answer.unwrap(), 204, "");
    assert_eq!(folders, 1);
    let (answer, _, _) = create("*: 422 message=x").await;
    check(&answer.unwrap(), 422, r#"{"detail":[{"loc":["body"],"msg":"x","type":"value_error"}]}"#);
}

#[tokio::test]
async fn an_answer_is_lost_before_or_after_the_effect() {
    let (answer, folders, platform) = create("create-folder: reset-before").await;
    assert!(answer.is_err());
    assert_eq!((folders, platform.requests()[0].outcome), (0, Outcome::Reset));
    let (answer, folders, _) = create("create-folder: reset-after").await;
    assert!(answer.is_err());
    assert_eq!(folders, 1);
}

#[tokio::test]
async fn an_answer_is_spoilt() {
    let (answer, folders, _) = create("*: garbage").await;
    check(&answer.unwrap(), 200, "<html><body>The fault plan asked for this.</body></html>");
    assert_eq!(folders, 1);
    let (answer, folders, _) = create("*: empty").await;
    check(&answer.unwrap(), 200, "");
    assert_eq!(folders, 1);
    let (answer, folders, _) = create("*: shape").await;
    check(&answer.unwrap(), 200, r#"{"unexpected":[1]}"#);
    assert_eq!(folders, 1);
    let (answer, folders, _) = create("*: cut").await;
    assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(folders, 1);
    let (answer, folders, _) = create("*: slow=0.01").await;
    assert_eq!((answer.unwrap().status, folders), (200, 1));
}

#[tokio::test]
async fn an_answer_never_comes() {
    for (plan, folders) in [("*: stall", 0), ("*: silent", 1)] {
        let (platform, client) = start(Switches::default()).await;
        platform.set_faults(plan.parse().unwrap());
        let request = client.send("POST", "storage/folders", r#"{"name": "a"}"#);
        assert!(tokio::time::timeout(Duration::from_millis(200), request).await.is_err(), "{plan}");
        assert_eq!(platform.folders().len(), folders, "{plan}");
        assert_eq!(platform.count(Operation::CreateFolder), 1);
    }
}

/// Every code of the older protocol that is known, and those that have a form of their own.
#[tokio::test]
async fn each_error_of_the_older_protocol_can_be_served() {
    let (platform, client) = start(Switches::default()).await;
    let ask = async |client: &Client| client.older(("projectwithuserrole", "GET"), None, Value::Null, json!({})).await;
    for code in [
        "AUTHENTICATION_ERROR",
        "AUTHORISATION_ERROR",
        "METHOD_NOT_ALLOWED_ERROR",
        "UNKNOWN_ERROR",
        "OPERATION_NOT_ALLOWED",
        "FILE_TYPE_NOT_SUPPORTED_ERROR",
        "FILE_SIZE_NOT_SUPPORTED_ERROR",
        "UPLOAD_OPERATION_NOT_SUPPORTED_ERROR",
        "INVALID_DATE_FORMAT_ERROR",
        "DUPLICATE_SSH_KEY_ERROR",
        "SSH_KEY_NOT_FOUND_ERROR",
        "RESOURCE_NOT_FOUND_ERROR",
        "INVALID_ARGUMENTS_ERROR",
        "RESOURCE_EXISTS_ERROR",
        "WRONG_PROJECT_TYPE_ERROR",
        "RATE_LIMIT_ERROR",
        "SOMETHING_NEW",
    ] {
        platform.set_faults(format!("list-projects: code={code} message=why").parse().unwrap());
        let expected = json!({ "status": 400, "response": [code], "payload": "why" });
        check(&ask(&client).await, 400, &expected.to_string());
    }
    for (plan, status, text) in [
        ("*: 413 message=big", 413, r#"{"message":"big"}"#),
        ("*: 429 message=slow", 429, r#"{"message":"slow"}"#),
        ("*: 500 message=x", 500, r#"{"payload":"x","response":["UNKNOWN_ERROR"],"status":500}"#),
        ("*: 401 message=x", 401, r#"{"payload":"x","response":["AUTHENTICATION_ERROR"],"status":401}"#),
        ("*: shape", 200, r#"{"response":{"unexpected":[1]},"status":200}"#),
        ("*: garbage", 200, "<html><body>The fault plan asked for this.</body></html>"),
    ] {
        platform.set_faults(plan.parse().unwrap());
        check(&ask(&client).await, status, text);
    }
}

#[tokio::test]
async fn faults_befall_only_requests_whose_signature_is_good() {
    let (platform, _) = start(Switches::default()).await;
    platform.set_faults("*: 503".parse().unwrap());
    let other = Client::with_seed(&platform, [8; 32]);
    assert_eq!(other.get("storage/folders").await.status, 401);
}
