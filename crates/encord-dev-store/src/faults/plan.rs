//! Fault plans: their text form, and the choice of a fault for each request.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::Fault;
use crate::sign::{decode, encode};

/// The fault plan of a store. The [module](super) describes its text form.
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
pub type FaultPlan = Plan<Fault>;

/// A kind of fault that a plan can contain, with its text form.
pub trait PlannedFault: Clone + fmt::Display {
    /// The name of a rule's target in messages, such as `OBJECT`.
    const TARGET: &'static str;

    /// Reads a fault from its first word and its options. Words that do not belong to the fault stay in `options`.
    ///
    /// # Errors
    ///
    /// [`InvalidPlan`] with the reason.
    fn read(word: &str, options: &mut Vec<&str>) -> Result<Self, InvalidPlan>;
}

/// Rules that say which requests have which faults. [`FaultPlan`] is the plan of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<F> {
    seed: u64,
    rules: Vec<Rule<F>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule<F> {
    /// The parts of the pattern between the asterisks.
    pattern: Vec<String>,
    percent: u8,
    fault: F,
    /// The limit on how often the rule applies to one object.
    times: Option<u32>,
}

/// The error of the text of a plan: the rule, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidPlan(String);

/// A plan in use, with its counts of requests.
#[derive(Debug)]
pub struct PlanRun<F> {
    plan: Plan<F>,
    /// The number of requests for each object.
    requests: HashMap<String, u32>,
    /// How often each rule has been applied to each object.
    applied: HashMap<(usize, String), u32>,
}

impl InvalidPlan {
    /// Makes an error with this reason.
    pub fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl<F> Default for Plan<F> {
    fn default() -> Self {
        Self { seed: 0, rules: Vec::new() }
    }
}

impl<F> Plan<F> {
    /// Returns a number from 0 to 99. It depends only on seed, object and occurrence, so it is the same on every machine.
    fn draw_percent(&self, object: &str, occurrence: u32) -> u8 {
        let digest = Sha256::new()
            .chain_update(self.seed.to_be_bytes())
            .chain_update(occurrence.to_be_bytes())
            .chain_update(object)
            .finalize();
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        u8::try_from(number % 100).unwrap_or_default()
    }
}

impl<F> Rule<F> {
    fn matches(&self, object: &str) -> bool {
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

impl<F: Clone> PlanRun<F> {
    /// Starts a plan, with all counts at zero.
    pub fn new(plan: Plan<F>) -> Self {
        Self { plan, requests: HashMap::new(), applied: HashMap::new() }
    }

    /// Counts this request, and returns its fault, if any. `object` is the name that the rules match.
    pub fn next(&mut self, object: &str) -> Option<F> {
        if self.plan.rules.is_empty() {
            return None;
        }
        let requests = self.requests.entry(object.to_owned()).or_default();
        let draw = self.plan.draw_percent(object, *requests);
        *requests = requests.saturating_add(1);
        for (at, rule) in self.plan.rules.iter().enumerate() {
            if draw >= rule.percent || !rule.matches(object) {
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

impl<F: PlannedFault> FromStr for Plan<F> {
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

impl<F: PlannedFault> FromStr for Rule<F> {
    type Err = InvalidPlan;

    fn from_str(text: &str) -> Result<Self, InvalidPlan> {
        let (target, fault) =
            text.split_once(':').ok_or_else(|| InvalidPlan(format!("a rule is written `{}: FAULT`", F::TARGET)))?;
        let (percent, pattern) = parse_target(target.trim(), F::TARGET)?;
        let mut words = fault.split_whitespace();
        let word = words.next().ok_or_else(|| InvalidPlan::new("it does not say which fault"))?;
        let mut options = words.collect();
        let fault = F::read(word, &mut options)?;
        let mut times = None;
        for word in options {
            let count = word.strip_prefix('x').ok_or_else(|| {
                InvalidPlan(format!("`{word}` is not known here; known are xN and retry-after=SECONDS"))
            })?;
            times = Some(number(count, "how often")?);
        }
        Ok(Self { pattern, percent, fault, times })
    }
}

fn parse_target(target: &str, what: &str) -> Result<(u8, Vec<String>), InvalidPlan> {
    let mut words = target.split_whitespace();
    let mut word = words.next();
    let mut percent = 100;
    if let Some(share) = word.and_then(|word| word.strip_suffix('%')) {
        percent = number(share, "the percentage")?;
        if percent > 100 {
            return Err(InvalidPlan::new("the percentage is above 100"));
        }
        word = words.next().or(Some("*"));
    }
    let pattern =
        word.ok_or_else(|| InvalidPlan(format!("it does not say for which {}; `*` is all", what.to_lowercase())))?;
    if let Some(more) = words.next() {
        return Err(InvalidPlan(format!("`{more}` is too much; a blank in a name is written %20")));
    }
    let parts = pattern.split('*').map(|part| {
        String::from_utf8(decode(part).into_owned())
            .map_err(|_| InvalidPlan(format!("the name of the {} is not UTF-8", what.to_lowercase())))
    });
    Ok((percent, parts.collect::<Result<_, _>>()?))
}

/// Parses a number of a plan; `what` is its name in the message.
///
/// # Errors
///
/// [`InvalidPlan`] if the text is not a number of this type.
pub fn number<N: FromStr>(text: &str, what: &str) -> Result<N, InvalidPlan> {
    text.parse().map_err(|_| InvalidPlan(format!("{what} `{text}` is not a number that can be meant")))
}

/// Parses a number of seconds of a plan.
///
/// # Errors
///
/// [`InvalidPlan`] if the text is not a number from 0 to 3600.
pub fn interval(text: &str) -> Result<Duration, InvalidPlan> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.filter(|seconds| *seconds <= Duration::from_secs(3600));
    seconds.ok_or_else(|| InvalidPlan(format!("`{text}` is not a number of seconds from 0 to 3600")))
}

/// Writes the text form, which can be parsed again.
impl<F: fmt::Display> fmt::Display for Plan<F> {
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

impl<F: fmt::Display> fmt::Display for Rule<F> {
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
