//! `cargo xtask soak`: uploads among faults, restarts and kills for a while, by `tests/examples/soak`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::Value;

use crate::job::{Job, Stop, cargo, command, scratch_folder};

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    seconds: f64,
    seed: u32,
}

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        // Any; it is printed.
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let mut options = Self { seconds: 30.0 * 60.0, seed: now.subsec_nanos() };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word {
                "--minutes" => {
                    let minutes: f64 = value()?.parse().map_err(|error| format!("--minutes: {error}"))?;
                    if !(minutes > 0.0 && minutes <= 60.0 * 24.0) {
                        return Err("--minutes: more than 0, at most those of a day".to_owned());
                    }
                    options.seconds = minutes * 60.0;
                }
                "--seed" => options.seed = value()?.parse().map_err(|error| format!("--seed: {error}"))?,
                unknown => return Err(format!("no option {unknown:?} of soak")),
            }
        }
        Ok(options)
    }
}

/// `Ok(false)`: something did not add up, or grew.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let mut job = Job::new("soak", true).map_err(|error| error.to_string())?;
    let mut soak = prepare(&mut job, "release", options).map_err(|stop| format!("{}{stop}", job.log_text()))?;
    soak.status().map(|status| status.success()).map_err(|error| error.to_string())
}

/// The check: for a few seconds, with the profile of the tests.
pub(crate) fn smoke(job: &mut Job) -> Result<(), Stop> {
    let options = Options { seconds: 5.0, ..Options::parse(&[]).map_err(Stop::Failed)? };
    let mut soak = prepare(job, "dev", &options)?;
    job.run(&mut soak)
}

/// Builds both programs.
fn prepare(job: &mut Job, profile: &str, options: &Options) -> Result<Command, Stop> {
    let mut build = |what: &str| -> Result<PathBuf, Stop> {
        let mut build =
            cargo(&format!("build --locked --profile {profile} --message-format json-render-diagnostics -p {what}"));
        let messages = job.output(build.stdout(Stdio::piped()))?;
        let program = messages.lines().find_map(|message| {
            let message: Value = serde_json::from_str(message).ok()?;
            Some(message["executable"].as_str()?.into())
        });
        program.ok_or_else(|| Stop::Failed(format!("{what} is no program")))
    };
    let (encord, soak) = (build("encord-cli")?, build("encord-tests --example soak")?);
    let folder = scratch_folder().map_err(|error| Stop::Failed(error.to_string()))?.join("soak");
    let mut soak = command(soak);
    let (seconds, seed) = (options.seconds.to_string(), options.seed.to_string());
    let words: [(&str, OsString); 4] = [
        ("--encord", encord.into()),
        ("--folder", folder.into()),
        ("--seconds", seconds.into()),
        ("--seed", seed.into()),
    ];
    for (name, value) in words {
        soak.arg(name).arg(value);
    }
    Ok(soak)
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options() {
        #[track_caller]
        fn refused(words: &[&str], expected: &str) {
            assert_eq!(Options::parse(words), Err(expected.to_owned()));
        }
        assert_eq!(Options::parse(&["--minutes", "0.5", "--seed", "7"]), Ok(Options { seconds: 30.0, seed: 7 }));
        assert_eq!(Options::parse(&[]).map(|options| options.seconds), Ok(1800.0));
        refused(&["--minutes"], "--minutes needs a value");
        refused(&["--minutes", "0"], "--minutes: more than 0, at most those of a day");
        refused(&["--quick"], "no option \"--quick\" of soak");
    }
}
