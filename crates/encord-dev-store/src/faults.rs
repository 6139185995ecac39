//! Faults that the store causes on purpose. A plan uses no clock and no randomness: it makes the same choices in every run.
//!
//! A plan is a list of rules, separated by `;` or line ends. A line that begins with `#` is a comment.
//!
//! ```text
//! a.jpg: 503 x2 retry-after=1      the first two uploads of a.jpg are answered with 503 and Retry-After: 1
//! *.mp4: reset-during x1           the first upload of each object that ends in .mp4 is reset half way
//! 30%: 429                         three in ten uploads, chosen by seed, object, and how often it was uploaded before
//! 10% logs/*: corrupt              one in ten uploads to logs/
//! seed=7                           makes other choices; the default is 0
//! ```
//!
//! A rule names an object without its bucket. `*` stands for any characters. The characters `*`, `;`, `:`, `%` and the blank are
//! percent-encoded in names. `x2` limits the rule to two uploads of each object; without it there is no limit. The first rule
//! that matches decides. Only uploads (`PUT`) with a valid signature have faults.
//!
//! | fault | what the client sees |
//! |---|---|
//! | `503` | this status (400 to 599), after the body was read; `retry-after=SECONDS` adds the header |
//! | `reject=413` | this status before the body is read, then the end of the connection; `retry-after` as above |
//! | `reset-before`, `reset-during`, `reset-after` | a TCP reset: before the body is read, after half of it, or once the object is stored |
//! | `stall` | the body is not read and never answered, until the client closes the connection or the store ends |
//! | `silent` | the object is stored and never answered, until the client closes the connection or the store ends |
//! | `slow=SECONDS` | the object is stored, and the answer is sent after this time |
//! | `drip=SECONDS` | the object is stored, and the answer's body comes one byte at a time, with this pause; `drip` alone: 1 s |
//! | `corrupt` | one bit is flipped before the object is stored, so the hashes in the answer differ; an empty object is not changed |
//! | `expire` | the answer for an expired URL |
//!
//! With `stall`, the store cannot see that a client closed the connection if unread bytes of the body fill the socket's buffer.

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
