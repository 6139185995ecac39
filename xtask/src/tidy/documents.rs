//! Checks that every link in a document leads to a file. If the link's text is the name of a test, that file must have the test.

use std::collections::BTreeSet;
use std::path::Path;

use super::contract::functions;
use super::{Source, read, sources};
use crate::job::{Stop, root};

pub(super) fn check() -> Result<Vec<String>, Stop> {
    let root = root();
    let mut documents = vec![read(&root.join("README.md"))?];
    for folder in ["crates", "docs"] {
        documents.extend(sources(&root.join(folder), "md")?);
    }
    Ok(documents.iter().flat_map(|document| problems(document, &root)).collect())
}

fn problems(Source { path, text }: &Source, root: &Path) -> Vec<String> {
    let folder = root.join(path.parent().unwrap_or(Path::new("")));
    let mut problems = Vec::new();
    for (line, name, target) in links(text).filter(|(_, _, target)| !target.contains("://")) {
        let place = format!("{}:{line}", path.display());
        let target = target.split('#').next().unwrap_or_default();
        let file = folder.join(target);
        if !file.exists() {
            problems.push(format!("{place}: {target} does not exist"));
        } else if let Some(function) = function_named(name)
            && file.extension().is_some_and(|ending| ending == "rs")
            && !read(&file).is_ok_and(|source| functions(&source.text).collect::<BTreeSet<_>>().contains(function))
        {
            problems.push(format!("{place}: {target} has no `{function}`"));
        }
    }
    problems
}

/// Returns line, text and target of each `[text](target)` outside of code blocks.
fn links(document: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut in_code = false;
    let prose = document.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    prose.flat_map(|(at, line)| {
        line.match_indices("](").filter_map(move |(middle, _)| {
            let name = line[..middle].rsplit_once('[')?.1;
            let target = line[middle + 2..].split_once(')')?.0;
            Some((at + 1, name, target))
        })
    })
}

/// `` `r2_waits` `` → `r2_waits`
fn function_named(text: &str) -> Option<&str> {
    let name = text.strip_prefix('`')?.strip_suffix('`')?;
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    (name.contains('_') && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_somewhere() {
        #[track_caller]
        fn check(text: &str, expected: &[&str]) {
            let document = Source { path: "docs/a.md".into(), text: text.to_owned() };
            assert_eq!(problems(&document, &root()), expected);
        }
        check("[here](../README.md), [there](https://example.org) and [below](#below)", &[]);
        check("\n[no](nowhere.md#x)", &["docs/a.md:2: nowhere.md does not exist"]);
        check("```\n[no](nowhere.md)\n```", &[]);
        check("![no](nowhere.svg)", &["docs/a.md:1: nowhere.svg does not exist"]);
        check("[`links_lead_somewhere`](../xtask/src/tidy/documents.rs)", &[]);
        check(
            "| [`no_such_test`](../xtask/src/tidy.rs) |",
            &["docs/a.md:1: ../xtask/src/tidy.rs has no `no_such_test`"],
        );
        check("[`Source`](../xtask/src/job.rs)", &[]);
    }
}
