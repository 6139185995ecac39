//! Tests the way from a folder to a dataset: for each folder of files, runs `encord upload` among faults, outages and kills of the
//! platform's emulator until every file is an item and a row, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::time::Duration;

use encord_dev_platform::{DevPlatform, Running, Uuid};
use fastrand::Rng;
use serde_json::Value;
use tokio::time::sleep;

use crate::lab::{Lab, Result, at, between, command, length, noise, plan, within};

/// The faults of API calls.
const CALL_FAULTS: [&str; 13] = [
    "429",
    "500",
    "503",
    "503 retry-after=0",
    "503 after",
    "reset-before",
    "reset-after",
    "silent",
    "slow=0.2",
    "garbage",
    "empty",
    "cut",
    "shape",
];

/// The faults of the store.
const STORE_FAULTS: [&str; 9] =
    ["429", "500", "503", "reset-before", "reset-during", "reset-after", "silent", "corrupt", "expire"];

/// The number of runs with faults. The run after them has no faults, so it must finish.
const MAX_FAULTY_RUNS: u32 = 12;

/// The limit for a run.
const MAX_RUN_SECONDS: u32 = 300;

/// The counts of this part of the soak.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    folders: u32,
    files: usize,
    runs: u32,
    killed: u32,
    outages: u32,
    unresolved: usize,
    /// The files without a row at the end, all of them unresolved.
    missing: usize,
}

struct Upload<'a> {
    lab: &'a Lab,
    platform: Running,
    folder: Uuid,
    dataset: Uuid,
    /// The files by name.
    files: BTreeMap<String, Vec<u8>>,
}

pub(crate) async fn run(lab: &Lab) -> Result<Tally> {
    let mut chance = lab.chance(3);
    let mut tally = Tally::default();
    // Does at least one, even if the start took all the time.
    while tally.folders == 0 || !lab.is_over() {
        let switches = if chance.bool() { "default" } else { "worst" };
        let before = (tally.runs, tally.killed, tally.outages);
        let place = lab.make_folder("folders")?;
        let upload = Upload::new(lab, switches, &mut chance).await?;
        upload.run(switches, &mut chance, &mut tally).await?;
        tally.folders += 1;
        tally.files += upload.files.len();
        println!(
            "folder {}: {} files, switches {switches}: {} runs, {} killed, {} outages",
            tally.folders,
            upload.files.len(),
            tally.runs - before.0,
            tally.killed - before.1,
            tally.outages - before.2,
        );
        upload.platform.shutdown().await;
        fs::remove_dir_all(&place).map_err(at(&place))?;
    }
    if lab.length >= Duration::from_secs(600) && (tally.killed == 0 || tally.outages == 0) {
        return Err(format!("no run was killed, or no outage met one: {tally:?}").into());
    }
    Ok(tally)
}

impl<'a> Upload<'a> {
    async fn new(lab: &'a Lab, switches: &str, chance: &mut Rng) -> Result<Self> {
        let place = lab.make_folder("folders/files")?;
        lab.make_folder("folders/home")?;
        let most = if lab.length < Duration::from_secs(60) { 40 } else { 800 };
        let mut files = BTreeMap::new();
        for index in 0..chance.usize(most / 8..most) {
            let (name, content) = (format!("{index:04}.jpg"), noise(chance.u64(..), length(chance)));
            let path = place.join(&name);
            fs::write(&path, &content).map_err(at(&path))?;
            files.insert(name, content);
        }
        let platform = DevPlatform::builder().log_limit(0).switches(switches.parse()?).start().await?;
        let (folder, dataset) = (platform.add_folder("soak")?, platform.add_dataset("soak", &[])?);
        Ok(Self { lab, platform, folder, dataset, files })
    }

    /// Runs the command until a run without disturbances has come to its end, and compares both sides.
    async fn run(&self, switches: &str, chance: &mut Rng, tally: &mut Tally) -> Result<()> {
        for number in 0.. {
            let calm = number >= MAX_FAULTY_RUNS || self.lab.is_over();
            self.set_faults(if calm { None } else { Some(chance) })?;
            let code = self.run_once(calm, "", chance, tally).await?;
            self.compare().await?;
            if calm || code == Some(0) {
                break;
            }
        }
        self.set_faults(None)?;
        let mut code = self.run_once(true, "", chance, tally).await?;
        let unresolved = self.unresolved()?;
        tally.unresolved += unresolved.len();
        // Whether a second registration makes a double is not known of the platform: with `worst` it does.
        if code == Some(3) && switches == "default" {
            code = self.run_once(true, "--repost-unresolved", chance, tally).await?;
        }
        let missing: BTreeSet<_> = self.missing(self.rows());
        tally.missing += missing.len();
        match code {
            Some(0) if missing.is_empty() => {}
            Some(3) if switches == "worst" && !missing.is_empty() && missing.is_subset(&unresolved) => {}
            _ => {
                let said = self.said()?;
                return Err(format!(
                    "the last run, left alone, ended with {code:?}. Without a row: {missing:?}; unresolved: {unresolved:?}\n{said}"
                )
                .into());
            }
        }
        self.compare().await
    }

