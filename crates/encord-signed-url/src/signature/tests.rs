//! Queries as the services write them, and malformed ones.

use proptest::prelude::*;

use super::*;

const V4_GOOG: &str = "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%40b%2F20261123%2Fauto%2Fstorage%2Fgoog4_request\
                       &X-Goog-Date=20261123T120000Z&X-Goog-Expires=3600\
                       &X-Goog-SignedHeaders=content-type%3Bhost%3Bx-goog-resumable&X-Goog-Signature=c0ffee";
const V4_AMZ: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20261123%2Feu-west-1%2Fs3%2Faws4_request\
                      &X-Amz-Date=20261123T120000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host;x-amz-acl&X-Amz-Signature=c0ffee";
const SAS: &str = "sv=2024-11-04&sr=b&sp=cw&se=2026-11-23T13%3A00%3A00Z&sig=c0ffee%3D";
const V2_GOOG: &str = "GoogleAccessId=a%40b&Expires=1795438800&Signature=c0ffee%3D";
const V2_AMZ: &str = "AWSAccessKeyId=k&Expires=1795438800&Signature=c0ffee%3D";
const NGINX: &str = "md5=c0ffee&expires=1795438800";

/// 2026-11-23 13:00:00 UTC.
const EXPIRES: u64 = 1_795_438_800;

fn url(query: &str) -> SignedUrl {
    SignedUrl::new(format!("https://h/a?{query}"))
}

