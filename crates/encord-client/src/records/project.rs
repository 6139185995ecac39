//! Projects.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::lenient;
use super::time::Time;
use crate::ids::ProjectId;

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a project")]
#[non_exhaustive]
pub struct ProjectInfo {
    /// Its identifier.
    #[serde(alias = "project_hash")]
    pub project_hash: ProjectId,
    /// `workflow` or `manual_qa`.
    #[serde(default, alias = "project_type")]
    pub project_type: Option<String>,
    /// Its status, in the platform's words.
    #[serde(default)]
    pub status: Option<String>,
    /// Its title.
    pub title: String,
    /// Its description.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// The time of creation.
    #[serde(alias = "created_at")]
    pub created_at: Time,
    /// The e-mail address of its creator.
    #[serde(default, alias = "creator_email")]
    pub creator_email: Option<String>,
    /// The time of the last change.
    #[serde(alias = "last_edited_at")]
    pub last_edited_at: Time,
    /// Its ontology.
    #[serde(default, alias = "ontology_hash")]
    pub ontology_hash: Option<String>,
    /// The role of this client's user, as a number.
    #[serde(default, alias = "user_role")]
    pub user_role: Option<Value>,
    /// The projects from which it was created.
    #[serde(default, alias = "source_projects")]
    pub source_projects: Option<Vec<String>>,
    /// Its workflow.
    #[serde(default, alias = "workflow_manager_uuid")]
    pub workflow_manager_uuid: Option<Uuid>,
    /// The stages of its workflow.
    #[serde(default)]
    pub workflow: Option<Workflow>,
}

/// The workflow of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Workflow {
    /// Its stages, in their order.
    #[serde(default)]
    pub stages: Vec<WorkflowStage>,
}

/// A stage of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkflowStage {
    /// The type of the stage, in the platform's words.
    #[serde(default, alias = "stage_type")]
    pub stage_type: Option<String>,
    /// Its identifier.
    pub uuid: Uuid,
    /// Its title.
    #[serde(default)]
    pub title: String,
}
