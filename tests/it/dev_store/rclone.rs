//! `rclone serve s3`: an object store over a folder that checks signatures.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers;
use crate::support::daemon::Daemon;

pub(crate) struct Server(Daemon);

impl Server {
    /// With the bucket `dev`; `None` where there is no rclone.
    #[track_caller]
    pub(crate) fn start(access_id: &str, secret: &str) -> Option<Self> {
        let program = peers::storage_program("rclone")?;
        let command = |folder: &Path, port| {
            fs::create_dir_all(folder.join("buckets/dev")).unwrap();
            let mut rclone = Command::new(&program);
            rclone.args(["serve", "s3", "buckets", "--config", "/dev/null"]);
            rclone.args(["--auth-key", &format!("{access_id},{secret}"), "--addr", &format!("127.0.0.1:{port}")]);
            rclone.env_clear();
            rclone
        };
        Some(Self(Daemon::start(command, Daemon::listens)))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port())
    }
}
