//! Frequent mistakes, and advice on what to type instead.

/// Returns what to type instead of a command line that was refused.
pub(crate) fn instead(arguments: &[String]) -> Option<String> {
    let (command, rest) = arguments.split_first()?;
    if command != "upload" && command != "settings" {
        return None;
    }
    if let Some(at) = rest.iter().position(|word| word == "--allow-failures")
        && let Some(value @ ("true" | "false")) = rest.get(at + 1).map(String::as_str)
    {
        return Some(format!("write --allow-failures={value}"));
    }
    let stray = rest.iter().enumerate().find(|(at, word)| {
        let after_flag =
            at.checked_sub(1).and_then(|before| rest.get(before)).is_some_and(|word| word.starts_with("--"));
        !word.starts_with('-') && !after_flag
    });
    let (_, stray) = stray?;
    for scheme in CLOUDS {
        if stray.starts_with(scheme) {
            return Some(format!("{scheme} names an object in a cloud; this program uploads files of this machine"));
        }
    }
    let is_given = |flag: &str| {
        rest.iter()
            .any(|word| word.strip_prefix(flag).is_some_and(|more| matches!(more.chars().next(), None | Some('='))))
    };
    if command != "upload" || is_given("--folder") || is_given("--manifest") {
        return None;
    }
    let ending = stray.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    if ["jsonl", "ndjson", "json"].contains(&ending.as_str()) {
        return Some(format!("a manifest is named by a flag: encord upload --manifest {stray}"));
    }
    if ["csv", "tsv", "xlsx"].contains(&ending.as_str()) {
        return Some(
            "a manifest is JSON Lines, one item a line: {\"path\": \"a.jpg\", \"signed_url\": \"https://…\"}"
                .to_owned(),
        );
    }
    let words = "the folder of the platform is named by a flag: encord upload PATH --folder F; \
                 files for signed URLs are listed in a manifest, one a line: encord upload --manifest items.jsonl";
    Some(words.to_owned())
}

/// Returns a hint for an error about a file or a URL.
pub(crate) fn meant(error: &str) -> Option<&'static str> {
    let names = |begin: &str| {
        [" ", "="].iter().any(|before| error.contains(&format!("{before}{begin}"))) || error.starts_with(begin)
    };
    let is_missing = error.contains("No such file");
    if is_missing && CLOUDS.into_iter().any(names) {
        return Some("this program reads and writes files of this machine: copy what is in a cloud to it first");
    }
    if is_missing && names("~/") {
        return Some("only a shell replaces ~, and only at the beginning of a word: write the whole path");
    }
    if error.contains("the URL must begin with http:// or https://") && !error.contains("and a host") {
        return Some(
            "gs://, s3:// and paths are no signed URLs: have the storage sign a URL for PUT, or use --sign-with",
        );
    }
    None
}

/// The schemes of object names in clouds.
const CLOUDS: [&str; 3] = ["gs://", "s3://", "az://"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        assert_eq!(instead(&arguments).as_deref(), expected, "{line}");
    }

    #[test]
    fn a_command_line_that_many_type_is_answered() {
        check("upload items.jsonl", Some("a manifest is named by a flag: encord upload --manifest items.jsonl"));
        check("upload --allow-failures false --manifest a", Some("write --allow-failures=false"));
        check("settings --allow-failures true", Some("write --allow-failures=true"));
        check("upload --max_retries 5", None);
        check("uids a.jsonl", None);
        check("upload a.jpg --folder f --max_retries 5", None);
        check("upload items.jsonl --manifest=more.jsonl", None);
        check("settings a.jpg", None);
        let both = "the folder of the platform is named by a flag: encord upload PATH --folder F; \
                    files for signed URLs are listed in a manifest, one a line: encord upload --manifest items.jsonl";
        check("upload a.jpg", Some(both));
        check("upload a.jpg --folders f", Some(both));
        check(
            "upload gs://b/a.jpg",
            Some("gs:// names an object in a cloud; this program uploads files of this machine"),
        );
    }

    #[test]
    fn an_error_that_many_get_is_answered() {
        assert!(meant("report ~/r.jsonl: No such file or directory (os error 2)").is_some());
        assert!(meant("a~/r: No such file").is_none());
        for error in
            ["gs://b/a.jpg: No such file", "manifest s3://b/x: No such file", "--settings=az://b: No such file"]
        {
            assert!(meant(error).is_some_and(|hint| hint.contains("copy what is in a cloud")), "{error}");
        }
        assert!(meant("ags://b: No such file").is_none());
        assert!(meant("item failed: the URL must begin with http:// or https://").is_some());
    }
}
