//! The allowed dependencies between crates, and the parts of std that pure crates must not use. `docs/contributing/architecture.md`
//! has the reasons.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::circles::circles;
use crate::job::{Job, Stop, cargo, none_of};
use crate::tidy::{Source, sources};
use crate::workspace::{Package, Workspace};

struct Layer {
    name: &'static str,
    /// The crates of this workspace on which it may depend.
    on: &'static [&'static str],
    /// Whether it must not use I/O, threads, clocks or the environment.
    pure: bool,
    /// If set, the only dependencies that it may have without features. Build dependencies are not counted.
    only: Option<&'static [&'static str]>,
}

const LAYERS: &[Layer] = &[
    Layer { name: "encord-enums", on: &[], pure: true, only: Some(&["strum", "thiserror"]) },
    Layer { name: "encord-http-settings", on: &[], pure: true, only: Some(&["thiserror"]) },
    Layer { name: "encord-project-utils", on: &["encord-enums"], pure: true, only: None },
    Layer { name: "encord-signed-url", on: &[], pure: true, only: None },
    Layer { name: "encord-http", on: &["encord-http-settings", "encord-signed-url"], pure: false, only: None },
    Layer {
        name: "encord-upload",
        on: &["encord-enums", "encord-http", "encord-http-settings"],
        pure: false,
        only: None,
    },
    Layer {
        name: "encord-client",
        on: &[
            "encord-enums",
            "encord-http",
            "encord-http-settings",
            "encord-project-utils",
            "encord-signed-url",
            "encord-upload",
        ],
        pure: false,
        only: None,
    },
    Layer { name: "encord-ingest", on: &["encord-client", "encord-upload"], pure: false, only: None },
    Layer { name: "encord-dev-store", on: &[], pure: false, only: None },
    Layer { name: "encord-dev-platform", on: &["encord-dev-store"], pure: false, only: None },
    Layer { name: "encord", on: &LIBRARIES, pure: false, only: None },
    Layer { name: "encord-cli", on: &PROGRAMS, pure: false, only: None },
];

const LIBRARIES: [&str; 7] = [
    "encord-enums",
    "encord-http-settings",
    "encord-project-utils",
    "encord-signed-url",
    "encord-http",
    "encord-upload",
    "encord-client",
];
const PROGRAMS: [&str; 11] = [
    "encord-enums",
    "encord-http-settings",
    "encord-project-utils",
    "encord-signed-url",
    "encord-http",
    "encord-upload",
    "encord-client",
    "encord-ingest",
    "encord-dev-store",
    "encord-dev-platform",
    "encord",
];

/// Crates that must not be dependencies of a pure crate, on any platform and with any features.
const IMPURE_CRATES: &[&str] = &["tokio", "hyper", "mio", "socket2", "getrandom"];

/// Names that must not be in the source of a pure crate. `std::io` is allowed, because its traits do no I/O themselves.
/// `SystemTime` is allowed as a value; only `SystemTime::now` reads the clock.
const IMPURE_MODULES: &[&str] = &["env", "fs", "net", "os", "process", "thread", "Instant"];

pub(crate) fn check(job: &mut Job) -> Result<(), Stop> {
    let mut problems = Vec::new();
    for package in Workspace::read(job)?.packages {
        let circles = circles(&sources(&package.folder.join("src"), "rs")?);
        problems.extend(circles.iter().map(|circle| format!("a circle of files: {}", circle.join(", "))));
        // Tests and tools may have any dependencies.
        if !package.published {
            continue;
        }
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
            problems.push(format!("{}: not in the table of xtask/src/layers.rs", package.name));
            continue;
        };
        for sibling in package.siblings.iter().filter(|sibling| !layer.on.contains(&sibling.as_str())) {
            problems.push(format!("{} may not depend on {sibling}", layer.name));
        }
        if let Some(only) = layer.only {
            let needed = dependencies(job, layer.name, "--no-default-features -e normal,no-proc-macro")?;
            let extra = needed.iter().filter(|name| !only.contains(&name.as_str()));
            problems.extend(extra.map(|name| format!("{} needs {name} without any feature", layer.name)));
        }
        if layer.pure {
            let needed = dependencies(job, layer.name, "--all-features -e normal")?;
            let impure = needed.iter().filter(|name| IMPURE_CRATES.contains(&name.as_str()));
            problems.extend(impure.map(|name| format!("{} pulls in {name}", layer.name)));
            problems.extend(impure_uses(&package)?);
        }
    }
    none_of(&problems)
}

/// Returns the names of all dependencies of `package`, on all platforms.
fn dependencies(job: &mut Job, package: &str, options: &str) -> Result<BTreeSet<String>, Stop> {
    let tree = format!("tree -p {package} {options} --target all --prefix none --format {{p}}");
    let lines = job.output(cargo(&tree).stdout(Stdio::piped()))?;
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    Ok(names.filter(|name| !name.is_empty() && *name != package).map(str::to_owned).collect())
}

fn impure_uses(package: &Package) -> Result<Vec<String>, Stop> {
    let mut problems = Vec::new();
    for Source { path, text } in sources(&package.folder.join("src"), "rs")? {
        let found = statements(&text).into_iter().filter_map(|(number, code)| Some((number, impure_use(&code)?)));
        problems.extend(
            found.map(|(number, module)| format!("{}:{number}: a pure crate may not use `{module}`", path.display())),
        );
    }
    Ok(problems)
}

/// Returns the lines without comments, with their numbers. The lines of an import are joined, with the number of the first.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut in_import = false;
    for (at, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        match statements.last_mut() {
            Some((_, import)) if in_import => import.push_str(code),
            _ => statements.push((at + 1, code.to_owned())),
        }
        let mut words = code.split_whitespace().skip_while(|word| word.starts_with("pub"));
        let is_first = words.next() == Some("use");
        in_import = (in_import || is_first) && !code.contains(';');
    }
    statements
}

/// Returns the forbidden part of std that a statement names, if any: `std::fs::read`, `use std::{fs, io}`.
fn impure_use(code: &str) -> Option<&'static str> {
    if code.contains("SystemTime::now") {
        return Some("SystemTime::now");
    }
    let (_, after) = code.split_once("std::")?;
    let mut words = after.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.find_map(|word| IMPURE_MODULES.iter().copied().find(|module| *module == word))
}

#[cfg(test)]
mod tests {
    use super::{impure_use, statements};

    #[test]
    fn impure_uses_are_seen() {
        #[track_caller]
        fn check(text: &str, expected: Option<&str>) {
            let found: Vec<_> = statements(text).iter().filter_map(|(_, code)| impure_use(code)).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{text}");
        }
        check("use std::fs;", Some("fs"));
        check("use std::{fmt, io::{self, Read}, net};", Some("net"));
        check("    let now = std::time::Instant::now();", Some("Instant"));
        check("use std::time::{Duration, SystemTime};", None);
        check("    let now = SystemTime::now();", Some("SystemTime::now"));
        check("use std::io::Read;", None);
        check("use std::time::Duration; // not std::fs", None);
        check("use core::fmt;", None);
        check("use std::{\n    fs::File, // read\n    io,\n};", Some("fs"));
        check(
            "pub(crate) use std::{\n    fmt,\n    time::{\n        Duration, Instant,\n    },\n};\n",
            Some("Instant"),
        );
        check("use std::{\n    fmt,\n    io, // no env\n};\nlet env = 1;", None);
        assert_eq!(
            statements("a\nuse std::{\n    fs,\n};\nb")[1..],
            [(2, "use std::{    fs,};".into()), (5, "b".into())]
        );
    }
}
