//! The order in which people count: `2.dcm` before `10.dcm`.

use std::cmp::Ordering;

/// Compares names: runs of digits by their number, everything else by its characters. Zeros before a number decide where nothing
/// else does, so that no two names are equal.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        match (a.chars().next(), b.chars().next()) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let ((x, rest_a), (y, rest_b)) = (number(a), number(b));
                match x.len().cmp(&y.len()).then(x.cmp(y)) {
                    Ordering::Equal => (a, b) = (rest_a, rest_b),
                    unequal => return unequal,
                }
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]),
            (None, None) => return left.cmp(right),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// The digits at the beginning, without zeros before them, and the rest.
fn number(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].trim_start_matches('0'), &text[end..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn people_count_so() {
        let ordered = [
            "",
            "01",
            "1",
            "2",
            "2.dcm",
            "10.dcm",
            "IM1",
            "IM2",
            "IM9-10",
            "IM10-9",
            "IM99999999999999999999999999",
            "IM100000000000000000000000000",
            "a",
            "a1b2",
            "a01b10",
            "a1b10",
            "b",
            "é2",
            "é10",
        ];
        for (at, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&other), "{left} {right}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_an_order(mut names in prop::collection::vec("[0-2a]{0,5}|\\PC{0,5}", 3)) {
            prop_assert_eq!(compare(&names[0], &names[1]), compare(&names[1], &names[0]).reverse());
            prop_assert_eq!(compare(&names[0], &names[1]) == Ordering::Equal, names[0] == names[1]);
            names.sort_by(|a, b| compare(a, b));
            prop_assert_ne!(compare(&names[0], &names[2]), Ordering::Greater);
        }
    }
}
