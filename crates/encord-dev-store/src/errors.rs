//! The statuses and XML bodies with which the services refuse a request.
//!
//! Google's `SignatureDoesNotMatch` and Amazon's `HeadersNotSigned` follow answers that users have published. The other codes and
//! statuses follow the services' documented sets, but their texts have not been compared with live answers. Least certain are
//! Google's for an unsigned extension header, an unknown access id and a URL that is not valid yet. Match on status and code.
//! `SignatureProvided`, with which S3 repeats the signature, is left out, so that no answer has a signature.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::sign::{Scheme, SignatureError, with_offset, with_z};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Signature(SignatureError),
    NoSuchKey {
        key: String,
    },
    MethodNotAllowed,
    InvalidUri,
    InvalidBucketName,
    KeyTooLong,
    InvalidArgument(&'static str),
    MissingContentLength,
    NotImplemented,
    InvalidDigest,
    BadDigest,
    IncompleteBody,
    /// There is an object of this name, and the store does not overwrite objects.
    AlreadyThere,
    /// The store itself failed.
    Internal,
    /// A planned answer.
    Planned(StatusCode),
}

/// An answer: a status, and a code for machines, with a text, in XML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Refused {
    /// Returns the answer of the service of this scheme.
    pub(crate) fn answer(&self, scheme: Scheme, now: SystemTime) -> Answer {
        let (status, code, message) = match self {
            Self::Signature(error) => return signature(error, scheme, now),
            Self::NoSuchKey { key } => {
                let message = "The specified key does not exist.";
                let details =
                    if scheme == Scheme::S3 { ("Key", key.clone()) } else { ("Details", no_such_object(key)) };
                return answer(StatusCode::NOT_FOUND, "NoSuchKey", message, &[details]);
            }
            Self::InvalidArgument(details) => {
                let details = [("Details", (*details).to_owned())];
                return answer(StatusCode::BAD_REQUEST, "InvalidArgument", "Invalid argument.", &details);
            }
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            ),
            Self::InvalidUri => (StatusCode::BAD_REQUEST, "InvalidURI", "Couldn't parse the specified URI."),
            Self::InvalidBucketName => {
                (StatusCode::BAD_REQUEST, "InvalidBucketName", "The specified bucket is not valid.")
            }
            Self::KeyTooLong => (StatusCode::BAD_REQUEST, "KeyTooLongError", "Your key is too long."),
            Self::MissingContentLength => (
                StatusCode::LENGTH_REQUIRED,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
            ),
            Self::NotImplemented => (
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented.",
            ),
            Self::InvalidDigest => {
                (StatusCode::BAD_REQUEST, "InvalidDigest", "The Content-MD5 you specified was invalid.")
            }
            Self::BadDigest => {
                (StatusCode::BAD_REQUEST, "BadDigest", "The Content-MD5 you specified did not match what we received.")
            }
            Self::IncompleteBody => (
                StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header.",
            ),
            Self::AlreadyThere => (
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold.",
            ),
            Self::Internal => internal(),
            Self::Planned(status) => planned(*status),
        };
        answer(status, code, message, &[])
    }
}

