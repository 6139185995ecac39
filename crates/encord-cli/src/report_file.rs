//! `encord report`: the report of a run, read for a person.

mod digest;
mod page;
mod text;
mod timeline;

use std::fs::File;
use std::io;

use encord_upload::formats::{FormatError, ReportLines};

use self::digest::Digest;
use crate::args::{ReportArgs, Stream};
use crate::clashes::Outputs;
use crate::output::{Exit, Failure, json, print};
use crate::report::Target;

pub(crate) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let page = args.html.as_ref().map(|path| (path, Stream::File(path.clone())));
    if let (Some((path, _)), Stream::File(report)) = (&page, &args.file) {
        let mut outputs = Outputs::default();
        outputs.add("page", path)?;
        outputs.refuse_input("report", report)?;
    }
    let target = page.as_ref().map(|(_, stream)| Target::open("page", stream)).transpose()?;
    let digest = read(&args.file)?;
    if let Some(target) = target {
        let page = page::html(&args.file.to_string(), &digest).map_err(Failure::failed)?;
        target.write(&mut |out| out.write_all(page.as_bytes()))?;
    }
    print(|out| if args.json { json(out, &digest.summary()) } else { text::show(out, &digest) })?;
    Ok(Exit::Done)
}

fn read(file: &Stream) -> Result<Digest, Failure> {
    let digest = match file {
        Stream::Standard => digest(io::stdin().lock()),
        Stream::File(path) => {
            let opened = File::open(path).map_err(|error| Failure::usage(format_args!("report {file}: {error}")))?;
            digest(opened)
        }
    };
    digest.map_err(|error| Failure::usage(format_args!("report {file}: {error}")))
}

fn digest(reader: impl io::Read) -> Result<Digest, FormatError> {
    let (mut lines, mut digest) = (ReportLines::new(reader), Digest::default());
    while lines.next_with(|line| digest.add(&line))?.is_some() {}
    Ok(digest)
}
