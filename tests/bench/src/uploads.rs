//! Runs the programs of one upload benchmark in turns, and compares them.

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::{Aim, Benchmark, Case, Growth, Program};
use crate::lab::{Lab, Sample};
use crate::outcome::{Bound, Outcome, Table, Verdict, number};
use crate::stats::{Spread, exponent};

const MIB: f64 = 1024.0 * 1024.0;

/// The samples of one program on one workload, one for each round.
struct Run {
    program: Program,
    samples: Vec<Sample>,
}

impl Run {
    fn figures(&self, of: fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(of).collect()
    }

    fn spread(&self, of: fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.figures(of))
    }
}

/// Runs all cases of a benchmark. The smoke run has no warm-up rounds, and its figures mean nothing.
pub(crate) fn measure(lab: &Lab, benchmark: &Benchmark, cases: &[Case], rounds: usize, smoke: bool) -> Result<Outcome> {
    let mut outcome = Outcome::new(benchmark.name, benchmark.about);
    let mut raw = Vec::new();
    for case in cases {
        let case = if smoke { case.smoke() } else { *case };
        let mut sizes = Vec::new();
        for size in case.sizes() {
            let runs = take_turns(lab, &size, rounds, !smoke)?;
            raw.push(raw_json(&size, lab.in_flight(&size), &runs));
            sizes.push((size, runs));
        }
        if case.growth.is_some() {
            outcome.tables.push(growth_table(&case, &sizes));
        } else if let [(_, runs)] = &*sizes {
            outcome.tables.push(table(&case, runs));
        }
        // The figures of the smoke run are not judged.
        for aim in case.aims.iter().filter(|_| !smoke) {
            outcome.verdicts.extend(verdict(benchmark.name, &case, *aim, &sizes, lab));
        }
    }
    outcome.raw = Value::from(raw);
    Ok(outcome)
}

/// Runs the programs in turns: A B C A B C … The first round only warms the caches.
fn take_turns(lab: &Lab, case: &Case, rounds: usize, warm_up: bool) -> Result<Vec<Run>> {
    let mut setup = lab.set_up(case)?;
    let programs = [Program::Ours].iter().chain(case.peers).filter(|program| lab.has(**program));
    let mut runs: Vec<Run> = programs.map(|program| Run { program: *program, samples: Vec::new() }).collect();
    for round in 0..rounds + usize::from(warm_up) {
        for run in &mut runs {
            let sample = setup.run(run.program)?;
            if round > 0 || !warm_up {
                run.samples.push(sample);
            }
        }
    }
    Ok(runs)
}

fn raw_json(case: &Case, in_flight: u64, runs: &[Run]) -> Value {
    let programs = runs.iter().map(|run| {
        json!({
            "program": run.program.name(),
            "seconds": run.figures(|sample| sample.seconds),
            "cpu_s": run.figures(|sample| sample.cpu),
            "peak_bytes": run.figures(|sample| sample.peak),
            "connections": run.figures(|sample| sample.connections),
        })
    });
    json!({
        "label": case.label(), "files": case.files, "size": case.size, "tls": case.tls, "service_ms": case.service_ms,
        "in_flight": in_flight, "programs": programs.collect::<Vec<_>>(),
    })
}

