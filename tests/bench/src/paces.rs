//! Measures the pace of a batch on slow links and at stores with limits: our default, fixed numbers, and peers.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::case::{Benchmark, Beside, Link, PaceCase};
use crate::lab::{KillOnDrop, Lab, Server, output, read_json, write_lists};
use crate::outcome::{Bound, Outcome, Table, Verdict, grouped, number};
use crate::stats::Spread;

/// The limit for a run. At a store with limits, curl would retry for ever.
const RUN_TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: f64,
    peak: f64,
    /// The number of files that did not arrive.
    lost: u64,
    most_under_way: u64,
    refused: u64,
}

pub(crate) fn measure(
    lab: &Lab,
    benchmark: &Benchmark,
    cases: &[PaceCase],
    rounds: usize,
    smoke: bool,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(benchmark.name, benchmark.about);
    let mut raw = Vec::new();
    for case in cases {
        let case = if smoke { PaceCase { files: case.files.min(40), ..*case } } else { *case };
        let mut programs: Vec<(Option<Beside>, Vec<Sample>)> = vec![(None, Vec::new())];
        programs
            .extend(case.beside.iter().filter(|beside| beside.is_here(lab)).map(|beside| (Some(*beside), Vec::new())));
        for _ in 0..rounds {
            for (beside, samples) in &mut programs {
                samples.push(case.run(lab, *beside)?);
            }
        }
        raw.push(case.json(&programs));
        outcome.tables.push(case.table(&programs));
        if !smoke {
            outcome.verdicts.extend(case.verdicts(benchmark.name, &programs));
        }
    }
    outcome.raw = Value::from(raw);
    Ok(outcome)
}

impl Beside {
    fn is_here(self, lab: &Lab) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Curl(_) => lab.curl(),
            Self::Sdk => lab.python("current").is_some(),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Fixed(number) => format!("encord, always {number}"),
            Self::Curl(0) => "curl --parallel".to_owned(),
            Self::Curl(number) => format!("curl, {number} at once"),
            Self::Sdk => "Python SDK".to_owned(),
        }
    }
}

impl PaceCase {
    pub(crate) fn label(&self) -> String {
        let Self { files, size, link, then, store, .. } = self;
        let mut label = format!("{} files of {} KiB, {}", grouped(*files), size / 1024, link.label());
        if store.service_ms > 0 {
            label += &*format!(", {} ms each", store.service_ms);
        }
        for (limit, value) in store.limits {
            label += &*format!(", {} {value}", limit.trim_start_matches("--"));
        }
        if store.banned > 0 {
            label += &*format!(", one in {} refused for a day", store.banned);
        }
        if let Some((seconds, link)) = then {
            label += &*format!("; after {seconds} s {}", link.label());
        }
        label
    }

    /// Runs a program once, with its own link and store.
    fn run(&self, lab: &Lab, beside: Option<Beside>) -> Result<Sample> {
        let mut options = vec![("--delay-ms", self.store.service_ms), ("--banned", self.store.banned)];
        options.extend(self.store.limits);
        let mut server = Server::start(lab, &options, None)?;
        let (link, address) = self.start_link(lab, server.address())?;
        let _link = KillOnDrop(link);
        let url =
            |index: u64| format!("http://{address}/bucket/{index:06}.jpg?X-Expires=3600&X-Signature={index:0>64}");
        let (manifest, list) = write_lists(&lab.folder, self.files, self.size, url)?;
        let mut command = lab.program("bench-measure");
        match beside {
            None => {
                command.arg(lab.path("encord"));
                command
                    .args(["upload", "--progress", "never", "--no-journal", "--allow-failures", "--manifest"])
                    .arg(manifest);
            }
            Some(Beside::Fixed(number)) => {
                command.arg(lab.path("bench-fixed")).arg(manifest).arg(number.to_string());
            }
            Some(Beside::Curl(number)) => {
                command.args(["curl", "--silent", "--show-error", "--fail", "--parallel", "--retry", "3"]);
                if number > 0 {
                    command.args(["--parallel-max", &number.to_string()]);
                }
                command.arg("--max-time").arg(RUN_TIMEOUT.as_secs().to_string()).arg("--config").arg(list);
            }
            Some(Beside::Sdk) => {
                command.args(lab.python("current")).arg("tests/python/bench_upload.py").arg(manifest);
            }
        }
        let measured = read_json(&output(&mut command)?)?;
        let counted = server.counted()?;
        let stored = counted["requests"].as_u64().context("no count")?;
        if self.store.limits.is_empty() && self.store.banned == 0 && stored != self.files {
            bail!("{stored} of {} files arrived: {measured}, the server counted {counted}", self.files);
        }
        let banned = self.files.checked_div(self.store.banned).unwrap_or(0);
        let own = read_json(measured["said"].as_str().unwrap_or("null")).ok().and_then(|said| said["seconds"].as_f64());
        Ok(Sample {
            seconds: own.or_else(|| measured["wall_s"].as_f64()).context("no time")?,
            peak: measured["peak_bytes"].as_f64().context("no peak")?,
            lost: self.files.saturating_sub(stored + banned),
            most_under_way: counted["most_under_way"].as_u64().unwrap_or(0),
            refused: counted["refused"].as_u64().unwrap_or(0),
        })
    }

