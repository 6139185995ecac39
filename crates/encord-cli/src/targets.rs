//! Items of a manifest with the same target. Only the item that is uploaded last stays there.

use std::hash::{BuildHasher, RandomState};
use std::io;

use encord_upload::UploadItem;

/// How many targets, and how many items of each, are named.
const MAX_NAMED: usize = 3;

/// Finds the targets that several items share: 16 bytes of memory for each item.
#[derive(Debug, Default)]
pub(crate) struct SharedTargets {
    seed: RandomState,
    /// A hash of the target, and the position of the item in the manifest.
    seen: Vec<(u64, u64)>,
}

impl SharedTargets {
    /// Adds the item at this position.
    pub(crate) fn add(&mut self, index: u64, item: &UploadItem) {
        if let Some(key) = item.signed_url.as_ref().and_then(encord_upload::Targets::key) {
            self.seen.push((self.seed.hash_one(key), index));
        }
    }

    /// Returns a warning for each target that several items have. `items` must begin with the first item again.
    pub(crate) fn warnings(mut self, items: impl Iterator<Item = io::Result<UploadItem>>) -> io::Result<Vec<String>> {
        self.seen.sort_unstable();
        let repeated: Vec<&[(u64, u64)]> =
            self.seen.chunk_by(|(one, _), (other, _)| one == other).filter(|items| items.len() > 1).collect();
        if repeated.is_empty() {
            return Ok(Vec::new());
        }
        let shown = &repeated[..MAX_NAMED.min(repeated.len())];
        let mut wanted: Vec<u64> =
            shown.iter().flat_map(|items| items.iter().take(MAX_NAMED)).map(|(_, at)| *at).collect();
        wanted.sort_unstable();
        let mut named = Vec::new();
        for (index, item) in (0..).zip(items) {
            if wanted.binary_search(&index).is_ok() {
                let item = item?;
                let target = item.signed_url.as_ref().map(ToString::to_string).unwrap_or_default();
                named.push((index, item.path.display().to_string(), target));
            } else if named.len() == wanted.len() {
                break;
            }
        }
        let mut warnings: Vec<String> = shown.iter().map(|items| warning(items, &named)).collect();
        let more = repeated.len() - shown.len();
        warnings.extend((more > 0).then(|| format!("{more} more targets are those of several items")));
        Ok(warnings)
    }
}

fn warning(items: &[(u64, u64)], named: &[(u64, String, String)]) -> String {
    let these: Vec<_> = named.iter().filter(|(index, ..)| items.iter().any(|(_, at)| at == index)).collect();
    let paths: Vec<&str> = these.iter().map(|(_, path, _)| path.as_str()).collect();
    let target = these.first().map_or("", |(_, _, target)| target);
    let more = match items.len() - paths.len() {
        0 => paths.last().map_or(String::new(), |last| (*last).to_owned()),
        more => format!("{more} more"),
    };
    let named = if items.len() == paths.len() { &paths[..paths.len().saturating_sub(1)] } else { &paths[..] };
    format!(
        "{} and {more} have the same target, {target}: only the one that is uploaded last stays there",
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(items: &[(&str, &str)], expected: &[&str]) {
        let items: Vec<UploadItem> = items.iter().map(|(path, url)| UploadItem::new(*path, *url)).collect();
        let mut targets = SharedTargets::default();
        for (index, item) in (0..).zip(&items) {
            targets.add(index, item);
        }
        assert_eq!(targets.warnings(items.into_iter().map(Ok)).expect("in memory"), expected);
    }

    #[test]
    fn u9_items_with_one_target_are_named() {
        check(&[], &[]);
        check(&[("a", "http://h/a?s3cret"), ("b", "http://h/b?s3cret"), ("a", "http://g/a")], &[]);
        check(
            &[("a/1", "http://h/1?s3cret"), ("x", "http://h/x"), ("b/1", "http://H/1?other")],
            &["a/1 and b/1 have the same target, h/1: only the one that is uploaded last stays there"],
        );
        check(
            &[("a", "https://h/1?s3cret"), ("b", "https://h:443/1"), ("c", "http://h:443/1")],
            &["a and b have the same target, h/1: only the one that is uploaded last stays there"],
        );
        check(&[("a", "http://h/1?uploadId=x&partNumber=1"), ("b", "http://h/1?uploadId=x&partNumber=2")], &[]);
        // Invalid URLs overwrite nothing.
        check(&[("a", "x"), ("b", "x"), ("c", ""), ("d", "")], &[]);
    }

    #[test]
    fn of_many_a_few_are_named() {
        let many: Vec<(String, String)> = (0..20).map(|n| (format!("{n}"), format!("http://h/{}", n % 5))).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(path, url)| (path.as_str(), url.as_str())).collect();
        let items: Vec<UploadItem> = many.iter().map(|(path, url)| UploadItem::new(*path, *url)).collect();
        let mut targets = SharedTargets::default();
        for (index, item) in (0..).zip(&items) {
            targets.add(index, item);
        }
        let warnings = targets.warnings(items.into_iter().map(Ok)).expect("in memory");
        assert_eq!(warnings.len(), MAX_NAMED + 1);
        assert!(warnings[0].contains(" and 1 more have the same target, h/"), "{warnings:?}");
        assert_eq!(warnings[MAX_NAMED], "2 more targets are those of several items");
    }
}
