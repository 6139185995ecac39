//! Good and bad signed URLs over the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use encord_dev_store::DevStore;
use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use http::HeaderMap;

use crate::client::{send, signed, store};

#[tokio::test]
async fn a_url_expires_as_each_service_says() {
    let now = Arc::new(AtomicU64::new(1_369_353_600));
    let seconds = Arc::clone(&now);
    let clock = move || SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed));
    for (scheme, status, code, message) in [
        (Scheme::Gcs, 400, "ExpiredToken", "The provided token has expired."),
        (Scheme::S3, 403, "AccessDenied", "Request has expired"),
    ] {
        now.store(1_369_353_600, Ordering::Relaxed);
        let store = DevStore::builder().clock(clock.clone()).scheme(scheme).start().await.unwrap();
        let url = store.presign("a", Duration::from_secs(10)).unwrap();
        let upload = async || send(store.addr(), "PUT", &url, &[], b"x").await.unwrap();
        assert_eq!(upload().await.status, 200);
        now.fetch_add(10, Ordering::Relaxed);
        assert_eq!(upload().await.status, 200);
        now.fetch_add(1, Ordering::Relaxed);
        let answer = upload().await;
        assert_eq!(
            (answer.status, answer.element("Code"), answer.element("Message")),
            (status, Some(code), Some(message))
        );
    }
}

#[tokio::test]
async fn both_schemes_are_good_and_the_answer_is_in_the_words_of_the_url() {
    let store = store("").await;
    for (scheme, details) in [
        (Scheme::Gcs, "Access denied."),
        (
            Scheme::S3,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ),
    ] {
        let url = signed(scheme, &http::Method::PUT, &store.url("a"));
        assert_eq!(send(store.addr(), "PUT", &url, &[], b"x").await.unwrap().status, 200);
        let answer = send(store.addr(), "PUT", &url.replace("/dev/a", "/dev/b"), &[], b"x").await.unwrap();
        assert_eq!((answer.status, answer.element("Code")), (403, Some("SignatureDoesNotMatch")));
        assert_eq!(answer.element("Message"), Some(details));
        assert!(answer.element("CanonicalRequest").unwrap().starts_with("PUT\n/dev/b\n"));
    }
}

#[tokio::test]
async fn headers_that_were_signed_must_come() {
    let store = store("").await;
    let headers: HeaderMap = [(http::header::CONTENT_TYPE, "image/jpeg".parse().unwrap())].into_iter().collect();
    let url = store.url("a");
    let request = Presign { headers, ..Presign::put(&url, Duration::from_secs(60), SystemTime::now()) };
    let url = store.signer().presign(&request).unwrap();
    let upload = async |headers: &[(&str, &str)]| send(store.addr(), "PUT", &url, headers, b"x").await.unwrap();
    assert_eq!(upload(&[("Content-Type", "image/jpeg")]).await.status, 200);
    let answer = upload(&[("Content-Type", "image/png")]).await;
    assert_eq!((answer.status, answer.element("Code")), (403, Some("SignatureDoesNotMatch")));
    let answer = upload(&[]).await;
    assert_eq!((answer.status, answer.element("Code")), (400, Some("MalformedSecurityHeader")));
    assert_eq!(answer.element("ParameterName"), Some("content-type"));
    let answer = upload(&[("Content-Type", "image/jpeg"), ("x-goog-acl", "public-read")]).await;
    assert_eq!((answer.status, answer.element("ParameterName")), (400, Some("x-goog-acl")));
}

#[tokio::test]
async fn only_the_keys_of_the_store_are_good() {
    let ours = Credentials::new("ours", "one");
    let store = DevStore::builder().credentials(ours.clone()).start().await.unwrap();
    let sign = |credentials: Credentials| {
        let signer = Signer::new(Scheme::Gcs, credentials);
        signer.presign(&Presign::put(&store.url("a"), Duration::from_secs(60), SystemTime::now())).unwrap()
    };
    let status = async |url: String| send(store.addr(), "PUT", &url, &[], b"x").await.unwrap().status;
    assert_eq!(status(store.presign_put("a").unwrap()).await, 200);
    assert_eq!(status(sign(ours)).await, 200);
    assert_eq!(status(sign(Credentials::new("ours", "two"))).await, 403);
    assert_eq!(status(sign(Credentials::development())).await, 403);
}

#[tokio::test]
async fn u9_no_signature_is_logged() {
    let store = store("a: 503").await;
    let url = store.presign_put("a").unwrap();
    let signature = url.rsplit_once('=').unwrap().1;
    let spoiled = url.replace("/dev/a", "/dev/b");
    let answers =
        [send(store.addr(), "PUT", &url, &[], b"x").await, send(store.addr(), "PUT", &spoiled, &[], b"x").await];
    let shown = format!("{:?} {store:?} {answers:?}", store.requests());
    assert!(shown.contains("503") && !shown.contains(signature), "{shown}");
}
