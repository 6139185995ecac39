//! Handles a request: routes it, checks it, applies its fault, does it, answers it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use encord_dev_store::Outcome;
use encord_dev_store::faults::RetryAfter;
use encord_dev_store::record::PendingRecord;
use encord_dev_store::serve::{ConnectionControl, Handler, ResetConnection};
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::body::{Body, ReadError, read};
use super::shared::{Keys, Shared, lock};
use crate::api::Call;
use crate::envelope::{Envelope, InvalidEnvelope};
use crate::faults::Fault;
use crate::operation::Operation;
use crate::problem::{Kind, Problem, code_of};
use crate::query::Query;
use crate::record::RequestRecord;
use crate::route::{NEWER, route};
use crate::signature::{self, Sender};
use crate::state::JobStatus;

/// How long a poll without a timeout is held.
const DEFAULT_HOLD: Duration = Duration::from_secs(60);

pub(super) struct Service {
    shared: Arc<Shared>,
}

/// The two protocols of the platform.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Newer,
    Older,
}

/// The reasons for an answer other than success.
enum Stop {
    Problem(Problem),
    Planned(StatusCode, Option<RetryAfter>, Value),
    Reset,
    /// The request is never answered.
    Silence,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Service {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    async fn act(
        &self,
        protocol: Protocol,
        head: &request::Parts,
        body: Incoming,
        pending: &mut PendingRecord<RequestRecord>,
    ) -> Result<Response<Body>, Stop> {
        let body = read(body).await.map_err(|error| match error {
            ReadError::TooLarge => Problem::new(Kind::TooLarge, "The request is too large"),
            ReadError::BrokenOff => Problem::invalid("The body broke off"),
        })?;
        pending.record.bytes = body.len();
        let call = call(protocol, head, &body)?;
        let operation = call.operation;
        pending.record.operation = Some(operation);
        *lock(&self.shared.counts).entry(operation).or_default() += 1;
        self.authenticate(protocol, head, &body)?;

        let fault = self.shared.fault(operation.name());
        pending.record.fault.clone_from(&fault);
        match &fault {
            Some(Fault::Status { status, retry_after, message, after: false }) => {
                return Err(planned(protocol, *status, *retry_after, message.as_deref()));
            }
            Some(Fault::Code(code, message)) => {
                let body = match protocol {
                    Protocol::Newer => json!({ "message": message.as_ref().unwrap_or(code) }),
                    Protocol::Older => json!({ "status": 400, "response": [code], "payload": message }),
                };
                return Err(Stop::Planned(StatusCode::BAD_REQUEST, None, body));
            }
            Some(Fault::ResetBefore) => return Err(Stop::Reset),
            Some(Fault::Stall) => return Err(Stop::Silence),
            _ => {}
        }
        let value = self.perform(protocol, &call).await?;
        let body = Bytes::from(match protocol {
            Protocol::Newer => value.to_string(),
            Protocol::Older => json!({ "status": 200, "response": value }).to_string(),
        });
        match fault {
            Some(Fault::Status { status, retry_after, message, .. }) if status.as_u16() >= 400 => {
                Err(planned(protocol, status, retry_after, message.as_deref()))
            }
            Some(Fault::Status { status, .. }) => {
                let body = if status == StatusCode::NO_CONTENT { Bytes::new() } else { body };
                Ok(json_answer(status, Body::whole(body)))
            }
            Some(Fault::ResetAfter) => Err(Stop::Reset),
            Some(Fault::Silent) => Err(Stop::Silence),
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                Ok(json_answer(StatusCode::OK, Body::whole(body)))
            }
            Some(Fault::Garbage) => {
                let mut answer = Response::new(Body::whole("<html><body>The fault plan asked for this.</body></html>"));
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
                Ok(answer)
            }
            Some(Fault::Empty) => Ok(json_answer(StatusCode::OK, Body::whole(Bytes::new()))),
            Some(Fault::Cut) => Ok(json_answer(StatusCode::OK, Body::cut(body))),
            Some(Fault::Shape) => {
                let body = match protocol {
                    Protocol::Newer => json!({ "unexpected": [1] }),
                    Protocol::Older => json!({ "status": 200, "response": { "unexpected": [1] } }),
                };
                Ok(json_answer(StatusCode::OK, Body::whole(body.to_string())))
            }
            _ => Ok(json_answer(StatusCode::OK, Body::whole(body))),
        }
    }

