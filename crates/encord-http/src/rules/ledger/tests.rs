//! The ledger, without a network or a sleep.

use encord_http_settings::{BACKOFF_CAP, BackoffFactor, RETRY_AFTER_LIMIT};
use http::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::fault::Fault;
use crate::fault::FaultKind::{
    Certificate, Changed, Closed, Deadline, Dns, Integrity, Local, Payload, PayloadBusy, Protocol, Refused, Reset,
    TimedOut, Tls, TlsCutOff, TooLarge, Unreachable, Url,
};
use crate::phase::Limit;
use crate::rules::reason::Secrets;

/// The policy of an idempotent request, with the default cap and limit.
fn policy(settings: RequestsSettings) -> Policy {
    Policy {
        settings,
        backoff_cap: Some(BACKOFF_CAP),
        retry_after_limit: RETRY_AFTER_LIMIT,
        idempotent: true,
        jitter: Jitter::None,
        deadline: None,
    }
}

fn entry(outcome: Outcome) -> Entry {
    Entry { outcome, reason: None, phase: Phase::Waiting, resent: false }
}

fn settings(max_retries: u32, connection_retries: u32, factor: f64) -> RequestsSettings {
    RequestsSettings {
        max_retries,
        connection_retries,
        backoff_factor: BackoffFactor::new(factor).expect("a factor"),
        ..RequestsSettings::default()
    }
}

fn status(code: u16) -> Outcome {
    Outcome::Status(StatusCode::from_u16(code).expect("a status"))
}

fn fault(kind: FaultKind) -> Outcome {
    Outcome::Fault(Fault::new(kind, ""))
}

fn asking(retry_after: Option<u64>) -> Circumstances {
    Circumstances { retry_after: retry_after.map(Duration::from_secs), ..Circumstances::default() }
}

/// Enters the same outcome until the ledger stops. Returns the waits in seconds and the reason.
#[track_caller]
fn exhaust(policy: Policy, outcome: &Outcome, retry_after: Option<u64>) -> (Vec<f64>, StopReason) {
    let mut ledger = Ledger::new(policy);
    let mut waits = Vec::new();
    loop {
        match ledger.failed(entry(outcome.clone()), asking(retry_after)) {
            Decision::Retry { after, .. } => waits.push(after.as_secs_f64()),
            Decision::Stop(reason) => {
                assert_eq!(ledger.attempts().len(), waits.len() + 1);
                return (waits, reason);
            }
        }
    }
}

const CONNECT_FAULTS: [FaultKind; 6] = [Dns, Refused, Unreachable, TlsCutOff, Local, TimedOut(Limit::Connect)];

const REQUEST_FAULTS: [FaultKind; 8] = [
    Reset,
    Closed,
    TimedOut(Limit::FirstByte),
    TimedOut(Limit::Write),
    TimedOut(Limit::Read),
    Integrity,
    PayloadBusy,
    Changed,
];

const FINAL_FAULTS: [FaultKind; 7] = [Certificate, Tls, Protocol, TooLarge, Payload, Url, Deadline];

#[test]
fn r1_max_retries_is_exactly_that_many_further_attempts() {
    for n in [0, 1, 3, 15, 40] {
        let (waits, reason) = exhaust(policy(settings(n, 7, 0.0)), &status(503), None);
        assert_eq!(waits.len(), n as usize);
        assert_eq!(reason, StopReason::BudgetUsedUp { budget: Budget::MaxRetries, allowed: n });
    }
}

#[test]
fn r2_waits_follow_the_formula_up_to_the_cap() {
    let waits = |policy| exhaust(policy, &status(503), None).0;
    assert_eq!(waits(policy(RequestsSettings::default())), [1.5, 3.0, 6.0]);
    assert_eq!(waits(policy(settings(9, 0, 1.5))), [1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 120.0, 120.0]);
    let uncapped = Policy { backoff_cap: None, ..policy(settings(9, 0, 1.5)) };
    assert_eq!(waits(uncapped), [1.5, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 192.0, 384.0]);
    assert_eq!(waits(policy(settings(3, 0, 0.0))), [0.0, 0.0, 0.0]);
}

#[test]
fn r2_k_counts_the_retries_of_both_kinds() {
    let mut ledger = Ledger::new(policy(settings(2, 2, 1.0)));
    let decisions = [fault(Refused), status(503), fault(Refused), status(500), status(503)]
        .map(|outcome| ledger.failed(entry(outcome), asking(None)));
    assert_eq!(
        decisions,
        [
            retry(1, Budget::ConnectionRetries),
            retry(2, Budget::MaxRetries),
            retry(4, Budget::ConnectionRetries),
            retry(8, Budget::MaxRetries),
            Decision::Stop(StopReason::BudgetUsedUp { budget: Budget::MaxRetries, allowed: 2 }),
        ]
    );
    assert_eq!(ledger.attempts().iter().map(|a| a.waited.as_secs()).collect::<Vec<_>>(), [0, 1, 2, 4, 8]);
}

