//! Compares the attempts in the clients' reports with the requests in the store's log. It does no I/O.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A line of a store's log: `PUT dev/cat.jpg 503 (12 bytes, fault 503)`. An error may follow.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) method: String,
    pub(crate) bucket: String,
    pub(crate) object: String,
    /// `None` if the connection was reset, or if the client closed it.
    pub(crate) status: Option<u16>,
}

impl Record {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (request, rest) = line.split_once(" (")?;
        let (_, error) = rest.split_once(')')?;
        if !error.is_empty() && !error.starts_with(": ") {
            return None;
        }
        let [method, path, outcome] = request.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let (bucket, object) = path.split_once('/')?;
        let status = match outcome {
            "reset" | "abandoned" => None,
            status => Some(status.parse().ok()?),
        };
        Some(Self { method: method.into(), bucket: bucket.into(), object: object.into(), status })
    }
}

/// The attempts and requests of one store. They are compared at moments when no upload runs.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    accounts: BTreeMap<String, Account>,
    store_was_cut: bool,
}

#[derive(Debug, Default)]
struct Account {
    /// Attempts whose last connection was made, so that the store saw their request.
    attempts: u64,
    /// Attempts that ended without a connection. The store saw a request of such an attempt only if it was sent first on a reused
    /// connection, which died (rule R5).
    unconnected: u64,
    requests: u64,
    /// Requests that the store did not answer. The client may have sent such a request again within the same attempt (rule R5).
    unanswered: u64,
    /// For each status, the number of attempts minus the number of requests.
    answers: BTreeMap<u16, i64>,
    /// There may have been attempts without a report.
    is_hidden: bool,
    /// The client stopped waiting for an answer.
    was_given_up: bool,
}

/// The sums of all comparisons.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) attempts: u64,
    pub(crate) requests: u64,
    /// The attempts for which both sides had to agree exactly.
    pub(crate) exact: u64,
}

impl Comparison {
    /// Adds an attempt of a report.
    pub(crate) fn attempt(&mut self, object: &str, outcome: &str, phase: &str) {
        let account = self.accounts.entry(object.to_owned()).or_default();
        match phase {
            "preparing" => return,
            "connecting" => {
                account.unconnected += 1;
                return;
            }
            _ => account.attempts += 1,
        }
        let status = if outcome == "integrity" { Some(200) } else { outcome.parse().ok() };
        match status {
            Some(status) => *account.answers.entry(status).or_default() += 1,
            None => account.was_given_up = true,
        }
    }

    /// Notes that a run without a report may have tried to upload this object.
    pub(crate) fn hide(&mut self, object: &str) {
        self.accounts.entry(object.to_owned()).or_default().is_hidden = true;
    }

    /// Whether the store may still process an attempt that the client has given up.
    pub(crate) fn may_be_late(&self, object: &str) -> bool {
        self.accounts.get(object).is_some_and(|account| account.is_hidden || account.was_given_up)
    }

    /// Notes that the store ended during a run, or without a record of open requests. Its log may be incomplete.
    pub(crate) fn cut_store(&mut self) {
        self.store_was_cut = true;
    }

    pub(crate) fn request(&mut self, record: &Record) {
        let account = self.accounts.entry(record.object.clone()).or_default();
        account.requests += 1;
        match record.status {
            Some(status) => *account.answers.entry(status).or_default() -= 1,
            None => account.unanswered += 1,
        }
    }

    /// Compares both sides, and starts anew. Each answer in a report must be in the store's log. The numbers of attempts and requests
    /// must be equal, except for requests that were sent again, unless the records of one side may be incomplete.
    pub(crate) fn close(&mut self) -> Result<Sums, String> {
        let Self { accounts, store_was_cut } = std::mem::take(self);
        let mut sums = Sums::default();
        for (object, account) in accounts {
            let Account { attempts, unconnected, requests, unanswered, ref answers, is_hidden, was_given_up: _ } =
                account;
            sums.attempts += attempts;
            sums.requests += requests;
            // An attempt sends a request again at most once.
            let repeated = unanswered.min(attempts + unconnected);
            let adds_up = match (is_hidden, store_was_cut) {
                (false, false) => (attempts..=attempts + repeated).contains(&requests),
                (true, false) => attempts <= requests,
                (false, true) => attempts + repeated >= requests,
                (true, true) => true,
            };
            if !adds_up || answers.values().any(|excess| *excess > 0) {
                return Err(format!(
                    "{object}: the reports and the log of the store do not agree (the store {} cut off): {account:?}",
                    if store_was_cut { "was" } else { "was not" },
                ));
            }
            if !is_hidden && !store_was_cut {
                sums.exact += attempts;
            }
        }
        Ok(sums)
    }
}

