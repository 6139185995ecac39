//! Temporary files and a runtime for the targets.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

/// Calls `then` with a file of these bytes, in a folder that only this process uses.
pub(crate) fn with_file<T>(name: &str, bytes: &[u8], then: impl FnOnce(&Path) -> T) -> T {
    FOLDER.with(|folder| {
        let path = folder.get_or_init(|| TempDir::new().expect("a temporary folder")).path().join(name);
        fs::write(&path, bytes).expect("written");
        then(&path)
    })
}

/// Runs a future with paused time: the clock advances only when all tasks wait.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| {
        let make = || {
            let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
            // A Rust program ignores this signal, but the fuzzer starts in C++. Installing a handler has the same effect.
            #[cfg(unix)]
            drop(runtime.block_on(async { signal(SignalKind::pipe()) }).expect("a handler"));
            runtime
        };
        runtime.get_or_init(make).block_on(future)
    })
}
