//! Builds answers.

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, RETRY_AFTER,
};
use http::{Response, StatusCode};

use super::body::Body;
use crate::errors;
use crate::faults::RetryAfter;
use crate::objects::ObjectInfo;
use crate::sign::http_date;

const GOOG_HASH: HeaderName = HeaderName::from_static("x-goog-hash");
const STORED_LENGTH: HeaderName = HeaderName::from_static("x-goog-stored-content-length");
const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=UTF-8");

pub(super) fn empty(status: StatusCode) -> Response<Body> {
    with(status, Body::Whole(Bytes::new()))
}

pub(super) fn xml(status: StatusCode, xml: String) -> Response<Body> {
    let mut response = with(status, Body::Whole(xml.into()));
    response.headers_mut().insert(CONTENT_TYPE, XML);
    response
}

pub(super) fn refused(
    errors::Answer { status, body }: errors::Answer,
    retry_after: Option<RetryAfter>,
) -> Response<Body> {
    let mut response = xml(status, body);
    if let Some(RetryAfter(seconds)) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Returns the answer to an upload: the hashes of the stored bytes, and no body.
pub(super) fn stored(info: &ObjectInfo) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    hashes(&mut response, info);
    response
}

/// Returns the answer with an object. For `HEAD`, `body` is empty.
pub(super) fn object(info: &ObjectInfo, body: Body) -> Response<Body> {
    let mut response = with(StatusCode::OK, body);
    hashes(&mut response, info);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, info.size.into());
    let content_type = info.content_type.as_deref().unwrap_or("application/octet-stream");
    headers.extend(HeaderValue::try_from(content_type).map(|value| (CONTENT_TYPE, value)));
    headers.extend(HeaderValue::try_from(http_date(info.stored_at)).map(|value| (LAST_MODIFIED, value)));
    response
}

/// Says that the connection ends after this answer.
pub(super) fn close(response: &mut Response<Body>) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

fn hashes(response: &mut Response<Body>, info: &ObjectInfo) {
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(info.etag()).map(|value| (ETAG, value)));
    headers.extend(HeaderValue::try_from(info.goog_hash()).map(|value| (GOOG_HASH, value)));
    headers.insert(STORED_LENGTH, info.size.into());
}

fn with(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
