//! Faults that the emulator causes on purpose. A plan has the form of [`encord_dev_store::faults`].
//!
//! ```text
//! start-job: reset-after x1        the first job is started, and its answer is lost
//! *-folders: 503 x2 retry-after=1  the first two requests of each operation whose name ends in -folders
//! 10% get-job: 429                 one poll in ten
//! link-items: code=RESOURCE_EXISTS_ERROR message=linked%20already
//! unit/bad.jpg: fail=Corrupted%20file
//! seed=7
//! ```
//!
//! A rule names an [`Operation`](crate::Operation), or `unit/` and the title of a unit of a job. Only requests with a valid signature
//! have faults.
//!
//! | fault | what the client sees |
//! |---|---|
//! | `503` | this status (400 to 599); no effect, unless `after` is given; also `retry-after=SECONDS`, `message=TEXT` |
//! | `201` | this status (200 to 399) in place of 200; the request has its effect |
//! | `code=CODE` | this code in an envelope of the older protocol, 400 in the newer one; no effect; also `message=TEXT` |
//! | `reset-before`, `reset-after` | a TCP reset before the request has its effect, or after it |
//! | `stall`, `silent` | never an answer; the request has no effect, or its effect |
//! | `slow=SECONDS` | the request has its effect, and the answer comes after this time |
//! | `garbage`, `empty` | the request has its effect, and the answer is a page of HTML, or has no body |
//! | `cut` | the request has its effect, and the answer breaks off after half of its body |
//! | `shape` | the request has its effect, and the answer is unexpected JSON |
//! | `fail=TEXT` | only for a unit: the unit fails for this reason |

use std::fmt;
use std::time::Duration;

use encord_dev_store::faults::{InvalidPlan, Plan, PlannedFault, RetryAfter, interval};
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The fault plan of an emulator. The [module](self) describes its text form.
pub type FaultPlan = Plan<Fault>;

/// A fault of a request or of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers with this status.
    Status {
        /// The status.
        status: StatusCode,
        /// The header `Retry-After`.
        retry_after: Option<RetryAfter>,
        /// The message in the body.
        message: Option<String>,
        /// Whether the request has its effect all the same.
        after: bool,
    },
    /// Answers with this code, and this message.
    Code(String, Option<String>),
    /// Resets the connection before the request has its effect.
    ResetBefore,
    /// Resets the connection after the request had its effect.
    ResetAfter,
    /// Does nothing and never answers.
    Stall,
    /// Does what was asked and never answers.
    Silent,
    /// Answers after this time.
    Slow(Duration),
    /// Answers with HTML.
    Garbage,
    /// Answers without a body.
    Empty,
    /// Answers with half of the body, and breaks off.
    Cut,
    /// Answers with unexpected JSON.
    Shape,
    /// Fails a unit for this reason.
    Fail(String),
}

const KNOWN: &str = "a status, code=CODE, reset-before, reset-after, stall, silent, slow=SECONDS, garbage, empty, cut, shape, \
                     fail=TEXT";

impl PlannedFault for Fault {
    const TARGET: &'static str = "OPERATION";

    fn read(word: &str, options: &mut Vec<&str>) -> Result<Self, InvalidPlan> {
        let unknown = || InvalidPlan::new(format!("the fault `{word}` is not known; known are {KNOWN}"));
        let mut fault = match word.split_once('=').unwrap_or((word, "")) {
            ("code", code) if !code.is_empty() => Self::Code(code.to_owned(), None),
            ("reset-before", "") => Self::ResetBefore,
            ("reset-after", "") => Self::ResetAfter,
            ("stall", "") => Self::Stall,
            ("silent", "") => Self::Silent,
            ("slow", seconds) if !seconds.is_empty() => Self::Slow(interval(seconds)?),
            ("garbage", "") => Self::Garbage,
            ("empty", "") => Self::Empty,
            ("cut", "") => Self::Cut,
            ("shape", "") => Self::Shape,
            ("fail", text) => Self::Fail(if text.is_empty() { "Corrupted file".to_owned() } else { decoded(text)? }),
            (status, "") if status.bytes().all(|byte| byte.is_ascii_digit()) => {
                let status = status.parse().ok().filter(|status| (200..600).contains(status));
                let status = status.and_then(|status: u16| StatusCode::from_u16(status).ok());
                let status =
                    status.ok_or_else(|| InvalidPlan::new(format!("`{word}` is not a status from 200 to 599")))?;
                Self::Status { status, retry_after: None, message: None, after: status.as_u16() < 400 }
            }
            _ => return Err(unknown()),
        };
        let text = take(options, "message=").map(decoded).transpose()?;
        let seconds = RetryAfter::take(options)?;
        match &mut fault {
            Self::Status { retry_after, message, after, .. } => {
                (*retry_after, *message) = (seconds, text);
                let words = options.len();
                options.retain(|word| *word != "after");
                *after |= options.len() < words;
            }
            Self::Code(_, message) if seconds.is_none() => *message = text,
            _ if seconds.is_some() => return Err(InvalidPlan::new("only a status can have retry-after")),
            _ if text.is_some() => return Err(InvalidPlan::new("only a status or a code can have a message")),
            _ => {}
        }
        Ok(fault)
    }
}

