//! `--dry-run`: shows what would be uploaded, without any request to the platform.

use std::collections::BTreeMap;

use encord_ingest::Kind;

use super::args::IngestArgs;
use super::{Files, show};
use crate::escape::escaped;
use crate::output::{Exit, Failure, note, print, say};
use crate::report::human_bytes;

/// How many items one call links, and how many URLs one call signs.
const LINKED_AT_ONCE: u64 = 1_000;
const SIGNED_AT_ONCE: u64 = 200;

/// About how many units one job registers.
const UNITS_PER_JOB: u64 = 300;

pub(super) fn run(args: &IngestArgs, folder: &str, files: &Files) -> Result<Exit, Failure> {
    let Files { walk, metadata, skipped } = files;
    let units = &walk.units;
    let mut kinds: BTreeMap<Kind, (u64, u64, u64)> = BTreeMap::new();
    for unit in 0..units.len() {
        let (count, files, bytes) = kinds.entry(units.kind(unit)).or_default();
        *count += 1;
        *files += units.files_in(unit) as u64;
        *bytes += (0..units.files_in(unit)).map(|file| units.size(unit, file)).sum::<u64>();
    }
    let (all, sent) = (units.len() as u64, units.files());
    print(|out| {
        for (kind, (count, files, bytes)) in &kinds {
            writeln!(out, "{kind}: {count} of {files} files, {}", human_bytes(*bytes))?;
        }
        writeln!(out, "all: {all} of {sent} files, {}, {} with metadata", human_bytes(units.bytes()), metadata.len())?;
        if *skipped > 0 {
            writeln!(out, "done in the earlier report: {skipped}")?;
        }
        writeln!(
            out,
            "into the folder {}{}",
            escaped(folder),
            match &args.dataset {
                Some(dataset) => format!(" and the dataset {}", escaped(dataset)),
                None => String::new(),
            }
        )?;
        writeln!(out, "calls, about:")?;
        writeln!(out, "  {} to sign {sent} URLs", sent.div_ceil(SIGNED_AT_ONCE))?;
        writeln!(out, "  {sent} uploads")?;
        writeln!(out, "  {} jobs, each asked about until it has ended", all.div_ceil(UNITS_PER_JOB))?;
        if args.dataset.is_some() {
            writeln!(out, "  {} to link items", all.div_ceil(LINKED_AT_ONCE))?;
        }
        Ok(())
    })?;
    show::left_out(&walk.left_out);
    if kinds.get(&Kind::DicomSeries).is_some_and(|(count, files, _)| *count > 1 && count == files) {
        say(
            "hint: each DICOM file becomes a series of its own; --group-by folder --as dicom-series joins those of a folder",
        );
    }
    for problem in &walk.problems {
        note(format_args!("cannot be uploaded: {}: {}", problem.path.display(), problem.error));
    }
    Ok(if walk.problems.is_empty() { Exit::Done } else { Exit::Failed })
}
