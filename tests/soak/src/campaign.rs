//! Tests the command: for each list of files, runs `encord upload` repeatedly until the store has all files.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::fs;
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::Scheme;
use fastrand::Rng;
use http::Method;
use serde_json::json;

use crate::check::Items;
use crate::comparison::{Comparison, Sums};
use crate::lab::{Lab, Result, at, between, length, noise, plan, sign};
use crate::store::{End, Store};
use crate::upload::{Cut, Disturbances, Ended, RunFiles, run as upload};

/// The faults of the store.
const FAULTS: [&str; 19] = [
    "408",
    "429",
    "500",
    "502",
    "503",
    "503 x1 retry-after=1",
    "504",
    "403",
    "404",
    "reject=413",
    "reject=503",
    "reset-before",
    "reset-during",
    "reset-after",
    "stall",
    "silent",
    "drip=0.2",
    "corrupt",
    "expire",
];

/// The number of runs with faults. The run after them has no faults, so it must finish.
const MAX_FAULTY_RUNS: u32 = 12;

/// The counts of this part of the soak.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    campaigns: u32,
    files: usize,
    bytes: u64,
    runs: u32,
    killed: u32,
    interrupted: u32,
    restarts: u32,
    store_kills: u32,
    sums: Sums,
}

struct Campaign {
    bucket: String,
    scheme: Scheme,
    seed: u64,
    items: Items,
    flags: Vec<String>,
    retries: u32,
    uses_report: bool,
    files: RunFiles,
    comparison: Comparison,
}

pub(crate) async fn run(lab: &Lab) -> Result<Tally> {
    let mut chance = lab.chance(1);
    let objects = lab.make_folder("objects")?;
    let mut store = Store::start(lab, "restless", Some(objects.clone()), "", &mut chance).await?;
    let mut tally = Tally::default();
    // Does at least one, even if the start took all the time.
    while tally.campaigns == 0 || !lab.is_over() {
        let before = (tally.runs, tally.killed, tally.interrupted, tally.restarts);
        let folder = lab.make_folder("campaign")?;
        let mut campaign = Campaign::new(lab, tally.campaigns, &mut chance)?;
        campaign.run(lab, &mut store, &mut chance, &mut tally).await?;
        // The store has ended, so its folder has the final state.
        let stored = objects.join(&campaign.bucket);
        campaign.compare(&stored)?;
        tally.campaigns += 1;
        tally.files += campaign.items.paths.len();
        tally.bytes += campaign.items.lengths.iter().sum::<u64>();
        println!(
            "campaign {}: {} files to {} --max-retries={} {}: {} runs, {} killed, {} interrupted; {} ends of the store",
            tally.campaigns,
            campaign.items.paths.len(),
            campaign.scheme_name(),
            campaign.retries,
            campaign.flags.join(" "),
            tally.runs - before.0,
            tally.killed - before.1,
            tally.interrupted - before.2,
            tally.restarts - before.3,
        );
        for folder in [&stored, &folder] {
            fs::remove_dir_all(folder).map_err(at(folder))?;
        }
        store.start_again("").await?;
    }
    store.end(End::InOrder).await?;
    tally.sums.judge(lab.length).map_err(|error| format!("encord upload: {error}"))?;
    Ok(tally)
}

impl Campaign {
    fn new(lab: &Lab, number: u32, chance: &mut Rng) -> Result<Self> {
        let files = RunFiles::new(&lab.folder.join("campaign"))?;
        let folder = lab.make_folder("campaign/files")?;
        let concurrency = [1, 4, 16, 16, 32][chance.usize(..5)];
        // Fewer files if the soak is short, so that there are several campaigns, and if files are uploaded one by one.
        let most = if lab.length < Duration::from_secs(60) || concurrency == 1 { 60 } else { 600 };
        let count = chance.usize(most / 4..most);
        let seed = chance.u32(..).into();
        let (mut paths, mut lengths) = (Vec::new(), Vec::new());
        for index in 0..count {
            let (path, length) = (folder.join(format!("{index}.jpg")), length(chance));
            fs::write(&path, noise(seed + index as u64, length)).map_err(at(&path))?;
            paths.push(path.to_str().ok_or("the folder has no plain name")?.to_owned());
            lengths.push(length as u64);
        }
        let (has_journal, uses_report) =
            *chance.choice([(true, false), (false, true), (true, true)].iter()).unwrap_or(&(true, true));
        let allow_failures = chance.u32(..4) > 0;
        // Without `allow_failures` the first failed file ends a run. More retries let it get further.
        let retries = if allow_failures { chance.u32(..5) } else { chance.u32(4..8) };
        let mut flags = vec![format!("--concurrency={concurrency}"), format!("--allow-failures={allow_failures}")];
        if has_journal {
            flags.push("--journal=journal.jsonl".to_owned());
        }
        Ok(Self {
            bucket: format!("campaign-{number}"),
            scheme: if chance.bool() { Scheme::Gcs } else { Scheme::S3 },
            seed,
            items: Items::new(paths, lengths, allow_failures, has_journal),
            flags,
            retries,
            uses_report,
            files,
            comparison: Comparison::default(),
        })
    }

