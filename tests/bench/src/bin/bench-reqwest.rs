//! A bare loop with reqwest: reads the file, PUTs it, checks the status. It has no retries, timeouts or hashes.

use std::sync::Arc;

use encord_bench::{HEADERS, Outcome, run};

fn main() -> Outcome<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    run(move |items, index| {
        let client = client.clone();
        async move {
            let item = &Arc::clone(&items)[index];
            let mut request = client.put(&item.url).body(tokio::fs::read(&item.path).await?);
            for (name, value) in HEADERS {
                request = request.header(name, value);
            }
            request.send().await?.error_for_status()?.bytes().await?;
            Ok(())
        }
    })
}
