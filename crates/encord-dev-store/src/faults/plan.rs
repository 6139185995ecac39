//! Plans: written as text, and asked what to do with an upload.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::StatusCode;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{Fault, Moment, RetryAfter};
use crate::sign::{decode, encode};

/// Which uploads go wrong, and how; the [module](super) has the text form.
///
/// ```
/// use encord_dev_store::faults::FaultPlan;
///
/// let plan: FaultPlan = "a.jpg: 503 x2\n*: drip".parse()?;
/// assert_eq!(plan.to_string(), "a.jpg: 503 x2; *: drip=1");
///
/// let error = "a.jpg: 200".parse::<FaultPlan>().unwrap_err();
/// assert_eq!(error.to_string(), "`a.jpg: 200`: `200` is not a status from 400 to 599");
/// # Ok::<(), encord_dev_store::faults::InvalidPlan>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    seed: u64,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// The parts between the asterisks.
    pattern: Vec<String>,
    percent: u8,
    fault: Fault,
    /// At most so often for each object.
    times: Option<u32>,
}

/// What is wrong with the text of a plan: the rule, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidPlan(String);

/// What has been asked of a plan so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    plan: FaultPlan,
    /// How often each object came.
    came: HashMap<String, u32>,
    /// How often each rule has been applied to each object.
    applied: HashMap<(usize, String), u32>,
}

impl FaultPlan {
    /// The same for the same seed, object and occurrence, on every machine.
    fn lot(&self, object: &str, occurrence: u32) -> u8 {
        let digest = Sha256::new()
            .chain_update(self.seed.to_be_bytes())
            .chain_update(occurrence.to_be_bytes())
            .chain_update(object)
            .finalize();
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        u8::try_from(number % 100).unwrap_or_default()
    }
}

impl Rule {
    fn fits(&self, object: &str) -> bool {
        let [first, middle @ .., last] = self.pattern.as_slice() else {
            return self.pattern.first().is_some_and(|name| name == object);
        };
        let Some(mut rest) = object.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        for part in middle {
            let Some((_, after)) = rest.split_once(part.as_str()) else { return false };
            rest = after;
        }
        true
    }
}

impl Progress {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self { plan, ..Self::default() }
    }

    /// What befalls this upload; counts it.
    pub(crate) fn next(&mut self, object: &str) -> Option<Fault> {
        if self.plan.rules.is_empty() {
            return None;
        }
        let came = self.came.entry(object.to_owned()).or_default();
        let lot = self.plan.lot(object, *came);
        *came = came.saturating_add(1);
        for (at, rule) in self.plan.rules.iter().enumerate() {
            if lot >= rule.percent || !rule.fits(object) {
                continue;
            }
            if let Some(times) = rule.times {
                let applied = self.applied.entry((at, object.to_owned())).or_default();
                if *applied >= times {
                    continue;
                }
                *applied += 1;
            }
            return Some(rule.fault.clone());
        }
        None
    }
}

impl FromStr for FaultPlan {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, InvalidPlan> {
        let mut plan = Self::default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for part in lines.flat_map(|line| line.split(';')).map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |InvalidPlan(problem)| InvalidPlan(format!("`{part}`: {problem}"));
            if let Some(seed) = part.strip_prefix("seed=") {
                plan.seed = number(seed, "the seed").map_err(wrong)?;
            } else {
                plan.rules.push(part.parse().map_err(wrong)?);
            }
        }
        Ok(plan)
    }
}

impl FromStr for Rule {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, InvalidPlan> {
        let (target, fault) = text.split_once(':').ok_or_else(|| invalid("a rule is written `OBJECT: FAULT`"))?;
        let (percent, pattern) = target_of(target.trim())?;
        let (fault, times) = fault_of(fault)?;
        Ok(Self { pattern, percent, fault, times })
    }
}

