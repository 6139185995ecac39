//! A bare loop with hyper-util: reads the file, PUTs it, checks the status. It has no retries, timeouts or hashes.

use bytes::Bytes;
use encord_bench::{HEADERS, Outcome, run};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

fn main() -> Outcome<()> {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(tcp);
    run(move |items, index| {
        let client = client.clone();
        async move {
            let item = &items[index];
            let mut request = Request::builder().method(Method::PUT).uri(&item.url);
            for (name, value) in HEADERS {
                request = request.header(name, value);
            }
            let body = Full::new(Bytes::from(tokio::fs::read(&item.path).await?));
            let response = client.request(request.body(body)?).await?;
            if !response.status().is_success() {
                return Err(response.status().to_string().into());
            }
            response.into_body().collect().await?;
            Ok(())
        }
    })
}
