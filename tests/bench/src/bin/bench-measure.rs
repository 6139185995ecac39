//! Runs a command, and prints its time, CPU time and peak memory as one JSON line.
//!
//! CPU time and peak memory are those of `getrusage(RUSAGE_CHILDREN)` after the end of the only child. They are exact, and polling
//! could miss the last moments. The lowest peak that can be measured is the memory of this program, about 3 MiB, because the child
//! starts as its copy.
#![expect(clippy::print_stdout, reason = "the measurement is printed")]

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use encord_bench::Outcome;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde_json::json;

fn main() -> Outcome<()> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or("arguments: COMMAND [ARGUMENT…]")?;
    let began = Instant::now();
    let mut child = Command::new(program).args(words).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut said = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut said)?;
    }
    let status = child.wait()?;
    let wall = began.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = duration(usage.user_time())? + duration(usage.system_time())?;
    let measured = json!({
        "success": status.success(),
        "wall_s": wall.as_secs_f64(),
        "cpu_s": cpu.as_secs_f64(),
        // In KiB on Linux.
        "peak_bytes": usage.max_rss() * 1024,
        "said": said,
    });
    println!("{measured}");
    Ok(())
}

fn duration(time: TimeVal) -> Outcome<Duration> {
    Ok(Duration::from_secs(time.tv_sec().try_into()?) + Duration::from_micros(time.tv_usec().try_into()?))
}
