//! Runs programs that time their own calls, in turns. Each prints one JSON object of nanoseconds.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::case::{Against, Benchmark, Timing, Timings, Topic};
use crate::lab::{Lab, output, read_json};
use crate::outcome::{Bound, Outcome, Table, Verdict, grouped, number};
use crate::stats::{Spread, exponent};

/// The results for one size of one topic: our JSON object and that of the SDK for each round.
struct Rounds {
    models: u64,
    ours: Vec<Value>,
    sdk: Vec<Value>,
}

impl Rounds {
    fn ours(&self, key: &str) -> Vec<f64> {
        figures(&self.ours, key)
    }
}

fn figures(rounds: &[Value], key: &str) -> Vec<f64> {
    rounds.iter().filter_map(|round| round[key].as_f64()).collect()
}

/// Runs a benchmark. The smoke run does not judge the aims.
pub(crate) fn measure(
    lab: &Lab,
    benchmark: &Benchmark,
    timings: &Timings,
    rounds: usize,
    smoke: bool,
) -> Result<Outcome> {
    let models: &[u64] = match (timings.topic, smoke) {
        (Topic::DataType | Topic::Settings, _) => &[0],
        (Topic::Uids, true) => &[10],
        (Topic::Uids, false) if timings.growth => &[10, 100, 1_000, 10_000],
        (Topic::Uids, false) => &[10_000],
    };
    let mut sizes = Vec::new();
    for models in models {
        sizes.push(take_turns(lab, timings.topic, *models, rounds)?);
    }
    let mut outcome = Outcome {
        raw: sizes
            .iter()
            .map(|size| json!({"models": size.models, "ours_ns": size.ours, "sdk_ns": size.sdk}))
            .collect(),
        ..Outcome::new(benchmark.name, benchmark.about)
    };
    if let Some(largest) = sizes.last() {
        outcome.tables.push(table(largest, timings.compared));
        if !smoke {
            let verdict = |timing| verdict(benchmark.name, timing, largest);
            outcome.verdicts = timings.compared.iter().filter_map(verdict).collect();
        }
    }
    if let ([_, _, ..], [timing, ..]) = (&*sizes, timings.compared) {
        outcome.tables.push(growth(&sizes, timing));
    }
    Ok(outcome)
}

fn take_turns(lab: &Lab, topic: Topic, models: u64, rounds: usize) -> Result<Rounds> {
    let mut ours = lab.program("bench-pure");
    let mut sdk = topic.sdk().and_then(|sdk| lab.python(sdk)).map(|python| {
        let mut command = Command::new(python);
        command.arg("tests/python/bench_sdk.py");
        command
    });
    let file = match topic {
        Topic::Uids => Some(corpus(lab, models)?),
        Topic::DataType | Topic::Settings => None,
    };
    for command in [&mut ours].into_iter().chain(&mut sdk) {
        command.arg(topic.name()).args(&file);
    }
    let ask = |command: &mut Command| read_json(&output(command)?);
    let mut taken = Rounds { models, ours: Vec::new(), sdk: Vec::new() };
    for _ in 0..rounds {
        taken.ours.push(ask(&mut ours)?);
        if let Some(sdk) = &mut sdk {
            taken.sdk.push(ask(sdk)?);
        }
    }
    Ok(taken)
}

