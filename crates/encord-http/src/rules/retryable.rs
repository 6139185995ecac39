//! The list of retryable failures, and the budget that each is charged to (rules R3 and R5).

use http::StatusCode;

use crate::budget::Budget;
use crate::fault::FaultKind;
use crate::phase::Limit;

/// Statuses that may be temporary:
/// - 408, 429, 500, 502, 503, 504: RFC 9110 §15.5.9, §15.6.1, §15.6.3 to §15.6.5, and RFC 6585 §4. S3, GCS and Azure ask for a
///   retry after them.
/// - 509: "Bandwidth Limit Exceeded" of cPanel and of Ceph's gateways. It ends with the billing period.
/// - 520 to 524: Cloudflare, "5xx errors". The origin's answer was invalid (520), or the origin refused the connection (521),
///   was not reached in time (522), was not reached at all (523), or took too long (524).
/// - 529: "Site is overloaded" of Qualys, and of Cloudflare in front of some services.
/// - 530: Cloudflare, with an error 1xxx in the body. The origin's name did not resolve.
const RETRYABLE_STATUSES: [u16; 14] = [408, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 529, 530];

/// Statuses with which a server says that it is overloaded (rule U10).
const OVERLOAD_STATUSES: [u16; 4] = [429, 503, 509, 529];

/// Returns the budget that a retry after this status is charged to. `None` if the status is final.
pub(crate) fn budget_of_status(status: StatusCode, has_retry_after: bool, code: Option<&str>) -> Option<Budget> {
    let may_pass = match status.as_u16() {
        // RFC 9110 §15.5.14: with Retry-After the condition is temporary.
        413 => has_retry_after,
        // S3 closes an upload that stalls with 400 RequestTimeout ("Error responses" in its API reference).
        400 => code == Some("RequestTimeout"),
        status => RETRYABLE_STATUSES.contains(&status),
    };
    may_pass.then_some(Budget::MaxRetries)
}

impl FaultKind {
    /// Returns the budget that a retry after this fault is charged to (rules R3 and R5). `None` if the fault is final.
    pub fn budget(self) -> Option<Budget> {
        match self {
            // R3: nothing was sent.
            FaultKind::Dns
            | FaultKind::Refused
            | FaultKind::Unreachable
            | FaultKind::TlsCutOff
            | FaultKind::Local
            | FaultKind::TimedOut(Limit::Connect) => Some(Budget::ConnectionRetries),
            FaultKind::Reset
            | FaultKind::Closed
            | FaultKind::TimedOut(Limit::FirstByte | Limit::Write | Limit::Read)
            | FaultKind::Integrity
            | FaultKind::PayloadBusy
            | FaultKind::Changed => Some(Budget::MaxRetries),
            FaultKind::Certificate
            | FaultKind::Tls
            | FaultKind::Proxy
            | FaultKind::Protocol
            | FaultKind::TooLarge
            | FaultKind::Payload
            | FaultKind::Url
            | FaultKind::Deadline => None,
        }
    }
}

/// Whether a server says with this status that it is overloaded.
pub(crate) fn is_overload(status: StatusCode) -> bool {
    OVERLOAD_STATUSES.contains(&status.as_u16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r5_which_statuses_are_retryable() {
        let retryable = |has_retry_after, code| {
            let is_retryable = |status: &u16| {
                let status = StatusCode::from_u16(*status).expect("a status");
                budget_of_status(status, has_retry_after, code) == Some(Budget::MaxRetries)
            };
            (100..=999).filter(is_retryable).collect::<Vec<_>>()
        };
        let always = [408, 429, 500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 529, 530];
        assert_eq!(retryable(false, None), always);
        assert_eq!(retryable(false, Some("SlowDown")), always);
        let mut with_retry_after = always.to_vec();
        with_retry_after.insert(1, 413);
        assert_eq!(retryable(true, None), with_retry_after);
        let mut with_request_timeout = always.to_vec();
        with_request_timeout.insert(0, 400);
        assert_eq!(retryable(false, Some("RequestTimeout")), with_request_timeout);
    }

    #[test]
    fn u10_which_statuses_say_overload() {
        let says = |status: &u16| StatusCode::from_u16(*status).is_ok_and(is_overload);
        assert_eq!((100..=999).filter(says).collect::<Vec<_>>(), [429, 503, 509, 529]);
    }
}
