//! What the crates below log, on standard error.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::time::uptime;

use crate::output::Failure;
use crate::progress::Progress;

/// The variable that says what is logged, in the words of `RUST_LOG`.
const VARIABLE: &str = "ENCORD_LOG";

/// Logs from here on, above the progress bar; `least` is what is logged unless the variable says otherwise.
///
/// # Errors
///
/// The variable cannot be read.
pub(crate) fn start(progress: &Progress, least: LevelFilter) -> Result<(), Failure> {
    let directives = env::var_os(VARIABLE).unwrap_or_default();
    let directives = directives.to_string_lossy();
    let filter = EnvFilter::builder().with_default_directive(least.into()).parse(&directives);
    let filter = filter.map_err(|error| {
        let failure = Failure::usage(format_args!("{VARIABLE}={directives}: {error}"));
        failure.with_hint("a level, such as debug, or levels of crates, such as warn,encord_upload=debug")
    })?;
    let progress = progress.clone();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_timer(uptime())
        .with_ansi(has_colours(io::stderr().is_terminal(), env::var_os("NO_COLOR").as_deref()))
        // It would tell of errors by `eprintln!`, which panics where nothing can be written.
        .log_internal_errors(false)
        .with_writer(move || progress.above())
        .try_init()
        .map_err(Failure::failed)
}

fn has_colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_and_for_those_who_want_them() {
        let check = |is_terminal, no_color: Option<&str>, expected| {
            assert_eq!(has_colours(is_terminal, no_color.map(OsStr::new)), expected, "{is_terminal} {no_color:?}");
        };
        check(true, None, true);
        check(true, Some(""), true);
        check(true, Some("1"), false);
        check(false, None, false);
        check(false, Some(""), false);
    }
}
