//! The settings of one upload: nanoseconds and, as there must be none, no allocation.

use divan::{AllocProfiler, Bencher, black_box};
use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings, SettingsLayer};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn upload() -> CloudUploadSettings {
    CloudUploadSettings { max_retries: Some(0), backoff_factor: BackoffFactor::new(0.5).ok(), allow_failures: true }
}

#[divan::bench]
fn over_the_client(bencher: Bencher<'_, '_>) {
    let (upload, client) = (upload(), RequestsSettings::default());
    bencher.bench(|| black_box(upload).over(black_box(&client)));
}

#[divan::bench]
fn nothing_over_the_client(bencher: Bencher<'_, '_>) {
    let (upload, client) = (CloudUploadSettings::default(), RequestsSettings::default());
    bencher.bench(|| black_box(upload).over(black_box(&client)));
}

#[divan::bench]
fn two_layers(bencher: Bencher<'_, '_>) {
    let mut flags = SettingsLayer::default();
    flags.upload.max_retries = Some(9);
    let mut file = SettingsLayer::default();
    file.requests.max_retries = Some(1);
    bencher.bench(|| black_box(flags).or(black_box(file)).resolve_upload());
}
