//! Handles a request: checks it, applies its fault, does it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, Response, StatusCode, request};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::task::spawn_blocking;

use super::body::Body;
use super::{answer, list};
use crate::errors::{self, Refused};
use crate::faults::{Fault, Moment, PlanRun, RetryAfter};
use crate::objects::{Claims, ObjectInfo, Objects, Reader};
use crate::record::{Log, Outcome, PendingRecord, RequestRecord};
use crate::route::{self, Action, Name};
use crate::serve::{ConnectionControl, Handler, ResetConnection, ShutdownSignal};
use crate::sign::{DEFAULT_SKEW, Keys, Scheme, SignatureError, verify};

pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The body of an answer under the fault `drip`.
const DRIP_BODY: Bytes = Bytes::from_static(b"This answer comes a byte at a time, as the fault plan asked.\n");

pub(super) struct Parts {
    pub(super) objects: Objects,
    pub(super) faults: Arc<Mutex<PlanRun<Fault>>>,
    pub(super) write_once: Arc<AtomicBool>,
    pub(super) chunked: bool,
    pub(super) keys: Keys,
    pub(super) open: bool,
    pub(super) scheme: Scheme,
    pub(super) clock: Clock,
    pub(super) log: Arc<Log<RequestRecord>>,
    pub(super) shutdown: ShutdownSignal,
}

pub(super) struct Service {
    parts: Parts,
}

/// The reasons for an answer other than success.
enum Stop {
    Refused(Refused, Option<RetryAfter>),
    /// The client closed the connection before the end of the body.
    Incomplete,
    /// The store's own disk failed. The answer says only that; the record has the reason.
    Failed(io::Error),
    Reset,
    /// The request is never answered.
    Silence,
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused, None)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Service {
    pub(super) fn new(parts: Parts) -> Self {
        Self { parts }
    }
}

impl Handler for Service {
    type Body = Body;

    async fn handle(
        &self,
        request: Request<Incoming>,
        control: &ConnectionControl,
    ) -> Result<Response<Body>, ResetConnection> {
        let now = (self.parts.clock)();
        let (head, mut body) = request.into_parts();
        let path = route::decoded_path(&head.uri).unwrap_or_else(|| head.uri.path().to_owned());
        let record = RequestRecord::new(now, head.method.clone(), path);
        let mut pending = PendingRecord::new(Arc::clone(&self.parts.log), record);
        let mut scheme = self.parts.scheme;
        let outcome = self.act(&head, &mut body, now, &mut scheme, &mut pending).await;
        let (mut response, ended) = match outcome {
            Ok(response) => (response, None),
            Err(Stop::Refused(refused, retry_after)) => {
                if let Refused::Signature(error) = &refused {
                    pending.record.error = Some(error.to_string());
                }
                (answer::refused(refused.answer(scheme, now), retry_after), None)
            }
            Err(Stop::Incomplete) => {
                (answer::refused(Refused::IncompleteBody.answer(scheme, now), None), Some(Outcome::Abandoned))
            }
            Err(Stop::Failed(error)) => {
                pending.record.error = Some(error.to_string());
                (answer::refused(Refused::Internal.answer(scheme, now), None), None)
            }
            Err(stop @ (Stop::Reset | Stop::Silence)) => {
                if matches!(stop, Stop::Silence) {
                    control.hold();
                    // If the client closes the connection first, this future is dropped, and `pending` with it.
                    self.parts.shutdown.clone().wait().await;
                }
                pending.record.outcome = Outcome::Reset;
                return Err(ResetConnection);
            }
        };
        if !body.is_end_stream() {
            answer::close(&mut response);
        }
        pending.record.outcome = ended.unwrap_or(Outcome::Answered(response.status().as_u16()));
        Ok(response)
    }
}

impl Service {
    async fn act(
        &self,
        head: &request::Parts,
        body: &mut Incoming,
        now: SystemTime,
        scheme: &mut Scheme,
        pending: &mut PendingRecord<RequestRecord>,
    ) -> Result<Response<Body>, Stop> {
        let action = route::action(&head.method, &head.uri)?;
        let Parts { keys, open, .. } = &self.parts;
        match verify((&head.method, &head.uri, &head.headers), keys, now, DEFAULT_SKEW) {
            Ok(verified) => *scheme = verified.scheme,
            Err(SignatureError::Missing) if *open => {}
            Err(error) => return Err(Refused::Signature(error).into()),
        }
        match action {
            Action::Put(name) => self.put(name, head, body, *scheme, pending).await,
            Action::Get(name) => self.get(name).await,
            Action::Head(name) => {
                let info = self.parts.objects.info(&name).ok_or(Refused::NoSuchKey { key: name.key })?;
                Ok(answer::object(&info, Body::Whole(Bytes::new())))
            }
            Action::Delete(name) => self.delete(name, *scheme).await,
            Action::List(listing) => Ok(answer::xml(StatusCode::OK, list::list(&self.parts.objects, &listing))),
        }
    }

