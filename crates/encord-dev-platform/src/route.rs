//! The routes of the newer protocol.

use http::Method;
use uuid::Uuid;

use crate::operation::Operation;
use crate::problem::{Kind, Problem};
use crate::query::uuid;

/// The prefix of all paths of the newer protocol.
pub(crate) const NEWER: &str = "/v2/public/";

/// An operation, with the ids of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) ids: Vec<Uuid>,
}

/// Method, path with `*` for an id, operation. A fixed segment comes before a `*` in its place, because the first match counts.
const ROUTES: &[(Method, &str, Operation)] = &[
    (Method::GET, "user/bearer-token", Operation::GetBearerToken),
    (Method::POST, "storage/folders", Operation::CreateFolder),
    (Method::GET, "storage/folders", Operation::ListFolders),
    (Method::GET, "storage/search/folders", Operation::SearchFolders),
    (Method::GET, "storage/search/items", Operation::SearchItems),
    (Method::POST, "storage/folders/move", Operation::MoveFolders),
    (Method::PATCH, "storage/folders/patch-bulk", Operation::PatchFolders),
    (Method::GET, "storage/folders/*", Operation::GetFolder),
    (Method::PATCH, "storage/folders/*", Operation::PatchFolder),
    (Method::DELETE, "storage/folders/*", Operation::DeleteFolder),
    (Method::GET, "storage/folders/*/folders", Operation::ListSubfolders),
    (Method::GET, "storage/folders/*/summary", Operation::GetFolderSummary),
    (Method::GET, "storage/folders/*/items", Operation::ListItems),
    (Method::POST, "storage/folders/*/items/move", Operation::MoveItems),
    (Method::POST, "storage/folders/*/items/delete", Operation::DeleteItems),
    (Method::PATCH, "storage/folders/*/items/*", Operation::PatchItem),
    (Method::GET, "storage/folders/*/items/*/summary", Operation::GetItemSummary),
    (Method::GET, "storage/folders/*/items/*/child-items", Operation::ListChildItems),
    (Method::POST, "storage/folders/*/create-group-items", Operation::CreateGroupItems),
    (Method::POST, "storage/folders/*/upload-signed-urls", Operation::SignUploadUrls),
    (Method::POST, "storage/folders/*/data-upload-jobs", Operation::StartJob),
    (Method::GET, "storage/folders/*/data-upload-jobs/*", Operation::GetJob),
    (Method::POST, "storage/folders/*/data-upload-jobs/*/cancel", Operation::CancelJob),
    (Method::POST, "storage/items/get-bulk", Operation::GetItems),
    (Method::PATCH, "storage/items/patch-bulk", Operation::PatchItems),
    (Method::GET, "storage/items/*", Operation::GetItem),
    (Method::GET, "presigned-urls", Operation::SignPresignedUrls),
    (Method::POST, "datasets", Operation::CreateDataset),
    (Method::GET, "datasets/list", Operation::ListDatasets),
    (Method::GET, "projects", Operation::ListProjects),
    (Method::GET, "projects/*", Operation::GetProject),
    (Method::GET, "projects/*/models-attachments", Operation::ListModelAttachments),
    (Method::GET, "ontologies/*", Operation::GetOntology),
    (Method::GET, "ml-models", Operation::ListModels),
    (Method::GET, "ml-models/*", Operation::GetModel),
];

/// Returns the route of a request below [`NEWER`].
pub(crate) fn route(method: &Method, path: &str) -> Result<Route, Problem> {
    let path = path.strip_prefix(NEWER).unwrap_or_default();
    let mut known_path = false;
    let mut bad_id = None;
    for (its_method, pattern, operation) in ROUTES {
        let Some(ids) = match_path(pattern, path) else { continue };
        known_path = true;
        if its_method == method {
            match ids.iter().map(|id| uuid(id)).collect() {
                Ok(ids) => return Ok(Route { operation: *operation, ids }),
                Err(problem) => bad_id = bad_id.or(Some(problem)),
            }
        }
    }
    Err(match bad_id {
        Some(problem) => problem,
        None if known_path => Problem::new(Kind::MethodNotAllowed, "Method Not Allowed"),
        None => Problem::not_found("Not Found"),
    })
}

/// Matches a path, and returns the segments at the `*` of the pattern.
fn match_path<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut ids = Vec::new();
    let mut segments = path.split('/');
    for part in pattern.split('/') {
        match segments.next()? {
            segment if part == "*" => ids.push(segment),
            segment if part == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "cd613e30-d8f1-4adf-91b7-584a2265b1f5";

    #[track_caller]
    fn check(method: &Method, path: &str, expected: Result<(Operation, usize), Kind>) {
        let found = route(method, &format!("{NEWER}{}", path.replace('*', ID)));
        let found = found.map(|route| (route.operation, route.ids.len())).map_err(|problem| problem.kind);
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn each_request_of_the_table_is_found() {
        for (method, path, operation) in ROUTES {
            check(method, path, Ok((*operation, path.matches('*').count())));
        }
    }

    #[test]
    fn others_are_refused() {
        check(&Method::GET, "storage", Err(Kind::NotFound));
        check(&Method::GET, "", Err(Kind::NotFound));
        check(&Method::GET, "storage/folders/", Err(Kind::Shape));
        check(&Method::GET, "storage/folders/x", Err(Kind::Shape));
        check(&Method::PUT, "storage/folders/*", Err(Kind::MethodNotAllowed));
        check(&Method::GET, "storage/items/get-bulk", Err(Kind::Shape));
        check(&Method::DELETE, "datasets", Err(Kind::MethodNotAllowed));
        assert_eq!(route(&Method::GET, "/other").unwrap_err().kind, Kind::NotFound);
    }
}
