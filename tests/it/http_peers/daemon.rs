//! tinyproxy and haproxy.

use std::cell::Cell;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::peers;
use crate::support::daemon::Daemon;
use crate::support::until;

/// A forward proxy.
pub(crate) struct Tinyproxy(Daemon);

/// A front that answers every second request, by chance, with 503 and the others with 200.
pub(crate) struct Haproxy(Daemon);

impl Tinyproxy {
    /// `None` where there is no tinyproxy. With credentials, `user password`, it asks for them.
    #[track_caller]
    pub(crate) fn start(credentials: Option<&str>) -> Option<Self> {
        let auth = credentials.map_or_else(String::new, |credentials| format!("BasicAuth {credentials}\n"));
        let configuration = |port| {
            format!(
                "Listen 127.0.0.1\nPort {port}\nTimeout 60\nMaxClients 100\nLogLevel Connect\nViaProxyName \
                 \"tinyproxy\"\n{auth}"
            )
        };
        start("tinyproxy", "tinyproxy-bin", &["-d", "-c", "configuration"], configuration).map(Self)
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.port())
    }

    pub(crate) fn log(&self) -> String {
        self.0.log()
    }
}

impl Haproxy {
    /// `None` where there is no haproxy.
    #[track_caller]
    pub(crate) fn start() -> Option<Self> {
        let configuration = |port| {
            format!(
                "defaults
                    mode http
                    timeout connect 10s
                    timeout client 60s
                    timeout server 60s
                frontend front
                    bind 127.0.0.1:{port}
                    stats enable
                    stats uri /stats
                    http-request return status 503 if {{ path / }} {{ rand(100) lt 50 }}
                    http-request return status 200 content-type text/plain string ok if {{ path / }}\n"
            )
        };
        start("haproxy", "haproxy", &["-db", "-f", "configuration"], configuration).map(Self)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.0.port())
    }

    /// How many requests it has answered with 200 and with 503. It counts a moment after it answers, so this waits until both
    /// together are `all`.
    #[track_caller]
    pub(crate) fn answered(&self, all: usize) -> (usize, usize) {
        let (answered, mut looked) = (Cell::new((0, 0)), 0);
        let has_counted = || {
            let (good, bad) = self.counters();
            // Its answers to these questions are counted too.
            let (good, bad) = (good - looked, bad);
            looked += 1;
            answered.set((good, bad));
            good + bad == all
        };
        until("haproxy has counted its answers", has_counted, || format!("{:?} of {all}", answered.get()));
        answered.get()
    }

    fn counters(&self) -> (usize, usize) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0.port())).unwrap();
        stream.write_all(b"GET /stats;csv HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let table = answer.split_once("# ").unwrap().1;
        let row = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let names = row(table.lines().next().unwrap());
        let front = row(table.lines().find(|line| line.starts_with("front,FRONTEND,")).unwrap());
        let value = |name: &str| front[names.iter().position(|n| n == name).unwrap()].parse().unwrap();
        (value("hrsp_2xx"), value("hrsp_5xx"))
    }
}

/// `None` where there is no such program.
#[track_caller]
fn start(program: &str, package: &str, arguments: &[&str], configuration: impl Fn(u16) -> String) -> Option<Daemon> {
    let program = peers::program(program, package)?;
    let command = |folder: &Path, port| {
        fs::write(folder.join("configuration"), configuration(port)).unwrap();
        let mut command = Command::new(&program);
        command.args(arguments);
        command
    };
    Some(Daemon::start(command, Daemon::listens))
}
