//! The digest of a report as a self-contained HTML page: no script, and no font or style from elsewhere.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use plotters::prelude::*;

use super::digest::{Digest, Totals};
use crate::clock::clock;
use crate::failures::Group;
use crate::report::human_bytes;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #d0d7de; --paper: #ffffff; --blue: #2f6fd0; --red: #c0392b; --gold: #b7791f }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --faint: #3d444d; --paper: #0d1117; --blue: #58a6ff; --red: #ff7b72; --gold: #e3b341 }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2rem }
.totals { display: grid; grid-template-columns: repeat(2, 1fr); gap: .5rem }
@media (min-width: 40rem) { .totals { grid-template-columns: repeat(4, 1fr) } }
.totals div { border: 1px solid var(--faint); border-radius: .5rem; padding: .5rem .75rem }
.totals b { display: block; font-size: 1.3rem }
table { border-collapse: collapse; width: 100% } td { padding: .3rem .5rem; vertical-align: top; border-top: 1px solid var(--faint) }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } td.text { width: 100%; overflow-wrap: anywhere }
.bar { height: .4rem; border-radius: .2rem; background: var(--red); margin-top: .2rem } .bar.wait { background: var(--gold) }
small { opacity: .75 }
svg { width: 100%; max-width: 40rem; height: auto } svg text { fill: var(--ink) }
svg polyline, svg line { stroke: var(--ink); opacity: .5 } svg polygon { fill: var(--blue); opacity: .8 }
";

/// The size of the chart, in pixels of its own.
const CHART: (u32, u32) = (480, 200);

/// The most points of the chart.
const MAX_POINTS: usize = 200;

/// The page.
pub(super) fn html(name: &str, digest: &Digest) -> Result<String, Box<dyn Error>> {
    let mut page = String::new();
    let name = text(name);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{name}</title>\n\
         <style>{STYLE}</style>\n<h1>Report {name}</h1>\n"
    )?;
    totals(&mut page, digest)?;
    if let Some(chart) = chart(digest)? {
        write!(page, "<h2>Throughput, in MB a second</h2>\n{chart}\n")?;
    }
    failures(&mut page, digest)?;
    retries(&mut page, digest)?;
    slowest(&mut page, digest)?;
    page.push_str("</html>\n");
    Ok(page)
}

fn totals(page: &mut String, digest: &Digest) -> Result<(), std::fmt::Error> {
    let Totals { uploaded, failed, cancelled, skipped, bytes, attempts, waited_s } = digest.totals;
    let range = digest.timeline.range();
    let took = range.map(|(began, ended)| clock(ended.duration_since(began).unwrap_or_default()));
    let figures = [
        ("uploaded", uploaded.to_string()),
        ("failed", failed.to_string()),
        ("cancelled", cancelled.to_string()),
        ("skipped", skipped.to_string()),
        ("sent", human_bytes(bytes)),
        ("attempts", attempts.to_string()),
        ("waits between attempts", format!("{waited_s:.1} s")),
        ("time", took.unwrap_or_else(|| "not known".to_owned())),
    ];
    page.push_str("<div class=\"totals\">\n");
    for (words, figure) in figures {
        writeln!(page, "<div><b>{figure}</b>{words}</div>")?;
    }
    page.push_str("</div>\n");
    Ok(())
}

fn failures(page: &mut String, digest: &Digest) -> Result<(), std::fmt::Error> {
    let groups = digest.failures.groups();
    if groups.is_empty() {
        return Ok(());
    }
    let most = groups.iter().map(|(_, group)| group.count).max().unwrap_or(1);
    page.push_str("<h2>Failures by reason</h2>\n<table>\n");
    for (reason, Group { count, example }) in groups {
        let (reason, example, share) = (text(reason), text(example), percent(*count, most));
        writeln!(
            page,
            "<tr><td class=\"number\">{count}<td class=\"text\">{reason}<div class=\"bar\" style=\"width:{share}%\"></div>\
             <small>such as {example}</small>",
            count = *count
        )?;
    }
    page.push_str("</table>\n");
    Ok(())
}

fn retries(page: &mut String, digest: &Digest) -> Result<(), std::fmt::Error> {
    let most = digest.retries.values().map(|retries| retries.count).max().unwrap_or(1);
    if digest.retries.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Retries by cause</h2>\n<table>\n");
    for (cause, retries) in &digest.retries {
        let (cause, share) = (text(cause), percent(retries.count, most));
        writeln!(
            page,
            "<tr><td class=\"number\">{}<td class=\"text\">{cause}<div class=\"bar wait\" style=\"width:{share}%\"></div>\
             <td class=\"number\">{:.1} s of waits",
            retries.count, retries.waited_s
        )?;
    }
    page.push_str("</table>\n");
    Ok(())
}

