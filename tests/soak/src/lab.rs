//! Shared by all parts of the soak: folders, time limit, random choices.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use fastrand::Rng;
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) struct Lab {
    /// The binary.
    pub(crate) encord: PathBuf,
    /// The folder for all files, which is new.
    pub(crate) folder: PathBuf,
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    end: Instant,
}

impl Lab {
    /// The program `encord` stands beside this one.
    pub(crate) fn open(minutes: f64, seed: u64) -> Result<Self> {
        let encord = env::current_exe()?.with_file_name("encord");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/xtask/soak");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(at(&folder))?;
        }
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let length = Duration::try_from_secs_f64(minutes * 60.0)?;
        // The path must be absolute, because the programs run in other folders.
        let folder = folder.canonicalize()?;
        Ok(Self { encord, folder, length, seed, end: Instant::now() + length })
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// The random choices of one part.
    pub(crate) fn chance(&self, part: u64) -> Rng {
        Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(part))
    }

    /// A new folder.
    pub(crate) fn make_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(folder)
    }
}

/// Adds the path to an error.
pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// Returns a command with an empty environment except `PATH`. It runs in its own process group, so Ctrl-C of the terminal does not
/// reach it, and it is killed when its handle is dropped.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(env::var_os("PATH").map(|path| ("PATH", path)));
    command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    command
}

/// Waits for a future, at most for this number of seconds. Time for which the whole machine was suspended does not count.
pub(crate) async fn within<T>(seconds: u32, something: impl Future<Output = T>) -> Option<T> {
    let mut something = pin!(something);
    for _ in 0..seconds {
        if let Ok(done) = timeout(Duration::from_secs(1), &mut something).await {
            return Some(done);
        }
    }
    None
}

/// Sends a signal to a process, unless its exit status was already read.
pub(crate) fn signal(child: &Child, signal: Signal) -> Result<()> {
    if let Some(process) = child.id() {
        // The number cannot belong to another process: it stays reserved until the exit status is read.
        let process = Pid::from_raw(process.try_into()?).ok_or("no process has the number 0")?;
        kill_process(process, signal)?;
    }
    Ok(())
}

/// Signs a URL of a store. It is valid from `at`, for the time `good_for`.
pub(crate) fn sign(scheme: Scheme, method: Method, url: &str, at: SystemTime, good_for: Duration) -> Result<String> {
    let request = Presign { method, ..Presign::put(url, good_for, at) };
    Ok(Signer::new(scheme, Credentials::development()).presign(&request)?)
}

/// Returns the bytes of a file. The same seed gives the same bytes.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Rng::with_seed(seed).fill(&mut bytes);
    bytes
}

/// Draws the length of a file. Most files are small, some are large, and some are empty.
pub(crate) fn length(chance: &mut Rng) -> usize {
    match chance.u32(..100) {
        0 => 0,
        1 => chance.usize(1 << 20..4 << 20),
        2..10 => chance.usize(64 << 10..512 << 10),
        _ => chance.usize(1..32 << 10),
    }
}

pub(crate) fn between(chance: &mut Rng, from: u64, to: u64) -> Duration {
    Duration::from_millis(chance.u64(from..to))
}

/// Draws a fault plan for a store. It has some of these faults, each for two to five uploads in a hundred.
pub(crate) fn plan(chance: &mut Rng, faults: &[&str]) -> String {
    let mut plan = format!("seed={}", chance.u32(..));
    let mut below = 0;
    let count = chance.usize(2..6);
    for fault in chance.choose_multiple(faults.iter(), count) {
        // All rules use the same random number and the first match counts, so the percentages must increase.
        below += chance.u8(2..6);
        plan.extend(["; ", &below.to_string(), "%: ", fault]);
    }
    plan
}
