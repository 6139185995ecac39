//! The state of the emulator: records in tables, kept in memory or also in a file.

mod file;
mod records;
mod table;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use serde_json::Value;
use uuid::Uuid;

pub(crate) use file::StateFile;
pub(crate) use records::{
    Dataset, Folder, Item, ItemType, Job, JobStatus, Millis, Placeholder, Project, Row, UnitError,
};
pub(crate) use table::{Record, Table};

/// All records.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) folders: Table<Folder>,
    pub(crate) items: Table<Item>,
    pub(crate) placeholders: Table<Placeholder>,
    pub(crate) jobs: Table<Job>,
    pub(crate) datasets: Table<Dataset>,
    pub(crate) rows: Table<Row>,
    pub(crate) projects: Table<Project>,
    file: Option<StateFile>,
}

impl State {
    /// Reads the state of an earlier run from this folder, and writes to it from now on. Blocks.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let mut state = Self::default();
        let (file, lines) = StateFile::open(folder)?;
        for line in lines {
            state.replay(line);
        }
        // Replayed records are no changes: the file already has them.
        drop(state.changes());
        state.file = Some(file.rewrite(&state.all())?);
        Ok(state)
    }

    /// Writes the changes since the last call. Blocks while the file is written.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        let changes = self.changes();
        match &mut self.file {
            Some(file) if !changes.is_empty() => file.append(&changes),
            _ => Ok(()),
        }
    }

    fn replay(&mut self, line: Value) {
        let Value::Object(line) = line else { return };
        for (kind, record) in line {
            match kind.as_str() {
                Folder::KIND => self.folders.replay(record),
                Item::KIND => self.items.replay(record),
                Placeholder::KIND => self.placeholders.replay(record),
                Job::KIND => self.jobs.replay(record),
                Dataset::KIND => self.datasets.replay(record),
                Row::KIND => self.rows.replay(record),
                Project::KIND => self.projects.replay(record),
                // A record of a later version is ignored.
                _ => {}
            }
        }
    }

    fn changes(&mut self) -> Vec<Value> {
        let mut changes = self.folders.changes();
        changes.extend(self.items.changes());
        changes.extend(self.placeholders.changes());
        changes.extend(self.jobs.changes());
        changes.extend(self.datasets.changes());
        changes.extend(self.rows.changes());
        changes.extend(self.projects.changes());
        changes
    }

    fn all(&self) -> Vec<Value> {
        let mut all = self.folders.all();
        all.extend(self.items.all());
        all.extend(self.placeholders.all());
        all.extend(self.jobs.all());
        all.extend(self.datasets.all());
        all.extend(self.rows.all());
        all.extend(self.projects.all());
        all
    }

    /// Counts the rows of each item, in all datasets.
    pub(crate) fn rows_of_items(&self) -> HashMap<Uuid, usize> {
        let mut counts = HashMap::new();
        for row in self.rows.iter() {
            *counts.entry(row.item).or_default() += 1;
        }
        counts
    }

    /// Returns a folder and all folders below it.
    pub(crate) fn folders_below(&self, folder: Uuid) -> Vec<Uuid> {
        let mut found = vec![folder];
        let mut at = 0;
        while let Some(parent) = found.get(at).copied() {
            found.extend(self.folders.iter().filter(|folder| folder.parent == Some(parent)).map(|folder| folder.uuid));
            at += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests;
