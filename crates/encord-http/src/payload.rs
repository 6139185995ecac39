//! Payloads, which can be opened again for every attempt.

mod buffer;
mod error;
mod outgoing;
mod read_ahead;
mod readers;
mod source;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;

use self::error::{BoxError, PayloadError};
pub(crate) use self::outgoing::Outgoing;
use self::read_ahead::ReadAhead;
pub(crate) use self::readers::Readers;
pub(crate) use self::source::Opened;
use self::source::{Slot, Stream};
use crate::digest::{Checksums, Digests, FileState};
use crate::fault::Fault;

/// The payload of a request. Every payload except [`Payload::once`] can be sent again: bytes are shared, a file is opened again,
/// and a factory is called again for each attempt.
#[derive(Clone)]
pub struct Payload {
    kind: Kind,
    digests: Digests,
}

#[derive(Clone)]
enum Kind {
    Bytes(Bytes),
    File(Arc<Path>),
    Factory(Arc<dyn Fn() -> Stream + Send + Sync>),
    Once { slot: Slot, length: Option<u64> },
}

impl Payload {
    /// No payload.
    pub const fn empty() -> Self {
        Self::of(Kind::Bytes(Bytes::new()))
    }

    /// A payload of bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Kind::Bytes(bytes.into()))
    }

    /// A payload that streams a file from disk. The file's length at the start of an attempt is the `Content-Length`.
    ///
    /// After the last byte is read, the file's length, time of modification and (on Unix) time of change are compared with those
    /// at the start. If one differs, the attempt fails and the last piece is not sent, so that no server gets the complete file.
    /// A file with a stated length of 0 is still read to its end, up to 16 MiB, because files of /proc and of some network file
    /// systems state this length.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Kind::File(path.into().into()))
    }

    /// A payload that calls `make` for a new stream at each attempt. If the stream's size hint is exact, it becomes the
    /// `Content-Length`, and the stream must have exactly this length. Otherwise the stream is sent chunked.
    pub fn factory<B>(make: impl Fn() -> B + Send + Sync + 'static) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::of(Kind::Factory(Arc::new(move || make().map_err(Into::into).boxed_unsync())))
    }

    /// A payload of a stream that can be read only once. After the first byte is read the request is not retried, and the error
    /// says so. Failures to connect are still retried. The length is as for [`Payload::factory`].
    pub fn once<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let length = body.size_hint().exact();
        let slot = Arc::new(Mutex::new(Some(body.map_err(Into::into).boxed_unsync())));
        Self::of(Kind::Once { slot, length })
    }

    /// Computes these checksums while the payload is read, again for each attempt.
    /// [`Response::payload`](crate::Response::payload) returns them. Files and bytes are hashed on separate threads while the
    /// previous chunk is sent. Streams are hashed while they are sent.
    #[must_use]
    pub fn digests(self, digests: Digests) -> Self {
        Self { digests, ..self }
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.kind, Kind::Bytes(bytes) if bytes.is_empty())
    }

    /// Whether another attempt can still read the payload from its start.
    pub(crate) fn can_open(&self) -> bool {
        match &self.kind {
            Kind::Once { slot, .. } => slot.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
            _ => true,
        }
    }

    /// Opens the payload for one attempt. The attempt begins when the payload is open, so a slow disk does not count against its
    /// clocks.
    pub(crate) async fn open(&self, readers: &Readers) -> Result<Opened, Fault> {
        let digests = self.digests;
        Ok(match &self.kind {
            Kind::Bytes(bytes) => Opened::bytes(bytes.clone(), digests, readers).await?,
            Kind::File(path) => Opened::file(Arc::clone(path), digests, readers).await?,
            Kind::Factory(make) => Opened::stream(make(), digests),
            Kind::Once { .. } if !self.can_open() => return Err(PayloadError::Consumed.into()),
            Kind::Once { slot, length } => Opened::once(Arc::clone(slot), *length, digests),
        })
    }

    const fn of(kind: Kind) -> Self {
        Self { kind, digests: Digests::NONE }
    }
}

