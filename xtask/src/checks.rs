//! The list of checks of `cargo xtask ci`.

use crate::ci::{Check, Program, Run, Tool};
use crate::job::{Job, Stop, cargo};
use crate::workspace::Workspace;
use crate::{layers, no_std, programs, release_check, sdk, tidy};

const RUSTFMT: Tool =
    Tool { name: "rustfmt", probe: &["cargo", "fmt", "--version"], install: "rustup component add rustfmt" };
const CLIPPY: Tool =
    Tool { name: "clippy", probe: &["cargo", "clippy", "--version"], install: "rustup component add clippy" };

const CURL: Program = Program { name: "curl", package: "curl" };
/// Programs of others that the tests use: servers, proxies, a browser, a scheduler, Python.
const PEERS: &[Program] = &[
    Program { name: "nginx", package: "nginx" },
    Program { name: "tinyproxy", package: "tinyproxy-bin" },
    Program { name: "haproxy", package: "haproxy" },
    Program { name: "chromium", package: "chromium" },
    Program { name: "slurmctld", package: "slurm-wlm" },
    Program { name: "munged", package: "munge" },
    Program { name: "python3", package: "python3-venv" },
];

/// The quick ones first.
pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "fmt",
        about: "the code is formatted",
        needs: &[RUSTFMT],
        uses: &[],
        run: Run::Cargo(&["fmt --all --check"]),
        hint: "run `cargo fmt --all`",
    },
    Check {
        name: "tidy",
        about: "files, manifests and documents follow the rules of this project",
        needs: &[],
        uses: &[],
        run: Run::Function(tidy::check),
        hint: "each line names a file to correct; the rules are in xtask/src/tidy.rs",
    },
    Check {
        name: "layers",
        about: "crates depend on what docs/contributing/architecture.md allows, and the pure ones are pure",
        needs: &[],
        uses: &[],
        run: Run::Function(layers::check),
        hint: "the table is in xtask/src/layers.rs; a new dependency between crates is a decision about the architecture",
    },
    release_check::CONTENTS,
    release_check::DENY,
    release_check::MACHETE,
    Check {
        name: "clippy",
        about: "no warning in any target under all features",
        needs: &[CLIPPY],
        uses: &[],
        run: Run::Cargo(&["clippy --workspace --all-targets --all-features -- -D warnings"]),
        hint: "correct the code, or allow the warning there with `#[expect(…, reason = \"…\")]`",
    },
    Check {
        name: "features",
        about: "each published crate builds without features and with each one on its own",
        needs: &[CLIPPY],
        uses: &[],
        run: Run::Function(features),
        hint: "an item is used, or left unused, outside the feature that it belongs to",
    },
    Check {
        name: "no-std",
        about: "the no_std crates bring no std in, neither themselves nor through a dependency",
        needs: &[],
        uses: &[],
        run: Run::Function(no_std::check),
        hint: "the error names the crate that brings std in; turn its default features off",
    },
    Check {
        name: "doc",
        about: "the documentation builds without a warning",
        needs: &[],
        uses: &[],
        run: Run::Cargo(&[r#"doc --workspace --all-features --no-deps --config build.rustdocflags=["-Dwarnings"]"#]),
        hint: "usually a broken link: name the item by its full path",
    },
    Check {
        name: "doctests",
        about: "every example in the documentation runs",
        needs: &[],
        uses: &[],
        run: Run::Cargo(&["test --workspace --all-features --doc --no-fail-fast"]),
        hint: "run the one crate with `cargo test --all-features --doc -p <crate>`",
    },
    Check {
        name: "examples",
        about: "the examples of the published crates run",
        needs: &[],
        uses: &[],
        run: Run::Function(examples),
        hint: "run one with `cargo run -p encord --example quickstart`",
    },
    Check {
        name: "tests",
        about: "all unit and integration tests pass",
        needs: &[],
        uses: PEERS,
        run: Run::Function(tests),
        hint: "run one with `cargo test --workspace --all-features <name>`",
    },
    Check {
        name: "bench-smoke",
        about: "every program of every benchmark does its work; speed does not matter",
        needs: &[],
        uses: &[CURL],
        run: Run::Function(programs::bench_smoke),
        hint: "run it with `cargo xtask bench --quick [NAME…]`",
    },
    Check {
        name: "soak-smoke",
        about: "for a few seconds, uploads survive faults, restarts and kills, and the logs of both sides agree",
        needs: &[],
        uses: &[],
        run: Run::Function(programs::soak_smoke),
        hint: "repeat the choices with `cargo xtask soak --minutes 0.1 --seed N`; what the programs wrote is in target/xtask/soak",
    },
    Check {
        name: "conformance-live",
        about: "both installed Python SDKs give the recorded results, and the same results as our code on new random input",
        needs: &[release_check::PYTHON],
        uses: &[],
        run: Run::Function(sdk::conformance_live),
        hint: "a changed vector is written by `cargo xtask vectors`; a random case is repeated with ENCORD_TESTS_SEED",
    },
];

fn examples(job: &mut Job) -> Result<(), Stop> {
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published) {
        for example in &package.examples {
            job.run(&mut cargo(&format!("run -p {} --example {example}", package.name)))?;
        }
    }
    Ok(())
}

fn features(job: &mut Job) -> Result<(), Stop> {
    for package in Workspace::read(job)?.packages.iter().filter(|package| package.published) {
        // Clippy rather than check, because it can fail on code that is unused without a feature.
        let mut lint = |features: &str| {
            let name = &package.name;
            job.run(&mut cargo(&format!("clippy --no-deps -p {name} --no-default-features {features} -- -D warnings")))
        };
        lint("")?;
        for feature in &package.features {
            lint(&format!("--features {feature}"))?;
        }
    }
    Ok(())
}

fn tests(job: &mut Job) -> Result<(), Stop> {
    match sdk::install(job) {
        Err(stop) if job.strict => return Err(stop),
        // The test run names each test that it skips.
        _ => {}
    }
    let mut test = cargo("test --workspace --all-features --lib --bins --tests --no-fail-fast");
    test.env("ENCORD_TESTS_FULL", "1");
    test.env("ENCORD_TESTS_BINARY", Workspace::read(job)?.target.join("debug/encord"));
    // The client reads these variables, and would send requests for loopback to a proxy.
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        test.env_remove(variable);
    }
    job.with_peers(&mut test)
}
