//! One client and several runtimes: each has connections and threads of its own.

use std::sync::LazyLock;
use std::thread;

use encord_http::{Client, Digests, Payload, Request};
use tokio::runtime::{Builder, Runtime};

use crate::budgets::settings;
use crate::server::{Server, status};

static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new(settings(0, 0, 0.0)));

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Sends four files at once on a runtime of its own, which then ends.
fn send_four(server: &Server, file: &std::path::Path) {
    let url = server.url("/");
    runtime().block_on(async {
        let send = |_| {
            let payload = Payload::file(file).digests(Digests::ALL);
            let request = Request::put(url.clone(), payload);
            tokio::spawn(async move { CLIENT.send(&request).await.map(drop) })
        };
        for sent in (0..4).map(send).collect::<Vec<_>>() {
            sent.await.unwrap().unwrap();
        }
    });
}

#[test]
fn a_client_outlives_the_runtimes_that_use_it() {
    let server = Server::start([status(200)]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; 300_000]).unwrap();
    for _ in 0..10 {
        send_four(&server, file.path());
    }
    for _ in 0..5 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| send_four(&server, file.path()));
            }
        });
    }
    assert_eq!(server.seen().len(), 4 * 10 + 4 * 4 * 5);
}
