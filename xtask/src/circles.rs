//! Finds circular dependencies between the files of a crate.
//!
//! A file depends on another if its code names an item of it by a path that begins with `crate::` or `super::`. A name that a file
//! re-exports (`pub use`) belongs to the file that defines it. Tests are not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::tidy::Source;

/// A module by its path from the root of the crate; the root itself is empty.
type Module = Vec<String>;

/// Returns each set of files in which every file depends on every other, directly or not.
pub(crate) fn circles(files: &[Source]) -> Vec<Vec<String>> {
    let modules: BTreeMap<Module, (&Path, String)> =
        files.iter().filter_map(|file| Some((module(&file.path)?, (&*file.path, code(&file.text))))).collect();
    let reexported: BTreeMap<Module, Vec<Module>> =
        modules.iter().map(|(module, (_, code))| (module.clone(), paths(code, module, true))).collect();
    let needs = |from: &Module, code: &str| -> BTreeSet<Module> {
        let paths = paths(code, from, false);
        let needed = paths.iter().filter_map(|path| owner(path, &modules, &reexported, 0));
        needed.filter(|needed| needed != from).collect()
    };
    let graph: BTreeMap<&Module, BTreeSet<Module>> =
        modules.iter().map(|(module, (_, code))| (module, needs(module, code))).collect();
    let reaches: BTreeMap<&Module, BTreeSet<&Module>> = graph.keys().map(|from| (*from, reach(from, &graph))).collect();
    let mut circles = BTreeSet::new();
    for (from, reached) in reaches.iter().filter(|(from, reached)| reached.contains(*from)) {
        let circle = reached.iter().filter(|to| reaches[*to].contains(from));
        circles.insert(circle.map(|module| modules[*module].0.display().to_string()).collect::<Vec<_>>());
    }
    circles.into_iter().collect()
}

/// Returns the module of a file; `None` for tests.
fn module(path: &Path) -> Option<Module> {
    let path = path.with_extension("");
    let names: Module =
        path.iter().skip_while(|name| *name != "src").skip(1).map(|name| name.to_string_lossy().into_owned()).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["lib" | "main"] => Some(Vec::new()),
        _ if names.iter().any(|name| name == "tests") => None,
        _ => Some(names),
    }
}

/// Removes comments, and the tests at the end of the file.
fn code(text: &str) -> String {
    let (code, _) = text.split_once("\n#[cfg(test)]\nmod tests").unwrap_or((text, ""));
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).flat_map(|line| [line, "\n"]).collect()
}

/// Returns the paths in the code of `module`, from the root of the crate: the re-exported ones, or all others.
fn paths(code: &str, module: &Module, reexported: bool) -> Vec<Module> {
    let mut found = Vec::new();
    let mut rest = code;
    let starts = ["crate::", "super::", "self::"];
    while let Some(at) = starts.iter().filter_map(|start| rest.find(start)).min() {
        let line = rest[..at].rsplit(['\n', ';']).next().unwrap_or_default().trim_start();
        let is_reexported = line.starts_with("pub") && line.trim_end().ends_with("use");
        let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
        if is_reexported == reexported {
            let names = if line.ends_with("use ") { expand(&rest[at..end]) } else { expand(first_path(&rest[at..])) };
            found.extend(names.into_iter().filter_map(|path| absolute(&path, module)));
        }
        rest = if line.ends_with("use ") { &rest[end..] } else { &rest[at + "crate::".len()..] };
    }
    found
}

fn first_path(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == ':'));
    &text[..end.unwrap_or(text.len())]
}

/// `a::{b, c::D}` → `a::b`, `a::c::D`
fn expand(tree: &str) -> Vec<String> {
    let Some((before, inside)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let mut depth = 0;
    let parts = inside.split(|letter| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        letter == ',' && depth == 0
    });
    let parts = parts.filter(|part| !part.trim().is_empty());
    parts.flat_map(expand).map(|part| before.trim().to_owned() + &part).collect()
}

fn absolute(path: &str, module: &Module) -> Option<Module> {
    let mut absolute = module.clone();
    for (at, name) in path.split("::").enumerate() {
        match name {
            "crate" if at == 0 => absolute.clear(),
            "self" => {}
            "super" => drop(absolute.pop()?),
            name => absolute.push(name.to_owned()),
        }
    }
    Some(absolute)
}

/// Returns the file that defines an item.
fn owner(
    path: &Module,
    modules: &BTreeMap<Module, (&Path, String)>,
    reexported: &BTreeMap<Module, Vec<Module>>,
    depth: usize,
) -> Option<Module> {
    let (module, item) =
        (0..=path.len()).rev().map(|length| path.split_at(length)).find(|(module, _)| modules.contains_key(*module))?;
    let origin = reexported[module].iter().find(|origin| item.first().is_some_and(|name| origin.last() == Some(name)));
    match origin {
        Some(origin) if depth < 8 => owner(origin, modules, reexported, depth + 1),
        _ => Some(module.to_vec()),
    }
}

/// Returns all modules on which `from` depends, directly or not.
fn reach<'a>(from: &Module, graph: &'a BTreeMap<&Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = graph[from].iter().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(&graph[module]);
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&[&str]]) {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| Source { path: Path::new("src").join(path), text: (*text).to_owned() })
            .collect();
        let circles = circles(&files);
        let names = |circle: &Vec<String>| circle.iter().map(|path| path.replace("src/", "")).collect::<Vec<_>>();
        assert_eq!(circles.iter().map(names).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn circles_are_found_and_what_is_reexported_is_none() {
        check(&[("lib.rs", "mod a;\nmod b;\npub use crate::a::A;"), ("a.rs", "use crate::b::B;"), ("b.rs", "")], &[]);
        check(&[("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")], &[&["a.rs", "b.rs"]]);
        let through_the_root =
            [("lib.rs", "pub use crate::a::{A, C};"), ("a.rs", "use crate::b;"), ("b.rs", "use crate::A;")];
        check(&through_the_root, &[&["a.rs", "b.rs"]]);
        check(&[("a.rs", "use self::b::B;"), ("a/b.rs", "use super::{A, other};")], &[&["a.rs", "a/b.rs"]]);
        check(&[("a.rs", "pub use self::b::B;"), ("a/b.rs", "use super::A;")], &[]);
        check(
            &[("a.rs", "// crate::b::B\n#[cfg(test)]\nmod tests { use crate::b::B; }"), ("b.rs", "use crate::a;")],
            &[],
        );
        check(
            &[("a.rs", "use crate::{c, b::{B, d}};"), ("b.rs", "use crate::c;"), ("c.rs", "use crate::a::A;")],
            &[&["a.rs", "b.rs", "c.rs"]],
        );
    }
}
