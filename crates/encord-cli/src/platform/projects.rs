//! `encord projects` and `encord models`.

use encord_client::{
    ModelAttachment, ModelConfiguration, ModelIterationUids, ProjectFilter, ProjectInfo, Records,
    get_all_model_iteration_uids,
};

use super::connect::{failure, with_client};
use super::show::{self, Row};
use crate::args::platform::{ModelsArgs, ProjectsCommand, ProjectsListArgs, ProjectsShowArgs};
use crate::output::{Exit, Failure, json, print};

pub(crate) fn run(command: &ProjectsCommand) -> Result<Exit, Failure> {
    match command {
        ProjectsCommand::List(args) => list(args),
        ProjectsCommand::Show(args) => show(args),
    }
}

pub(crate) fn models(ModelsArgs { project, uids, legacy, platform }: &ModelsArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let project = client.project(client.resolve_project(project).await.map_err(failure)?);
        if *legacy {
            let models = project.list_models().await.map_err(failure)?;
            return show_models(&models, *uids, platform.json);
        }
        match project.list_model_attachments().await {
            Ok(models) => show_models(&models, *uids, platform.json),
            Err(error) => Err(failure(error).with_hint("`--legacy` asks as the SDK did until 0.1.155")),
        }
    })
}

fn list(ProjectsListArgs { title, platform }: &ProjectsListArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let filter = ProjectFilter { title_like: title.clone(), ..ProjectFilter::default() };
        show::list(client.list_projects(&filter), platform.json).await
    })
}

fn show(ProjectsShowArgs { project, platform }: &ProjectsShowArgs) -> Result<Exit, Failure> {
    with_client(platform, async |client| {
        let id = client.resolve_project(project).await.map_err(failure)?;
        let project = client.get_project(id).await.map_err(failure)?;
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let stages = project.workflow.iter().flat_map(|workflow| &workflow.stages);
        let stages: Vec<_> = stages.map(|stage| stage.title.as_str()).collect();
        show::fields(
            &project,
            &[
                ("uuid", &project.project_hash),
                ("title", &project.title),
                ("description", &project.description),
                ("kind", &or_empty(&project.project_type)),
                ("status", &or_empty(&project.status)),
                ("made", &project.created_at),
                ("made by", &or_empty(&project.creator_email)),
                ("changed", &project.last_edited_at),
                ("ontology", &or_empty(&project.ontology_hash)),
                ("stages", &stages.join(", ")),
            ],
            platform.json,
        )
    })
}

fn show_models<M: ModelIterationUids + Row>(models: &Records<M>, uids: bool, as_json: bool) -> Result<Exit, Failure> {
    if !uids {
        return show::records(models, as_json);
    }
    let uids = get_all_model_iteration_uids(models);
    print(|out| {
        if as_json {
            json(out, &uids.iter().collect::<Vec<_>>())
        } else {
            uids.iter().try_for_each(|uid| writeln!(out, "{uid}"))
        }
    })?;
    Ok(show::warn_of_unreadable(models))
}

impl Row for ProjectInfo {
    const HEADS: &'static [(&'static str, usize)] = &[("UUID", 36), ("KIND", 9), ("CHANGED", 25), ("TITLE", 0)];

    fn cells(&self) -> Vec<String> {
        let kind = self.project_type.clone().unwrap_or_default();
        vec![self.project_hash.to_string(), kind, self.last_edited_at.to_string(), self.title.clone()]
    }
}

impl Row for ModelConfiguration {
    const HEADS: &'static [(&'static str, usize)] = &[("UID", 36), ("MODEL", 12), ("TRAININGS", 9), ("TITLE", 0)];

    fn cells(&self) -> Vec<String> {
        let trainings = self.model_iteration_uids.len().to_string();
        vec![self.model_uid.clone(), self.model.to_string(), trainings, self.title.clone()]
    }
}

impl Row for ModelAttachment {
    const HEADS: &'static [(&'static str, usize)] = &[("UUID", 36), ("MODEL", 12), ("TRAININGS", 9), ("TITLE", 0)];

    fn cells(&self) -> Vec<String> {
        let model = self.model_group.model.clone().unwrap_or_default();
        let trainings = self.project_model_iterations.len().to_string();
        vec![self.model_group.model_uuid.clone(), model, trainings, self.model_group.title.clone()]
    }
}
