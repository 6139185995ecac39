//! Switches for behaviour of the server that is not known. A client should be correct under each position.

mod value;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use value::SwitchValue;
pub use value::{DuplicateUrls, FailedJobKeeps, ItemId, NamesOrder, Placeholders, SecondJob, SkipReturns, UnknownIds};

/// Declares the switches: field, name in text, type, default, worst position.
macro_rules! switches {
    ($($(#[$doc:meta])* $field:ident: $name:literal, $kind:ty = $default:expr, worst $worst:expr;)*) => {
        /// The emulator's behaviour in cases in which the behaviour of the server is not known.
        ///
        /// The text form is a list of positions, separated by commas, blanks or line ends. `default` and `worst` set all switches:
        ///
        /// ```
        /// use encord_dev_platform::Switches;
        ///
        /// let switches: Switches = "worst, second-job=error".parse()?;
        /// assert_eq!(Switches::default().to_string(), "default");
        /// assert_eq!("page-limit=2".parse::<Switches>()?.to_string(), "page-limit=2");
        ///
        /// let error = "second-job=maybe".parse::<Switches>().unwrap_err();
        /// assert_eq!(error.to_string(), "second-job=maybe: the positions are duplicate, no-op, error");
        /// # Ok::<(), encord_dev_platform::InvalidSwitches>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Switches {
            $($(#[$doc])* pub $field: $kind,)*
        }

        impl Default for Switches {
            /// Returns the positions that seem most likely.
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Switches {
            /// The names of the switches in text.
            pub const NAMES: &[&str] = &[$($name),*];

            /// Returns the positions that are hardest for a client.
            pub fn worst() -> Self {
                Self { $($field: $worst,)* }
            }

            fn set(&mut self, name: &str, text: &str) -> Result<(), InvalidSwitches> {
                match name {
                    $($name => {
                        self.$field = SwitchValue::read(text).ok_or_else(|| {
                            InvalidSwitches(format!("{name}={text}: {}", <$kind as SwitchValue>::positions()))
                        })?;
                    })*
                    _ => {
                        let known = Self::NAMES.join(", ");
                        return Err(InvalidSwitches(format!("there is no switch `{name}`; there are {known}")));
                    }
                }
                Ok(())
            }

            /// Returns each name with its position.
            pub fn positions(&self) -> Vec<(&'static str, String)> {
                vec![$(($name, self.$field.write())),*]
            }
        }
    };
}

switches! {
    /// The result of a unit whose placeholder an earlier job used.
    second_job: "second-job", SecondJob = SecondJob::NoOp, worst SecondJob::Duplicate;
    /// The id of an item that is created from a placeholder.
    item_id: "item-id", ItemId = ItemId::Placeholder, worst ItemId::New;
    /// Where a placeholder is visible before its job has run.
    placeholders: "placeholders", Placeholders = Placeholders::Hidden, worst Placeholders::Listed;
    /// How long a placeholder can be registered, in seconds.
    placeholder_life: "placeholder-life", Duration = Duration::from_secs(7 * 24 * 3600), worst Duration::from_secs(600);
    /// Whether a folder's listing shows the files of groups and series, beside the group.
    frames_listed: "frames-listed", bool = false, worst true;
    /// The result of a request for many items that has an unknown id.
    unknown_ids: "unknown-ids", UnknownIds = UnknownIds::Skip, worst UnknownIds::Reject;
    /// Which URLs `skipDuplicateUrls` compares.
    duplicate_urls: "duplicate-urls", DuplicateUrls = DuplicateUrls::All, worst DuplicateUrls::CloudOnly;
    /// The order of `itemsWithNames`.
    names_order: "names-order", NamesOrder = NamesOrder::Request, worst NamesOrder::Shuffled;
    /// Whether good units stay when a job without `ignoreErrors` fails.
    failed_job_keeps: "failed-job-keeps", FailedJobKeeps = FailedJobKeeps::Nothing, worst FailedJobKeeps::GoodUnits;
    /// Which rows linking with `SKIP` returns for items that are already linked.
    skip_returns: "skip-returns", SkipReturns = SkipReturns::Rows, worst SkipReturns::Nothing;
    /// Whether a signed URL is valid for one upload only.
    url_once: "url-once", bool = false, worst true;
    /// Whether an upload must send headers that came with its URL.
    upload_headers: "upload-headers", bool = false, worst true;
    /// How long a signed URL is valid, in seconds.
    url_life: "url-life", Duration = Duration::from_secs(3600), worst Duration::from_secs(60);
    /// How far a client's clock may be wrong, in seconds.
    clock_skew: "clock-skew", Duration = Duration::from_secs(300), worst Duration::from_secs(30);
    /// The limit of URLs signed in one request.
    sign_limit: "sign-limit", usize = 10_000, worst 200;
    /// The limit of units in a job.
    job_limit: "job-limit", usize = 10_000, worst 50;
    /// The limit of items linked, looked up or deleted in one request.
    ids_limit: "ids-limit", usize = 10_000, worst 50;
    /// The limit of records on a page, even if the client asks for more.
    page_limit: "page-limit", usize = 1_000, worst 3;
    /// Whether an empty page with a token precedes each page with records.
    empty_pages: "empty-pages", bool = false, worst true;
    /// How long a job takes, in seconds.
    job_time: "job-time", Duration = Duration::ZERO, worst Duration::from_millis(300);
    /// The longest time for which a poll is held, in seconds.
    hold_limit: "hold-limit", Duration = Duration::from_secs(20), worst Duration::from_millis(100);
    /// How long the status of an ended job can be read, in seconds.
    job_retention: "job-retention", Duration = Duration::from_secs(7 * 24 * 3600), worst Duration::from_secs(60);
}

/// The error of the text of switches.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidSwitches(String);

impl FromStr for Switches {
    type Err = InvalidSwitches;

    fn from_str(text: &str) -> Result<Self, InvalidSwitches> {
        let mut switches = Self::default();
        let separator = |letter: char| letter == ',' || letter == ';' || letter.is_whitespace();
        for part in text.split(separator).filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((name, value)) => switches.set(name, value)?,
                None if part == "default" => switches = Self::default(),
                None if part == "worst" => switches = Self::worst(),
                None => {
                    return Err(InvalidSwitches(format!("`{part}` is not written NAME=POSITION, default or worst")));
                }
            }
        }
        Ok(switches)
    }
}

/// Writes the positions that differ from the default.
impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Self::default().positions();
        let changed = self.positions().into_iter().zip(default).filter(|(ours, default)| ours != default);
        let changed: Vec<_> = changed.map(|((name, position), _)| format!("{name}={position}")).collect();
        f.write_str(if changed.is_empty() { "default".to_owned() } else { changed.join(", ") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        assert_eq!(text.parse::<Switches>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn both_sets_are_read_as_they_are_written() {
        assert_eq!("".parse(), Ok(Switches::default()));
        assert_eq!("worst".parse(), Ok(Switches::worst()));
        assert_eq!(Switches::worst().to_string().parse(), Ok(Switches::worst()));
        let mixed: Switches = "worst; second-job=error\njob-time=0.5".parse().unwrap();
        let expected =
            Switches { second_job: SecondJob::Error, job_time: Duration::from_millis(500), ..Switches::worst() };
        assert_eq!(mixed, expected);
        assert_eq!("page-limit=7 worst default".parse(), Ok(Switches::default()));
    }

    #[test]
    fn the_worst_position_of_each_switch_is_another_one() {
        let both = Switches::default().positions().into_iter().zip(Switches::worst().positions());
        for ((name, default), (_, worst)) in both {
            assert_ne!(default, worst, "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        refused("maybe", "`maybe` is not written NAME=POSITION, default or worst");
        refused("url-once=maybe", "url-once=maybe: the positions are yes, no");
        refused("page-limit=0", "page-limit=0: it is a number from 1 to 1000000");
        refused("job-time=-1", "job-time=-1: it is a number of seconds from 0 to 31536000");
        let known = Switches::NAMES.join(", ");
        refused("x=1", &format!("there is no switch `x`; there are {known}"));
    }

    #[test]
    fn the_readme_has_each_switch_with_both_positions() {
        let both = Switches::default().positions().into_iter().zip(Switches::worst().positions());
        let rows: Vec<_> =
            both.map(|((name, default), (_, worst))| format!("| `{name}` | {default} | {worst} |")).collect();
        let readme = include_str!("../README.md");
        let found: Vec<_> = readme.lines().filter(|line| rows.iter().any(|row| line.starts_with(row))).collect();
        assert_eq!(found.len(), rows.len(), "{found:#?}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9=,. -]{0,40}|\\PC{0,40}") {
            if let Ok(switches) = text.parse::<Switches>() {
                prop_assert_eq!(switches.to_string().parse(), Ok(switches));
            }
        }
    }
}
