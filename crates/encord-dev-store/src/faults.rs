//! Faults that the store causes on purpose. A plan uses no clock and no randomness: it makes the same choices in every run.
//!
//! A plan is a list of rules, separated by `;` or line ends. A line that begins with `#` is a comment.
//!
//! ```text
//! a.jpg: 503 x2 retry-after=1      the first two uploads of a.jpg are answered with 503 and Retry-After: 1
//! *.mp4: reset-during x1           the first upload of each object that ends in .mp4 is reset half way
//! 30%: 429                         of all uploads, three in ten, chosen by seed, object and how often it came
//! 10% logs/*: corrupt              both at once
//! seed=7                           other choices; 0 unless given
//! ```
//!
//! The object is its name without the bucket; `*` stands for any characters, and a character that the plan needs for itself
//! (`*`, `;`, `:`, `%`, a blank) is percent-encoded. `x2` counts for each object on its own; without it the rule always holds.
//! The first rule that fits an upload decides. Faults befall uploads (`PUT`) alone, and only those whose signature is good.
//!
//! | fault | what the client sees |
//! |---|---|
//! | `503` | this status (400 to 599) once the body has been read; with `retry-after=SECONDS` that header |
//! | `reject=413` | this status at once, before the body is read, and the end of the connection; also with `retry-after` |
//! | `reset-before`, `reset-during`, `reset-after` | a TCP reset: before the body is read, after half of it, or once the object is stored |
//! | `stall` | the body is not read, and nothing is ever answered, until the client or the store goes |
//! | `silent` | the object is stored, and nothing is ever answered, until the client or the store goes |
//! | `slow=SECONDS` | the object is stored, and the answer comes so long after |
//! | `drip=SECONDS` | the object is stored, and the body of the answer comes a byte at a time, each after so long; `drip` is 1 s |
//! | `corrupt` | one bit flips on the way: it is stored so, and the hashes of the answer are those of what is stored; an empty object has none to flip |
//! | `expire` | the URL is treated as one that has expired |
//!
//! A client that goes while it still has more of a stalled body to send than the sockets take is not seen to go: the end of its
//! stream is behind what is not read.

mod plan;

use std::fmt;
use std::time::Duration;

use http::StatusCode;
pub use plan::{FaultPlan, InvalidPlan, Plan, PlanRun, PlannedFault, interval, number};

/// A fault of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers with this status after the body has been read. Nothing is stored.
    Status(StatusCode, Option<RetryAfter>),
    /// Answers with this status before the body is read, and ends the connection.
    Reject(StatusCode, Option<RetryAfter>),
    /// The connection is reset.
    Reset(Moment),
    /// Does not read the body and never answers, until the client closes the connection or the store ends.
    Stall,
    /// Stores the object and never answers, until the client closes the connection or the store ends.
    Silent,
    /// Stores the object, and answers so long after.
    Slow(Duration),
    /// Stores the object, and sends the body of the answer one byte at a time, each after this pause.
    Drip(Duration),
    /// Flips a bit before the object is hashed and stored. An empty object is not changed.
    Corrupt,
    /// Answers as for a URL that has expired.
    Expire,
}

/// The value of `Retry-After`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub u32);

/// When a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the body is read.
    Before,
    /// Once half of the body has been read.
    During,
    /// Once the object is stored.
    After,
}

impl PlannedFault for Fault {
    const TARGET: &'static str = "OBJECT";

    fn read(word: &str, options: &mut Vec<&str>) -> Result<Self, InvalidPlan> {
        let mut fault = match word.split_once('=').unwrap_or((word, "")) {
            ("reject", "") => Self::Reject(StatusCode::PAYLOAD_TOO_LARGE, None),
            ("reject", status) => Self::Reject(error_status(status)?, None),
            ("slow", seconds) if !seconds.is_empty() => Self::Slow(interval(seconds)?),
            ("drip", "") => Self::Drip(Duration::from_secs(1)),
            ("drip", seconds) => Self::Drip(interval(seconds)?),
            ("reset-before", "") => Self::Reset(Moment::Before),
            ("reset-during", "") => Self::Reset(Moment::During),
            ("reset-after", "") => Self::Reset(Moment::After),
            ("stall", "") => Self::Stall,
            ("silent", "") => Self::Silent,
            ("corrupt", "") => Self::Corrupt,
            ("expire", "") => Self::Expire,
            (status, "") if status.bytes().all(|byte| byte.is_ascii_digit()) => {
                Self::Status(error_status(status)?, None)
            }
            _ => return Err(InvalidPlan::new(format!("the fault `{word}` is not known; known are {KNOWN}"))),
        };
        if let Some(seconds) = RetryAfter::take(options)? {
            match &mut fault {
                Self::Status(_, retry_after) | Self::Reject(_, retry_after) => *retry_after = Some(seconds),
                _ => return Err(InvalidPlan::new("only a status can have retry-after")),
            }
        }
        Ok(fault)
    }
}

impl RetryAfter {
    /// Takes `retry-after=SECONDS` out of the words of a rule.
    ///
    /// # Errors
    ///
    /// [`InvalidPlan`] when the value is not a number.
    pub fn take(options: &mut Vec<&str>) -> Result<Option<Self>, InvalidPlan> {
        let mut found = None;
        options.retain(|word| match word.strip_prefix("retry-after=") {
            Some(seconds) => {
                found = Some(seconds.to_owned());
                false
            }
            None => true,
        });
        found.map(|seconds| number(&seconds, "retry-after").map(Self)).transpose()
    }
}

const KNOWN: &str =
    "a status, reject, reset-before, reset-during, reset-after, stall, silent, slow=SECONDS, drip, corrupt, expire";

fn error_status(text: &str) -> Result<StatusCode, InvalidPlan> {
    let status = text.parse().ok().filter(|status| (400..600).contains(status));
    let status = status.and_then(|status: u16| StatusCode::from_u16(status).ok());
    status.ok_or_else(|| InvalidPlan::new(format!("`{text}` is not a status from 400 to 599")))
}

/// Writes the fault as in a plan.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retry_after = match self {
            Self::Status(status, retry_after) => write!(f, "{}", status.as_u16()).map(|()| retry_after)?,
            Self::Reject(status, retry_after) => write!(f, "reject={}", status.as_u16()).map(|()| retry_after)?,
            Self::Reset(Moment::Before) => return f.write_str("reset-before"),
            Self::Reset(Moment::During) => return f.write_str("reset-during"),
            Self::Reset(Moment::After) => return f.write_str("reset-after"),
            Self::Stall => return f.write_str("stall"),
            Self::Silent => return f.write_str("silent"),
            Self::Slow(time) => return write!(f, "slow={}", time.as_secs_f64()),
            Self::Drip(every) => return write!(f, "drip={}", every.as_secs_f64()),
            Self::Corrupt => return f.write_str("corrupt"),
            Self::Expire => return f.write_str("expire"),
        };
        retry_after.map_or(Ok(()), |RetryAfter(seconds)| write!(f, " retry-after={seconds}"))
    }
}
