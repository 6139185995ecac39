//! The upload of one item: attempts under the settings, renewals of its URL between them, and the proof that it arrived.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use encord_http::{
    Attempts, Client, Digests, Error, Failed, Fault, HeaderValue, Origin, Outcome, Response, SignatureKind, SignedUrl,
    StatusCode, StopReason,
};
use encord_http_settings::{EffectiveUploadSettings, RETRY_AFTER_LIMIT};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::debug;

use crate::hash::{Md5Of, md5_of};
use crate::item::UploadItem;
use crate::journal::{Entry, Journal};
use crate::progress::Progress;
use crate::report::{ItemError, ItemReport, Status};
use crate::signing::renew;
use crate::source::AnySource;
use crate::throttle::Throttle;
use crate::verify::{CONTENT_MD5, Hash, Stated};
use crate::{expiry, verify};

/// How often the URL of one item is renewed because the server said that it has expired. Renewals that our clock asks for come on
/// top, at most one an attempt.
const MAX_REFUSALS: u32 = 3;

/// What the items of a batch have in common.
pub(crate) struct BatchContext {
    pub(crate) client: Client,
    pub(crate) settings: EffectiveUploadSettings,
    pub(crate) source: Option<AnySource>,
    pub(crate) journal: Option<Journal>,
    pub(crate) content_md5: bool,
    pub(crate) progress: Progress,
    pub(crate) throttle: Throttle,
    pub(crate) md5_origins: Md5Origins,
}

/// The hosts that state an MD5 although their URLs do not look like it, as far as they have answered.
#[derive(Debug, Default)]
pub(crate) struct Md5Origins(Mutex<HashSet<Origin>>);

/// Uploads an item. `report` is what is known of it beforehand.
pub(crate) async fn transfer(shared: Arc<BatchContext>, item: UploadItem, report: ItemReport) -> ItemReport {
    if let Some(journal) = &shared.journal
        && let Some(entry) = on_disk(&item).await
        && journal.has(&entry)
    {
        return ItemReport { status: Status::Skipped, ..report };
    }
    let Some(url) = item.signed_url.clone() else { return report.failed(ItemError::NoUrl) };
    let digests = Digests { crc32c: true, md5: shared.streams_md5(&url) };
    let request = item.request(url, shared.settings.requests, digests, shared.progress.meter());
    let attempts = shared.client.begin(request);
    Transfer { attempts, shared: &shared, item, waited: Duration::ZERO, refusals: 0, md5: None }.run(report).await
}

struct Transfer<'a> {
    shared: &'a BatchContext,
    item: UploadItem,
    attempts: Attempts,
    waited: Duration,
    refusals: u32,
    /// Of the file as it was when it was last hashed apart from being sent.
    md5: Option<Md5Of>,
}