    async fn put(
        &self,
        name: Name,
        head: &request::Parts,
        body: &mut Incoming,
        scheme: Scheme,
        pending: &mut PendingRecord<RequestRecord>,
    ) -> Result<Response<Body>, Stop> {
        let fault = self.parts.faults.lock().unwrap_or_else(PoisonError::into_inner).next(&name.key);
        pending.record.fault.clone_from(&fault);
        match &fault {
            Some(Fault::Expire) => return Err(errors::expired(scheme, (self.parts.clock)()).into()),
            Some(Fault::Reject(status, retry_after)) => {
                return Err(Stop::Refused(Refused::Planned(*status), *retry_after));
            }
            Some(Fault::Reset(Moment::Before)) => return Err(Stop::Reset),
            Some(Fault::Stall) => return Err(Stop::Silence),
            _ => {}
        }
        if self.parts.write_once.load(Ordering::Acquire) && self.parts.objects.info(&name).is_some() {
            return Err(Refused::AlreadyThere.into());
        }
        let length =
            content_length(head, scheme).or_else(|refused| if self.parts.chunked { Ok(0) } else { Err(refused) })?;
        let claims = Claims::read(&head.headers)?;
        match &fault {
            Some(Fault::Status(status, retry_after)) => {
                while next(body, pending).await?.is_some() {}
                return Err(Stop::Refused(Refused::Planned(*status), *retry_after));
            }
            Some(Fault::Reset(Moment::During)) => {
                let mut read = 0;
                while read < length / 2
                    && let Some(bytes) = next(body, pending).await?
                {
                    read += bytes.len() as u64;
                }
                return Err(Stop::Reset);
            }
            _ => {}
        }
        let info = self.store(name, head, body, &claims, fault == Some(Fault::Corrupt), pending).await?;
        match fault {
            Some(Fault::Reset(_)) => Err(Stop::Reset),
            Some(Fault::Silent) => Err(Stop::Silence),
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                Ok(answer::stored(&info))
            }
            Some(Fault::Drip(every)) => {
                let mut response = answer::stored(&info);
                *response.body_mut() = Body::drip(DRIP_BODY, every);
                Ok(response)
            }
            _ => Ok(answer::stored(&info)),
        }
    }

    /// Stores the body. An incomplete body is not stored: the writer is dropped.
    async fn store(
        &self,
        name: Name,
        head: &request::Parts,
        body: &mut Incoming,
        claims: &Claims,
        mut corrupt: bool,
        pending: &mut PendingRecord<RequestRecord>,
    ) -> Result<ObjectInfo, Stop> {
        let mut writer = self.parts.objects.writer(name).await?;
        while let Some(bytes) = next(body, pending).await? {
            if std::mem::take(&mut corrupt) {
                let mut bytes = Vec::from(bytes);
                bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                writer.write(&bytes).await?;
            } else {
                writer.write(&bytes).await?;
            }
        }
        claims.check(&writer.digested())?;
        let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(writer.finish(content_type, (self.parts.clock)()).await?)
    }

    async fn get(&self, name: Name) -> Result<Response<Body>, Stop> {
        let (objects, key) = (self.parts.objects.clone(), name.key.clone());
        let read = spawn_blocking(move || objects.read(&name)).await.map_err(io::Error::other)??;
        let (info, reader) = read.ok_or(Refused::NoSuchKey { key })?;
        let body = match reader {
            Reader::Memory(bytes) => Body::Whole(bytes),
            Reader::File(file) => Body::file(file, info.size),
        };
        Ok(answer::object(&info, body))
    }

    async fn delete(&self, name: Name, scheme: Scheme) -> Result<Response<Body>, Stop> {
        let (objects, key) = (self.parts.objects.clone(), name.key.clone());
        let existed = spawn_blocking(move || objects.delete(&name)).await.map_err(io::Error::other)??;
        // S3 answers 204 whether the object existed or not.
        if existed || scheme == Scheme::S3 {
            Ok(answer::empty(StatusCode::NO_CONTENT))
        } else {
            Err(Refused::NoSuchKey { key }.into())
        }
    }
}

fn content_length(head: &request::Parts, scheme: Scheme) -> Result<u64, Refused> {
    let length = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    length.ok_or(if scheme == Scheme::S3 { Refused::NotImplemented } else { Refused::MissingContentLength })
}

async fn next(body: &mut Incoming, pending: &mut PendingRecord<RequestRecord>) -> Result<Option<Bytes>, Stop> {
    loop {
        let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await else { return Ok(None) };
        // Trailers are not stored.
        if let Ok(bytes) = frame.map_err(|_| Stop::Incomplete)?.into_data() {
            pending.record.bytes += bytes.len() as u64;
            return Ok(Some(bytes));
        }
    }
}
