//! The operations. They work on the state, and do no I/O except that of the store.

mod dataset_jobs;
mod datasets;
mod filter;
mod folders;
mod groups;
mod items;
mod jobs;
mod legacy;
mod links;
mod page;
mod projects;
mod run;
mod signing;

pub use projects::NewProject;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::operation::Operation;
use crate::problem::{Kind, Problem};
use crate::query::{Query, uuid};
use crate::state::{Millis, State};
use crate::switches::Switches;

/// The owner of all items.
pub(crate) const OWNER: &str = "me@example.com";

/// A request whose sender is known.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// The ids of the path.
    pub(crate) ids: Vec<Uuid>,
    pub(crate) query: Query,
    /// The body, or the payload of an envelope.
    pub(crate) body: Value,
    /// The `uid` of an envelope.
    pub(crate) uid: Value,
    /// The header `ResourceID`.
    pub(crate) resource: Option<Uuid>,
}

/// The data that an operation works on.
pub(crate) struct Api<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) switches: &'a Switches,
    pub(crate) store: &'a encord_dev_store::Running,
    pub(crate) now: Millis,
    /// The bearer token that is handed out.
    pub(crate) token: &'a str,
}

type Answer = Result<Value, Problem>;

impl Api<'_> {
    /// Does a request of the newer protocol.
    pub(crate) fn newer(&mut self, call: &Call) -> Answer {
        match call.operation {
            Operation::GetBearerToken => Ok(serde_json::json!({ "token": self.token })),
            Operation::CreateFolder => self.create_folder(call),
            Operation::ListFolders | Operation::SearchFolders | Operation::ListSubfolders => self.list_folders(call),
            Operation::GetFolder => self.get_folder(call),
            Operation::PatchFolder => self.patch_folder(call),
            Operation::PatchFolders => self.patch_folders(call),
            Operation::DeleteFolder => self.delete_folder(call),
            Operation::MoveFolders => self.move_folders(call),
            Operation::GetFolderSummary => self.folder_summary(call),
            Operation::ListItems | Operation::SearchItems => self.list_items(call),
            Operation::GetItem => self.get_item(call),
            Operation::GetItems => self.get_items(call),
            Operation::GetItemSummary => self.item_summary(call),
            Operation::ListChildItems => self.child_items(call),
            Operation::PatchItem => self.patch_item(call),
            Operation::PatchItems => self.patch_items(call),
            Operation::DeleteItems => self.delete_items(call),
            Operation::MoveItems => self.move_items(call),
            Operation::CreateGroupItems => self.create_group_items(call),
            Operation::SignUploadUrls => self.sign_upload_urls(call),
            Operation::SignPresignedUrls => self.sign_presigned_urls(call),
            Operation::StartJob => self.start_job(call),
            Operation::GetJob => self.get_job(call),
            Operation::CancelJob => self.cancel_job(call),
            Operation::CreateDataset => self.create_dataset(call),
            Operation::ListDatasets => self.list_datasets(call),
            Operation::ListProjects => self.list_projects(call),
            Operation::GetProject => self.get_project(call),
            Operation::GetOntology => self.get_ontology(call),
            Operation::ListModels => self.list_models(call),
            Operation::GetModel => self.get_model(call),
            Operation::ListModelAttachments => self.list_model_attachments(call),
            _ => Err(Problem::not_found("Not Found")),
        }
    }

    /// Does a request of the older protocol, which both SDKs use.
    pub(crate) fn older(&mut self, call: &Call) -> Answer {
        match call.operation {
            Operation::CreateDataset => self.create_dataset_older(call),
            Operation::ListDatasets => self.list_datasets_older(call),
            Operation::GetDataset => self.get_dataset(call),
            Operation::ListRows => self.list_rows(call),
            Operation::LinkItems => self.link_items(call),
            Operation::DeleteRows => self.delete_rows(call),
            Operation::StartDatasetJob => self.start_dataset_job(call),
            Operation::GetDatasetJob => self.get_dataset_job(call),
            Operation::ListProjects => self.list_projects_older(call),
            Operation::GetProject => self.get_project_older(call),
            Operation::GetOntology => self.get_ontology_older(call),
            Operation::ListLabelRows => self.list_label_rows(call),
            Operation::ListModelConfigurations => self.list_model_configurations(call),
            Operation::GetTrainingMetadata => self.training_metadata(call),
            Operation::SignImage | Operation::SignVideo | Operation::SignDicom => self.sign_legacy(call),
            Operation::AddImage => self.add_image(call),
            Operation::AddVideo => self.add_video(call),
            Operation::AddImages => Ok(call.body.clone()),
            Operation::AddImageGroup => self.add_image_group(call),
            Operation::AddDicomSeries => self.add_dicom_series(call),
            _ => Err(Problem::not_found("Not Found")),
        }
    }

    /// Refuses a request with more ids than the switch `ids-limit` allows.
    fn check_ids_limit(&self, ids: usize) -> Result<(), Problem> {
        if ids > self.switches.ids_limit {
            let limit = self.switches.ids_limit;
            return Err(Problem::new(Kind::TooLarge, format!("at most {limit} ids in a request")));
        }
        Ok(())
    }
}

impl Call {
    /// Returns the id at this position of the path.
    fn id(&self, at: usize) -> Result<Uuid, Problem> {
        self.ids.get(at).copied().ok_or_else(|| Problem::new(Kind::Internal, "the route has no such id"))
    }

    /// Returns the dataset or project that the headers name.
    fn resource(&self) -> Result<Uuid, Problem> {
        self.resource.ok_or_else(|| Problem::invalid("the header ResourceID has no uuid"))
    }

    /// Parses the body.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        T::deserialize(&self.body).map_err(|error| Problem::new(Kind::Shape, error.to_string()))
    }

    /// Returns the uids of an envelope, which has one or a list.
    fn uids(&self) -> Result<Vec<Uuid>, Problem> {
        match &self.uid {
            Value::String(one) => Ok(vec![uuid(one)?]),
            Value::Array(many) => many.iter().map(|one| uuid(one.as_str().unwrap_or_default())).collect(),
            _ => Err(Problem::invalid("uid has no uuid")),
        }
    }
}

fn forbidden(what: &str) -> Problem {
    Problem::new(Kind::Forbidden, format!("You are not authorised to access this {what}, or it does not exist."))
}
