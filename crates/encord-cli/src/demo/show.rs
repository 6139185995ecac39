//! The story of the demonstration, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use encord_dev_store::Running;
use encord_http_settings::{DEFAULT_BACKOFF_FACTOR, DEFAULT_CONNECT_TIMEOUT};
use encord_upload::{ItemReport, Status};

use super::{CASES, CONCURRENCY, Demo, Folder, Verdict, answered};
use crate::report::{Sums, outcome};

/// What the rules in the table say, in short.
const RULES: &str = "\
R1 max_retries is exact    R2 the wait doubles from the first    R4 a PUT may be sent again, a POST may not
R5 what is retried, and what is final    R6 Retry-After is obeyed, by all uploads to that host
R7 silence is bounded    U6 a failure stays with its file
checksum (no rule of the contract): what the store says it has is compared with what was sent";

/// What is done, before it is.
pub(super) fn opening(out: &mut dyn Write, demo: &Demo, store: &Running) -> io::Result<()> {
    let settings = &demo.settings;
    writeln!(
        out,
        "{} images to signed URLs of a store on {}, {CONCURRENCY} at once, failures allowed, {} things go wrong",
        demo.files,
        store.addr(),
        CASES.len(),
    )?;
    writeln!(
        out,
        "in a hurry: backoff_factor {} instead of {}, connect_timeout {} instead of {}; max_retries {}\n",
        settings.backoff_factor,
        DEFAULT_BACKOFF_FACTOR,
        settings.connect_timeout,
        DEFAULT_CONNECT_TIMEOUT,
        settings.max_retries,
    )
}

/// What was done.
pub(super) fn story(
    out: &mut dyn Write,
    demo: &Demo,
    store: &Running,
    items: &[ItemReport],
    sums: &Sums,
    verdict: &Verdict,
) -> io::Result<()> {
    let mut row = |file: &str, fault: &str, attempts: &str, end: &str, rules: &str| {
        let line = format!("{file:<15} {fault:<25} {attempts:<39} {end:<9} {rules}");
        writeln!(out, "{}", line.trim_end())
    };
    row("FILE", "WHAT WENT WRONG", "ATTEMPTS, WITH THE WAITS BETWEEN", "END", "RULE")?;
    let cases = || (1..).zip(items).filter_map(|(number, item)| Some((demo.case(number)?, item)));
    for (case, item) in cases() {
        row(&item.title, case.words, &attempts(item), item.status.as_str(), case.rules)?;
    }
    let others = items.len() - cases().count();
    row(&format!("{others} others"), "nothing", "200", "uploaded", "")?;
    writeln!(out, "\n{RULES}\n\nwhy {} failed:", cases().filter(|(_, item)| item.status == Status::Failed).count())?;
    for (_, ItemReport { title, error, .. }) in cases() {
        if let Some(error) = error {
            writeln!(out, "  {title}: {error}")?;
        }
    }
    writeln!(out, "\n{}", sums.sentence())?;
    let mut ends = BTreeMap::<String, usize>::new();
    for request in answered(store) {
        *ends.entry(request.outcome.to_string()).or_default() += 1;
    }
    let ends: Vec<String> = ends.iter().map(|(end, count)| format!("{count} x {end}")).collect();
    writeln!(
        out,
        "the store's own log: {}; of the other attempts one was never answered, one never sent",
        ends.join(", ")
    )?;
    if !verdict.problems.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "checked: {} stored objects equal their files byte for byte, nothing is stored of the others; the attempts above \
         are those that were to come, and no wait is shorter than promised",
        verdict.equal
    )?;
    if let Folder::Kept(folder) = &demo.folder {
        writeln!(out, "kept: images, stored and report.jsonl in {}", folder.display())?;
    }
    writeln!(out, "`encord upload --allow-failures` would exit with 3, because some failed; `encord demo` is content")
}

/// `503  0.2 s  200`.
pub(super) fn attempts(item: &ItemReport) -> String {
    let mut words = Vec::new();
    for (at, attempt) in item.attempts.iter().enumerate() {
        if at > 0 {
            words.push(format!("{} s", milliseconds(attempt.waited)));
        }
        words.push(outcome(attempt).to_owned());
    }
    if words.is_empty() { "none".to_owned() } else { words.join("  ") }
}

/// In seconds, to the millisecond.
fn milliseconds(time: Duration) -> f64 {
    Duration::new(time.as_secs(), time.subsec_millis() * 1_000_000).as_secs_f64()
}
