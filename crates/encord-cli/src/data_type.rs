//! `encord data-type`.

use std::io::{self, Write};

use encord_enums::DataType;
use serde::Serialize;

use crate::args::DataTypeArgs;
use crate::output::{Exit, Failure, json, print};

pub(crate) fn run(args: &DataTypeArgs) -> Result<Exit, Failure> {
    let form = if args.upper { Form::Upper } else { Form::Value };
    let data_types = if args.values.is_empty() { DataType::ALL.to_vec() } else { look_up(&args.values, form)? };
    print(|out| {
        if args.json {
            json(out, &data_types.iter().copied().map(Entry::from).collect::<Vec<_>>())
        } else {
            table(out, &data_types)
        }
    })?;
    Ok(Exit::Done)
}

/// The two forms of a data type on the wire.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Value,
    Upper,
}

#[derive(Serialize)]
struct Entry {
    value: &'static str,
    upper: &'static str,
    name: String,
    since: &'static str,
    meaning: &'static str,
}

impl Form {
    fn of(self, data_type: DataType) -> &'static str {
        match self {
            Self::Value => data_type.as_str(),
            Self::Upper => data_type.to_upper_case_string(),
        }
    }

    fn read(self, text: &str) -> Option<DataType> {
        DataType::ALL.iter().copied().find(|data_type| self.of(*data_type) == text)
    }
}

impl From<DataType> for Entry {
    fn from(data_type: DataType) -> Self {
        let (value, upper) = (data_type.as_str(), data_type.to_upper_case_string());
        let (since, meaning) = about(data_type);
        Self { value, upper, name: format!("{data_type:?}"), since, meaning }
    }
}

fn look_up(values: &[String], form: Form) -> Result<Vec<DataType>, Failure> {
    let unknown: Vec<&String> = values.iter().filter(|value| form.read(value).is_none()).collect();
    if unknown.is_empty() {
        return Ok(values.iter().filter_map(|value| form.read(value)).collect());
    }
    let plural = if unknown.len() == 1 { "" } else { "s" };
    let named: Vec<String> = unknown.iter().map(|value| format!("{value:?}")).collect();
    let all = DataType::ALL.iter().filter(|data_type| !data_type.is_missing());
    let all: Vec<&str> = all.map(|data_type| form.of(*data_type)).collect();
    let failure = Failure::usage(format_args!(
        "unknown data type{plural} {}, expected one of {}",
        named.join(", "),
        all.join(", ")
    ));
    let (other, hint) = match form {
        Form::Value => (Form::Upper, "upper-case forms are looked up with --upper"),
        Form::Upper => (Form::Value, "lower-case forms are looked up without --upper"),
    };
    let in_other_form = unknown.iter().any(|value| other.read(value).is_some());
    Err(if in_other_form { failure.with_hint(hint) } else { failure })
}

fn table(out: &mut dyn Write, data_types: &[DataType]) -> io::Result<()> {
    let mut row = |value: &str, upper: &str, name: &str, since: &str, meaning: &str| {
        writeln!(out, "{value:<19}  {upper:<19}  {name:<15}  {since:<7}  {meaning}")
    };
    row("VALUE", "UPPER CASE", "NAME", "SINCE", "MEANING")?;
    for data_type in data_types {
        let Entry { value, upper, name, since, meaning } = (*data_type).into();
        row(value, upper, &name, since, meaning)?;
    }
    Ok(())
}

/// The first version of the Python SDK that has a data type, and what it is.
fn about(data_type: DataType) -> (&'static str, &'static str) {
    match data_type {
        DataType::Video => ("0.1.35", "a video file"),
        DataType::ImgGroup => ("0.1.35", "a group of images"),
        DataType::Dicom => ("0.1.43", "a DICOM series"),
        DataType::Image => ("0.1.44", "a single image"),
        DataType::DicomStudy => ("0.1.66", "a DICOM study"),
        DataType::Nifti => ("0.1.127", "a NIfTI volume"),
        DataType::Audio => ("0.1.143", "an audio file"),
        DataType::TimeSeries => ("0.1.199", "a time series"),
        DataType::PlainText => ("0.1.154", "a text file"),
        DataType::Pdf => ("0.1.154", "a PDF document"),
        DataType::Group => ("0.1.169", "a group of pieces of data"),
        DataType::Scene => ("0.1.173", "a scene, such as one of point clouds"),
        DataType::MissingDataType => ("0.1.66", "stands for any type that this version does not know"),
        _ => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_type_is_explained() {
        for data_type in DataType::ALL {
            assert!(!about(*data_type).1.is_empty(), "{data_type}");
        }
    }
}
