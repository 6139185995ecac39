//! What may not come out: queries, header values, user names (rules R11 and U9).

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use encord_http::{Client, HeaderValue, Payload, Proxy, Request, SignedUrl, header};
use proptest::prelude::*;
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::budgets::settings;
use crate::server::{Act, Server, answer, status};

const SECRET: &str = "s3cret";

/// Everything that is logged, at the finest level, by whatever crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A second subscriber. Beside a single one, an event that another thread, which has none, comes upon first is lost to all.
static SILENT: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(tracing_subscriber::fmt().with_max_level(LevelFilter::OFF).finish()));

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        LazyLock::force(&SILENT);
        let log = Self::default();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::TRACE).with_writer(log.clone());
        (log, tracing::subscriber::set_default(subscriber.finish()))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// All that the client says about a request, whatever becomes of it.
async fn told(client: &Client, request: &Request) -> String {
    let result = client.send(request).await;
    let outcome = match &result {
        Ok(response) => format!("{response:?}"),
        Err(error) => format!("{error} {error:?} {error:#?} {:?}", std::error::Error::source(error)),
    };
    format!("{request:?} {client:?} {outcome}")
}

#[tokio::test]
async fn r11_u9_no_secret_is_told_or_logged_whatever_becomes_of_the_request() {
    let (log, _guard) = Log::start();
    let acts = [
        status(200),
        answer(302, "Location: /x?s3cret\r\nSet-Cookie: s3cret\r\n", "s3cret"),
        answer(403, "X-Secret: s3cret\r\n", "s3cret"),
        status(503),
        Act::Close,
        Act::Reset,
        Act::AnswerAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ns3".to_vec()),
        Act::AnswerAndClose(b"garbage s3cret\r\n\r\n".to_vec()),
    ];
    for act in acts {
        let server = Server::start([act]);
        let client = Client::new(settings(1, 1, 0.0));
        for url in [server.url("/a?X-Goog-Signature=s3cret#s3cret"), "http://127.0.0.1:1/a?s3cret".into()] {
            let request = Request::put(url, Payload::bytes(SECRET))
                .header(header::AUTHORIZATION, HeaderValue::from_static("s3cret"))
                .header(header::COOKIE, HeaderValue::from_static("s3cret"));
            let told = told(&client, &request).await;
            assert!(!told.contains(SECRET), "{told}");
        }
    }
    let proxy = Proxy::new("http://user:s3cret@127.0.0.1:1").unwrap();
    let client = Client::builder(settings(0, 0, 0.0)).proxy(proxy).build().unwrap();
    for scheme in ["http", "https"] {
        let told = told(&client, &Request::get(format!("{scheme}://h.invalid/a?s3cret"))).await;
        assert!(!told.contains(SECRET), "{told}");
    }
    assert!(log.text().contains("503"), "nothing was logged");
    assert!(!log.text().contains(SECRET), "{}", log.text());
}

#[tokio::test]
async fn a_request_is_a_span_with_an_event_for_each_attempt_and_each_wait() {
    let (log, _guard) = Log::start();
    let server = Server::start([answer(503, "Connection: close\r\n", ""), Act::Close, status(200)]);
    Client::new(settings(2, 0, 0.001)).send(&Request::get(server.url("/a?s3cret"))).await.unwrap();
    let text = log.text();
    let told = |event: &str| text.lines().filter(|line| line.contains(event) && line.contains("request{")).count();
    assert_eq!((told("encord_http::attempts: attempt "), told("encord_http::attempts: wait ")), (3, 2), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn r11_u9_no_hostile_url_gets_its_secret_told_or_logged(
        before in "[!-~]{0,12}",
        after in "[!-~]{0,12}",
        place in 0usize..5,
    ) {
        let (log, _guard) = Log::start();
        let url = match place {
            0 => format!("http://127.0.0.1:1/p?{before}{SECRET}{after}"),
            1 => format!("http://127.0.0.1:1/p#{before}{SECRET}{after}"),
            // These three end the authority (RFC 3986 §3.2), and would make the user the host.
            2 => format!("http://{SECRET}:{}@127.0.0.1:1/{before}", after.replace(['/', '?', '#'], "")),
            3 => format!("http://user:{SECRET}@127.0.0.1:1/?{before}"),
            // Not a URL at all.
            _ => format!("{before} {SECRET}{after}"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = SignedUrl::new(url);
        let told = runtime.block_on(told(&Client::new(settings(0, 0, 0.0)), &Request::get(url.clone())));
        let all = format!("{told} {url} {url:?} {:?} {}", url.check(), log.text());
        prop_assert!(!all.contains(SECRET), "{}", all);
    }
}
