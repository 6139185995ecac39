//! An object store that answers as it is told.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What the store does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    /// No answer; the connection stays open.
    Silence,
}

/// How often each object was asked for, and what is stored of it.
type Objects = Arc<Mutex<HashMap<String, (usize, Vec<u8>)>>>;

/// A server on loopback. Its threads end with the test.
pub(crate) struct Server {
    address: SocketAddr,
    objects: Objects,
}

impl Server {
    /// Answers the request for an object, such as `/a.jpg`, by its name and how often it had been asked for before.
    pub(crate) fn start(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let objects = Objects::default();
        let (answer, shared) = (Arc::new(answer), Arc::clone(&objects));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, objects) = (Arc::clone(&answer), Arc::clone(&shared));
                thread::spawn(move || serve(stream, &*answer, &objects));
            }
        });
        Self { address, objects }
    }

    /// A signed URL for an object, whose query must never be seen.
    pub(crate) fn url(&self, object: &str) -> String {
        format!("http://{}{object}?X-Signature=s3cret", self.address)
    }

    /// How often an object was asked for.
    pub(crate) fn requests(&self, object: &str) -> usize {
        self.with(|objects| objects.get(object).map_or(0, |(requests, _)| *requests))
    }

    /// What is stored of an object.
    pub(crate) fn stored(&self, object: &str) -> Vec<u8> {
        self.with(|objects| objects.get(object).map(|(_, stored)| stored.clone()).unwrap_or_default())
    }

    fn with<T>(&self, read: impl FnOnce(&HashMap<String, (usize, Vec<u8>)>) -> T) -> T {
        read(&self.objects.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&str, usize) -> Answer, objects: &Objects) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let target = head.split(' ').nth(1).unwrap_or_default();
        let object = target.split('?').next().unwrap_or_default().to_owned();
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let before = {
            let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
            let (requests, stored) = objects.entry(object.clone()).or_default();
            *requests += 1;
            *stored = body;
            *requests - 1
        };
        match answer(&object, before) {
            Answer::Status(status) => write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n")?,
            Answer::Silence => loop {
                thread::park();
            },
        }
    }
}
