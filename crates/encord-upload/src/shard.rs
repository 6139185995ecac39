//! The split of one list of items over several machines.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// One of N shards of a list of items. The shards are disjoint and complete.
///
/// An item is in shard `I` of `N` when the first eight bytes of the SHA-256 of its path, as a big-endian number, leave the
/// remainder `I` on division by `N`. The path is taken as it is written in the list, in UTF-8, so the split is the same on every
/// machine. It is part of the interface of this crate and does not change. In Python:
///
/// ```text
/// int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") % N == I
/// ```
///
/// ```
/// use encord_upload::Shard;
///
/// let shard: Shard = "3/4".parse()?;
/// assert!(shard.contains("images/cat.jpg".as_ref()));
/// assert!(!shard.contains("images/dog.jpg".as_ref()));
/// # Ok::<(), encord_upload::InvalidShard>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u64,
    count: u64,
}

/// Why a text or a pair of numbers is not a shard.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidShard {
    /// Not two numbers with a slash between them.
    #[error("a shard is written I/N, as in 0/4")]
    Syntax,
    /// The index is not below the count.
    #[error("shard {index}/{count} does not exist: the first is 0/{count}, and I must be below N")]
    Range {
        /// The I of I/N.
        index: u64,
        /// The N of I/N.
        count: u64,
    },
}

impl Shard {
    /// Shard `index` of `count`.
    ///
    /// # Errors
    ///
    /// [`InvalidShard::Range`] unless `index < count`.
    pub const fn new(index: u64, count: u64) -> Result<Self, InvalidShard> {
        if index < count { Ok(Self { index, count }) } else { Err(InvalidShard::Range { index, count }) }
    }

    /// Whether an item with this path belongs to the shard.
    pub fn contains(&self, path: &Path) -> bool {
        let hash = Sha256::digest(path.to_string_lossy().as_bytes());
        let number = hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        number % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        // `parse` would accept a plus sign.
        let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        let (index, count) = text.split_once('/').ok_or(InvalidShard::Syntax)?;
        match (number(index), number(count)) {
            (Some(index), Some(count)) => Self::new(index, count),
            _ => Err(InvalidShard::Syntax),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made with Python, by the expression in the documentation.
    #[test]
    fn the_split_is_the_same_for_ever() {
        #[track_caller]
        fn check(path: &str, remainders: [(u64, u64); 3]) {
            for (count, index) in remainders {
                for shard in 0..count {
                    let shard = Shard::new(shard, count).expect("in range");
                    assert_eq!(shard.contains(path.as_ref()), shard.index == index, "{path} in {shard}");
                }
            }
        }
        check("", [(2, 0), (4, 0), (7, 1)]);
        check("a.jpg", [(2, 0), (4, 2), (7, 4)]);
        check("images/cat.jpg", [(2, 1), (4, 3), (7, 3)]);
        check("images/dog.jpg", [(2, 0), (4, 2), (7, 2)]);
        check("bilder/größe 3.png", [(2, 0), (4, 0), (7, 4)]);
        check("/data/0001/000123.dcm", [(2, 0), (4, 0), (7, 4)]);
    }

    #[test]
    fn shards_are_read_from_text() {
        #[track_caller]
        fn check(text: &str, expected: Result<(u64, u64), &str>) {
            let shard = text.parse::<Shard>();
            assert_eq!(
                shard.as_ref().map(|s| (s.index, s.count)).map_err(ToString::to_string),
                expected.map_err(str::to_owned),
                "{text}"
            );
            if let Ok(shard) = shard {
                assert_eq!(shard.to_string().parse(), Ok(shard));
            }
        }
        const SYNTAX: &str = "a shard is written I/N, as in 0/4";
        check("0/1", Ok((0, 1)));
        check("07/010", Ok((7, 10)));
        check("4/4", Err("shard 4/4 does not exist: the first is 0/4, and I must be below N"));
        check("0/0", Err("shard 0/0 does not exist: the first is 0/0, and I must be below N"));
        for wrong in
            ["", "1", "/", "1/", "/2", "a/b", "-1/2", "+1/2", "1/2/3", " 1/2", "1.0/2", "1/99999999999999999999"]
        {
            check(wrong, Err(SYNTAX));
        }
    }

    /// Reads two numbers into a larger type than the crate uses; `None` for a number that does not fit even there.
    fn by_hand(text: &str) -> Option<[Option<u128>; 2]> {
        let (index, count) = text.split_once('/')?;
        let is_number = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit());
        (is_number(index) && is_number(count)).then(|| [index, count].map(|part| part.parse().ok()))
    }

    #[track_caller]
    fn agrees_with_by_hand(text: &str) {
        let fit = |number: Option<u128>| number.and_then(|number| u64::try_from(number).ok());
        let expected = match by_hand(text).map(|numbers| numbers.map(fit)) {
            Some([Some(index), Some(count)]) if index < count => Ok(Shard { index, count }),
            Some([Some(index), Some(count)]) => Err(InvalidShard::Range { index, count }),
            _ => Err(InvalidShard::Syntax),
        };
        let shard = text.parse::<Shard>();
        assert_eq!(shard, expected, "{text:?}");
        if let Ok(shard) = shard {
            assert_eq!(shard.to_string().parse(), Ok(shard));
        }
    }

    #[test]
    fn the_ends_of_the_range_are_read() {
        for text in
            ["07/010", "0/0", "18446744073709551614/18446744073709551615", "18446744073709551615/18446744073709551616"]
        {
            agrees_with_by_hand(text);
        }
    }

    proptest! {
        #[test]
        fn shards_are_what_two_numbers_by_hand_are(text in "[0-9]{0,21}/[0-9]{0,21}|[0-9]{1,2}/[0-9]{1,2}|[0-9/+ ]{0,8}|\\PC{0,10}") {
            agrees_with_by_hand(&text);
        }

        #[test]
        fn shards_are_disjoint_and_complete(path in "\\PC{0,40}", count in 1_u64..50) {
            let holders = (0..count).filter(|index| Shard::new(*index, count).expect("in range").contains(path.as_ref()));
            prop_assert_eq!(holders.count(), 1);
        }
    }
}
