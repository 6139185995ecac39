//! Our uploader with a fixed number of uploads at once, which the command does not offer: `bench-fixed MANIFEST NUMBER`.

use std::time::Duration;

use encord_bench::{Outcome, read};
use encord_http::Client;
use encord_http_settings::{CloudUploadSettings, RequestsSettings};
use encord_upload::{UploadItem, Uploader};

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(manifest), Some(number)) = (arguments.next(), arguments.next()) else {
        return Err("arguments: MANIFEST NUMBER".into());
    };
    let items = read(&manifest)?;
    let items: Vec<_> = items.iter().map(|item| UploadItem::new(&item.path, item.url.clone())).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let client = Client::new(RequestsSettings::default());
        let settings = CloudUploadSettings { allow_failures: true, ..CloudUploadSettings::default() };
        Uploader::new(&client, settings)
            .fixed_concurrency(number.parse()?)
            .upload(items, |_| {})
            .await
            .map_err(Into::into)
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.map(drop)
}
