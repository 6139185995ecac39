//! From a folder on disk to the rows of a dataset, at the emulator of the platform: the command beside the SDK's own loop.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::case::{Benchmark, BesideFolder, FolderCase, KIB};
use crate::lab::{KillOnDrop, Lab, output, read_json, write_files};
use crate::outcome::{Bound, Outcome, Table, Verdict, grouped, number};
use crate::stats::Spread;

const SDK: &str = "current";
/// The records of a ledger that tell how far a file has come.
const STAGES: [&str; 4] = ["signed", "sent", "registered", "linked"];
/// The records are looked for so often. It bounds how exact the times of the stages are.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const MIB: f64 = 1024.0 * 1024.0;

struct Sample {
    seconds: f64,
    cpu: f64,
    peak: f64,
    /// For each of [`STAGES`] the seconds after which its first and its last record were seen.
    stages: Vec<(f64, f64)>,
}

pub(crate) fn measure(
    lab: &Lab,
    benchmark: &Benchmark,
    cases: &[FolderCase],
    rounds: usize,
    smoke: bool,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(benchmark.name, benchmark.about);
    let mut raw = Vec::new();
    for case in cases {
        let case = if smoke { FolderCase { files: case.files.min(10), ..*case } } else { *case };
        let beside = match case.beside {
            BesideFolder::Tenth => Some(("encord", FolderCase { files: (case.files / 10).max(1), ..case }, None)),
            BesideFolder::Sdk { .. } => lab.python(SDK).map(|python| ("Python SDK", case, Some(python))),
        };
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(case.run(lab, None)?);
            if let Some((_, case, python)) = beside {
                others.push(case.run(lab, python)?);
            }
        }
        let mut programs = vec![("encord", case, &ours)];
        programs.extend(beside.map(|(name, case, _)| (name, case, &others)));
        raw.extend(programs.iter().map(|(name, case, samples)| {
            json!({
                "label": case.label(), "program": name, "seconds": seconds(samples),
                "cpu_s": cpu(samples),
                "peak_bytes": samples.iter().map(|sample| sample.peak).collect::<Vec<_>>(),
                "stages": samples.iter().map(|sample| &sample.stages).collect::<Vec<_>>(),
            })
        }));
        outcome.tables.push(case.table(&programs));
        if !smoke {
            outcome.verdicts.extend(case.verdicts(benchmark.name, &ours, &others));
        }
    }
    outcome.raw = Value::from(raw);
    Ok(outcome)
}

fn seconds(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.seconds).collect()
}

fn cpu(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.cpu).collect()
}

impl FolderCase {
    fn label(&self) -> String {
        let Self { files, size, delay_ms, .. } = self;
        let label = format!("{} files of {} KiB", grouped(*files), size / KIB);
        if *delay_ms > 0 { format!("{label}, {delay_ms} ms for each call and each upload") } else { label }
    }

    /// One run with a platform of its own. With a Python, the loop of the SDK.
    fn run(&self, lab: &Lab, python: Option<&Path>) -> Result<Sample> {
        let folder =
            write_files(&lab.folder.join(format!("folder-{}-{}", self.files, self.size)), self.files, self.size)?;
        let place = lab.folder.join("ledger");
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir(&place)?;
        let ledger = place.join("ledger.jsonl");
        let mut command = lab.program("encord");
        command.args(["dev-platform", "--port", "0", "--json"]);
        if self.delay_ms > 0 {
            let slow = format!("*: slow={}", f64::from(self.delay_ms) / 1000.0);
            command.args(["--faults", &slow, "--store-faults", &slow]);
        }
        let mut platform =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("encord dev-platform")?;
        let mut line = String::new();
        let read = BufReader::new(platform.stdout.take().context("no pipe")?).read_line(&mut line);
        let _platform = KillOnDrop(platform);
        read?;
        let platform = read_json(&line)?;
        let word = |name: &str| platform[name].as_str().context("a platform without an address");

        let mut command = lab.program("bench-measure");
        match python {
            Some(python) => command.arg(python).arg("tests/python/bench_images.py").arg(&folder),
            None => command
                .arg(lab.path("encord"))
                .arg("upload")
                .arg(&folder)
                .args("--folder bench --dataset bench --json --progress never --journal".split(' '))
                .arg(&ledger),
        };
        command.envs([("ENCORD_DOMAIN", word("domain")?), ("ENCORD_SSH_KEY_FILE", word("ssh_key_file")?)]);
        let (measured, stages) = watched(&mut command, &ledger)?;
        let said = read_json(measured["said"].as_str().unwrap_or_default().trim())?;
        let linked = if python.is_some() { self.files } else { said["linked"].as_u64().context("no summary")? };
        if measured["success"] != true || linked != self.files {
            bail!("{} of {} files are rows: {measured}", linked, self.files);
        }
        let own = said["seconds"].as_f64().filter(|_| python.is_some());
        Ok(Sample {
            seconds: own.or_else(|| measured["wall_s"].as_f64()).context("no time")?,
            cpu: measured["cpu_s"].as_f64().context("no CPU time")?,
            peak: measured["peak_bytes"].as_f64().context("no peak")?,
            stages,
        })
    }

