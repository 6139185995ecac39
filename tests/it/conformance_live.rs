//! The same questions as in [`conformance`](crate::conformance), but random ones, to the SDKs themselves.
//!
//! `cargo xtask ci conformance-live` installs the SDKs below `target/venv`. A failing run prints its seed; give that back
//! in `ENCORD_TESTS_SEED` to repeat it.

use std::io::Write;
use std::process::{Command, Stdio};

use encord_enums::{AutomationModel, DataType, OpenEnum};
use serde_json::{Value, json};

use crate::conformance::{self, Answers, data_type, models, settings};
use crate::peers;
use crate::support::chance::Chance;

#[test]
fn the_seed_sdk_answers_random_questions_as_we_do() {
    let Some(answers) = ask("seed") else { return };
    data_type::check_values(&answers);
    data_type::check_upper_case(&answers);
    settings::check_overlays(&answers);
    models::check_configurations(&answers);
    models::check_lists(&answers);
}

#[test]
fn the_current_sdk_answers_random_questions_as_we_do() {
    let Some(answers) = ask("current") else { return };
    data_type::check_values(&answers);
    data_type::check_upper_case(&answers);
    settings::check_overlays(&answers);
}

/// `None` where the SDK is not installed.
fn ask(sdk: &str) -> Option<Answers> {
    let python = peers::sdk_python(sdk)?;
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/vectors.py"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Python reads all before it writes, so this cannot block for good.
    child.stdin.take().unwrap().write_all(questions().to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "vectors.py: {}", output.status);
    Some(conformance::read(&String::from_utf8(output.stdout).unwrap()))
}

fn questions() -> Value {
    let dice = &mut Dice(Chance::new());
    json!({
        "strings": (0..400).map(|_| dice.string()).collect::<Vec<_>>(),
        "overlays": (0..100).map(|_| dice.overlay()).collect::<Vec<_>>(),
        "model_configurations": (0..50).map(|_| dice.any_model().to_string()).collect::<Vec<_>>(),
        "model_lists": (0..50).map(|_| dice.models().to_string()).collect::<Vec<_>>(),
    })
}

/// Random questions.
struct Dice(Chance);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0.between(0, limit)
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// A letter of any script, or one that is special to case, width or JSON.
    fn letter(&mut self) -> char {
        match self.below(4) {
            0 => self
                .one_of(&['_', ' ', '"', '\\', '\0', '\n', 'ß', 'ı', 'İ', 'ſ', 'ﬁ', '\u{212a}', '\u{301}', '\u{feff}']),
            1 => self.one_of(b"abcdefghijklmnopqrstuvwxyz").into(),
            2 => self.one_of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ").into(),
            _ => u32::try_from(self.below(0x11_0000)).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'),
        }
    }

    /// A value of `DataType` after a few accidents, often none.
    fn string(&mut self) -> String {
        let value = self.one_of(DataType::ALL);
        let value = if self.below(2) == 0 { value.as_str() } else { value.to_upper_case_string() };
        let mut letters: Vec<char> = value.chars().collect();
        for _ in 0..self.below(3) {
            let at = self.below(letters.len() + 1);
            match (self.below(4), letters.get_mut(at)) {
                (0, Some(letter)) => *letter = self.letter(),
                (1, Some(letter)) if letter.is_ascii_lowercase() => letter.make_ascii_uppercase(),
                (1, Some(letter)) => letter.make_ascii_lowercase(),
                (2, Some(_)) => drop(letters.remove(at)),
                _ => letters.insert(at, self.letter()),
            }
        }
        letters.into_iter().collect()
    }

    fn overlay(&mut self) -> Value {
        json!({
            "requests": { "max_retries": self.below(20), "backoff_factor": self.factor() },
            "upload": {
                "max_retries": self.maybe(|dice| dice.below(4).into()),
                "backoff_factor": self.maybe(Self::factor),
            },
        })
    }

    /// Eighths, which both languages write without loss.
    fn factor(&mut self) -> Value {
        (f64::from(u8::try_from(self.below(24)).unwrap()) / 8.0).into()
    }

    fn maybe(&mut self, value: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.below(3) == 0 { Value::Null } else { value(self) }
    }

    /// The SDK reads a list only if it knows every kind.
    fn models(&mut self) -> Value {
        (0..self.below(8)).map(|_| self.known_model()).collect()
    }

    fn any_model(&mut self) -> Value {
        let kind = self.text();
        if self.below(2) == 0 { self.known_model() } else { self.model(&kind) }
    }

    fn known_model(&mut self) -> Value {
        let kind = self.one_of(<AutomationModel as OpenEnum>::KNOWN_VALUES);
        self.model(kind)
    }

    fn model(&mut self, kind: &str) -> Value {
        json!({
            "model_uid": self.text(),
            "title": self.text(),
            "description": self.text(),
            "feature_node_hashes": (0..self.below(4)).map(|_| (self.text(), Value::Null)).collect::<Value>(),
            "model": kind,
            "model_iteration_uids": (0..self.below(6)).map(|_| format!("u-{}", self.below(12))).collect::<Vec<_>>(),
            "ignored": [null, { self.text(): true }],
        })
    }

    fn text(&mut self) -> String {
        (0..self.below(12)).map(|_| self.letter()).collect()
    }
}
