//! `encord demo`: the main job with nothing set up, against a store that fails on purpose.

mod cases;
mod image;
mod show;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use encord_dev_store::sign::{Presign, SignError};
use encord_dev_store::{DevStore, Outcome, RequestRecord, Running, Storage};
use encord_http::{Attempt, Client};
use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings, Timeout};
use encord_upload::{ItemReport, Status, UploadItem, Uploader};
use futures_util::stream;
use tokio::runtime;
use tracing_subscriber::filter::LevelFilter;

use self::cases::{CASES, Case, Fault};
use crate::args::{DemoArgs, Stream};
use crate::interrupt::Interrupt;
use crate::log;
use crate::output::{Exit, Failure, note, print};
use crate::progress::Progress;
use crate::report::{Line, Reporter, Sums, outcome};
use crate::runtime::Threads;

/// How many items are under way at once.
const CONCURRENCY: usize = 8;

/// The first wait, in seconds: a demonstration should be over soon.
const BACKOFF_FACTOR: f64 = 0.2;

/// For how long a silent store is waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let folder = Folder::open(args.keep.as_deref())?;
    let progress = Progress::new(args.progress, Threads::Enough);
    // The story below tells of the failures.
    log::start(&progress, LevelFilter::OFF)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;
    let demo = Demo { files: args.files, folder, settings: settings()?, progress };
    runtime.block_on(demo.run())
}

/// Those of the documentation, but in a hurry.
fn settings() -> Result<RequestsSettings, Failure> {
    Ok(RequestsSettings {
        backoff_factor: BackoffFactor::new(BACKOFF_FACTOR).map_err(Failure::failed)?,
        connect_timeout: Timeout::new(CONNECT_TIMEOUT).map_err(Failure::failed)?,
        ..RequestsSettings::default()
    })
}

/// The demonstration; its parts print themselves in [`show`].
struct Demo {
    files: u32,
    folder: Folder,
    settings: RequestsSettings,
    progress: Progress,
}

/// Where the files are.
enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

/// What the comparison of the store with the files and the plan came to.
#[derive(Debug, Default)]
struct Verdict {
    /// Objects that equal their files.
    equal: usize,
    problems: Vec<String>,
}

impl Demo {
    async fn run(&self) -> Result<Exit, Failure> {
        // From the start: whatever is made here is also taken away.
        let interrupted = Interrupt::listen()?.first()?;
        let store = self.store().await?;
        let items = self.items(&store)?;
        print(|out| show::opening(out, self, &store))?;

        let started = Instant::now();
        let client = Client::builder(self.settings).no_proxy().build().map_err(Failure::failed)?;
        let settings = CloudUploadSettings { allow_failures: true, ..CloudUploadSettings::default() };
        let uploader = Uploader::new(&client, settings).concurrency(CONCURRENCY);
        let mut batch = uploader.batch(stream::iter(items.clone())).until(interrupted);
        let length = |item: UploadItem| item.path.metadata().map_or(0, |file| file.len());
        let lengths = items.into_iter().map(length).enumerate();
        self.progress.follow(batch.progress(), self.files.into(), lengths);
        let mut ended = Vec::new();
        while let Some(item) = batch.next().await {
            self.progress.ended(&item);
            ended.push(item);
        }
        self.progress.end();
        if batch.stopped().is_some() {
            note("error: interrupted");
            return Ok(Exit::Interrupted);
        }
        ended.sort_by_key(|item| item.index);
        let sums = Sums::new(batch.progress().snapshot().ended, started.elapsed());
        if let Folder::Kept(folder) = &self.folder {
            let mut report = Reporter::open(&Stream::File(folder.join("report.jsonl")))?;
            for item in &ended {
                report.add(&Line::from(item));
            }
            report.finish()?;
        }
        let verdict = self.compare(&store, &ended).await;
        print(|out| show::story(out, self, &store, &ended, &sums, &verdict))?;
        store.shutdown().await;
        if verdict.problems.is_empty() { Ok(Exit::Done) } else { Err(Failure::failures(verdict.problems)) }
    }

    /// Starts the store, with the faults that it is to throw.
    async fn store(&self) -> Result<Running, Failure> {
        let rules = (1..=self.files).filter_map(|number| match self.case(number)?.fault {
            Fault::Store(fault) => Some(format!("{}: {fault}", self.name(number))),
            Fault::ExpiredUrl | Fault::NoFile => None,
        });
        let plan = rules.collect::<Vec<_>>().join("; ").parse().map_err(Failure::failed)?;
        let storage = match &self.folder {
            Folder::Temporary(_) => Storage::Memory,
            Folder::Kept(folder) => Storage::Folder(folder.join("stored")),
        };
        DevStore::builder().faults(plan).storage(storage).log_limit(usize::MAX).start().await.map_err(Failure::failed)
    }

