//! Checks that the `no_std` crates do not link std.

use std::fs;
use std::path::PathBuf;

use crate::job::{Job, Stop, cargo, root, scratch_folder};

/// The `no_std` crates. Each is checked without features and with these.
const NO_STD: [(&str, &[&str]); 2] = [("encord-enums", &["serde"]), ("encord-http-settings", &["serde"])];

/// Compiles each `no_std` crate as a dependency of a crate with its own panic handler. If a dependency links std, the compiler
/// finds a second handler and names that dependency. A build for a target without std would need that target to be installed.
pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    for (name, features) in NO_STD {
        let library = format!(
            "#![no_std]\nuse {} as _;\n\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! {{\n    loop {{}}\n}}\n",
            name.replace('-', "_")
        );
        for (folder, features) in [("no-std", &[][..]), ("no-std-features", features)] {
            let manifest = outside_crate(&format!("{name}-{folder}"), name, features, &library)?;
            job.run(cargo("check --quiet --target-dir target/xtask/outside/target --manifest-path").arg(manifest))?;
        }
    }
    Ok(())
}

/// Writes a crate with one dependency below `target`, outside of the workspace, and returns the path of its manifest.
fn outside_crate(folder: &str, on: &str, features: &[&str], source: &str) -> Result<PathBuf, Stop> {
    let root = root();
    let make = || {
        let folder = scratch_folder()?.join("outside").join(folder);
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("src/lib.rs"), source)?;
        // Uses the versions of the workspace, so that cargo needs no network.
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
