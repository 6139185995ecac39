//! Projects, their ontologies and models.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::filter::Filter;
use super::page::Paging;
use super::{Answer, Api, Call, OWNER};
use crate::problem::Problem;
use crate::state::Project;

/// A new project with models, for [`crate::Running::add_project`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewProject {
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The ids of its datasets.
    pub datasets: Vec<Uuid>,
    /// The answer of `modelconfiguration`: `model_uid`, `title`, `description`, `feature_node_hashes`, `model`,
    /// `model_iteration_uids`. Nothing is checked, so that a test can send unexpected values to a client.
    pub model_configurations: Vec<Value>,
    /// The answer of `models-attachments`: `modelGroup`, `projectModel`, `projectModelIterations`. Nothing is checked.
    pub model_attachments: Vec<Value>,
}

#[derive(Deserialize)]
struct TrainingMetadata {
    model_iteration_uids: Vec<String>,
    #[serde(default)]
    get_created_at: bool,
    #[serde(default)]
    get_training_final_loss: bool,
    #[serde(default)]
    get_model_training_labels: bool,
}

impl Api<'_> {
    pub(crate) fn add_project(&mut self, project: NewProject) -> Uuid {
        let NewProject { title, description, datasets, model_configurations, model_attachments } = project;
        let uuid = Uuid::new_v4();
        let (created_at, edited_at) = (self.now, self.now);
        let ontology = Uuid::new_v4();
        let project = Project {
            uuid,
            title,
            description,
            ontology,
            datasets,
            model_configurations,
            model_attachments,
            created_at,
            edited_at,
        };
        self.state.projects.put(project);
        uuid
    }

    fn project(&self, uuid: Uuid) -> Result<&Project, Problem> {
        self.state.projects.get(uuid).ok_or_else(|| Problem::not_found("There is no such project"))
    }

    fn filtered_projects(&self, filter: &Filter) -> impl Iterator<Item = (u64, &Project)> {
        self.state.projects.numbered().filter(|(_, project)| {
            filter.fits(&project.title, &project.description, project.created_at, project.edited_at)
        })
    }

    pub(super) fn list_projects(&mut self, call: &Call) -> Answer {
        let filter = Filter::of_query(&call.query)?;
        let paging = Paging::read(&call.query, self.switches)?.without_names();
        let projects = self.filtered_projects(&filter).map(|(number, project)| (number, "", project));
        Ok(paging.page(projects, written_project))
    }

    pub(super) fn get_project(&mut self, call: &Call) -> Answer {
        self.project(call.id(0)?).map(written_project)
    }

    pub(super) fn list_projects_older(&mut self, call: &Call) -> Answer {
        let filter = Filter::of_payload(call.body.get("filter").unwrap_or(&Value::Null))?;
        let projects = self.filtered_projects(&filter);
        Ok(projects.map(|(_, project)| json!({ "user_role": 0, "project": self.written_older(project) })).collect())
    }

    pub(super) fn get_project_older(&mut self, call: &Call) -> Answer {
        self.project(call.resource()?).map(|project| self.written_older(project))
    }

    fn written_older(&self, project: &Project) -> Value {
        let datasets = project.datasets.iter().filter_map(|dataset| self.state.datasets.get(*dataset));
        let datasets = datasets.map(|dataset| {
            json!({ "dataset_hash": dataset.uuid, "title": dataset.title, "description": dataset.description })
        });
        json!({
            "project_hash": project.uuid,
            "title": project.title,
            "description": project.description,
            "created_at": project.created_at.plain(),
            "last_edited_at": project.edited_at.plain(),
            "editor_ontology": editor(),
            "datasets": datasets.collect::<Vec<_>>(),
            "label_rows": [],
            "ontology_hash": project.ontology,
            "source_projects": [],
            "workflow_manager_uuid": null,
        })
    }

    fn project_of_ontology(&self, ontology: Uuid) -> Result<&Project, Problem> {
        let project = self.state.projects.iter().find(|project| project.ontology == ontology);
        project.ok_or_else(|| Problem::not_found("There is no such ontology"))
    }

    pub(super) fn get_ontology(&mut self, call: &Call) -> Answer {
        let project = self.project_of_ontology(call.id(0)?)?;
        Ok(json!({
            "ontologyUuid": project.ontology,
            "title": project.title,
            "description": "",
            "editor": editor(),
            "createdAt": project.created_at.iso(),
            "lastEditedAt": project.edited_at.iso(),
            "userRole": 0,
        }))
    }

    pub(super) fn get_ontology_older(&mut self, call: &Call) -> Answer {
        let ontology = call.uids()?.first().copied().unwrap_or_default();
        let project = self.project_of_ontology(ontology)?;
        Ok(json!({
            "title": project.title,
            "description": "",
            "ontology_hash": project.ontology,
            "editor": editor(),
            "created_at": project.created_at.plain(),
            "last_edited_at": project.edited_at.plain(),
        }))
    }

    /// Lists a label row for each row of the project's datasets. None has labels.
    pub(super) fn list_label_rows(&mut self, call: &Call) -> Answer {
        let project = self.project(call.resource()?)?;
        let datasets = project.datasets.iter().filter_map(|dataset| self.state.datasets.get(*dataset));
        let rows = datasets.flat_map(|dataset| self.items_of(dataset.uuid).map(move |row| (dataset, row)));
        let rows = rows.map(|(dataset, (row, item))| {
            json!({
                "label_hash": null,
                "created_at": null,
                "last_edited_at": null,
                "data_hash": row.uuid,
                "dataset_hash": dataset.uuid,
                "dataset_title": dataset.title,
                "data_title": row.title,
                "data_type": item.item_type.data_type(),
                "data_link": item.url,
                "spaces": null,
                "label_status": "NOT_LABELLED",
                "annotation_task_status": "QUEUED",
                "is_shadow_data": false,
                "number_of_frames": item.children.len().max(1),
                "branch_name": "main",
                "backing_item_uuid": item.uuid,
            })
        });
        Ok(rows.collect())
    }

    pub(super) fn list_model_configurations(&mut self, call: &Call) -> Answer {
        self.project(call.resource()?).map(|project| project.model_configurations.clone().into())
    }

    pub(super) fn training_metadata(&mut self, call: &Call) -> Answer {
        let wanted: TrainingMetadata = call.read()?;
        let project = self.project(call.resource()?)?;
        let iterations = project.model_configurations.iter().filter_map(|model| model.get("model_iteration_uids"));
        let known: Vec<_> = iterations.filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
        let found = wanted.model_iteration_uids.iter().filter(|uid| known.contains(&uid.as_str()));
        let found = found.map(|uid| {
            let labels = json!({ "label_metadata_list": [], "feature_uids": [] });
            json!({
                "model_iteration_uid": uid,
                "created_at": wanted.get_created_at.then(|| project.created_at.plain()),
                "training_final_loss": wanted.get_training_final_loss.then_some(0.25),
                "model_training_labels": wanted.get_model_training_labels.then_some(labels),
            })
        });
        Ok(found.collect())
    }

    /// Returns the models of all projects, each with its iterations.
    fn models(&self) -> Vec<Value> {
        let mut models = BTreeMap::new();
        for attachment in self.state.projects.iter().flat_map(|project| &project.model_attachments) {
            let (Some(group), Some(iterations)) =
                (attachment.get("modelGroup"), attachment.get("projectModelIterations"))
            else {
                continue;
            };
            let uuid = group.get("modelUuid").map(Value::to_string).unwrap_or_default();
            models.insert(uuid, json!({ "modelGroup": group, "modelIterations": iterations }));
        }
        models.into_values().collect()
    }

    pub(super) fn list_models(&mut self, call: &Call) -> Answer {
        let paging = Paging::read(&call.query, self.switches)?.without_names();
        let query = call.query.text("query").unwrap_or_default().to_lowercase();
        let title = |model: &Value| model["modelGroup"]["title"].as_str().unwrap_or_default().to_lowercase();
        let models = self.models();
        let found = (0..).zip(&models).filter(|(_, model)| title(model).contains(&query));
        Ok(paging.page(found.map(|(number, model)| (number, "", model)), Clone::clone))
    }

    pub(super) fn get_model(&mut self, call: &Call) -> Answer {
        let uuid = json!(call.id(0)?);
        let model = self.models().into_iter().find(|model| model["modelGroup"]["modelUuid"] == uuid);
        model.ok_or_else(|| Problem::not_found("There is no such model"))
    }

    pub(super) fn list_model_attachments(&mut self, call: &Call) -> Answer {
        let paging = Paging::read(&call.query, self.switches)?.without_names();
        let attachments = (0..).zip(&self.project(call.id(0)?)?.model_attachments);
        Ok(paging.page(attachments.map(|(number, model)| (number, "", model)), Clone::clone))
    }
}