    /// Makes the files, and has their URLs signed.
    fn items(&self, store: &Running) -> Result<Vec<UploadItem>, Failure> {
        let images = self.folder.path().join("images");
        let unwritable = |error: io::Error| Failure::failed(format_args!("{}: {error}", images.display()));
        fs::create_dir_all(&images).map_err(unwritable)?;
        let item = |number| {
            let name = self.name(number);
            let path = images.join(&name);
            let fault = self.case(number).map(|case| &case.fault);
            if !matches!(fault, Some(Fault::NoFile)) {
                fs::write(&path, image::bitmap(number)).map_err(unwritable)?;
            }
            let url = match fault {
                Some(Fault::ExpiredUrl) => expired(store, &name),
                _ => store.presign_put(&name),
            };
            Ok(UploadItem::new(path, url.map_err(Failure::failed)?))
        };
        (1..=self.files).map(item).collect()
    }

    /// Looks whether every file came to its promised end, and whether the store has what it should, and nothing else.
    async fn compare(&self, store: &Running, items: &[ItemReport]) -> Verdict {
        let mut verdict = Verdict::default();
        for (number, item) in (1..).zip(items) {
            let name = &item.title;
            if !cases::is_as_promised(item, self.case(number)) {
                verdict.problems.push(format!("{name}: not what was promised: {}", show::attempts(item)));
            }
            let object = store.read(name).await;
            match (item.status, object) {
                (Status::Uploaded, Ok(Some(object))) if fs::read(&item.path).is_ok_and(|file| file == object) => {
                    verdict.equal += 1;
                }
                (Status::Uploaded, Ok(_)) => verdict.problems.push(format!("{name}: the object is not the file")),
                (_, Ok(Some(_))) => verdict.problems.push(format!("{name}: failed, but there is an object")),
                (_, Ok(None)) => {}
                (_, Err(error)) => verdict.problems.push(format!("{name}: the object cannot be read: {error}")),
            }
        }
        let is_missing = |attempt: &&Attempt| matches!(&*outcome(attempt), "timed_out" | "payload");
        let attempts = items.iter().flat_map(|item| &item.attempts).filter(|attempt| !is_missing(attempt)).count();
        let requests = answered(store).count();
        if requests != attempts {
            verdict.problems.push(format!("{attempts} attempts are reported, but the store had {requests} requests"));
        }
        verdict
    }

    /// What goes wrong with a file: the cases are spread evenly, the first ones where there are fewer files.
    fn case(&self, number: u32) -> Option<&'static Case> {
        let count = u64::from(self.files).min(CASES.len() as u64);
        let place = |at: u64| (2 * at + 1) * u64::from(self.files) / (2 * count) + 1;
        (0..count).zip(CASES).find_map(|(at, case)| (place(at) == u64::from(number)).then_some(case))
    }

    /// The name of a file, and of its object.
    fn name(&self, number: u32) -> String {
        let width = self.files.to_string().len();
        format!("image-{number:0width$}.bmp")
    }
}

impl Folder {
    /// A folder of its own, or a new or empty one to keep.
    fn open(keep: Option<&Path>) -> Result<Self, Failure> {
        let Some(keep) = keep else { return tempfile::tempdir().map(Self::Temporary).map_err(Failure::failed) };
        let unusable = |error: io::Error| Failure::usage(format_args!("{}: {error}", keep.display()));
        fs::create_dir_all(keep).map_err(unusable)?;
        if fs::read_dir(keep).map_err(unusable)?.next().is_some() {
            return Err(Failure::usage(format_args!("{}: the folder is not empty", keep.display())));
        }
        Ok(Self::Kept(keep.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// The requests that the store answered, or reset.
fn answered(store: &Running) -> impl Iterator<Item = RequestRecord> {
    store.requests().into_iter().filter(|request| request.outcome != Outcome::Abandoned)
}

/// A URL that was good for a minute an hour ago.
fn expired(store: &Running, name: &str) -> Result<String, SignError> {
    let hour_ago = SystemTime::now() - Duration::from_secs(60 * 60);
    store.signer().presign(&Presign::put(&store.url(name), Duration::from_secs(60), hour_ago))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_befalls_one_file() {
        for files in 1..200 {
            let demo = Demo {
                files,
                folder: Folder::Kept(PathBuf::new()),
                settings: RequestsSettings::default(),
                progress: Progress::new(crate::args::When::Never, Threads::Enough),
            };
            let cases: Vec<_> = (1..=files).filter_map(|number| demo.case(number)).map(|case| case.words).collect();
            let expected = CASES.iter().map(|case| case.words).take(files as usize);
            assert_eq!(cases, expected.collect::<Vec<_>>(), "of {files}");
        }
    }
}
