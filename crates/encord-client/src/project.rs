//! Projects: filters, and the calls for one project.

use std::fmt;
use std::sync::Arc;

use encord_project_utils::ModelConfiguration;

use crate::call::{Call, Class, QueryMethod, Resource, V1Call, send, send_v1};
use crate::error::Error;
use crate::ids::ProjectId;
use crate::list::{List, Records};
use crate::query::Query;
use crate::records::{ModelAttachment, ProjectInfo};
use crate::shared::Shared;

/// The calls for one project. [`EncordUserClient::project`](crate::EncordUserClient::project) returns it.
#[derive(Clone)]
pub struct Project {
    shared: Arc<Shared>,
    id: ProjectId,
}

/// A filter for projects. Times are ISO 8601, such as `2024-05-01T00:00:00`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// Only with exactly this title.
    pub title_eq: Option<String>,
    /// Only with a title like this pattern, where `%` stands for any text.
    pub title_like: Option<String>,
    /// Only with exactly this description.
    pub desc_eq: Option<String>,
    /// Only with a description like this pattern.
    pub desc_like: Option<String>,
    /// Only if created before this time.
    pub created_before: Option<String>,
    /// Only if created after this time.
    pub created_after: Option<String>,
    /// Only if changed before this time.
    pub edited_before: Option<String>,
    /// Only if changed after this time.
    pub edited_after: Option<String>,
    /// Lists all projects of the organisation. Only for administrators.
    pub include_org_access: bool,
    /// Only with at least one of these tags.
    pub tags_anyof: Vec<String>,
}

impl ProjectFilter {
    pub(crate) fn list(&self, shared: &Arc<Shared>) -> List<ProjectInfo> {
        let filter = self.clone();
        List::paged(shared, "projects".to_owned(), move |token| {
            let Self {
                title_eq,
                title_like,
                desc_eq,
                desc_like,
                created_before,
                created_after,
                edited_before,
                edited_after,
                include_org_access,
                tags_anyof,
            } = &filter;
            let query = Query::default()
                .with("titleEq", title_eq.as_deref())
                .with("titleLike", title_like.as_deref())
                .with("descEq", desc_eq.as_deref())
                .with("descLike", desc_like.as_deref())
                .with("createdBefore", created_before.as_deref())
                .with("createdAfter", created_after.as_deref())
                .with("editedBefore", edited_before.as_deref())
                .with("editedAfter", edited_after.as_deref())
                .with_flag("includeOrgAccess", Some(*include_org_access));
            tags_anyof.iter().fold(query, |query, tag| query.with("tagsAnyof", Some(tag))).with("pageToken", token)
        })
    }
}

impl Project {
    pub(crate) fn new(shared: Arc<Shared>, id: ProjectId) -> Self {
        Self { shared, id }
    }

    /// Returns the id of the project.
    pub fn id(&self) -> ProjectId {
        self.id
    }

    /// Reads the facts of the project.
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn get(&self) -> Result<ProjectInfo, Error> {
        send(&self.shared, &Call::get(&format!("projects/{}", self.id), &Query::default())).await?.json()
    }

    /// Lists its models, as `Project.list_models` of the SDK did until version 0.1.155. It is not known whether the platform still
    /// answers this call. Its successor is [`list_model_attachments`](Self::list_model_attachments).
    ///
    /// # Errors
    ///
    /// If the call fails.
    pub async fn list_models(&self) -> Result<Records<ModelConfiguration>, Error> {
        let call = V1Call {
            resource: Resource::Project(self.id.into()),
            query_type: "modelconfiguration",
            query_method: QueryMethod::Get,
            uid: None,
            payload: (),
            class: Class::Read,
        };
        Records::of_answer(send_v1(&self.shared, &call).await?.ok_or_else(Error::nothing)?)
    }

    /// Lists its models in the current form. It is not known whether the ids of trainings are the same as in
    /// [`list_models`](Self::list_models).
    ///
    /// # Errors
    ///
    /// If a call fails.
    pub async fn list_model_attachments(&self) -> Result<Records<ModelAttachment>, Error> {
        let path = format!("projects/{}/models-attachments", self.id);
        List::paged(&self.shared, path, |token| Query::default().with("pageToken", token)).all().await
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Project({})", self.id)
    }
}