/// Returns the rate: files per second for several files, MiB per second for one file.
fn rate(case: &Case, seconds: f64) -> f64 {
    let amount = if case.files > 1 { float(case.files) } else { float(case.size) / MIB };
    amount / seconds
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

fn table(case: &Case, runs: &[Run]) -> Table {
    let row = |run: &Run| {
        let (wall, cpu) = (run.spread(|sample| sample.seconds)?, run.spread(|sample| sample.cpu)?);
        let (peak, connections) = (run.spread(|sample| sample.peak)?, run.spread(|sample| sample.connections)?);
        Some(vec![
            run.program.name().to_owned(),
            number(rate(case, wall.median)),
            format!("{} to {}", number(rate(case, wall.most)), number(rate(case, wall.least))),
            number(wall.median),
            number(cpu.median),
            number(peak.most / MIB),
            number(connections.most),
        ])
    };
    Table {
        title: case.label(),
        head: vec![
            "",
            if case.files > 1 { "files/s" } else { "MiB/s" },
            "range",
            "wall s",
            "CPU s",
            "peak MiB",
            "connections",
        ],
        rows: runs.iter().filter_map(row).collect(),
        remarks: Vec::new(),
    }
}

fn growth_table(case: &Case, sizes: &[(Case, Vec<Run>)]) -> Table {
    let by_files = case.growth == Some(Growth::Files);
    let mut times = Vec::new();
    let mut peaks = Vec::new();
    let mut rows = Vec::new();
    for (size, runs) in sizes {
        let Some(run) = runs.first() else { continue };
        let (Some(wall), Some(peak)) = (run.spread(|sample| sample.seconds), run.spread(|sample| sample.peak)) else {
            continue;
        };
        let amount = if by_files { float(size.files) } else { float(size.size) / MIB };
        times.push((amount, wall.median));
        peaks.push((amount, peak.most));
        rows.push(vec![
            number(amount),
            number(rate(size, wall.median)),
            number(wall.median),
            number(run.spread(|sample| sample.cpu).map_or(0.0, |cpu| cpu.median)),
            number(peak.most / MIB),
            number(run.spread(|sample| sample.connections).map_or(0.0, |connections| connections.most)),
        ]);
    }
    let last = times.len().saturating_sub(2);
    let exponents = [exponent(&times), exponent(times.get(last..).unwrap_or_default()), exponent(&peaks)];
    let [time, last, peak] = exponents.map(|exponent| exponent.map_or("unknown".to_owned(), |e| format!("{e:.2}")));
    Table {
        title: format!("{}: how the cost grows", case.label()),
        head: vec![
            if by_files { "files" } else { "MiB" },
            if by_files { "files/s" } else { "MiB/s" },
            "wall s",
            "CPU s",
            "peak MiB",
            "connections",
        ],
        rows,
        remarks: vec![format!(
            "Exponents: wall time {time} (between the two largest {last}), peak memory {peak}; 1 is linear, 0 is flat."
        )],
    }
}

/// Returns the verdict on an aim; `None` if a peer or the figure to compare with is missing.
fn verdict(name: &'static str, case: &Case, aim: Aim, sizes: &[(Case, Vec<Run>)], lab: &Lab) -> Option<Verdict> {
    let (largest, runs) = sizes.last()?;
    let ours = runs.first()?;
    let against = |peer: Program| runs.iter().find(|run| run.program == peer);
    let seconds = |run: &Run| run.figures(|sample| sample.seconds);
    let (what, found, bound, unit) = match aim {
        Aim::Faster(peer, times) => (
            format!("{}, against {}", case.label(), peer.name()),
            Spread::of_ratios(&seconds(against(peer)?), &seconds(ours))?,
            Bound::AtLeast(times),
            " ×",
        ),
        Aim::Cpu(peer, times) => (
            format!("{}, CPU time over that of {}", case.label(), peer.name()),
            Spread::of_ratios(&ours.figures(|sample| sample.cpu), &against(peer)?.figures(|sample| sample.cpu))?,
            Bound::AtMost(times),
            " ×",
        ),
        Aim::Peak(most) => (
            format!("{}: peak memory", case.label()),
            ours.spread(|sample| sample.peak / MIB)?,
            Bound::NeverAbove(most),
            " MiB",
        ),
        Aim::Connections => (
            format!("{}: connections", case.label()),
            ours.spread(|sample| sample.connections)?,
            Bound::NeverAbove(float(lab.in_flight(case))),
            "",
        ),
        Aim::PerFile => {
            let (hundredth, runs) = sizes.iter().rev().nth(2)?;
            let per_file = |case: &Case, run: &Run| -> Vec<f64> {
                seconds(run).iter().map(|seconds| seconds / float(case.files)).collect()
            };
            (
                format!("{}: time per file, over that of {} files", case.label(), number(float(hundredth.files))),
                Spread::of_ratios(&per_file(largest, ours), &per_file(hundredth, runs.first()?))?,
                Bound::AtMost(1.0),
                " ×",
            )
        }
    };
    Some(Verdict { benchmark: name, what, found, bound, unit })
}
