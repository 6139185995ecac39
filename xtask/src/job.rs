//! Runs commands for a check, with their output in a log.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt};

/// One run of one check. The log has its output and that of its commands. It is shown only if the check fails.
pub(crate) struct Job {
    pub(crate) strict: bool,
    /// Lines to print with the result, for example the skipped tests.
    pub(crate) notes: Vec<String>,
    /// The earlier checks of this run that have passed.
    pub(crate) passed: Vec<&'static str>,
    log: File,
    log_path: PathBuf,
}

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    Failed(String),
    /// A tool is missing. The check is skipped, or with `--strict` fails.
    Missing {
        what: String,
        install: String,
    },
}

impl Job {
    pub(crate) fn new(name: &str, strict: bool) -> io::Result<Self> {
        let log_path = scratch_folder()?.join(format!("{name}.log"));
        let log = File::create(&log_path)?;
        Ok(Self { strict, notes: Vec::new(), passed: Vec::new(), log, log_path })
    }

    pub(crate) fn log_text(&self) -> String {
        fs::read(&self.log_path).map_or_else(
            |error| format!("{}: {error}\n", self.log_path.display()),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    pub(crate) fn say(&mut self, line: impl fmt::Display) -> Result<(), Stop> {
        writeln!(self.log, "{line}").map_err(|error| Stop::from((&*self.log_path, error)))
    }

    /// Runs a command. If it does not succeed, the check stops.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<(), Stop> {
        self.output(command.stdout(self.log_handle()?)).map(drop)
    }

    /// Like [`run`](Self::run), but returns the standard output of the command, unless it was redirected.
    pub(crate) fn output(&mut self, command: &mut Command) -> Result<String, Stop> {
        let line = shell_line(command);
        self.say(format_args!("$ {line}"))?;
        let child = command.stdin(Stdio::null()).stderr(self.log_handle()?).spawn();
        let output = child
            .and_then(std::process::Child::wait_with_output)
            .map_err(|error| Stop::Failed(format!("{line}: {error}")))?;
        if output.status.success() {
            String::from_utf8(output.stdout).map_err(|error| Stop::Failed(format!("{line}: {error}")))
        } else {
            Err(Stop::Failed(format!("`{line}` failed: {}", output.status)))
        }
    }

    /// Runs tests that skip a part if a program is missing: they add a line to a file, and the line becomes a note. With
    /// `--strict` they fail.
    pub(crate) fn with_peers(&mut self, command: &mut Command) -> Result<(), Stop> {
        let skipped = self.log_path.with_extension("skipped");
        // Removes the file of an earlier run.
        drop(fs::remove_file(&skipped));
        if self.strict {
            command.env("ENCORD_TESTS_STRICT", "1");
        } else {
            command.env("ENCORD_TESTS_SKIPPED", &skipped);
        }
        self.run(command)?;
        let lines = fs::read_to_string(&skipped).unwrap_or_default();
        let lines: BTreeSet<_> = lines.lines().map(|line| format!("skipped: {line}")).collect();
        self.notes.extend(lines);
        Ok(())
    }

    fn log_handle(&self) -> Result<Stdio, Stop> {
        self.log.try_clone().map(Stdio::from).map_err(|error| Stop::from((&*self.log_path, error)))
    }
}

impl From<(&Path, io::Error)> for Stop {
    fn from((path, error): (&Path, io::Error)) -> Self {
        Self::Failed(format!("{}: {error}", path.display()))
    }
}

/// Passes if there are no problems.
pub(crate) fn none_of(problems: &[String]) -> Result<(), Stop> {
    if problems.is_empty() { Ok(()) } else { Err(Stop::Failed(problems.join("\n"))) }
}

/// Returns the root of the workspace. It is read at run time, because two checkouts may share a target folder and so this program.
pub(crate) fn root() -> PathBuf {
    let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let xtask = Path::new(&xtask);
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Returns the folder for files of the checks. It is always below `target`, even with `CARGO_TARGET_DIR`, so that tests find it.
pub(crate) fn scratch_folder() -> io::Result<PathBuf> {
    let folder = root().join("target/xtask");
    fs::create_dir_all(&folder).map(|()| folder)
}

/// A command in the root of the workspace.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Returns a command of the cargo that runs this program. `arguments` are separated by blanks.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split_whitespace());
    // Removes variables of the cargo that runs this program. ring's build script reads them, and would rebuild when they change.
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
    command
}

/// Returns the command as a person would type it, with the variables that this program sets.
fn shell_line(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())));
    let program = Path::new(command.get_program());
    let program = program.strip_prefix(root()).ok().or_else(|| program.file_name().map(Path::new)).unwrap_or(program);
    let words = [program.as_os_str()].into_iter().chain(command.get_args());
    variables.chain(words.map(|word| word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}