    /// Checks the signature or the token of a request.
    fn authenticate(&self, protocol: Protocol, head: &request::Parts, body: &[u8]) -> Result<(), Problem> {
        let now = (self.shared.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let skew = self.shared.switches().clock_skew;
        let checked = match protocol {
            Protocol::Newer => signature::newer(&head.method, target(head), &head.headers, body, now, skew),
            Protocol::Older => signature::older(&head.headers, body),
        };
        let sender = checked.map_err(|error| Problem::new(Kind::NotSigned, error.to_string()))?;
        match (sender, &self.shared.keys) {
            (Sender::Token(token), _) if token == self.shared.token => Ok(()),
            (Sender::Token(_), _) => Err(Problem::new(Kind::NotSigned, "the bearer token is not known")),
            (Sender::Key(_), Keys::Any) => Ok(()),
            (Sender::Key(key), Keys::One(known)) if key == *known => Ok(()),
            (Sender::Key(_), Keys::One(_)) => Err(Problem::new(Kind::UnknownKey, "the key is not registered")),
        }
    }

    async fn perform(&self, protocol: Protocol, call: &Call) -> Result<Value, Problem> {
        match call.operation {
            Operation::GetJob => {
                if let Some(job) = call.ids.get(1) {
                    self.hold(*job, call.query.number("timeoutSeconds")?).await;
                }
            }
            Operation::GetDatasetJob => {
                let job = call.body.get("process_hash").and_then(Value::as_str);
                if let Some(job) = job.and_then(|job| Uuid::try_parse(job).ok()) {
                    self.hold(job, call.body.get("timeout_seconds").and_then(Value::as_u64)).await;
                }
            }
            _ => {}
        }
        let done = self.shared.act(|api| match protocol {
            Protocol::Newer => api.newer(call),
            Protocol::Older => api.older(call),
        });
        let value =
            done.map_err(|error| Problem::new(Kind::Internal, format!("the state was not written: {error}")))??;
        match call.operation {
            Operation::StartJob | Operation::StartDatasetJob => {
                let job = value.as_str().or_else(|| value.get("process_hash")?.as_str());
                if let Some(job) = job.and_then(|job| Uuid::try_parse(job).ok()) {
                    self.shared.run_later(job);
                }
            }
            Operation::CancelJob => self.shared.ended.send_modify(|ended| *ended += 1),
            _ => {}
        }
        Ok(value)
    }

    /// Waits until a job has ended, but no longer than the client and the switch say.
    async fn hold(&self, job: Uuid, seconds: Option<u64>) {
        let limit = seconds.map_or(DEFAULT_HOLD, Duration::from_secs).min(self.shared.switches().hold_limit);
        let mut ended = self.shared.ended.subscribe();
        let mut shutdown = self.shared.shutdown.clone();
        let is_pending = || self.shared.state().jobs.get(job).is_some_and(|job| job.status == JobStatus::Pending);
        let wait = async { while is_pending() && ended.changed().await.is_ok() {} };
        tokio::select! {
            // After the timeout the answer says that the job is pending.
            _ = timeout(limit, wait) => {}
            () = shutdown.wait() => {}
        }
    }
}

impl Handler for Service {
    type Body = Body;

