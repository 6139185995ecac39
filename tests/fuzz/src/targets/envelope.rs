//! Envelopes of the platform's older protocol.

use encord_dev_platform::Envelope;
use serde_json::Value;

/// The result agrees with a second parser of JSON. An error repeats only the names of the query.
pub(super) fn check(data: &[u8]) {
    let json = serde_json::from_slice::<Value>(data);
    match Envelope::read(data) {
        Ok(envelope) => {
            let json = json.expect("JSON that another reader takes too");
            let values = json.get("values").cloned().unwrap_or_default();
            if values.is_object() {
                let part = |name: &str| values.get(name).cloned().unwrap_or_default();
                assert_eq!((envelope.uid, envelope.payload), (part("uid"), part("payload")));
            }
        }
        Err(error) => {
            let told = error.to_string();
            if let Ok(json) = json {
                let names = ["query_type", "query_method"].map(|name| json[name].as_str().unwrap_or_default());
                let told = names.iter().fold(told, |told, name| told.replace(&format!("`{name}`"), ""));
                assert!(!told.contains(crate::SECRET), "{told}");
            }
        }
    }
}
