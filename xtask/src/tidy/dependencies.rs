//! Checks that the table of dependencies in `docs/contributing/design.md` matches the manifests of the published crates.

use std::collections::BTreeSet;

use super::read;
use crate::job::{Stop, root};
use crate::workspace::Workspace;

/// One of our crates, and one of its dependencies.
type Edge<'a> = (&'a str, &'a str);

pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>, Stop> {
    let design = read(&root().join("docs/contributing/design.md"))?;
    let published = workspace.packages.iter().filter(|package| package.published);
    let edges = published.flat_map(|package| {
        let short = package.name.strip_prefix("encord-").unwrap_or(&package.name);
        package.others.iter().map(move |other| (short, other.as_str()))
    });
    Ok(problems(&edges.collect(), &stated(&design.text)))
}

fn problems(edges: &BTreeSet<Edge<'_>>, stated: &BTreeSet<Edge<'_>>) -> Vec<String> {
    let missing =
        edges.difference(stated).map(|(who, what)| format!("docs/contributing/design.md: why does {who} need {what}?"));
    let stale =
        stated.difference(edges).map(|(who, what)| format!("docs/contributing/design.md: {who} does not need {what}"));
    missing.chain(stale).collect()
}

/// Reads the rows `| dependency, … | crate, … | why |` below the heading. Text in parentheses is a comment.
fn stated(design: &str) -> BTreeSet<Edge<'_>> {
    let section = design.lines().skip_while(|line| *line != "## The dependencies").skip(1);
    let rows = section.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|')).skip(2);
    rows.flat_map(|row| {
        let mut cells = row.trim_matches('|').split('|');
        let whats = names(cells.next().unwrap_or_default());
        let whos: Vec<&str> = names(cells.next().unwrap_or_default()).collect();
        whats.flat_map(move |what| whos.clone().into_iter().map(move |who| (who, what)))
    })
    .collect()
}

fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(',').map(|name| name.split('(').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dependency_has_its_reason() {
        let design = "| a | b | c |\n## The dependencies\n\n| crate | of | why |\n|---|---|---|\n\
                      | serde, toml (1.1) | cli, enums | reads |\n\n## More\n| d | e | f |";
        assert_eq!(
            stated(design),
            BTreeSet::from([("cli", "serde"), ("cli", "toml"), ("enums", "serde"), ("enums", "toml")])
        );
        assert_eq!(
            problems(&BTreeSet::from([("http", "ring")]), &BTreeSet::from([("http", "openssl")])),
            [
                "docs/contributing/design.md: why does http need ring?",
                "docs/contributing/design.md: http does not need openssl"
            ]
        );
    }
}
