//! Reads the path-style addresses of both services.

use http::{Method, Uri};

use crate::errors::Refused;
use crate::sign::{decode, pairs};

/// The limit of both services for the name of an object, in bytes of UTF-8.
const MAX_KEY_BYTES: usize = 1024;

/// The limit of both services for one page of a listing, in objects.
const MAX_LISTED_OBJECTS: usize = 1000;

/// An object, by bucket and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Put(Name),
    Get(Name),
    Head(Name),
    Delete(Name),
    List(Listing),
}

/// The listing of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    /// List only names after this one.
    pub(crate) after: String,
    /// How many names to list at most.
    pub(crate) max_keys: usize,
    /// Whether names are percent-encoded in the answer.
    pub(crate) encode: bool,
}

/// Reads the method and the target of a request.
pub(crate) fn action(method: &Method, uri: &Uri) -> Result<Action, Refused> {
    let path = decoded_path(uri).ok_or(Refused::InvalidUri)?;
    let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
    if !is_bucket(bucket) {
        return Err(Refused::InvalidBucketName);
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(Refused::KeyTooLong);
    }
    let name = || Name { bucket: bucket.to_owned(), key: key.to_owned() };
    match (method, key.is_empty()) {
        (&Method::GET, true) => listing(bucket, uri.query().unwrap_or_default()).map(Action::List),
        (&Method::PUT, false) => Ok(Action::Put(name())),
        (&Method::GET, false) => Ok(Action::Get(name())),
        (&Method::HEAD, false) => Ok(Action::Head(name())),
        (&Method::DELETE, false) => Ok(Action::Delete(name())),
        _ => Err(Refused::MethodNotAllowed),
    }
}

/// Returns the path without its first slash; `None` if it is not UTF-8.
pub(crate) fn decoded_path(uri: &Uri) -> Option<String> {
    let path = uri.path().strip_prefix('/').unwrap_or_default();
    String::from_utf8(decode(path).into_owned()).ok()
}

/// Whether a name is a valid bucket: at most 63 letters, digits, `-`, `_` and `.`, without a dot at the start. Such a name is
/// also a safe name for a folder.
pub(crate) fn is_bucket(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=63).contains(&name.len()) && name.bytes().all(is_allowed) && !name.starts_with('.')
}

fn listing(bucket: &str, query: &str) -> Result<Listing, Refused> {
    let mut listing = Listing { bucket: bucket.to_owned(), max_keys: MAX_LISTED_OBJECTS, ..Listing::default() };
    for (name, value) in pairs(query) {
        let value = || String::from_utf8(value.into_owned()).map_err(|_| Refused::InvalidUri);
        match &*name {
            b"prefix" => listing.prefix = value()?,
            b"start-after" | b"marker" => listing.after = listing.after.max(value()?),
            b"continuation-token" => {
                let last = String::from_utf8(decode(&value()?).into_owned());
                let last = last.map_err(|_| Refused::InvalidArgument("continuation-token is not one of this store"))?;
                listing.after = listing.after.max(last);
            }
            b"max-keys" => {
                let max_keys: usize =
                    value()?.parse().map_err(|_| Refused::InvalidArgument("max-keys is not a number"))?;
                listing.max_keys = max_keys.min(MAX_LISTED_OBJECTS);
            }
            b"encoding-type" => {
                listing.encode = match &*value()? {
                    "url" => true,
                    _ => return Err(Refused::InvalidArgument("encoding-type is not url")),
                }
            }
            b"delimiter" if !value()?.is_empty() => {
                return Err(Refused::InvalidArgument("delimiter is not supported by the development store"));
            }
            _ => {}
        }
    }
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bucket: &str, key: &str) -> Name {
        Name { bucket: bucket.to_owned(), key: key.to_owned() }
    }

    #[track_caller]
    fn check(method: &Method, target: &str, expected: &Result<Action, Refused>) {
        assert_eq!(action(method, &target.parse().unwrap()), *expected, "{method} {target}");
    }

    #[test]
    fn objects_are_addressed_by_path() {
        check(&Method::PUT, "/b/a.jpg?x=1", &Ok(Action::Put(name("b", "a.jpg"))));
        check(&Method::GET, "/b/a%2Fb/c%20d", &Ok(Action::Get(name("b", "a/b/c d"))));
        check(&Method::HEAD, "/b/../%2e%2e//x", &Ok(Action::Head(name("b", "../..//x"))));
        check(&Method::DELETE, "/b/%E2%82%AC", &Ok(Action::Delete(name("b", "€"))));
        check(&Method::GET, "http://h/b/a", &Ok(Action::Get(name("b", "a"))));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        check(&Method::GET, "/", &Err(Refused::InvalidBucketName));
        check(&Method::GET, "/../x", &Err(Refused::InvalidBucketName));
        check(&Method::GET, "/a%2F../x", &Ok(Action::Get(name("a", "../x"))));
        check(&Method::PUT, "/b", &Err(Refused::MethodNotAllowed));
        check(&Method::POST, "/b/a", &Err(Refused::MethodNotAllowed));
        check(&Method::PUT, "/b/%ff", &Err(Refused::InvalidUri));
        check(&Method::PUT, &format!("/b/{}", "k".repeat(1025)), &Err(Refused::KeyTooLong));
        check(&Method::OPTIONS, "*", &Err(Refused::InvalidBucketName));
    }

    #[test]
    fn listings() {
        let bucket = "b".to_owned();
        let plain = Listing { bucket, max_keys: 1000, ..Listing::default() };
        check(&Method::GET, "/b", &Ok(Action::List(plain.clone())));
        let some = Listing {
            bucket: "b".to_owned(),
            prefix: "a/".to_owned(),
            after: "a/5".to_owned(),
            max_keys: 2,
            encode: true,
        };
        let target = "/b/?list-type=2&prefix=a%2F&start-after=a/5&max-keys=2&encoding-type=url&delimiter=";
        check(&Method::GET, target, &Ok(Action::List(some)));
        let after = |after: &str| Ok(Action::List(Listing { after: after.to_owned(), ..plain.clone() }));
        check(&Method::GET, "/b?continuation-token=50%2525", &after("50%"));
        check(&Method::GET, "/b?start-after=50%2525", &after("50%25"));
        check(&Method::GET, "/b?continuation-token=a&start-after=b", &after("b"));
        check(
            &Method::GET,
            "/b?continuation-token=%25ff",
            &Err(Refused::InvalidArgument("continuation-token is not one of this store")),
        );
        check(&Method::GET, "/b?max-keys=x", &Err(Refused::InvalidArgument("max-keys is not a number")));
        check(
            &Method::GET,
            "/b?delimiter=/",
            &Err(Refused::InvalidArgument("delimiter is not supported by the development store")),
        );
    }
}
