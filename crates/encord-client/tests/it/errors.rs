//! Every code and status of the platform, with the full text of its error.

use encord_client::{Effect, Error, ErrorKind, RequestsSettings};
use serde_json::{Value, json};

use crate::support::{Answer, Server, id};

use ErrorKind as Kind;

/// What stands before the account of the attempts.
fn story(error: &Error) -> String {
    let text = error.to_string();
    let (story, account) = text.split_once(" [").unwrap_or_else(|| panic!("no account: {text}"));
    assert!(account.contains("127.0.0.1"), "{account}");
    assert!(account.ends_with("trace id 0af7651916cd43dd8448eb211c80319c]"), "{account}");
    story.to_owned()
}

fn once() -> RequestsSettings {
    RequestsSettings { max_retries: 0, connection_retries: 0, ..RequestsSettings::default() }
}

async fn v2(answer: Answer) -> (Server, Error) {
    let server = Server::script([answer]).await;
    let error = server.builder().settings(once()).build().unwrap().get_storage_folder(id(1)).await.unwrap_err();
    (server, error)
}

async fn v1(answer: Answer) -> (Server, Error) {
    let server = Server::script([answer]).await;
    let error = server.builder().settings(once()).build().unwrap().get_dataset(id(6)).await.unwrap_err();
    (server, error)
}

fn region(server: &Server) -> String {
    format!("; check the region: this went to {}, your account may be at https://api.encord.com", server.url)
}

#[tokio::test]
async fn every_status_of_v2_has_its_text() {
    let words = json!({"message": "The words.", "detail": "not these"});
    let fallback = json!({"error": "not these"});
    for (status, kind, with_words, without) in [
        (
            400,
            Kind::InvalidArguments,
            "the platform does not take the arguments: The words.",
            "the platform does not take the arguments: Provided payload is invalid and can't be processed.",
        ),
        (
            403,
            Kind::Authorisation,
            "not allowed, or not there: The words.",
            "not allowed, or not there: You are not authorised to access this asset.",
        ),
        (404, Kind::NotFound, "not found: The words.", "not found: The requested resource was not found."),
        (
            405,
            Kind::MethodNotAllowed,
            "the platform does not know this call: The words.",
            "the platform does not know this call: HTTP method is not allowed.",
        ),
        (408, Kind::Server, "the platform failed: The words.", "the platform failed: An unknown error occurred."),
        (
            409,
            Kind::AlreadyExists,
            "it exists already: The words.",
            "it exists already: The resource you are trying to create already exists.",
        ),
        (
            413,
            Kind::PayloadTooLarge,
            "the request is too large: The words.",
            "the request is too large: Request payload is too large and exceeds the maximum allowed size.",
        ),
        (
            422,
            Kind::InvalidArguments,
            "the platform does not take the arguments: The words.",
            "the platform does not take the arguments: An unknown error occurred.",
        ),
        (429, Kind::RateLimited, "too many requests: The words.", "too many requests: Rate limit exceeded."),
        (500, Kind::Server, "the platform failed: The words.", "the platform failed: An unknown error occurred."),
        (502, Kind::Server, "the platform failed: The words.", "the platform failed: An unknown error occurred."),
        (503, Kind::Server, "the platform failed: The words.", "the platform failed: An unknown error occurred."),
    ] {
        for (body, expected) in
            [(words.to_string(), with_words), (fallback.to_string(), without), ("<html>".to_owned(), without)]
        {
            let (_server, error) = v2(Answer::status(status, &body)).await;
            assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error}");
            assert_eq!(story(&error), expected, "{status} {body}");
            assert_eq!(error.trace_id(), Some("0af7651916cd43dd8448eb211c80319c"));
        }
    }
}

#[tokio::test]
async fn a_401_names_region_and_clock() {
    let (server, error) = v2(Answer::status(401, &json!({"message": "No such key."}))).await;
    assert_eq!(error.kind(), Kind::Authentication);
    assert_eq!(story(&error), format!("not authenticated: No such key.{}", region(&server)));
    // The clock of the test says 12:00:00.
    let late = Answer::status(401, &"").header("Date", "Wed, 01 May 2024 12:03:20 GMT");
    let (server, error) = v2(late).await;
    let clock = "; set the clock of this machine: it is 200 s behind the server's, and signatures are dated";
    let words = "not authenticated: You are not authenticated to access the Encord platform.";
    assert_eq!(story(&error), format!("{words}{}{clock}", region(&server)));
}

