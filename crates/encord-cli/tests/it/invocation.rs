//! Runs the binary.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A run of `encord` to be.
pub(crate) struct Invocation {
    command: Command,
    stdin: String,
    stderr: Stdio,
}

/// A run of `encord` that has been.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// `encord` with these arguments, separated by blanks, and an empty environment.
pub(crate) fn encord(arguments: &str) -> Invocation {
    let mut command = Command::new(env!("CARGO_BIN_EXE_encord"));
    command.args(arguments.split_whitespace()).env_clear();
    Invocation { command, stdin: String::new(), stderr: Stdio::piped() }
}

impl Invocation {
    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Has another program run it: with these words, then its own.
    pub(crate) fn by(self, words: [&str; 3]) -> Self {
        let [program, arguments @ ..] = words;
        let mut command = Command::new(program);
        command.args(arguments).arg(self.command.get_program()).args(self.command.get_args()).env_clear();
        Self { command, ..self }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = text.into();
        self
    }

    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Run {
        self.command.stdout(stdout);
        self.finish()
    }

    /// Has standard error go there, and not into the run.
    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = stderr.into();
        self
    }

    pub(crate) fn run(mut self) -> Run {
        self.command.stdout(Stdio::piped());
        self.finish()
    }

    pub(crate) fn start(self) -> Child {
        self.start_with(Stdio::null())
    }

    pub(crate) fn start_with(mut self, stdin: Stdio) -> Child {
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.command.spawn().expect("the binary starts")
    }

    fn finish(mut self) -> Run {
        let mut child = self.command.stdin(Stdio::piped()).stderr(self.stderr).spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("piped");
        // It may not want all of it.
        let writer = thread::spawn(move || drop(stdin.write_all(self.stdin.as_bytes())));
        let run = Run::of(child);
        writer.join().expect("written");
        run
    }
}

impl Run {
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the binary ends");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&self, code: i32, stdout: &str, stderr: &str) {
        assert_eq!((self.code, &*self.stdout, &*self.stderr), (Some(code), stdout, stderr));
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