fn slowest(page: &mut String, digest: &Digest) -> Result<(), std::fmt::Error> {
    let slowest = digest.slowest();
    if slowest.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>Slowest items</h2>\n<table>\n");
    for slow in slowest {
        let seconds = Duration::from_millis(slow.milliseconds).as_secs_f64();
        let (path, bytes, attempts) = (text(&slow.path), human_bytes(slow.bytes), slow.attempts);
        let plural = if attempts == 1 { "" } else { "s" };
        writeln!(
            page,
            "<tr><td class=\"number\">{seconds:.1} s<td class=\"text\">{path}<td class=\"number\">{bytes}\
             <td class=\"number\">{attempts} attempt{plural}"
        )?;
    }
    page.push_str("</table>\n");
    Ok(())
}

/// Draws the throughput in the colours of the page.
fn chart(digest: &Digest) -> Result<Option<String>, Box<dyn Error>> {
    let buckets = digest.timeline.buckets(MAX_POINTS);
    let end = buckets.last().map_or(0.0, |bucket| bucket.second + bucket.seconds);
    let (unit, seconds) = match end {
        end if end < 300.0 => ("s", 1.0),
        end if end < 5.0 * 3600.0 => ("min", 60.0),
        _ => ("h", 3600.0),
    };
    let points: Vec<(f64, f64)> = buckets
        .iter()
        .map(|bucket| ((bucket.second + bucket.seconds / 2.0) / seconds, bucket.bytes / bucket.seconds / 1e6))
        .collect();
    let highest = points.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    if points.len() < 2 || highest <= 0.0 {
        return Ok(None);
    }
    let mut drawing = String::new();
    {
        let area = SVGBackend::with_string(&mut drawing, CHART).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..end / seconds, 0.0..highest * 1.05)
            .map_err(|error| error.to_string())?;
        let font = ("sans-serif", 14).into_font();
        chart
            .configure_mesh()
            .disable_mesh()
            .x_label_style(font.clone())
            .y_label_style(font)
            .x_labels(6)
            .y_labels(5)
            .x_label_formatter(&|time| format!("{} {unit}", thousandths(*time)))
            .y_label_formatter(&|rate| thousandths(*rate).to_string())
            .draw()
            .map_err(|error| error.to_string())?;
        let series = AreaSeries::new(points, 0.0, BLUE.filled());
        chart.draw_series(series).map_err(|error| error.to_string())?;
        area.present().map_err(|error| error.to_string())?;
    }
    Ok(Some(drawing))
}

/// A label without the noise of binary fractions.
fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn percent(count: u64, of: u64) -> u64 {
    (count * 100).checked_div(of).unwrap_or(0).max(1)
}

/// Escapes text for HTML.
fn text(text: &str) -> String {
    let text = crate::escape::escaped(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    #[test]
    fn u9_a_page_needs_nothing_else_and_shows_names_as_text() {
        let line = |index: u64, status: &str| {
            format!(
                r#"{{"index": {index}, "path": "<script>{index}&", "title": "f", "status": "{status}", "bytes": 1000000, "attempts": [],
                "error": "a < b", "ended_at": "2026-11-26T00:00:{index:02}Z", "seconds": 1.0}}"#
            )
            .replace('\n', " ")
                + "\n"
        };
        let report: String = (1..9).map(|n| line(n, if n == 3 { "failed" } else { "uploaded" })).collect();
        let page = html("<r>.jsonl", &digest(report.as_bytes()).expect("a report")).expect("a page");
        assert!(page.contains("<title>&lt;r&gt;.jsonl</title>") && page.contains("a &lt; b"), "{page}");
        assert!(page.contains("such as &lt;script&gt;3&amp;"), "{page}");
        assert!(page.contains("<svg") && page.contains("<polygon"), "{page}");
        for foreign in ["<script", "@import", "url(", "<link", "<img", "src="] {
            assert!(!page.contains(foreign), "{foreign}: {page}");
        }
        let urls: Vec<_> = page.match_indices("http").map(|(at, _)| &page[at..(at + 26).min(page.len())]).collect();
        assert!(urls.iter().all(|url| *url == "http://www.w3.org/2000/svg"), "{urls:?}");
    }

    #[test]
    fn an_empty_report_is_a_page_too() {
        let page = html("r", &Digest::default()).expect("a page");
        assert!(!page.contains("<svg") && page.ends_with("</html>\n"), "{page}");
    }
}
