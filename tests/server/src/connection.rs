//! Serves one connection: reads a request, does the steps of the answer, and reads the next request.

use std::future;
use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::reply::Step;
use crate::request::{Payload, Request};
use crate::{Answer, Builder, Log};

pub(crate) async fn serve(
    stream: TcpStream,
    connection: usize,
    options: Builder,
    log: &Log,
    answer: &Answer,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // With a receive buffer, the test counts bytes. So no byte of a payload may be read together with the head.
    let capacity = if options.receive_buffer.is_some() { 1 } else { 8 * 1024 };
    let mut stream = BufReader::with_capacity(capacity, stream);
    while let Some(request) = Request::read(&mut stream, connection).await? {
        let waits = request.header("expect") == Some("100-continue");
        let payload = Payload::of(&request);
        let (number, before) = log.add(request);
        let mut exchange = Exchange { options, stream: &mut stream, payload, log, number };
        if !options.answers_heads {
            if waits {
                exchange.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            exchange.read_all().await?;
        }
        let request = log.requests()[number].clone();
        for step in answer(&request, before).into_steps() {
            if !exchange.take(step).await? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One request and its connection.
struct Exchange<'a> {
    options: Builder,
    stream: &'a mut BufReader<TcpStream>,
    payload: Payload,
    log: &'a Log,
    number: usize,
}

impl Exchange<'_> {
    /// Does a step. Returns false if the connection ends.
    async fn take(&mut self, step: Step) -> io::Result<bool> {
        match step {
            Step::Read(bytes) => drop(self.read(bytes).await?),
            Step::ReadAll => self.read_all().await?,
            Step::ReadSlowly { chunk, pause } => {
                sleep(pause).await;
                while self.read(chunk).await? {
                    sleep(pause).await;
                }
            }
            Step::Write(bytes) => self.stream.write_all(&bytes).await?,
            Step::WriteForever(bytes) => loop {
                self.stream.write_all(&bytes).await?;
            },
            Step::Pause(pause) => sleep(pause).await,
            Step::StopReading => future::pending().await,
            Step::Silence => while self.stream.read(&mut [0; 1024]).await? > 0 {},
            Step::Close => return Ok(false),
            Step::Reset => {
                SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn read_all(&mut self) -> io::Result<()> {
        while self.read_some(usize::MAX).await? > 0 {}
        Ok(())
    }

    /// Reads this number of bytes of the payload. Returns false at its end.
    async fn read(&mut self, bytes: usize) -> io::Result<bool> {
        let mut left = bytes;
        while left > 0 {
            match self.read_some(left).await? {
                0 => return Ok(false),
                read => left -= read,
            }
        }
        Ok(true)
    }

    /// Reads at most `most` bytes of the payload, and returns their number; 0 at the end.
    async fn read_some(&mut self, most: usize) -> io::Result<usize> {
        let bytes = self.payload.read_some(self.stream, most).await?.len();
        let request = &mut self.log.requests()[self.number];
        request.received += bytes;
        request.is_whole = self.payload.is_whole();
        if !self.options.discards_payloads {
            request.body.extend_from_slice(self.payload.last());
        }
        Ok(bytes)
    }
}
