//! What a request asks for, by one name in both protocols: faults, counts and records use it.

use std::fmt;

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What a request asks for. As text it is the name in kebab case: `start-job`.
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
    // How the SDK of 2023 uploads.
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
    /// The name, as a fault plan and a record have it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
