//! Shared by the bare loops: they read a manifest, and N workers upload its items.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::task::JoinSet;

/// The result of the programs of this package. A program ends at its first error.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The headers of an upload, besides its length. The SDK sends the same for the images of the benchmarks.
pub const HEADERS: [(&str, &str); 2] = [("content-type", "image/jpeg"), ("cache-control", "max-age=86400")];

/// One upload.
#[derive(Debug)]
pub struct Item {
    /// The file.
    pub path: String,
    /// The URL.
    pub url: String,
}

/// Uploads all items of the manifest. The first argument is the manifest, the second the number of workers.
///
/// # Errors
///
/// If arguments are missing, the manifest cannot be read, or an upload fails.
pub fn run<F: Future<Output = Outcome<()>> + Send + 'static>(
    upload: impl Fn(Arc<[Item]>, usize) -> F + Clone + Send + 'static,
) -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(manifest), Some(workers)) = (arguments.next(), arguments.next()) else {
        return Err("arguments: MANIFEST IN_FLIGHT".into());
    };
    let (items, workers) = (read(&manifest)?, workers.parse::<usize>()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let next = Arc::new(AtomicUsize::new(0));
        let mut running = JoinSet::new();
        for _ in 0..workers {
            let (items, next, upload) = (Arc::clone(&items), Arc::clone(&next), upload.clone());
            running.spawn(async move {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= items.len() {
                        return Outcome::Ok(());
                    }
                    upload(Arc::clone(&items), index).await?;
                }
            });
        }
        while let Some(done) = running.join_next().await {
            done??;
        }
        Ok(())
    })
}

/// Reads the items of a manifest.
///
/// # Errors
///
/// If the manifest cannot be read, or if a line has no path or URL.
pub fn read(manifest: &str) -> Outcome<Arc<[Item]>> {
    let text = fs::read_to_string(manifest)?;
    let item = |line| {
        let mut line: Value = serde_json::from_str(line)?;
        let mut take = |name: &str| match line[name].take() {
            Value::String(text) => Ok(text),
            _ => Err(format!("the manifest has a line without {name}")),
        };
        Ok(Item { path: take("path")?, url: take("signed_url")? })
    };
    text.lines().map(item).collect()
}
