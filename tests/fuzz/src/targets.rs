//! The targets, one module each.

use std::env;
use std::sync::LazyLock;

mod data_type;
mod envelope;
mod fault_plan;
mod http_answer;
mod journal;
mod key;
mod ledger;
mod manifest;
mod models;
mod pem;
mod platform_faults;
mod platform_request;
mod reason;
mod records;
mod report;
mod retry_after;
mod settings;
mod signed_url;
mod store_request;
mod switches;

/// Takes any bytes, and panics if a property does not hold.
pub type Check = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Check)] = &[
    ("data_type", data_type::check),
    ("envelope", envelope::check),
    ("fault_plan", fault_plan::check),
    ("http_answer", http_answer::check),
    ("journal", journal::check),
    ("key", key::check),
    ("ledger", ledger::check),
    ("manifest", manifest::check),
    ("models", models::check),
    ("pem", pem::check),
    ("platform_faults", platform_faults::check),
    ("platform_request", platform_request::check),
    ("reason", reason::check),
    ("records", records::check),
    ("report", report::check),
    ("retry_after", retry_after::check),
    ("settings", settings::check),
    ("signed_url", signed_url::check),
    ("store_request", store_request::check),
    ("switches", switches::check),
];

/// The environment variable that names the target for the fuzzer.
pub const CHOICE: &str = "ENCORD_FUZZ_TARGET";

/// Returns the target with this name.
pub fn find(name: &str) -> Option<Check> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}

/// Returns the target that [`CHOICE`] names.
pub fn chosen() -> Check {
    static CHOSEN: LazyLock<Check> = LazyLock::new(|| {
        let name = env::var(CHOICE).expect("the name of a target");
        find(&name).expect("a known target")
    });
    *CHOSEN
}
