//! Shared by the upload benchmarks: programs, files to send, a server, and the measurement.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::case::{Case, InFlight, Program};

/// The limit for the disk space of all files. A longer manifest repeats files.
const MAX_DISK_BYTES: u64 = 512 * 1024 * 1024;

/// The SDK whose uploads are measured.
const SDK: &str = "current";

/// The programs, and a folder for their files.
pub(crate) struct Lab {
    pub(crate) folder: PathBuf,
    programs: PathBuf,
    /// The path of Python for each installed SDK, by name.
    pythons: Vec<(&'static str, PathBuf)>,
    curl: bool,
    /// The default of `encord upload --concurrency`.
    pub(crate) default_in_flight: u64,
}

impl Lab {
    /// Finds the programs. The smoke run skips missing peers, with a note.
    pub(crate) fn open(smoke: bool) -> Result<Self> {
        let programs = env::current_exe()?.parent().context("no folder")?.to_owned();
        let folder = root().join("target/xtask/bench");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let mut pythons = Vec::new();
        for sdk in ["seed", "current"] {
            let python = root().join("target/venv").join(sdk).join("bin/python");
            if python.exists() {
                pythons.push((sdk, python));
            } else {
                missing(smoke, &format!("the {sdk} Python SDK (installed by `cargo xtask vectors`)"))?;
            }
        }
        let curl = output(Command::new("curl").arg("--version")).is_ok();
        if !curl {
            missing(smoke, "curl")?;
        }
        let help = output(Command::new(programs.join("encord")).args(["upload", "--help"]))?;
        let default_in_flight = default_of(&help, "--concurrency").context("no default of --concurrency")?;
        Ok(Self { folder, programs, pythons, curl, default_in_flight })
    }

    pub(crate) fn has(&self, program: Program) -> bool {
        match program {
            Program::Sdk => self.python(SDK).is_some(),
            Program::Curl => self.curl,
            Program::Ours | Program::Reqwest | Program::Hyper => true,
        }
    }

    pub(crate) fn in_flight(&self, case: &Case) -> u64 {
        match case.in_flight {
            InFlight::Default => self.default_in_flight,
            InFlight::Is(number) => number,
        }
    }

    /// Prepares files, server and lists for one workload.
    pub(crate) fn set_up(&self, case: &Case) -> Result<Setup<'_>> {
        let tls = case.tls.then(|| certificate(&self.folder));
        let server = Server::start(self, &[("--delay-ms", case.service_ms)], tls.as_deref())?;
        let setup = Setup { lab: self, case: *case, server };
        setup.write().with_context(|| self.folder.display().to_string())?;
        Ok(setup)
    }

    /// Returns the path of Python for an SDK; `None` if the SDK is not installed.
    pub(crate) fn python(&self, sdk: &str) -> Option<&Path> {
        self.pythons.iter().find_map(|(name, python)| (*name == sdk).then_some(&**python))
    }

    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.programs.join(program)
    }

    pub(crate) fn curl(&self) -> bool {
        self.curl
    }
}

/// Handles a missing peer. The smoke run says so, continues without it, and notes the peer in a file as the tests do. With
/// `ENCORD_TESTS_STRICT`, and in a full run, this is an error.
fn missing(smoke: bool, peer: &str) -> Result<()> {
    if !smoke || env::var_os("ENCORD_TESTS_STRICT").is_some() {
        bail!("{peer} is missing");
    }
    eprintln!("skipped: benchmarks against {peer}");
    if let Some(path) = env::var_os("ENCORD_TESTS_SKIPPED") {
        writeln!(File::options().append(true).create(true).open(path)?, "benchmarks against {peer}")?;
    }
    Ok(())
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Runs a command in the root of the workspace, and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command.current_dir(root()).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| shown.clone())?;
    if !output.status.success() {
        bail!("{shown}: {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Finds the default of an option in a help text: the first `[default: N]` after its name.
fn default_of(help: &str, option: &str) -> Option<u64> {
    let (_, after) = help.split_once(option)?;
    let (_, after) = after.split_once("[default: ")?;
    after.split_once(']')?.0.parse().ok()
}

pub(crate) fn read_json(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| format!("not JSON: {text:?}"))
}

/// A prepared workload.
pub(crate) struct Setup<'a> {
    lab: &'a Lab,
    case: Case,
    server: Server,
}

