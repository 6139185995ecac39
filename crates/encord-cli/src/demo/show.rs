//! The story of the demonstration, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use encord_dev_store::Running;
use encord_http_settings::RequestsSettings;
use encord_upload::{ItemReport, Status};

use super::{CASES, CONCURRENCY, Demo, Folder, Verdict, answered, cases};
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
    let files = demo.files as usize;
    writeln!(
        out,
        "{} to signed URLs of a store on {}, {CONCURRENCY} at once, failures allowed, {}",
        counted(files, "image", "images"),
        store.addr(),
        counted(CASES.len().min(files), "thing goes wrong", "things go wrong"),
    )?;
    writeln!(
        out,
        "in a hurry: backoff_factor {} instead of {}, connect_timeout {} instead of {}; max_retries {}\n",
        settings.backoff_factor,
        RequestsSettings::DEFAULT.backoff_factor,
        settings.connect_timeout,
        RequestsSettings::DEFAULT.connect_timeout,
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
    for (case, item) in (1..).zip(items).filter_map(|(number, item)| Some((demo.case(number)?, item))) {
        row(&item.title, case.words, &attempts(item), item.status.as_str(), case.rules)?;
    }
    let others = (1..).zip(items).filter(|(number, _)| demo.case(*number).is_none()).map(|(_, item)| item);
    let (undisturbed, odd): (Vec<_>, Vec<_>) = others.partition(|item| cases::is_as_promised(item, None));
    for item in odd {
        row(&item.title, "nothing", &attempts(item), item.status.as_str(), "")?;
    }
    if !undisturbed.is_empty() {
        row(&counted(undisturbed.len(), "other", "others"), "nothing", "200", "uploaded", "")?;
    }
    writeln!(out, "\n{RULES}")?;
    let failed: Vec<&ItemReport> = items.iter().filter(|item| item.status == Status::Failed).collect();
    if !failed.is_empty() {
        writeln!(out, "\nwhy {} failed:", failed.len())?;
    }
    for ItemReport { title, error, .. } in &failed {
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
    write!(out, "the store's own log: {}", ends.join(", "))?;
    let all = || items.iter().flat_map(|item| &item.attempts);
    for (kind, end) in [("timed_out", "never answered"), ("payload", "never sent")] {
        let count = all().filter(|attempt| outcome(attempt) == kind).count();
        if count > 0 {
            write!(out, "; {} {end}", counted(count, "attempt more", "attempts more"))?;
        }
    }
    writeln!(out)?;
    if !verdict.problems.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "checked: {} byte for byte, nothing is stored of the others; the attempts above are those that were to come, and \
         no wait is shorter than promised",
        counted(verdict.equal, "stored object equals its file", "stored objects equal their files")
    )?;
    if let Folder::Kept(folder) = &demo.folder {
        writeln!(out, "kept: images, stored and report.jsonl in {}", folder.display())?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    writeln!(out, "`encord upload --allow-failures` would exit with 3, because some failed; `encord demo` is content")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `503  0.2 s  200`.
pub(super) fn attempts(item: &ItemReport) -> String {
    let mut words = Vec::new();
    for (at, attempt) in item.attempts.iter().enumerate() {
        if at > 0 {
            words.push(format!("{} s", milliseconds(attempt.waited)));
        }
        words.push(outcome(attempt).into_owned());
    }
    if words.is_empty() { "none".to_owned() } else { words.join("  ") }
}

/// In seconds, to the millisecond.
fn milliseconds(time: Duration) -> f64 {
    Duration::new(time.as_secs(), time.subsec_millis() * 1_000_000).as_secs_f64()
}
