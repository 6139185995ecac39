//! `rclone serve s3`: an object store over a folder that checks signatures, ended when it is dropped.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::peers;

pub(crate) struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    /// With the bucket `dev`; `None` where there is no rclone.
    #[track_caller]
    pub(crate) fn start(access_id: &str, secret: &str) -> Option<Self> {
        let rclone = peers::storage_program("rclone")?;
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("dev")).unwrap();
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let child = Command::new(&rclone)
                .args([
                    "serve",
                    "s3",
                    "--config",
                    "/dev/null",
                    "--auth-key",
                    &format!("{access_id},{secret}"),
                    "--addr",
                ])
                .arg(format!("127.0.0.1:{port}"))
                .arg(folder.path())
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut server = Self { child, port, _folder: folder };
            if peers::listens(&mut server.child, port) {
                return Some(server);
            }
        }
        panic!("rclone does not start")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
