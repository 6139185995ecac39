//! Redirects, which are followed only when the request asks for it.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LOCATION, RANGE, USER_AGENT,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use crate::request::Request;

/// The headers that may go to another origin. All others may be credentials (`Authorization`, `Cookie`, an API's key), or belong
/// to the first origin (`Host`).
const CROSS_ORIGIN_HEADERS: [HeaderName; 11] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    RANGE,
    USER_AGENT,
];

/// Returns the request that follows a redirect (RFC 9110 §15.4), if the redirect may be followed and `left` is not zero.
pub(crate) fn next(request: &Request, left: u8, answer: &Parts) -> Option<Request> {
    let redirects = matches!(
        answer.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let safe = matches!(request.0.method, Method::GET | Method::HEAD) && request.0.payload.is_empty();
    if !redirects || !safe || left == 0 {
        return None;
    }
    let url = request.0.url.redirected(answer.headers.get(LOCATION)?.to_str().ok()?)?;
    let mut next = request.clone();
    let inner = next.inner_mut();
    if url.origin() != inner.url.origin() {
        inner.target_headers = HeaderMap::new();
        inner.headers = inner
            .headers
            .iter()
            .filter(|(name, _)| CROSS_ORIGIN_HEADERS.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
    }
    inner.url = url;
    Some(next)
}
