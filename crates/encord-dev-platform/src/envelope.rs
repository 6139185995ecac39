//! The envelope of the older protocol: one `POST`, with what is asked for in its body.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::operation::Operation;

/// What a request of the older protocol asks for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Envelope {
    /// By query and method.
    pub operation: Operation,
    /// What it is about: an id, a list of ids, or null.
    pub uid: Value,
    /// More about it, or null.
    pub payload: Value,
}

/// Why an envelope cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidEnvelope {
    /// It is not JSON of this shape.
    #[error("the body is not an envelope")]
    Shape,
    /// There is no such query.
    #[error("the query `{0}` is not known here")]
    Query(String),
    /// There is such a query, with another method.
    #[error("the query `{0}` has no method `{1}`")]
    Method(String, String),
}

#[derive(Deserialize)]
struct Wire {
    query_type: String,
    query_method: String,
    #[serde(default)]
    values: Values,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Values {
    uid: Value,
    payload: Value,
}

const QUERIES: &[(&str, &str, Operation)] = &[
    ("dataset", "GET", Operation::GetDataset),
    ("dataset", "POST", Operation::CreateDataset),
    ("datasetwithuserrole", "GET", Operation::ListDatasets),
    ("datarows", "GET", Operation::ListRows),
    ("datasetlinkitems", "POST", Operation::LinkItems),
    ("video", "DELETE", Operation::DeleteRows),
    ("imagegroup", "DELETE", Operation::DeleteRows),
    ("datasetdatalongpolling", "POST", Operation::StartDatasetJob),
    ("datasetdatalongpolling", "GET", Operation::GetDatasetJob),
    ("projectwithuserrole", "GET", Operation::ListProjects),
    ("project", "GET", Operation::GetProject),
    ("ontology", "GET", Operation::GetOntology),
    ("labelrowmetadata", "GET", Operation::ListLabelRows),
    ("modelconfiguration", "GET", Operation::ListModelConfigurations),
    ("trainingmetadata", "GET", Operation::GetTrainingMetadata),
    ("signedimagesurl", "GET", Operation::SignImage),
    ("signedvideourl", "GET", Operation::SignVideo),
    ("signeddicomsurl", "GET", Operation::SignDicom),
    ("singleimage", "POST", Operation::AddImage),
    ("video", "PUT", Operation::AddVideo),
    ("images", "PUT", Operation::AddImages),
    ("imagegroup", "POST", Operation::AddImageGroup),
    ("dicomseries", "POST", Operation::AddDicomSeries),
];

impl Envelope {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// [`InvalidEnvelope`] when it is no envelope, or asks for what is not here.
    pub fn read(body: &[u8]) -> Result<Self, InvalidEnvelope> {
        // As a `str`: in the strings that nobody asks for, serde_json would not look for UTF-8.
        let body = str::from_utf8(body).map_err(|_| InvalidEnvelope::Shape)?;
        let wire: Wire = serde_json::from_str(body).map_err(|_| InvalidEnvelope::Shape)?;
        let Wire { query_type, query_method, values: Values { uid, payload } } = wire;
        let mut queries = QUERIES.iter().filter(|(query, ..)| *query == query_type).peekable();
        if queries.peek().is_none() {
            return Err(InvalidEnvelope::Query(query_type));
        }
        match queries.find(|(_, method, _)| *method == query_method) {
            Some((.., operation)) => Ok(Self { operation: *operation, uid, payload }),
            None => Err(InvalidEnvelope::Method(query_type, query_method)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(body: &str, expected: &str) {
        assert_eq!(Envelope::read(body.as_bytes()).unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_envelope_names_what_it_asks_for() {
        for (query, method, operation) in QUERIES {
            let body = json!({ "query_type": query, "query_method": method, "values": { "uid": "u", "payload": [1] } });
            let expected = Envelope { operation: *operation, uid: json!("u"), payload: json!([1]) };
            assert_eq!(Envelope::read(body.to_string().as_bytes()), Ok(expected));
        }
        let bare = Envelope::read(br#"{"query_type": "dataset", "query_method": "GET"}"#).unwrap();
        assert_eq!((bare.uid, bare.payload), (Value::Null, Value::Null));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let latin = b"{\"query_type\": \"dataset\", \"query_method\": \"GET\", \"values\": {\"t\xedtle\": 1}}";
        assert_eq!(Envelope::read(latin), Err(InvalidEnvelope::Shape));
        refused("", "the body is not an envelope");
        refused("[]", "the body is not an envelope");
        refused(r#"{"query_type": "dataset"}"#, "the body is not an envelope");
        refused(r#"{"query_type": "x", "query_method": "GET"}"#, "the query `x` is not known here");
        refused(r#"{"query_type": "dataset", "query_method": "PUT"}"#, "the query `dataset` has no method `PUT`");
    }
}