/// The measurement of one run of one program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    pub(crate) cpu: f64,
    pub(crate) peak: f64,
    pub(crate) connections: f64,
}

impl Setup<'_> {
    /// Writes missing files, the manifest, and the list for curl.
    fn write(&self) -> std::io::Result<()> {
        let Case { files, size, .. } = self.case;
        write_lists(&self.lab.folder, files, size, |index| self.server.url(index)).map(drop)
    }

    fn manifest(&self) -> PathBuf {
        manifest_in(&self.lab.folder)
    }

    fn curl_list(&self) -> PathBuf {
        curl_list_in(&self.lab.folder)
    }

    /// Runs a program once. Fails unless every file arrived exactly once and complete.
    pub(crate) fn run(&mut self, program: Program) -> Result<Sample> {
        let mut command = self.lab.program("bench-measure");
        self.command(program, &mut command);
        let measured = read_json(&output(&mut command)?)?;
        let counted = self.server.counted()?;
        let Case { files, size, .. } = self.case;
        if measured["success"] != true || counted["requests"] != files || counted["bytes"] != files * size {
            bail!(
                "{} did not upload {files} files of {size} bytes once each: {measured}, the server counted {counted}",
                program.name(),
            );
        }
        // A program may report the time of its upload. Otherwise the time of the whole run counts.
        let own = serde_json::from_str(measured["said"].as_str().unwrap_or_default())
            .ok()
            .filter(|_| program == Program::Sdk)
            .and_then(|said: Value| said["seconds"].as_f64());
        let figure = |name: &str| measured[name].as_f64();
        let sample = || {
            Some(Sample {
                seconds: own.or_else(|| figure("wall_s"))?,
                cpu: figure("cpu_s")?,
                peak: figure("peak_bytes")?,
                connections: counted["connections"].as_f64()?,
            })
        };
        sample().with_context(|| format!("no measurement: {measured}"))
    }

    fn command(&self, program: Program, command: &mut Command) {
        let programs = &self.lab.programs;
        let in_flight = self.lab.in_flight(&self.case).to_string();
        match program {
            Program::Ours => {
                command
                    .arg(programs.join("encord"))
                    .args(["upload", "--progress", "never", "--no-journal", "--manifest"])
                    .arg(self.manifest());
                if let InFlight::Is(_) = self.case.in_flight {
                    command.args(["--concurrency", &in_flight]);
                }
            }
            Program::Sdk => {
                command.args(self.lab.python(SDK)).arg("tests/python/bench_upload.py").arg(self.manifest());
            }
            Program::Curl => {
                // `--parallel-immediate` is not used, because it made curl slower.
                command.args([
                    "curl",
                    "--silent",
                    "--show-error",
                    "--fail",
                    "--parallel",
                    "--parallel-max",
                    &in_flight,
                ]);
                command.args(["--header", "Content-Type: image/jpeg", "--header", "Cache-Control: max-age=86400"]);
                command.arg("--config").arg(self.curl_list());
                if self.case.tls {
                    command.arg("--cacert").arg(certificate(&self.lab.folder));
                }
            }
            Program::Reqwest => {
                command.arg(programs.join("bench-reqwest")).arg(self.manifest()).arg(&in_flight);
            }
            Program::Hyper => {
                command.arg(programs.join("bench-hyper")).arg(self.manifest()).arg(&in_flight);
            }
        }
        if self.case.tls {
            for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
                command.env(variable, certificate(&self.lab.folder));
            }
        }
        let settings = |name: &str| name.starts_with("ENCORD_") || name.to_ascii_lowercase().ends_with("_proxy");
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(settings)) {
            command.env_remove(name);
        }
    }
}

