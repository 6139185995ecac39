//! The operations. An operation has one name for both protocols, which faults, counts and records use.

use std::fmt;

use strum::{EnumIter, EnumString, IntoStaticStr};

/// An operation of the API. Its text form is the name in kebab case: `start-job`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it, and route.rs has the requests")]
pub enum Operation {
    GetBearerToken,
    // Storage.
    CreateFolder,
    ListFolders,
    SearchFolders,
    ListSubfolders,
    GetFolder,
    PatchFolder,
    PatchFolders,
    DeleteFolder,
    MoveFolders,
    GetFolderSummary,
    ListItems,
    SearchItems,
    GetItem,
    GetItems,
    GetItemSummary,
    ListChildItems,
    PatchItem,
    PatchItems,
    DeleteItems,
    MoveItems,
    CreateGroupItems,
    SignUploadUrls,
    SignPresignedUrls,
    StartJob,
    GetJob,
    CancelJob,
    // Datasets.
    CreateDataset,
    ListDatasets,
    GetDataset,
    ListRows,
    LinkItems,
    DeleteRows,
    StartDatasetJob,
    GetDatasetJob,
    // Projects and models.
    ListProjects,
    GetProject,
    GetOntology,
    ListLabelRows,
    ListModels,
    GetModel,
    ListModelAttachments,
    ListModelConfigurations,
    GetTrainingMetadata,
    // Uploads of the SDK of 2023.
    SignImage,
    SignVideo,
    SignDicom,
    AddImage,
    AddVideo,
    AddImages,
    AddImageGroup,
    AddDicomSeries,
}

impl Operation {
    /// Returns the name, as fault plans and records write it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
