//! Time limits for tests on a machine that may stand still for seconds.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, SystemTime};

const RUNS: usize = 10;

/// Between two looks at the clock.
const STEP: Duration = Duration::from_millis(10);

/// What `run` gives, from the first time that the machine did not stand still for as long as `most` meanwhile.
#[track_caller]
pub(crate) fn undisturbed<T>(most: Duration, mut run: impl FnMut() -> T) -> T {
    for _ in 0..RUNS {
        let (done, standstill) = watched(&mut run);
        if standstill < most {
            return done;
        }
        eprintln!("again: the machine stood still for {standstill:?}");
    }
    panic!("the machine stood still in each of {RUNS} runs")
}

/// With the longest time in which a thread that only sleeps did not come to look at the clock.
fn watched<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let (running, is_running) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let (mut longest, mut before) = (Duration::ZERO, SystemTime::now());
            loop {
                let ended = is_running.recv_timeout(STEP) == Err(RecvTimeoutError::Disconnected);
                let now = SystemTime::now();
                // A clock that is set counts, too.
                longest = longest.max(now.duration_since(before).unwrap_or_else(|error| error.duration()));
                before = now;
                if ended {
                    return longest;
                }
            }
        });
        let done = run();
        drop(running);
        (done, watch.join().unwrap())
    })
}
