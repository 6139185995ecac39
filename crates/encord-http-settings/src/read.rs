//! Deserialisation. First all values are read as they are, then all fields are checked, so that one error names all bad fields.

use core::{fmt, mem};

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::{Deserialize, Deserializer, Error};

use crate::any::{A_URL, Any, Entries, EntriesVisitor, FromAny, Never, is_url};
use crate::fields::Visitor;
use crate::invalid::Reason;
use crate::value::Field;
use crate::{
    BackoffFactor, CloudUploadSettings, InvalidSettings, PartialCloudUploadSettings, PartialRequestsSettings, Problem,
    RequestsSettings, SettingsLayer, Timeout,
};

impl<'de> Deserialize<'de> for RequestsSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let partial = deserialize(deserializer, "request settings", |table| table.requests(Null::Refused))?;
        Ok(partial.over(&Self::default()))
    }
}

impl<'de> Deserialize<'de> for PartialRequestsSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer, "request settings", |table| table.requests(Null::NotSet))
    }
}

impl<'de> Deserialize<'de> for CloudUploadSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let partial = deserialize(deserializer, "upload settings", |table| table.upload(Null::Refused))?;
        Ok(partial.over(Self::default()))
    }
}

impl<'de> Deserialize<'de> for PartialCloudUploadSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer, "upload settings", |table| table.upload(Null::NotSet))
    }
}

impl<'de> Deserialize<'de> for SettingsLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer, "settings", Table::layer)
    }
}

impl<'de> Deserialize<'de> for BackoffFactor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_value(deserializer, "a backoff factor")
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_value(deserializer, "a timeout")
    }
}

fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expecting: &'static str,
    read: fn(&mut Table) -> T,
) -> Result<T, D::Error> {
    let entries = deserializer.deserialize_map(EntriesVisitor { expecting })?;
    let mut table = Table { section: None, entries, problems: Vec::new() };
    let value = read(&mut table);
    InvalidSettings::check(table.problems).map_err(Error::custom)?;
    Ok(value)
}

fn deserialize_value<'de, D: Deserializer<'de>, T: Field>(deserializer: D, what: &str) -> Result<T, D::Error> {
    T::from_any(Any::deserialize(deserializer)?).map_err(|any| {
        let expected = T::EXPECTED;
        Error::custom(format_args!("{what} must be {expected}, not {any}"))
    })
}

/// The entries of a table. Each field that is read is taken out.
struct Table {
    section: Option<&'static str>,
    entries: Entries,
    problems: Vec<Problem>,
}

/// The meaning of null for a field.
#[derive(Clone, Copy, PartialEq)]
enum Null {
    NotSet,
    Refused,
}

/// Reads the fields of a table, and remembers their names.
struct Fields<'a> {
    table: &'a mut Table,
    null: Null,
    known: Vec<&'static str>,
}

impl Visitor for Fields<'_> {
    fn field<T: Field>(&mut self, name: &'static str, variable: Option<&'static str>, value: &mut Option<T>) {
        // A field without a variable belongs to the requests, and can be `None` in the full form of the upload settings too.
        let null = if variable.is_none() { Null::NotSet } else { self.null };
        *value = self.table.field(name, null, T::EXPECTED);
        self.known.push(name);
    }
}

impl Table {
    fn requests(&mut self, null: Null) -> PartialRequestsSettings {
        let mut settings = PartialRequestsSettings::default();
        let mut fields = Fields { table: self, null, known: Vec::new() };
        settings.visit(&mut fields);
        let known = fields.known;
        // `dataclasses.asdict` of encord 0.1.211 has this key. A function cannot be written down.
        let _: Option<Never> = self.field("trace_id_provider", Null::NotSet, "null");
        self.refuse_others(&known);
        settings
    }

    fn upload(&mut self, null: Null) -> PartialCloudUploadSettings {
        let mut settings = PartialCloudUploadSettings::default();
        let mut fields = Fields { table: self, null, known: Vec::new() };
        settings.visit(&mut fields);
        let known = fields.known;
        self.refuse_others(&known);
        settings
    }

    fn layer(&mut self) -> SettingsLayer {
        let requests = self.section("requests", |table| table.requests(Null::NotSet));
        let upload = self.section("upload", |table| table.upload(Null::NotSet));
        self.refuse_others(&["requests", "upload"]);
        SettingsLayer { requests, upload }
    }

    fn section<T: Default>(&mut self, name: &'static str, read: fn(&mut Table) -> T) -> T {
        let entries = self.field(name, Null::NotSet, "a table").unwrap_or_default();
        let problems = mem::take(&mut self.problems);
        let mut table = Table { section: Some(name), entries, problems };
        let value = read(&mut table);
        self.problems = table.problems;
        value
    }

    fn field<T: FromAny>(&mut self, name: &str, null: Null, expected: &'static str) -> Option<T> {
        let mut found: Entries = self.entries.extract_if(.., |(key, _)| key == name).collect();
        if found.len() > 1 {
            let values: Vec<String> = found.iter().map(|(_, any)| any.to_string()).collect();
            self.problem(name, &values.join(", "), Reason::Repeated);
            return None;
        }
        let (_, any) = found.pop()?;
        if null == Null::NotSet && matches!(any, Any::Null) {
            return None;
        }
        T::from_any(any).map_err(|any| self.problem(name, &any, Reason::Expected(expected))).ok()
    }

    fn refuse_others(&mut self, known: &[&'static str]) {
        for (name, any) in mem::take(&mut self.entries) {
            self.problem(if is_url(&name) { A_URL } else { &name }, &any, Reason::Unknown(known.to_vec()));
        }
    }

    fn problem(&mut self, name: &str, value: &dyn fmt::Display, reason: Reason) {
        let field = match self.section {
            Some(section) => format!("{section}.{name}"),
            None => name.into(),
        };
        self.problems.push(Problem::new(field, value, reason));
    }
}

#[cfg(test)]
mod tests;
