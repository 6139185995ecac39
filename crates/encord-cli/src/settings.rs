//! `encord settings`.

use std::env;
use std::io::{self, Write};
use std::time::Duration;

use encord_http_settings::{
    BACKOFF_CAP, EffectiveUploadSettings, FieldValue, ResolvedField, UploadResolution, ValueOrigin,
};
use indicatif::HumanDuration;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::args::UploadArgs;
use crate::layers::{self, Source};
use crate::output::{Exit, Failure, json, print};
use crate::{schedule, variables};

/// How many waits are listed. A schedule can have four thousand million.
const LISTED: usize = 1000;

pub(crate) fn run(args: &UploadArgs) -> Result<Exit, Failure> {
    variables::warn_of_misspelt(env::vars_os());
    let resolution = layers::resolve(&args.settings, env::vars_os())?;
    let (looked, file) = layers::places(&args.settings, env::vars_os());
    print(|out| {
        if args.json {
            return json(
                out,
                &Document { looked_for_file: &looked, settings_file: file.as_deref(), ..Document::new(&resolution) },
            );
        }
        show(out, &resolution)?;
        match &file {
            Some(file) => writeln!(out, "settings file: {file}"),
            None => writeln!(out, "settings file: none; looked for in {}", looked.join(", ")),
        }
    })?;
    Ok(Exit::Done)
}

/// Returns the longest time of an upload, without the time in which its payload moves.
fn worst_case(settings: &EffectiveUploadSettings) -> Option<Duration> {
    settings.worst_case(Duration::ZERO)
}

#[derive(Serialize)]
struct Document<'a> {
    fields: Fields<'a>,
    backoff_delays_s: Vec<f64>,
    backoff_cap_s: f64,
    worst_case_s: Option<f64>,
    settings_file: Option<&'a str>,
    /// The places where a settings file is looked for, in order.
    looked_for_file: &'a [String],
}

struct Fields<'a>(&'a [ResolvedField<Source>]);

#[derive(Serialize)]
struct Field {
    value: FieldValue,
    origin: String,
    shadowed: Vec<Shadowed>,
}

#[derive(Serialize)]
struct Shadowed {
    origin: String,
    value: FieldValue,
}

impl<'a> Document<'a> {
    fn new(resolution: &'a UploadResolution<Source>) -> Self {
        let settings = resolution.settings();
        Self {
            fields: Fields(resolution.fields()),
            backoff_delays_s: settings.backoff_delays().take(LISTED).map(|wait| wait.as_secs_f64()).collect(),
            backoff_cap_s: BACKOFF_CAP.as_secs_f64(),
            worst_case_s: worst_case(&settings).map(|time| time.as_secs_f64()),
            settings_file: None,
            looked_for_file: &[],
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for ResolvedField { name, value, origin, shadowed } in self.0 {
            let shadowed =
                shadowed.iter().map(|(origin, value)| Shadowed { origin: origin.to_string(), value: *value });
            let field = Field { value: *value, origin: origin.to_string(), shadowed: shadowed.collect() };
            map.serialize_entry(name, &field)?;
        }
        map.end()
    }
}

fn show(out: &mut dyn Write, resolution: &UploadResolution<Source>) -> io::Result<()> {
    let mut row = |name: &str, value: &str, origin: &str, shadowed: &str| {
        let line = format!("{name:<18}  {value:<10}  {origin:<11}  {shadowed}");
        writeln!(out, "{}", line.trim_end())
    };
    row("FIELD", "VALUE", "ORIGIN", "SHADOWED")?;
    for ResolvedField { name, value, origin, shadowed } in resolution.fields() {
        let hidden = |(origin, value): &(ValueOrigin<Source>, FieldValue)| format!("{value} ({origin})");
        let shadowed: Vec<String> = shadowed.iter().map(hidden).collect();
        row(name, &value.to_string(), &origin.to_string(), &shadowed.join(", "))?;
    }
    let settings = resolution.settings();
    writeln!(out)?;
    schedule::draw(out, &settings)?;
    writeln!(out)?;
    match worst_case(&settings) {
        Some(time) => writeln!(
            out,
            "longest upload: {} s ({}), and the time in which its payload moves",
            time.as_secs_f64(),
            HumanDuration(time)
        ),
        None => writeln!(out, "longest upload: unlimited"),
    }
}
