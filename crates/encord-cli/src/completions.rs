//! `encord completions`.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::output::{Exit, Failure, print};

pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    // The script is first written to memory, because the generator panics when writing fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "encord", &mut script);
    print(|out| out.write_all(&script))?;
    Ok(Exit::Done)
}
