//! Models and their uids as users see them. A test that holds a rule of the contract names it.

#[cfg(feature = "json")]
mod read;
mod uids;
#[cfg(feature = "serde")]
mod wire_form;

use encord_project_utils::ModelConfiguration;
use proptest::prelude::*;

fn model(uids: Vec<String>) -> ModelConfiguration {
    ModelConfiguration {
        model_uid: "m".into(),
        title: "Lesions".into(),
        description: String::new(),
        feature_node_hashes: vec!["d9a0cb41".into()],
        model: "resnet18".into(),
        model_iteration_uids: uids,
    }
}

/// Lists of uids in which most come more than once.
fn lists_of_uids() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec(r#"[ab"\\é]{0,2}"#, 0..20), 0..10)
}

/// The union by search through a list.
fn naive_union(lists: &[Vec<String>]) -> Vec<&str> {
    let mut union = Vec::new();
    for uid in lists.iter().flatten() {
        if !union.contains(&uid.as_str()) {
            union.push(uid);
        }
    }
    union
}