#[test]
fn r3_connection_retries_are_a_budget_of_their_own() {
    for kind in CONNECT_FAULTS {
        let (waits, reason) = exhaust(policy(settings(9, 2, 0.0)), &fault(kind), None);
        assert_eq!(waits.len(), 2, "{kind:?}");
        assert_eq!(reason, StopReason::BudgetUsedUp { budget: Budget::ConnectionRetries, allowed: 2 });
    }
    let (waits, _) = exhaust(policy(settings(9, 0, 0.0)), &fault(Certificate), None);
    assert_eq!(waits.len(), 0, "a certificate that does not verify is not retried");
}

#[test]
fn r3_applies_to_every_method_because_nothing_was_sent() {
    let policy = Policy { idempotent: false, ..policy(settings(0, 2, 0.0)) };
    assert_eq!(exhaust(policy, &fault(Refused), None).0.len(), 2);
}

#[test]
fn r4_a_request_that_is_not_idempotent_is_not_sent_twice() {
    let policy = Policy { idempotent: false, ..policy(settings(9, 9, 0.0)) };
    for outcome in [status(503), status(429)].into_iter().chain(REQUEST_FAULTS.map(fault)) {
        assert_eq!(exhaust(policy, &outcome, None), (vec![], StopReason::NotIdempotent), "{outcome}");
    }
}

#[test]
fn r5_413_is_retryable_with_retry_after_and_400_with_the_code_of_s3() {
    assert_eq!(exhaust(policy(settings(2, 0, 0.0)), &status(413), Some(0)).0.len(), 2);
    assert_eq!(exhaust(policy(settings(2, 0, 0.0)), &status(413), None), (vec![], StopReason::Final));
    for (code, expected) in
        [("RequestTimeout", retry(0, Budget::MaxRetries)), ("InvalidArgument", Decision::Stop(StopReason::Final))]
    {
        let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        let reason = Reason::parse(&http::HeaderMap::new(), body.as_bytes(), &Secrets::default());
        let entry = Entry { reason, ..entry(status(400)) };
        assert_eq!(Ledger::new(policy(settings(1, 0, 0.0))).failed(entry, asking(None)), expected);
    }
}

#[test]
fn r5_which_faults_are_retryable() {
    for kind in REQUEST_FAULTS {
        assert_eq!(exhaust(policy(settings(2, 0, 0.0)), &fault(kind), None).0.len(), 2, "{kind:?}");
    }
    for kind in FINAL_FAULTS {
        assert_eq!(exhaust(policy(settings(2, 2, 0.0)), &fault(kind), None), (vec![], StopReason::Final), "{kind:?}");
    }
}

#[test]
fn r6_the_wait_is_the_longer_of_backoff_and_retry_after() {
    let waits = |asked| exhaust(policy(settings(3, 0, 1.5)), &status(503), Some(asked)).0;
    assert_eq!(waits(0), [1.5, 3.0, 6.0]);
    assert_eq!(waits(5), [5.0, 5.0, 6.0]);
    assert_eq!(waits(120), [120.0, 120.0, 120.0]);
}

#[test]
fn r6_retry_after_beyond_the_limit_stops_and_says_so() {
    let (waits, reason) = exhaust(policy(settings(3, 0, 1.5)), &status(429), Some(3600));
    assert!(waits.is_empty());
    assert_eq!(
        reason.to_string(),
        "not retried, because the server asked for a wait of 1h, longer than the limit of 120s"
    );
    let patient = Policy { retry_after_limit: Duration::from_secs(3600), ..policy(settings(3, 0, 1.5)) };
    assert_eq!(exhaust(patient, &status(429), Some(3600)).0, [3600.0; 3]);
    let (_, reason) = exhaust(policy(settings(0, 0, 1.5)), &status(429), Some(3600));
    assert_eq!(reason.to_string(), "max_retries = 0 used up");
}

#[test]
fn a_payload_that_can_be_read_once_is_sent_once_but_connecting_is_tried_again() {
    let decide = |outcome, consumed| {
        let mut ledger = Ledger::new(policy(settings(3, 2, 0.0)));
        ledger.failed(entry(outcome), Circumstances { consumed, ..Circumstances::default() })
    };
    assert_eq!(decide(status(503), true), Decision::Stop(StopReason::NotReplayable));
    for (outcome, consumed) in [(status(503), false), (fault(Refused), true)] {
        assert!(matches!(decide(outcome, consumed), Decision::Retry { .. }));
    }
}

