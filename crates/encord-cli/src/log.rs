//! The log, on standard error.

use std::env;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::clock::time_of_day;
use crate::escape::{Escaped, escaped};
use crate::output::Failure;
use crate::progress::Progress;

/// The variable that filters the log, in the syntax of `RUST_LOG`.
const VARIABLE: &str = "ENCORD_LOG";

/// Starts the log, which is written above the progress bar. `least` is the level that is logged if the variable is not set.
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
    let form = Form { has_places: !directives.is_empty() || least > LevelFilter::WARN };
    let progress = progress.clone();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colours(io::stderr().is_terminal(), env::var_os("NO_COLOR").as_deref()))
        // It would print errors by `eprintln!`, which panics when standard error cannot be written.
        .log_internal_errors(false)
        .event_format(form)
        .with_writer(move || progress.above())
        .try_init()
        .map_err(Failure::failed)
}

fn has_colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

/// A line of the log: `12:03:04 WARN upload failed: a.jpg: PUT …`.
struct Form {
    /// Whether modules and spans are named, for debugging.
    has_places: bool,
}

impl<S, N> FormatEvent<S, N> for Form
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = event.metadata().level();
        write!(out, "{} ", time_of_day())?;
        if out.has_ansi_escapes() {
            write!(out, "\x1b[{}m{level}\x1b[0m ", colour(*level))?;
        } else {
            write!(out, "{level} ")?;
        }
        if self.has_places {
            write!(out, "{}: ", event.metadata().target())?;
            for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
                let extensions = span.extensions();
                let fields = extensions.get::<FormattedFields<N>>().map_or("", |fields| fields.fields.as_str());
                write!(out, "{}{{{}}}: ", span.name(), escaped(fields))?;
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        writeln!(out, "{}", fields.text(self.has_places))
    }
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}

/// The fields of an event, in their order.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Fields {
    /// The message, the file and the error as a sentence; other fields by name.
    fn text(&self, has_places: bool) -> String {
        let mut text = escaped(&self.message).into_owned();
        let path = self.others.iter().find(|(name, _)| *name == "path").map(|(_, path)| path);
        for (name, value) in &self.others {
            let repeats_path = *name == "title" && path.is_some_and(|path| path.ends_with(value.as_str()));
            // Writing to a string cannot fail.
            let _ = match *name {
                "path" | "error" => write!(text, ": {}", Escaped(value)),
                "title" if repeats_path && !has_places => Ok(()),
                name => write!(text, " {name}={}", Escaped(value)),
            };
        }
        text
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = format!("{value:?}");
        if field.name() == "message" { self.message = value } else { self.others.push((field.name(), value)) }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
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

    #[test]
    fn u9_a_line_is_a_sentence_and_one_line() {
        #[track_caller]
        fn check(fields: &[(&'static str, &str)], has_places: bool, expected: &str) {
            let others = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            assert_eq!(Fields { message: "upload failed".to_owned(), others }.text(has_places), expected);
        }
        let fields = [("path", "in/a.jpg"), ("title", "a.jpg"), ("error", "reset")];
        check(&fields, false, "upload failed: in/a.jpg: reset");
        check(&fields, true, "upload failed: in/a.jpg title=a.jpg: reset");
        check(&[("path", "a.jpg"), ("title", "A")], false, "upload failed: a.jpg title=A");
        check(&[("path", "\u{1b}[2J\n")], false, "upload failed: \\u{1b}[2J\\n");
        check(&[("url", "h/\u{7}")], true, "upload failed url=h/\\u{7}");
    }
}