/// Writes a list of models with 100 uids each. Every uid is in two models.
fn corpus(lab: &Lab, models: u64) -> Result<PathBuf> {
    let path = lab.folder.join(format!("models-{models}.json"));
    let distinct = models * 100 / 2;
    let uid = |place: u64| {
        // The factor is a prime that divides none of the sizes, so that equal uids are far apart.
        let id = place.wrapping_mul(777_767) % distinct;
        let (high, low) = (id.wrapping_mul(0x9e37_79b9_7f4a_7c15), id.wrapping_mul(0xbf58_476d_1ce4_e5b9));
        let hex = format!("{high:016x}{low:016x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    };
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(&path)?);
        for model in 0..models {
            let uids: Vec<String> = (0..100).map(|index| uid(model * 100 + index)).collect();
            let record = json!({
                "model_uid": uid(model), "title": format!("Model {model}"), "description": "",
                "feature_node_hashes": {"a1b2c3d4": {}, "e5f6a7b8": {}}, "model": "resnet50", "model_iteration_uids": uids,
            });
            write!(file, "{}{record}", if model == 0 { '[' } else { ',' })?;
        }
        file.write_all(b"]")?;
        file.flush()
    };
    write().with_context(|| path.display().to_string())?;
    Ok(path)
}

fn table(rounds: &Rounds, timings: &[Timing]) -> Table {
    let row = |timing: &Timing| {
        let ours = Spread::of(rounds.ours(timing.ours))?;
        let (name, peer) = match timing.against {
            Against::Sdk(key, _) => ("Python SDK", Spread::of(figures(&rounds.sdk, key))),
            Against::Nothing(_) => ("", None),
        };
        let cell = |spread: Option<Spread>| spread.map(|spread| time(spread.median)).unwrap_or_default();
        Some(vec![timing.label.to_owned(), time(ours.median), name.to_owned(), cell(peer)])
    };
    let title = if rounds.models > 0 {
        format!("{} models of 100 uids", grouped(rounds.models))
    } else {
        "One call".to_owned()
    };
    // A figure that the table already compares gets no second row for its bound.
    let compared = |timing: &&Timing| {
        let twin = |other: &Timing| other.ours == timing.ours && !matches!(other.against, Against::Nothing(_));
        !matches!(timing.against, Against::Nothing(_)) || !timings.iter().any(twin)
    };
    let head = vec!["", "ours", "against", "theirs"];
    Table { title, head, rows: timings.iter().filter(compared).filter_map(row).collect(), remarks: Vec::new() }
}

fn growth(sizes: &[Rounds], timing: &Timing) -> Table {
    let mut points = Vec::new();
    let mut rows = Vec::new();
    for size in sizes {
        let Some(ours) = Spread::of(size.ours(timing.ours)) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let models = size.models as f64;
        points.push((models, ours.median));
        rows.push(vec![grouped(size.models), time(ours.median), time(ours.median / models / 100.0)]);
    }
    let mut remark = String::new();
    if let Some(exponent) = exponent(&points) {
        // Writing to a string does not fail.
        let _ = write!(remark, "Exponent: time {exponent:.2}; 1 is linear.");
    }
    Table {
        title: format!("{}: how the cost grows", timing.label),
        head: vec!["models", "ours", "per uid"],
        rows,
        remarks: vec![remark],
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        few if few < 1e3 => format!("{} ns", number(few)),
        more if more < 1e6 => format!("{} µs", number(more / 1e3)),
        many => format!("{} ms", number(many / 1e6)),
    }
}

/// Returns the verdict on an aim; `None` if the peer is missing.
fn verdict(name: &'static str, timing: &Timing, rounds: &Rounds) -> Option<Verdict> {
    let ours = rounds.ours(timing.ours);
    let (what, found, bound, unit) = match timing.against {
        Against::Sdk(key, times) => (
            format!("{}, against Python SDK", timing.label),
            Spread::of_ratios(&figures(&rounds.sdk, key), &ours)?,
            Bound::AtLeast(times),
            " ×",
        ),
        Against::Nothing(most) => (timing.label.to_owned(), Spread::of(ours)?, Bound::AtMost(most), " ns"),
    };
    Some(Verdict { benchmark: name, what, found, bound, unit })
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_have_a_unit() {
        #[track_caller]
        fn check(nanoseconds: f64, expected: &str) {
            assert_eq!(time(nanoseconds), expected);
        }
        check(2.5, "2.50 ns");
        check(1_500.0, "1.50 µs");
        check(123_000_000.0, "123 ms");
    }
}
