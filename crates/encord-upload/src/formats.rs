//! The files of the command `encord upload`: the manifest lists the files and their URLs, the report lists the results.
//!
//! Both are JSON Lines: one JSON object per line, in UTF-8. They may have any number of lines; memory does not grow with it. No
//! error repeats a value that could be a signed URL (rule U9).

mod earlier;
mod line;
mod manifest;
mod object;
mod record;
mod report;
mod text;

use std::io;

use thiserror::Error;

pub use self::earlier::EarlierReport;
pub use self::line::{FileLine, MAX_HEADERS, Urls, read_target};
pub use self::manifest::{Items, Manifest};
pub use self::record::PathAsJson;
pub use self::report::{ReportAttempt, ReportLine, ReportLines};
pub use self::text::{MAX_LINE_BYTES, Utf16, without_byte_order_mark};

/// Why a manifest or a report cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[source] io::Error),
    /// The manifest is long and must be copied to a temporary file, but the copy cannot be written.
    #[error("cannot keep a copy of it in the folder for temporary files, {}: {source}", folder.display())]
    Copy {
        /// The folder.
        folder: std::path::PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A line is malformed.
    #[error("line {number}: {reason}")]
    Line {
        /// The number of the line, from 1.
        number: u64,
        /// What is wrong, and where possible what to write instead.
        reason: String,
    },
}
