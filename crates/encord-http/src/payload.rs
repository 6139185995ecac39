//! Payloads, and how they are read again for every attempt.

mod buffer;
mod outgoing;
mod readers;
mod reading;

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

pub(crate) use self::outgoing::Outgoing;
pub(crate) use self::readers::Readers;
use self::reading::Reading;
use crate::attempt::FaultKind;
use crate::digest::Digests;
use crate::wire::Progress;

type BoxError = Box<dyn StdError + Send + Sync>;
type Stream = UnsyncBoxBody<Bytes, BoxError>;
/// A stream that can be read once: gone as soon as its first byte was asked for.
type Slot = Arc<Mutex<Option<Stream>>>;

/// What a request carries. All but [`Payload::once`] can be sent again: bytes are shared, a file is opened anew for each
/// attempt, a factory is asked anew.
#[derive(Clone, Default)]
pub struct Payload {
    kind: Kind,
    digests: Digests,
}

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    File(Arc<Path>),
    Factory(Arc<dyn Fn() -> Stream + Send + Sync>),
    Once {
        slot: Slot,
        length: Option<u64>,
    },
}

/// Why a payload could not be read. Never retried: the network is not at fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PayloadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("not a regular file")]
    NotAFile,
    #[error("it shrank")]
    Shrank,
    #[error("it grew")]
    Grew,
    #[error("it was changed")]
    Changed,
    #[error("the stream ended before its stated length")]
    TooShort,
    #[error("the stream is longer than its stated length")]
    TooLong,
    #[error("the stream can be read only once and has been read")]
    Consumed,
    #[error("{0}")]
    Stream(BoxError),
}

impl PayloadError {
    pub(crate) fn kind(&self) -> FaultKind {
        match self {
            Self::Shrank | Self::Grew | Self::Changed => FaultKind::Changed,
            Self::Io(_) | Self::NotAFile | Self::TooShort | Self::TooLong | Self::Consumed | Self::Stream(_) => {
                FaultKind::Payload
            }
        }
    }
}

impl Payload {
    /// No payload.
    pub const fn empty() -> Self {
        Self::of(Kind::Empty)
    }

    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::of(Kind::Bytes(bytes.into()))
    }

    /// A file, streamed from disk. Its length when an attempt begins is the `Content-Length`. An attempt fails whose file has
    /// another length or modification time when the last byte was read, and its last piece is not sent: a server that has part
    /// of a changed file never has a whole of it.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(Kind::File(path.into().into()))
    }

    /// A stream made anew for each attempt. If its size hint is exact it is sent with a `Content-Length` and must keep it,
    /// otherwise it is sent chunked.
    pub fn factory<B>(make: impl Fn() -> B + Send + Sync + 'static) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::of(Kind::Factory(Arc::new(move || make().map_err(Into::into).boxed_unsync())))
    }

    /// A stream that can be read only once. Its request is not tried again once the first byte was read; the error then says
    /// so. Failures to connect are still retried. Length as for [`Payload::factory`].
    pub fn once<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let length = body.size_hint().exact();
        let slot = Arc::new(Mutex::new(Some(body.map_err(Into::into).boxed_unsync())));
        Self::of(Kind::Once { slot, length })
    }

    /// Computes these checksums while the payload is read, for every attempt anew: see
    /// [`Response::payload`](crate::Response::payload). Files and bytes are hashed off the runtime's threads, while what was
    /// hashed before is sent; streams as their pieces pass.
    #[must_use]
    pub fn digests(self, digests: Digests) -> Self {
        Self { digests, ..self }
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Empty)
    }

    /// Whether another attempt can still have it from the start.
    pub(crate) fn can_open(&self) -> bool {
        match &self.kind {
            Kind::Once { slot, .. } => slot.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
            _ => true,
        }
    }

    /// Opens the payload for one attempt, which begins when that is done: how long a disk takes is no matter of its clocks.
    pub(crate) async fn open(
        &self,
        readers: &Readers,
        begin: impl FnOnce() -> Arc<Progress>,
    ) -> Result<Outgoing, PayloadError> {
        let digests = self.digests;
        let reading = match &self.kind {
            Kind::Empty if digests == Digests::NONE => return Ok(Outgoing::memory(Bytes::new(), begin())),
            Kind::Bytes(bytes) if digests == Digests::NONE => return Ok(Outgoing::memory(bytes.clone(), begin())),
            Kind::Empty => Reading::memory(Bytes::new(), digests, readers).await?,
            Kind::Bytes(bytes) => Reading::memory(bytes.clone(), digests, readers).await?,
            Kind::File(path) => Reading::file(Arc::clone(path), digests, readers).await?,
            Kind::Factory(make) => return Ok(Outgoing::stream(make(), digests, begin())),
            Kind::Once { .. } if !self.can_open() => return Err(PayloadError::Consumed),
            Kind::Once { slot, length } => return Ok(Outgoing::once(Arc::clone(slot), *length, digests, begin())),
        };
        Ok(Outgoing::read(reading, begin()))
    }

    const fn of(kind: Kind) -> Self {
        Self { kind, digests: Digests::NONE }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Empty => f.write_str("Payload(empty)"),
            Kind::Bytes(bytes) => write!(f, "Payload({} bytes)", bytes.len()),
            Kind::File(path) => write!(f, "Payload({})", path.display()),
            Kind::Factory(_) => f.write_str("Payload(factory)"),
            Kind::Once { .. } => f.write_str("Payload(once)"),
        }
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
    use tokio::time::{Instant, advance, resume};

    use super::readers::Read;
    use super::*;
    use crate::client::Client;
    use crate::request::Request;

    const SLOW: Duration = Duration::from_secs(3600);

    /// A disk that does not answer before the sender is dropped, to more readers than there are.
    fn block(readers: &Readers) -> (mpsc::Sender<()>, Vec<Read<bool>>) {
        let (disk, answer) = mpsc::channel::<()>();
        let answer = Arc::new(Mutex::new(answer));
        let reads = (0..1000).map(|_| {
            let answer = Arc::clone(&answer);
            readers.start(move || answer.lock().map(|answer| answer.recv().is_ok()).is_ok())
        });
        (disk, reads.collect())
    }

    fn is_pending<T>(future: Pin<&mut impl Future<Output = T>>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test(start_paused = true)]
    async fn r10_the_clocks_of_an_attempt_begin_when_its_file_is_open() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let readers = Readers::new();
        let (disk, reads) = block(&readers);
        let called = Instant::now();
        let payload = Payload::file(file.path());
        let mut open = pin!(payload.open(&readers, || Arc::new(Progress::new(Instant::now(), false))));
        assert!(is_pending(open.as_mut()));
        advance(SLOW).await;
        drop(disk);
        let outgoing = open.await.expect("opened");
        assert_eq!(outgoing.progress().started() - called, SLOW);
        for read in reads {
            assert!(read.await.expect("done"));
        }
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
        let client = Client::builder(RequestsSettings::default()).no_proxy().build();
        let (disk, _reads) = block(&client.shared.readers);

        let request = Request::put(url, Payload::file(file.path()));
        let mut sending = pin!(client.send(&request));
        assert!(is_pending(sending.as_mut()));
        advance(SLOW).await;
        // From here on nothing is to run out.
        resume();
        drop(disk);
        let response = sending.await.expect("an answer");
        assert_eq!((response.sent(), response.attempts().len()), (7, 1));
        peer.await.expect("no panic").expect("no error");
    }
}
