//! Records as tables and as JSON.

use std::fmt::Display;
use std::io::{self, Write};

use encord_client::{ErrorKind, List, Records};
use serde::Serialize;

use super::connect::failure;
use crate::escape::escaped;
use crate::output::{Exit, Failure, json, note, print};

/// A kind of record, and its columns. All columns except the last have a fixed width.
pub(super) trait Row: Serialize {
    /// The headings of the columns, and their widths.
    const HEADS: &'static [(&'static str, usize)];

    /// The texts of the columns.
    fn cells(&self) -> Vec<String>;
}

/// Prints a list while it is fetched.
pub(super) async fn list<T: Row>(mut list: List<T>, as_json: bool) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut stdout = Printer::new::<T>(as_json)?;
    while let Some(record) = list.next().await {
        match record {
            Ok(record) => stdout.record(&record)?,
            Err(error) if error.kind() == ErrorKind::Record => {
                note(format_args!("warning: {error}"));
                exit = Exit::Partial;
            }
            Err(error) => return Err(failure(error)),
        }
    }
    stdout.end()?;
    Ok(exit)
}

/// Prints records that are already fetched.
pub(super) fn records<T: Row>(records: &Records<T>, as_json: bool) -> Result<Exit, Failure> {
    let mut stdout = Printer::new::<T>(as_json)?;
    records.iter().try_for_each(|record| stdout.record(record))?;
    stdout.end()?;
    Ok(warn_of_unreadable(records))
}

/// Warns of records that could not be read.
pub(super) fn warn_of_unreadable<T>(records: &Records<T>) -> Exit {
    for error in records.unreadable() {
        note(format_args!("warning: {error}"));
    }
    if records.unreadable().is_empty() { Exit::Done } else { Exit::Partial }
}

/// Prints one record, one field per line.
pub(super) fn fields(record: &impl Serialize, fields: &[(&str, &dyn Display)], as_json: bool) -> Result<Exit, Failure> {
    print(|out| {
        if as_json {
            return json(out, record);
        }
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        fields.iter().try_for_each(|(name, value)| {
            let value = escaped(&value.to_string()).to_string();
            if value.is_empty() { Ok(()) } else { writeln!(out, "{name:<width$}  {value}") }
        })
    })?;
    Ok(Exit::Done)
}

/// Writes records as they come, as a table or a JSON array.
struct Printer {
    as_json: bool,
    is_first: bool,
}

impl Printer {
    fn new<T: Row>(as_json: bool) -> Result<Self, Failure> {
        print(|out| {
            if as_json {
                return write!(out, "[");
            }
            line(out, T::HEADS, T::HEADS.iter().map(|(head, _)| (*head).to_owned()))
        })?;
        Ok(Self { as_json, is_first: true })
    }

    fn record<T: Row>(&mut self, record: &T) -> Result<(), Failure> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        print(|out| {
            if !self.as_json {
                return line(out, T::HEADS, record.cells().into_iter());
            }
            if !is_first {
                write!(out, ",\n ")?;
            }
            Ok(serde_json::to_writer(out, record)?)
        })
    }

    fn end(self) -> Result<(), Failure> {
        print(|out| if self.as_json { writeln!(out, "]") } else { Ok(()) })
    }
}

fn line(out: &mut dyn Write, heads: &[(&str, usize)], cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<_> = cells.map(|cell| escaped(&cell).to_string()).collect();
    for (number, (cell, (_, width))) in cells.iter().zip(heads).enumerate() {
        let is_last = number + 1 == cells.len();
        if is_last { write!(out, "{cell}")? } else { write!(out, "{cell:<width$}  ")? }
    }
    writeln!(out)
}
