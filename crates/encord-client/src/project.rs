//! Projects: which are listed, and what can be done with one.

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

/// A project, and what can be done with it. [`EncordUserClient::project`](crate::EncordUserClient::project) makes it.
#[derive(Clone)]
pub struct Project {
    shared: Arc<Shared>,
    id: ProjectId,
}

/// Which projects are listed. Times are ISO 8601, such as `2024-05-01T00:00:00`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectFilter {
    /// With exactly this title.
    pub title_eq: Option<String>,
    /// With a title like this, where `%` stands for anything.
    pub title_like: Option<String>,
    /// With exactly this description.
    pub desc_eq: Option<String>,
    /// With a description like this.
    pub desc_like: Option<String>,
    /// Made before this time.
    pub created_before: Option<String>,
    /// Made after this time.
    pub created_after: Option<String>,
    /// Changed before this time.
    pub edited_before: Option<String>,
    /// Changed after this time.
    pub edited_after: Option<String>,
    /// All projects of the organisation, for its administrators.
    pub include_org_access: bool,
    /// With at least one of these tags.
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

    /// Which project it is.
    pub fn id(&self) -> ProjectId {
        self.id
    }

    /// What the platform tells of it.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn get(&self) -> Result<ProjectInfo, Error> {
        send(&self.shared, &Call::get(&format!("projects/{}", self.id), &Query::default())).await?.json()
    }

    /// Its models, in the form of the seed SDK: `Project.list_models` until 0.1.155. Whether the platform still answers this call
    /// is not known; [`list_model_attachments`](Self::list_model_attachments) is its successor.
    ///
    /// # Errors
    ///
    /// When the call fails.
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

    /// Its models, in the current form. Whether the identifiers of trainings are those of
    /// [`list_models`](Self::list_models) is not known.
    ///
    /// # Errors
    ///
    /// When a call fails.
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
