//! The record of one run, shared by all that have something to put into it; every change is written at once.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::execute::folder::{RunFolder, RunRecord};

/// Keeps one record.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    folder: RunFolder,
    record: Arc<Mutex<RunRecord>>,
}

impl Keeper {
    /// A keeper of `record` in `folder`; nothing is written yet.
    pub(super) fn new(folder: RunFolder, record: RunRecord) -> Keeper {
        Keeper { folder, record: Arc::new(Mutex::new(record)) }
    }

    /// Writes the record as it is.
    ///
    /// # Errors
    /// Any I/O error; the old record is whole.
    pub(super) fn write(&self) -> io::Result<()> {
        self.folder.write_record(&self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The conversation that is in the record.
    pub(super) fn conversation(&self) -> Option<String> {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.agent.as_ref().and_then(|agent| agent.tally.conversation.clone())
    }

    /// Changes the record and writes it. That it cannot be written is only worth a log line: the run goes on.
    pub(super) fn change(&self, change: impl FnOnce(&mut RunRecord)) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut record);
        if let Err(error) = self.folder.write_record(&record) {
            tracing::warn!(run = self.folder.name(), %error, "the record of a run cannot be written");
        }
    }
}
