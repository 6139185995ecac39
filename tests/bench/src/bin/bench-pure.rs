//! Times the pure crates in the same way as `tests/python/bench_sdk.py` times the Python SDK: `uids FILE`, `data-type` or `settings`.
//! It prints one JSON object. Values that end in `_ns` are the median time of one call, in nanoseconds.

#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::{env, error::Error, fs, hint::black_box, time::Instant};

use encord_enums::DataType;
use encord_http_settings::{BackoffFactor, CloudUploadSettings, RequestsSettings};
use encord_project_utils::{
    ModelConfiguration, get_all_model_iteration_uids, model_iteration_uids_from_slice, read_model_iteration_uids,
};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["uids", file] => uids(&fs::read(file)?)?,
        ["data-type"] => data_type(),
        ["settings"] => settings()?,
        _ => return Err("usage: bench-pure (uids FILE | data-type | settings)".into()),
    };
    println!("{result}");
    Ok(())
}

fn uids(json: &[u8]) -> Result<Value, Box<dyn Error>> {
    const ROUNDS: usize = 9;

    let models: Vec<ModelConfiguration> = serde_json::from_slice(json)?;
    let distinct = model_iteration_uids_from_slice(json)?.len();
    // The variants take turns, so that a disturbance affects all. The time to drop the results is not measured.
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(nanoseconds(|| model_iteration_uids_from_slice(json)));
        times[1].push(nanoseconds(|| read_model_iteration_uids(json)));
        times[2].push(nanoseconds(|| get_all_model_iteration_uids(&models)));
    }
    let [slice, reader, function] = times.map(median);
    Ok(json!({
        "models": models.len(),
        "uids": models.iter().map(|model| model.model_iteration_uids.len()).sum::<usize>(),
        "distinct": distinct,
        "from_json_slice_ns": slice,
        "from_json_reader_ns": reader,
        "function_ns": function,
    }))
}

fn data_type() -> Value {
    let values: Vec<_> = DataType::ALL.iter().map(|data_type| data_type.as_str()).collect();
    let upper: Vec<_> = DataType::ALL.iter().map(|data_type| data_type.to_upper_case_string()).collect();
    json!({
        "from_value_ns": per_call(&values, DataType::from_value),
        "from_upper_case_string_ns": per_call(&upper, DataType::from_upper_case_string),
        "value_ns": per_call(DataType::ALL, DataType::as_str),
        "to_upper_case_string_ns": per_call(DataType::ALL, DataType::to_upper_case_string),
        "from_unknown_value_ns": per_call(&["hologram"; 13], DataType::from_value),
    })
}

fn settings() -> Result<Value, Box<dyn Error>> {
    let client = RequestsSettings::default();
    let own = CloudUploadSettings { max_retries: Some(0), ..CloudUploadSettings::default() };
    let other = CloudUploadSettings { backoff_factor: Some(BackoffFactor::new(0.5)?), ..own };
    Ok(json!({ "over_ns": per_call(&[own, other, CloudUploadSettings::default()], |upload| upload.over(&client)) }))
}

/// Returns the time of one call: the median of many rounds of many calls.
fn per_call<T: Copy, U>(inputs: &[T], call: impl Fn(T) -> U) -> f64 {
    const ROUNDS: usize = 21;
    const CALLS: usize = 100_000;

    let calls = || {
        for input in black_box(inputs).iter().cycle().take(CALLS) {
            black_box(call(*black_box(input)));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = |time: f64| time / CALLS as f64;
    median((0..ROUNDS).map(|_| each(nanoseconds(calls))).collect())
}

fn nanoseconds<T>(call: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let result = black_box(call());
    let time = start.elapsed();
    drop(result);
    time.as_secs_f64() * 1e9
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
