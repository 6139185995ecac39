//! The precedence of layers, and every error of a layer.

use std::io::Write;

use super::*;

/// Resolves with a settings file of this text and ending, and says `value (origin; shadowed)` of a field.
#[track_caller]
fn resolved(options: SettingsOptions, environment: &[(&str, &str)], file: Option<(&str, &str)>, field: &str) -> String {
    let outcome = run(options, environment, file);
    let resolution = outcome.unwrap_or_else(|errors| panic!("{errors:?}"));
    let field = resolution.field(field).expect("a field");
    let shadowed: Vec<String> = field.shadowed.iter().map(|(origin, value)| format!("{value} {origin}")).collect();
    format!("{} {} [{}]", field.value, field.origin, shadowed.join(", "))
}

/// The errors with the name of the settings file shortened to `FILE`.
fn run(
    mut options: SettingsOptions,
    environment: &[(&str, &str)],
    file: Option<(&str, &str)>,
) -> Result<UploadResolution<Source>, Vec<String>> {
    let mut path = None;
    let _written = file.map(|(ending, text)| {
        let mut written = tempfile::Builder::new().suffix(ending).tempfile().expect("a temporary file");
        written.write_all(text.as_bytes()).expect("written");
        path = Some(written.path().to_owned());
        written
    });
    options.settings = options.settings.or(path.clone().map(Stream::File));
    let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    resolve(&options, environment).map_err(|failure| {
        let name = path.unwrap_or_default().display().to_string();
        failure
            .errors()
            .iter()
            .map(|error| if name.is_empty() { error.clone() } else { error.replace(&name, "FILE") })
            .collect()
    })
}

fn max_retries(text: &str) -> SettingsOptions {
    SettingsOptions { max_retries: Some(text.to_owned()), ..SettingsOptions::default() }
}

#[test]
fn u4_flag_over_environment_over_file_over_default() {
    const ENVIRONMENT: &[(&str, &str)] = &[("ENCORD_MAX_RETRIES", "2")];
    const FILE: Option<(&str, &str)> = Some((".toml", "[requests]\nmax_retries = 4\n[upload]\nmax_retries = 5\n"));
    #[track_caller]
    fn check(flag: Option<&str>, environment: &[(&str, &str)], file: Option<(&str, &str)>, expected: &str) {
        let options = flag.map(max_retries).unwrap_or_default();
        assert_eq!(resolved(options, environment, file, "max_retries"), expected);
    }
    check(None, &[], None, "3 default []");
    check(None, &[], FILE, "5 file [4 file, 3 default]");
    check(None, ENVIRONMENT, None, "2 environment [3 default]");
    check(None, ENVIRONMENT, FILE, "2 environment [5 file, 4 file, 3 default]");
    check(Some("0"), &[], None, "0 flag [3 default]");
    check(Some("0"), &[], FILE, "0 flag [5 file, 4 file, 3 default]");
    check(Some("0"), ENVIRONMENT, None, "0 flag [2 environment, 3 default]");
    check(Some("0"), ENVIRONMENT, FILE, "0 flag [2 environment, 5 file, 4 file, 3 default]");
}

#[test]
fn u2_a_flag_of_false_or_zero_wins() {
    let options = || SettingsOptions {
        allow_failures: Some(false),
        backoff_factor: Some("0".to_owned()),
        ..SettingsOptions::default()
    };
    let environment = &[("ENCORD_ALLOW_FAILURES", "true"), ("ENCORD_BACKOFF_FACTOR", "2")];
    assert_eq!(
        resolved(options(), environment, None, "allow_failures"),
        "false flag [true environment, false default]"
    );
    assert_eq!(resolved(options(), environment, None, "backoff_factor"), "0 flag [2 environment, 1.5 default]");
}

#[test]
fn the_format_is_known_by_ending_or_content() {
    #[track_caller]
    fn check(ending: &str, text: &str) {
        let shown = resolved(SettingsOptions::default(), &[], Some((ending, text)), "read_timeout");
        assert_eq!(shown, "7 s file [180 s default]");
    }
    let toml = "requests.read_timeout = 7";
    let json = r#" {"requests": {"read_timeout": 7}}"#;
    check(".toml", toml);
    check(".TOML", toml);
    check(".json", json);
    check("", toml);
    check("", json);
    check(".conf", json);
    for ending in [".json", "", ".toml"] {
        let text = if ending == ".toml" { toml } else { json };
        check(ending, &format!("\u{feff}{}", text.trim_start()));
    }
}