/// Returns the wait before the first retry in milliseconds. Without jitter it is 8 s.
fn jittered(jitter: Jitter, random: f64, retry_after: Option<u64>) -> u128 {
    let mut ledger = Ledger::new(Policy { jitter, ..policy(settings(1, 0, 8.0)) });
    match ledger.failed(entry(status(503)), Circumstances { random, ..asking(retry_after) }) {
        Decision::Retry { after, .. } => after.as_millis(),
        Decision::Stop(reason) => panic!("{reason}"),
    }
}

#[test]
fn r2_jitter_is_there_to_ask_for_and_stays_within_the_schedule() {
    let waits = |jitter| [0.0, 0.5, 1.0].map(|random| jittered(jitter, random, None));
    assert_eq!(waits(Jitter::None), [8000, 8000, 8000]);
    assert_eq!(waits(Jitter::Full), [0, 4000, 8000]);
    assert_eq!(waits(Jitter::Equal), [8000, 6000, 4000]);
    assert_eq!(jittered(Jitter::Full, f64::NAN, None), 8000);
}

#[test]
fn r6_jitter_does_not_shorten_what_the_server_asked_for() {
    let waits = |jitter| [0.0, 0.5, 1.0].map(|random| jittered(jitter, random, Some(7)));
    assert_eq!(waits(Jitter::Full), [7000, 7000, 8000]);
    assert_eq!(waits(Jitter::Equal), [8000, 7000, 7000]);
}

#[test]
fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    let decide = |elapsed| {
        let deadline = Some(Duration::from_secs(10));
        let mut ledger = Ledger::new(Policy { deadline, ..policy(settings(1, 0, 4.0)) });
        let elapsed = Duration::from_secs(elapsed);
        ledger.failed(entry(status(503)), Circumstances { elapsed, ..Circumstances::default() })
    };
    assert!(matches!(decide(5), Decision::Retry { .. }));
    let Decision::Stop(reason) = decide(6) else { panic!("6 + 4 is not less than 10") };
    assert_eq!(reason.to_string(), "the deadline of 10s leaves no time for another attempt");
}

#[test]
fn only_an_attempt_that_the_deadline_ended_fails_for_the_deadline() {
    let deadline = Duration::from_secs(10);
    let policy = Policy { deadline: Some(deadline), ..policy(settings(2, 2, 0.0)) };
    let ran_out = fault(Deadline);
    assert_eq!(exhaust(policy, &ran_out, None), (vec![], StopReason::Deadline { deadline }));
    assert_eq!(exhaust(policy, &status(403), None), (vec![], StopReason::Final));
}

/// Checks the decisions, and the recorded outcome of each attempt with the wait before it.
#[track_caller]
fn check_account(policy: Policy, steps: Vec<Step>, expected: &[(Option<Decision>, &str)]) {
    let mut ledger = Ledger::new(policy);
    let mut found = Vec::new();
    for step in steps {
        let decision = match step {
            Step::Succeeded => {
                ledger.succeeded(entry(status(200)));
                None
            }
            Step::Failed(outcome) => Some(ledger.failed(entry(outcome), asking(None))),
            Step::Revised(outcome) => Some(ledger.revised(outcome, asking(None))),
            Step::Waits(seconds) => {
                ledger.set_wait(Duration::from_secs(seconds));
                continue;
            }
        };
        let account: Vec<_> = ledger.attempts().iter().map(ToString::to_string).collect();
        found.push((decision, account.join(", ")));
    }
    let expected: Vec<_> = expected.iter().map(|(decision, account)| (*decision, (*account).to_owned())).collect();
    assert_eq!(found, expected);
}

enum Step {
    Succeeded,
    Failed(Outcome),
    Revised(Outcome),
    Waits(u64),
}

fn retry(seconds: u64, charged_to: Budget) -> Decision {
    Decision::Retry { after: Duration::from_secs(seconds), charged_to }
}

