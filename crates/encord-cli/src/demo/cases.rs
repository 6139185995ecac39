//! What goes wrong in the demonstration, and what is to come of it.

use encord_http::Attempt;
use encord_upload::{ItemReport, Status};

use crate::report;

/// One thing that goes wrong, with one of the files.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) fault: Fault,
    /// The fault in words.
    pub(super) words: &'static str,
    /// The rules of the contract that say what is to come of it.
    pub(super) rules: &'static str,
    /// What is to come of each attempt, and the shortest wait before it, in milliseconds.
    pub(super) attempts: &'static [(&'static str, u64)],
    pub(super) status: Status,
}

#[derive(Debug)]
pub(super) enum Fault {
    /// The store does it; as its fault plan has it.
    Store(&'static str),
    /// The URL was signed an hour ago, for a minute.
    ExpiredUrl,
    /// The file is removed before its turn comes.
    NoFile,
}

/// The waits between attempts are 200 ms, doubled each time.
pub(super) const CASES: &[Case] = &[
    Case {
        fault: Fault::Store("503 x2"),
        words: "503, twice",
        rules: "R1 R2",
        attempts: &[("503", 0), ("503", 200), ("200", 400)],
        status: Status::Uploaded,
    },
    Case {
        fault: Fault::Store("503 x1 retry-after=1"),
        words: "503 with Retry-After: 1",
        rules: "R6",
        attempts: &[("503", 0), ("200", 1000)],
        status: Status::Uploaded,
    },
    Case {
        fault: Fault::Store("reset-during x1"),
        words: "reset half way",
        rules: "R5",
        attempts: &[("reset", 0), ("200", 200)],
        status: Status::Uploaded,
    },
    Case {
        fault: Fault::Store("reset-after x1"),
        words: "reset once it was stored",
        rules: "R4 R5",
        attempts: &[("reset", 0), ("200", 200)],
        status: Status::Uploaded,
    },
    Case {
        fault: Fault::Store("stall x1"),
        words: "no answer, for ever",
        rules: "R7",
        attempts: &[("timed_out", 0), ("200", 200)],
        status: Status::Uploaded,
    },
    Case {
        fault: Fault::Store("corrupt x1"),
        words: "a bit flipped on the way",
        rules: "checksum",
        attempts: &[("integrity", 0), ("200", 200)],
        status: Status::Uploaded,
    },
    Case {
        fault: Fault::Store("503"),
        words: "503, always",
        rules: "R1 R2",
        attempts: &[("503", 0), ("503", 200), ("503", 400), ("503", 800)],
        status: Status::Failed,
    },
    Case { fault: Fault::Store("403"), words: "403", rules: "R5", attempts: &[("403", 0)], status: Status::Failed },
    Case {
        fault: Fault::ExpiredUrl,
        words: "the URL has expired",
        rules: "U6",
        attempts: &[("400", 0)],
        status: Status::Failed,
    },
    Case {
        fault: Fault::NoFile,
        words: "the file is gone",
        rules: "U6",
        attempts: &[("payload", 0)],
        status: Status::Failed,
    },
];

/// The attempts of a file that nothing befalls.
const UNDISTURBED: &[(&str, u64)] = &[("200", 0)];

/// Whether what became of an item is what is to come of its case, or of none.
pub(super) fn is_as_promised(item: &ItemReport, case: Option<&Case>) -> bool {
    let (attempts, status) = case.map_or((UNDISTURBED, Status::Uploaded), |case| (case.attempts, case.status));
    let as_promised = |(attempt, (outcome, wait)): (&Attempt, &(&str, u64))| {
        report::outcome(attempt) == *outcome && attempt.waited.as_millis() >= u128::from(*wait)
    };
    item.status == status
        && item.attempts.len() == attempts.len()
        && item.attempts.iter().zip(attempts).all(as_promised)
}
