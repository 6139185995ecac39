//! Deserialising: any value is taken in first, then all fields are checked, so that one error can
//! name everything that is wrong.

mod any;

use core::{fmt, mem};

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::{Deserialize, Deserializer, Error};

use self::any::{A_URL, Any, Entries, EntriesVisitor, FromAny, Never, is_url};
use crate::invalid::Reason;
use crate::{
    BackoffFactor, CloudUploadSettings, InvalidSettings, PartialCloudUploadSettings, PartialRequestsSettings, Problem,
    RequestsSettings, SettingsLayer, Timeout,
};

const REQUESTS_FIELDS: &[&str] =
    &["max_retries", "backoff_factor", "connection_retries", "connect_timeout", "read_timeout", "write_timeout"];
const UPLOAD_FIELDS: &[&str] = &["max_retries", "backoff_factor", "allow_failures"];
const SECTIONS: &[&str] = &["requests", "upload"];

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

fn deserialize_value<'de, D: Deserializer<'de>, T: FromAny>(deserializer: D, what: &str) -> Result<T, D::Error> {
    T::from_any(Any::deserialize(deserializer)?).map_err(|any| {
        let expected = T::EXPECTED;
        Error::custom(format_args!("{what} must be {expected}, not {any}"))
    })
}

/// The entries of a table; each field that is read is taken out.
struct Table {
    section: Option<&'static str>,
    entries: Entries,
    problems: Vec<Problem>,
}

/// What a null says about a field.
#[derive(Clone, Copy, PartialEq)]
enum Null {
    NotSet,
    Refused,
}

impl Table {
    fn requests(&mut self, null: Null) -> PartialRequestsSettings {
        let settings = PartialRequestsSettings {
            max_retries: self.field("max_retries", null),
            backoff_factor: self.field("backoff_factor", null),
            connection_retries: self.field("connection_retries", null),
            connect_timeout: self.field("connect_timeout", null),
            read_timeout: self.field("read_timeout", null),
            write_timeout: self.field("write_timeout", null),
        };
        // `dataclasses.asdict` of encord 0.1.211 has this key. A function cannot be written down.
        let _: Option<Never> = self.field("trace_id_provider", Null::NotSet);
        self.refuse_others(REQUESTS_FIELDS);
        settings
    }

    /// `null` is about `allow_failures`; the other two can be `None` in the full form as well.
    fn upload(&mut self, null: Null) -> PartialCloudUploadSettings {
        let settings = PartialCloudUploadSettings {
            max_retries: self.field("max_retries", Null::NotSet),
            backoff_factor: self.field("backoff_factor", Null::NotSet),
            allow_failures: self.field("allow_failures", null),
        };
        self.refuse_others(UPLOAD_FIELDS);
        settings
    }

    fn layer(&mut self) -> SettingsLayer {
        let requests = self.section("requests", |table| table.requests(Null::NotSet));
        let upload = self.section("upload", |table| table.upload(Null::NotSet));
        self.refuse_others(SECTIONS);
        SettingsLayer { requests, upload }
    }

    fn section<T: Default>(&mut self, name: &'static str, read: fn(&mut Table) -> T) -> T {
        let entries = self.field(name, Null::NotSet).unwrap_or_default();
        let problems = mem::take(&mut self.problems);
        let mut table = Table { section: Some(name), entries, problems };
        let value = read(&mut table);
        self.problems = table.problems;
        value
    }

    fn field<T: FromAny>(&mut self, name: &str, null: Null) -> Option<T> {
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
        T::from_any(any).map_err(|any| self.problem(name, &any, Reason::Expected(T::EXPECTED))).ok()
    }

    fn refuse_others(&mut self, known: &'static [&'static str]) {
        for (name, any) in mem::take(&mut self.entries) {
            self.problem(if is_url(&name) { A_URL } else { &name }, &any, Reason::Unknown(known));
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