#[tokio::test]
async fn the_details_of_a_validation_are_told() {
    let details = json!({"detail": [{"loc": ["body", "name"], "msg": "Field required", "type": "missing"}]});
    let (_server, error) = v2(Answer::status(422, &details)).await;
    assert_eq!(story(&error), "the platform does not take the arguments: body.name: Field required");
}

#[tokio::test]
async fn every_code_of_v1_has_its_text() {
    for (code, kind, plain, with_payload) in [
        (
            "AUTHORISATION_ERROR",
            Kind::Authorisation,
            "not allowed, or not there: You are not authorised to access this asset.",
            None,
        ),
        (
            "METHOD_NOT_ALLOWED_ERROR",
            Kind::MethodNotAllowed,
            "the platform does not know this call: HTTP method is not allowed.",
            None,
        ),
        ("UNKNOWN_ERROR", Kind::Server, "the platform failed: An unknown error occurred.", None),
        (
            "OPERATION_NOT_ALLOWED",
            Kind::OperationNotAllowed,
            "not allowed with this key: The read/write operation is not allowed by the API key.",
            None,
        ),
        (
            "FILE_TYPE_NOT_SUPPORTED_ERROR",
            Kind::FileTypeNotSupported,
            "the platform does not take files of this kind: Supported file types are: image/jpeg, image/png, video/webm, video/mp4.",
            None,
        ),
        (
            "FILE_SIZE_NOT_SUPPORTED_ERROR",
            Kind::FileSizeNotSupported,
            "the platform does not take files of this size: The combined size of the input files is larger than the supported limit",
            None,
        ),
        (
            "UPLOAD_OPERATION_NOT_SUPPORTED_ERROR",
            Kind::UploadNotSupported,
            "the platform takes no uploads there: Uploading a file to an external (e.g. S3/GCP/Azure) dataset is not permitted.",
            None,
        ),
        (
            "INVALID_DATE_FORMAT_ERROR",
            Kind::InvalidDateFormat,
            "the platform does not take the date: Invalid date format supplied as input",
            None,
        ),
        (
            "DUPLICATE_SSH_KEY_ERROR",
            Kind::DuplicateSshKey,
            "the platform knows this key more than once: The used SSH key exists more than once. Please create a unique user SSH key.",
            None,
        ),
        (
            "RESOURCE_NOT_FOUND_ERROR",
            Kind::NotFound,
            "not found: The requested resource was not found in the database.",
            Some("not found: The payload."),
        ),
        (
            "INVALID_ARGUMENTS_ERROR",
            Kind::InvalidArguments,
            "the platform does not take the arguments: Some of the arguments to the SDK function were invalid.",
            Some("the platform does not take the arguments: The payload."),
        ),
        (
            "RESOURCE_EXISTS_ERROR",
            Kind::AlreadyExists,
            "it exists already: Trying to create a resource that already exists.",
            Some("it exists already: Trying to create a resource that already exists. The payload."),
        ),
        (
            "WRONG_PROJECT_TYPE_ERROR",
            Kind::WrongProjectType,
            "not possible with this kind of project: Operation is not supported by the project type",
            Some("not possible with this kind of project: The payload."),
        ),
        (
            "RATE_LIMIT_ERROR",
            Kind::RateLimited,
            "too many requests: Rate limit exceeded.",
            Some("too many requests: The payload."),
        ),
        (
            "A_NEW_ERROR",
            Kind::Server,
            "the platform failed: the code A_NEW_ERROR, which this version does not know",
            Some("the platform failed: the code A_NEW_ERROR, which this version does not know: The payload."),
        ),
    ] {
        // The status of HTTP means nothing: the envelope decides.
        for status in [200, 400, 500] {
            let envelope = json!({"status": 400, "response": [code]});
            let (_server, error) = v1(Answer::status(status, &envelope)).await;
            assert_eq!((error.kind(), story(&error).as_str()), (kind, plain), "{status} {code}");
            let effect = if kind == Kind::Server { Effect::Unknown } else { Effect::Refused };
            assert_eq!(error.effect(), effect, "{status} {code}");
            let envelope = json!({"status": 400, "response": [code], "payload": "The payload."});
            let (_server, error) = v1(Answer::status(status, &envelope)).await;
            assert_eq!(story(&error), with_payload.unwrap_or(plain), "{status} {code}");
        }
    }
}