fn editor() -> Value {
    json!({ "objects": [], "classifications": [] })
}

fn written_project(project: &Project) -> Value {
    json!({
        "projectHash": project.uuid,
        "projectType": "workflow",
        "status": "IN_PROGRESS",
        "title": project.title,
        "description": project.description,
        "createdAt": project.created_at.iso(),
        "creatorEmail": OWNER,
        "lastEditedAt": project.edited_at.iso(),
        "ontologyHash": project.ontology,
        "editorOntology": editor(),
        "userRole": 0,
        "sourceProjects": null,
        "workflowManagerUuid": null,
        "workflow": null,
    })
}

impl NewProject {
    /// Returns a project with two models of each form, which share some iterations.
    pub fn demo() -> Self {
        let configuration = |uid: &str, model: &str, iterations: [&str; 2]| {
            json!({
                "model_uid": uid,
                "title": format!("Demo {model}"),
                "description": "",
                "feature_node_hashes": { "feature": {} },
                "model": model,
                "model_iteration_uids": iterations,
            })
        };
        let (first, second, third) = (
            "11111111-1111-4111-8111-111111111111",
            "22222222-2222-4222-8222-222222222222",
            "33333333-3333-4333-8333-333333333333",
        );
        let attachment = |uid: &str, model: &str, kind: &str, iterations: [&str; 2]| {
            let created_at = "2024-05-01T12:00:00+00:00";
            let iterations = iterations.map(|iteration| {
                json!({
                    "batchSize": 8,
                    "createdAt": created_at,
                    "duration": 60,
                    "epochs": 10,
                    "lossLog": {},
                    "trainingUuid": iteration,
                })
            });
            json!({
                "modelGroup": {
                    "createdAt": created_at,
                    "description": "",
                    "features": ["feature"],
                    "model": model,
                    "modelUuid": uid,
                    "title": format!("Demo {model}"),
                    "type": kind,
                },
                "projectModel": {
                    "createdAt": created_at,
                    "iterationPolicy": "useAll",
                    "modelUuid": uid,
                    "projectModelUuid": uid,
                    "projectUuid": uid,
                    "featuresMapping": {},
                },
                "projectModelIterations": iterations,
            })
        };
        let (one, two) = ("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb");
        Self {
            title: "Demo project".to_owned(),
            description: "With models of both forms".to_owned(),
            datasets: Vec::new(),
            model_configurations: vec![
                configuration(one, "faster_rcnn", [first, second]),
                configuration(two, "resnet18", [second, third]),
            ],
            model_attachments: vec![
                attachment(one, "fasterRcnn", "objectDetection", [first, second]),
                attachment(two, "resnet18", "classification", [second, third]),
            ],
        }
    }
}