    fn start_link(&self, lab: &Lab, target: &str) -> Result<(Child, String)> {
        use std::io::{BufRead, BufReader};
        let mut command: Command = lab.program("bench-link");
        command.arg(target).args(["--rtt-ms", &self.link.rtt_ms.to_string(), "--mbit", &self.link.mbit.to_string()]);
        if let Some((seconds, then)) = self.then {
            let (rtt, mbit) = (then.rtt_ms.to_string(), then.mbit.to_string());
            command.args(["--then-s", &seconds.to_string(), "--then-rtt-ms", &rtt, "--then-mbit", &mbit]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("bench-link")?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("no pipe")?).read_line(&mut address)?;
        Ok((child, address.trim().to_owned()))
    }

    fn table(&self, programs: &[(Option<Beside>, Vec<Sample>)]) -> Table {
        let rows = programs.iter().filter_map(|(beside, samples)| {
            let seconds = Spread::of(samples.iter().map(|sample| sample.seconds))?;
            let most = |of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap_or(0).to_string();
            let peak = samples.iter().map(|sample| sample.peak).fold(0.0, f64::max);
            Some(vec![
                beside.map_or_else(|| "encord".to_owned(), Beside::name),
                number(seconds.median),
                format!("{} to {}", number(seconds.least), number(seconds.most)),
                most(|sample| sample.lost),
                most(|sample| sample.refused),
                most(|sample| sample.most_under_way),
                number(peak / 1024.0 / 1024.0),
            ])
        });
        Table {
            title: self.label(),
            head: vec!["", "wall s", "range", "lost", "refused", "under way", "peak MiB"],
            rows: rows.collect(),
            remarks: Vec::new(),
        }
    }

    fn verdicts(&self, name: &'static str, programs: &[(Option<Beside>, Vec<Sample>)]) -> Vec<Verdict> {
        let seconds = |samples: &[Sample]| samples.iter().map(|sample| sample.seconds).collect::<Vec<_>>();
        let lost = |samples: &[Sample]| samples.iter().map(|sample| sample.lost).max().unwrap_or(0);
        let Some((_, ours)) = programs.first() else { return Vec::new() };
        let median = |samples: &[Sample]| Spread::of(seconds(samples)).map_or(f64::INFINITY, |spread| spread.median);
        let fixed =
            programs.iter().filter(|(beside, samples)| matches!(beside, Some(Beside::Fixed(_))) && lost(samples) == 0);
        let best = fixed.min_by(|(_, a), (_, b)| median(a).total_cmp(&median(b)));
        let mut verdicts = Vec::new();
        let mut verdict = |what: &str, found: Option<Spread>, bound, unit| {
            let what = format!("{}: {what}", self.label());
            verdicts.extend(found.map(|found| Verdict { benchmark: name, what, found, bound, unit }));
        };
        if let Some((Some(best), samples)) = best {
            let ratio = Spread::of_ratios(&seconds(ours), &seconds(samples));
            verdict(&format!("over {}", best.name()), ratio, Bound::AtMost(self.over_best), " ×");
        }
        for (beside, samples) in programs {
            // curl at 300 is shown without an aim: nobody gets it who does not ask for it.
            if let Some(peer @ (Beside::Curl(0) | Beside::Sdk)) = beside
                && lost(samples) == 0
            {
                let ratio = Spread::of_ratios(&seconds(samples), &seconds(ours));
                verdict(&format!("against {}", peer.name()), ratio, Bound::AtLeast(self.over_peers), " ×");
            }
        }
        let is_ours = |beside: &Option<Beside>| matches!(beside, None | Some(Beside::Fixed(_)));
        let peaks = programs.iter().filter(|(beside, _)| is_ours(beside)).flat_map(|(_, samples)| samples);
        let peaks = Spread::of(peaks.map(|sample| sample.peak / 1024.0 / 1024.0));
        verdict("peak memory, ours at any number", peaks, Bound::NeverAbove(64.0), " MiB");
        #[expect(clippy::cast_precision_loss, reason = "a count of files")]
        let files = lost(ours) as f64;
        verdict("files lost", Spread::of([files]), Bound::AtMost(0.0), "");
        verdicts
    }

    fn json(&self, programs: &[(Option<Beside>, Vec<Sample>)]) -> Value {
        let program = |(beside, samples): &(Option<Beside>, Vec<Sample>)| {
            let list = |of: fn(&Sample) -> Value| samples.iter().map(of).collect::<Vec<_>>();
            json!({
                "program": beside.map_or_else(|| "encord".to_owned(), Beside::name),
                "seconds": list(|sample| json!(sample.seconds)), "lost": list(|sample| json!(sample.lost)),
                "refused": list(|sample| json!(sample.refused)), "under_way": list(|sample| json!(sample.most_under_way)),
                "peak_bytes": list(|sample| json!(sample.peak)),
            })
        };
        json!({ "label": self.label(), "programs": programs.iter().map(program).collect::<Vec<_>>() })
    }
}

impl Link {
    fn label(self) -> String {
        match self.mbit {
            0 => format!("{} ms", self.rtt_ms),
            mbit => format!("{} ms, {} Mbit/s", self.rtt_ms, grouped(mbit)),
        }
    }
}
