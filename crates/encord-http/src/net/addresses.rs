//! Connects to a host by TCP. Every address of the host is tried (RFC 8305, rule R7).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep};

use crate::fault::{Fault, FaultKind};
use crate::rules::classify::{During, chain_text, classify};
use crate::rules::exceptions::unbracketed;

/// How long one address is tried alone before the next one is tried too (RFC 8305 §8, "Connection Attempt Delay").
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// Connects to the first address of `host` that answers. `turn` selects the address to begin with. The caller bounds the call by
/// `limit`; here it only shortens the pauses, so that every address is tried within it.
pub(crate) async fn connect(host: &str, port: u16, turn: usize, limit: Option<Duration>) -> Result<TcpStream, Fault> {
    let addresses = in_turn(resolve(host, port).await?, turn);
    let share = limit.map(|limit| limit / u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX));
    let pause = share.map_or(NEXT_ADDRESS_AFTER, |share| share.min(NEXT_ADDRESS_AFTER));
    match race(addresses, pause, TcpStream::connect).await {
        Some(result) => result.map_err(|e: io::Error| classify(e, During::Connecting)),
        None => Err(Fault::new(FaultKind::Dns, "no address")),
    }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
    let name = unbracketed(host);
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    #[cfg(test)]
    if name == tests::TWO_ADDRESSES {
        return Ok([1, 2].map(|last| ([127, 0, 0, last], port).into()).into());
    }
    match lookup_host((name, port)).await {
        Ok(addresses) => Ok(addresses.collect()),
        Err(e) => Err(Fault::new(FaultKind::Dns, chain_text(&e)).with_source(e)),
    }
}

/// Orders the addresses: IPv6 and IPv4 alternate as long as there are both (RFC 8305 §4). Each turn begins with a different
/// address.
fn in_turn(addresses: Vec<SocketAddr>, turn: usize) -> Vec<SocketAddr> {
    let is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (of_first, of_other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == is_v6);
    let (mut of_first, mut of_other) = (of_first.into_iter(), of_other.into_iter());
    let mut ordered = Vec::new();
    while of_first.len() + of_other.len() > 0 {
        ordered.extend(of_first.next());
        ordered.extend(of_other.next());
    }
    let turn = turn.checked_rem(ordered.len()).unwrap_or(0);
    ordered.rotate_left(turn);
    ordered
}

