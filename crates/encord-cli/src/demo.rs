//! `encord demo`: a complete upload without any setup. Images become items and rows of an emulated platform that fails on purpose
//! at every stage. The run is killed in the middle, and the next run continues.

mod image;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use encord_dev_platform::{DevPlatform, ItemInfo, Operation, Running};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::args::DemoArgs;
use crate::interrupt::Interrupt;
use crate::output::{Exit, Failure, note, print};
use crate::runtime;

/// The name of the folder and of the dataset.
const NAME: &str = "demo";

/// The faults: the stage, the operation or object, the fault, and its result.
const FAULTS: [(&str, &str, &str, &str); 8] = [
    (
        "make the folder",
        "create-folder",
        "reset-after x1",
        "the answer is lost: the folder is looked up by its name, not made twice (C1, C3)",
    ),
    ("sign", "sign-upload-urls", "429 retry-after=1 x1", "a second later the same is asked again (R6)"),
    ("send", "", "10%: 503 x1", "those files are sent again, after a wait (R1, R2)"),
    ("send", "", "5%: reset-during x1", "those files are sent again (R5)"),
    (
        "register",
        "start-job",
        "reset-after x1",
        "the answer is lost: its items are looked up, and no job is posted twice (C3)",
    ),
    ("register", "get-job", "503 x1", "a failed poll is not a failed job"),
    (
        "register",
        "",
        "fail x1",
        "as its job gave no answer, nobody can know: unresolved, until --repost-unresolved (C3)",
    ),
    ("link", "link-items", "reset-after x1", "linking again changes nothing, so it is done again (C1)"),
];

/// How often the demo checks whether to kill the run.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

pub(crate) fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let folder = Folder::open(args.keep.as_deref())?;
    let (runtime, _) = runtime::start()?;
    let exit = runtime.block_on(async {
        let interrupted: Interrupted = Box::pin(Interrupt::listen()?.first()?);
        let platform = platform(args.files, &folder).await?;
        Demo { files: args.files, folder, platform }.run(interrupted).await
    });
    runtime.shutdown_background();
    exit
}

struct Demo {
    files: u32,
    folder: Folder,
    platform: Running,
}

type Interrupted = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the files are.
enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

/// How a run of the command ended.
enum Ended {
    /// By itself, with this exit code and this text on standard error.
    Itself(Option<i32>, String),
    Killed,
    /// The demo was interrupted.
    Interrupted,
}

/// The results of the images.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    files: usize,
    items: usize,
    rows: usize,
    doubles: usize,
    /// Images whose item is missing or has different bytes.
    wrong: Vec<String>,
}

async fn platform(files: u32, folder: &Folder) -> Result<Running, Failure> {
    let of = |wanted: fn(&str) -> bool| FAULTS.iter().filter(move |(_, operation, ..)| wanted(operation));
    let mut faults: Vec<String> =
        of(|operation| !operation.is_empty()).map(|(_, operation, fault, _)| format!("{operation}: {fault}")).collect();
    faults.push(format!("unit/{}: fail=Corrupted%20file x1", name(files, files.div_ceil(2))));
    let store = "10%: 503 x1; 5%: reset-during x1";
    let faults = faults.join("; ").parse().map_err(Failure::failed)?;
    let mut builder = DevPlatform::builder().faults(faults).store_faults(store.parse().map_err(Failure::failed)?);
    builder = builder.switches("job-time=0.3, placeholders=listed".parse().map_err(Failure::failed)?);
    if let Folder::Kept(folder) = folder {
        builder = builder.folder(folder.join("platform"));
    }
    builder.start().await.map_err(Failure::failed)
}