#[test]
fn the_file_is_named_by_flag_or_variable() {
    let named = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(named.path(), "upload.max_retries = 8").expect("written");
    let name = named.path().to_str().expect("Unicode");
    let shown = |options, variable| resolved(options, &[("ENCORD_SETTINGS", variable)], None, "max_retries");
    assert_eq!(shown(SettingsOptions::default(), name), "8 file [3 default]");
    assert_eq!(shown(SettingsOptions::default(), ""), "3 default []");
    assert_eq!(shown(SettingsOptions::default(), " "), "3 default []");
    let options = SettingsOptions { settings: Some(Stream::File(name.into())), ..SettingsOptions::default() };
    assert_eq!(shown(options, "/nowhere"), "8 file [3 default]");
}

#[cfg(target_os = "linux")]
#[test]
fn the_file_may_have_any_name() {
    use std::os::unix::ffi::OsStringExt;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join(OsString::from_vec(b"caf\xE9.toml".to_vec()));
    fs::write(&path, "upload.max_retries = 8").expect("written");
    let environment = [(OsString::from("ENCORD_SETTINGS"), path.into_os_string())];
    let resolution = resolve(&SettingsOptions::default(), environment).expect("readable");
    assert_eq!(resolution.settings().requests.max_retries, 8);
}

#[test]
fn what_is_not_utf_8_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    for (text, expected) in [
        (&b"\xFF\xFE{\0}\0"[..], "it is UTF-16, not UTF-8"),
        (b"\xFE\xFF\0{\0}", "it is UTF-16, not UTF-8"),
        (b"{\xE9}", "invalid utf-8 sequence of 1 bytes from index 1"),
    ] {
        fs::write(file.path(), text).expect("written");
        let settings = Some(Stream::File(file.path().to_owned()));
        let errors = run(SettingsOptions { settings, ..SettingsOptions::default() }, &[], None).expect_err("not UTF-8");
        assert_eq!(errors, [format!("settings file {}: {expected}", file.path().display())]);
    }
}

#[test]
fn r12_everything_wrong_in_all_layers_is_told_at_once() {
    let options = SettingsOptions {
        max_retries: Some("-1".to_owned()),
        backoff_factor: Some("nan".to_owned()),
        ..SettingsOptions::default()
    };
    let environment = &[("ENCORD_READ_TIMEOUT", "0"), ("ENCORD_WRITE_TIMEOUT", "soon")];
    let file = r#"{"requests": {"max_retries": 1.5, "tries": 3}}"#;
    assert_eq!(
        run(options, environment, Some((".json", file))).expect_err("all wrong"),
        [
            "`--max-retries` must be a whole number from 0 to 4294967295, not \"-1\"",
            "`--backoff-factor` must be a finite number of 0 or more, not \"nan\"",
            "environment: `ENCORD_READ_TIMEOUT` must be a number of seconds above 0, a time such as \"90s\" or \"5min\", or \"unlimited\", not \"0\"",
            "environment: `ENCORD_WRITE_TIMEOUT` must be a number of seconds above 0, a time such as \"90s\" or \"5min\", or \"unlimited\", not \"soon\"",
            "settings file FILE: `requests.max_retries` must be a whole number from 0 to 4294967295, not 1.5; \
             `requests.tries` (set to 3) is unknown, known are `max_retries`, `backoff_factor`, `connection_retries`, \
             `connect_timeout`, `read_timeout`, `write_timeout`",
        ]
    );
}

#[test]
fn r12_a_bad_file_is_told_with_field_or_place() {
    #[track_caller]
    fn check(ending: &str, text: &str, expected: &str) {
        let errors = run(SettingsOptions::default(), &[], Some((ending, text))).expect_err("a bad file");
        assert_eq!(errors, [format!("settings file FILE: {expected}")]);
    }
    let count = "must be a whole number from 0 to 4294967295, not";
    check(".toml", "[requests]\nmax_retries = -1", &format!("`requests.max_retries` {count} -1"));
    check(".json", "{\"upload\": {\n\"max_retries\": \"3\"}}", &format!("`upload.max_retries` {count} \"3\""));
    check(".toml", "[requests]\nmax_retries = nan\n", &format!("`requests.max_retries` {count} NaN"));
    check(".json", "{\"upload\": \n", "EOF while parsing a value at line 2 column 0");
    check(".toml", "[requests]\nmax_retries = 1\nmax_retries = 2", "duplicate key at line 3");
    check(".toml", "[requests]\nmax_retries = ", "string values must be quoted, expected literal string at line 2");
    check(".json", "[]", "invalid type: sequence, expected settings");
    let nowhere = Some(Stream::File("/nowhere".into()));
    let errors = run(SettingsOptions { settings: nowhere, ..SettingsOptions::default() }, &[], None);
    assert_eq!(errors.expect_err("no file"), ["settings file /nowhere: No such file or directory (os error 2)"]);
    let errors = run(SettingsOptions::default(), &[("ENCORD_SETTINGS", "/nowhere")], None).expect_err("no file");
    assert_eq!(errors, ["settings file /nowhere (from ENCORD_SETTINGS): No such file or directory (os error 2)"]);
}
