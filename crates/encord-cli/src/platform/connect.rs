//! The key, the client, and the exit codes of failed calls.

use std::env;
use std::path::{Path, PathBuf};

use encord_client::{EncordUserClient, Error, ErrorKind, KEY_FILE_VARIABLE, KeyError, SshPrivateKey};
use tracing_subscriber::filter::LevelFilter;

use crate::args::platform::PlatformOptions;
use crate::args::{SettingsOptions, When};
use crate::output::{Exit, Failure};
use crate::progress::Progress;
use crate::runtime::{self, Threads};
use crate::{layers, log};

/// Runs a command with a client.
pub(super) fn with_client<F>(
    options: &PlatformOptions,
    work: impl FnOnce(EncordUserClient) -> F,
) -> Result<Exit, Failure>
where
    F: Future<Output = Result<Exit, Failure>>,
{
    log::start(&Progress::new(When::Never, Threads::Few), LevelFilter::ERROR)?;
    let (runtime, _) = runtime::start()?;
    let client = client(options)?;
    runtime.block_on(work(client))
}

fn client(options: &PlatformOptions) -> Result<EncordUserClient, Failure> {
    let PlatformOptions { domain, ssh_key_file, settings, json: _ } = options;
    let settings = SettingsOptions { settings: settings.clone(), ..SettingsOptions::default() };
    let settings = layers::resolve(&settings, env::vars_os())?.settings().requests;
    let key = key(ssh_key_file.as_deref()).map_err(Failure::usage)?;
    EncordUserClient::builder(key)
        .domain(domain.clone())
        .settings(settings)
        .user_agent_suffix(concat!("encord-cli/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Failure::failed)
}

/// Reads the private key of this file, or the key that the environment names.
pub(crate) fn key(file: Option<&Path>) -> Result<SshPrivateKey, String> {
    let named = env::var_os(KEY_FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = file.or(named.as_deref()) {
        refuse_open_file(path)?;
    }
    let key = file.map_or_else(SshPrivateKey::from_env, |path| match env::var(encord_client::KEY_PASSWORD_VARIABLE) {
        Ok(password) if !password.is_empty() => SshPrivateKey::from_encrypted_file(path, &password),
        _ => SshPrivateKey::from_file(path),
    });
    key.map_err(|error: KeyError| error.to_string())
}

/// Refuses a key file that other users can read, because they could act as its owner.
#[cfg(unix)]
fn refuse_open_file(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;

    let shown = path.display();
    match path.metadata() {
        Ok(metadata) if metadata.permissions().mode() & 0o007 != 0 => Err(format!(
            "{shown}: everybody on this machine can read or change the private key; run `chmod 600 {shown}`"
        )),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn refuse_open_file(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// Makes a failure of an error. A name that does not exist or is ambiguous is wrong input; any other error is a failure of the
/// call.
pub(super) fn failure(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::NoSuchName | ErrorKind::AmbiguousName | ErrorKind::Input => Failure::usage(error),
        _ => Failure::failed(error),
    }
}
