//! `DataType` in both forms, both ways. What is printed is the time for all 13 values, with the
//! allocations, of which there must be none.

use divan::{AllocProfiler, Bencher, black_box, counter::ItemsCount};
use encord_enums::DataType;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn each<T: Copy, U>(bencher: Bencher<'_, '_>, inputs: impl Iterator<Item = T>, convert: impl Fn(T) -> U) {
    let inputs: Vec<T> = inputs.collect();
    let inputs = &inputs;
    bencher.counter(ItemsCount::new(inputs.len())).bench_local(|| {
        for &input in inputs {
            black_box(convert(black_box(input)));
        }
    });
}

fn all() -> impl Iterator<Item = DataType> {
    DataType::ALL.iter().copied()
}

#[divan::bench]
fn from_value(bencher: Bencher<'_, '_>) {
    each(bencher, all().map(DataType::as_str), DataType::from_value);
}

#[divan::bench]
fn from_value_that_is_unknown(bencher: Bencher<'_, '_>) {
    each(bencher, ["hologram"; 13].into_iter(), DataType::from_value);
}

#[divan::bench]
fn as_str(bencher: Bencher<'_, '_>) {
    each(bencher, all(), DataType::as_str);
}

#[divan::bench]
fn from_upper_case_string(bencher: Bencher<'_, '_>) {
    each(bencher, all().map(DataType::to_upper_case_string), DataType::from_upper_case_string);
}

#[divan::bench]
fn to_upper_case_string(bencher: Bencher<'_, '_>) {
    each(bencher, all(), DataType::to_upper_case_string);
}

#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    each(bencher, all().map(DataType::as_str), str::parse::<DataType>);
}