    fn scheme_name(&self) -> &'static str {
        if self.scheme == Scheme::Gcs { "gcs" } else { "s3" }
    }

    /// Runs the command until a run has nothing left to do. Then the store ends, and both sides are compared.
    async fn run(&mut self, lab: &Lab, store: &mut Store<'_>, chance: &mut Rng, tally: &mut Tally) -> Result<()> {
        let mut was_cut = false;
        for number in 0.. {
            let calm = number >= MAX_FAULTY_RUNS || lab.is_over();
            let faults = if calm { String::new() } else { plan(chance, &FAULTS) };
            let disturbances =
                if calm { Disturbances::default() } else { Disturbances::draw(self.left().len(), chance) };
            // Most often after an interrupted run, so that later comparisons are exact again.
            if number == 0 || calm || chance.u32(..3) < 1 + u32::from(was_cut) {
                let how = if calm { End::InOrder } else { End::draw(chance) };
                self.end_store(store, how, tally).await?;
                store.start_again(&faults).await?;
            }
            self.write_manifest(store, calm, chance)?;
            let mut arguments = self.flags.clone();
            if !calm {
                arguments.push(format!("--max-retries={}", self.retries));
            }
            if self.uses_report && self.files.report().exists() {
                arguments.push("--retry-from=report.jsonl".to_owned());
            }
            let ended = upload(lab, &self.files, &arguments, disturbances, store, &faults).await?;
            tally.enter(ended);
            was_cut = ended.cut.is_some();
            if ended.outage.is_some() {
                self.comparison.cut_store();
            }
            self.settle(store, ended)?;
            if ended.code == Some(0) && self.items.done.len() == self.items.paths.len() {
                break;
            }
            if calm {
                return Err(format!("the last run, left alone, ended with {:?}: {:?}", ended.code, self.left()).into());
            }
        }
        self.end_store(store, End::InOrder, tally).await
    }

    /// Ends the store while no run is active, so that its log is complete.
    async fn end_store(&mut self, store: &mut Store<'_>, how: End, tally: &mut Tally) -> Result<()> {
        store.end(how).await?;
        tally.restarts += 1;
        tally.store_kills += u32::from(how == End::Killed);
        if how == End::Killed {
            self.comparison.cut_store();
        }
        for record in store.records()? {
            self.comparison.request(&record);
        }
        tally.sums += self.comparison.close()?;
        Ok(())
    }

    fn settle(&mut self, store: &mut Store<'_>, ended: Ended) -> Result<()> {
        let records = store.records()?;
        for record in &records {
            self.comparison.request(record);
        }
        self.items.settle(ended, &self.files, &records, &mut self.comparison)
    }

    /// Writes a manifest with new URLs. Some have expired, unless `calm` is set.
    fn write_manifest(&self, store: &Store<'_>, calm: bool, chance: &mut Rng) -> Result<()> {
        let now = SystemTime::now();
        let mut manifest = String::new();
        for (index, path) in self.items.paths.iter().enumerate() {
            let url = format!("{}/{}/{}", store.base(), self.bucket, self.items.object(index));
            let expired = !calm && self.items.allow_failures && chance.u32(..100) == 0;
            let age = if expired { Duration::from_secs(7_200) } else { between(chance, 0, 60_000) };
            let url = sign(self.scheme, Method::PUT, &url, now - age, Duration::from_secs(3_600))?;
            writeln!(manifest, "{}", json!({"path": path, "signed_url": url}))?;
        }
        Ok(fs::write(&self.files.manifest, manifest).map_err(at(&self.files.manifest))?)
    }

    fn left(&self) -> Vec<&str> {
        (0..self.items.paths.len())
            .filter(|index| !self.items.done.contains(index))
            .map(|index| self.items.object(index))
            .collect()
    }

    /// Checks that every file is stored byte for byte, and that nothing else is stored.
    fn compare(&self, stored: &std::path::Path) -> Result<()> {
        for index in 0..self.items.paths.len() {
            let object = stored.join(self.items.object(index));
            let sent = noise(self.seed + index as u64, usize::try_from(self.items.lengths[index])?);
            if fs::read(&object).map_err(at(&object))? != sent {
                return Err(format!("{}: is not what was sent", object.display()).into());
            }
        }
        let names = fs::read_dir(stored)?
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .collect::<Result<BTreeSet<_>>>()?;
        if names.len() != self.items.paths.len() {
            return Err(format!("{} objects of {} files", names.len(), self.items.paths.len()).into());
        }
        Ok(())
    }
}

impl Tally {
    fn enter(&mut self, Ended { code, cut, outage }: Ended) {
        self.runs += 1;
        match cut {
            Some(Cut::Interrupt(_) | Cut::Twice) if code == Some(130) => self.interrupted += 1,
            Some(_) if code.is_none() => self.killed += 1,
            _ => {}
        }
        self.restarts += u32::from(outage.is_some());
        self.store_kills += u32::from(outage == Some(End::Killed));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { campaigns, files, bytes, runs, killed, interrupted, restarts, store_kills, sums } = self;
        writeln!(f, "encord upload: {campaigns} campaigns, {files} files, {bytes} bytes, all stored byte for byte")?;
        writeln!(
            f,
            "  {runs} runs, {killed} of them killed, {interrupted} interrupted; {restarts} ends of the store, {store_kills} by SIGKILL"
        )?;
        write!(f, "  {sums}")
    }
}
