//! The binary `encord`, run as a user runs it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::until_running;

/// Stands in the query of every signed URL and may come out nowhere (rule U9).
pub(crate) const SECRET: &str = "5ec7e7c0ffee";

/// A line of a manifest.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) path: PathBuf,
    /// Without the query; see [`signed`].
    pub(crate) url: String,
    pub(crate) data_type: &'static str,
}

/// Runs of `encord upload` to be: with one manifest, one report and, if asked for, one journal.
pub(crate) struct Upload {
    wrapper: Vec<String>,
    flags: Vec<String>,
    variables: Vec<(String, OsString)>,
    folder: TempDir,
}

/// A run of `encord upload` under way. It is killed when it is dropped.
pub(crate) struct Running<'a> {
    upload: &'a Upload,
    child: Child,
}

/// A run of `encord upload` that has been, and in which the secret came out nowhere.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    /// The one object on standard output.
    pub(crate) summary: Value,
    pub(crate) report: Vec<Line>,
}

/// A line of the report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) index: usize,
    pub(crate) path: PathBuf,
    pub(crate) title: String,
    pub(crate) status: String,
    pub(crate) bytes: u64,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) error: Option<String>,
    /// A time, where it was started.
    #[serde(rename = "ended_at")]
    _ended_at: Option<String>,
    #[serde(rename = "seconds")]
    _seconds: Option<f64>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempt {
    pub(crate) outcome: String,
    pub(crate) phase: String,
    pub(crate) waited_s: f64,
}

/// A URL as Google signs them. One that has a query keeps it.
pub(crate) fn signed(url: &str) -> String {
    let begin = if url.contains('?') { "&" } else { "?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Expires=3600&" };
    format!("{url}{begin}X-Goog-Signature={SECRET}")
}

/// `encord upload` of these items, with every word that it has on its work, in an environment of its own.
pub(crate) fn upload(items: &[Item]) -> Upload {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let upload = Upload { wrapper: Vec::new(), flags: Vec::new(), variables: Vec::new(), folder };
    upload.rewrite(items);
    upload
}

impl Upload {
    /// Further flags, separated by blanks.
    pub(crate) fn flags(mut self, flags: &str) -> Self {
        self.flags.extend(flags.split_whitespace().map(str::to_owned));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// A program, with its arguments, that is to run it.
    pub(crate) fn within(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Another manifest for the runs to come.
    pub(crate) fn rewrite(&self, items: &[Item]) {
        let mut manifest = BufWriter::new(fs::File::create(self.folder.path().join("items.jsonl")).unwrap());
        for Item { path, url, data_type } in items {
            let line = json!({"path": path, "signed_url": signed(url), "data_type": data_type});
            writeln!(manifest, "{line}").unwrap();
        }
        manifest.flush().unwrap();
    }

    /// A file among those that the runs write.
    pub(crate) fn written(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    /// Runs it, and looks for the secret in all that it printed and wrote.
    #[track_caller]
    pub(crate) fn run(&self) -> Run {
        self.start().end()
    }

    #[track_caller]
    pub(crate) fn start(&self) -> Running<'_> {
        let words = self.wrapper.iter().map(OsStr::new).chain([binary().as_os_str()]).collect::<Vec<_>>();
        let mut command = Command::new(words[0]);
        let (out, folder) = (self.folder.path().join("out"), self.folder.path());
        let fixed = "upload --manifest ../items.jsonl --report report.jsonl --json --progress always";
        command.args(&words[1..]).args(fixed.split(' ')).args(&self.flags);
        if !self.flags.iter().any(|flag| flag.starts_with("--journal")) {
            command.arg("--no-journal");
        }
        command.current_dir(&out).env_clear().env("HOME", &out).env("TMPDIR", &out).env("ENCORD_LOG", "trace");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| fs::File::create(folder.join(name)).unwrap());
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
        Running { upload: self, child }
    }

    /// Looks for the secret in all that was printed and written; returns standard output and standard error.
    #[track_caller]
    fn check_secret(&self) -> [String; 2] {
        let manifest = fs::read(self.folder.path().join("items.jsonl")).unwrap();
        assert!(has_secret(&manifest), "nothing to look for");
        for file in files(&self.folder.path().join("out")) {
            assert!(!has_secret(file.as_os_str().as_encoded_bytes()), "the secret is the name of a file");
            assert!(!has_secret(&fs::read(&file).unwrap()), "the secret is in {}", file.display());
        }
        ["stdout", "stderr"].map(|name| {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap();
            assert!(!has_secret(text.as_bytes()), "the secret is on {name}");
            text
        })
    }
}

impl Running<'_> {
    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    #[track_caller]
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until something is so. Fails if the run ends before.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is_so: impl FnMut() -> bool) {
        until_running(&mut self.child, what, is_so);
    }

    /// Kills it with `SIGKILL`, and looks for the secret in all that it leaves.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it ended before it was killed");
        self.upload.check_secret();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(self) -> Run {
        self.end_in_words().unwrap_or_else(|(code, stderr)| panic!("{code:?}: {stderr}"))
    }

    /// Waits for its end: the run, or exit code and standard error where it made no report.
    #[track_caller]
    pub(crate) fn end_in_words(mut self) -> Result<Run, (Option<i32>, String)> {
        let code = self.child.wait().unwrap().code();
        let [stdout, stderr] = self.upload.check_secret();
        let Ok(report) = fs::read_to_string(self.upload.written("report.jsonl")) else { return Err((code, stderr)) };
        Ok(Run {
            code,
            summary: serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}")),
            report: report.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            stderr,
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Run {
    /// How many items have this status.
    pub(crate) fn count(&self, status: &str) -> usize {
        self.report.iter().filter(|line| line.status == status).count()
    }

    /// Every item has its line, in input order.
    #[track_caller]
    pub(crate) fn check_order(&self, items: &[Item]) {
        assert_eq!(self.report.len(), items.len());
        for (index, (line, item)) in self.report.iter().zip(items).enumerate() {
            assert_eq!((line.index, &line.path), (index, &item.path));
            assert_eq!(Some(OsStr::new(&line.title)), item.path.file_name());
        }
    }
}

impl Line {
    /// The outcome of each attempt.
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        self.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect()
    }
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

pub(crate) fn has_secret(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains(SECRET) || text.contains(&SECRET.to_ascii_uppercase())
}

/// Cargo gives a test only the binaries of its own package, so this one is built here: once, where the tests were built. A run
/// of the tests of all packages has built it already, with the features that they share, and says where it is.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(built) = env::var_os("ENCORD_TESTS_BINARY") {
            return built.into();
        }
        // <target folder>/<profile>/deps/it-<hash>
        let test = env::current_exe().unwrap();
        let [profile, target] = [2, 3].map(|above| test.ancestors().nth(above).unwrap());
        let profile = profile.file_name().and_then(OsStr::to_str).unwrap();
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--package", "encord-cli", "--bin", "encord", "--message-format", "json"])
            .args(["--profile", if profile == "debug" { "dev" } else { profile }])
            .env("CARGO_TARGET_DIR", target)
            .stderr(Stdio::inherit());
        // What cargo tells a test about its package would tell the build scripts of dependencies that they are stale.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                build.env_remove(name);
            }
        }
        let output = build.output().unwrap();
        let messages = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "the binary `encord` cannot be built\n{messages}");
        let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut executables = messages.filter_map(|message| Some(message["executable"].as_str()?.into()));
        executables.next().unwrap()
    })
}
