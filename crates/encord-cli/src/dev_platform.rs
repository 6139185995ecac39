//! `encord dev-platform`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use encord_dev_platform::{DevPlatform, DevelopmentKey, StartError};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::args::DevPlatformArgs;
use crate::escape::shell_quoted;
use crate::interrupt::Interrupt;
use crate::output::{Exit, Failure, json, note, print};
use crate::runtime;

/// The key in the folder of `--dir`.
const KEY_FILE: &str = "ssh-key";

#[derive(Serialize)]
struct Listening<'a> {
    domain: String,
    ssh_key_file: &'a Path,
    store: String,
}

pub(crate) fn run(args: &DevPlatformArgs) -> Result<Exit, Failure> {
    let faults = read("--faults", &args.faults)?;
    let store_faults = read("--store-faults", &args.store_faults)?;
    let switches = read("--switches", &args.switches)?;
    let key = KeyFile::make(args.dir.as_deref())?;
    let mut builder = DevPlatform::builder()
        .port(args.port)
        // Signed URLs stay valid after a restart only if the store gets the same port.
        .store_port(if args.port == 0 { 0 } else { args.port.saturating_add(1) })
        .faults(faults)
        .store_faults(store_faults)
        .switches(switches)
        .key(key.key.clone())
        .any_key(args.any_key)
        .demo(true)
        .log_limit(0)
        .on_request(|record| note(record));
    if let Some(dir) = &args.dir {
        builder = builder.folder(dir);
    }
    let (runtime, _) = runtime::start()?;
    runtime.block_on(async {
        let interrupt = Interrupt::listen()?.first()?;
        let platform = builder.start().await.map_err(|error| {
            let failure = Failure::failed(&error);
            let is_port =
                matches!(error, StartError::Bind(..) | StartError::Store(encord_dev_store::StartError::Bind(..)));
            if is_port { failure.with_hint("--port 0 takes two that are free") } else { failure }
        })?;
        let listening =
            Listening { domain: platform.domain(), ssh_key_file: &key.path, store: platform.store().base_url() };
        print(|out| {
            if args.json {
                return json(out, &listening);
            }
            writeln!(out, "export ENCORD_DOMAIN={}", listening.domain)?;
            writeln!(out, "export ENCORD_SSH_KEY_FILE={}", shell_quoted(&key.path.to_string_lossy()))
        })?;
        interrupt.await;
        platform.shutdown().await;
        Ok(Exit::Done)
    })
}

/// Reads the value of a flag, or the file that it names after `@`.
fn read<T: std::str::FromStr<Err: std::fmt::Display>>(flag: &str, text: &str) -> Result<T, Failure> {
    let bad = |error: &dyn std::fmt::Display| {
        Failure::usage(format_args!("{flag}: {error}")).with_hint("encord dev-platform --help has the form")
    };
    let Some(path) = text.strip_prefix('@') else { return text.parse().map_err(|error| bad(&error)) };
    let text = fs::read_to_string(path).map_err(|error| bad(&format_args!("{path}: {error}")))?;
    text.parse().map_err(|error| bad(&error))
}

/// The key of the emulator, in a file that only its owner can read.
struct KeyFile {
    key: DevelopmentKey,
    path: PathBuf,
    /// Removes the file at the end.
    _temporary: Option<NamedTempFile>,
}

impl KeyFile {
    /// Opens the key in this folder, or makes it. Without a folder makes a temporary one.
    fn make(folder: Option<&Path>) -> Result<Self, Failure> {
        let place = |path: &Path, error: io::Error| Failure::failed(format_args!("{}: {error}", path.display()));
        let Some(folder) = folder else {
            let key = DevelopmentKey::generate();
            let mut file = NamedTempFile::with_prefix("encord-dev-platform-").map_err(Failure::failed)?;
            file.write_all(key.to_openssh().as_bytes()).map_err(|error| place(file.path(), error))?;
            return Ok(Self { key, path: file.path().to_owned(), _temporary: Some(file) });
        };
        let path = folder.join(KEY_FILE);
        let key = match fs::read_to_string(&path) {
            Ok(text) => DevelopmentKey::from_openssh(&text).ok_or_else(|| {
                Failure::failed(format_args!("{}: not a key that this command wrote", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = DevelopmentKey::generate();
                fs::create_dir_all(folder).map_err(|error| place(folder, error))?;
                write_private(&path, &key.to_openssh()).map_err(|error| place(&path, error))?;
                key
            }
            Err(error) => return Err(place(&path, error)),
        };
        // The path is absolute, because it is used in another shell.
        let path = path.canonicalize().map_err(|error| place(&path, error))?;
        Ok(Self { key, path, _temporary: None })
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_folder_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("new");
        let first = KeyFile::make(Some(&folder)).unwrap();
        let second = KeyFile::make(Some(&folder)).unwrap();
        assert_eq!((first.key.id(), first.path), (second.key.id(), second.path));
        fs::write(folder.join(KEY_FILE), "else").unwrap();
        let refused = KeyFile::make(Some(&folder)).err().unwrap();
        let path = folder.join(KEY_FILE);
        assert_eq!(refused.errors(), [format!("{}: not a key that this command wrote", path.display())]);
    }
}
