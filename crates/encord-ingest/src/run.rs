//! The run: obeys the plan. All decisions are the plan's.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use encord_client::{EncordUserClient, UploadedObject};
use encord_upload::{Batch, CloudUploadSettings, ItemReport, SignedTarget, SourceError, Status, UploadItem, Uploader};
use futures_util::stream::{BoxStream, StreamExt as _, poll_fn};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::calls;
use crate::destination::Destination;
use crate::ledger::Ledger;
use crate::metadata::Metadata;
use crate::options::{IngestError, IngestOptions};
use crate::outcome::{Finished, Notice, Outcomes};
use crate::plan::{Command, Event, Plan};
use crate::progress::IngestProgress;
use crate::record::Record;
use crate::signing::{NotSigned, RunSource, SignRequest, Signed, check, sign};
use crate::units::UnitList;

/// Files that wait for the uploader.
const MAX_WAITING_FILES: usize = 512;

/// Answers that wait for the run.
const MAX_WAITING_ANSWERS: usize = 64;

/// A run that is ready to begin.
pub struct Run {
    client: EncordUserClient,
    destination: Destination,
    units: Arc<UnitList>,
    metadata: Metadata,
    ledger: Ledger,
    plan: Plan,
    /// Of each number its unit.
    of_number: Vec<u32>,
    outcomes: Outcomes,
    progress: IngestProgress,
    uploader: Uploader,
    /// The files that the uploader has.
    uploading: HashMap<PathBuf, (u32, u32)>,
    calls: JoinSet<()>,
    /// Calls that are not broken off: what they do cannot be undone, and their answer is wanted.
    once: usize,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    requests: mpsc::Receiver<SignRequest>,
    began: Instant,
}

/// What comes back from a call.
enum Answer {
    Event(Event),
    /// Of a call that is not broken off.
    Once(Event),
    Signed(Vec<Signed>, oneshot::Sender<Vec<Result<SignedTarget, SourceError>>>),
}

type Files = Batch<BoxStream<'static, UploadItem>>;

/// The record that a run begins with.
pub(crate) fn begins() -> Record {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Record::Run { at, version: env!("CARGO_PKG_VERSION").to_owned() }
}

impl Run {
    #[expect(clippy::too_many_arguments, reason = "it is what a run is made of, put together in one place")]
    pub(crate) fn new(
        client: EncordUserClient,
        destination: Destination,
        units: UnitList,
        metadata: Metadata,
        options: &IngestOptions,
        ledger: Ledger,
        plan: Plan,
        numbers: Vec<u32>,
        done_before: Vec<bool>,
    ) -> Self {
        let (to_run, requests) = mpsc::channel(MAX_WAITING_ANSWERS);
        // The plan says whether a failure ends the run.
        let settings = CloudUploadSettings { allow_failures: true, ..options.settings };
        let mut uploader = Uploader::new(destination.folder.http_client(), settings).source(RunSource(to_run));
        if let Some(most) = options.concurrency {
            uploader = uploader.concurrency(most);
        }
        let mut of_number = vec![u32::MAX; numbers.iter().max().map_or(0, |last| *last as usize + 1)];
        for (unit, number) in (0..).zip(&numbers) {
            of_number[*number as usize] = unit;
        }
        Self {
            of_number,
            outcomes: Outcomes::new(numbers, done_before),
            progress: IngestProgress::default(),
            client,
            destination,
            units: Arc::new(units),
            metadata,
            ledger,
            plan,
            uploader,
            uploading: HashMap::new(),
            calls: JoinSet::new(),
            once: 0,
            answers: mpsc::channel(MAX_WAITING_ANSWERS),
            requests,
            began: Instant::now(),
        }
    }

    /// A view of how far it is.
    pub fn progress(&self) -> IngestProgress {
        self.progress.clone()
    }

    /// What it is about.
    pub fn units(&self) -> &UnitList {
        &self.units
    }

    /// How far it was before it began.
    pub fn totals(&self) -> crate::plan::Totals {
        self.plan.totals()
    }