fn internal() -> (StatusCode, &'static str, &'static str) {
    let message = "We encountered an internal error. Please try again.";
    (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
}

fn planned(status: StatusCode) -> (StatusCode, &'static str, &'static str) {
    let (code, message) = match status {
        StatusCode::FORBIDDEN => ("AccessDenied", "Access denied."),
        StatusCode::NOT_FOUND => ("NoSuchKey", "The specified key does not exist."),
        StatusCode::REQUEST_TIMEOUT => {
            ("RequestTimeout", "Your socket connection to the server was idle for too long.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("EntityTooLarge", "Your proposed upload is too large."),
        StatusCode::TOO_MANY_REQUESTS => ("SlowDown", "Please reduce your request rate."),
        StatusCode::INTERNAL_SERVER_ERROR => return internal(),
        StatusCode::SERVICE_UNAVAILABLE => ("ServiceUnavailable", "Service unavailable. Please retry."),
        _ => ("Fault", "The fault plan asked for this status."),
    };
    (status, code, message)
}

fn no_such_object(key: &str) -> String {
    format!("No such object: {key}")
}

fn signature(error: &SignatureError, scheme: Scheme, now: SystemTime) -> Answer {
    if error.scheme().unwrap_or(scheme) == Scheme::S3 { signature_s3(error, now) } else { signature_gcs(error) }
}

fn signature_gcs(error: &SignatureError) -> Answer {
    let malformed = |parameter: &str, details: &str| {
        let details = [("ParameterName", parameter.to_owned()), ("Details", details.to_owned())];
        answer(StatusCode::BAD_REQUEST, "MalformedSecurityHeader", "Your request has a malformed header.", &details)
    };
    let denied = |details: &str| {
        answer(StatusCode::FORBIDDEN, "AccessDenied", "Access denied.", &[("Details", details.to_owned())])
    };
    match error {
        SignatureError::Missing => denied("Anonymous caller does not have access to the Google Cloud Storage object."),
        SignatureError::Malformed { parameter, problem, .. } => malformed(&format!("X-Goog-{parameter}"), problem),
        SignatureError::UnknownAccessId { .. } => {
            answer(StatusCode::FORBIDDEN, "InvalidSecurity", "The provided security credentials are not valid.", &[])
        }
        SignatureError::NotYetValid { from, .. } => {
            denied(&format!("Request signature is not valid before: {}", with_offset(*from)))
        }
        SignatureError::Expired { at, .. } => {
            let details = [("Details", format!("Request signature expired at: {}", with_offset(*at)))];
            answer(StatusCode::BAD_REQUEST, "ExpiredToken", "The provided token has expired.", &details)
        }
        SignatureError::MissingHeader { name, .. } => {
            malformed(name, "Header was included in signedheaders, but not in the request.")
        }
        SignatureError::UnsignedHeader { name, .. } => {
            malformed(name, "Header was included in the request, but not in signedheaders.")
        }
        SignatureError::Mismatch { string_to_sign, canonical_request, .. } => {
            let details = [
                (
                    "Details",
                    "The request signature we calculated does not match the signature you provided. Check your Google \
                     secret key and signing method."
                        .to_owned(),
                ),
                ("StringToSign", string_to_sign.clone()),
                ("CanonicalRequest", canonical_request.clone()),
            ];
            answer(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", "Access denied.", &details)
        }
    }
}

fn signature_s3(error: &SignatureError, now: SystemTime) -> Answer {
    let denied =
        |message: &str, details: &[(&str, String)]| answer(StatusCode::FORBIDDEN, "AccessDenied", message, details);
    match error {
        SignatureError::Missing => denied("Access Denied", &[]),
        SignatureError::Malformed { parameter, problem, .. } => {
            let message = format!("X-Amz-{parameter} {problem}");
            answer(StatusCode::BAD_REQUEST, "AuthorizationQueryParametersError", &message, &[])
        }
        SignatureError::UnknownAccessId { access_id, .. } => {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            answer(StatusCode::FORBIDDEN, "InvalidAccessKeyId", message, &[("AWSAccessKeyId", access_id.clone())])
        }
        SignatureError::NotYetValid { .. } => denied("Request is not valid yet", &[("ServerTime", with_z(now))]),
        SignatureError::Expired { at, expires, .. } => {
            let details = [
                ("X-Amz-Expires", expires.as_secs().to_string()),
                ("Expires", with_z(*at)),
                ("ServerTime", with_z(now)),
            ];
            denied("Request has expired", &details)
        }
        SignatureError::UnsignedHeader { name, .. } => {
            let message = "There were headers present in the request which were not signed";
            denied(message, &[("HeadersNotSigned", name.clone())])
        }
        SignatureError::MissingHeader { name, .. } => {
            mismatch_s3(&[("Details", format!("The header {name} was signed and is not in the request."))])
        }
        SignatureError::Mismatch { string_to_sign, canonical_request, .. } => {
            mismatch_s3(&[("StringToSign", string_to_sign.clone()), ("CanonicalRequest", canonical_request.clone())])
        }
    }
}

fn mismatch_s3(details: &[(&str, String)]) -> Answer {
    let message = "The request signature we calculated does not match the signature you provided. Check your key and \
                   signing method.";
    answer(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message, details)
}

/// Returns the answer of a planned `expire`: the URL expired a second ago.
pub(crate) fn expired(scheme: Scheme, now: SystemTime) -> Refused {
    let second = Duration::from_secs(1);
    let at = now.checked_sub(second).unwrap_or(now);
    Refused::Signature(SignatureError::Expired { scheme, at, expires: second })
}

fn answer(status: StatusCode, code: &str, message: &str, details: &[(&str, String)]) -> Answer {
    let mut body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{}</Message>",
        xml_escaped(message)
    );
    for (name, value) in details {
        let _ = write!(body, "<{name}>{}</{name}>", xml_escaped(value));
    }
    body.push_str("</Error>");
    Answer { status, body }
}

/// Escapes text for XML 1.0. Characters that XML cannot contain become U+FFFD.
pub(crate) fn xml_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' | '\t' => escaped.push(letter),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if letter.is_ascii_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_369_353_600);

    #[track_caller]
    fn check(refused: &Refused, scheme: Scheme, status: u16, inner: &str) {
        let answer = refused.answer(scheme, SystemTime::UNIX_EPOCH + NOW);
        assert_eq!(answer.status.as_u16(), status);
        let body = answer.body.strip_prefix("<?xml version='1.0' encoding='UTF-8'?><Error>");
        assert_eq!(body.and_then(|body| body.strip_suffix("</Error>")), Some(inner));
    }

    #[test]
    fn an_expired_url_is_answered_as_each_service_does() {
        let expired = |scheme| expired(scheme, SystemTime::UNIX_EPOCH + NOW);
        check(
            &expired(Scheme::Gcs),
            Scheme::Gcs,
            400,
            "<Code>ExpiredToken</Code><Message>The provided token has expired.</Message>\
             <Details>Request signature expired at: 2013-05-23T23:59:59+00:00</Details>",
        );
        check(
            &expired(Scheme::S3),
            Scheme::S3,
            403,
            "<Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>1</X-Amz-Expires>\
             <Expires>2013-05-23T23:59:59Z</Expires><ServerTime>2013-05-24T00:00:00Z</ServerTime>",
        );
    }

    #[test]
    fn a_wrong_signature_is_explained_without_repeating_it() {
        let mismatch = |scheme| {
            let (string_to_sign, canonical_request) = ("A\nB".to_owned(), "PUT\na=1&b=<2>".to_owned());
            Refused::Signature(SignatureError::Mismatch { scheme, string_to_sign, canonical_request })
        };
        check(
            &mismatch(Scheme::Gcs),
            Scheme::Gcs,
            403,
            "<Code>SignatureDoesNotMatch</Code><Message>Access denied.</Message><Details>The request signature we \
             calculated does not match the signature you provided. Check your Google secret key and signing \
             method.</Details><StringToSign>A\nB</StringToSign><CanonicalRequest>PUT\na=1&amp;b=&lt;2&gt;</CanonicalRequest>",
        );
        check(
            &mismatch(Scheme::S3),
            // The scheme of the URL decides.
            Scheme::Gcs,
            403,
            "<Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature \
             you provided. Check your key and signing method.</Message><StringToSign>A\nB</StringToSign>\
             <CanonicalRequest>PUT\na=1&amp;b=&lt;2&gt;</CanonicalRequest>",
        );
    }

    #[test]
    fn headers_that_are_missing_or_unsigned() {
        let (scheme, name) = (Scheme::Gcs, "x-goog-meta-a".to_owned());
        check(
            &Refused::Signature(SignatureError::MissingHeader { scheme, name: name.clone() }),
            scheme,
            400,
            "<Code>MalformedSecurityHeader</Code><Message>Your request has a malformed header.</Message>\
             <ParameterName>x-goog-meta-a</ParameterName>\
             <Details>Header was included in signedheaders, but not in the request.</Details>",
        );
        check(
            &Refused::Signature(SignatureError::UnsignedHeader { scheme: Scheme::S3, name: "x-amz-acl".to_owned() }),
            scheme,
            403,
            "<Code>AccessDenied</Code><Message>There were headers present in the request which were not \
             signed</Message><HeadersNotSigned>x-amz-acl</HeadersNotSigned>",
        );
    }

    #[test]
    fn the_other_codes() {
        #[track_caller]
        fn code(refused: &Refused, status: u16, code: &str) {
            for scheme in [Scheme::Gcs, Scheme::S3] {
                let answer = refused.answer(scheme, SystemTime::UNIX_EPOCH);
                assert_eq!(answer.status.as_u16(), status);
                assert!(answer.body.contains(&format!("<Code>{code}</Code>")), "{}", answer.body);
            }
        }
        code(&Refused::Signature(SignatureError::Missing), 403, "AccessDenied");
        code(&Refused::NoSuchKey { key: "<a>".to_owned() }, 404, "NoSuchKey");
        code(&Refused::MethodNotAllowed, 405, "MethodNotAllowed");
        code(&Refused::InvalidUri, 400, "InvalidURI");
        code(&Refused::InvalidBucketName, 400, "InvalidBucketName");
        code(&Refused::KeyTooLong, 400, "KeyTooLongError");
        code(&Refused::InvalidArgument("max-keys"), 400, "InvalidArgument");
        code(&Refused::MissingContentLength, 411, "MissingContentLength");
        code(&Refused::NotImplemented, 501, "NotImplemented");
        code(&Refused::InvalidDigest, 400, "InvalidDigest");
        code(&Refused::BadDigest, 400, "BadDigest");
        code(&Refused::IncompleteBody, 400, "IncompleteBody");
        code(&Refused::AlreadyThere, 412, "PreconditionFailed");
        code(&Refused::Internal, 500, "InternalError");
        code(&Refused::Planned(StatusCode::SERVICE_UNAVAILABLE), 503, "ServiceUnavailable");
        code(&Refused::Planned(StatusCode::TOO_MANY_REQUESTS), 429, "SlowDown");
        code(&Refused::Planned(StatusCode::IM_A_TEAPOT), 418, "Fault");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(xml_escaped("a<b>&\"'\r\n\u{0}é"), "a&lt;b&gt;&amp;&quot;&apos;&#13;\n\u{fffd}é");
    }
}