/// Writes missing files, a manifest for all files, and the same list for curl.
pub(crate) fn write_lists(
    lab: &Path,
    files: u64,
    size: u64,
    url: impl Fn(u64) -> String,
) -> std::io::Result<(PathBuf, PathBuf)> {
    let distinct = files.min((MAX_DISK_BYTES / size).max(1));
    let folder = write_files(&lab.join(format!("files-{size}")), distinct, size)?;
    let mut manifest = BufWriter::new(File::create(manifest_in(lab))?);
    let mut list = BufWriter::new(File::create(curl_list_in(lab))?);
    for index in 0..files {
        let path = file(&folder, index % distinct);
        let url = url(index);
        writeln!(manifest, "{}", json!({"path": path, "signed_url": url, "data_type": "image"}))?;
        // curl quotes like JSON.
        writeln!(list, "upload-file = {}\nurl = {}", json!(path), json!(url))?;
    }
    manifest.flush()?;
    list.flush()?;
    Ok((manifest_in(lab), curl_list_in(lab)))
}

/// Writes so many files of this size where they are not there yet, and returns the folder.
pub(crate) fn write_files(folder: &Path, files: u64, size: u64) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let block = noise();
    for index in 0..files {
        let path = file(folder, index);
        if !fs::metadata(&path).is_ok_and(|found| found.len() == size) {
            let mut file = File::create(&path)?;
            let mut left = size;
            while left > 0 {
                let part = usize::try_from(left).unwrap_or(block.len()).min(block.len());
                file.write_all(&block[..part])?;
                left -= part as u64;
            }
        }
    }
    Ok(folder.to_owned())
}

fn manifest_in(lab: &Path) -> PathBuf {
    lab.join("manifest.jsonl")
}

fn curl_list_in(lab: &Path) -> PathBuf {
    lab.join("curl.cfg")
}

fn file(folder: &Path, index: u64) -> PathBuf {
    folder.join(format!("{index:06}.jpg"))
}

fn certificate(folder: &Path) -> PathBuf {
    folder.join("certificate.pem")
}

/// Returns 1 MiB of incompressible bytes (xorshift64*).
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut word = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    };
    (0..1024 * 1024 / 8).flat_map(|_| word()).collect()
}

/// A process that is killed when this is dropped.
pub(crate) struct KillOnDrop(pub(crate) Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A running server, which discards all payloads. It ends when this is dropped.
pub(crate) struct Server {
    _child: KillOnDrop,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    base: String,
}

impl Server {
    /// Starts `bench-server` with these options. It uses TLS if there is a file for its certificate.
    pub(crate) fn start(lab: &Lab, options: &[(&str, u64)], certificate: Option<&Path>) -> Result<Self> {
        let mut command = lab.program("bench-server");
        for (option, value) in options {
            command.arg(option).arg(value.to_string());
        }
        if let Some(certificate) = certificate {
            command.arg("--tls").arg(certificate);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("bench-server")?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the server has no pipes");
        };
        let mut server = Self { _child: KillOnDrop(child), stdin, stdout: BufReader::new(stdout), base: String::new() };
        let address = server.line()?;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        server.base = format!("{scheme}://{}", address.trim());
        Ok(server)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.base.rsplit('/').next().unwrap_or_default()
    }

    /// Returns a URL as long as the URLs of real stores.
    fn url(&self, index: u64) -> String {
        format!("{}/bucket/{index:06}.jpg?X-Expires=3600&X-Signature={:0>64}", self.base, index)
    }

    /// Returns the counts since the last call.
    pub(crate) fn counted(&mut self) -> Result<Value> {
        self.stdin.write_all(b"\n").and_then(|()| self.stdin.flush()).context("the server")?;
        read_json(&self.line()?)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).context("the server")?;
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::default_of;

    #[test]
    fn the_default_stands_in_the_help() {
        let help = "--manifest <FILE>\n  The manifest\n--concurrency <N>\n  How many\n\n  [default: 16]\n--json\n  [default: 3]";
        assert_eq!(default_of(help, "--concurrency"), Some(16));
        assert_eq!(default_of(help, "--shard"), None);
    }
}