fn target_of(target: &str) -> Result<(u8, Vec<String>), InvalidPlan> {
    let mut words = target.split_whitespace();
    let mut word = words.next();
    let mut percent = 100;
    if let Some(share) = word.and_then(|word| word.strip_suffix('%')) {
        percent = number(share, "the percentage")?;
        if percent > 100 {
            return Err(invalid("the percentage is above 100"));
        }
        word = words.next().or(Some("*"));
    }
    let pattern = word.ok_or_else(|| invalid("it does not say for which object; `*` is all"))?;
    if let Some(more) = words.next() {
        return Err(InvalidPlan(format!("`{more}` is too much; a blank in a name is written %20")));
    }
    let parts = pattern.split('*').map(|part| {
        String::from_utf8(decode(part).into_owned()).map_err(|_| invalid("the name of the object is not UTF-8"))
    });
    Ok((percent, parts.collect::<Result<_, _>>()?))
}

fn fault_of(text: &str) -> Result<(Fault, Option<u32>), InvalidPlan> {
    let mut words = text.split_whitespace();
    let word = words.next().ok_or_else(|| invalid("it does not say which fault"))?;
    let mut fault = match word.split_once('=').unwrap_or((word, "")) {
        ("reject", "") => Fault::Reject(StatusCode::PAYLOAD_TOO_LARGE, None),
        ("reject", status) => Fault::Reject(error_status(status)?, None),
        ("drip", "") => Fault::Drip(Duration::from_secs(1)),
        ("drip", seconds) => Fault::Drip(interval(seconds)?),
        ("reset-before", "") => Fault::Reset(Moment::Before),
        ("reset-during", "") => Fault::Reset(Moment::During),
        ("reset-after", "") => Fault::Reset(Moment::After),
        ("stall", "") => Fault::Stall,
        ("silent", "") => Fault::Silent,
        ("corrupt", "") => Fault::Corrupt,
        ("expire", "") => Fault::Expire,
        (status, "") if status.bytes().all(|byte| byte.is_ascii_digit()) => Fault::Status(error_status(status)?, None),
        _ => return Err(InvalidPlan(format!("the fault `{word}` is not known; known are {KNOWN}"))),
    };
    let mut times = None;
    for word in words {
        if let Some(seconds) = word.strip_prefix("retry-after=") {
            let seconds = RetryAfter(number(seconds, "retry-after")?);
            match &mut fault {
                Fault::Status(_, retry_after) | Fault::Reject(_, retry_after) => *retry_after = Some(seconds),
                _ => return Err(invalid("only a status can have retry-after")),
            }
        } else if let Some(count) = word.strip_prefix('x') {
            times = Some(number(count, "how often")?);
        } else {
            return Err(InvalidPlan(format!("`{word}` is not known here; known are xN and retry-after=SECONDS")));
        }
    }
    Ok((fault, times))
}

const KNOWN: &str = "a status, reject, reset-before, reset-during, reset-after, stall, silent, drip, corrupt, expire";

fn error_status(text: &str) -> Result<StatusCode, InvalidPlan> {
    let status = text.parse().ok().filter(|status| (400..600).contains(status));
    let status = status.and_then(|status: u16| StatusCode::from_u16(status).ok());
    status.ok_or_else(|| InvalidPlan(format!("`{text}` is not a status from 400 to 599")))
}

fn interval(text: &str) -> Result<Duration, InvalidPlan> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.filter(|seconds| *seconds <= Duration::from_secs(3600));
    seconds.ok_or_else(|| InvalidPlan(format!("`{text}` is not a number of seconds from 0 to 3600")))
}

fn number<N: FromStr>(text: &str, what: &str) -> Result<N, InvalidPlan> {
    text.parse().map_err(|_| InvalidPlan(format!("{what} `{text}` is not a number that can be meant")))
}

fn invalid(problem: &str) -> InvalidPlan {
    InvalidPlan(problem.to_owned())
}

/// The text form.
impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if self.seed != 0 {
            write!(f, "seed={}", self.seed)?;
            between = "; ";
        }
        for rule in &self.rules {
            write!(f, "{between}{rule}")?;
            between = "; ";
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, percent, fault, times } = self;
        if *percent < 100 {
            write!(f, "{percent}% ")?;
        }
        let pattern: Vec<_> = pattern.iter().map(|part| encode(part.as_bytes())).collect();
        write!(f, "{}: {fault}", pattern.join("*"))?;
        times.map_or(Ok(()), |times| write!(f, " x{times}"))
    }
}

#[cfg(test)]
mod tests;
