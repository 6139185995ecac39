//! Fuzz targets: one function for each parser of foreign data. Each takes any bytes, and panics if a property does not hold.
#![expect(clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

pub mod corpus;
mod entries;
mod scratch;
pub mod targets;

mod args;

/// Modules of the command `encord`, which has no library.
#[expect(dead_code, reason = "the command uses more of their items")]
#[path = "../../../crates/encord-cli/src"]
mod command {
    pub(crate) mod escape;
    pub(crate) mod folders;
    pub(crate) mod layers;
    pub(crate) mod mistakes;
    pub(crate) mod output;
    pub(crate) mod schedule;
}

/// A private module of the uploader.
#[path = "../../../crates/encord-upload/src/expiry.rs"]
mod expiry;

/// A private module of the client.
#[expect(unreachable_pub, reason = "the client exports some of its items")]
#[path = "../../../crates/encord-http/src/rules"]
mod rules {
    pub(crate) mod reason;
}

// The modules of the command refer to each other as `crate::…`.
use crate::command::{escape, folders, layers, mistakes, output, schedule};

/// A secret that targets put into inputs. No output may contain it.
const SECRET: &str = "?s3cr3t&=";

/// Removes a byte order mark, as the parser of lines does. Returns `None` if the mark says UTF-16.
fn unmarked(data: &[u8]) -> Option<&[u8]> {
    let is_utf16 = data.starts_with(b"\xFF\xFE") || data.starts_with(b"\xFE\xFF");
    (!is_utf16).then(|| data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data))
}

/// Whether a line may have a lone surrogate.
fn has_surrogate(line: &[u8]) -> bool {
    line.windows(3).any(|window| window.eq_ignore_ascii_case(b"\\ud"))
}

/// Takes `N` bytes from the front. Missing bytes are zero.
fn take<const N: usize>(data: &mut &[u8]) -> [u8; N] {
    let (front, rest) = data.split_at(N.min(data.len()));
    *data = rest;
    let mut bytes = [0; N];
    bytes[..front.len()].copy_from_slice(front);
    bytes
}
