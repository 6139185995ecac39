//! Tells the program which commit it is built from: `ENCORD_VERSION` is what `encord --version` shows.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Programs under development are built after each commit; they do without, so that not all is built again.
    let release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if release { of_the_package().or_else(of_the_checkout) } else { None };
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    match commit {
        Some(commit) => println!("cargo:rustc-env=ENCORD_VERSION={version} ({commit})"),
        None => println!("cargo:rustc-env=ENCORD_VERSION={version}"),
    }
}

/// A package from a registry has no git, but a note of the commit that it was made from.
fn of_the_package() -> Option<String> {
    let note = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, after) = note.split_once("\"sha1\": \"")?;
    shortened(after.split('"').next()?)
}

/// The commit of the checkout, with a mark if there are changes to it.
fn of_the_checkout() -> Option<String> {
    // Not the commit of a repository that this folder merely lies in.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let here = fs::canonicalize(".").ok()?;
    if here.parent()?.parent()? != fs::canonicalize(top).ok()? {
        return None;
    }
    for file in ["HEAD", "logs/HEAD", "index"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let commit = shortened(&git(&["rev-parse", "HEAD"])?)?;
    let changed = !git(&["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if changed { format!("{commit} with changes") } else { commit })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn shortened(commit: &str) -> Option<String> {
    let is_commit = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| commit[..10].to_owned())
}