#[test]
fn an_outcome_that_is_revised_is_charged_instead_of_the_first() {
    use Budget::{ConnectionRetries, MaxRetries};
    use Step::{Failed, Revised, Succeeded};
    let used_up = |budget, allowed| Some(Decision::Stop(StopReason::BudgetUsedUp { budget, allowed }));
    let retry = |seconds, budget| Some(retry(seconds, budget));
    let integrity = || fault(Integrity);
    let policy = policy(settings(2, 1, 1.0));
    check_account(
        policy,
        vec![Succeeded, Revised(integrity()), Succeeded, Revised(integrity()), Failed(integrity())],
        &[
            (None, "200"),
            (retry(1, MaxRetries), "integrity"),
            (None, "integrity, 200 after 1s"),
            (retry(2, MaxRetries), "integrity, integrity after 1s"),
            (used_up(MaxRetries, 2), "integrity, integrity after 1s, integrity after 2s"),
        ],
    );
    // The retry is given back to the budget of the first outcome, and the schedule goes back one step.
    check_account(
        policy,
        vec![
            Failed(status(503)),
            Revised(fault(Refused)),
            Revised(status(503)),
            Revised(status(403)),
            Revised(status(500)),
        ],
        &[
            (retry(1, MaxRetries), "503"),
            (retry(1, ConnectionRetries), "refused"),
            (retry(1, MaxRetries), "503"),
            (Some(Decision::Stop(StopReason::Final)), "403"),
            (retry(1, MaxRetries), "500"),
        ],
    );
    check_account(
        Policy { idempotent: false, ..policy },
        vec![Succeeded, Revised(integrity())],
        &[(None, "200"), (Some(Decision::Stop(StopReason::NotIdempotent)), "integrity")],
    );
    check_account(policy, vec![Revised(integrity())], &[(retry(1, MaxRetries), "integrity")]);
}

#[test]
fn an_attempt_in_spite_of_a_stop_is_free_and_the_budgets_stay() {
    use Step::{Failed, Succeeded};
    let stop = |reason| Some(Decision::Stop(reason));
    check_account(
        policy(settings(1, 0, 1.0)),
        vec![Failed(status(503)), Failed(status(403)), Failed(status(503)), Succeeded],
        &[
            (Some(retry(1, Budget::MaxRetries)), "503"),
            (stop(StopReason::Final), "503, 403 after 1s"),
            (stop(StopReason::BudgetUsedUp { budget: Budget::MaxRetries, allowed: 1 }), "503, 403 after 1s, 503"),
            (None, "503, 403 after 1s, 503, 200"),
        ],
    );
}

#[test]
fn the_account_holds_the_wait_as_it_was() {
    use Step::{Failed, Succeeded, Waits};
    check_account(
        policy(settings(2, 0, 1.0)),
        vec![Failed(status(503)), Waits(30), Failed(status(503)), Succeeded, Waits(5), Succeeded],
        &[
            (Some(retry(1, Budget::MaxRetries)), "503"),
            (Some(retry(2, Budget::MaxRetries)), "503, 503 after 30s"),
            (None, "503, 503 after 30s, 200 after 2s"),
            (None, "503, 503 after 30s, 200 after 2s, 200 after 5s"),
        ],
    );
}

fn outcomes() -> impl Strategy<Value = (Outcome, Option<u64>)> {
    let faults = CONNECT_FAULTS.into_iter().chain(REQUEST_FAULTS).chain(FINAL_FAULTS).collect::<Vec<_>>();
    let outcome = prop_oneof![(400u16..1000).prop_map(status), prop::sample::select(faults).prop_map(fault)];
    (outcome, prop::option::of(prop_oneof![0u64..200, Just(u64::MAX)]))
}

proptest! {
    #[test]
    fn r1_r3_r4_r6_no_sequence_of_outcomes_breaks_a_budget_or_a_limit(
        max_retries in 0u32..5,
        connection_retries in 0u32..5,
        factor in prop_oneof![0.0f64..200.0, Just(f64::MAX)],
        idempotent in any::<bool>(),
        outcomes in prop::collection::vec(outcomes(), 1..30),
    ) {
        let settings = settings(max_retries, connection_retries, factor);
        let policy = Policy { idempotent, ..policy(settings) };
        let mut ledger = Ledger::new(policy);
        let (mut spent, mut connecting) = (0, 0);
        for (outcome, retry_after) in outcomes {
            let asked = retry_after.map(Duration::from_secs);
            let Decision::Retry { after, charged_to } = ledger.failed(entry(outcome), asking(retry_after)) else { break };
            let backoff = settings.backoff_factor.delay(spent + connecting + 1).min(BACKOFF_CAP);
            prop_assert!(after >= backoff, "shorter than the schedule");
            prop_assert!(after == backoff || Some(after) == asked && after <= RETRY_AFTER_LIMIT);
            match charged_to {
                Budget::MaxRetries => {
                    prop_assert!(idempotent);
                    spent += 1;
                }
                Budget::ConnectionRetries => connecting += 1,
            }
            prop_assert!(spent <= max_retries && connecting <= connection_retries);
        }
    }
}