    fn table(&self, programs: &[(&str, Self, &Vec<Sample>)]) -> Table {
        let rows = programs.iter().filter_map(|(name, case, samples)| {
            let (wall, cpu) = (Spread::of(seconds(samples))?, Spread::of(cpu(samples))?);
            let peak = samples.iter().map(|sample| sample.peak).fold(0.0, f64::max);
            let stages = STAGES.iter().enumerate().map(|(place, _)| {
                let of = |end: fn(&(f64, f64)) -> f64| {
                    Spread::of(samples.iter().filter_map(|sample| sample.stages.get(place)).map(end))
                };
                let (first, last) = (of(|stage| stage.0)?, of(|stage| stage.1)?);
                Some(format!("{} to {}", number(first.median), number(last.median)))
            });
            let row = [format!("{name}, {} files", grouped(case.files)), number(wall.median)];
            let range = format!("{} to {}", number(wall.least), number(wall.most));
            let stages = stages.map(Option::unwrap_or_default);
            Some(row.into_iter().chain([range, number(cpu.median), number(peak / MIB)]).chain(stages).collect())
        });
        Table {
            title: self.label(),
            head: [&["", "wall s", "range", "CPU s", "peak MiB"][..], &STAGES].concat(),
            rows: rows.collect(),
            remarks: vec![
                "Of each stage the seconds after which its first and its last record stood in the ledger.".to_owned(),
            ],
        }
    }

    fn verdicts(&self, name: &'static str, ours: &[Sample], others: &[Sample]) -> Vec<Verdict> {
        let label = self.label();
        let beside = match self.beside {
            // The wall time contains that of the emulator, which keeps all objects in memory.
            BesideFolder::Tenth => {
                ("CPU time over that of a tenth", Spread::of_ratios(&cpu(ours), &cpu(others)), Bound::AtMost(11.0))
            }
            BesideFolder::Sdk { at_least } => {
                ("against Python SDK", Spread::of_ratios(&seconds(others), &seconds(ours)), Bound::AtLeast(at_least))
            }
        };
        let found = [
            (
                format!("{label}: peak memory"),
                Spread::of(ours.iter().map(|sample| sample.peak / MIB)),
                Bound::NeverAbove(64.0),
                " MiB",
            ),
            (format!("{label}: {}", beside.0), beside.1, beside.2, " ×"),
        ];
        let verdict = |(what, found, bound, unit)| Some(Verdict { benchmark: name, what, found: found?, bound, unit });
        found.into_iter().filter_map(verdict).collect()
    }
}

/// Runs a measured command, and follows the ledger that it writes.
fn watched(command: &mut Command, ledger: &Path) -> Result<(Value, Vec<(f64, f64)>)> {
    let (began, ended) = (Instant::now(), AtomicBool::new(false));
    let (said, stages) = thread::scope(|scope| {
        let stages = scope.spawn(|| {
            let (mut file, mut text, mut stages) = (None, String::new(), Vec::new());
            loop {
                // Looked at before the file, so that what came last is read.
                let is_last = ended.load(Ordering::Acquire);
                // The SDK has no ledger.
                file = file.or_else(|| File::open(ledger).ok());
                if let Some(file) = &mut file {
                    file.read_to_string(&mut text)?;
                    let now = began.elapsed().as_secs_f64();
                    let whole = text.rfind('\n').map_or(0, |end| end + 1);
                    for line in text.drain(..whole).collect::<String>().lines() {
                        let record = read_json(line)?;
                        let Some(place) = STAGES.iter().position(|stage| record["event"] == *stage) else { continue };
                        while stages.len() <= place {
                            stages.push((now, now));
                        }
                        stages[place].1 = now;
                    }
                }
                if is_last {
                    return Ok(stages);
                }
                thread::sleep(LOOK_EVERY);
            }
        });
        let said = output(command);
        ended.store(true, Ordering::Release);
        let stages: Result<_> = stages.join().unwrap_or_else(|_| bail!("the ledger could not be followed"));
        (said, stages)
    });
    Ok((read_json(&said?)?, stages?))
}
