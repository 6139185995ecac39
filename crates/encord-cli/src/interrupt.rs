//! Ctrl-C, and the SIGTERM of a scheduler: the first ends the run in order, the second at once.

use std::process;

use tokio::sync::oneshot;

use crate::output::{Exit, Failure};

/// Ready when the process is asked to end. When it is asked again, it ends without further ado; the journal is true at any
/// time. Needs a runtime, and works as long as that does.
///
/// # Errors
///
/// The signals cannot be listened for.
pub(crate) fn first() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut requests = Requests::new()?;
    let (first, is_first) = oneshot::channel();
    tokio::spawn(async move {
        requests.next().await;
        let _ = first.send(());
        requests.next().await;
        // Nothing is said: standard error may be what it hangs on.
        process::exit(Exit::Interrupted as i32);
    });
    Ok(async {
        let _ = is_first.await;
    })
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
