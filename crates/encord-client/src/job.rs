//! Upload jobs: how one goes, until it has ended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use encord_http::RequestsSettings;
use encord_http_settings::Timeout;
use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::call::{Call, Class, send};
use crate::error::{Error, ErrorKind};
use crate::ids::{FolderId, JobId};
use crate::query::Query;
use crate::records::UploadJobState;
use crate::shared::Shared;

/// So many polls in a row may fail before [`UploadJob::until_done`] gives up. Each has its retries.
pub const MAX_FAILED_POLLS: u32 = 10;

/// The server is asked to hold a poll for no longer.
const MAX_HOLD: Duration = Duration::from_secs(60);

/// Two polls of a job begin at least this far apart.
const MIN_PAUSE: Duration = Duration::from_secs(1);

const MAX_PAUSE: Duration = Duration::from_secs(10);

/// An upload job. It runs whether somebody looks or not, and can be looked at from any process.
#[derive(Clone)]
pub struct UploadJob {
    shared: Arc<Shared>,
    folder: FolderId,
    id: JobId,
}

impl UploadJob {
    pub(crate) fn new(shared: Arc<Shared>, folder: FolderId, id: JobId) -> Self {
        Self { shared, folder, id }
    }

    /// Which job it is.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The folder that it fills.
    pub fn folder_id(&self) -> FolderId {
        self.folder
    }

    /// How it goes now.
    ///
    /// # Errors
    ///
    /// When the call fails. That says nothing of the job.
    pub async fn status(&self) -> Result<UploadJobState, Error> {
        self.poll(MIN_PAUSE).await
    }

    /// How it goes, from poll to poll, until it has ended. The server holds a poll until there is news, but for a third of what the
    /// settings allow; polls begin at least a second apart.
    ///
    /// A poll that failed is an `Err`. If the same may succeed later the stream goes on, because the job does too.
    pub fn updates(&self) -> impl Stream<Item = Result<UploadJobState, Error>> + Send + use<> {
        let hold = hold(self.shared.http.settings());
        let polling = Some(Polling { job: self.clone(), hold, began: Instant::now(), pause: Duration::ZERO });
        unfold(polling, |polling| async {
            let (update, next) = polling?.step().await;
            Some((update, next))
        })
    }

    /// Waits until it has ended. Failed units are in the state; they are no error.
    ///
    /// # Errors
    ///
    /// When [`MAX_FAILED_POLLS`] in a row have failed, or one so that the next would too. The job runs on:
    /// [`Folder::upload_job`](crate::Folder::upload_job) finds it again.
    pub async fn until_done(&self) -> Result<UploadJobState, Error> {
        let mut updates = std::pin::pin!(self.updates());
        let mut failed = 0;
        loop {
            match updates.next().await {
                Some(Ok(state)) if state.has_ended() => return Ok(state),
                Some(Ok(_)) => failed = 0,
                Some(Err(error)) if goes_on_after(&error) && failed + 1 < MAX_FAILED_POLLS => {
                    failed += 1;
                    debug!(job = %self.id, %error, "a poll failed; the job runs on");
                }
                Some(Err(error)) => return Err(error),
                // It ends with a state that has ended, or an error.
                None => return self.status().await,
            }
        }
    }

    /// Stops it. Units that are done stay. The answer is how many were stopped.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn cancel(&self) -> Result<u64, Error> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Cancelled {
            #[serde(alias = "units_cancelled_count")]
            units_cancelled_count: u64,
        }
        let call = Call::post_empty(&format!("{}/cancel", self.path()), Class::Repeatable);
        let Cancelled { units_cancelled_count } = send(&self.shared, &call).await?.json_or_default()?;
        Ok(units_cancelled_count)
    }

    async fn poll(&self, hold: Duration) -> Result<UploadJobState, Error> {
        let query = Query::default().with("timeoutSeconds", Some(hold.as_secs().max(1)));
        send(&self.shared, &Call::get(&self.path(), &query)).await?.json()
    }

    fn path(&self) -> String {
        format!("storage/folders/{}/data-upload-jobs/{}", self.folder, self.id)
    }
}

/// Between two polls.
struct Polling {
    job: UploadJob,
    hold: Duration,
    began: Instant,
    pause: Duration,
}

impl Polling {
    async fn step(self) -> (Result<UploadJobState, Error>, Option<Self>) {
        let Self { job, hold, began, pause: last_pause } = self;
        sleep(last_pause).await;
        let start = Instant::now();
        let update = job.poll(hold).await;
        let ended = match &update {
            Ok(state) => state.has_ended(),
            Err(error) => !goes_on_after(error),
        };
        let pause = pause(began.elapsed(), start.elapsed());
        (update, (!ended).then_some(Self { job, hold, began, pause }))
    }
}

impl fmt::Debug for UploadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadJob({} in folder {})", self.id, self.folder)
    }
}

/// A failed poll is not a failed job; nor is one whose answer came garbled.
fn goes_on_after(error: &Error) -> bool {
    error.is_transient() || error.kind() == ErrorKind::Answer
}

/// For how long the server may hold a poll: a third of the clocks that run meanwhile, in whole seconds.
fn hold(settings: &RequestsSettings) -> Duration {
    let clocks = [settings.connect_timeout, settings.read_timeout];
    let limit = clocks.into_iter().filter_map(Timeout::as_duration).min().map(|limit| limit / 3);
    limit.map_or(MAX_HOLD, |limit| limit.min(MAX_HOLD))
}

/// How long to pause after a poll that took so long, of a job that has been watched for so long: the older the job, the longer.
fn pause(age: Duration, took: Duration) -> Duration {
    (age / 20).clamp(MIN_PAUSE, MAX_PAUSE).saturating_sub(took)
}

#[cfg(test)]
mod tests;
