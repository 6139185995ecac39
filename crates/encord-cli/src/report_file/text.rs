//! The digest of a report for a terminal.

use std::io::{self, Write};
use std::time::Duration;

use super::digest::{Digest, Totals};
use super::timeline::Bucket;
use crate::clock::clock;
use crate::escape::escaped;
use crate::failures::Group;
use crate::report::human_bytes;

/// The width of the plot, in columns.
const PLOT_COLUMNS: usize = 60;

/// Its height, in rows.
const PLOT_ROWS: usize = 4;

/// Eighths of a row.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many failures and slow items are shown.
const SHOWN: usize = 10;

pub(super) fn show(out: &mut dyn Write, digest: &Digest) -> io::Result<()> {
    totals(out, digest)?;
    let groups = digest.failures.groups();
    if !groups.is_empty() {
        writeln!(out, "\nfailures, by reason:")?;
        for (reason, Group { count, example }) in groups.iter().take(SHOWN) {
            writeln!(out, "  {count:>7}  {reason}; such as {}", escaped(example))?;
        }
        if groups.len() > SHOWN {
            writeln!(out, "  and {} more reasons", groups.len() - SHOWN)?;
        }
    }
    if !digest.retries.is_empty() {
        writeln!(out, "\nretries, by what came before, and the waits for them:")?;
        for (cause, retries) in &digest.retries {
            writeln!(out, "  {:>7}  {:<12}  {:.1} s", retries.count, escaped(cause), retries.waited_s)?;
        }
    }
    let slowest = digest.slowest();
    if !slowest.is_empty() {
        writeln!(out, "\nslowest items:")?;
        for slow in slowest {
            let seconds = Duration::from_millis(slow.milliseconds).as_secs_f64();
            let (bytes, path) = (human_bytes(slow.bytes), escaped(&slow.path));
            let attempts = if slow.attempts == 1 { String::new() } else { format!(", {} attempts", slow.attempts) };
            writeln!(out, "  {seconds:>7.1} s  {path} ({bytes}{attempts})")?;
        }
    }
    plot(out, &digest.timeline.buckets(PLOT_COLUMNS))
}

fn totals(out: &mut dyn Write, digest: &Digest) -> io::Result<()> {
    let Totals { uploaded, failed, cancelled, skipped, bytes, attempts, waited_s } = digest.totals;
    writeln!(out, "{uploaded} uploaded, {failed} failed, {cancelled} cancelled, {skipped} skipped")?;
    write!(out, "{}, {attempts} attempts, {waited_s:.1} s of waits between them", human_bytes(bytes))?;
    let Some((began, ended)) = digest.timeline.range() else { return writeln!(out) };
    let took = ended.duration_since(began).unwrap_or_default();
    write!(out, "\nin {}", clock(took))?;
    if let Some(rate) = u128::from(bytes).saturating_mul(1000).checked_div(took.as_millis()) {
        write!(out, ", {}/s", human_bytes(u64::try_from(rate).unwrap_or(u64::MAX)))?;
    }
    writeln!(out)
}

/// Bytes a second over time.
fn plot(out: &mut dyn Write, buckets: &[Bucket]) -> io::Result<()> {
    let rate = |bucket: &Bucket| bucket.bytes / bucket.seconds;
    let highest = buckets.iter().map(rate).fold(0.0, f64::max);
    if buckets.len() < 2 || highest <= 0.0 {
        return Ok(());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is right")]
    let top = format!("{}/s", human_bytes(highest as u64));
    writeln!(out, "\nthroughput:")?;
    for row in (0..PLOT_ROWS).rev() {
        let label = if row + 1 == PLOT_ROWS { top.as_str() } else { "" };
        let column = |bucket: &Bucket| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            let eighths = (rate(bucket) / highest * (PLOT_ROWS * 8) as f64).round() as usize;
            EIGHTHS[eighths.saturating_sub(row * 8).min(8)]
        };
        let columns: String = buckets.iter().map(column).collect();
        writeln!(out, "{}", format!("  {label:>9} │{columns}").trim_end())?;
    }
    let last = buckets.last().map_or(0.0, |bucket| bucket.second + bucket.seconds);
    let end = clock(Duration::from_secs_f64(last));
    let width = buckets.len().max(end.len() + 4);
    writeln!(out, "  {:>9} └{}", "", "─".repeat(width))?;
    writeln!(out, "  {:>9}  0:00{:>rest$}", "", end, rest = width - 4)
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    #[test]
    fn a_report_is_shown() {
        let line = |index: u64, ended: u64, bytes: u64| {
            format!(
                r#"{{"index": {index}, "path": "f{index}\n", "title": "f", "status": "uploaded", "bytes": {bytes}, "attempts":
                [{{"outcome": "503", "phase": "waiting", "waited_s": 0.0}}, {{"outcome": "200", "phase": "done", "waited_s": 1.5}}],
                "error": null, "ended_at": "2026-11-26T00:00:{ended:02}Z", "seconds": 1.0}}"#
            )
            .replace('\n', " ")
                + "\n"
        };
        let failed = r#"{"index": 9, "path": "bad", "title": "f", "status": "failed", "bytes": 0, "attempts": [], "error": "x: y"}"#;
        let report: String = (0..4).map(|n| line(n, n + 1, 1_000_000 * (n + 1))).collect();
        let digest = digest((report + failed).as_bytes()).expect("a report");
        let mut shown = Vec::new();
        show(&mut shown, &digest).expect("shown");
        let shown = String::from_utf8(shown).expect("UTF-8");
        let (before, plot) = shown.split_once("throughput:\n").expect("a plot");
        assert_eq!(
            before,
            "\
4 uploaded, 1 failed, 0 cancelled, 0 skipped
10 MB, 8 attempts, 6.0 s of waits between them
in 0:04, 2.5 MB/s

failures, by reason:
        1  x: y; such as bad

retries, by what came before, and the waits for them:
        4  503           6.0 s

slowest items:
      1.0 s  f3\\n (4.0 MB, 2 attempts)
      1.0 s  f2\\n (3.0 MB, 2 attempts)
      1.0 s  f1\\n (2.0 MB, 2 attempts)
      1.0 s  f0\\n (1.0 MB, 2 attempts)

"
        );
        let rows: Vec<&str> = plot.lines().collect();
        assert_eq!(rows.len(), PLOT_ROWS + 2, "{plot}");
        assert!(rows.iter().all(|row| row.chars().count() <= 80), "{plot}");
        assert!(rows[0].contains("MB/s │") && rows[3].contains('█') && rows[5].trim_end().ends_with("0:04"), "{plot}");
    }

    #[test]
    fn an_empty_report_is_shown() {
        let mut shown = Vec::new();
        show(&mut shown, &Digest::default()).expect("shown");
        let expected = "0 uploaded, 0 failed, 0 cancelled, 0 skipped\n0 B, 0 attempts, 0.0 s of waits between them\n";
        assert_eq!(String::from_utf8(shown).expect("UTF-8"), expected);
    }
}
