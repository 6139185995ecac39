//! One test binary for everything that crosses crates or needs a real peer.
#![cfg(test)]

mod acceptance;
mod client;
mod conformance;
mod conformance_live;
mod dev_platform;
mod dev_store;
mod guide;
mod http_peers;
mod ingest;
mod nginx;
mod peers;
mod promises;
mod report_page;
mod support;
mod uploader;
mod wire;
