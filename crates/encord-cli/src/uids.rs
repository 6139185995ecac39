//! `encord uids`.

use std::fs::File;
use std::io;

use encord_project_utils::read_model_iteration_uids;

use crate::args::{Stream, UidsArgs};
use crate::output::{Exit, Failure, json, print};

pub(crate) fn run(args: &UidsArgs) -> Result<Exit, Failure> {
    let UidsArgs { file, count, json: as_json } = args;
    let uids = match file {
        Stream::Standard => read_model_iteration_uids(io::stdin().lock()),
        Stream::File(path) => {
            let opened = File::open(path).map_err(|error| Failure::usage(format_args!("{file}: {error}")))?;
            read_model_iteration_uids(opened)
        }
    };
    let uids = uids.map_err(|error| Failure::usage(format_args!("{file}: {error}")))?;
    print(|out| {
        if *count {
            writeln!(out, "{}", uids.len())
        } else if *as_json {
            json(out, &uids.iter().collect::<Vec<_>>())
        } else {
            uids.iter().try_for_each(|uid| writeln!(out, "{uid}"))
        }
    })?;
    Ok(Exit::Done)
}