impl Sums {
    /// Fails if a run of more than a minute compared no attempt exactly.
    pub(crate) fn judge(&self, length: Duration) -> Result<(), String> {
        if self.exact == 0 && length > Duration::from_secs(60) {
            return Err(format!("nothing was compared one for one: {self}"));
        }
        Ok(())
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, Self { attempts, requests, exact }: Self) {
        self.attempts += attempts;
        self.requests += requests;
        self.exact += exact;
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempts, requests, exact } = self;
        write!(f, "{attempts} attempts told of, {requests} requests counted, {exact} of them one for one")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_log() {
        #[track_caller]
        fn check(line: &str, expected: Option<(&str, &str, &str, Option<u16>)>) {
            let expected = expected.map(|(method, bucket, object, status)| Record {
                method: method.into(),
                bucket: bucket.into(),
                object: object.into(),
                status,
            });
            assert_eq!(Record::parse(line), expected, "{line}");
        }
        check("PUT dev/cat.jpg 503 (12 bytes, fault 503)", Some(("PUT", "dev", "cat.jpg", Some(503))));
        check("GET a/b/c 200 (0 bytes)", Some(("GET", "a", "b/c", Some(200))));
        check("PUT a/b reset (7 bytes, fault reset-during)", Some(("PUT", "a", "b", None)));
        check("PUT a/b abandoned (7 bytes)", Some(("PUT", "a", "b", None)));
        check("PUT a/b 400 (0 bytes): the URL has expired", Some(("PUT", "a", "b", Some(400))));
        check("PUT a/b 200 (7 by", None);
        check("PUT a/b 200 (7 bytes) or so", None);
        check("PUT a/b lost (7 bytes)", None);
        check("error: no space left", None);
    }

    #[test]
    fn books_are_closed_when_they_add_up() {
        #[track_caller]
        fn check(attempts: &[&str], requests: &[Option<u16>], cuts: [bool; 2], adds_up: bool) {
            let mut comparison = Comparison::default();
            for outcome in attempts {
                let phase = if *outcome == "refused" { "connecting" } else { "waiting" };
                comparison.attempt("a", outcome, phase);
            }
            for status in requests {
                comparison.request(&Record {
                    method: "PUT".into(),
                    bucket: "b".into(),
                    object: "a".into(),
                    status: *status,
                });
            }
            let [hidden, store] = cuts;
            if hidden {
                comparison.hide("a");
            }
            if store {
                comparison.cut_store();
            }
            assert_eq!(comparison.close().is_ok(), adds_up, "{attempts:?} {requests:?} {cuts:?}");
        }
        let (exact, hidden, store, both) = ([false, false], [true, false], [false, true], [true, true]);
        check(&["503", "reset", "200"], &[Some(503), None, Some(200)], exact, true);
        check(&["integrity", "200"], &[Some(200), Some(200)], exact, true);
        // The first answer was lost on the way.
        check(&["timed_out", "200"], &[Some(200), Some(200)], exact, true);
        check(&["200"], &[Some(200), Some(200)], exact, false);
        check(&["200"], &[Some(200), Some(200)], hidden, true);
        check(&["200"], &[Some(200), Some(200)], store, false);
        check(&["reset", "200"], &[Some(200)], exact, false);
        check(&["reset", "200"], &[Some(200)], hidden, false);
        check(&["reset", "200"], &[Some(200)], store, true);
        // A request may be sent again within an attempt, but only once.
        check(&["200"], &[None, Some(200)], exact, true);
        check(&["200"], &[None, None, Some(200)], exact, false);
        check(&["200"], &[None, Some(200)], store, true);
        // The connection died and the store was down. Then the request was sent again on another connection that died.
        check(&["refused", "200"], &[None, None, Some(200)], store, true);
        check(&["refused", "200"], &[None, None, Some(200)], exact, true);
        check(&["refused", "200"], &[None, None, None, Some(200)], store, false);
        check(&["refused"], &[Some(503)], exact, false);
        // A report cannot have an answer that the store did not give, even if records are incomplete.
        check(&["200"], &[], both, false);
        check(&["200"], &[Some(503)], both, false);
    }

    #[test]
    fn a_long_account_has_something_to_compare() {
        let [minute, longer] = [60, 61].map(Duration::from_secs);
        let sums = |exact| Sums { attempts: 1, requests: 1, exact };
        assert_eq!([(0, minute), (1, longer)].map(|(exact, length)| sums(exact).judge(length)), [Ok(()), Ok(())]);
        assert!(sums(0).judge(longer).is_err());
    }

    #[test]
    fn what_nobody_waits_for_may_be_late() {
        let mut comparison = Comparison::default();
        comparison.attempt("answered", "503", "waiting");
        comparison.attempt("given up", "timed_out", "waiting");
        comparison.hide("cut off");
        let late = ["answered", "given up", "cut off", "unknown"].map(|object| comparison.may_be_late(object));
        assert_eq!(late, [false, true, true, false]);
    }

    #[test]
    fn an_attempt_without_a_connection_is_not_the_stores_affair() {
        let mut comparison = Comparison::default();
        comparison.attempt("a", "refused", "connecting");
        assert_eq!(comparison.close(), Ok(Sums::default()));
    }
}
