//! The upload of one item: its attempts, the renewals of its URL, and the check of the server's answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use encord_http::{
    Attempt, Attempts, Digests, Error, Failed, Fault, FaultKind, Outcome, Response, SignatureKind, SignedUrl,
    StopReason,
};
use encord_http_settings::RETRY_AFTER_LIMIT;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::context::Context;
use crate::expiry;
use crate::gate::{CountGuard, Pass};
use crate::hash::{FileMd5, file_md5};
use crate::item::Numbered;
use crate::pace::{Feedback, Overload};
use crate::report::{ItemError, ItemReport, Status};
use crate::signing::renew;
use crate::verify::{self, CONTENT_MD5, Proof};

#[cfg(test)]
mod tests;

/// How often the URL of one item is renewed because the server says that it has expired. Renewals by our own clock are not
/// counted; there is at most one per attempt.
const MAX_RENEWALS_AFTER_REFUSAL: u32 = 3;

/// Whether the result of an item is decided: by its transfer when the server has stored the file, or by a stop of the batch. Only
/// the first of the two decides, so that the report and the journal agree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Decision(Arc<AtomicBool>);

impl Decision {
    /// Makes the decision. Returns `false` if it was made before.
    pub(crate) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// Uploads an item. `arrival` counts the item until it reaches the gate.
pub(crate) async fn transfer(
    context: Arc<Context>,
    item: Numbered,
    arrival: CountGuard,
    decision: Decision,
) -> ItemReport {
    let (began, report) = (Instant::now(), ItemReport::cancelled(&item));
    if !item.is_checked_in_journal
        && let Some(journal) = &context.journal
        && journal.has_item(&item.item).await
    {
        return ItemReport { status: Status::Skipped, ..report };
    }
    let Some(url) = item.item.signed_url.clone() else { return report.failed(ItemError::NoUrl) };
    // The MD5 is computed only if the answer may contain it. Otherwise the CRC32C is enough, which costs almost nothing.
    let md5 = match url.signature() {
        Some(SignatureKind::S3V4 | SignatureKind::S3V2) => context.compare_etag,
        kind => kind == Some(SignatureKind::AzureSas),
    };
    let digests = Digests { crc32c: true, md5 };
    let request = item.item.request(url, context.settings.requests, digests, context.progress.meter());
    let attempts = context.client.begin(request);
    let arrival = Some(arrival);
    let transfer =
        Transfer { attempts, context: &context, item, arrival, waited: Duration::ZERO, refusals: 0, md5: None };
    transfer.run(report, began, &decision).await
}

struct Transfer<'a> {
    context: &'a Context,
    item: Numbered,
    attempts: Attempts,
    arrival: Option<CountGuard>,
    waited: Duration,
    refusals: u32,
    /// The MD5 of the file when it was last hashed before an attempt.
    md5: Option<FileMd5>,
}

