//! nginx as an object store: what is PUT to it lies in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::authority::Authority;
use super::daemon::Daemon;
use crate::peers;

/// A running nginx on a port of loopback. Ends when it is dropped.
pub(crate) struct Nginx {
    daemon: Daemon,
    scheme: &'static str,
}

/// What an nginx does besides storing.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// Speaks TLS, with the certificate of this authority.
    pub(crate) authority: Option<&'a Authority>,
    /// More for its `http` section.
    pub(crate) http: &'a str,
    /// More for its `server` section.
    pub(crate) server: &'a str,
}

impl Nginx {
    /// `None` where there is no nginx. With an authority it speaks TLS.
    #[track_caller]
    pub(crate) fn start(authority: Option<&Authority>) -> Option<Self> {
        Self::with(&Options { authority, ..Options::default() })
    }

    /// `None` where there is no nginx.
    #[track_caller]
    pub(crate) fn with(options: &Options<'_>) -> Option<Self> {
        let program = peers::program("nginx", "nginx")?;
        let command = |folder: &Path, port| {
            fs::create_dir(folder.join("store")).unwrap();
            fs::write(folder.join("nginx.conf"), configuration(port, options)).unwrap();
            let mut nginx = Command::new(&program);
            nginx.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
            nginx
        };
        // It writes its id when it listens. Until then it may still find the port taken by another.
        let daemon = Daemon::start(command, |daemon| daemon.folder().join("pid").exists());
        let scheme = if options.authority.is_some() { "https" } else { "http" };
        Some(Self { daemon, scheme })
    }

    /// The URL under which a name is stored.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}://127.0.0.1:{}/{}", self.scheme, self.daemon.port(), percent_encoded(name))
    }

    /// The folder with what is stored.
    pub(crate) fn store(&self) -> PathBuf {
        self.daemon.folder().join("store")
    }

    /// What it has answered, a line each: the status, the argument `run` or `-`, and the name with a slash before it. Those of an
    /// answer that a client has just got may still be missing, until it has ended.
    pub(crate) fn answers(&self) -> String {
        fs::read_to_string(self.daemon.folder().join("access")).unwrap()
    }

    /// Ends it in order. What it stored and wrote stays.
    #[track_caller]
    pub(crate) fn end(&mut self) {
        self.daemon.end(Signal::QUIT);
    }

    /// What it has to complain about.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }
}

/// One process, all of whose files are below its folder.
fn configuration(port: u16, options: &Options<'_>) -> String {
    let Options { authority, http, server } = options;
    let tls = authority.map_or_else(String::new, |authority| {
        let (certificate, key) = (authority.certificate(), authority.key());
        format!("ssl_certificate \"{}\"; ssl_certificate_key \"{}\";", certificate.display(), key.display())
    });
    let ssl = if authority.is_some() { "ssl" } else { "" };
    format!(
        "daemon off;
        master_process off;
        pid pid;
        error_log stderr warn;
        events {{ worker_connections 512; }}
        http {{
            log_format answers '$status $arg_run $uri';
            access_log access answers;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            client_max_body_size 0;
            {http}
            server {{
                listen 127.0.0.1:{port} {ssl};
                {tls}
                {server}
                root store;
                dav_methods PUT;
                create_full_put_path on;
            }}
        }}"
    )
}

fn percent_encoded(name: &str) -> String {
    let encoded = name.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}
