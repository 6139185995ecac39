//! The results of benchmarks: tables, verdicts on the aims, and JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::stats::Spread;

/// The result of one benchmark.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) tables: Vec<Table>,
    pub(crate) verdicts: Vec<Verdict>,
    /// All figures.
    pub(crate) raw: Value,
}

impl Outcome {
    pub(crate) fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, tables: Vec::new(), verdicts: Vec::new(), raw: Value::Null }
    }
}

pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
    /// Lines to print below the table.
    pub(crate) remarks: Vec<String>,
}

/// A figure and its bound.
pub(crate) struct Verdict {
    pub(crate) benchmark: &'static str,
    pub(crate) what: String,
    pub(crate) found: Spread,
    pub(crate) bound: Bound,
    /// The unit after the number: `" ×"`, `" MiB"`.
    pub(crate) unit: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// The bound holds for every round, not only for the median.
    NeverAbove(f64),
}

impl Verdict {
    pub(crate) fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.found.median >= bound,
            Bound::AtMost(bound) => self.found.median <= bound,
            Bound::NeverAbove(bound) => self.found.most <= bound,
        }
    }

    fn json(&self) -> Value {
        let (at_least, at_most) = match self.bound {
            Bound::AtLeast(bound) => (Some(bound), None),
            Bound::AtMost(bound) | Bound::NeverAbove(bound) => (None, Some(bound)),
        };
        json!({
            "benchmark": self.benchmark, "what": self.what, "unit": self.unit.trim(), "median": self.found.median,
            "least": self.found.least, "most": self.found.most, "at_least": at_least, "at_most": at_most, "met": self.met(),
        })
    }

    fn row(&self) -> Vec<String> {
        let Self { benchmark, what, found, bound, unit } = self;
        let bound = match bound {
            Bound::AtLeast(bound) => format!("≥ {}{unit}", number(*bound)),
            Bound::AtMost(bound) | Bound::NeverAbove(bound) => format!("≤ {}{unit}", number(*bound)),
        };
        let range = if found.least < found.most {
            format!("{} to {}", number(found.least), number(found.most))
        } else {
            String::new()
        };
        let met = if self.met() { "yes" } else { "**no**" };
        vec![
            (*benchmark).to_owned(),
            what.clone(),
            format!("{}{unit}", number(found.median)),
            range,
            bound,
            met.to_owned(),
        ]
    }
}

/// Returns a table of the aims of all benchmarks, and whether each was met.
pub(crate) fn verdicts(outcomes: &[Outcome]) -> Table {
    Table {
        title: "Aims".to_owned(),
        head: vec!["", "what", "median", "range", "aim", "met"],
        rows: outcomes.iter().flat_map(|outcome| &outcome.verdicts).map(Verdict::row).collect(),
        remarks: Vec::new(),
    }
}

pub(crate) fn to_json(outcomes: &[Outcome], facts: &[(&str, String)]) -> Value {
    let benchmark = |outcome: &Outcome| {
        json!({
            "name": outcome.name,
            "about": outcome.about,
            "aims": outcome.verdicts.iter().map(Verdict::json).collect::<Vec<_>>(),
            "measured": outcome.raw,
        })
    };
    let facts: serde_json::Map<_, _> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    json!({ "facts": facts, "benchmarks": outcomes.iter().map(benchmark).collect::<Vec<_>>() })
}

impl Table {
    /// Returns a Markdown table with aligned columns.
    pub(crate) fn markdown(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|word| (*word).to_owned()).collect();
        let width = |column: usize| {
            let cells = [&head].into_iter().chain(&self.rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let mut text = String::new();
        let mut line = |cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                // Writing to a string does not fail.
                let _ = write!(text, "| {cell:<width$} ");
            }
            text.push_str("|\n");
        };
        line(&head);
        line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| line(row));
        if !self.remarks.is_empty() {
            text.push('\n');
            self.remarks.iter().for_each(|remark| text.extend([remark, "\n"]));
        }
        text
    }
}

/// Writes three significant digits, or a whole number with thousands separators.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 || size.fract() == 0.0 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    match text.parse() {
        Ok(whole) if decimals == 0 => grouped(whole),
        _ => text,
    }
}

/// Writes a number with thousands separators.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        #[track_caller]
        fn check(value: f64, expected: &str) {
            assert_eq!(number(value), expected);
        }
        check(0.0, "0");
        check(0.012_34, "0.012");
        check(1.0, "1");
        check(1.004, "1.00");
        check(25.04, "25.0");
        check(123.4, "123");
        check(1234.4, "1,234");
        check(12_345.6, "12,346");
        check(1_234_567.0, "1,234,567");
    }

    #[test]
    fn an_aim_is_met_by_the_median_or_by_every_round() {
        #[track_caller]
        fn check(median: f64, bound: Bound, expected: bool) {
            let found = Spread { least: 0.0, median, most: 100.0 };
            assert_eq!(Verdict { benchmark: "P0", what: String::new(), found, bound, unit: "" }.met(), expected);
        }
        check(25.0, Bound::AtLeast(25.0), true);
        check(24.9, Bound::AtLeast(25.0), false);
        check(32.0, Bound::AtMost(32.0), true);
        check(32.1, Bound::AtMost(32.0), false);
        check(32.0, Bound::NeverAbove(99.0), false);
        check(32.0, Bound::NeverAbove(100.0), true);
    }

    #[test]
    fn tables_are_markdown() {
        let table = Table {
            title: String::new(),
            head: vec!["", "µs"],
            rows: vec![vec!["curl".to_owned(), "12".to_owned()]],
            remarks: vec!["A remark.".to_owned()],
        };
        assert_eq!(table.markdown(), "|      | µs  |\n| ---- | --- |\n| curl | 12  |\n\nA remark.\n");
    }
}
