//! The names of data types and models (rules D2 to D8).

use encord_enums::{AutomationModel, DataType, Lossless, OpenEnum, StorageItemType, upper_case};
use serde::{Deserialize, Serialize};

/// The lenient parser accepts any text, the strict parser only known values, and `Lossless` keeps the text.
pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    of::<DataType>(text);
    of::<AutomationModel>(text);
    of::<StorageItemType>(text);
    in_upper_case(text);
    in_json(text);
}

fn of<E: OpenEnum>(text: &str) {
    let known = E::ALL.iter().copied().find(|known| known.as_str() == text);
    assert_eq!(E::from_value(text), known.unwrap_or(E::MISSING));
    match text.parse::<E>() {
        Ok(parsed) => assert_eq!(Some(parsed), known),
        Err(error) => {
            assert_eq!((known, error.value()), (None, text));
            assert!(error.to_string().starts_with(&format!("unknown {} {text:?}, expected one of ", E::KIND)));
        }
    }
    let lossless = Lossless::<E>::from_value(text);
    assert_eq!((lossless.as_str(), lossless.known()), (text, known.unwrap_or(E::MISSING)));
}

/// Checks the upper-case form, which only data types have.
fn in_upper_case(text: &str) {
    let upper = DataType::ALL.iter().copied().find(|known| known.as_str().to_uppercase() == text);
    assert_eq!(DataType::from_upper_case_string(text), upper.unwrap_or(DataType::MissingDataType));
    let lossless = Lossless::<DataType>::from_upper_case_string(text);
    assert_eq!((lossless.to_upper_case_string(), lossless.known()), (text, upper.unwrap_or(DataType::MissingDataType)));
}

/// Checks both forms in JSON, with and without loss.
fn in_json(text: &str) {
    #[derive(Deserialize, Serialize)]
    struct Record {
        plain: DataType,
        lossless: Lossless<DataType>,
        #[serde(with = "upper_case")]
        upper: DataType,
        #[serde(with = "upper_case")]
        lossless_upper: Lossless<DataType>,
    }

    let json = serde_json::json!({"plain": text, "lossless": text, "upper": text, "lossless_upper": text}).to_string();
    let record: Record = serde_json::from_str(&json).expect("any string is taken");
    assert_eq!(record.plain, DataType::from_value(text));
    assert_eq!(record.upper, DataType::from_upper_case_string(text));
    let written = serde_json::to_value(&record).expect("written");
    assert_eq!((&written["lossless"], &written["lossless_upper"]), (&text.into(), &text.into()));
    assert_eq!(written["plain"], record.plain.as_str());
    assert_eq!(written["upper"], record.upper.to_upper_case_string());
}
