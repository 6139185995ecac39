//! 10,000 models of 100 uids, half of which are distinct: the function on models in memory, and straight from JSON.

use divan::{Bencher, black_box, counter::BytesCount};
use encord_project_utils::{
    ModelConfiguration, get_all_model_iteration_uids, model_iteration_uids_from_slice, read_model_iteration_uids,
};

const MODELS: usize = 10_000;
const UIDS: usize = 100;

fn main() {
    divan::main();
}

/// As long as a UUID, each twice, shuffled: the same in every run.
fn uids() -> Vec<String> {
    const DISTINCT: usize = MODELS * UIDS / 2;
    let mut chance = fastrand::Rng::with_seed(98);
    let distinct: Vec<_> = (0..DISTINCT).map(|_| format!("{:036x}", chance.u128(..))).collect();
    let mut uids = [&distinct[..], &distinct[..]].concat();
    chance.shuffle(&mut uids);
    // Moved in memory too, as if they had just been read in this order.
    uids.iter().map(|uid| String::from(&**uid)).collect()
}

fn models() -> Vec<ModelConfiguration> {
    let model = |(number, uids): (usize, &[String])| ModelConfiguration {
        model_uid: format!("{number:036x}"),
        title: format!("Model {number}"),
        description: String::new(),
        feature_node_hashes: vec!["d9a0cb41".into()],
        model: "resnet50".into(),
        model_iteration_uids: uids.to_vec(),
    };
    uids().chunks(UIDS).enumerate().map(model).collect()
}

#[divan::bench]
fn of_models(bencher: Bencher<'_, '_>) {
    let models = models();
    bencher.bench_local(|| get_all_model_iteration_uids(black_box(&models)));
}

#[divan::bench]
fn of_json_in_memory(bencher: Bencher<'_, '_>) {
    let json = serde_json::to_vec(&models()).unwrap_or_default();
    bencher.counter(BytesCount::of_slice(&json)).bench_local(|| model_iteration_uids_from_slice(black_box(&json)));
}

#[divan::bench]
fn of_a_json_reader(bencher: Bencher<'_, '_>) {
    let json = serde_json::to_vec(&models()).unwrap_or_default();
    bencher.counter(BytesCount::of_slice(&json)).bench_local(|| read_model_iteration_uids(black_box(&json[..])));
}
