//! Tests the library: one process uploads batch after batch, while this module watches its resources.

use std::env;
use std::fmt;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::comparison::{Comparison, Sums};
use crate::lab::{Lab, Result, between, command, plan, within};
use crate::store::{End, Store};
use crate::upload::Outage;
use crate::vitals::{Series, Vitals};
use crate::worker::{Kind, Order, WHOLE};

/// The faults of the store. Faults without an answer are left out, because their connections stay open as long as the store.
const FAULTS: [&str; 14] = [
    "408",
    "429",
    "500",
    "503",
    "503 retry-after=0",
    "504",
    "404",
    "reject=413",
    "reject=503",
    "reset-before",
    "reset-during",
    "reset-after",
    "drip=0.1",
    "corrupt",
];

/// The limit for a batch, in seconds.
const BATCH_TIMEOUT_SECS: u32 = 120;

/// A run of this length always has enough samples to detect growth.
const MIN_GROWTH_RUN: Duration = Duration::from_secs(10 * 60);

/// The time in seconds after which all idle connections have ended.
const IDLE_TIMEOUT_SECS: u32 = 40;

/// The counts of this part of the soak.
#[derive(Debug)]
pub(crate) struct Tally {
    batches: u64,
    uploaded: u64,
    sums: Sums,
    series: [(&'static str, Series); 2],
}

struct Worker {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

pub(crate) async fn run(lab: &Lab) -> Result<Tally> {
    let mut chance = lab.chance(2);
    let faults = plan(&mut chance, &FAULTS);
    let mut steady = Store::start(lab, "steady", None, &faults, &mut chance).await?;
    let mut restless = Store::start(lab, "outages", None, &faults, &mut chance).await?;
    let mut worker = Worker::start(&steady, &restless, &lab.make_folder("worker")?).await?;
    let processes = [worker.child.id(), steady.process()].map(|process| process.ok_or("it has ended"));
    let [client, server] = [processes[0]?, processes[1]?];
    let (client_at_rest, server_at_rest) = (Vitals::of(client)?, Vitals::of(server)?);

    let mut tally = Tally {
        batches: 0,
        uploaded: 0,
        sums: Sums::default(),
        series: [("the process", Series::default()), ("its store", Series::default())],
    };
    let mut comparison = Comparison::default();
    let mut clock = interval((lab.length / 1_000).clamp(Duration::from_millis(250), Duration::from_secs(1)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Does at least one, even if the start took all the time.
    while tally.batches == 0 || !lab.is_over() {
        let order = Order::draw(&mut chance);
        let outage = (order.kind == Kind::Outage).then(|| (between(&mut chance, 0, 500), Outage::draw(&mut chance)));
        let told = {
            let mut batch = pin!(async {
                let answer = worker.carry_out(&order);
                let outage = async {
                    let Some((after, Outage { how, down })) = outage else { return Ok(()) };
                    sleep(after).await;
                    restless.restart(how, down, &faults).await
                };
                tokio::try_join!(answer, outage).map(|(told, ())| told)
            });
            loop {
                tokio::select! {
                    told = &mut batch => break told?,
                    _ = clock.tick() => {
                        for ((_, series), process) in tally.series.iter_mut().zip([client, server]) {
                            series.add(Vitals::of(process)?);
                        }
                    }
                }
            }
        };
        tally.batches += 1;
        tally.uploaded += told["uploaded"].as_u64().ok_or("the worker does not say how many")?;
        enter(&told, &mut comparison)?;
        for record in steady.records()?.iter().filter(|record| record.method == "PUT" && record.bucket == WHOLE) {
            comparison.request(record);
        }
        restless.records()?;
    }
    until_at_rest("the process", client, client_at_rest).await?;
    until_at_rest("its store", server, server_at_rest).await?;
    worker.end().await?;
    for store in [&mut steady, &mut restless] {
        store.end(End::InOrder).await?;
    }
    tally.sums = comparison.close()?;
    tally.judge(lab.length)?;
    Ok(tally)
}

fn enter(told: &Value, comparison: &mut Comparison) -> Result<()> {
    for attempt in told["attempts"].as_array().ok_or("the worker does not tell its attempts")? {
        let [object, outcome, phase] = [0, 1, 2].map(|place| attempt[place].as_str().unwrap_or_default());
        comparison.attempt(object, outcome, phase);
    }
    Ok(())
}

/// Waits until a process has as many descriptors and sockets as before the first batch.
async fn until_at_rest(name: &str, process: u32, before: Vitals) -> Result<()> {
    let at_rest = async {
        loop {
            let now = Vitals::of(process)?;
            if (now.descriptors, now.sockets) == (before.descriptors, before.sockets) {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    within(IDLE_TIMEOUT_SECS, at_rest).await.unwrap_or_else(|| {
        let now = Vitals::of(process)?;
        Err(format!("{name} does not come to rest: before the first batch {before:?}, after the last {now:?}").into())
    })
}

impl Worker {
    async fn start(steady: &Store<'_>, restless: &Store<'_>, folder: &Path) -> Result<Self> {
        let mut worker = command(&env::current_exe()?);
        worker.arg("worker").args([steady.base(), restless.base()]).arg(folder);
        let mut child = worker.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the worker has no pipes".into());
        };
        let mut worker = Self { child, stdin, lines: BufReader::new(stdout).lines() };
        // Waits until the worker is ready.
        worker.answer().await?;
        Ok(worker)
    }

    async fn carry_out(&mut self, order: &Order) -> Result<Value> {
        self.stdin.write_all(format!("{order}\n").as_bytes()).await?;
        self.answer().await.map_err(|error| format!("a batch {order}: {error}").into())
    }

    async fn answer(&mut self) -> Result<Value> {
        let line = within(BATCH_TIMEOUT_SECS, self.lines.next_line()).await.ok_or("the worker hangs")??;
        Ok(serde_json::from_str(&line.ok_or("the worker has ended")?)?)
    }

    async fn end(self) -> Result<()> {
        let Self { mut child, stdin, lines } = self;
        drop((stdin, lines));
        let status = within(BATCH_TIMEOUT_SECS, child.wait()).await.ok_or("the worker does not end")??;
        if status.success() { Ok(()) } else { Err(format!("the worker ended with {status}").into()) }
    }
}

impl Tally {
    fn judge(&self, length: Duration) -> Result<()> {
        for (name, series) in &self.series {
            match series.growth() {
                Some(grown) if !grown.is_empty() => {
                    return Err(format!("{name} has grown; medians of the tenths of the time: {series}").into());
                }
                None if length >= MIN_GROWTH_RUN => {
                    return Err(format!("{name} was looked at too rarely to tell of growth: {series}").into());
                }
                _ => {}
            }
        }
        Ok(self.sums.judge(length).map_err(|error| format!("one process: {error}"))?)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batches, uploaded, sums, series } = self;
        writeln!(f, "one process: {batches} batches, {uploaded} files uploaded")?;
        write!(f, "  {sums}")?;
        for (name, series) in series {
            let verdict = if series.growth().is_some() { "no growth" } else { "too few samples to tell of growth" };
            write!(f, "\n  {name}: {verdict}; medians of the tenths of the time: {series}")?;
        }
        Ok(())
    }
}

impl Order {
    fn draw(chance: &mut Rng) -> Self {
        let kind = match chance.u32(..10) {
            0..6 => Kind::Whole,
            6 => Kind::Cancelled,
            7 => Kind::Dropped,
            8 => Kind::Strict,
            _ => Kind::Outage,
        };
        Self { kind, seed: chance.u32(..) }
    }
}
