//! The targets of items. If two items have the same target, the later upload overwrites the earlier one, and both count as
//! uploaded.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;

use encord_http::{HeaderMap, Origin, SignedUrl};

/// A signed URL, and the headers that must be sent with it.
#[derive(Clone)]
pub struct SignedTarget {
    /// The signed URL.
    pub url: SignedUrl,
    /// The headers that belong to the URL. They replace headers of the item.
    pub headers: HeaderMap,
}

/// The targets of a list of items. It takes about 20 bytes of memory for each item.
///
/// ```
/// use encord_upload::{SignedUrl, Targets};
///
/// let mut targets = Targets::default();
/// assert_eq!(targets.insert(0, &SignedUrl::new("https://storage.example/a.jpg?sig=…")), None);
/// assert_eq!(targets.insert(1, &SignedUrl::new("https://storage.example/b.jpg?sig=…")), None);
/// assert_eq!(targets.insert(2, &SignedUrl::new("https://storage.example/a.jpg?sig=other")), Some(0));
/// ```
#[derive(Debug, Default)]
pub struct Targets {
    hasher: RandomState,
    /// The position of the first item of each target, by the hash of the target.
    positions: HashMap<u64, u32>,
}

impl Targets {
    /// Returns the origin and path of a target. Two targets are the same if these are equal. `None` if the URL cannot be requested,
    /// or is that of one part of an object (`uploadId` of S3, `comp` of Azure).
    pub fn key(url: &SignedUrl) -> Option<(&Origin, &str)> {
        let (uri, origin) = url.expose().ok()?;
        let is_part = |name: &str| ["uploadid", "comp"].iter().any(|part| name.eq_ignore_ascii_case(part));
        let mut names = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split('=').next());
        (!names.any(is_part)).then(|| (origin, uri.path()))
    }

    /// Enters the target of the item at this position. Returns the position of an earlier item with the same target.
    pub fn insert(&mut self, position: usize, url: &SignedUrl) -> Option<usize> {
        let key = self.hasher.hash_one(Self::key(url)?);
        let position = u32::try_from(position).ok()?;
        let first = *self.positions.entry(key).or_insert(position);
        (first != position).then_some(first as usize)
    }
}

impl<T: Into<SignedUrl>> From<T> for SignedTarget {
    fn from(url: T) -> Self {
        Self { url: url.into(), headers: HeaderMap::new() }
    }
}

impl fmt::Debug for SignedTarget {
    /// Shows host and path only, because the headers may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedTarget({})", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u11_a_target_is_origin_and_path() {
        #[track_caller]
        fn check(first: &str, second: &str, is_same: bool) {
            let mut targets = Targets::default();
            assert_eq!(targets.insert(7, &SignedUrl::new(first)), None);
            assert_eq!(targets.insert(9, &SignedUrl::new(second)), is_same.then_some(7), "{first} {second}");
        }
        check("https://h/a?sig=1", "https://H:443/a?sig=2", true);
        check("https://h/a?sig=1", "http://h/a?sig=1", false);
        check("https://h/a?sig=1", "https://h/A?sig=1", false);
        check("https://h/a?sig=1", "https://g/a?sig=1", false);
        check("https://h/a?partNumber=1&uploadId=x", "https://h/a?partNumber=2&uploadId=x", false);
        check("https://h/a?comp=block&blockid=1", "https://h/a?comp=block&blockid=2", false);
        check("not a URL", "not a URL", false);
    }
}