impl Transfer<'_> {
    async fn run(mut self, report: ItemReport) -> ItemReport {
        match self.attempt_all().await {
            Ok(response) => ItemReport {
                status: Status::Uploaded,
                bytes: response.sent(),
                attempts: response.into_attempts(),
                ..report
            },
            Err(error) => ItemReport { attempts: self.attempts.attempts().to_vec(), ..report.failed(error) },
        }
    }

    async fn attempt_all(&mut self) -> Result<Response, ItemError> {
        loop {
            // A URL can expire while a file is hashed or its host is waited for, so its clock comes after them.
            self.hash().await;
            self.wait_for_the_host().await;
            if self.shared.source.is_some() && expiry::is_due(self.attempts.request().url(), SystemTime::now()) {
                self.renew().await?;
                // It may be another host.
                self.wait_for_the_host().await;
            }
            self.announce_md5();
            let failed = match self.attempts.attempt().await {
                Ok(response) if !response.status().is_success() => {
                    let url = self.attempts.request().url().clone();
                    return Err(ItemError::NotStored { url, status: response.status() });
                }
                Ok(response) => match self.accept(&response).await {
                    Ok(()) => {
                        self.record(&response);
                        return Ok(response);
                    }
                    Err(fault) => self.attempts.reject(fault),
                },
                Err(failed) => failed,
            };
            match failed {
                Failed::Retry { after, .. } => {
                    self.shared.progress.retry();
                    // Not too long: the client waits for it itself.
                    self.slow_down(Duration::MAX);
                    self.waited = after;
                    if !after.is_zero() {
                        sleep(after).await;
                    }
                }
                Failed::Stop(error) => {
                    let limit = match error.stop_reason() {
                        StopReason::RetryAfterTooLong { limit, .. } => limit,
                        _ => RETRY_AFTER_LIMIT,
                    };
                    self.slow_down(limit);
                    self.after_stop(error).await?;
                }
            }
        }
    }

    /// Goes on with a renewed URL if that is what it takes, or fails.
    async fn after_stop(&mut self, error: Error) -> Result<(), ItemError> {
        let Some(status) = error.status() else { return Err(error.into()) };
        let url = self.attempts.request().url();
        if !expiry::is_refusal(url, status, error.headers(), error.body(), SystemTime::now()) {
            return Err(error.into());
        }
        if self.shared.source.is_none() || self.refusals == MAX_REFUSALS {
            return Err(ItemError::Expired(error));
        }
        self.refusals += 1;
        self.waited = Duration::ZERO;
        self.renew().await
    }

    async fn renew(&mut self) -> Result<(), ItemError> {
        let Some(source) = &self.shared.source else { return Ok(()) };
        debug!(url = %self.attempts.request().url(), "the URL has expired or is about to; asking for another");
        let target = renew(source, &self.item).await?;
        self.item.aim(target.clone());
        self.attempts.set_target(target.url, self.item.headers.clone());
        Ok(())
    }

    /// Waits until the host of the item wants to be asked again.
    async fn wait_for_the_host(&mut self) {
        let Some(origin) = self.attempts.request().url().origin().cloned() else { return };
        let began = Instant::now();
        let mut now = began;
        while let Some(end) = self.shared.throttle.until(&origin, now) {
            sleep_until(end).await;
            now = Instant::now();
        }
        if now > began {
            self.waited += now - began;
            self.attempts.set_waited(self.waited);
        }
    }

    /// Slows the batch down for a host that is overloaded and says for how long; at most for `limit`.
    fn slow_down(&self, limit: Duration) {
        let last = self.attempts.attempts().last().map(|last| &last.outcome);
        if let Some(Outcome::Status(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)) = last
            && let Some(asked) = self.attempts.retry_after()
            && let Some(origin) = self.attempts.request().url().origin()
        {
            self.shared.throttle.hold(origin.clone(), Instant::now(), asked.min(limit));
        }
    }

    /// Compares what the server says it has with what was sent.
    async fn accept(&mut self, response: &Response) -> Result<(), Fault> {
        let url = self.attempts.request().url();
        let stated = verify::stated(url.signature(), response.headers());
        let mut sent = response.payload().clone();
        if !sent.complete {
            return Err(Fault::integrity("the server answered before it had been sent the whole file"));
        }
        let only_md5 = !stated.is_empty() && stated.iter().all(|stated| matches!(stated.hash, Hash::Md5(_)));
        if only_md5 && sent.md5.is_none() {
            self.shared.md5_origins.insert(url);
            let unreadable = |e| Fault::integrity(format!("the file cannot be read again to compare its MD5: {e}"));
            let read = self.md5().await.map_err(unreadable)?;
            self.md5 = Some(read);
            if (read.length, read.modified) != (sent.length, sent.modified) {
                return Err(Fault::integrity("the file changed before its MD5 could be compared"));
            }
            sent.md5 = Some(read.md5);
        }
        match stated.iter().find(|stated| verify::holds(stated, &sent) == Some(false)) {
            None => Ok(()),
            Some(Stated { header, hash }) => {
                let ours = match hash {
                    Hash::Crc32c(_) => sent.crc32c.map(Hash::Crc32c),
                    Hash::Md5(_) => sent.md5.map(Hash::Md5),
                };
                let ours = ours.map(|ours| ours.to_string()).unwrap_or_default();
                Err(Fault::integrity(format!("{header} of the server is {hash}, the file has {ours}")))
            }
        }
    }

    fn record(&self, response: &Response) {
        let sent = response.payload();
        let url = self.attempts.request().url();
        if let Some(journal) = &self.shared.journal
            && let Some(entry) = Entry::new(&self.item.path, sent.length, sent.modified, Some(url))
        {
            journal.record(&entry);
        }
    }

    /// Finds the hash that is to be announced. If the file cannot be read the attempt will say so.
    async fn hash(&mut self) {
        if self.announces_md5() {
            self.md5 = self.md5().await.ok();
        }
    }

    /// Sends `Content-MD5` with the next attempt.
    fn announce_md5(&mut self) {
        if self.announces_md5()
            && let Some(Md5Of { md5, .. }) = &self.md5
            && let Ok(value) = HeaderValue::try_from(verify::base64(md5))
        {
            self.attempts.set_header(CONTENT_MD5, value);
        }
    }

    /// Whether `Content-MD5` is asked for, and not there already, and the URL's signature lets us send it.
    fn announces_md5(&self) -> bool {
        self.shared.content_md5
            && !self.item.headers.contains_key(CONTENT_MD5)
            && self.attempts.request().url().allows_header(&CONTENT_MD5)
    }

    async fn md5(&self) -> io::Result<Md5Of> {
        md5_of(&self.item.path, self.md5).await
    }
}

impl BatchContext {
    /// Whether the MD5 is computed while the file is sent: where it will be asked for. Elsewhere the CRC32C will do, which costs
    /// next to nothing, and a host that surprises us has its file read again.
    fn streams_md5(&self, url: &SignedUrl) -> bool {
        match url.signature() {
            Some(SignatureKind::S3V4 | SignatureKind::S3V2 | SignatureKind::AzureSas) => true,
            Some(SignatureKind::GcsV4 | SignatureKind::GcsV2) => false,
            _ => self.md5_origins.contains(url),
        }
    }
}

impl Md5Origins {
    fn insert(&self, url: &SignedUrl) {
        if let Some(origin) = url.origin() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(origin.clone());
        }
    }

    fn contains(&self, url: &SignedUrl) -> bool {
        let origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !origins.is_empty() && url.origin().is_some_and(|origin| origins.contains(origin))
    }
}

/// What the journal would know the item by, as its file is now.
pub(crate) async fn on_disk(item: &UploadItem) -> Option<Entry> {
    let path = item.path.clone();
    let metadata = spawn_blocking(move || path.metadata()).await.ok()?.ok()?;
    Entry::new(&item.path, metadata.len(), metadata.modified().ok(), item.signed_url.as_ref())
}
