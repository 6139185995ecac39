//! `encord dev-store`.

use std::env;
use std::ffi::OsString;
use std::fs;

use encord_dev_store::faults::{FaultPlan, InvalidPlan};
use encord_dev_store::sign::Credentials;
use encord_dev_store::{DEFAULT_BUCKET, DevStore, StartError, Storage};
use serde::Serialize;

use crate::args::{DevStoreArgs, KeyOptions};
use crate::interrupt::Interrupt;
use crate::layers::is_blank;
use crate::output::{Exit, Failure, json, note, print};
use crate::runtime;

const KEY: &str = "ENCORD_DEV_STORE_KEY";
const SECRET: &str = "ENCORD_DEV_STORE_SECRET";

#[derive(Serialize)]
struct Listening {
    url: String,
    bucket: &'static str,
}

pub(crate) fn run(args: &DevStoreArgs) -> Result<Exit, Failure> {
    let storage = args.dir.clone().map_or(Storage::Memory, Storage::Folder);
    let builder = DevStore::builder()
        .port(args.port)
        .storage(storage)
        .faults(plan(&args.faults)?)
        .credentials(credentials(&args.key, |name| env::var_os(name))?)
        .open(args.open)
        .log_limit(0)
        .on_request(|record| note(record));
    let (runtime, _) = runtime::start()?;
    runtime.block_on(async {
        let interrupt = Interrupt::listen()?.first()?;
        let store = builder.start().await.map_err(|error| {
            let failure = Failure::failed(&error);
            let is_port = matches!(error, StartError::Bind(..));
            if is_port { failure.with_hint("--port 0 takes one that is free") } else { failure }
        })?;
        let listening = Listening { url: store.base_url(), bucket: DEFAULT_BUCKET };
        print(|out| if args.json { json(out, &listening) } else { writeln!(out, "{}", listening.url) })?;
        interrupt.await;
        store.shutdown().await;
        Ok(Exit::Done)
    })
}

fn plan(text: &str) -> Result<FaultPlan, Failure> {
    let Some(path) = text.strip_prefix('@') else { return text.parse().map_err(|error| bad_plan(&error)) };
    let text = fs::read_to_string(path).map_err(|error| Failure::usage(format_args!("--faults: {path}: {error}")))?;
    text.parse().map_err(|error| bad_plan(&error))
}

fn bad_plan(error: &InvalidPlan) -> Failure {
    Failure::usage(format_args!("--faults: {error}")).with_hint("encord dev-store --help has the form of a plan")
}

/// Returns the key of the flag, else of the environment, else the public key. No message repeats a secret.
pub(crate) fn credentials(
    KeyOptions { key }: &KeyOptions,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Credentials, Failure> {
    let (id, secret) = if let Some(key) = key {
        let parts = key.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()));
        parts.ok_or_else(|| Failure::usage("--key is written ID:SECRET"))?
    } else {
        let variable = |name| variable(name).filter(|value| !is_blank(value));
        match (variable(KEY), variable(SECRET)) {
            (None, None) => return Ok(Credentials::development()),
            (Some(id), Some(secret)) => match (id.into_string(), secret.into_string()) {
                (Ok(id), Ok(secret)) => (id, secret),
                _ => return Err(Failure::usage(format_args!("{KEY} or {SECRET} is not UTF-8"))),
            },
            _ => return Err(Failure::usage(format_args!("{KEY} and {SECRET} are given together or not at all"))),
        }
    };
    if id.is_empty() || secret.is_empty() {
        return Err(Failure::usage("neither the access id nor the secret can be empty"));
    }
    Ok(Credentials::new(id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(flag: Option<&str>, id: Option<&str>, secret: Option<&str>, expected: Result<&str, &str>) {
        let variable = |name: &str| if name == KEY { id } else { secret }.map(OsString::from);
        let outcome = credentials(&KeyOptions { key: flag.map(str::to_owned) }, variable);
        let outcome = outcome.map(|credentials| credentials.access_id().to_owned());
        let outcome = outcome.map_err(|failure| failure.errors().join("; "));
        assert_eq!(outcome.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn the_key_is_that_of_the_flag_then_of_the_environment_then_the_public_one() {
        check(None, None, None, Ok(Credentials::DEVELOPMENT_ACCESS_ID));
        check(None, Some("id"), Some("s"), Ok("id"));
        check(Some("flag:s:t"), Some("id"), Some("s"), Ok("flag"));
        check(Some("flag"), None, None, Err("--key is written ID:SECRET"));
        check(Some(":s"), None, None, Err("neither the access id nor the secret can be empty"));
        let together = "ENCORD_DEV_STORE_KEY and ENCORD_DEV_STORE_SECRET are given together or not at all";
        check(None, Some("id"), None, Err(together));
        check(None, None, Some("s"), Err(together));
        check(None, Some("id"), Some(" "), Err(together));
        check(None, Some(""), Some(" "), Ok(Credentials::DEVELOPMENT_ACCESS_ID));
        check(None, None, Some(""), Ok(Credentials::DEVELOPMENT_ACCESS_ID));
    }
}
