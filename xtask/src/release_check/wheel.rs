//! The command as a Python wheel: built, installed into a fresh virtual environment, and run.

use std::process::Stdio;

use crate::job::{Job, Stop, command, root, scratch_folder};

pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let folder = scratch_folder().map_err(|error| Stop::Failed(error.to_string()))?.join("wheel");
    job.run(command("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = "-m pip install --quiet --disable-pip-version-check --no-input --no-cache-dir".split(' ');
    let mut install = command(folder.join("bin/python"));
    install.args(pip).arg(root().join("crates/encord-cli"));
    // Uses crates that are already compiled.
    job.run(install.env("CARGO_TARGET_DIR", root().join("target")))?;

    let encord = folder.join("bin/encord");
    let version = job.output(command(&encord).arg("--version").stdout(Stdio::piped()))?;
    if !version.starts_with(concat!("encord ", env!("CARGO_PKG_VERSION"))) {
        return Err(Stop::Failed(format!("`encord --version` says {version:?}")));
    }
    let known = job.output(command(&encord).args(["data-type", "dicom_study"]).stdout(Stdio::piped()))?;
    if !known.contains("DICOM_STUDY") {
        return Err(Stop::Failed(format!("`encord data-type dicom_study` says {known:?}")));
    }
    job.notes.push(version.trim().to_owned());
    Ok(())
}