#[tokio::test]
async fn the_codes_of_v1_about_keys_say_what_to_do() {
    let envelope = |code| json!({"status": 400, "response": [code]});
    let (server, error) = v1(Answer::json(&envelope("AUTHENTICATION_ERROR"))).await;
    assert_eq!(error.kind(), Kind::Authentication);
    let words = "not authenticated: You are not authenticated to access the Encord platform.";
    assert_eq!(story(&error), format!("{words}{}", region(&server)));
    let (server, error) = v1(Answer::json(&envelope("SSH_KEY_NOT_FOUND_ERROR"))).await;
    assert_eq!(error.kind(), Kind::SshKeyNotFound);
    let words = "the platform does not know this key: The used SSH key does not exist on the Encord platform.; add the public key \
                 (the file that ends with `.pub`) to your Encord account";
    assert_eq!(story(&error), format!("{words}{}", region(&server)));
}

#[tokio::test]
async fn answers_of_v1_that_are_no_envelope_have_a_text_too() {
    for (status, body, kind, expected) in [
        (
            429,
            json!({"status": 400, "response": ["AUTHORISATION_ERROR"]}).to_string(),
            Kind::RateLimited,
            "too many requests: Rate limit exceeded.",
        ),
        (
            413,
            json!({"detail": "At most 10 MB."}).to_string(),
            Kind::PayloadTooLarge,
            "the request is too large: At most 10 MB.",
        ),
        (403, json!({"message": "Blocked."}).to_string(), Kind::Authorisation, "not allowed, or not there: Blocked."),
        (502, "<html>".to_owned(), Kind::Server, "the platform failed: An unknown error occurred."),
        (
            200,
            json!({"status": 400, "response": null}).to_string(),
            Kind::Server,
            "the platform failed: no code, which this version does not know",
        ),
        (
            200,
            json!({"status": 400, "response": "RATE_LIMIT_ERROR"}).to_string(),
            Kind::RateLimited,
            "too many requests: Rate limit exceeded.",
        ),
    ] {
        let (_server, error) = v1(Answer::status(status, &body)).await;
        assert_eq!((error.kind(), story(&error).as_str()), (kind, expected), "{status} {body}");
    }
    let (_server, error) = v1(Answer::json(&"<html>")).await;
    assert_eq!(error.kind(), Kind::Answer);
    assert!(
        story(&error).starts_with("the answer of the platform cannot be understood: it is no envelope: "),
        "{error}"
    );
    let (_server, error) = v1(Answer::json(&json!({"status": 200, "response": Value::Null}))).await;
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::NotFound, "not found: the platform has nothing of this")
    );
}

#[tokio::test]
async fn the_account_names_method_host_path_and_every_attempt() {
    let server = Server::script([Answer::HangUp, Answer::status(503, &""), Answer::status(404, &"")]).await;
    let error = server.client().get_storage_folder(id(1)).await.unwrap_err();
    let text = error.to_string();
    let place = format!("GET {}/v2/public/storage/folders/{}", &server.url["http://".len()..], crate::support::uuid(1));
    assert!(text.contains(&place), "{text}");
    assert!(text.contains("3 attempts: closed, 503 after "), "{text}");
    assert_eq!(error.attempts().len(), 3);
    assert!(!text.contains('?'), "{text}");
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_is_told() {
    let (_server, error) = v2(Answer::status(429, &"").header("Retry-After", "7")).await;
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)));
    assert!(error.is_transient());
}
