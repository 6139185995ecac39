//! Models that are attached to a project, in the current form. The form of the SDK of 2023 is
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
    /// The settings for its use in the project.
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
    /// Its description.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub description: String,
    /// The ontology nodes that it predicts.
    #[serde(default)]
    pub features: Vec<String>,
    /// Its architecture, such as `fasterRcnn`.
    #[serde(default)]
    pub model: Option<String>,
    /// `classification`, `objectDetection` or `segmentation`.
    #[serde(default, rename = "type")]
    pub model_type: Option<String>,
    /// The time of creation.
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
    /// Maps ontology nodes between the model and the project.
    #[serde(default, alias = "features_mapping")]
    pub features_mapping: Option<Map<String, Value>>,
    /// The time of attachment.
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
    /// The time of creation.
    #[serde(default, alias = "created_at")]
    pub created_at: Option<Time>,
    /// The batch size.
    #[serde(default, alias = "batch_size", deserialize_with = "lenient::optional_whole")]
    pub batch_size: Option<u64>,
    /// The duration of the training, in seconds.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub duration: Option<f64>,
    /// The number of epochs.
    #[serde(default, deserialize_with = "lenient::optional_whole")]
    pub epochs: Option<u64>,
}

impl ModelIterationUids for ModelAttachment {
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
        self.project_model_iterations.iter().map(|iteration| iteration.training_uuid.as_str())
    }
}
