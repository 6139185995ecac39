//! `--metadata`: what the user knows of files, from CSV or JSON Lines, by path.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::units::UnitList;

/// The key, and the column, that says which file or folder a row is about.
pub const PATH_KEY: &str = "path";

/// So many rows without a file are named.
const MAX_EXAMPLES: usize = 5;

/// The `clientMetadata` of units.
#[derive(Debug, Default)]
pub struct Metadata {
    /// JSON text, by the id of the unit. Text takes less memory than values.
    of: HashMap<u32, Box<str>>,
}

/// Rows by path, before it is known which unit each belongs to.
#[derive(Debug, Default)]
struct Rows(HashMap<String, (u64, Box<str>)>);

/// Why metadata cannot be used. Nothing has been sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The file cannot be read.
    #[error("{0}")]
    Read(String),
    /// A line is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// Rows that belong to no file.
    #[error("{count} rows are about files that are not uploaded: {}{}", .examples.join(", "), if *.count > .examples.len() { ", …" } else { "" })]
    NoFile {
        /// How many.
        count: usize,
        /// The first of them: path and line.
        examples: Vec<String>,
    },
}

impl Metadata {
    /// Reads the metadata of these units: CSV if the name ends so, else JSON Lines. A row is found by the path of its file, or of the
    /// folder of a group, as the unit has it; or by where it lies on this machine.
    ///
    /// # Errors
    ///
    /// [`MetadataError`].
    pub fn open(path: &Path, units: &UnitList) -> Result<Self, MetadataError> {
        let file = File::open(path).map_err(|error| MetadataError::Read(error.to_string()))?;
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let rows = if is_csv { Rows::csv(file)? } else { Rows::json_lines(file)? };
        rows.of(units)
    }

