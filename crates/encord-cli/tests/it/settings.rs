//! `encord settings`.

use std::fs;

use serde_json::json;

use crate::invocation::{Run, encord};
use crate::upload::manifest;

#[test]
fn the_defaults_are_shown() {
    encord("settings").run().expect(
        0,
        "\
FIELD               VALUE       ORIGIN       SHADOWED
max_retries         3           default
backoff_factor      1.5         default
connection_retries  3           default
connect_timeout     180 s       default
read_timeout        180 s       default
write_timeout       180 s       default
allow_failures      false       default

waits before the retries: 1.5 s * 2^(k-1), at most 120 s each
  Retry 1: 1.5 s   1.5 s in all  ████████
  Retry 2:   3 s   4.5 s in all  ████████████████
  Retry 3:   6 s  10.5 s in all  ████████████████████████████████

longest upload: 2424 s (40 minutes), and the time in which its payload moves
settings file: none; looked for in --settings, ENCORD_SETTINGS
",
        "",
    );
}

#[test]
fn u4_every_field_tells_its_layer_and_what_that_shadows() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = "[requests]\nmax_retries = 9\nread_timeout = 0.5\n[upload]\nbackoff_factor = 2\nallow_failures = true\n";
    fs::write(folder.path().join("encord.toml"), file).expect("written");
    let command = || {
        encord("settings --max-retries 12 --allow-failures=false")
            .within(folder.path())
            .env("ENCORD_SETTINGS", "encord.toml")
            .env("ENCORD_MAX_RETRIES", "0")
            .env("ENCORD_WRITE_TIMEOUT", "unlimited")
    };
    command().run().expect(
        0,
        "\
FIELD               VALUE       ORIGIN       SHADOWED
max_retries         12          flag         0 (environment), 9 (file), 3 (default)
backoff_factor      2           file         1.5 (default)
connection_retries  3           default
connect_timeout     180 s       default
read_timeout        0.5 s       file         180 s (default)
write_timeout       unlimited   environment  180 s (default)
allow_failures      false       flag         true (file), false (default)

waits before the retries: 2 s * 2^(k-1), at most 120 s each
  Retry  1:   2 s    2 s in all  ▌
  Retry  2:   4 s    6 s in all  █
  Retry  3:   8 s   14 s in all  ██▏
  Retry  4:  16 s   30 s in all  ████▎
  Retry  5:  32 s   62 s in all  ████████▌
  Retry  6:  64 s  126 s in all  █████████████████
  Retry  7: 120 s  246 s in all  ████████████████████████████████ cap, not 128 s
  Retry  8: 120 s  366 s in all  ████████████████████████████████ cap, not 256 s
  Retry  9: 120 s  486 s in all  ████████████████████████████████ cap, not 512 s
  Retry 10: 120 s  606 s in all  ████████████████████████████████ cap, not 1024 s
  Retry 11: 120 s  726 s in all  ████████████████████████████████ cap, not 2048 s
  Retry 12: 120 s  846 s in all  ████████████████████████████████ cap, not 4096 s

longest upload: unlimited
settings file: encord.toml (from ENCORD_SETTINGS)
",
        "",
    );
    assert_eq!(
        command().arg("--json").run().json(),
        json!({
            "fields": {
                "max_retries": {"value": 12, "origin": "flag", "shadowed": [
                    {"origin": "environment", "value": 0},
                    {"origin": "file", "value": 9},
                    {"origin": "default", "value": 3},
                ]},
                "backoff_factor": {"value": 2.0, "origin": "file", "shadowed": [{"origin": "default", "value": 1.5}]},
                "connection_retries": {"value": 3, "origin": "default", "shadowed": []},
                "connect_timeout": {"value": 180, "origin": "default", "shadowed": []},
                "read_timeout": {"value": 0.5, "origin": "file", "shadowed": [{"origin": "default", "value": 180}]},
                "write_timeout": {
                    "value": "unlimited",
                    "origin": "environment",
                    "shadowed": [{"origin": "default", "value": 180}],
                },
                "allow_failures": {"value": false, "origin": "flag", "shadowed": [
                    {"origin": "file", "value": true},
                    {"origin": "default", "value": false},
                ]},
            },
            "backoff_delays_s": [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0, 120.0, 120.0, 120.0, 120.0],
            "backoff_cap_s": 120.0,
            "worst_case_s": null,
            "settings_file": "encord.toml (from ENCORD_SETTINGS)",
            "looked_for_file": ["--settings", "ENCORD_SETTINGS"],
        })
    );
}

#[test]
fn in_a_command_that_uploads_one_word_makes_it_show_the_settings() {
    let flags = "--manifest no.jsonl --max-retries 8 --concurrency 3 --journal no/done.jsonl --retry-from no.jsonl \
                 --shard 0/2 --report no/report.jsonl --progress never --dry-run --allow-failures";
    let run = encord("settings").run();
    let with_flags = encord(&format!("settings {flags}")).run();
    assert_eq!((with_flags.code, &*with_flags.stderr), (Some(0), ""));
    assert_eq!(with_flags, encord("settings --max-retries 8 --allow-failures").run());
    assert_ne!(with_flags, run);
    let help = encord("settings --help").run().stdout;
    for shown in ["--settings", "--allow-failures", "--max-retries", "--backoff-factor", "--json"] {
        assert!(help.contains(shown), "{shown}: {help}");
    }
    for hidden in ["--manifest", "--journal", "--shard", "--concurrency", "--dry-run"] {
        assert!(!help.contains(hidden), "{hidden}: {help}");
    }
}

