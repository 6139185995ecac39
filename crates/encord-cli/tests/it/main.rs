//! The binary from outside: arguments in, standard output, standard error and exit code out.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail loudly as tests may")]

#[cfg(unix)]
mod clashes;
mod completions;
mod data_type;
mod demo;
mod dev_platform;
mod dev_store;
mod dry_run;
mod invocation;
#[cfg(target_os = "linux")]
mod limits;
mod mistakes;
mod platform;
#[cfg(unix)]
mod readme;
mod report_file;
#[cfg(unix)]
mod safe;
mod settings;
#[cfg(unix)]
mod streams;
mod uids;
mod upload;
mod upload_failures;
mod upload_full_disk;
mod upload_interrupted;
mod upload_resumed;
