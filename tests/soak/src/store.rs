//! Runs `encord dev-store` as a process, which is ended, killed and started again.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::sleep;

use crate::comparison::Record;
use crate::lab::{Lab, Result, at, command, signal, within};

/// The limit for its start and its end, in seconds.
const START_TIMEOUT_SECS: u32 = 15;

pub(crate) struct Store<'a> {
    lab: &'a Lab,
    name: &'static str,
    /// The folder of the objects; `None` keeps them in memory.
    objects: Option<PathBuf>,
    port: u16,
    child: Child,
    /// How often it was started. Each start has its own log.
    starts: u32,
    log: PathBuf,
    read: u64,
    /// The records of earlier starts.
    records: Vec<Record>,
}

/// How a store ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    InOrder,
    Killed,
}

impl End {
    pub(crate) fn draw(chance: &mut Rng) -> Self {
        if chance.bool() { Self::InOrder } else { Self::Killed }
    }
}

impl<'a> Store<'a> {
    pub(crate) async fn start(
        lab: &'a Lab,
        name: &'static str,
        objects: Option<PathBuf>,
        plan: &str,
        chance: &mut Rng,
    ) -> Result<Self> {
        let log = lab.folder.join(format!("{name}-0.log"));
        let mut failure = None;
        for _ in 0..20 {
            // Not an ephemeral port, which a client could have taken when the store starts again.
            let port = chance.u16(10_000..30_000);
            match start(lab, &log, objects.as_ref(), port, plan).await {
                Ok(child) => {
                    return Ok(Self { lab, name, objects, port, child, starts: 1, log, read: 0, records: Vec::new() });
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| "no port".into()))
    }

    /// The number of its process; `None` if it has ended.
    pub(crate) fn process(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn end(&mut self, how: End) -> Result<()> {
        match how {
            End::Killed => self.child.kill().await?,
            End::InOrder => {
                signal(&self.child, Signal::TERM)?;
                let ended = within(START_TIMEOUT_SECS, self.child.wait()).await;
                let status = ended.ok_or_else(|| format!("{}: the store does not end", self.name))??;
                if !status.success() {
                    return Err(format!("{}: the store ended with {status}", self.name).into());
                }
            }
        }
        self.read_log()
    }

    /// Starts it again on the same port.
    pub(crate) async fn start_again(&mut self, plan: &str) -> Result<()> {
        let log = self.lab.folder.join(format!("{}-{}.log", self.name, self.starts));
        self.child = start(self.lab, &log, self.objects.as_ref(), self.port, plan).await?;
        self.starts += 1;
        fs::remove_file(&self.log).map_err(at(&self.log))?;
        (self.log, self.read) = (log, 0);
        Ok(())
    }

    pub(crate) async fn restart(&mut self, how: End, down: Duration, plan: &str) -> Result<()> {
        self.end(how).await?;
        sleep(down).await;
        self.start_again(plan).await
    }

    /// The number of requests in the log since the last call of [`records`](Self::records).
    pub(crate) fn logged(&mut self) -> Result<usize> {
        self.read_log()?;
        Ok(self.records.len())
    }

    /// The records in the log since the last call. A request is logged before it is answered.
    pub(crate) fn records(&mut self) -> Result<Vec<Record>> {
        self.read_log()?;
        Ok(std::mem::take(&mut self.records))
    }

    fn read_log(&mut self) -> Result<()> {
        let mut text = String::new();
        let mut log = File::open(&self.log).map_err(at(&self.log))?;
        log.seek(SeekFrom::Start(self.read))?;
        log.read_to_string(&mut text).map_err(at(&self.log))?;
        // A killed store may leave an incomplete last line.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            self.read += line.len() as u64;
            let record = Record::parse(line.trim_end());
            self.records.push(record.ok_or_else(|| format!("{}: the store said: {line}", self.name))?);
        }
        Ok(())
    }
}

/// Starts a store, and waits until it listens.
async fn start(lab: &Lab, log: &PathBuf, objects: Option<&PathBuf>, port: u16, plan: &str) -> Result<Child> {
    let mut store = command(&lab.encord);
    store.args(["dev-store", "--port", &port.to_string(), "--faults", plan]);
    if let Some(objects) = objects {
        store.arg("--dir").arg(objects);
    }
    let mut child = store.stdout(Stdio::piped()).stderr(File::create(log).map_err(at(log))?).spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        within(START_TIMEOUT_SECS, BufReader::new(stdout).read_line(&mut line))
            .await
            .ok_or("the store does not start")??;
    }
    if line.is_empty() {
        return Err(fs::read_to_string(log).map_err(at(log))?.into());
    }
    Ok(child)
}
