//! `get_all_model_iteration_uids` on models in memory.

use encord_project_utils::{IndexSet, ModelConfiguration, ModelIterationUids, UidHasher, get_all_model_iteration_uids};
use proptest::prelude::*;

use crate::{lists_of_uids, model, naive_union};

#[track_caller]
fn check(lists: &[&[&str]], expected: &[&str]) {
    let models: Vec<_> = lists.iter().map(|uids| model(uids.iter().map(ToString::to_string).collect())).collect();
    assert_eq!(Vec::from_iter(get_all_model_iteration_uids(&models)), expected);
}

#[test]
fn g1_union_with_duplicates_once() {
    check(&[&["a", "b"], &["b", "c"]], &["a", "b", "c"]);
    check(&[&["a", "a"], &["a"]], &["a"]);
    check(&[&["a"], &["A"], &[""]], &["a", "A", ""]);
}

#[test]
fn g1_empty_in_empty_out() {
    check(&[], &[]);
    check(&[&[], &[]], &[]);
    check(&[&[], &["a"], &[]], &["a"]);
}

#[test]
fn g2_order_of_first_appearance() {
    check(&[&["z", "m"], &["a", "z"], &["b", "m"]], &["z", "m", "a", "b"]);
}

#[test]
fn g3_uids_are_borrowed() {
    let models = [model(vec!["a".into(), "b".into()])];
    let uids = get_all_model_iteration_uids(&models);
    for (borrowed, owned) in uids.iter().zip(&models[0].model_iteration_uids) {
        assert!(std::ptr::eq(*borrowed, owned.as_str()));
    }
}

#[test]
fn g1_g2_many_uids() {
    let uids: Vec<_> = (0..300_000).map(|number: u32| number.wrapping_mul(0x9e37_79b9).to_string()).collect();
    let twice: Vec<_> = uids.iter().chain(uids.iter().rev()).cloned().collect();
    let models: Vec<_> = twice.chunks(1000).map(|uids| model(uids.to_vec())).collect();
    assert!(get_all_model_iteration_uids(&models).iter().eq(&uids));
}

/// The type is written out: users name it in their own signatures.
#[test]
fn g1_g2_the_set_is_an_index_set() {
    let models = [model(vec!["b".into(), "a".into(), "b".into()])];
    let uids: IndexSet<&str, UidHasher> = get_all_model_iteration_uids(&models);
    assert_eq!((uids.len(), uids[1]), (2, "a"));
    assert!(uids.contains("b") && !uids.contains("B"));
}

struct Own(&'static [&'static str]);

impl ModelIterationUids for Own {
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().copied()
    }
}

#[test]
fn g3_anything_that_yields_models() {
    let models = [Own(&["b", "a"]), Own(&["c", "a"])];
    let expected = ["b", "a", "c"];
    assert_eq!(Vec::from_iter(get_all_model_iteration_uids(&models)), expected);
    assert_eq!(Vec::from_iter(get_all_model_iteration_uids(&Vec::from_iter(&models))), expected);
    assert_eq!(Vec::from_iter(get_all_model_iteration_uids(models.iter().filter(|_| true))), expected);
    assert_eq!(Vec::from_iter(get_all_model_iteration_uids(Some(&models[0]))), ["b", "a"]);
    assert!(get_all_model_iteration_uids(std::iter::empty::<&ModelConfiguration>()).is_empty());
}

proptest! {
    #[test]
    fn g2_equals_the_naive_union(lists in lists_of_uids()) {
        let models: Vec<_> = lists.iter().cloned().map(model).collect();
        prop_assert_eq!(Vec::from_iter(get_all_model_iteration_uids(&models)), naive_union(&lists));
    }
}