    /// Other faults, or none.
    fn set_faults(&self, chance: Option<&mut Rng>) -> Result<()> {
        let (calls, store) = match chance {
            Some(chance) => (plan(chance, &CALL_FAULTS), plan(chance, &STORE_FAULTS)),
            None => Default::default(),
        };
        self.platform.set_faults(calls.parse()?);
        self.platform.store().set_faults(store.parse()?);
        Ok(())
    }

    /// One run; `None` if it was killed.
    async fn run_once(&self, calm: bool, flag: &str, chance: &mut Rng, tally: &mut Tally) -> Result<Option<i32>> {
        let place = self.lab.folder.join("folders");
        let said = place.join("said");
        let log = || fs::File::create(&said).map_err(at(&said));
        let mut upload = command(&self.lab.encord);
        upload.arg("upload").arg(place.join("files")).args(["--folder", &self.folder.to_string()]);
        upload.args(["--dataset", &self.dataset.to_string()]);
        upload.args("--allow-failures --settle 2 --backoff-factor 0.01 --progress never".split(' '));
        upload.args((!flag.is_empty()).then_some(flag));
        upload.current_dir(&place).env("HOME", place.join("home")).env("TMPDIR", place.join("home"));
        upload.env("ENCORD_DOMAIN", self.platform.domain()).env("ENCORD_SSH_KEY", self.platform.key().to_openssh());
        if !calm {
            upload.envs(["CONNECT", "READ", "WRITE"].map(|clock| (format!("ENCORD_{clock}_TIMEOUT"), "1")));
        }
        let mut child = upload.stdout(log()?).stderr(log()?).spawn()?;
        tally.runs += 1;
        let disturb = async {
            sleep(between(chance, 0, 2_000)).await;
            match chance.u32(..4) {
                0 | 1 => return Ok(true),
                2 => {
                    tally.outages += 1;
                    self.platform.set_faults("*: 503".parse()?);
                    self.platform.store().set_faults("*: reset-before".parse()?);
                    sleep(between(chance, 0, 1_000)).await;
                    self.set_faults(Some(chance))?;
                }
                _ => {}
            }
            Result::Ok(false)
        };
        let ended = async {
            if !calm {
                tokio::select! {
                    status = child.wait() => return Ok(status?.code()),
                    is_kill = disturb => if is_kill? {
                        child.kill().await?;
                    },
                }
            }
            Result::Ok(child.wait().await?.code())
        };
        let code = within(MAX_RUN_SECONDS, ended).await.ok_or_else(|| format!("a run hangs: {}", said.display()))??;
        tally.killed += u32::from(code.is_none());
        match code {
            None | Some(0 | 1 | 3) => Ok(code),
            other => Err(format!("a run ended with {other:?}: {}", self.said()?).into()),
        }
    }

    /// Checks that nothing is there twice, and that the bytes of each item are those of its file.
    async fn compare(&self) -> Result<()> {
        let mut items = self.platform.items(self.folder);
        items.retain(|item| !item.is_frame);
        for item in &items {
            let key = item.url.as_deref().unwrap_or_default();
            let stored = self.platform.store().read(key).await?;
            if stored.as_deref() != self.files.get(&item.name).map(Vec::as_slice) {
                return Err(format!("{}: {key} is not what was sent", item.name).into());
            }
        }
        let names: Vec<_> = items.iter().map(|item| item.name.clone()).collect();
        for (what, names) in [("items", names), ("rows", self.rows())] {
            let distinct: BTreeSet<_> = names.iter().collect();
            if distinct.len() != names.len() || !distinct.iter().all(|name| self.files.contains_key(*name)) {
                return Err(format!("{what} that should not be there: {names:?}").into());
            }
        }
        Ok(())
    }

    fn rows(&self) -> Vec<String> {
        self.platform.rows(self.dataset).into_iter().map(|row| row.title).collect()
    }

    fn missing(&self, there: Vec<String>) -> BTreeSet<String> {
        let there: BTreeSet<_> = there.into_iter().collect();
        self.files.keys().filter(|name| !there.contains(*name)).cloned().collect()
    }

    /// The titles of the units that the ledger has as unresolved.
    fn unresolved(&self) -> Result<BTreeSet<String>> {
        let state = self.lab.folder.join("folders/home/.local/state/encord");
        let (mut titles, mut unresolved) = (BTreeMap::new(), BTreeSet::new());
        for entry in fs::read_dir(&state).map_err(at(&state))? {
            for line in fs::read_to_string(entry?.path())?.lines().skip(1) {
                let record: Value = serde_json::from_str(line)?;
                let unit = record["unit"].as_u64();
                match record["event"].as_str() {
                    Some("unit") => drop(titles.insert(unit, record["title"].as_str().unwrap_or_default().to_owned())),
                    Some("unresolved") => unresolved.extend(titles.get(&unit).cloned()),
                    _ => {}
                }
            }
        }
        Ok(unresolved)
    }

    fn said(&self) -> Result<String> {
        let path = self.lab.folder.join("folders/said");
        Ok(fs::read_to_string(&path).map_err(at(&path))?)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folders, files, runs, killed, outages, unresolved, missing } = self;
        writeln!(f, "encord upload PATH: {folders} folders, {files} files, {missing} of them unresolved at the end")?;
        writeln!(f, "  each other file is an item and a row once")?;
        write!(f, "  {runs} runs, {killed} of them killed; {outages} outages; {unresolved} unresolved before the end")
    }
}
