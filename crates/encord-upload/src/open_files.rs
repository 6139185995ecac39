//! The process's limit of open files.

/// How many files an item under way has open: its file, its connection, and a connection that is being closed.
#[cfg(unix)]
const FILES_PER_ITEM: u64 = 3;

/// How many open files are reserved for the rest of the process.
#[cfg(unix)]
const RESERVED_FILES: u64 = 64;

/// Lowers the concurrency so that the limit of open files is not reached.
pub(crate) fn bounded(concurrency: usize) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        fit(concurrency, getrlimit(Resource::Nofile).current)
    }
    #[cfg(not(unix))]
    concurrency
}

#[cfg(unix)]
fn fit(concurrency: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return concurrency };
    let max_items = usize::try_from(limit.saturating_sub(RESERVED_FILES) / FILES_PER_ITEM).unwrap_or(usize::MAX);
    concurrency.min(max_items.max(1))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_kept() {
        #[track_caller]
        fn check(concurrency: usize, limit: Option<u64>, expected: usize) {
            assert_eq!(fit(concurrency, limit), expected);
        }
        check(16, None, 16);
        check(16, Some(1024), 16);
        check(1000, Some(1024), 320);
        check(16, Some(256), 16);
        check(16, Some(100), 12);
        check(16, Some(10), 1);
        check(16, Some(u64::MAX), 16);
    }
}
