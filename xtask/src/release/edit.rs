//! The edits of a release: text in, text out.

use crate::tidy::{is_prefix, named_version};

/// Numbers alone: what comes after a hyphen has an order of its own, and was never needed.
type Version = [u64; 3];

/// The manifest with `new` in the place of the version, and the old version.
pub(super) fn manifest(text: &str, new: &str) -> Result<(String, String), String> {
    let parsed = parse(new).ok_or_else(|| format!("{new:?} is not a version like 0.2.0"))?;
    let old = text.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    let old = old.ok_or("no line `version = \"…\"`")?;
    if parse(old).is_none_or(|old| parsed < old) {
        return Err(format!("{new} comes before {old}"));
    }
    Ok((text.lines().flat_map(|line| [manifest_line(line, old, new), "\n".to_owned()]).collect(), old.to_owned()))
}

/// The version of the workspace, and the one of each crate of ours.
fn manifest_line(line: &str, old: &str, new: &str) -> String {
    let ours = line.starts_with("version = ") || line.starts_with("encord");
    if ours { line.replace(&format!("version = \"{old}\""), &format!("version = \"{new}\"")) } else { line.to_owned() }
}

/// The changelog with the version and the day in its first heading, which must be that of what is not released.
pub(super) fn changelog(text: &str, version: &str, today: &str) -> Result<String, String> {
    let heading = text.lines().find(|line| line.starts_with("## ")).ok_or("no heading `## …`")?;
    let unreleased = heading == "## Unreleased" || heading.ends_with(" (not released yet)");
    if !unreleased {
        return Err(format!("the first heading is `{heading}`; what is new stands under `## Unreleased`"));
    }
    let below = text.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.starts_with("## "));
    if below.collect::<String>().trim().is_empty() {
        return Err(format!("nothing stands under `{heading}`"));
    }
    Ok(text.replacen(heading, &format!("## {version} ({today})"), 1))
}

/// A README or another document: `encord-http = "0.1"` where it stands for the old version and not for the new one.
pub(super) fn document(text: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match named_version(line).filter(|said| is_prefix(said, old) && !is_prefix(said, new)) {
            Some(said) => {
                let parts = said.split('.').count();
                let short = new.split('.').take(parts).collect::<Vec<_>>().join(".");
                out.push_str(&line.replacen(&format!("\"{said}\""), &format!("\"{short}\""), 1));
            }
            None => out.push_str(line),
        }
    }
    out
}

fn parse(version: &str) -> Option<Version> {
    let numbers: Vec<u64> = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{changelog, document, manifest};

    #[test]
    fn the_manifest_names_the_version_for_all_crates() {
        const OLD: &str = "[workspace.package]\nversion = \"0.1.0\"\n\n[workspace.dependencies]\n\
                           encord-http = { path = \"a\", version = \"0.1.0\" }\nother = { version = \"0.1.0\" }\n";
        let new = "[workspace.package]\nversion = \"0.2.0\"\n\n[workspace.dependencies]\n\
                   encord-http = { path = \"a\", version = \"0.2.0\" }\nother = { version = \"0.1.0\" }\n";
        assert_eq!(manifest(OLD, "0.2.0"), Ok((new.to_owned(), "0.1.0".to_owned())));
        // The first release is that of the version which is there already.
        assert_eq!(manifest(OLD, "0.1.0"), Ok((OLD.to_owned(), "0.1.0".to_owned())));
        assert_eq!(manifest(OLD, "0.0.9"), Err("0.0.9 comes before 0.1.0".to_owned()));
        assert_eq!(manifest(OLD, "v0.2.0"), Err("\"v0.2.0\" is not a version like 0.2.0".to_owned()));
    }

    #[test]
    fn the_changelog_gets_the_day() {
        #[track_caller]
        fn check(old: &str, expected: Result<&str, &str>) {
            assert_eq!(changelog(old, "0.2.0", "2026-01-31").as_deref().map_err(String::as_str), expected);
        }
        check(
            "# C\n\n## Unreleased\n\n- a\n\n## 0.1.0 (x)\n",
            Ok("# C\n\n## 0.2.0 (2026-01-31)\n\n- a\n\n## 0.1.0 (x)\n"),
        );
        check("## 0.2.0 (not released yet)\n- a\n", Ok("## 0.2.0 (2026-01-31)\n- a\n"));
        check("## Unreleased\n\n## 0.1.0 (x)\n- a\n", Err("nothing stands under `## Unreleased`"));
        check(
            "## 0.1.0 (2026-01-01)\n- a\n",
            Err("the first heading is `## 0.1.0 (2026-01-01)`; what is new stands under `## Unreleased`"),
        );
    }

    #[test]
    fn documents_name_as_much_of_the_version_as_before() {
        #[track_caller]
        fn check(line: &str, new: &str, expected: &str) {
            assert_eq!(document(line, "0.1.0", new), expected);
        }
        check("encord = \"0.1\"\n", "0.2.0", "encord = \"0.2\"\n");
        check("encord = \"0.1\"\n", "0.1.1", "encord = \"0.1\"\n");
        check("encord-http = { version = \"0.1.0\", a = 1 }", "0.1.1", "encord-http = { version = \"0.1.1\", a = 1 }");
        check("serde = \"0.1\"\n", "0.2.0", "serde = \"0.1\"\n");
    }
}
