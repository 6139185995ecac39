//! Upload jobs: status and polling.

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

/// The number of failed polls in a row after which [`UploadJob::until_done`] returns an error. Each poll has its own retries.
pub const MAX_FAILED_POLLS: u32 = 10;

/// The longest time for which the client asks the server to hold a poll.
const MAX_HOLD: Duration = Duration::from_secs(60);

/// The shortest time between the starts of two polls.
const MIN_PAUSE: Duration = Duration::from_secs(1);

const MAX_PAUSE: Duration = Duration::from_secs(10);

/// An upload job. It runs on the platform, and any process can read its status.
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

    /// Returns the id of the job.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Returns the folder in which the job creates items.
    pub fn folder_id(&self) -> FolderId {
        self.folder
    }

    /// Reads the current status.
    ///
    /// # Errors
    ///
    /// If the call fails. This does not mean that the job failed.
    pub async fn status(&self) -> Result<UploadJobState, Error> {
        self.poll(MIN_PAUSE).await
    }

    /// Polls the status until the job has ended. The server may hold a poll until there is news, at most for a third of the timeouts
    /// in the settings. Polls start at least one second apart.
    ///
    /// A failed poll is an `Err`. The stream continues if a later poll may succeed.
    pub fn updates(&self) -> impl Stream<Item = Result<UploadJobState, Error>> + Send + use<> {
        let hold = hold(self.shared.http.settings());
        let polling = Some(Polling { job: self.clone(), hold, began: Instant::now(), pause: Duration::ZERO });
        unfold(polling, |polling| async {
            let (update, next) = polling?.step().await;
            Some((update, next))
        })
    }

    /// Waits until the job has ended. Failed units are in the returned state and are not an error.
    ///
    /// # Errors
    ///
    /// If [`MAX_FAILED_POLLS`] polls in a row failed, or if a poll failed with an error that is not transient. The job continues:
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
                // Not reached: the stream ends with an ended state or an error, which return above.
                None => return self.status().await,
            }
        }
    }

    /// Cancels the job, and returns the number of cancelled units. Units that are done stay.
    ///
    /// # Errors
    ///
    /// If the call fails.
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

/// The state between two polls.
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

/// Whether to poll again after this error: it is transient, or the answer could not be read.
fn goes_on_after(error: &Error) -> bool {
    error.is_transient() || error.kind() == ErrorKind::Answer
}

/// Returns how long the server may hold a poll: a third of the shorter timeout that runs meanwhile, at most [`MAX_HOLD`].
fn hold(settings: &RequestsSettings) -> Duration {
    let clocks = [settings.connect_timeout, settings.read_timeout];
    let limit = clocks.into_iter().filter_map(Timeout::as_duration).min().map(|limit| limit / 3);
    limit.map_or(MAX_HOLD, |limit| limit.min(MAX_HOLD))
}

/// Returns the pause after a poll. It grows with the time for which the job has been watched (`age`), and the time that the poll
/// took is subtracted.
fn pause(age: Duration, took: Duration) -> Duration {
    (age / 20).clamp(MIN_PAUSE, MAX_PAUSE).saturating_sub(took)
}

#[cfg(test)]
mod tests;