impl Demo {
    async fn run(self, mut interrupted: Interrupted) -> Result<Exit, Failure> {
        let images = self.folder.path().join("images");
        let unwritable = |error: io::Error| Failure::failed(format_args!("{}: {error}", images.display()));
        fs::create_dir_all(&images).map_err(unwritable)?;
        for number in 1..=self.files {
            fs::write(images.join(name(self.files, number)), image::bitmap(number)).map_err(unwritable)?;
        }
        print(|out| opening(out, self.files, &self.platform))?;

        let half = self.files as usize / 2;
        let first = self.upload(&images, &[])?;
        let mut ended = self.watch(first, Some(half), &mut interrupted).await?;
        if matches!(ended, Ended::Killed) {
            let sent = self.sent();
            print(|out| writeln!(out, "1st run: killed (kill -9) when {sent} of {} images had been sent", self.files))?;
        }
        let again = &["--repost-unresolved"][..];
        let runs: [(&str, &[&str]); 3] = [("2nd", &[]), ("3rd", again), ("4th", again)];
        for (run, flags) in runs {
            match &ended {
                Ended::Interrupted => {
                    note("error: interrupted");
                    return Ok(Exit::Interrupted);
                }
                Ended::Itself(Some(0), _) => break,
                _ => {}
            }
            let child = self.upload(&images, flags)?;
            ended = self.watch(child, None, &mut interrupted).await?;
            if let Ended::Itself(code, words) = &ended {
                let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
                print(|out| writeln!(out, "{run} run: exit code {code}: {words}"))?;
            }
        }
        let verdict = self.verdict(&images).await?;
        print(|out| closing(out, &verdict, &self.platform))?;
        let is_exact = verdict.wrong.is_empty()
            && verdict.doubles == 0
            && [verdict.items, verdict.rows].iter().all(|count| *count == verdict.files);
        Ok(if is_exact { Exit::Done } else { Exit::Failed })
    }

    /// Starts the command as a user would.
    fn upload(&self, images: &Path, flags: &[&str]) -> Result<Child, Failure> {
        let program = env::current_exe().map_err(Failure::failed)?;
        let mut command = Command::new(program);
        command.arg("upload").arg(images).args(["--folder", NAME, "--dataset", NAME, "--allow-failures"]);
        command.args(["--backoff-factor", "0.2", "--settle", "5", "--progress", "never"]).args(flags);
        command.env("ENCORD_DOMAIN", self.platform.domain()).env("ENCORD_SSH_KEY", self.platform.key().to_openssh());
        command
            .env_remove("ENCORD_SSH_KEY_FILE")
            .env("ENCORD_LOG", "off")
            .env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command.spawn().map_err(|error| Failure::failed(format_args!("the command cannot be started again: {error}")))
    }

