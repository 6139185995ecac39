//! `--dry-run`: shows what would be uploaded, without any request to the platform.

use std::collections::BTreeMap;

use encord_ingest::plan::{ENOUGH_UNITS, MAX_LINKS_PER_CALL};
use encord_ingest::{Kind, MAX_URLS_PER_CALL};

use super::{Files, show};
use crate::args::UploadArgs;
use crate::dry_run::Sums;
use crate::escape::escaped;
use crate::output::{Exit, Failure, json, note, print, say};
use crate::report::{Reporter, human_bytes};

pub(super) fn run(args: &UploadArgs, folder: &str, files: &Files, allow_failures: bool) -> Result<Exit, Failure> {
    let Files { walk, metadata, skipped } = files;
    let dataset = &args.ingest.dataset;
    args.report.as_ref().map_or(Ok(()), Reporter::check)?;
    let units = &walk.units;
    let mut kinds: BTreeMap<Kind, (u64, u64, u64)> = BTreeMap::new();
    for unit in 0..units.len() {
        let (count, files, bytes) = kinds.entry(units.kind(unit)).or_default();
        *count += 1;
        *files += units.files_in(unit) as u64;
        *bytes += (0..units.files_in(unit)).map(|file| units.size(unit, file)).sum::<u64>();
    }
    let (all, sent) = (units.len() as u64, units.files());
    let would_fail = walk.problems.len() as u64;
    print(|out| {
        if args.json {
            return json(out, &Sums { would_upload: all, would_fail, would_skip: *skipped, bytes: units.bytes() });
        }
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
            match dataset {
                Some(dataset) => format!(" and the dataset {}", escaped(dataset)),
                None => String::new(),
            }
        )?;
        writeln!(out, "calls, about:")?;
        writeln!(out, "  {} to sign {sent} URLs", sent.div_ceil(MAX_URLS_PER_CALL as u64))?;
        writeln!(out, "  {sent} uploads")?;
        writeln!(out, "  {} jobs, each asked about until it has ended", all.div_ceil(ENOUGH_UNITS as u64))?;
        if dataset.is_some() {
            writeln!(out, "  {} to link items", all.div_ceil(MAX_LINKS_PER_CALL as u64))?;
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
        note(format_args!("error: {}: {}", problem.path.display(), problem.error));
    }
    Ok(Exit::with(would_fail, allow_failures))
}
