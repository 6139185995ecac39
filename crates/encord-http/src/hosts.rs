//! How many requests are under way to each host, and how many connections there are: no more connections than requests.
//!
//! hyper-util's pool opens a connection for every request that finds none idle, and goes on with it in the background when one
//! becomes idle first. At the end of each request it is a matter of microseconds which comes first, so there would be more
//! connections than a server was asked to bear, and a handshake for each.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::wire::Progress;

/// How long a request waits for a connection that ought to become idle before it gets one more all the same. None is known that
/// takes longer; a peer that does not let go of a connection could be one.
const PATIENCE: Duration = Duration::from_millis(250);

/// Hosts without requests and connections are forgotten when there are more than so many.
const REMEMBERED: usize = 64;

tokio::task_local! {
    /// The request for which a connection is asked. It is asked by the task of the request.
    pub(crate) static ASKING: Asking;
}

/// The hosts of a client.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Mutex<HashMap<(Scheme, Authority), Arc<Host>>>);

#[derive(Debug, Default)]
struct Host {
    requests: AtomicUsize,
    connections: AtomicUsize,
    closed: Notify,
}

/// A request is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Host>);

/// There is a connection, or soon will be, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Host>);

/// A request that needs a connection.
#[derive(Clone)]
pub(crate) struct Asking {
    host: Arc<Host>,
    progress: Arc<Progress>,
    connect_timeout: Option<Duration>,
}

impl Hosts {
    /// A request to this URL begins. `None` where it has no host.
    pub(crate) fn begin(&self, uri: &Uri) -> Option<UnderWay> {
        let origin = (uri.scheme()?.clone(), uri.authority()?.clone());
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() > REMEMBERED {
            hosts.retain(|_, host| Arc::strong_count(host) > 1);
        }
        let host = Arc::clone(hosts.entry(origin).or_default());
        host.requests.fetch_add(1, Ordering::AcqRel);
        Some(UnderWay(host))
    }
}

impl UnderWay {
    /// The request as it asks for a connection.
    pub(crate) fn asking(&self, progress: Arc<Progress>, connect_timeout: Option<Duration>) -> Asking {
        Asking { host: Arc::clone(&self.0), progress, connect_timeout }
    }
}

impl Asking {
    /// How long a try to connect may take.
    pub(crate) fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }

    /// A place for a new connection, or `None` when the request has got another connection meanwhile.
    pub(crate) async fn place(self) -> Option<Place> {
        let Self { host, progress, connect_timeout: _ } = self;
        if host.take(|connections, requests| connections < requests) {
            return Some(Place(host));
        }
        let taken = async {
            loop {
                let mut closed = pin!(host.closed.notified());
                closed.as_mut().enable();
                if host.take(|connections, requests| connections < requests) {
                    return;
                }
                closed.await;
            }
        };
        let (mut taken, mut patience) = (pin!(taken), pin!(sleep(PATIENCE)));
        let has_place = poll_fn(|cx| {
            if progress.poll_connected(cx).is_ready() {
                return Poll::Ready(false);
            }
            if taken.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            patience.as_mut().poll(cx).map(|()| host.take(|_, _| true))
        })
        .await;
        has_place.then(|| Place(Arc::clone(&host)))
    }
}

impl Host {
    /// Takes a place if there may be one more connection.
    fn take(&self, may: impl Fn(usize, usize) -> bool) -> bool {
        let requests = self.requests.load(Ordering::Acquire);
        let one_more = |connections| may(connections, requests).then_some(connections + 1);
        self.connections.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
        self.0.closed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::wire::Wire;

    fn progress() -> Arc<Progress> {
        Arc::new(Progress::new(Instant::now(), false))
    }

    fn begin(hosts: &Hosts, uri: &'static str) -> UnderWay {
        hosts.begin(&Uri::from_static(uri)).expect("it has a host")
    }

    fn is_pending<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        future.poll(&mut cx).is_pending()
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_connections_as_requests() {
        let began = Instant::now();
        let hosts = Hosts::default();
        let requests: Vec<_> = (0..3).map(|_| begin(&hosts, "https://host/a?b")).collect();
        let mut places = Vec::new();
        for request in &requests {
            places.push(request.asking(progress(), None).place().await.expect("room"));
        }
        let mut fourth = pin!(requests[0].asking(progress(), None).place());
        assert!(is_pending(fourth.as_mut()));
        // Another host, or the same under another scheme, has its own.
        for other in ["http://host/", "https://host:444/"] {
            assert!(begin(&hosts, other).asking(progress(), None).place().await.is_some());
        }
        places.pop();
        assert!(fourth.await.is_some());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_got_a_connection_needs_no_other() {
        let hosts = Hosts::default();
        let request = begin(&hosts, "http://host/");
        let _place = request.asking(progress(), None).place().await.expect("room");
        let progress = progress();
        let mut second = pin!(request.asking(Arc::clone(&progress), None).place());
        assert!(is_pending(second.as_mut()));
        Wire::default().link(&progress);
        assert!(second.await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let hosts = Hosts::default();
        let request = begin(&hosts, "http://host/");
        let _place = request.asking(progress(), None).place().await.expect("room");
        let began = Instant::now();
        assert!(request.asking(progress(), None).place().await.is_some());
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[test]
    fn hosts_without_requests_are_forgotten() {
        let hosts = Hosts::default();
        let kept = begin(&hosts, "http://kept/");
        for number in 0..1000 {
            let uri = format!("http://host-{number}/").parse().expect("a URL");
            drop(hosts.begin(&uri));
        }
        let map = hosts.0.lock().expect("not poisoned");
        assert!(map.len() <= REMEMBERED + 1, "{}", map.len());
        assert!(map.values().any(|host| Arc::ptr_eq(host, &kept.0)));
    }
}
