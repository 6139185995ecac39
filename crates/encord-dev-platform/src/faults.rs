//! What goes wrong on purpose. The form of a plan, and which rule decides, are those of [`encord_dev_store::faults`].
//!
//! ```text
//! start-job: reset-after x1        the first job is started, and its answer is lost
//! *-folders: 503 x2 retry-after=1  the first two of each operation that ends so
//! 10% get-job: 429                 one poll in ten
//! link-items: code=RESOURCE_EXISTS_ERROR message=linked%20already
//! unit/bad.jpg: fail=Corrupted%20file
//! seed=7
//! ```
//!
//! A rule names an [`Operation`](crate::Operation), or `unit/` and the title of a unit of a job. Faults befall requests whose
//! signature is good.
//!
//! | fault | what the client sees |
//! |---|---|
//! | `503` | this status (400 to 599), and nothing is done; with `after` it is done; also `retry-after=SECONDS`, `message=TEXT` |
//! | `201` | this status (200 to 399) in place of 200; it is done |
//! | `code=CODE` | this code in an envelope of the older protocol, 400 in the newer one; nothing is done; also `message=TEXT` |
//! | `reset-before`, `reset-after` | a TCP reset: before anything is done, or once it is done |
//! | `stall`, `silent` | never an answer: nothing is done, or it is done |
//! | `slow=SECONDS` | it is done, and the answer comes so long after |
//! | `garbage`, `empty` | it is done, and the answer is a page of HTML, or has no body |
//! | `cut` | it is done, and the answer breaks off after half of its body |
//! | `shape` | it is done, and the answer is JSON of another shape |
//! | `fail=TEXT` | only for a unit: it fails for this reason |

use std::fmt;
use std::time::Duration;

use encord_dev_store::faults::{InvalidPlan, Plan, PlannedFault, RetryAfter, interval};
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Which requests go wrong, and how; the [module](self) has the text form.
pub type FaultPlan = Plan<Fault>;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answered with this status.
    Status {
        /// The status.
        status: StatusCode,
        /// The header.
        retry_after: Option<RetryAfter>,
        /// The text of the error.
        message: Option<String>,
        /// Whether what was asked for is done all the same.
        after: bool,
    },
    /// Answered with this code.
    Code(String, Option<String>),
    /// The connection is reset before anything is done.
    ResetBefore,
    /// The connection is reset once it is done.
    ResetAfter,
    /// Nothing is done, and nothing is ever answered.
    Stall,
    /// It is done, and nothing is ever answered.
    Silent,
    /// The answer comes so long after.
    Slow(Duration),
    /// The answer is HTML.
    Garbage,
    /// The answer has no body.
    Empty,
    /// The answer breaks off.
    Cut,
    /// The answer has another shape.
    Shape,
    /// A unit fails for this reason.
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

/// As a plan has it.
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
