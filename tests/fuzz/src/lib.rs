//! Fuzz targets: one function for each thing that reads what others wrote. Each takes any bytes, and panics when something does
//! not hold that must.
//!
//! The crate is compiled twice: for the fuzzer, and as the library of the package around it, which repeats the kept corpus.
#![expect(clippy::expect_used, clippy::missing_panics_doc, clippy::panic, reason = "a finding is a panic")]

mod args;
mod data_type;
// Of that package, which has no other library for it.
#[cfg(doctest)]
#[path = "../../documents.rs"]
mod documents;
mod entries;
mod fault_plan;
mod http_answer;
mod journal_file;
mod manifest_file;
mod models;
mod pem;
mod report_file;
mod retry_after;
mod scratch;
mod settings_file;
mod signed_url;
mod store_request;

/// Modules of the command `encord`, which is no library.
#[allow(dead_code, reason = "the command needs more of them")]
#[path = "../../../crates/encord-cli/src"]
mod command {
    pub(crate) mod layers;
    pub(crate) mod output;
    pub(crate) mod schedule;
}

/// What is private to the uploader.
#[path = "../../../crates/encord-upload/src/expiry.rs"]
mod expiry;

// Where they look for each other.
use crate::command::{layers, output, schedule};

pub use crate::data_type::check as data_type;
pub use crate::fault_plan::check as fault_plan;
pub use crate::http_answer::check as http_answer;
pub use crate::journal_file::check as journal;
pub use crate::manifest_file::check as manifest;
pub use crate::models::check as models;
pub use crate::pem::check as pem;
pub use crate::report_file::check as report;
pub use crate::retry_after::check as retry_after;
pub use crate::settings_file::check as settings;
pub use crate::signed_url::check as signed_url;
pub use crate::store_request::check as store_request;

/// A target.
pub type Check = fn(&[u8]);

/// All of them, by the names of their programs.
pub const TARGETS: &[(&str, Check)] = &[
    ("data_type", data_type),
    ("fault_plan", fault_plan),
    ("http_answer", http_answer),
    ("journal", journal),
    ("manifest", manifest),
    ("models", models),
    ("pem", pem),
    ("report", report),
    ("retry_after", retry_after),
    ("settings", settings),
    ("signed_url", signed_url),
    ("store_request", store_request),
];

/// In every input where a secret may stand; nothing that is shown has it.
const SECRET: &str = "?s3cr3t&=";

/// What the reader of lines makes of the marks that Windows puts before text: `None` where they say UTF-16.
fn unmarked(data: &[u8]) -> Option<&[u8]> {
    let is_utf16 = data.starts_with(b"\xFF\xFE") || data.starts_with(b"\xFE\xFF");
    (!is_utf16).then(|| data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data))
}

/// Takes so many bytes from the front; those that are not there are zero.
fn take<const N: usize>(data: &mut &[u8]) -> [u8; N] {
    let (front, rest) = data.split_at(N.min(data.len()));
    *data = rest;
    let mut bytes = [0; N];
    bytes[..front.len()].copy_from_slice(front);
    bytes
}

/// Makes a program of a function: a fuzz target under `cargo fuzz`, otherwise one that runs it on files, to repeat a finding.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $check(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            std::env::args_os().skip(1).try_for_each(|path| Ok($check(&std::fs::read(path)?)))
        }
    };
}
