//! `encord completions`, `encord man`, `--help`, `--version`, and wrong usage.

use crate::invocation::encord;

const COMMANDS: [&str; 10] =
    ["demo", "upload", "settings", "uids", "data-type", "dev-store", "dev-platform", "sign", "completions", "man"];

#[test]
fn each_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = encord("completions").arg(shell).run();
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{shell}");
        for word in COMMANDS.into_iter().chain(["max-retries"]) {
            assert!(run.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn each_command_has_a_man_page() {
    let run = encord("man").run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert!(run.stdout.contains("\n.TH encord 1 "), "{}", run.stdout);
    for command in COMMANDS {
        assert!(run.stdout.contains(&format!("encord\\-{}(1)", command.replace('-', "\\-"))), "{}", run.stdout);
        let page = encord("man").arg(command).run();
        assert_eq!((page.code, &*page.stderr), (Some(0), ""), "{command}");
        assert!(page.stdout.contains(&format!("\n.TH encord-{command} 1 ")), "{}", page.stdout);
        assert!(page.stdout.contains("Examples:\n"), "{}", page.stdout);
    }
    let run = encord("man uploads").run();
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    assert!(
        run.stderr.starts_with("error: unknown command \"uploads\", expected one of demo, upload, "),
        "{}",
        run.stderr
    );
}

#[test]
fn help_has_the_commands_the_exit_codes_and_examples() {
    let run = encord("--help").run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    for line in ["Examples:\n", "  encord upload --manifest items.jsonl --dry-run\n", "130  interrupted"] {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
    for command in COMMANDS {
        assert!(run.stdout.contains(&format!("\n  {command} ")), "{command}: {}", run.stdout);
        let run = encord(command).arg("--help").run();
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{command}");
        assert!(run.stdout.contains("Examples:\n"), "{command}: {}", run.stdout);
        assert!(run.stdout.contains(&format!("  encord {command}")), "{command}: {}", run.stdout);
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    // A release names its commit too.
    let run = encord("--version").run();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let (name, version) = run.stdout.trim_end().split_once(' ').unwrap();
    let (version, commit) = version.split_once(' ').unwrap_or((version, ""));
    assert_eq!((name, version), ("encord", env!("CARGO_PKG_VERSION")));
    assert!(commit.is_empty() || commit.starts_with('(') && commit.ends_with(')'), "{commit}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [
        "",
        "uploads",
        "upload",
        "upload --manifest",
        "upload --manifest - --journal -",
        "settings --tries 3",
        "settings --concurrency 0",
        "data-type --json=1",
    ] {
        let run = encord(arguments).run();
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{arguments}: {}", run.stderr);
    }
}
