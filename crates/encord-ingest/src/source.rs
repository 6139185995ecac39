//! Signed URLs for the uploader, by way of the run, which writes down what was signed before it is used.

use std::path::PathBuf;

use encord_upload::{SignedTarget, SignedUrlSource, SourceError, UploadItem};
use tokio::sync::{mpsc, oneshot};

/// The answers, one for each path in order.
pub(crate) type Targets = Vec<Result<SignedTarget, SourceError>>;

/// What the uploader asks the run for.
#[derive(Debug)]
pub(crate) struct SignRequest {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) reply: oneshot::Sender<Targets>,
}

/// Asks the run.
#[derive(Debug)]
pub(crate) struct RunSource(pub(crate) mpsc::Sender<SignRequest>);

impl SignedUrlSource for RunSource {
    async fn sign(&self, items: &[UploadItem]) -> Targets {
        let (reply, answer) = oneshot::channel();
        let paths = items.iter().map(|item| item.path.clone()).collect();
        if self.0.send(SignRequest { paths, reply }).await.is_ok()
            && let Ok(targets) = answer.await
        {
            return targets;
        }
        items.iter().map(|_| Err("the run has ended".into())).collect()
    }
}
