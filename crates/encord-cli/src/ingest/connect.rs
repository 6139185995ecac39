//! How the command reaches the platform.

use std::env;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use encord_client::{Domain, EncordUserClient, RequestsSettings};

use crate::output::Failure;
use crate::platform;

/// Which installation of the platform, and with which key.
#[derive(Debug, Default, Args)]
pub(crate) struct ConnectOptions {
    /// The platform: eu, us, or a URL. Also set by `ENCORD_DOMAIN`; default eu.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Option<String>,
    /// The file with the private SSH key. Also set by `ENCORD_SSH_KEY_FILE`; `ENCORD_SSH_KEY` is the key itself.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ssh_key_file: Option<PathBuf>,
}

/// A client for these options and the environment.
///
/// # Errors
///
/// There is no key, or it cannot be used; there is no such domain.
pub(crate) fn client(options: &ConnectOptions, settings: RequestsSettings) -> Result<EncordUserClient, Failure> {
    let by_variable = || env::var("ENCORD_DOMAIN").ok().filter(|domain| !domain.trim().is_empty());
    let domain = match options.domain.clone().or_else(by_variable) {
        Some(domain) => domain.trim().parse::<Domain>().map_err(Failure::usage)?,
        None => Domain::default(),
    };
    let key = platform::key(options.ssh_key_file.as_deref()).map_err(Failure::usage)?;
    EncordUserClient::builder(key)
        .domain(domain)
        .settings(settings)
        .user_agent_suffix(concat!("encord-cli/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Failure::failed)
}