impl Transfer<'_> {
    async fn run(mut self, report: ItemReport, began: Instant, decision: &Decision) -> ItemReport {
        let end = self.attempt_all().await;
        let ended = ItemReport { ended_at: Some(SystemTime::now()), took: began.elapsed(), ..report.clone() };
        match end {
            Ok(response) if decision.take() => {
                // Counted as waiting, because such items would otherwise accumulate if the disk is slower than the network.
                let _waiting = self.context.gate.count_waiting();
                self.record(&response).await;
                ItemReport {
                    status: Status::Uploaded,
                    bytes: response.sent(),
                    attempts: response.into_attempts(),
                    ..ended
                }
            }
            // The batch was stopped before the answer was handled.
            Ok(_) => report,
            Err(error) => ItemReport { attempts: self.attempts.attempts().to_vec(), ..ended.failed(error) },
        }
    }

    async fn attempt_all(&mut self) -> Result<Response, ItemError> {
        loop {
            // The expiry is checked last, because the URL can expire while the file is hashed or while the item waits for its
            // origin.
            self.hash().await;
            let mut pass = self.pass().await;
            if self.context.source.is_some() && expiry::needs_renewal(self.url(), SystemTime::now()) {
                // The pass is returned, because the renewal takes time and the new URL may have another origin.
                drop(pass);
                self.renew().await?;
                pass = self.pass().await;
            }
            self.announce_md5();
            let attempt = self.attempts.attempt().await;
            if let Some(pass) = pass {
                pass.end(self.feedback(&attempt));
            }
            let failed = match attempt {
                Ok(response) if !response.status().is_success() => {
                    return Err(ItemError::NotStored { url: self.url().clone(), status: response.status() });
                }
                Ok(response) => match self.accept(&response) {
                    Ok(()) => return Ok(response),
                    Err(fault) => self.attempts.reject(fault),
                },
                Err(failed) => failed,
            };
            match failed {
                Failed::Retry { after, .. } => {
                    self.context.progress.retry();
                    self.waited = after;
                    if !after.is_zero() {
                        let _waiting = self.context.gate.count_waiting();
                        sleep(after).await;
                    }
                }
                Failed::Stop(error) => self.after_stop(error).await?,
            }
        }
    }

    /// Renews the URL if the server says that it has expired. Otherwise fails.
    async fn after_stop(&mut self, error: Error) -> Result<(), ItemError> {
        let Some(status) = error.status() else { return Err(error.into()) };
        if !expiry::is_refusal(self.url(), status, error.headers(), error.body(), SystemTime::now()) {
            return Err(error.into());
        }
        if self.context.source.is_none() || self.refusals == MAX_RENEWALS_AFTER_REFUSAL {
            return Err(ItemError::Expired(error));
        }
        self.refusals += 1;
        self.waited = Duration::ZERO;
        self.renew().await
    }

    async fn renew(&mut self) -> Result<(), ItemError> {
        let Some(source) = &self.context.source else { return Ok(()) };
        debug!(url = %self.url(), "the URL has expired or is about to; asking for another");
        let target = renew(source, &self.item.item).await?;
        self.item.set_target(&target);
        self.attempts.set_target(target.url, self.item.item.headers.clone());
        Ok(())
    }

    /// Waits for a pass to the origin of the URL. A URL without an origin needs no pass: its attempt fails.
    async fn pass(&mut self) -> Option<Pass> {
        let origin = self.url().origin()?.clone();
        let pass = self.context.gate.pass(&origin, self.arrival.take()).await;
        if !pass.hold_time().is_zero() {
            self.waited += pass.hold_time();
            self.attempts.set_waited(self.waited);
        }
        Some(pass)
    }

    /// Returns what an attempt shows about the load of the origin.
    fn feedback(&self, attempt: &Result<Response, Failed>) -> Feedback {
        let failed = match attempt {
            Ok(response) if response.status().is_success() => {
                return Feedback::Done { bytes: response.sent(), opened: response.opened_connection() };
            }
            Ok(_) => return Feedback::Failed,
            Err(failed) => failed,
        };
        match self.attempts.attempts().last() {
            Some(last) if last.is_overload() => {
                let is_too_long = match failed {
                    // The client itself keeps this wait.
                    Failed::Retry { .. } => false,
                    Failed::Stop(error) => {
                        matches!(error.stop_reason(), StopReason::RetryAfterTooLong { .. })
                            || self.attempts.retry_after() > Some(RETRY_AFTER_LIMIT)
                    }
                };
                Feedback::Overloaded(match self.attempts.retry_after() {
                    None => Overload::Refused,
                    Some(_) if is_too_long => Overload::RetryAfterTooLong,
                    Some(asked) => Overload::RetryAfter(asked),
                })
            }
            Some(Attempt { outcome: Outcome::Fault(fault), .. }) if matches!(fault.kind(), FaultKind::TimedOut(_)) => {
                Feedback::Overloaded(Overload::TimedOut)
            }
            _ => Feedback::Failed,
        }
    }

    /// Compares the hashes of the server's answer with those of the sent bytes (rule U11).
    fn accept(&self, response: &Response) -> Result<(), Fault> {
        let sent = response.payload();
        if !sent.complete {
            return Err(Fault::integrity("the server answered before it had been sent the whole file"));
        }
        match verify::compare(self.url().signature(), response.headers(), sent) {
            Proof::Stored | Proof::None => Ok(()),
            Proof::EtagIsMd5 => {
                self.context.etags.insert(self.url());
                Ok(())
            }
            Proof::EtagDiffers { theirs, ours } if self.context.etags.are_md5s(self.url()) => {
                Err(Fault::integrity(format!("ETag of the server is {theirs}, the file has {ours}")))
            }
            Proof::EtagDiffers { theirs, .. } => {
                let Numbered { item, .. } = &self.item;
                let (path, title) = (item.path.display(), item.display_title());
                warn!(%path, title, "the ETag of the server looks like {theirs}, which the file does not have");
                Ok(())
            }
            Proof::Differs { header, theirs, ours } => {
                Err(Fault::integrity(format!("{header} of the server is {theirs}, the file has {ours}")))
            }
        }
    }

    async fn record(&self, response: &Response) {
        if let Some(journal) = &self.context.journal {
            journal.record(&self.item.item.path, response.payload(), self.url()).await;
        }
    }

    /// Computes the MD5 to be announced. If the file cannot be read, the attempt reports the error.
    async fn hash(&mut self) {
        if self.announces_md5() {
            self.md5 = file_md5(&self.context.client, &self.item.item.path, self.md5).await;
        }
    }

    /// Sends `Content-MD5` with the next attempt.
    fn announce_md5(&mut self) {
        if self.announces_md5()
            && let Some(FileMd5 { md5, .. }) = &self.md5
            && let Ok(md5) = verify::base64(md5).try_into()
        {
            self.attempts.set_header(CONTENT_MD5, md5);
        }
    }

    /// Whether to send `Content-MD5`: it is requested, the item has none, and the URL's signature allows it.
    fn announces_md5(&self) -> bool {
        let item = &self.item.item;
        self.context.content_md5 && !item.headers.contains_key(CONTENT_MD5) && self.url().allows_header(&CONTENT_MD5)
    }

    fn url(&self) -> &SignedUrl {
        self.attempts.request().url()
    }
}
