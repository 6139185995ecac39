//! Tests with published vectors, with each way in which a URL can be wrong, and with properties of any URL.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, Method};
use proptest::prelude::*;

use super::*;

/// 2013-05-24T00:00:00Z, the time of Amazon's example.
const AT: Duration = Duration::from_secs(1_369_353_600);

fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + AT
}

fn headers(headers: &[(&str, &str)]) -> HeaderMap {
    headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
}

/// "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", with its key, URL and signature.
#[test]
fn the_example_of_amazon() {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let url = "https://examplebucket.s3.amazonaws.com/test.txt";
    let request = Presign { method: Method::GET, ..Presign::put(url, Duration::from_secs(86400), at()) };
    let signed = Signer::new(Scheme::S3, credentials.clone()).presign(&request).unwrap();
    assert_eq!(
        signed,
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
         &X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    // Amazon does not encode the slashes of the credential. The request is the same.
    let theirs = signed.replace("%2F", "/");
    let verified = verify(
        (&Method::GET, &theirs.parse().unwrap(), &headers(&[("host", "examplebucket.s3.amazonaws.com")])),
        &[credentials].into_iter().collect(),
        at(),
        DEFAULT_SKEW,
    );
    assert_eq!(verified.map(|verified| verified.access_id).as_deref(), Ok("AKIAIOSFODNN7EXAMPLE"));
}

/// A valid signed request, which a test changes.
struct Case {
    method: Method,
    url: String,
    headers: HeaderMap,
    now: SystemTime,
}

impl Case {
    fn new(scheme: Scheme) -> Self {
        let extension = format!("{}meta-a", scheme.header_prefix());
        let signed = headers(&[("content-type", "image/jpeg"), (&extension, "  one   two ")]);
        let url = "http://h:1/dev/a b/é.jpg?x=1&y=%20";
        let request = Presign { headers: signed.clone(), ..Presign::put(url, Duration::from_secs(900), at()) };
        let url = Signer::new(scheme, Credentials::development()).presign(&request).unwrap();
        let mut sent = signed;
        sent.insert("host", "h:1".parse().unwrap());
        sent.insert("accept", "*/*".parse().unwrap());
        Self { method: Method::PUT, url, headers: sent, now: at() }
    }

    fn verify(&self) -> Result<Verified, SignatureError> {
        let keys = [Credentials::development()].into_iter().collect();
        let target = self.url.strip_prefix("http://h:1").unwrap_or(&self.url);
        verify((&self.method, &target.parse().unwrap(), &self.headers), &keys, self.now, DEFAULT_SKEW)
    }
}

#[track_caller]
fn check(spoil: impl Fn(&mut Case), expected: &str) {
    for scheme in [Scheme::Gcs, Scheme::S3] {
        let mut case = Case::new(scheme);
        spoil(&mut case);
        let outcome = case.verify().map(|verified| verified.scheme);
        assert_eq!(outcome.map_err(|error| error.to_string().replace("X-Amz-", "X-Goog-")), Err(expected.to_owned()));
    }
}

#[test]
fn a_good_url_is_good_until_it_expires() {
    for scheme in [Scheme::Gcs, Scheme::S3] {
        let mut case = Case::new(scheme);
        for now in [AT.saturating_sub(DEFAULT_SKEW), AT, AT + Duration::from_secs(900)] {
            case.now = SystemTime::UNIX_EPOCH + now;
            let expires_at = at() + Duration::from_secs(900);
            let access_id = Credentials::DEVELOPMENT_ACCESS_ID.to_owned();
            assert_eq!(case.verify(), Ok(Verified { scheme, access_id, expires_at }));
        }
    }
    check(|case| case.now += Duration::from_secs(901), "the URL has expired");
    check(|case| case.now -= DEFAULT_SKEW + Duration::from_secs(1), "the URL is not valid yet");
}

#[test]
fn every_part_counts() {
    const MISMATCH: &str = "the signature does not match the request";
    check(|case| case.method = Method::GET, MISMATCH);
    check(|case| case.url = case.url.replace("a%20b", "a%20c"), MISMATCH);
    check(|case| case.url = case.url.replace("a%20b", "a+b"), MISMATCH);
    check(|case| case.url = case.url.replace("x=1", "x=2"), MISMATCH);
    check(|case| case.url.push_str("&z=1"), MISMATCH);
    check(|case| case.url = case.url.replace("Expires=900", "Expires=901"), MISMATCH);
    check(|case| case.url = case.url.replace("%2Fauto%2F", "%2Feu%2F").replace("us-east-1", "eu"), MISMATCH);
    check(|case| drop(case.headers.insert("content-type", "image/png".parse().unwrap())), MISMATCH);
    check(|case| drop(case.headers.insert("host", "h:2".parse().unwrap())), MISMATCH);
    let append = |case: &mut Case| case.headers.append("content-type", "image/jpeg".parse().unwrap());
    check(|case| assert!(append(case)), MISMATCH);
}

#[test]
fn equal_ways_of_writing_are_equal() {
    for scheme in [Scheme::Gcs, Scheme::S3] {
        let mut case = Case::new(scheme);
        case.url = case.url.replace(".jpg", "%2Ejpg").replace("%C3%A9", "%c3%a9").replace("x=1&y=%20", "y=%20&x=1");
        let extension = format!("{}meta-a", scheme.header_prefix());
        case.headers.insert(extension.parse::<HeaderName>().unwrap(), "one two".parse().unwrap());
        assert!(case.verify().is_ok());
    }
}

#[test]
fn headers_are_as_signed() {
    check(
        |case| drop(case.headers.remove("content-type")),
        "the header `content-type` was signed and is not in the request",
    );
    for (scheme, name) in [(Scheme::Gcs, "x-goog-acl"), (Scheme::S3, "x-amz-acl")] {
        let mut case = Case::new(scheme);
        case.headers.insert(name, "public-read".parse().unwrap());
        assert_eq!(case.verify(), Err(SignatureError::UnsignedHeader { scheme, name: name.to_owned() }));
    }
}

#[test]
fn parameters_that_cannot_be_read() {
    let replace = |from: &'static str, to: &'static str| move |case: &mut Case| case.url = case.url.replace(from, to);
    check(replace("Algorithm=", "Algorithm=X"), "X-Goog-Algorithm: is not supported");
    check(replace("-Date=20130524T000000Z", "-Date=now"), "X-Goog-Date: is not like 20130524T000000Z");
    check(
        replace("-Date=20130524T000000Z", "-Date=20130525T000000Z"),
        "X-Goog-Credential: its day is not the day of the date",
    );
    check(replace("Expires=900", "Expires=0"), "X-Goog-Expires: is not between 1 and 604800 seconds");
    check(replace("Expires=900", "Expires=604801"), "X-Goog-Expires: is not between 1 and 604800 seconds");
    check(replace("Expires=900", "Expires=%2B900"), "X-Goog-Expires: is not between 1 and 604800 seconds");
    check(
        |case| case.url = format!("{0}&{1}", case.url, case.url.split_once('?').unwrap().1),
        "X-Goog-Algorithm: is given more than once",
    );
    check(replace("Signature=", "Signature=x"), "X-Goog-Signature: is not hexadecimal");
    check(replace("Signature=", "Signature=a"), "X-Goog-Signature: is not hexadecimal");
    check(
        replace("SignedHeaders=content-type%3Bhost", "SignedHeaders=content-type"),
        "X-Goog-SignedHeaders: does not have host",
    );
    check(
        replace("SignedHeaders=content-type%3Bhost", "SignedHeaders=host%3Bcontent-type"),
        "X-Goog-SignedHeaders: is not in lower case and sorted",
    );
    check(
        replace("_request", "_demand"),
        "X-Goog-Credential: is not ACCESS-ID/DAY/REGION/SERVICE/REQUEST of this service",
    );
    check(replace("DEVELOPMENT%2F", "SOMEBODY%2F"), "the access id GOOG1ESOMEBODY is not known");
    check(|case| case.url = "http://h:1/dev/a?x=1".to_owned(), "the request has no signature");
    check(|case| case.url = case.url.replace("-Date=20130524T000000Z", "-Dat=1"), "X-Goog-Date: is missing");
    check(|case| case.url = case.url.replace("-Date=20130524T000000Z", "-Date=%ff"), "X-Goog-Date: is not UTF-8");
}

#[test]
fn what_cannot_be_signed() {
    #[track_caller]
    fn refused(spoil: impl Fn(&mut Presign<'_>), expected: &str) {
        let mut request = Presign::put("http://h/dev/a", Duration::from_secs(60), at());
        spoil(&mut request);
        let outcome = Signer::new(Scheme::Gcs, Credentials::development()).presign(&request);
        assert_eq!(outcome.map_err(|error| error.to_string()), Err(expected.to_owned()));
    }
    const URL: &str = "the URL must begin with http:// or https:// and a host";
    refused(|request| request.url = "h/dev/a", URL);
    refused(|request| request.url = "http:///dev/a", URL);
    refused(|request| request.url = "http://h h/dev/a", URL);
    refused(|request| request.url = "", URL);
    refused(|request| request.url = "http://u:p@h/a", "the URL has a user name or password before its host");
    refused(
        |request| request.url = "http://h/a#b",
        "the URL has a fragment; write `#` in the name of an object as %23",
    );
    refused(
        |request| request.url = "http://h/a?x-goog-date=1",
        "`x-goog-date` is given by the signature and cannot be given twice",
    );
    refused(
        |request| request.headers = headers(&[("host", "i")]),
        "`host` is given by the signature and cannot be given twice",
    );
    refused(|request| request.expires = Duration::ZERO, "a signed URL can be valid for 1 to 604800 s, not 0 s");
    refused(
        |request| request.expires = MAX_EXPIRES + Duration::from_secs(1),
        "a signed URL can be valid for 1 to 604800 s, not 604801 s",
    );
}

#[test]
fn u9_no_secret_is_shown() {
    let credentials = Credentials::new("id", "s3cret");
    let signer = Signer::new(Scheme::Gcs, credentials.clone());
    assert_eq!(format!("{credentials:?}"), "Credentials { access_id: \"id\", .. }");
    assert!(!format!("{signer:?} {:?}", Keys::from_iter([credentials])).contains("s3cret"));
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_nothing_else(
        key in "[^#?\\pC]{1,20}", value in "\\PC{0,10}", s3: bool, region in "[a-z]{1,8}", at_byte: prop::sample::Index, bit in 0_u8..7,
    ) {
        let scheme = if s3 { Scheme::S3 } else { Scheme::Gcs };
        let url = format!("http://h/dev/{}?v={}", encode(key.as_bytes()), encode(value.as_bytes()));
        let signer = Signer::new(scheme, Credentials::development()).region(region);
        let signed = signer.presign(&Presign::put(&url, Duration::from_secs(60), at())).unwrap();
        let keys = [Credentials::development()].into_iter().collect();
        let host = headers(&[("host", "h")]);
        let good = |target: &str| {
            let uri: Option<http::Uri> = target.parse().ok();
            uri.is_some_and(|uri| verify((&Method::PUT, &uri, &host), &keys, at(), DEFAULT_SKEW).is_ok())
        };
        let target = signed.strip_prefix("http://h").unwrap();
        prop_assert!(good(target));

        let mut changed = target.as_bytes().to_vec();
        let at_byte = at_byte.index(changed.len());
        changed[at_byte] ^= 1 << bit;
        let changed = String::from_utf8(changed).unwrap();
        // The case of hexadecimal digits and of parameter names does not matter, nor whether a character is encoded.
        let meaning = |text: &str| decode(&text.to_ascii_lowercase()).into_owned();
        let fragment = changed.contains('#');
        prop_assert!(!good(&changed) || fragment || meaning(&changed) == meaning(target), "{changed}");
    }

    #[test]
    fn no_query_makes_it_panic(query in "(X-(Goog|Amz)-(Date|Expires|Credential|Signature|Algorithm)=[A-Z0-9%/-]{0,20}&?){0,6}", raw in "[!-~]{0,40}") {
        for target in [format!("/b/a?{query}"), format!("/{raw}"), format!("/b/a?X-Goog-Algorithm=GOOG4-HMAC-SHA256&{raw}&{query}")] {
            let Ok(uri) = target.parse() else { continue };
            let outcome = verify((&Method::PUT, &uri, &HeaderMap::new()), &Keys::default(), at(), DEFAULT_SKEW);
            prop_assert!(outcome.is_err());
        }
    }
}
