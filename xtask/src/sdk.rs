//! Installs the Python SDKs in virtual environments, records vectors with them, and compares them with our code. It also installs
//! the libraries of the clouds, which test the development store.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use crate::job::{Job, Stop, cargo, command, root};

/// A virtual environment below `target/venv`, with the packages that `tests/python/pins` lists for it.
struct Environment(&'static str);

/// The SDK that the documentation describes, and the newest one that the tests know.
const SDKS: [Environment; 2] = [Environment("seed"), Environment("current")];

/// Public implementations of signed URLs, a server that checks them, and files of many kinds.
const STORAGE: Environment = Environment("storage");

impl Environment {
    fn folder(&self) -> PathBuf {
        root().join("target/venv").join(self.0)
    }

    fn python(&self) -> PathBuf {
        self.folder().join("bin/python")
    }

    fn pins(&self) -> PathBuf {
        root().join("tests/python/pins").join(self.0).with_extension("txt")
    }

    fn recorded(&self) -> PathBuf {
        root().join("tests/vectors").join(self.0).with_extension("json")
    }

    fn install(&self, job: &mut Job) -> Result<(), Stop> {
        let (pins, stamp) = (self.pins(), self.folder().join("installed"));
        let wanted = fs::read_to_string(&pins).map_err(|error| Stop::from((&*pins, error)))?;
        if self.python().exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == wanted) {
            return Ok(());
        }
        // Each list is complete, so that nothing is to be resolved.
        let pip =
            "-m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps --requirement"
                .split(' ');
        let installed = job
            .run(command("python3").args(["-m", "venv", "--clear"]).arg(self.folder()))
            .and_then(|()| job.run(command(self.python()).args(pip).arg(&pins)));
        installed.map_err(|stop| Stop::Missing {
            what: format!("what {} lists ({stop})", pins.display()),
            install: "python3 with venv, and a network that reaches PyPI".to_owned(),
        })?;
        fs::write(&stamp, wanted).map_err(|error| Stop::from((&*stamp, error)))
    }

    fn ask(&self, job: &mut Job) -> Result<String, Stop> {
        job.output(command(self.python()).arg("tests/python/vectors.py").stdout(Stdio::piped()))
    }
}

/// `cargo xtask vectors`; `Ok(false)` if that failed.
pub(crate) fn vectors() -> Result<bool, String> {
    let mut job = Job::new("vectors", true).map_err(|error| error.to_string())?;
    let done = install(&mut job).and_then(|()| record(&mut job));
    if let Err(stop) = &done {
        eprintln!("{}{stop}", job.log_text());
    }
    Ok(done.is_ok())
}

/// Installs all environments.
pub(crate) fn install(job: &mut Job) -> Result<(), Stop> {
    SDKS.iter().chain([&STORAGE]).try_for_each(|environment| environment.install(job))
}

/// The check that the SDKs still give the recorded vectors, and the same results as our code on new random input.
pub(crate) fn conformance_live(job: &mut Job) -> Result<(), Stop> {
    install(job)?;
    compare(job)?;
    if job.strict && job.passed.contains(&"tests") {
        job.notes.push("fresh random input was part of `tests`".to_owned());
        return Ok(());
    }
    let live = "test --workspace --all-features --test it -- conformance_live";
    let listed = job.output(cargo(live).arg("--list").stdout(Stdio::piped()))?;
    if !listed.lines().any(|line| line.ends_with(": test")) {
        return Err(Stop::Failed("no test is named conformance_live".to_owned()));
    }
    job.run(cargo(live).env("ENCORD_TESTS_STRICT", "1"))
}

fn record(job: &mut Job) -> Result<(), Stop> {
    for sdk in &SDKS {
        let path = sdk.recorded();
        fs::write(&path, sdk.ask(job)?).map_err(|error| Stop::from((&*path, error)))?;
        println!("{}", path.display());
    }
    Ok(())
}

fn compare(job: &mut Job) -> Result<(), Stop> {
    for sdk in &SDKS {
        let path = sdk.recorded();
        let recorded = fs::read_to_string(&path).map_err(|error| Stop::from((&*path, error)))?;
        if let Some(difference) = first_difference(&recorded, &sdk.ask(job)?) {
            return Err(Stop::Failed(format!("{}: {difference}", path.display())));
        }
    }
    Ok(())
}

/// Finds the first different line. The version of Python is not compared, because the results must not depend on it.
fn first_difference(recorded: &str, fresh: &str) -> Option<String> {
    let counts = |line: &&str| !line.starts_with("  \"python\": ");
    let (mut recorded, mut fresh) = (recorded.lines().filter(counts), fresh.lines().filter(counts));
    loop {
        match (recorded.next(), fresh.next()) {
            (None, None) => return None,
            (old, new) if old == new => {}
            (old, new) => {
                let [old, new] = [old, new].map(|line| line.unwrap_or("(nothing)").trim());
                return Some(format!("differs\n  recorded: {old}\n  now:      {new}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn only_the_python_version_may_differ() {
        #[track_caller]
        fn check(recorded: &str, fresh: &str, expected: Option<&str>) {
            assert_eq!(first_difference(recorded, fresh).as_deref(), expected);
        }
        check("{\n  \"python\": \"3.11.2\",\n  1\n}", "{\n  \"python\": \"3.13.5\",\n  1\n}", None);
        check("{\n  1\n}", "{\n  2\n}", Some("differs\n  recorded: 1\n  now:      2"));
        check("1", "1\n2", Some("differs\n  recorded: (nothing)\n  now:      2"));
    }
}