#[test]
fn a_settings_file_may_come_from_stdin() {
    let shown = |run: Run| run.json()["fields"]["read_timeout"]["value"].clone();
    for text in ["requests.read_timeout = 7\n", "{\"requests\": {\"read_timeout\": 7}}"] {
        assert_eq!(shown(encord("settings --json --settings -").stdin(text).run()), 7, "{text}");
        assert_eq!(shown(encord("settings --json").env("ENCORD_SETTINGS", "-").stdin(text).run()), 7, "{text}");
    }
    let error = "error: settings file standard input: `pool` (set to 4) is unknown, known are `requests`, `upload`\n";
    encord("settings --settings -").stdin("pool = 4").run().expect(2, "", error);
    let both = encord("upload --manifest - --settings -").run();
    both.expect(2, "", "error: manifest and settings file cannot both come from standard input\n");
    let both = encord("upload --manifest items.jsonl --retry-from -").env("ENCORD_SETTINGS", "-").run();
    both.expect(2, "", "error: earlier report and settings file cannot both come from standard input\n");
}

#[test]
fn u9_a_manifest_taken_for_settings_shows_no_url() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let items = manifest([("a.jpg", "https://h/a?X-Signature=s3cret".to_owned())]);
    fs::write(folder.path().join("items.jsonl"), items).expect("written");
    let run = encord("settings --settings items.jsonl").within(folder.path()).run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(run.stderr.contains("`signed_url` (set to a URL) is unknown"), "{}", run.stderr);
}

#[test]
fn r2_the_schedule_starts_with_the_factor() {
    #[track_caller]
    fn check(flags: &str, delays: &[f64], worst_case: f64) {
        let shown = encord(&format!("settings --json {flags}")).run().json();
        assert_eq!(shown["backoff_delays_s"], json!(delays), "{flags}");
        assert_eq!(shown["worst_case_s"], json!(worst_case), "{flags}");
    }
    check("", &[1.5, 3.0, 6.0], 2424.0);
    check("--max-retries 0", &[], 910.5);
    check("--max-retries=2 --backoff-factor=0", &[0.0, 0.0], 1860.0);
    check("--max-retries 1 --backoff-factor 1e9", &[120.0], 1740.0);
}

#[test]
fn a_schedule_without_end_is_cut() {
    let shown = encord("settings --json --max-retries 4294967295").run().json();
    assert_eq!(shown["backoff_delays_s"].as_array().map(Vec::len), Some(1000));
    let run = encord("settings --max-retries 0").run();
    assert!(run.stdout.contains("\nwaits before the retries: none, there are no retries\n"), "{}", run.stdout);
}

#[test]
fn r12_bad_values_are_exit_code_2_and_all_told() {
    encord("settings --max-retries -1 --backoff-factor=x").env("ENCORD_ALLOW_FAILURES", "perhaps").run().expect(
        2,
        "",
        "error: `--max-retries` must be a whole number from 0 to 4294967295, not \"-1\"\n\
         error: `--backoff-factor` must be a finite number of 0 or more, not \"x\"\n\
         error: environment: `ENCORD_ALLOW_FAILURES` must be true or false, not \"perhaps\"\n",
    );
    let run = encord("settings --allow-failures=perhaps").run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(run.stderr.starts_with("error: invalid value 'perhaps' for '--allow-failures[=<BOOL>]'"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn u4_a_file_in_the_folder_for_configuration_is_the_last_that_is_looked_for() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("encord/settings.toml");
    let home = folder.path().to_str().expect("ASCII");
    let shown = |flags: &str, file: &str| {
        let command = encord(&format!("settings --json {flags}")).env("XDG_CONFIG_HOME", home);
        command.env("ENCORD_SETTINGS", file).within(folder.path()).run().json()
    };
    assert_eq!(shown("", "")["settings_file"], json!(null));
    assert_eq!(shown("", "")["looked_for_file"][2], json!(path.to_str()));
    fs::create_dir(folder.path().join("encord")).expect("made");
    fs::write(&path, "[requests]\nread_timeout = 7\n").expect("written");
    fs::write(folder.path().join("other.toml"), "[requests]\nread_timeout = 8\n").expect("written");
    for (flags, variable, expected) in [("", "", 7), ("", "other.toml", 8), ("--settings other.toml", "", 8)] {
        let shown = shown(flags, variable);
        assert_eq!(shown["fields"]["read_timeout"]["value"], expected, "{shown}");
    }
    assert_eq!(shown("--read-timeout 9 --connect-timeout unlimited", "")["fields"]["read_timeout"]["value"], 9);
}