    /// Runs until everything is done, or it has to stop, or `cancel` is ready. What became of units is told as it becomes known.
    ///
    /// Dropping the future breaks everything off; the ledger is true at any time.
    ///
    /// # Errors
    ///
    /// [`IngestError::Ledger`]: what has been done can no longer be written down.
    pub async fn until(
        mut self,
        cancel: impl Future<Output = ()>,
        mut notice: impl FnMut(Notice<'_>),
    ) -> Result<Finished, IngestError> {
        let mut cancel = std::pin::pin!(cancel);
        let (feed, mut waiting) = mpsc::channel(MAX_WAITING_FILES);
        let items = poll_fn(move |cx| waiting.poll_recv(cx)).boxed();
        let mut feed = Some(feed);
        let mut batch = Some(self.uploader.batch(items));
        if let Some(batch) = &batch {
            self.progress.follow(batch.progress());
        }
        self.began = Instant::now();
        loop {
            self.obey(&mut notice)?;
            self.feed(&mut feed, &mut notice)?;
            self.progress.set(self.plan.totals());
            while self.calls.try_join_next().is_some() {}
            if self.plan.stop().is_some() {
                // Breaks off what is being sent.
                (batch, feed) = (None, None);
                if self.once == 0 {
                    break;
                }
            } else if self.plan.is_over() {
                break;
            }
            let due = self.plan.due().map(|due| self.began + due);
            tokio::select! {
                report = next_report(&mut batch) => self.ended(&report, &mut notice),
                Some(request) = self.requests.recv() => self.sign(request),
                Some(answer) = self.answers.1.recv() => self.answered(answer, &mut notice)?,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.plan.advance(self.now()),
                () = &mut cancel, if self.plan.stop().is_none() => self.plan.handle(Event::Cancelled, self.now()),
            }
        }
        self.calls.shutdown().await;
        self.ledger.sync()?;
        self.progress.set(self.plan.totals());
        Ok(Finished::new(self.plan, self.units, self.outcomes, self.progress.upload()))
    }

    /// The unit that a number stands for.
    fn unit(&self, number: u32) -> usize {
        self.of_number[number as usize] as usize
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Gives the uploader files, as many as it may have waiting.
    fn feed(
        &mut self,
        feed: &mut Option<mpsc::Sender<UploadItem>>,
        notice: &mut impl FnMut(Notice<'_>),
    ) -> Result<(), IngestError> {
        while let Some(Ok(place)) = feed.as_ref().map(mpsc::Sender::try_reserve)
            && let Some((number, file)) = self.plan.next_file()
        {
            let unit = self.unit(number);
            let path = self.units.path(unit, file as usize);
            let mut item = UploadItem::unsigned(&path);
            item.title = Some(self.units.title(unit));
            item.kind = self.units.kind(unit).upload_kind();
            let earlier = self.uploading.insert(path, (number, file));
            debug_assert_eq!(earlier, None, "the uploader has this path already, and tells uploads apart by path");
            place.send(item);
            self.obey(notice)?;
        }
        if self.plan.is_given_out() {
            *feed = None;
        }
        Ok(())
    }

    /// A file has been sent, or not.
    fn ended(&mut self, report: &ItemReport, notice: &mut impl FnMut(Notice<'_>)) {
        let Some((unit, file)) = self.uploading.remove(&report.path) else { return };
        let size = self.units.size(self.unit(unit), file as usize);
        let event = match (report.status, &report.error) {
            (Status::Uploaded, _) if report.bytes == size => Event::Sent { unit, file, took: report.took },
            (Status::Uploaded, _) => {
                let error =
                    format!("the file had {size} bytes when it was found, and {} when it was sent", report.bytes);
                Event::NotSent { unit, file, is_outage: false, error }
            }
            (Status::Failed, Some(error)) => {
                Event::NotSent { unit, file, is_outage: calls::is_outage(error), error: error.to_string() }
            }
            _ => return,
        };
        notice(Notice::File(report));
        self.outcomes.uploaded(unit, report);
        self.plan.handle(event, self.now());
    }

    /// Has URLs signed, for files that are still what they were.
    fn sign(&mut self, SignRequest { paths, reply }: SignRequest) {
        if self.plan.stop().is_some() {
            return;
        }
        let of = |path: &PathBuf| self.uploading.get(path).map(|(number, file)| (self.unit(*number), *file as usize));
        let files: Vec<_> = paths.into_iter().map(|path| (of(&path), path)).collect();
        let (folder, units, answers) =
            (self.destination.folder.clone(), Arc::clone(&self.units), self.answers.0.clone());
        self.calls.spawn(async move {
            let checked = tokio::task::spawn_blocking(move || check(&units, files)).await.unwrap_or_default();
            let signed = sign(&folder, checked).await;
            // Nobody listens after the end of the run.
            let _ = answers.send(Answer::Signed(signed, reply)).await;
        });
    }

    fn answered(&mut self, answer: Answer, notice: &mut impl FnMut(Notice<'_>)) -> Result<(), IngestError> {
        match answer {
            Answer::Event(event) => self.plan.handle(event, self.now()),
            Answer::Once(event) => {
                self.once -= 1;
                self.plan.handle(event, self.now());
            }
            Answer::Signed(signed, reply) => {
                let mut targets = Vec::new();
                for Signed { path, target } in signed {
                    targets.push(match target {
                        Ok(url) => {
                            if let Some((unit, file)) = self.uploading.get(&path).copied() {
                                let (item, object) = (url.item_uuid.into(), url.object_key.clone());
                                self.plan.handle(Event::Signed { unit, file, item, object }, self.now());
                            }
                            url.target().map_err(Into::into)
                        }
                        Err(NotSigned::File(error)) => Err(error.into()),
                        Err(NotSigned::Platform(error)) => {
                            self.plan.handle(calls::failed(&error), self.now());
                            Err(error.into())
                        }
                    });
                }
                // What was signed is in the ledger before it is used.
                self.obey(notice)?;
                let _ = reply.send(targets);
            }
        }
        Ok(())
    }

    /// Does what the plan asks for.
    fn obey(&mut self, notice: &mut impl FnMut(Notice<'_>)) -> Result<(), IngestError> {
        while let Some(command) = self.plan.next_command() {
            match command {
                Command::Introduce { unit: number } => {
                    let unit = self.unit(number);
                    let (kind, title, files) = (self.units.kind(unit), self.units.title(unit), self.units.facts(unit));
                    self.ledger.append(&[Record::Unit { unit: number, kind, title, files }])?;
                }
                Command::Write { records, sync } => {
                    self.ledger.append(&records)?;
                    if sync {
                        self.ledger.sync()?;
                    }
                }
                Command::Post { job, units, again } => {
                    let units = units.iter().filter_map(|number| self.upload_unit(*number)).collect();
                    self.call_once(calls::post(self.destination.folder.clone(), job, units, again));
                }
                Command::Link { items } => self.call_once(calls::link(self.destination.dataset.clone(), items)),
                Command::Poll { job, id } => self.call(calls::poll(self.destination.folder.clone(), job, id)),
                Command::GetItems { items } => self.call(calls::get_items(self.client.clone(), items)),
                Command::ListItems => {
                    let (folder, answers) = (self.destination.folder.clone(), self.answers.0.clone());
                    self.call(calls::list_items(folder, move |event| {
                        let answers = answers.clone();
                        async move { answers.send(Answer::Event(event)).await.is_ok() }
                    }));
                }
                Command::Failed { unit: number, stage, error } => {
                    notice(Notice::Failed { unit: self.unit(number), stage, error: &error });
                    self.outcomes.failed(number, stage, error);
                }
                Command::Unresolved { unit: number, error } => {
                    notice(Notice::Unresolved { unit: self.unit(number), error: &error });
                    self.outcomes.unresolved(number, error);
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, call: impl Future<Output = Event> + Send + 'static) {
        let answers = self.answers.0.clone();
        self.calls.spawn(async move { drop(answers.send(Answer::Event(call.await)).await) });
    }

    fn call_once(&mut self, call: impl Future<Output = Event> + Send + 'static) {
        self.once += 1;
        let answers = self.answers.0.clone();
        self.calls.spawn(async move { drop(answers.send(Answer::Once(call.await)).await) });
    }

    fn upload_unit(&self, number: u32) -> Option<encord_client::UploadUnit> {
        let unit = self.unit(number);
        let files = self.plan.files(number).iter().enumerate();
        let objects = files.filter_map(|(file, open)| {
            let (item, object) = open.target.as_ref()?;
            let title = Some(self.units.file_title(unit, file));
            Some(UploadedObject { object_key: object.to_string(), item_uuid: Some((*item).into()), title })
        });
        calls::upload_unit(
            self.units.kind(unit),
            self.units.title(unit),
            objects.collect(),
            self.metadata.of(&self.units, unit),
        )
    }
}

async fn next_report(batch: &mut Option<Files>) -> ItemReport {
    if let Some(files) = batch
        && let Some(report) = files.next().await
    {
        return report;
    }
    // The last one has been, or nothing more is to be sent.
    *batch = None;
    std::future::pending().await
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("totals", &self.plan.totals()).finish_non_exhaustive()
    }
}
