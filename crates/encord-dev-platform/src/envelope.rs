//! The envelope of the older protocol: every request is a `POST` whose body names the operation.

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::operation::Operation;

/// The content of a request of the older protocol.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Envelope {
    /// The operation, from `query` and `method`.
    pub operation: Operation,
    /// An id, a list of ids, or null.
    pub uid: Value,
    /// The arguments, or null.
    pub payload: Value,
}

/// The error when an envelope is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidEnvelope {
    /// The body is not JSON of this shape.
    #[error("the body is not an envelope")]
    Shape,
    /// The query is not known.
    #[error("the query `{0}` is not known here")]
    Query(String),
    /// The query is known, but not with this method.
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
    /// Parses the body of a request.
    ///
    /// # Errors
    ///
    /// [`InvalidEnvelope`] if the body is not an envelope, or if its operation is not known.
    pub fn read(body: &[u8]) -> Result<Self, InvalidEnvelope> {
        // Checked here, because serde_json does not check UTF-8 in strings that it skips.
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