    async fn handle(
        &self,
        request: Request<Incoming>,
        control: &ConnectionControl,
    ) -> Result<Response<Body>, ResetConnection> {
        let now = (self.shared.clock)();
        let (head, body) = request.into_parts();
        let record = RequestRecord::new(now, head.method.clone(), target(&head).to_owned());
        let mut pending = PendingRecord::new(Arc::clone(&self.shared.log), record);
        let trace = head.headers.get("x-cloud-trace-context").and_then(|value| value.to_str().ok());
        pending.record.trace = trace.and_then(|trace| trace.split('/').next()).map(str::to_owned);
        let is_older = matches!(head.uri.path(), "/public" | "/public/user");
        let protocol = if is_older { Protocol::Older } else { Protocol::Newer };
        let mut answer = match self.act(protocol, &head, body, &mut pending).await {
            Ok(answer) => answer,
            Err(Stop::Problem(problem)) => {
                pending.record.error = Some(problem.message.clone());
                let (status, body) = match protocol {
                    Protocol::Newer => problem.answer(),
                    Protocol::Older => problem.envelope(),
                };
                json_answer(status, Body::whole(body.to_string()))
            }
            Err(Stop::Planned(status, retry_after, body)) => {
                let mut answer = json_answer(status, Body::whole(body.to_string()));
                if let Some(RetryAfter(seconds)) = retry_after {
                    answer.headers_mut().insert(RETRY_AFTER, seconds.into());
                }
                answer
            }
            Err(stop @ (Stop::Reset | Stop::Silence)) => {
                if matches!(stop, Stop::Silence) {
                    control.hold();
                    // If the client closes the connection first, this future is dropped, and `pending` with it.
                    self.shared.shutdown.clone().wait().await;
                }
                pending.record.outcome = Outcome::Reset;
                return Err(ResetConnection);
            }
        };
        // The emulator's clock, so that a client can see that its own clock is wrong.
        let date = HeaderValue::try_from(httpdate::fmt_http_date(now));
        answer.headers_mut().extend(date.ok().map(|date| (DATE, date)));
        pending.record.outcome = Outcome::Answered(answer.status().as_u16());
        Ok(answer)
    }
}

fn target(head: &request::Parts) -> &str {
    head.uri.path_and_query().map_or("", |target| target.as_str())
}

/// Returns the operation that a request asks for, with its arguments.
fn call(protocol: Protocol, head: &request::Parts, body: &[u8]) -> Result<Call, Problem> {
    let path = head.uri.path();
    if protocol == Protocol::Older {
        if head.method != Method::POST {
            return Err(Problem::new(Kind::MethodNotAllowed, "Method Not Allowed"));
        }
        let Envelope { operation, uid, payload } = Envelope::read(body).map_err(|error| match error {
            InvalidEnvelope::Shape => Problem::invalid(error.to_string()),
            InvalidEnvelope::Query(_) => Problem::not_found(error.to_string()),
            InvalidEnvelope::Method(..) => Problem::new(Kind::MethodNotAllowed, error.to_string()),
        })?;
        let resource = head.headers.get("resourceid").and_then(|id| Uuid::try_parse(id.to_str().ok()?).ok());
        return Ok(Call { operation, ids: Vec::new(), query: Query::default(), body: payload, uid, resource });
    }
    if !path.starts_with(NEWER) {
        return Err(Problem::not_found("Not Found"));
    }
    let found = route(&head.method, path)?;
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
    let body = body.map_err(|error| Problem::new(Kind::Shape, format!("the body is not JSON: {error}")))?;
    let query = Query::read(head.uri.query().unwrap_or_default());
    Ok(Call { operation: found.operation, ids: found.ids, query, body, uid: Value::Null, resource: None })
}

fn planned(protocol: Protocol, status: StatusCode, retry_after: Option<RetryAfter>, message: Option<&str>) -> Stop {
    let message = message.unwrap_or("The fault plan asked for this status.");
    let body = match protocol {
        Protocol::Newer if status == StatusCode::UNPROCESSABLE_ENTITY => {
            json!({ "detail": [{ "loc": ["body"], "msg": message, "type": "value_error" }] })
        }
        Protocol::Older if !matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS) => {
            json!({ "status": status.as_u16(), "response": [code_of(status)], "payload": message })
        }
        _ => json!({ "message": message }),
    };
    Stop::Planned(status, retry_after, body)
}

fn json_answer(status: StatusCode, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