/// Reads a file to its end, and returns the state that it had and its checksums.
pub(crate) async fn digest_file(
    path: Arc<Path>,
    digests: Digests,
    readers: &Readers,
) -> Result<(FileState, Checksums), Fault> {
    let (file, state) = ReadAhead::file(path, digests, readers).await?;
    Ok((state, file.digest().await?))
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bytes(_) if self.is_empty() => f.write_str("Payload(empty)"),
            Kind::Bytes(bytes) => write!(f, "Payload({} bytes)", bytes.len()),
            Kind::File(path) => write!(f, "Payload({})", path.display()),
            Kind::Factory(_) => f.write_str("Payload(factory)"),
            Kind::Once { .. } => f.write_str("Payload(once)"),
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Self::bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::mpsc;
    use std::task::{Context, Waker};
    use std::time::Duration;

    use encord_http_settings::RequestsSettings;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::{advance, resume};

    use super::readers::JobHandle;
    use super::*;
    use crate::client::Client;
    use crate::fault::FaultKind;
    use crate::phase::Phase;
    use crate::request::Request;

    const SLOW: Duration = Duration::from_secs(3600);

    /// Blocks all readers, like a disk that does not answer, until the sender is dropped.
    fn block(readers: &Readers) -> (mpsc::Sender<()>, Vec<JobHandle<bool>>) {
        let (disk, answer) = mpsc::channel::<()>();
        let answer = Arc::new(Mutex::new(answer));
        let reads = (0..1000).map(|_| {
            let answer = Arc::clone(&answer);
            readers.spawn(move || answer.lock().map(|answer| answer.recv().is_ok()).is_ok())
        });
        (disk, reads.collect())
    }

    fn is_pending<T>(future: Pin<&mut impl Future<Output = T>>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test(start_paused = true)]
    async fn r10_no_clock_of_the_client_runs_while_a_file_is_opened() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let peer = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\npayload") {
                request.push(stream.read_u8().await?);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await
        });
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "payload").expect("written");
        let client = Client::builder(RequestsSettings::default()).no_proxy().build().expect("a client");
        let (disk, _reads) = block(&client.shared.transport.readers);

        let request = Request::put(url, Payload::file(file.path()));
        let mut sending = pin!(client.send(&request));
        assert!(is_pending(sending.as_mut()));
        advance(SLOW).await;
        // From here on no limit may expire.
        resume();
        drop(disk);
        let response = sending.await.expect("an answer");
        assert_eq!((response.sent(), response.attempts().len()), (7, 1));
        peer.await.expect("no panic").expect("no error");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_bounds_the_opening_of_a_file_too() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let client = Client::builder(RequestsSettings::default()).no_proxy().build().expect("a client");
        let (_disk, _reads) = block(&client.shared.transport.readers);
        let request = Request::put("http://127.0.0.1:1/", Payload::file(file.path())).deadline(SLOW);
        let mut sending = pin!(client.send(&request));
        assert!(is_pending(sending.as_mut()));
        // Busy readers do not stop the deadline.
        advance(SLOW).await;
        let error = sending.await.expect_err("the disk does not answer");
        assert_eq!((error.phase(), error.attempts().len()), (Phase::Preparing, 1));
        assert_eq!(error.fault().map(Fault::kind), Some(FaultKind::Deadline));
    }

    #[test]
    fn a_file_is_digested_to_its_end_unless_the_call_is_dropped() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let content: Vec<u8> = (0..768 * 1024_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(file.path(), &content).expect("written");
        let client = Client::builder(RequestsSettings::default()).no_proxy().build().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (state, checksums) = client.digest_file(file.path(), Digests::ALL).await.expect("readable");
            assert_eq!((state.length, checksums.crc32c), (content.len() as u64, Some(crc32c::crc32c(&content))));
            assert!(checksums.md5.is_some());

            file.as_file().set_len(1 << 36).expect("a hole, which takes minutes to read");
            assert!(is_pending(pin!(client.digest_file(file.path(), Digests::ALL))));
        });
        let began = std::time::Instant::now();
        // Waits for the jobs that have begun.
        drop(runtime);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
