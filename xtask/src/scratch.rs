//! Crates outside the workspace that use ours as a stranger would.

use std::fs;
use std::path::PathBuf;

use crate::job::{Job, Stop, cargo, root, scratch_folder};

/// The crates that are of use on their own, without features.
const STAND_ALONE: [&str; 3] = ["encord-enums", "encord-http-settings", "encord-project-utils"];

/// Each with no feature and with these.
const NO_STD: [(&str, &[&str]); 2] = [("encord-enums", &["serde"]), ("encord-http-settings", &["serde"])];

/// Builds and runs the first example of each README in a crate that depends on nothing else.
pub(crate) fn readme_examples(job: &mut Job) -> Result<(), Stop> {
    for name in STAND_ALONE {
        let readme = root().join("crates").join(name).join("README.md");
        let text = fs::read_to_string(&readme).map_err(|error| Stop::from((&*readme, error)))?;
        let example =
            first_example(&text).ok_or_else(|| Stop::Failed(format!("{}: no ```rust block", readme.display())))?;
        let manifest = outside_crate(name, name, &[], "main.rs", &program(&example))?;
        job.run(cargo("run --quiet --target-dir target/xtask/outside/target --manifest-path").arg(manifest))?;
    }
    Ok(())
}

/// Checks each `no_std` crate below a crate that brings a panic handler of its own: were std loaded anywhere, the
/// compiler would find two handlers and name the crate that brought the other. Unlike a build for a target that
/// has no std, this needs no target to be installed.
pub(crate) fn no_std(job: &mut Job) -> Result<(), Stop> {
    for (name, features) in NO_STD {
        let library = format!(
            "#![no_std]\nuse {} as _;\n\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! {{\n    loop {{}}\n}}\n",
            name.replace('-', "_")
        );
        for (folder, features) in [("no-std", &[][..]), ("no-std-features", features)] {
            let manifest = outside_crate(&format!("{name}-{folder}"), name, features, "lib.rs", &library)?;
            job.run(cargo("check --quiet --target-dir target/xtask/outside/target --manifest-path").arg(manifest))?;
        }
    }
    Ok(())
}

/// Writes a crate with one dependency below `target`, where it is no member of the workspace; returns its manifest.
pub(crate) fn outside_crate(
    folder: &str,
    on: &str,
    features: &[&str],
    file: &str,
    source: &str,
) -> Result<PathBuf, Stop> {
    let root = root();
    let make = || {
        let folder = scratch_folder()?.join("outside").join(folder);
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("src").join(file), source)?;
        // The same versions as in the workspace, so that nothing is looked up.
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let manifest = format!(
            "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{on} = {{ path = '{}', features = {features:?} }}\n",
            root.join("crates").join(on).display()
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        Ok(folder.join("Cargo.toml"))
    };
    make().map_err(|error: std::io::Error| Stop::Failed(format!("a crate on {on} alone: {error}")))
}

/// The code of the first block that is marked as Rust.
fn first_example(markdown: &str) -> Option<String> {
    let mut lines = markdown.lines().skip_while(|line| *line != "```rust");
    lines.next()?;
    Some(lines.take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect())
}

/// The example as a program, by rustdoc's rules: `# ` hides a line from readers only, and `main` may be left out.
fn program(example: &str) -> String {
    let unhide = |line| if line == "#" { "" } else { str::strip_prefix(line, "# ").unwrap_or(line) };
    let code: String = example.lines().flat_map(|line| [unhide(line), "\n"]).collect();
    if code.contains("fn main()") {
        code
    } else if code.trim_end().ends_with("(())") {
        format!(
            "fn main() {{\n    fn example() -> Result<(), impl core::fmt::Debug> {{\n{code}    }}\n    example().unwrap();\n}}\n"
        )
    } else {
        format!("fn main() {{\n{code}}}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{first_example, program};

    #[test]
    fn an_example_becomes_a_program() {
        #[track_caller]
        fn check(example: &str, expected: &str) {
            assert_eq!(program(example), expected);
        }
        check("a();\n", "fn main() {\na();\n}\n");
        check("# a();\n#\n#[b]\nc();\n", "fn main() {\na();\n\n#[b]\nc();\n}\n");
        check("fn main() {}\n", "fn main() {}\n");
        check(
            "a()?;\n# Ok::<(), E>(())\n",
            "fn main() {\n    fn example() -> Result<(), impl core::fmt::Debug> {\na()?;\nOk::<(), E>(())\n    }\n    example().unwrap();\n}\n",
        );
    }

    #[test]
    fn the_first_rust_block_is_the_example() {
        let markdown =
            "# Title\n\n```toml\na = 1\n```\n\n```rust\nlet a = 1;\n\nuse_it(a);\n```\n\n```rust\nother();\n```\n";
        assert_eq!(first_example(markdown).as_deref(), Some("let a = 1;\n\nuse_it(a);\n"));
        assert_eq!(first_example("```toml\n```\n"), None);
    }
}