/// Returns the first success, or the last failure; `None` if there is no address. The next address is tried when the previous one
/// has failed or has taken longer than `pause`. The earlier tries continue.
async fn race<A, T, E, F>(addresses: Vec<A>, pause: Duration, connect: impl Fn(A) -> F) -> Option<Result<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = addresses.into_iter();
    let mut under_way: Vec<Pin<Box<F>>> = waiting.next().map(|first| Box::pin(connect(first))).into_iter().collect();
    let mut failure = None;
    let mut timer = pin!(sleep(pause));
    std::future::poll_fn(|cx| {
        loop {
            let mut has_failed = false;
            let mut index = 0;
            while let Some(attempt) = under_way.get_mut(index) {
                match attempt.as_mut().poll(cx) {
                    Poll::Ready(Ok(connected)) => return Poll::Ready(Some(Ok(connected))),
                    Poll::Ready(Err(e)) => {
                        failure = Some(Err(e));
                        has_failed = true;
                        drop(under_way.swap_remove(index));
                    }
                    Poll::Pending => index += 1,
                }
            }
            if waiting.len() == 0 {
                return if under_way.is_empty() { Poll::Ready(failure.take()) } else { Poll::Pending };
            }
            if !has_failed && timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            under_way.extend(waiting.next().map(|next| Box::pin(connect(next))));
            timer.as_mut().reset(Instant::now() + pause);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that only these tests know.
    #[test]
    fn r7_a_retry_begins_with_another_address_and_the_families_take_turns() {
        #[track_caller]
        fn check(addresses: &[&str], turn: usize, expected: &[&str]) {
            let parse =
                |list: &[&str]| list.iter().map(|a| a.parse().expect("an address")).collect::<Vec<SocketAddr>>();
            assert_eq!(in_turn(parse(addresses), turn), parse(expected));
        }
        check(&[], 0, &[]);
        check(&[], 3, &[]);
        check(&["1.1.1.1:1"], 7, &["1.1.1.1:1"]);
        let three = ["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1"];
        check(&three, 0, &three);
        check(&three, 1, &["1.1.1.2:1", "1.1.1.3:1", "1.1.1.1:1"]);
        check(&three, 3, &three);
        let mixed = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"];
        check(&mixed, 0, &["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        check(&mixed, 1, &["1.1.1.1:1", "[::2]:1", "[::3]:1", "[::1]:1"]);
    }

    pub(super) const TWO_ADDRESSES: &str = "two.test";

    /// Only on Linux does every address of 127.0.0.0/8 exist.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn r7_a_retry_goes_to_the_other_address() {
        use encord_http_settings::{BackoffFactor, RequestsSettings, Timeout};
        use tokio::net::TcpListener;

        let first = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = first.local_addr().expect("bound").port();
        let second = TcpListener::bind(("127.0.0.2", port)).await.expect("the same port");
        let settings = RequestsSettings {
            max_retries: 1,
            backoff_factor: BackoffFactor::new(0.0).expect("a factor"),
            connect_timeout: Timeout::secs(2),
            ..RequestsSettings::default()
        };
        let request = crate::Request::get(format!("http://{TWO_ADDRESSES}:{port}/"));
        let client = crate::Client::builder(settings).no_proxy().build().expect("a client");
        let accepted = std::sync::Mutex::new(Vec::new());
        // Each hangs up before it answers.
        let hang_up = async |listener: &TcpListener, number: u8| loop {
            drop(listener.accept().await.expect("accepted"));
            accepted.lock().expect("no panic").push(number);
        };
        let sent = tokio::select! {
            sent = client.send(&request) => sent,
            () = hang_up(&first, 1) => unreachable!("it accepts for ever"),
            () = hang_up(&second, 2) => unreachable!("it accepts for ever"),
        };
        assert_eq!(sent.expect_err("no answer").attempts().len(), 2);
        assert_eq!(*accepted.lock().expect("no panic"), [1, 2]);
    }

    /// Each address is the number of seconds after which it answers, negative for a failure. Returns the winner, and when it
    /// answered.
    async fn run(addresses: &[i64]) -> (Option<Result<i64, i64>>, Duration) {
        let began = Instant::now();
        let connect = |seconds: i64| async move {
            sleep(Duration::from_secs(seconds.unsigned_abs())).await;
            if seconds < 0 { Err(seconds) } else { Ok(seconds) }
        };
        (race(addresses.to_vec(), NEXT_ADDRESS_AFTER, connect).await, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn r7_the_next_address_is_tried_after_250_ms_and_those_before_go_on() {
        let millis = Duration::from_millis;
        assert_eq!(run(&[]).await, (None, millis(0)));
        assert_eq!(run(&[3]).await, (Some(Ok(3)), millis(3000)));
        // The first address does not answer.
        assert_eq!(run(&[10_000, 1]).await, (Some(Ok(1)), millis(1250)));
        assert_eq!(run(&[10_000, 10_000, 1]).await, (Some(Ok(1)), millis(1500)));
        // The first address is slow, but still the first to answer.
        assert_eq!(run(&[1, 9]).await, (Some(Ok(1)), millis(1000)));
        // When an address fails, the next one is tried at once.
        assert_eq!(run(&[-2, -3, 4]).await, (Some(Ok(4)), millis(4500)));
        assert_eq!(run(&[-1]).await, (Some(Err(-1)), millis(1000)));
        assert_eq!(run(&[0, 0]).await, (Some(Ok(0)), millis(0)));
    }
}
