//! What bounds a try to connect.

use encord_http::Proxy;

use super::*;
use crate::server::refusing_port;

#[tokio::test(start_paused = true)]
async fn r7_a_connection_that_nobody_accepts_is_cut_at_connect_timeout() {
    let (full, address) = refusing_port();
    full.listen(0).unwrap();
    // There is room for one, and the system leaves the next without an answer.
    let _first = std::net::TcpStream::connect(address).unwrap();
    settle().await;
    keep_pace();
    let began = Instant::now();
    let error = Client::new(once()).send(&Request::get(format!("http://{address}/"))).await.unwrap_err();
    check_limit(&error, Limit::Connect, Phase::Connecting);
    check_elapsed(began, 180.0);
}

#[tokio::test(start_paused = true)]
async fn r7_a_handshake_is_cut_at_connect_timeout() {
    keep_pace();
    let host = start(|mut stream, _| async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await }).await;
    // The client's limit, and a request's own, longer and shorter (R10).
    for (own, due) in [(None, 180), (Some(600), 600), (Some(60), 60)] {
        let request = Request::get(format!("https://{host}/"));
        let own = own.map(|own| RequestsSettings { connect_timeout: seconds(own), ..once() });
        let request = own.into_iter().fold(request, Request::settings);
        let began = Instant::now();
        let error = Client::new(once()).send(&request).await.unwrap_err();
        check_limit(&error, Limit::Connect, Phase::Connecting);
        check_elapsed(began, f64::from(due));
    }
}

#[tokio::test(start_paused = true)]
async fn r7_the_tunnel_counts_towards_the_time_of_a_try_to_connect() {
    keep_pace();
    let proxy = serve(vec![silent()]).await;
    let settings = RequestsSettings { connection_retries: 1, ..once() };
    let client = Client::builder(settings).proxy(Proxy::new(proxy).unwrap()).build().unwrap();
    let began = Instant::now();
    let error = client.send(&Request::get("https://origin.invalid/")).await.unwrap_err();
    check_limit(&error, Limit::Connect, Phase::Connecting);
    check_elapsed(began, 180.0 + 1.5 + 180.0);
}
