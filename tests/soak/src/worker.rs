//! The process that uploads batch after batch with one client. It reads one order per line, and prints the result of each.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::Scheme;
use encord_http::{Client, Request};
use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings, Timeout};
use encord_upload::{ItemReport, Journal, SignedTarget, SignedUrlSource, SourceError, Stopped, UploadItem, Uploader};
use fastrand::Rng;
use futures_util::stream;
use http::Method;
use serde_json::{Value, json};
use tokio::runtime;
use tokio::time::{sleep, timeout};

use crate::lab::{Result, at, between, length, noise, sign};

/// The bucket of batches that report all attempts.
pub(crate) const WHOLE: &str = "whole";
/// The bucket of the other batches.
const PART: &str = "part";

/// An order for one batch.
#[derive(Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) seed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Uploads until the store has all files, then reads them back.
    Whole,
    /// Cancels the batch after a while.
    Cancelled,
    /// Drops the future of the batch after a while.
    Dropped,
    /// Ends the batch with the first failure.
    Strict,
    /// Uploads to a store that ends and starts again meanwhile.
    Outage,
}

const KINDS: [(&str, Kind); 5] = [
    ("whole", Kind::Whole),
    ("cancelled", Kind::Cancelled),
    ("dropped", Kind::Dropped),
    ("strict", Kind::Strict),
    ("outage", Kind::Outage),
];

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        write!(f, "{name} {}", self.seed)
    }
}

impl Order {
    fn parse(line: &str) -> Option<Self> {
        let (name, seed) = line.split_once(' ')?;
        let (_, kind) = KINDS.iter().find(|(known, _)| *known == name)?;
        Some(Self { kind: *kind, seed: seed.parse().ok()? })
    }
}

pub(crate) fn run(steady: &str, restless: &str, folder: &Path) -> Result<()> {
    let second = Timeout::from_secs_f64(1.0)?;
    let settings = RequestsSettings {
        max_retries: 3,
        backoff_factor: BackoffFactor::new(0.01)?,
        connection_retries: 5,
        connect_timeout: second,
        read_timeout: second,
        write_timeout: second,
    };
    let worker = Worker { client: Client::new(settings), steady, restless, folder };
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("{}", json!({}));
    for line in io::stdin().lines() {
        let order = Order::parse(&line?).ok_or("no order")?;
        println!("{}", runtime.block_on(worker.carry_out(&order))?);
    }
    Ok(())
}

struct Worker<'a> {
    client: Client,
    steady: &'a str,
    restless: &'a str,
    folder: &'a Path,
}

/// Signs URLs, some of which have expired.
struct Source {
    bucket: String,
    expired: AtomicU32,
}

impl SignedUrlSource for Source {
    async fn sign(&self, items: &[UploadItem]) -> Vec<std::result::Result<SignedTarget, SourceError>> {
        let sign = |item: &UploadItem| {
            // Every seventh URL has expired and must be renewed.
            let age = if self.expired.fetch_add(1, Ordering::Relaxed) % 7 == 6 { 7_200 } else { 0 };
            let url = put(&self.bucket, &item.display_title(), Duration::from_secs(age));
            url.map(SignedTarget::from).map_err(|error| error.to_string().into())
        };
        items.iter().map(sign).collect()
    }
}

fn put(bucket: &str, object: &str, age: Duration) -> Result<String> {
    let url = format!("{bucket}/{object}");
    sign(Scheme::Gcs, Method::PUT, &url, SystemTime::now() - age, Duration::from_secs(3_600))
}

