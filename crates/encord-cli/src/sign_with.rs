//! `--sign-with`: signed URLs from a program of the user.

use std::ffi::{OsStr, OsString};
use std::process::Stdio;

use encord_upload::formats::{PathAsJson, read_target};
use encord_upload::{SignedTarget, SignedUrlSource, SourceError, UploadItem};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::escape::escaped;

/// A program that reads items as JSON Lines on its standard input, and answers each with a line that has its signed URL. It is
/// started for several items at a time, and again for each URL that has expired.
#[derive(Debug)]
pub(crate) struct SignCommand {
    command: OsString,
}

impl SignCommand {
    pub(crate) fn new(command: &OsStr) -> Self {
        Self { command: command.to_owned() }
    }

    async fn ask(&self, items: &[UploadItem]) -> Result<Vec<Result<SignedTarget, SourceError>>, String> {
        let mut command = shell(&self.command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut program = command.spawn().map_err(|error| format!("cannot start {}: {error}", self.name()))?;
        let question: String = items.iter().map(question).collect();
        let input = program.stdin.take();
        let ask = async {
            if let Some(mut input) = input {
                // A failed write is ignored: a program may answer without reading its whole input.
                let _ = input.write_all(question.as_bytes()).await;
            }
        };
        let ((), ended) = futures_util::future::join(ask, program.wait_with_output()).await;
        let ended = ended.map_err(|error| format!("{}: {error}", self.name()))?;
        let said = String::from_utf8_lossy(&ended.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).map(|line| format!(": {}", escaped(line.trim())));
        if !ended.status.success() {
            return Err(format!("{} ended with {}{}", self.name(), ended.status, last.unwrap_or_default()));
        }
        let answer = String::from_utf8_lossy(&ended.stdout);
        let lines: Vec<&str> = answer.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.len() != items.len() {
            return Err(format!("{} answered {} lines to {} paths", self.name(), lines.len(), items.len()));
        }
        let target = |line: &str| read_target(line).map_err(|reason| format!("{}: {reason}", self.name()).into());
        Ok(lines.into_iter().map(target).collect())
    }

    fn name(&self) -> String {
        format!("`{}`", escaped(&self.command.to_string_lossy()))
    }
}

impl SignedUrlSource for SignCommand {
    async fn sign(&self, items: &[UploadItem]) -> Vec<Result<SignedTarget, SourceError>> {
        match self.ask(items).await {
            Ok(answers) => answers,
            Err(problem) => items.iter().map(|_| Err(problem.clone().into())).collect(),
        }
    }
}

/// Returns the line for the program about one item.
fn question(item: &UploadItem) -> String {
    let title = serde_json::Value::from(item.display_title());
    format!("{{\"path\": {}, \"title\": {title}}}\n", PathAsJson(&item.path))
}

fn shell(command: &OsStr) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut program = Command::new(shell);
    program.arg(flag).arg(command);
    program
}
