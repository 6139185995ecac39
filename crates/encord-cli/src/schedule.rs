//! A drawing of the backoff schedule: a bar for each wait, and a mark where the cap applies.

use std::io::{self, Write};
use std::time::Duration;

use encord_http_settings::{BackoffFactor, EffectiveUploadSettings};

/// How many waits are drawn. A schedule can have four thousand million.
const DRAWN: u32 = 12;

/// The width of the longest bar, in columns.
const WIDTH: usize = 32;

/// Eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// One wait.
struct Row {
    wait: Duration,
    /// The wait by the formula, if the cap shortens it.
    uncapped: Option<Duration>,
    /// The sum of all waits up to this one.
    sum: Duration,
}

/// Draws the waits before the retries.
///
/// # Errors
///
/// Writing fails.
pub(crate) fn draw(out: &mut dyn Write, settings: &EffectiveUploadSettings) -> io::Result<()> {
    let (retries, factor) = (settings.requests.max_retries, settings.requests.backoff_factor);
    if retries == 0 {
        return writeln!(out, "waits before the retries: none, there are no retries");
    }
    let schedule = settings.backoff_delays();
    let each = schedule.cap().map(|cap| format!(", at most {} each", seconds(cap))).unwrap_or_default();
    let shown = match factor.get() {
        plain @ 1e-6..1e9 => plain.to_string(),
        0.0 => "0".to_owned(),
        extreme => format!("{extreme:e}"),
    };
    writeln!(out, "waits before the retries: {shown} s * 2^(k-1){each}")?;

    let rows = rows(schedule.take(DRAWN as usize), factor);
    let longest = rows.iter().map(|row| row.wait).max().unwrap_or_default();
    let width = |text: &dyn Fn(&Row) -> String| rows.iter().map(|row| text(row).len()).max().unwrap_or_default();
    let (wait, sum) = (width(&|row| seconds(row.wait)), width(&|row| seconds(row.sum)));
    let number = rows.len().to_string().len();
    for (retry, row) in rows.iter().enumerate() {
        let cap = row.uncapped.map(|uncapped| format!(" cap, not {}", seconds(uncapped))).unwrap_or_default();
        let line = format!(
            "  Retry {:>number$}: {:>wait$}  {:>sum$} in all  {}{cap}",
            retry + 1,
            seconds(row.wait),
            seconds(row.sum),
            bar(row.wait, longest),
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    match (retries.checked_sub(DRAWN), rows.last()) {
        (Some(more @ 1..), Some(Row { uncapped: Some(_), wait, .. })) => {
            writeln!(out, "  … and {more} more of {} each", seconds(*wait))
        }
        (Some(more @ 1..), _) => writeln!(out, "  … and {more} more"),
        _ => Ok(()),
    }
}

fn rows(waits: impl Iterator<Item = Duration>, factor: BackoffFactor) -> Vec<Row> {
    let mut sum = Duration::ZERO;
    let row = |(retry, wait): (u32, Duration)| {
        sum = sum.saturating_add(wait);
        let formula = factor.delay(retry);
        Row { wait, uncapped: (formula > wait).then_some(formula), sum }
    };
    (1..).zip(waits).map(row).collect()
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Returns a bar in proportion to the longest wait, exact to an eighth of a column. Only a wait of zero has no bar.
fn bar(wait: Duration, longest: Duration) -> String {
    if wait.is_zero() {
        return String::new();
    }
    let eighths = wait.as_nanos().saturating_mul(WIDTH as u128 * 8) / longest.as_nanos().max(1);
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).clamp(1, WIDTH * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use encord_http_settings::{CloudUploadSettings, RequestsSettings};

    use super::*;

    fn drawn(factor: f64, retries: u32) -> String {
        let requests = RequestsSettings {
            max_retries: retries,
            backoff_factor: BackoffFactor::new(factor).expect("a factor"),
            ..RequestsSettings::default()
        };
        let mut drawn = Vec::new();
        draw(&mut drawn, &CloudUploadSettings::default().over(&requests)).expect("drawn");
        String::from_utf8(drawn).expect("UTF-8")
    }

    #[track_caller]
    fn check(factor: f64, retries: u32, expected: &str) {
        assert_eq!(drawn(factor, retries), expected);
    }

    #[test]
    fn r2_the_schedule_is_drawn_to_scale() {
        check(
            1.5,
            3,
            "\
waits before the retries: 1.5 s * 2^(k-1), at most 120 s each
  Retry 1: 1.5 s   1.5 s in all  ████████
  Retry 2:   3 s   4.5 s in all  ████████████████
  Retry 3:   6 s  10.5 s in all  ████████████████████████████████
",
        );
        check(1.5, 0, "waits before the retries: none, there are no retries\n");
        check(0.0, 1, "waits before the retries: 0 s * 2^(k-1), at most 120 s each\n  Retry 1: 0 s  0 s in all\n");
    }

    #[test]
    fn r2_the_cap_is_marked_where_it_bites() {
        check(
            60.0,
            4,
            "\
waits before the retries: 60 s * 2^(k-1), at most 120 s each
  Retry 1:  60 s   60 s in all  ████████████████
  Retry 2: 120 s  180 s in all  ████████████████████████████████
  Retry 3: 120 s  300 s in all  ████████████████████████████████ cap, not 240 s
  Retry 4: 120 s  420 s in all  ████████████████████████████████ cap, not 480 s
",
        );
    }

    #[test]
    fn a_schedule_without_end_is_cut() {
        let capped = drawn(2.0, u32::MAX);
        assert_eq!(capped.lines().count(), 14);
        assert_eq!(capped.lines().last(), Some("  … and 4294967283 more of 120 s each"));
        assert_eq!(drawn(0.001, 13).lines().last(), Some("  … and 1 more"));
        assert!(drawn(2.0, 12).lines().last().is_some_and(|line| line.starts_with("  Retry 12: ")));
        let longest = drawn(1e300, 3);
        assert!(longest.lines().all(|line| line.chars().count() < 120), "{longest}");
    }
}
