//! Models that are attached to a project, in the current form. The form of the seed SDK is
//! [`ModelConfiguration`](encord_project_utils::ModelConfiguration).

use encord_project_utils::ModelIterationUids;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient;
use super::time::Time;

/// A model that is attached to a project, with its trainings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a model that is attached to a project")]
#[non_exhaustive]
pub struct ModelAttachment {
    /// The model.
    #[serde(alias = "model_group")]
    pub model_group: ModelGroup,
    /// How the project uses it.
    #[serde(alias = "project_model")]
    pub project_model: ProjectModel,
    /// Its trainings.
    #[serde(default, alias = "project_model_iterations")]
    pub project_model_iterations: Vec<ModelIteration>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelGroup {
    /// Its identifier.
    #[serde(alias = "model_uuid")]
    pub model_uuid: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// What people wrote about it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// The nodes of the ontology that it is for.
    #[serde(default)]
    pub features: Vec<String>,
    /// Its architecture, such as `fasterRcnn`.
    #[serde(default)]
    pub model: Option<String>,
    /// `classification`, `objectDetection` or `segmentation`.
    #[serde(default, rename = "type")]
    pub model_type: Option<String>,
    /// When it was made.
    #[serde(default, alias = "created_at")]
    pub created_at: Option<Time>,
}

/// How a project uses a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProjectModel {
    /// The identifier of the attachment.
    #[serde(default, alias = "project_model_uuid")]
    pub project_model_uuid: Option<String>,
    /// The model.
    #[serde(default, alias = "model_uuid")]
    pub model_uuid: Option<String>,
    /// The project.
    #[serde(default, alias = "project_uuid")]
    pub project_uuid: Option<String>,
    /// `manualSelection`, `useAll` or `useLatest`.
    #[serde(default, alias = "iteration_policy")]
    pub iteration_policy: Option<String>,
    /// Which nodes of the project's ontology stand for which of the model's.
    #[serde(default, alias = "features_mapping")]
    pub features_mapping: Option<Map<String, Value>>,
    /// When it was attached.
    #[serde(default, alias = "created_at")]
    pub created_at: Option<Time>,
}

/// A training of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelIteration {
    /// Its identifier.
    #[serde(alias = "training_uuid")]
    pub training_uuid: String,
    /// When it was made.
    #[serde(default, alias = "created_at")]
    pub created_at: Option<Time>,
    /// How many examples were looked at together.
    #[serde(default, alias = "batch_size", deserialize_with = "lenient::optional_whole")]
    pub batch_size: Option<u64>,
    /// How long it took, in seconds.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub duration: Option<f64>,
    /// How often all examples were looked at.
    #[serde(default, deserialize_with = "lenient::optional_whole")]
    pub epochs: Option<u64>,
}

impl ModelIterationUids for ModelAttachment {
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
        self.project_model_iterations.iter().map(|iteration| iteration.training_uuid.as_str())
    }
}
