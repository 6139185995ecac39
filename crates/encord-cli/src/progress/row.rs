//! The figures of a run in one row. Figures that do not fit are left out.

use std::time::Duration;

use crate::clock::clock;
use crate::report::human_bytes;

/// The widest bar, in columns.
const BAR_COLUMNS: usize = 20;

/// The narrowest bar that is drawn.
const MIN_BAR_COLUMNS: usize = 8;

/// Eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The figures of a run.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) elapsed: Duration,
    /// The bytes that are done, and all bytes.
    pub(super) done: (u64, u64),
    /// The items that have ended, and all items.
    pub(super) items: (u64, u64),
    pub(super) bytes: u64,
    /// The bytes of all files, once they are known.
    pub(super) all_bytes: Option<u64>,
    pub(super) bytes_per_second: u64,
    pub(super) left: Option<Duration>,
    /// How long the run has made no progress, if this is long.
    pub(super) stalled: Option<Duration>,
    pub(super) retries: u64,
    pub(super) failed: u64,
}

/// The parts of a row, in the order in which they are left out when the row is too long.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Part {
    Bytes,
    Rate,
    Bar,
    Elapsed,
    Left,
    /// Never left out.
    Always,
}

impl Row {
    /// The row without a bar, for a log.
    pub(super) fn all(&self) -> String {
        let texts = self.texts().into_iter().filter(|(part, _)| *part != Part::Elapsed);
        texts.map(|(_, text)| text).collect::<Vec<_>>().join(", ")
    }

    /// Returns the row, at most this many columns wide.
    pub(super) fn fit(&self, columns: usize) -> String {
        // The last column stays empty, because some terminals then continue on the next line.
        let columns = columns.saturating_sub(1);
        let mut shown = String::new();
        for left_out in
            [None, Some(Part::Bytes), Some(Part::Rate), Some(Part::Bar), Some(Part::Elapsed), Some(Part::Left)]
        {
            let is_shown = |part: Part| left_out.is_none_or(|left_out| part > left_out);
            let texts = self.texts().into_iter().filter(|(part, _)| is_shown(*part) && *part != Part::Elapsed);
            let texts = texts.map(|(_, text)| text).collect::<Vec<_>>().join(", ");
            let elapsed = if is_shown(Part::Elapsed) { clock(self.elapsed) + " " } else { String::new() };
            let room = columns.saturating_sub(elapsed.chars().count() + texts.chars().count() + 1);
            let bar = if is_shown(Part::Bar) && room >= MIN_BAR_COLUMNS {
                self.bar(room.min(BAR_COLUMNS)) + " "
            } else {
                String::new()
            };
            shown = format!("{elapsed}{bar}{texts}");
            let has_all = !is_shown(Part::Bar) || !bar.is_empty();
            if has_all && shown.chars().count() <= columns {
                return shown;
            }
        }
        shown.chars().take(columns).collect()
    }

    fn texts(&self) -> Vec<(Part, String)> {
        let (ended, items) = self.items;
        let mut texts = vec![(Part::Elapsed, clock(self.elapsed)), (Part::Always, format!("{ended}/{items} files"))];
        texts.push((
            Part::Bytes,
            match self.all_bytes {
                Some(all) => format!("{} of {}", human_bytes(self.bytes), human_bytes(all)),
                None => human_bytes(self.bytes),
            },
        ));
        if let Some(time) = self.stalled {
            texts.push((Part::Always, format!("no byte for {}", seconds(time))));
        } else {
            texts.push((Part::Rate, format!("{}/s", human_bytes(self.bytes_per_second))));
            texts.extend(self.left.map(|left| (Part::Left, format!("{} left", clock(left)))));
        }
        texts.extend(counted(self.retries, "retry", "retries").map(|text| (Part::Always, text)));
        texts.extend((self.failed > 0).then(|| (Part::Always, format!("{} failed", self.failed))));
        texts
    }

    /// Returns a bar of this width, exact to an eighth of a column.
    fn bar(&self, columns: usize) -> String {
        let (done, all) = self.done;
        let eighths = u128::from(done) * (columns as u128 * 8) / u128::from(all.max(1));
        let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).min(columns * 8);
        let bar = format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8]);
        let empty = columns - bar.chars().count();
        bar + &"·".repeat(empty)
    }
}

/// Shows `40 s`, or from two minutes on `12:00`.
fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(120) { format!("{} s", time.as_secs()) } else { clock(time) }
}

fn counted(count: u64, one: &str, many: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            elapsed: Duration::from_secs(185),
            done: (12_300, 40_000),
            items: (12_300, 40_000),
            bytes: 1_230_000_000,
            all_bytes: Some(4_000_000_000),
            bytes_per_second: 40_000_000,
            left: Some(Duration::from_secs(67)),
            stalled: None,
            retries: 3,
            failed: 2,
        }
    }

    #[test]
    fn what_is_left_out_first_is_decided() {
        #[track_caller]
        fn check(columns: usize, expected: &str) {
            assert_eq!(row().fit(columns), expected);
            assert!(expected.chars().count() < columns.max(1));
        }
        check(
            120,
            "3:05 ██████▏············· 12300/40000 files, 1.2 GB of 4.0 GB, 40 MB/s, 1:07 left, 3 retries, 2 failed",
        );
        check(90, "3:05 ██████▏············· 12300/40000 files, 40 MB/s, 1:07 left, 3 retries, 2 failed");
        check(80, "3:05 ████▌·········· 12300/40000 files, 40 MB/s, 1:07 left, 3 retries, 2 failed");
        check(60, "3:05 12300/40000 files, 1:07 left, 3 retries, 2 failed");
        check(50, "12300/40000 files, 1:07 left, 3 retries, 2 failed");
        check(40, "12300/40000 files, 3 retries, 2 failed");
        check(20, "12300/40000 files, ");
        check(1, "");
    }

    #[test]
    fn a_run_that_stalls_says_so_instead_of_guessing() {
        let stalled = |seconds| Row { stalled: Some(Duration::from_secs(seconds)), ..row() };
        assert_eq!(stalled(40).fit(60), "12300/40000 files, no byte for 40 s, 3 retries, 2 failed");
        assert_eq!(stalled(40).all(), "12300/40000 files, 1.2 GB of 4.0 GB, no byte for 40 s, 3 retries, 2 failed");
        assert_eq!(stalled(150).all(), "12300/40000 files, 1.2 GB of 4.0 GB, no byte for 2:30, 3 retries, 2 failed");
    }

    #[test]
    fn a_line_has_all_but_the_bar() {
        assert_eq!(row().all(), "12300/40000 files, 1.2 GB of 4.0 GB, 40 MB/s, 1:07 left, 3 retries, 2 failed");
        assert_eq!(Row::default().all(), "0/0 files, 0 B, 0 B/s");
        let one = Row { retries: 1, ..Row::default() };
        assert_eq!(one.all(), "0/0 files, 0 B, 0 B/s, 1 retry");
    }

    #[test]
    fn the_bar_is_in_proportion() {
        let check = |done, expected: &str| assert_eq!(Row { done, ..Row::default() }.bar(4), expected);
        check((0, 0), "····");
        check((0, 32), "····");
        check((1, 32), "▏···");
        check((31, 32), "███▉");
        check((32, 32), "████");
        check((40, 32), "████");
        check((u64::MAX, u64::MAX), "████");
    }
}
