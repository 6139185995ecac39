//! Upload jobs: start, status, cancel.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Api, Call};
use crate::problem::{Kind, Problem};
use crate::state::{Job, JobStatus, UnitError};
use crate::switches::NamesOrder;
use crate::units::DataItems;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    #[serde(alias = "data_items")]
    data_items: Option<Value>,
    /// The lists of `dataItems`, for files in a cloud.
    #[serde(alias = "external_files", alias = "files")]
    external_files: Option<Value>,
    #[serde(default, alias = "ignore_errors")]
    ignore_errors: bool,
    #[serde(alias = "file_name")]
    file_name: Option<String>,
}

impl Api<'_> {
    pub(super) fn start_job(&mut self, call: &Call) -> Answer {
        let folder = call.id(0)?;
        self.folder(folder)?;
        self.add_job(call, folder, None).map(|job| json!(job))
    }

    /// Adds a pending job. The caller runs it after the time of the switch `job-time`.
    pub(super) fn add_job(&mut self, call: &Call, folder: Uuid, dataset: Option<Uuid>) -> Result<Uuid, Problem> {
        let Start { data_items, external_files, ignore_errors, file_name } = call.read()?;
        let mut items = DataItems::default();
        for lists in [data_items, external_files].into_iter().flatten() {
            let read = DataItems::read(&lists)?;
            items.units.extend(read.units);
            items.skip_duplicate_urls |= read.skip_duplicate_urls;
            items.upsert_metadata |= read.upsert_metadata;
        }
        let limit = self.switches.job_limit;
        if items.units.len() > limit {
            return Err(Problem::new(Kind::TooLarge, format!("at most {limit} units in a job")));
        }
        let uuid = Uuid::new_v4();
        self.state.jobs.put(Job {
            uuid,
            folder,
            dataset,
            units: items.units,
            ignore_errors,
            skip_duplicate_urls: items.skip_duplicate_urls,
            upsert_metadata: items.upsert_metadata,
            file_name,
            status: JobStatus::Pending,
            items: Vec::new(),
            rows: Vec::new(),
            done: 0,
            cancelled: 0,
            errors: Vec::new(),
            created_at: self.now,
            ended_at: None,
        });
        Ok(uuid)
    }

    /// Finds a job. An ended job is found for the time of the switch `job-retention`.
    pub(super) fn job(&self, uuid: Uuid) -> Result<&Job, Problem> {
        let retention = i64::try_from(self.switches.job_retention.as_millis()).unwrap_or(i64::MAX);
        let job = self
            .state
            .jobs
            .get(uuid)
            .filter(|job| job.ended_at.is_none_or(|ended| self.now.0.saturating_sub(ended.0) <= retention));
        job.ok_or_else(|| Problem::not_found("There is no such job"))
    }

    fn job_of(&self, call: &Call) -> Result<&Job, Problem> {
        let folder = call.id(0)?;
        self.folder(folder)?;
        let job = self.job(call.id(1)?)?;
        if job.folder == folder { Ok(job) } else { Err(Problem::not_found("There is no such job")) }
    }

    pub(super) fn get_job(&mut self, call: &Call) -> Answer {
        let job = self.job_of(call)?;
        let names = job.items.iter().filter_map(|item| self.state.items.get(*item));
        let mut names: Vec<_> = names.map(|item| json!({ "itemUuid": item.uuid, "name": item.name })).collect();
        self.order(&mut names);
        Ok(json!({
            "status": job.status,
            "itemsWithNames": names,
            "errors": texts(&job.errors),
            "unitsPendingCount": job.units.len(),
            "unitsDoneCount": job.done,
            "unitsErrorCount": job.errors.len(),
            "unitsCancelledCount": job.cancelled,
            "unitErrors": job.errors.iter().map(written_error).collect::<Vec<_>>(),
            "fileName": job.file_name,
        }))
    }

    pub(super) fn cancel_job(&mut self, call: &Call) -> Answer {
        let uuid = self.job_of(call)?.uuid;
        let now = self.now;
        let cancelled = match self.state.jobs.edit(uuid) {
            Some(job) if job.status == JobStatus::Pending => {
                job.status = JobStatus::Cancelled;
                job.cancelled = std::mem::take(&mut job.units).len();
                job.ended_at = Some(now);
                job.cancelled
            }
            _ => 0,
        };
        Ok(json!({ "unitsCancelledCount": cancelled }))
    }

    /// Applies the switch `names-order`. The shuffled order is the same in each answer, and differs for two or more names.
    pub(super) fn order<T>(&self, names: &mut [T]) {
        if self.switches.names_order == NamesOrder::Shuffled {
            names.reverse();
            names.rotate_left(names.len() / 3);
        }
    }
}

pub(super) fn texts(errors: &[UnitError]) -> Vec<&str> {
    errors.iter().map(|error| error.error.as_str()).collect()
}

fn written_error(UnitError { urls, error, subtask, action }: &UnitError) -> Value {
    json!({ "objectUrls": urls, "error": error, "subtaskUuid": subtask, "actionDescription": action })
}
