//! Redirects, for those who ask for them.

use http::header::{AUTHORIZATION, COOKIE, LOCATION, PROXY_AUTHORIZATION};
use http::{Method, StatusCode};

use crate::request::Request;
use crate::response::Response;

/// The request that a redirect asks for (RFC 9110 §15.4), if it is one that may be followed.
pub(crate) fn next(request: &Request, response: &Response<()>) -> Option<Request> {
    let redirects = matches!(
        response.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let safe = matches!(request.method, Method::GET | Method::HEAD) && request.payload.is_empty();
    if !redirects || !safe || request.redirects == 0 {
        return None;
    }
    let url = request.url.redirected(response.headers.get(LOCATION)?.to_str().ok()?)?;
    let mut next = request.clone();
    if url.origin() != request.url.origin() {
        for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            next.headers.remove(secret);
        }
    }
    next.url = url;
    Some(next)
}
