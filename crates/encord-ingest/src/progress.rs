//! How far a run is, as values that any front end can show.

use std::sync::{Arc, Mutex, PoisonError};

use encord_upload::{Progress, Snapshot};

use crate::plan::Totals;

/// A view of a run under way. Clones see the same run.
#[derive(Debug, Clone, Default)]
pub struct IngestProgress {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    totals: Totals,
    upload: Option<Progress>,
}

impl IngestProgress {
    /// How far it is.
    pub fn totals(&self) -> Totals {
        self.with(|shared| shared.totals)
    }

    /// How far the uploads of this run are.
    pub fn upload(&self) -> Snapshot {
        self.with(|shared| shared.upload.as_ref().map(Progress::snapshot)).unwrap_or_default()
    }

    pub(crate) fn set(&self, totals: Totals) {
        self.with(|shared| shared.totals = totals);
    }

    pub(crate) fn follow(&self, upload: Progress) {
        self.with(|shared| shared.upload = Some(upload));
    }

    fn with<T>(&self, f: impl FnOnce(&mut Shared) -> T) -> T {
        f(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
