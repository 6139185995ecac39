//! `cargo xtask fuzz`: runs the targets, one after another, with libFuzzer on the stable toolchain. If `cargo fuzz` builds it, this
//! program is the fuzzer.
#![cfg_attr(fuzzing, no_main)]
#![cfg_attr(
    not(fuzzing),
    expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")
)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| encord_fuzz::targets::chosen()(data));

#[cfg(not(fuzzing))]
mod chore;

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    match chore::run(&clap::Parser::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            std::process::ExitCode::FAILURE
        }
    }
}
