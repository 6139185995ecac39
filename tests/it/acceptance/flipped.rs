//! If a bit flips on the way, the hash in the store's answer shows it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Credentials, Presign, Scheme, Signer};
use encord_dev_store::{DevStore, Storage};
use encord_http::{Client, ErrorKind, FaultKind};
use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings};
use encord_upload::{ItemError, ItemReport, Status, UploadItem, Uploader};
use tokio::runtime::Runtime;

use crate::dev_store::rclone;
use crate::support::noise;

const SECRET: &str = crate::support::encord::SECRET;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Around the sizes at which something changes: one byte, one piece of a file, the announcement of a large payload.
const SIZES: [usize; 19] = [
    1,
    2,
    3,
    10,
    1_000,
    4 * KIB - 1,
    4 * KIB,
    4 * KIB + 1,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    256 * KIB - 1,
    256 * KIB,
    256 * KIB + 1,
    512 * KIB + 1,
    MIB,
    16 * MIB - 1,
    16 * MIB,
    64 * MIB,
];

/// What the proxy does to the payloads that pass.
#[derive(Default)]
struct Plan {
    /// The byte of which a bit is flipped.
    position: AtomicU64,
    flips: AtomicBool,
    /// It is enough to have flipped one.
    once: AtomicBool,
}

/// A proxy on loopback that flips bits. Its threads end with the test binary.
struct Proxy {
    address: SocketAddr,
    plan: Arc<Plan>,
}

impl Proxy {
    fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Arc::<Plan>::default();
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let plan = Arc::clone(&shared);
                // Whoever hangs up first ends it.
                thread::spawn(move || drop(pass(&client, server, &plan)));
            }
        });
        Self { address, plan }
    }

    /// From now on, at this byte of each payload or of the next one.
    fn flip(&self, position: usize, once: bool) {
        self.plan.position.store(position as u64, Ordering::SeqCst);
        self.plan.once.store(once, Ordering::SeqCst);
        self.plan.flips.store(true, Ordering::SeqCst);
    }
}

fn pass(client: &TcpStream, server: SocketAddr, plan: &Plan) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        drop(io::copy(&mut answers, &mut back));
        drop(back.shutdown(std::net::Shutdown::Both));
    });
    let mut requests = BufReader::new(client);
    let mut server = &server;
    let mut buffer = vec![0; 64 * KIB];
    loop {
        let mut length = 0;
        loop {
            let mut line = Vec::new();
            if requests.read_until(b'\n', &mut line)? == 0 {
                return server.shutdown(std::net::Shutdown::Both);
            }
            server.write_all(&line)?;
            let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            if text == "\r\n" {
                break;
            }
        }
        let flips = plan.flips.load(Ordering::SeqCst);
        if flips && plan.once.load(Ordering::SeqCst) {
            plan.flips.store(false, Ordering::SeqCst);
        }
        let position = plan.position.load(Ordering::SeqCst);
        let mut at: u64 = 0;
        while at < length {
            let most = buffer.len().min(usize::try_from(length - at).unwrap_or(usize::MAX));
            let read = requests.read(&mut buffer[..most])?;
            if read == 0 {
                return server.shutdown(std::net::Shutdown::Both);
            }
            if flips && (at..at + read as u64).contains(&position) {
                buffer[usize::try_from(position - at).unwrap()] ^= 0x10;
            }
            server.write_all(&buffer[..read])?;
            at += read as u64;
        }
    }
}

fn uploader(max_retries: u32) -> Uploader {
    let client = Client::new(RequestsSettings::default());
    let settings = CloudUploadSettings {
        max_retries: Some(max_retries),
        backoff_factor: Some(BackoffFactor::new(0.0).unwrap()),
        allow_failures: true,
    };
    Uploader::new(&client, settings)
}

fn upload(runtime: &Runtime, uploader: &Uploader, item: UploadItem) -> ItemReport {
    runtime.block_on(uploader.upload([item], |_| {})).unwrap().items()[0].clone()
}

/// Every size once flipped and then whole, and once never whole. An `ETag` counts once another one was an MD5.
#[track_caller]
fn every_flip_is_seen(runtime: &Runtime, proxy: &Proxy, signer: &Signer) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (index, size) in SIZES.into_iter().enumerate() {
        fs::write(&path, noise(index as u64, size)).unwrap();
        let url = format!("http://{}/dev/{size}", proxy.address);
        let item = || {
            let url = signer.presign(&Presign::put(&url, Duration::from_secs(600), SystemTime::now())).unwrap();
            UploadItem::new(&path, url)
        };
        let position = [0, size - 1, size / 2][index % 3];

        let (once, never) = (uploader(1), uploader(0));
        for uploader in [&once, &never] {
            assert_eq!(upload(runtime, uploader, item()).status, Status::Uploaded);
        }
        proxy.flip(position, true);
        let report = upload(runtime, &once, item());
        let attempts: Vec<_> = report.attempts.iter().map(ToString::to_string).collect();
        assert_eq!((report.status, attempts), (Status::Uploaded, vec!["integrity".into(), "200".into()]), "{size}");

        proxy.flip(position, false);
        let report = upload(runtime, &never, item());
        proxy.plan.flips.store(false, Ordering::SeqCst);
        let Some(ItemError::Request(error)) = &report.error else { panic!("{size}: {report:?}") };
        assert_eq!(error.kind(), ErrorKind::Fault(FaultKind::Integrity), "{size}: {error}");
    }
}

fn dev_store(scheme: Scheme) {
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(DevStore::builder().storage(Storage::Discard).scheme(scheme).start()).unwrap();
    every_flip_is_seen(&runtime, &Proxy::start(store.addr()), store.signer());
}

#[test]
fn u6_a_flipped_bit_is_seen_by_the_crc32c_of_gcs() {
    dev_store(Scheme::Gcs);
}

#[test]
fn u6_a_flipped_bit_is_seen_by_the_etag_of_s3() {
    dev_store(Scheme::S3);
}

#[test]
fn u6_a_flipped_bit_is_seen_by_the_etag_of_rclone() {
    let Some(server) = rclone::Server::start("key", SECRET) else { return };
    let address = server.url().strip_prefix("http://").unwrap().parse().unwrap();
    let signer = Signer::new(Scheme::S3, Credentials::new("key", SECRET));
    every_flip_is_seen(&Runtime::new().unwrap(), &Proxy::start(address), &signer);
}