    /// Waits for the end of the run, or kills it when enough images are stored.
    async fn watch(
        &self,
        mut child: Child,
        kill_at: Option<usize>,
        interrupted: &mut Interrupted,
    ) -> Result<Ended, Failure> {
        let mut errors = child.stderr.take();
        let words = async {
            let mut text = String::new();
            if let Some(errors) = &mut errors {
                // Errors of reading are ignored.
                let _ = tokio::io::AsyncReadExt::read_to_string(errors, &mut text).await;
            }
            text
        };
        let enough = async {
            match kill_at {
                Some(enough) => {
                    while self.sent() < enough.max(1) {
                        sleep(LOOK_INTERVAL).await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            (status, words) = async { let words = words.await; (child.wait().await, words) } => {
                let sums = words.lines().rev().find(|line| line.contains(" files sent, ")).unwrap_or("nothing was said");
                Ok(Ended::Itself(status.map_err(Failure::failed)?.code(), sums.to_owned()))
            }
            () = enough => {
                child.kill().await.map_err(Failure::failed)?;
                Ok(Ended::Killed)
            }
            () = interrupted => {
                child.kill().await.map_err(Failure::failed)?;
                Ok(Ended::Interrupted)
            }
        }
    }

    /// Returns how many images the ledger lists as sent.
    fn sent(&self) -> usize {
        let ledgers = fs::read_dir(self.folder.path().join("state").join("encord")).into_iter().flatten().flatten();
        let text = ledgers.map(|ledger| fs::read_to_string(ledger.path()).unwrap_or_default()).collect::<String>();
        text.matches(r#"{"event":"sent","#).count()
    }

    /// Compares the platform with the images.
    async fn verdict(&self, images: &Path) -> Result<Verdict, Failure> {
        let folders = self.platform.folders();
        let items: Vec<ItemInfo> = folders.iter().flat_map(|folder| self.platform.items(folder.uuid)).collect();
        let mut by_name: BTreeMap<&str, Vec<&ItemInfo>> = BTreeMap::new();
        for item in &items {
            by_name.entry(&item.name).or_default().push(item);
        }
        let datasets = self.platform.datasets();
        let rows: Vec<_> = datasets.iter().flat_map(|dataset| self.platform.rows(*dataset)).collect();
        let mut linked: Vec<_> = rows.iter().map(|row| row.item).collect();
        linked.sort_unstable();
        linked.dedup();
        let mut wrong = Vec::new();
        for number in 1..=self.files {
            let name = name(self.files, number);
            let image = fs::read(images.join(&name)).map_err(Failure::failed)?;
            let item = by_name.get(&*name).and_then(|items| items.first());
            let object = match item.and_then(|item| item.url.as_deref()) {
                Some(key) => self.platform.store().read(key).await.ok().flatten(),
                None => None,
            };
            if object.is_none_or(|object| object != image) {
                wrong.push(name);
            }
        }
        let doubles = items.len() - by_name.len() + rows.len() - linked.len() + folders.len().saturating_sub(1);
        Ok(Verdict { files: self.files as usize, items: items.len(), rows: rows.len(), doubles, wrong })
    }
}

fn opening(out: &mut dyn Write, files: u32, platform: &Running) -> io::Result<()> {
    let s = if files == 1 { "" } else { "s" };
    writeln!(out, "{files} image{s} become items of a folder and rows of a dataset, on {}.", platform.domain())?;
    writeln!(out, "It emulates the platform of Encord, and fails on purpose:\n")?;
    for (stage, _, fault, outcome) in FAULTS {
        writeln!(out, "  {stage:16} {fault:22} {outcome}")?;
    }
    writeln!(out, "\nand in the middle the run is killed. The command is\n")?;
    writeln!(out, "  encord upload images --folder {NAME} --dataset {NAME} --allow-failures\n")
}

fn closing(out: &mut dyn Write, verdict: &Verdict, platform: &Running) -> io::Result<()> {
    let Verdict { files, items, rows, doubles, wrong } = verdict;
    for name in wrong {
        writeln!(out, "{name}: there is no item with its bytes")?;
    }
    let count = |operation| platform.count(operation);
    writeln!(
        out,
        "the platform had {} requests to sign, {} jobs, {} requests to link",
        count(Operation::SignUploadUrls),
        platform.jobs().len(),
        count(Operation::LinkItems)
    )?;
    writeln!(out, "checked: {files} files, {items} items, {rows} rows, doubles {doubles}")
}

impl Folder {
    /// Makes a temporary folder, or opens the folder to keep, which must be new or empty.
    fn open(keep: Option<&Path>) -> Result<Self, Failure> {
        let Some(keep) = keep else { return tempfile::tempdir().map(Self::Temporary).map_err(Failure::failed) };
        let unusable = |error: io::Error| Failure::usage(format_args!("{}: {error}", keep.display()));
        fs::create_dir_all(keep).map_err(unusable)?;
        if fs::read_dir(keep).map_err(unusable)?.next().is_some() {
            return Err(Failure::usage(format_args!("{}: the folder is not empty", keep.display())));
        }
        // The child processes have other working directories.
        keep.canonicalize().map(Self::Kept).map_err(unusable)
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// The name of an image.
fn name(files: u32, number: u32) -> String {
    let width = files.to_string().len();
    format!("image-{number:0width$}.bmp")
}