fn take<'w>(options: &mut Vec<&'w str>, prefix: &str) -> Option<&'w str> {
    let at = options.iter().position(|word| word.starts_with(prefix))?;
    options.remove(at).strip_prefix(prefix)
}

fn decoded(text: &str) -> Result<String, InvalidPlan> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(String::from).map_err(|_| InvalidPlan::new("a text is percent-encoded UTF-8"))
}

/// Writes the fault as in a plan.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        match self {
            Self::Status { status, retry_after, message, after } => {
                write!(f, "{}", status.as_u16())?;
                if *after && status.as_u16() >= 400 {
                    f.write_str(" after")?;
                }
                if let Some(RetryAfter(seconds)) = retry_after {
                    write!(f, " retry-after={seconds}")?;
                }
                message.iter().try_for_each(|message| write!(f, " message={}", encoded(message)))
            }
            Self::Code(code, message) => {
                write!(f, "code={code}")?;
                message.iter().try_for_each(|message| write!(f, " message={}", encoded(message)))
            }
            Self::ResetBefore => f.write_str("reset-before"),
            Self::ResetAfter => f.write_str("reset-after"),
            Self::Stall => f.write_str("stall"),
            Self::Silent => f.write_str("silent"),
            Self::Slow(time) => write!(f, "slow={}", time.as_secs_f64()),
            Self::Garbage => f.write_str("garbage"),
            Self::Empty => f.write_str("empty"),
            Self::Cut => f.write_str("cut"),
            Self::Shape => f.write_str("shape"),
            Self::Fail(reason) => write!(f, "fail={}", encoded(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        assert_eq!(text.parse::<FaultPlan>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_plan_is_written_as_it_is_read() {
        for text in [
            "start-job: reset-after x1; *-folders: 503 retry-after=1 x2; 10% get-job: 429",
            "a: 500 after; b: 201; c: 403 message=no%20way; d: code=X message=why",
            "a: reset-before; b: stall; c: silent; d: slow=0.5; e: garbage; f: empty; g: cut; h: shape",
            "unit%2Fbad%2A: fail=Corrupted%20file x1",
        ] {
            assert_eq!(text.parse::<FaultPlan>().unwrap().to_string(), text);
        }
        assert_eq!("unit/*: fail".parse::<FaultPlan>().unwrap().to_string(), "unit%2F*: fail=Corrupted%20file");
    }

    #[test]
    fn what_is_wrong_is_said() {
        refused("a", "`a`: a rule is written `OPERATION: FAULT`");
        refused(": 503", "`: 503`: it does not say for which operation; `*` is all");
        refused("a: 100", "`a: 100`: `100` is not a status from 200 to 599");
        refused("a: boom", &format!("`a: boom`: the fault `boom` is not known; known are {KNOWN}"));
        refused("a: stall retry-after=1", "`a: stall retry-after=1`: only a status can have retry-after");
        refused("a: stall message=x", "`a: stall message=x`: only a status or a code can have a message");
        refused("a: stall after", "`a: stall after`: `after` is not known here; known are xN and retry-after=SECONDS");
        refused("a: fail=%ff", "`a: fail=%ff`: a text is percent-encoded UTF-8");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9*%=:;. -]{0,40}|\\PC{0,40}") {
            if let Ok(plan) = text.parse::<FaultPlan>() {
                prop_assert_eq!(plan.to_string().parse::<FaultPlan>(), Ok(plan));
            }
        }
    }
}