impl Worker<'_> {
    async fn carry_out(&self, order: &Order) -> Result<Value> {
        let mut chance = Rng::with_seed(order.seed.into());
        let bucket = match order.kind {
            Kind::Whole => format!("{}/{WHOLE}", self.steady),
            Kind::Outage => format!("{}/{PART}", self.restless),
            _ => format!("{}/{PART}", self.steady),
        };
        // The names and lengths repeat, so that the store does not grow.
        let files = (0..chance.u64(1..60)).map(|index| {
            let (path, bytes) =
                (self.folder.join(format!("{index}.jpg")), noise(chance.u64(..), length(&mut Rng::with_seed(index))));
            fs::write(&path, &bytes).map_err(at(&path))?;
            Ok((path, bytes))
        });
        let files = files.collect::<Result<Vec<_>>>()?;
        let has_source = chance.bool();
        let items = files.iter().map(|(path, _)| {
            let url = (!has_source).then(|| put(&bucket, &name(path), Duration::ZERO)).transpose()?;
            Ok(UploadItem { signed_url: url.map(Into::into), ..UploadItem::unsigned(path) })
        });
        let items = items.collect::<Result<Vec<_>>>()?;

        let settings = CloudUploadSettings {
            allow_failures: order.kind != Kind::Strict,
            max_retries: chance.bool().then(|| chance.u32(..5)),
            ..CloudUploadSettings::default()
        };
        let concurrency = chance.usize(1..24);
        let mut uploader = Uploader::new(&self.client, settings).concurrency(concurrency).content_md5(chance.bool());
        if has_source {
            uploader = uploader.source(Source { bucket: bucket.clone(), expired: AtomicU32::new(chance.u32(..)) });
        }
        let count = items.len();
        match order.kind {
            Kind::Whole => {
                let attempts = self.whole(uploader, items, &mut chance).await?;
                for (path, bytes) in &files {
                    self.compare(&bucket, &name(path), bytes).await?;
                }
                Ok(json!({"uploaded": count, "attempts": attempts}))
            }
            Kind::Dropped => {
                // The batch may end before the timeout.
                drop(timeout(between(&mut chance, 0, 300), uploader.upload(items, |_| {})).await);
                Ok(json!({"uploaded": 0, "attempts": []}))
            }
            kind => {
                let moment = between(&mut chance, 0, 300);
                let cancel = async move {
                    match kind {
                        Kind::Cancelled => sleep(moment).await,
                        _ => std::future::pending().await,
                    }
                };
                let outcome = uploader.batch(stream::iter(items)).until(cancel).report(|_| {}).await;
                let report = outcome.unwrap_or_else(Stopped::into_report);
                if report.items().len() != count {
                    return Err(format!("{} of {count} items are in the report", report.items().len()).into());
                }
                Ok(json!({"uploaded": report.summary().uploaded, "attempts": []}))
            }
        }
    }

    /// Uploads until nothing is left. Returns all attempts, each with its object.
    async fn whole(&self, uploader: Uploader, items: Vec<UploadItem>, chance: &mut Rng) -> Result<Vec<[String; 3]>> {
        let path = self.folder.join("journal.jsonl");
        let journal = chance.bool().then(|| Journal::open(&path)).transpose()?;
        let uploader = match &journal {
            Some(journal) => uploader.journal(journal.clone()),
            None => uploader,
        };
        let mut attempts = Vec::new();
        let mut left = items.clone();
        for _ in 0..20 {
            let report = uploader.upload(left.clone(), |_| {}).await?;
            report.items().iter().for_each(|item| tell(item, &mut attempts));
            if report.items().len() != left.len() {
                return Err(format!("{} of {} items are in the report", report.items().len(), left.len()).into());
            }
            let failed = report.failed().map(|item| left[item.index].clone()).collect();
            left = failed;
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Err(format!("20 times over, {left:?} failed").into());
        }
        if let Some(journal) = journal {
            journal.finish()?;
            drop((uploader, journal));
            let found = Journal::open(&path)?;
            if found.len() != items.len() || items.iter().any(|item| !found.contains(item)) {
                return Err(format!("the journal has {} of {} items", found.len(), items.len()).into());
            }
            fs::remove_file(&path).map_err(at(&path))?;
        }
        Ok(attempts)
    }

    /// Compares an object of the store with the bytes that were sent.
    async fn compare(&self, bucket: &str, object: &str, sent: &[u8]) -> Result<()> {
        let url =
            sign(Scheme::Gcs, Method::GET, &format!("{bucket}/{object}"), SystemTime::now(), Duration::from_secs(60))?;
        let response = self.client.send(&Request::get(url)).await?;
        if &**response.body() == sent { Ok(()) } else { Err(format!("{object}: is not what was sent").into()) }
    }
}

fn tell(item: &ItemReport, attempts: &mut Vec<[String; 3]>) {
    for attempt in &item.attempts {
        let outcome = match &attempt.outcome {
            encord_http::Outcome::Status(status) => status.as_str(),
            encord_http::Outcome::Fault(fault) => fault.kind().as_str(),
        };
        attempts.push([item.title.clone(), outcome.to_owned(), attempt.phase.as_str().to_owned()]);
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        for (_, kind) in KINDS {
            let order = Order { kind, seed: 7 };
            assert_eq!(Order::parse(&order.to_string()), Some(order));
        }
        assert_eq!(Order::parse("whole"), None);
        assert_eq!(Order::parse("all 7"), None);
    }
}
