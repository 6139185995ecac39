//! Ctrl-C, and the SIGTERM of a scheduler: the first ends the run in order, the second at once.

use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::output::{Exit, Failure};

/// Listens for requests to end the process.
#[derive(Debug)]
pub(crate) struct Interrupt {
    /// Who is told of the first, once there is something to bring to an end.
    first: Arc<Mutex<Option<oneshot::Sender<()>>>>,
}

impl Interrupt {
    /// Listens from here on: until there is something to bring to an end, one request ends the process. Works as long as
    /// the runtime does that this is called in.
    ///
    /// # Errors
    ///
    /// The signals cannot be listened for.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut requests = Requests::new()?;
        let first = Arc::new(Mutex::new(None::<oneshot::Sender<()>>));
        let who = Arc::clone(&first);
        tokio::spawn(async move {
            requests.next().await;
            let who = who.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(who) = who {
                let _ = who.send(());
                requests.next().await;
            }
            // Nothing is said: standard error may be what it hangs on.
            process::exit(Exit::Interrupted as i32);
        });
        Ok(Self { first })
    }

    /// Ready at the first request from here on; the one after it ends the process without further ado. The journal is true
    /// at any time.
    pub(crate) fn first(self) -> impl Future<Output = ()> + Send + 'static {
        let (first, is_first) = oneshot::channel();
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        async {
            let _ = is_first.await;
        }
    }
}

#[cfg(unix)]
struct Requests {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Requests {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
        let terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            if self.interrupt.poll_recv(context).is_ready() || self.terminate.poll_recv(context).is_ready() {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Requests;

#[cfg(not(unix))]
impl Requests {
    fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
