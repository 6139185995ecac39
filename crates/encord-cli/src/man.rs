//! `encord man`.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{Args, ManArgs};
use crate::output::{Exit, Failure, print};

pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let mut command = Args::command();
    // Gives the commands their full names.
    command.build();
    if let Some(name) = &args.command {
        let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let unknown = || Failure::usage(format_args!("unknown command {name:?}, expected one of {}", known.join(", ")));
        command = command.find_subcommand(name).cloned().ok_or_else(unknown)?;
    }
    let mut page = Vec::new();
    Man::new(command).render(&mut page).map_err(Failure::failed)?;
    print(|out| out.write_all(&page))?;
    Ok(Exit::Done)
}