fn unix(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[track_caller]
fn check(query: &str, kind: Option<SignatureKind>, expires: Option<u64>) {
    assert_eq!(url(query).signature(), kind, "{query}");
    assert_eq!(url(query).expires_at(), expires.map(unix), "{query}");
}

#[test]
fn every_service_is_known_by_its_parameters() {
    use SignatureKind::{AzureSas, GcsV2, GcsV4, S3V2, S3V4, SecureLink};
    check(V4_GOOG, Some(GcsV4), Some(EXPIRES));
    check(&V4_GOOG.to_ascii_lowercase().replace("t120000z", "T120000Z"), Some(GcsV4), Some(EXPIRES));
    check(V4_AMZ, Some(S3V4), Some(EXPIRES));
    check(&V4_AMZ.replace("X-Amz", "x-amz"), Some(S3V4), Some(EXPIRES));
    check(SAS, Some(AzureSas), Some(EXPIRES));
    check("sv=2024-11-04&si=policy&sig=c0ffee", Some(AzureSas), None);
    check(V2_GOOG, Some(GcsV2), Some(EXPIRES));
    check(V2_AMZ, Some(S3V2), Some(EXPIRES));
    check(NGINX, Some(SecureLink), Some(EXPIRES));
    check("Expires=1795438800&Signature=c0ffee&Key-Pair-Id=k", None, None);
    for unsigned in ["", "&&=&", "a=b", "sig=c0ffee", "Expires=1795438800", "expires=1", "signature=a&expires=1"] {
        check(unsigned, None, None);
    }
    for no_query in ["https://h/a", "no url", ""] {
        assert_eq!((SignedUrl::new(no_query).signature(), SignedUrl::new(no_query).expires_at()), (None, None));
    }
}

#[test]
fn a_time_that_is_none_is_no_time() {
    let with = |query: &str, from: &str, to: &str| url(&query.replace(from, to)).expires_at();
    for date in [
        "",
        "20261123",
        "20261123T120000",
        "20261123T12000Z",
        "20261123T1200000Z",
        "20261323T120000Z",
        "20260230T120000Z",
        "20261100T120000Z",
        "20261123T240000Z",
        "20261123T126000Z",
        "+0261123T120000Z",
        "2026112%C3%A9T120000Z",
        "%FF",
        "%C3%A9%C3%A9%C3%A9%C3%A9T%C3%A9%C3%A9%C3%A9Z",
    ] {
        assert_eq!(with(V4_GOOG, "20261123T120000Z", date), None, "{date}");
        assert_eq!(with(V4_AMZ, "20261123T120000Z", date), None, "{date}");
    }
    for seconds in ["", "-1", "+1", "1.5", "1e3", "x", "99999999999999999999", "18446744073709551615"] {
        assert_eq!(with(V4_GOOG, "Expires=3600", &format!("Expires={seconds}")), None, "{seconds}");
        assert_eq!(with(V4_AMZ, "Expires=3600", &format!("Expires={seconds}")), None, "{seconds}");
        for query in [V2_GOOG, V2_AMZ, NGINX] {
            assert_eq!(with(query, "1795438800", seconds), None, "{seconds}");
        }
    }
    assert_eq!(with(V4_GOOG, "X-Goog-Date", "X-Goog-Day"), None);
    assert_eq!(with(V4_GOOG, "X-Goog-Expires", "Expires"), None);
    assert_eq!(with(V4_AMZ, "Expires=3600", "Expires=0"), Some(unix(EXPIRES - 3600)));
}

#[test]
fn azure_takes_many_forms_of_a_date() {
    #[track_caller]
    fn check(se: &str, expected: Option<(u64, u32)>) {
        let expires = url(&format!("sv=2024-11-04&sig=c0ffee&se={se}")).expires_at();
        assert_eq!(
            expires,
            expected.map(|(seconds, nanos)| unix(seconds) + Duration::from_nanos(nanos.into())),
            "{se}"
        );
    }
    check("2026-11-23", Some((EXPIRES - 13 * 3600, 0)));
    for se in [
        "2026-11-23T13:00Z",
        "2026-11-23T13%3A00Z",
        "2026-11-23T13:00:00Z",
        "2026-11-23T13:00:00.0Z",
        "2026-11-23T14:00:00%2B01:00",
        "2026-11-23T14:00+01:00",
        "2026-11-23T05:30:00-07:30",
        "2026-11-24T00:30:00.000%2B11:30",
    ] {
        check(se, Some((EXPIRES, 0)));
    }
    check("2026-11-23T13:00:00.1234567Z", Some((EXPIRES, 123_456_700)));
    check("1970-01-01", Some((0, 0)));
    check("2000-02-29", Some((951_782_400, 0)));
    for none in [
        "",
        "2026",
        "2026-11",
        "2026-1-2",
        "26-11-23",
        "2026-11-23T",
        "2026-11-23T13:00",
        "2026-11-23T13:00:00",
        "2026-11-23T13:00:00.Z",
        "2026-11-23T13:00.5Z",
        "2026-11-23T13:00:00.xZ",
        "2026-11-23T13:00:00:00Z",
        "2026-11-23T1:00:00Z",
        "2026-11-23T13:00:00+1:00",
        "2026-11-23T13:00:00+",
        "2026-02-29",
        "1900-02-29",
        "2026-00-01",
        "-001-01-01",
        "99999-01-01",
        "2026-11-23-01",
        "2026-11-23T13:00:00ZZ",
        "2026-11-23T13:00:00.%C3%A9Z",
    ] {
        check(none, None);
    }
    assert_eq!(url("sv=1&sig=c&se=0001-01-01").expires_at().map(|at| at < unix(0)), Some(true));
}

#[test]
fn a_header_that_the_signature_should_cover_is_not_to_be_added() {
    #[track_caller]
    fn check(query: &str, allowed: &[&str], refused: &[&str]) {
        let allows = |name: &&&str| url(query).allows_header(&name.parse().expect("a name"));
        assert_eq!(allowed.iter().filter(allows).count(), allowed.len(), "{query}: {allowed:?}");
        assert_eq!(refused.iter().filter(allows).count(), 0, "{query}: {refused:?}");
    }
    const PLAIN: [&str; 3] = ["cache-control", "content-md5", "content-type"];
    const GOOG: [&str; 2] = ["x-goog-hash", "x-goog-content-length-range"];
    const AMZ: [&str; 2] = ["x-amz-checksum-crc32c", "x-amz-meta-a"];
    let of_services = [GOOG, AMZ].concat();
    check(V4_GOOG, &PLAIN, &of_services);
    check(V4_GOOG, &["x-goog-resumable"], &[]);
    check(V4_AMZ, &PLAIN, &of_services);
    check(V4_AMZ, &["x-amz-acl"], &["x-goog-resumable"]);
    for query in [V2_GOOG, V2_AMZ] {
        check(query, &["cache-control", "if-none-match"], &["content-md5", "content-type"]);
        check(query, &[], &of_services);
    }
    for query in [SAS, NGINX, "a=b", ""] {
        check(query, &PLAIN, &[]);
        check(query, &of_services, &[]);
    }
}

proptest! {
    #[test]
    fn dates_agree_with_httpdate(seconds in 0u64..253_402_300_800) {
        let date = httpdate::fmt_http_date(unix(seconds));
        let month = "JanFebMarAprMayJunJulAugSepOctNovDec".find(&date[8..11]).expect("a month") / 3 + 1;
        let (day, year, time) = (&date[5..7], &date[12..16], &date[17..25]);
        prop_assert_eq!(instant(&format!("{year}{month:02}{day}T{}Z", time.replace(':', ""))), Some(unix(seconds)));
        prop_assert_eq!(instant_or_date(&format!("{year}-{month:02}-{day}T{time}Z")), Some(unix(seconds)));
    }

    #[test]
    fn u9_no_query_makes_it_panic_or_is_shown(value in "[!-~]{0,24}", other in "\\PC{0,12}") {
        for query in [V4_GOOG, V4_AMZ, SAS, V2_GOOG, V2_AMZ, NGINX] {
            for replaced in ["20261123T120000Z", "3600", "2026-11-23T13%3A00%3A00Z", "1795438800", "c0ffee", "host", "&"] {
                for value in [&value, &other] {
                    let url = url(&query.replace(replaced, value));
                    let shown = format!("{:?} {:?} {:?}", url.signature(), url.expires_at(), url.origin());
                    let _ = url.allows_header(&CONTENT_TYPE);
                    prop_assert!(!shown.contains("c0ffee"), "{shown}");
                }
            }
        }
        let _ = (instant(&other), instant_or_date(&other));
    }
}
