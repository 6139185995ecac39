//! nginx as an object store: what is PUT to it lies in a folder.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::peers;

/// A running nginx on a port of loopback. Ends when it is dropped.
pub(crate) struct Nginx {
    child: Child,
    folder: TempDir,
    scheme: &'static str,
    port: u16,
}

/// What an nginx does besides storing.
#[derive(Default)]
pub(crate) struct Options<'a> {
    /// Speaks TLS.
    pub(crate) identity: Option<&'a Identity<'a>>,
    /// More for its `http` section.
    pub(crate) http: &'a str,
    /// More for its `server` section.
    pub(crate) server: &'a str,
}

/// A certificate and its key, as PEM files.
pub(crate) struct Identity<'a> {
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
}

impl Nginx {
    /// `None` where there is no nginx. With an identity it speaks TLS.
    #[track_caller]
    pub(crate) fn start(identity: Option<&Identity<'_>>) -> Option<Self> {
        Self::with(&Options { identity, ..Options::default() })
    }

    /// `None` where there is no nginx.
    #[track_caller]
    pub(crate) fn with(options: &Options<'_>) -> Option<Self> {
        let Some(program) = find("nginx") else {
            peers::skip("nginx", "apt-get install nginx");
            return None;
        };
        // Between the moment that tells a free port and nginx taking it, another may be faster.
        let mut failures = String::new();
        for _ in 0..5 {
            match Self::try_start(&program, options) {
                Ok(nginx) => return Some(nginx),
                Err(failure) => failures += &failure,
            }
        }
        panic!("nginx does not start\n{failures}")
    }

    fn try_start(program: &Path, options: &Options<'_>) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::create_dir(folder.path().join("store")).unwrap();
        fs::write(folder.path().join("nginx.conf"), configuration(port, options)).unwrap();
        let log = fs::File::create(folder.path().join("stderr")).unwrap();
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf", "-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let scheme = if options.identity.is_some() { "https" } else { "http" };
        let mut nginx = Self { child, folder, scheme, port };
        // It writes its id when it listens.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !nginx.folder.path().join("pid").exists() {
            if nginx.child.try_wait().unwrap().is_some() || Instant::now() > deadline {
                return Err(nginx.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(nginx)
    }

    /// The URL under which a name is stored.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}://127.0.0.1:{}/{}", self.scheme, self.port, percent_encoded(name))
    }

    /// The folder with what is stored.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// What it has answered, a line each: the status, the argument `run` or `-`, and the name with a slash before it. Those of an
    /// answer that a client has just got may still be missing, until it has ended.
    pub(crate) fn answers(&self) -> String {
        fs::read_to_string(self.folder.path().join("access")).unwrap()
    }

    /// Ends it in order. What it stored and wrote stays.
    #[track_caller]
    pub(crate) fn end(&mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "QUIT", &id]).status().unwrap().success());
        self.child.wait().unwrap();
    }

    /// What it has to complain about.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One process, all of whose files are below its folder.
fn configuration(port: u16, options: &Options<'_>) -> String {
    let Options { identity, http, server } = options;
    let tls = identity.map_or_else(String::new, |Identity { certificate, key }| {
        format!("ssl_certificate \"{}\"; ssl_certificate_key \"{}\";", certificate.display(), key.display())
    });
    let ssl = if identity.is_some() { "ssl" } else { "" };
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

/// A program on the path, or where the path of others than root does not lead.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|program| program.is_file())
}

fn percent_encoded(name: &str) -> String {
    let encoded = name.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}
