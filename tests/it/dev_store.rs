//! The development store against implementations of signed URLs that nobody here wrote: boto3 and google-cloud-storage sign,
//! requests and boto3's client send, `rclone serve s3` checks.
//!
//! google-cloud-storage signs with service accounts only. `tests/python/storage.py` runs its code with the name of the algorithm
//! exchanged and HMAC for the last step; which request is signed, and how it is written, is Google's.

pub(crate) mod rclone;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use encord_dev_store::{DevStore, Running};
use http::{HeaderMap, HeaderName, Method};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::peers;

/// 2013-05-24T00:00:00Z.
const AT: u64 = 1_369_353_600;
const EXPIRES: u64 = 900;

/// Names with everything that the two libraries could write differently.
const KEYS: [&str; 8] =
    ["a.jpg", "a b/é/c.jpg", "~-._", "a+b=c&d", "%41%", "a//b/../c", "!*'();:@,[]\"<>\\^`{|}", "\u{1f980}"];

/// What `storage.py` prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    signed: Vec<String>,
    sent: Vec<Sent>,
    client: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    status: u16,
    body: String,
    #[expect(dead_code, reason = "for the message of a test that fails")]
    etag: Option<String>,
}

/// `None` where the libraries are not installed.
#[track_caller]
fn ask(sign: &[Value], send: &[Value], client: Option<&Value>) -> Option<Answers> {
    let mut child = Command::new(peers::storage_program("python")?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/storage.py"))
        // No proxy, no user's settings or keys.
        .env_clear()
        .envs([("PYTHONUTF8", "1"), ("PYTHONDONTWRITEBYTECODE", "1"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let questions = json!({"sign": sign, "send": send, "client": client});
    child.stdin.take().unwrap().write_all(questions.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "storage.py: {}", output.status);
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A URL that both sides are to sign.
struct Question {
    scheme: Scheme,
    endpoint: String,
    method: Method,
    key: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    at: u64,
}

impl Question {
    fn json(&self) -> Value {
        let Self { scheme, endpoint, method, key, headers, at } = self;
        let headers: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        json!({
            "scheme": if *scheme == Scheme::S3 { "s3" } else { "gcs" },
            "endpoint": endpoint,
            "method": method.as_str(),
            "bucket": "dev",
            "key": key,
            "headers": headers,
            "expires": EXPIRES,
            "at": at,
            "access_id": Credentials::DEVELOPMENT_ACCESS_ID,
            "secret": Credentials::DEVELOPMENT_SECRET,
        })
    }

    fn signed(&self) -> String {
        let Self { scheme, endpoint, method, key, headers, at } = self;
        // Written with as little encoding as a URL can have: the signer sees to the rest.
        let key = key.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let headers: HeaderMap =
            headers.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.parse().unwrap())).collect();
        let url = format!("{endpoint}/dev/{key}");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(*at);
        let request =
            Presign { method: method.clone(), headers, ..Presign::put(&url, Duration::from_secs(EXPIRES), at) };
        Signer::new(*scheme, Credentials::development()).presign(&request).unwrap()
    }
}

fn questions(endpoint: &str, at: u64) -> Vec<Question> {
    let mut questions = Vec::new();
    for scheme in [Scheme::Gcs, Scheme::S3] {
        for key in KEYS {
            for (method, headers) in [
                (Method::PUT, vec![]),
                (Method::PUT, vec![("Content-Type", "image/jpeg"), ("Cache-Control", "max-age=86400")]),
                (Method::GET, vec![]),
            ] {
                questions.push(Question { scheme, endpoint: endpoint.to_owned(), method, key, headers, at });
            }
        }
    }
    questions
}

#[test]
fn our_urls_are_those_of_boto3_and_google_cloud_storage_byte_for_byte() {
    let questions = questions("http://127.0.0.1:9000", AT);
    let asked: Vec<Value> = questions.iter().map(Question::json).collect();
    let Some(answers) = ask(&asked, &[], None) else { return };
    assert_eq!(answers.signed.len(), 48);
    for (question, theirs) in questions.iter().zip(&answers.signed) {
        assert_eq!(question.signed(), *theirs, "{}", question.json());
    }
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

fn request(method: &Method, url: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let headers: serde_json::Map<_, _> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    json!({"method": method.as_str(), "url": url, "headers": headers, "body": body})
}

/// A store on threads of its own, because the tests here wait for Python.
fn with_store(open: bool, test: impl FnOnce(&Running)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store = runtime.block_on(DevStore::builder().open(open).start()).unwrap();
    test(&store);
    runtime.block_on(store.shutdown());
}

#[test]
fn the_store_takes_urls_of_boto3_and_google_cloud_storage() {
    with_store(false, |store| {
        let mut questions = questions(&store.base_url(), now());
        // requests resolves the dots before it sends, which is another object.
        questions.retain(|question| !question.key.contains("/../"));
        let asked: Vec<Value> = questions.iter().map(Question::json).collect();
        let Some(Answers { signed, .. }) = ask(&asked, &[], None) else { return };
        let mut requests = Vec::new();
        for (question, url) in questions.iter().zip(&signed) {
            requests.push(request(&question.method, url, &question.headers, question.key));
            // What was not signed so is refused.
            requests.push(request(
                &question.method,
                &url.replace("Expires=900", "Expires=901"),
                &question.headers,
                "x",
            ));
        }
        let Some(Answers { sent, .. }) = ask(&[], &requests, None) else { return };
        for (question, answers) in questions.iter().zip(sent.chunks(2)) {
            let expected = if question.method == Method::GET { question.key } else { "" };
            assert_eq!((answers[0].status, &*answers[0].body), (200, expected), "{}", question.json());
            assert_eq!(answers[1].status, 403, "{}", question.json());
            assert!(answers[1].body.contains("<Code>SignatureDoesNotMatch</Code>"), "{:?}", answers[1]);
        }
        assert_eq!(store.objects().len(), KEYS.len() - 1);
    });
}

#[test]
fn boto3s_client_works_with_the_open_store() {
    with_store(true, |store| {
        let client = json!({"endpoint": store.base_url(), "bucket": "some-bucket"});
        let Some(answers) = ask(&[], &[], Some(&client)) else { return };
        let expected = json!({
            "all_listed": true,
            "body": "a b/é&<>.txt",
            "content_type": "text/plain",
            "length": 13,
            "etag_is_md5": true,
            "gone": "The specified key does not exist.",
        });
        assert_eq!(answers.client, Some(expected));
    });
}

#[test]
fn rclone_takes_our_urls_and_no_spoiled_ones() {
    let credentials = Credentials::development();
    let Some(server) = rclone::Server::start(Credentials::DEVELOPMENT_ACCESS_ID, Credentials::DEVELOPMENT_SECRET)
    else {
        return;
    };
    // A file system that rclone serves has no such names as `a//b`.
    let keys = ["a.jpg", "a b/é/c.jpg", "a+b=c&d", "%41%", "\u{1f980}"];
    let mut requests = Vec::new();
    for key in keys {
        let sign = |method: Method| {
            let url = format!("{}/dev/{}", server.url(), key.replace('%', "%25"));
            let request = Presign { method, ..Presign::put(&url, Duration::from_secs(EXPIRES), SystemTime::now()) };
            Signer::new(Scheme::S3, credentials.clone()).presign(&request).unwrap()
        };
        let put = sign(Method::PUT);
        requests.push(request(&Method::PUT, &put.replace("Expires=900", "Expires=901"), &[], "spoiled"));
        requests.push(request(&Method::PUT, &put, &[], key));
        requests.push(request(&Method::GET, &sign(Method::GET), &[], ""));
    }
    let Some(Answers { sent, .. }) = ask(&[], &requests, None) else { return };
    for (key, answers) in keys.iter().zip(sent.chunks(3)) {
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [403, 200, 200], "{key} {answers:?}");
        assert_eq!(answers[2].body, *key);
    }
}
