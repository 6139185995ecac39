//! Programs that serve a port of loopback.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A program with a port and a folder of its own. Ends when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Daemon {
    /// `command` fills the folder, in which the program runs, and says how it is called for a port.
    #[track_caller]
    pub(crate) fn start(command: impl Fn(&Path, u16) -> Command, is_ready: fn(&Self) -> bool) -> Self {
        // Between the moment that tells a free port and the program taking it, another may be faster.
        let mut failures = Vec::new();
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let log = fs::File::create(folder.path().join("log")).unwrap();
            let mut command = command(folder.path(), port);
            command.current_dir(&folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            let mut daemon = Self { child: command.spawn().unwrap(), folder, port };
            if daemon.becomes_ready(is_ready) {
                return daemon;
            }
            failures.push(format!("{command:?}\n{}", daemon.log()));
        }
        panic!("it does not start\n{}", failures.join("\n"))
    }

    /// False when it ended instead, because another was faster to take the port, or when the time is over. Then it is started again.
    /// So this does not use `until`, which would fail the test.
    fn becomes_ready(&mut self, is_ready: fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline && !self.has_ended() {
            if is_ready(self) {
                return !self.has_ended();
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Whether somebody takes connections at its port.
    pub(crate) fn listens(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok_and(|stream| !is_connected_to_itself(&stream))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it in order, by the signal that it takes for that. Its folder stays.
    #[track_caller]
    pub(crate) fn end(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Where nobody listens a connection may meet itself: its own port is picked from the same range (RFC 9293 §3.5, simultaneous open).
fn is_connected_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}
