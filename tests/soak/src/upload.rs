//! Runs of `encord upload`, some of them killed or interrupted.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::lab::{Lab, Result, at, between, command, signal};
use crate::store::{End, Store};

/// The time between two checks of a run.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// The limit for a run, in checks.
const MAX_POLLS: u32 = 150_000;

/// The files that a run reads and writes.
pub(crate) struct RunFiles {
    pub(crate) manifest: PathBuf,
    /// The working folder, which has only report and journal.
    pub(crate) out: PathBuf,
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
}

impl RunFiles {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let [manifest, out, stdout, stderr] = ["items.jsonl", "out", "stdout", "stderr"].map(|name| folder.join(name));
        fs::create_dir(&out).map_err(at(&out))?;
        Ok(Self { manifest, out, stdout, stderr })
    }

    pub(crate) fn report(&self) -> PathBuf {
        self.out.join("report.jsonl")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.out.join("journal.jsonl")
    }
}

/// The way in which a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// `SIGKILL`.
    Kill,
    /// `SIGINT` or `SIGTERM`.
    Interrupt(Signal),
    /// A second `SIGINT` after the first.
    Twice,
}

/// The planned disturbances of a run. Each happens when the store has seen the given number of requests. The default is none.
#[derive(Debug, Default)]
pub(crate) struct Disturbances {
    cut: Option<(usize, Cut)>,
    outage: Option<(usize, Outage)>,
    /// Whether its timeouts are one second instead of the defaults.
    is_hurried: bool,
}

/// The store ends, and starts again after a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    pub(crate) how: End,
    pub(crate) down: Duration,
}

impl Disturbances {
    /// Draws the disturbances of a run with this number of items.
    pub(crate) fn draw(items: usize, chance: &mut Rng) -> Self {
        let cut = match chance.u32(..10) {
            0..2 => Some(Cut::Kill),
            2..4 => Some(Cut::Interrupt(Signal::INT)),
            4 => Some(Cut::Interrupt(Signal::TERM)),
            5 => Some(Cut::Twice),
            _ => None,
        };
        let outage = (chance.u32(..4) == 0).then(|| Outage::draw(chance));
        let mut moment = || chance.usize(..=items);
        let (cut, outage) = (cut.map(|cut| (moment(), cut)), outage.map(|outage| (moment(), outage)));
        Self { cut, outage, is_hurried: true }
    }
}

impl Outage {
    pub(crate) fn draw(chance: &mut Rng) -> Self {
        Self { how: End::draw(chance), down: between(chance, 0, 400) }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) cut: Option<Cut>,
    /// How the store ended during the run, if it did.
    pub(crate) outage: Option<End>,
}

/// Runs `encord upload` with these additional arguments, and causes the disturbances.
pub(crate) async fn run(
    lab: &Lab,
    files: &RunFiles,
    arguments: &[String],
    disturbances: Disturbances,
    store: &mut Store<'_>,
    plan: &str,
) -> Result<Ended> {
    let mut upload = command(&lab.encord);
    upload
        .args([
            "upload",
            "--report",
            "report.jsonl",
            "--json",
            "--progress",
            "never",
            "--backoff-factor",
            "0.01",
            "--manifest",
        ])
        .arg(&files.manifest);
    if !arguments.iter().any(|argument| argument.starts_with("--journal")) {
        upload.arg("--no-journal");
    }
    upload.args(arguments).current_dir(&files.out);
    upload.envs([("HOME", &files.out), ("TMPDIR", &files.out)]);
    if disturbances.is_hurried {
        upload.envs(["CONNECT", "READ", "WRITE"].map(|clock| (format!("ENCORD_{clock}_TIMEOUT"), "1")));
    }
    upload.env("ENCORD_CONNECTION_RETRIES", "5");
    for (path, stream) in [(&files.stdout, 1), (&files.stderr, 2)] {
        let file = File::create(path).map_err(at(path))?;
        if stream == 1 {
            upload.stdout(file)
        } else {
            upload.stderr(file)
        };
    }
    let mut child = upload.spawn()?;
    let mut ended = Ended { code: None, cut: None, outage: None };
    let Disturbances { mut cut, mut outage, is_hurried: _ } = disturbances;
    for _ in 0..MAX_POLLS {
        if let Ok(status) = timeout(POLL_INTERVAL, child.wait()).await {
            ended.code = status?.code();
            return Ok(ended);
        }
        let requests = store.logged()?;
        if let Some((_, how)) = cut.take_if(|(moment, _)| *moment <= requests) {
            apply(how, &mut child).await?;
            ended.cut = Some(how);
        }
        if let Some((_, Outage { how, down })) = outage.take_if(|(moment, _)| *moment <= requests) {
            ended.outage = Some(how);
            store.restart(how, down, plan).await?;
        }
    }
    Err(format!("a run hangs: {}", fs::read_to_string(&files.stderr).unwrap_or_default()).into())
}

async fn apply(cut: Cut, child: &mut Child) -> Result<()> {
    match cut {
        Cut::Kill => child.start_kill()?,
        Cut::Interrupt(how) => signal(child, how)?,
        Cut::Twice => {
            signal(child, Signal::INT)?;
            sleep(Duration::from_millis(2)).await;
            signal(child, Signal::INT)?;
        }
    }
    Ok(())
}
