//! Tests the server with a plain socket as the client.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::*;

/// Sends bytes, and reads until the connection ends.
fn talk(server: &Server, bytes: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.write_all(bytes)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map(|_| answer)
}

#[test]
fn answers_by_path_and_number_and_keeps_what_came() {
    let server = Server::start(|request, before| match (request.path(), before) {
        ("/a", 0) => status(503).header("Retry-After", "1").body("busy"),
        _ => status(200),
    });
    let requests = b"PUT /a?x=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\
                     PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n\
                     GET /b HTTP/1.1\r\nX-Text: \xE9\r\n\r\n";
    let answers = talk(&server, requests).unwrap();
    let busy = "HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy";
    assert_eq!(answers, [busy, &"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n".repeat(2)].concat());
    let requests = server.requests();
    assert_eq!(server.targets(), ["/a?x=1", "/a", "/b"]);
    assert_eq!((&*requests[0].body, &*requests[1].body), (&b"abc"[..], &b"abc"[..]));
    assert_eq!((&*requests[2].method, requests[2].header("x-text")), ("GET", Some("\u{e9}")));
    assert_eq!((server.count(), server.requests_for("/a").len(), server.connections()), (3, 2, 1));
}

#[test]
fn a_payload_that_is_cut_off_is_no_whole_request() {
    let server = Server::start(|_, _| status(200));
    assert_eq!(talk(&server, b"PUT /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab").unwrap(), "");
    let head = &server.heads()[0];
    assert_eq!((server.count(), head.received, head.is_whole), (0, 2, false));
}

#[test]
fn answers_before_the_payload_is_read_and_reads_as_it_is_told() {
    let replies = [status(413).early(), Reply::steps([Step::Read(2), Step::Write(b"two".to_vec()), Step::Close])];
    let server = Server::builder().answers_heads().discards_payloads().start(script(replies));
    let put = b"PUT /a HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(talk(&server, put).unwrap(), "HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(talk(&server, &[&put[..], b"ab"].concat()).unwrap(), "two");
    let heads = server.heads();
    assert_eq!((heads[0].received, heads[1].received, heads[1].body.len()), (0, 2, 0));
}

#[test]
fn asks_for_the_payload_that_waits_for_it() {
    let server = Server::start(|_, _| status(200));
    let put = b"PUT /a HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\na";
    let answer = talk(&server, put).unwrap();
    assert_eq!(answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn a_connection_is_reset_and_a_port_refuses() {
    let server = Server::start(|_, _| Reply::reset());
    let error = talk(&server, b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let (_port, address) = refusing_port();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}