    /// Reads metadata without a name: JSON Lines if it begins with a brace, else CSV.
    ///
    /// # Errors
    ///
    /// [`MetadataError`].
    pub fn read(mut reader: impl Read, units: &UnitList) -> Result<Self, MetadataError> {
        let mut text = Vec::new();
        reader.read_to_end(&mut text).map_err(|error| MetadataError::Read(error.to_string()))?;
        let begin = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text).trim_ascii_start();
        let rows = if begin.first().is_none_or(|first| *first == b'{') { Rows::json_lines } else { Rows::csv };
        rows(&text[..])?.of(units)
    }

    /// The metadata of a unit. The list may have been cut down since.
    pub fn of(&self, units: &UnitList, unit: usize) -> Map<String, Value> {
        // It was read as an object before.
        self.of.get(&units.id(unit)).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// How many units have some.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

impl Rows {
    fn csv(mut reader: impl Read) -> Result<Self, MetadataError> {
        let mut rows = Self::default();
        let mut text = Vec::new();
        reader.read_to_end(&mut text).map_err(|error| MetadataError::Read(error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new().from_reader(&text[..]);
        let headers = reader.headers().map_err(|error| csv_error(&text, &error))?.clone();
        let header_line = headers.position().map_or(1, |position| line_of(&text, position));
        let line = |reason: String| MetadataError::Line { line: header_line, reason };
        let mut names: Vec<String> =
            headers.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let Some(at) = names.iter().position(|name| name == PATH_KEY) else {
            return Err(line(format!("there is no column `{PATH_KEY}`")));
        };
        names[at].clear();
        for (place, name) in names.iter().enumerate() {
            if !name.is_empty() && names[..place].contains(name) {
                return Err(line(format!("the column `{name}` is there twice")));
            }
        }
        for record in reader.records() {
            let record = record.map_err(|error| csv_error(&text, &error))?;
            let number = record.position().map_or(0, |position| line_of(&text, position));
            let path = record.get(at).unwrap_or_default();
            // An empty field says nothing.
            let said = names.iter().zip(&record).filter(|(name, value)| !name.is_empty() && !value.is_empty());
            let entries = said.map(|(name, value)| (name.clone(), Value::from(value))).collect();
            rows.enter(number, path, &Value::Object(entries))?;
        }
        Ok(rows)
    }

    fn json_lines(reader: impl Read) -> Result<Self, MetadataError> {
        let mut rows = Self::default();
        for (number, line) in (1..).zip(BufReader::new(reader).lines()) {
            let line = line.map_err(|error| MetadataError::Line { line: number, reason: error.to_string() })?;
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() {
                continue;
            }
            let wrong = |reason: String| MetadataError::Line { line: number, reason };
            let mut entries: Map<String, Value> =
                serde_json::from_str(line).map_err(|error| wrong(format!("not a JSON object: {error}")))?;
            let Some(Value::String(path)) = entries.remove(PATH_KEY) else {
                return Err(wrong(format!("`{PATH_KEY}` must be a string")));
            };
            rows.enter(number, &path, &Value::Object(entries))?;
        }
        Ok(rows)
    }

    fn enter(&mut self, line: u64, path: &str, entries: &Value) -> Result<(), MetadataError> {
        if path.is_empty() {
            return Err(MetadataError::Line { line, reason: format!("`{PATH_KEY}` is empty") });
        }
        let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/').to_owned();
        if let Some((before, _)) = self.0.get(&path) {
            return Err(MetadataError::Line { line, reason: format!("{path} has a row already, in line {before}") });
        }
        self.0.insert(path, (line, entries.to_string().into()));
        Ok(())
    }

    fn of(mut self, units: &UnitList) -> Result<Metadata, MetadataError> {
        let mut of = HashMap::new();
        for unit in 0..units.len() {
            let found = self.0.remove(&units.name(unit));
            let found = found.or_else(|| self.0.remove(&*units.place(unit).to_string_lossy()));
            if let Some((_, text)) = found {
                of.insert(units.id(unit), text);
            }
        }
        if self.0.is_empty() {
            return Ok(Metadata { of });
        }
        let mut left: Vec<(u64, String)> = self.0.into_iter().map(|(path, (line, _))| (line, path)).collect();
        left.sort_unstable();
        let examples = left.iter().take(MAX_EXAMPLES).map(|(line, path)| format!("{path} (line {line})")).collect();
        Err(MetadataError::NoFile { count: left.len(), examples })
    }
}

/// The line that a record begins in. The reader's position is where the record before ended: ahead of blank lines, and of the second
/// half of a `\r\n`.
fn line_of(text: &[u8], position: &csv::Position) -> u64 {
    let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(at..).unwrap_or_default();
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + ends.count() as u64
}

fn csv_error(text: &[u8], error: &csv::Error) -> MetadataError {
    // The reader's own words name the line as the reader counts.
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} fields, and the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { err, .. } => format!("the field {} is not UTF-8", err.field() + 1),
        _ => error.to_string(),
    };
    match error.position() {
        Some(position) => MetadataError::Line { line: line_of(text, position), reason },
        None => MetadataError::Read(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::units::{Found, Titles};

    fn units() -> UnitList {
        let found = |below: &str| Found { below: below.to_owned(), size: 1, mtime_ns: 1 };
        let mut units = UnitList::new(Titles::Name);
        units.push_root("/data".into());
        units.push(Kind::Image, false, [found("a.jpg")]);
        units.push(Kind::Image, false, [found("x/b.jpg")]);
        units.push(Kind::ImageGroup, true, [found("g/1.jpg"), found("g/2.jpg")]);
        units
    }

    #[track_caller]
    fn check(rows: Result<Rows, MetadataError>, expected: &[&str]) {
        let metadata = rows.and_then(|rows| rows.of(&units())).expect("metadata");
        let found: Vec<_> = (0..3).map(|unit| Value::Object(metadata.of(&units(), unit)).to_string()).collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn refused(rows: Result<Rows, MetadataError>, expected: &str) {
        let error = rows.and_then(|rows| rows.of(&units())).expect_err("refused").to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn csv_gives_text_by_column() {
        let text = "\u{feff}path,site,note\na.jpg,A,\"one, two\"\n./x/b.jpg,B,\n/data/g/,C,über\n";
        check(
            Rows::csv(text.as_bytes()),
            &[r#"{"note":"one, two","site":"A"}"#, r#"{"site":"B"}"#, r#"{"note":"über","site":"C"}"#],
        );
        refused(Rows::csv(&b"file,site\na.jpg,A\n"[..]), "line 1: there is no column `path`");
        refused(Rows::csv(&b"path,site,site\na.jpg,A,B\n"[..]), "line 1: the column `site` is there twice");
        refused(Rows::csv(&b"path,site\na.jpg,A\nx/b.jpg\n"[..]), "line 3: it has 1 fields, and the header has 2");
        refused(Rows::csv(&b"path,site\na.jpg,A\na.jpg,B\n"[..]), "line 3: a.jpg has a row already, in line 2");
        refused(Rows::csv(&b"path,site\n,A\n"[..]), "line 2: `path` is empty");
        refused(Rows::csv(&b"path,site\na.jpg,\xff\n"[..]), "line 2: the field 2 is not UTF-8");
    }

    #[test]
    fn a_line_is_counted_as_an_editor_counts() {
        for end in ["\n", "\r\n"] {
            let check = |text: &str, expected: &str| refused(Rows::csv(text.replace('|', end).as_bytes()), expected);
            check("path,site|a.jpg,A||x/b.jpg|", "line 4: it has 1 fields");
            check("|path,site|a.jpg,A|||,A|", "line 6: `path` is empty");
            check("path,site|a.jpg,A||a.jpg,B", "line 4: a.jpg has a row already, in line 2");
            check("path,site|a.jpg,\"A||B\"||,C|", "line 6: `path` is empty");
            check("||file|a.jpg|", "line 3: there is no column `path`");
            let mut text = b"path,site".to_vec();
            text.extend([end, end, "a.jpg,"].concat().bytes());
            text.push(0xff);
            refused(Rows::csv(&text[..]), "line 3: the field 2 is not UTF-8");
        }
    }

    #[test]
    fn json_lines_give_any_value() {
        let text = "\u{feff}{\"path\": \"a.jpg\", \"n\": {\"k\": [1, null]}}\n\n{\"path\": \"g\", \"t\": \"x\"}\r\n";
        check(Rows::json_lines(text.as_bytes()), &[r#"{"n":{"k":[1,null]}}"#, "{}", r#"{"t":"x"}"#]);
        refused(Rows::json_lines(&b"[1]\n"[..]), "line 1: not a JSON object");
        refused(Rows::json_lines(&b"{\"path\": 1}\n"[..]), "line 1: `path` must be a string");
        refused(Rows::json_lines(&b"{\"path\": \"a.jpg\"}\n{\"pa"[..]), "line 2: not a JSON object");
    }

    #[test]
    fn without_a_name_the_first_letter_says_what_it_is() {
        for text in ["path,k\nx/b.jpg,v\n", "\u{feff}path,k\nx/b.jpg,v\n", "\n {\"path\": \"x/b.jpg\", \"k\": \"v\"}\n"]
        {
            let metadata = Metadata::read(text.as_bytes(), &units()).expect("metadata");
            assert_eq!(Value::Object(metadata.of(&units(), 1)).to_string(), r#"{"k":"v"}"#, "{text}");
        }
        assert!(Metadata::read(&b""[..], &units()).expect("nothing").is_empty());
    }

    #[test]
    fn a_row_without_a_file_is_refused_and_named() {
        let text = "path\na.jpg\nnone.jpg\nx/b.png\n";
        refused(
            Rows::csv(text.as_bytes()),
            "2 rows are about files that are not uploaded: none.jpg (line 3), x/b.png (line 4)",
        );
    }
}
