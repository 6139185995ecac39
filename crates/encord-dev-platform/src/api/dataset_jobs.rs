//! Jobs that register files and link them to a dataset.

use serde_json::{Value, json};

use super::jobs::texts;
use super::{Answer, Api, Call};
use crate::problem::Problem;
use crate::query::uuid;
use crate::state::UnitError;

impl Api<'_> {
    pub(super) fn start_dataset_job(&mut self, call: &Call) -> Answer {
        let dataset = self.dataset(call.resource()?)?;
        let (dataset, backing) = (dataset.uuid, dataset.backing_folder);
        let named = call.body.get("folderUuid").or_else(|| call.body.get("folder_uuid")).and_then(Value::as_str);
        let Some(folder) = named.map(uuid).transpose()?.or(backing) else {
            return Err(Problem::invalid("the dataset has no folder of its own, and the request names none"));
        };
        self.folder(folder)?;
        self.add_job(call, folder, Some(dataset)).map(|job| json!({ "process_hash": job }))
    }

    pub(super) fn get_dataset_job(&mut self, call: &Call) -> Answer {
        let dataset = call.resource()?;
        let hash = call.body.get("process_hash").and_then(Value::as_str).unwrap_or_default();
        let job = self.job(uuid(hash)?)?;
        if job.dataset != Some(dataset) {
            return Err(Problem::not_found("There is no such job"));
        }
        let rows = job.rows.iter().filter_map(|row| self.state.rows.get(*row));
        let mut rows: Vec<_> = rows
            .map(|row| json!({ "data_hash": row.uuid, "title": row.title, "backing_item_uuid": row.item }))
            .collect();
        self.order(&mut rows);
        Ok(json!({
            "status": job.status,
            "data_hashes_with_titles": rows,
            "errors": texts(&job.errors),
            "data_unit_errors": job.errors.iter().map(written_error).collect::<Vec<_>>(),
            "units_pending_count": job.units.len(),
            "units_done_count": job.done,
            "units_error_count": job.errors.len(),
            "units_cancelled_count": job.cancelled,
        }))
    }
}

fn written_error(UnitError { urls, error, subtask, action }: &UnitError) -> Value {
    json!({ "object_urls": urls, "error": error, "subtask_uuid": subtask, "action_description": action })
}
