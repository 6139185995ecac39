//! Why a request is refused, and the answers of both protocols.

use http::StatusCode;
use serde_json::{Value, json};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// The text for the user.
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NotSigned,
    UnknownKey,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Exists,
    Invalid,
    /// The body has an unexpected shape. The answer is 422.
    Shape,
    TooLarge,
    /// The emulator itself failed.
    Internal,
}

impl Kind {
    /// Returns the status of the newer protocol, then the status and the code in an envelope of the older one.
    fn forms(self) -> (StatusCode, StatusCode, &'static str) {
        match self {
            Self::NotSigned => (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED, "AUTHENTICATION_ERROR"),
            Self::UnknownKey => (StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST, "SSH_KEY_NOT_FOUND_ERROR"),
            Self::Forbidden => (StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST, "AUTHORISATION_ERROR"),
            Self::NotFound => (StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST, "RESOURCE_NOT_FOUND_ERROR"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, StatusCode::BAD_REQUEST, "METHOD_NOT_ALLOWED_ERROR")
            }
            Self::Exists => (StatusCode::CONFLICT, StatusCode::BAD_REQUEST, "RESOURCE_EXISTS_ERROR"),
            Self::Invalid => (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST, "INVALID_ARGUMENTS_ERROR"),
            Self::Shape => (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::BAD_REQUEST, "INVALID_ARGUMENTS_ERROR"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, StatusCode::PAYLOAD_TOO_LARGE, "INVALID_ARGUMENTS_ERROR"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN_ERROR"),
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// Returns the answer of the newer protocol.
    pub(crate) fn answer(&self) -> (StatusCode, Value) {
        let (status, ..) = self.kind.forms();
        let body = match self.kind {
            Kind::Shape => json!({ "detail": [{ "loc": ["body"], "msg": self.message, "type": "value_error" }] }),
            _ => json!({ "message": self.message }),
        };
        (status, body)
    }

    /// Returns the answer of the older protocol: an envelope.
    pub(crate) fn envelope(&self) -> (StatusCode, Value) {
        let (_, status, code) = self.kind.forms();
        match self.kind {
            // A request that is too large does not reach the code that writes envelopes.
            Kind::TooLarge => (status, json!({ "message": self.message })),
            _ => (status, json!({ "status": status.as_u16(), "response": [code], "payload": self.message })),
        }
    }
}

/// Returns the code of the older protocol for a planned fault that has only a status.
pub(crate) fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "AUTHENTICATION_ERROR",
        StatusCode::FORBIDDEN => "AUTHORISATION_ERROR",
        StatusCode::NOT_FOUND => "RESOURCE_NOT_FOUND_ERROR",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED_ERROR",
        StatusCode::CONFLICT => "RESOURCE_EXISTS_ERROR",
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "INVALID_ARGUMENTS_ERROR",
        StatusCode::TOO_MANY_REQUESTS => "RATE_LIMIT_ERROR",
        _ => "UNKNOWN_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_words_of_both_protocols() {
        #[track_caller]
        fn check(kind: Kind, newer: u16, older: u16, code: &str) {
            let problem = Problem::new(kind, "why");
            assert_eq!(problem.answer(), (StatusCode::from_u16(newer).unwrap(), json!({ "message": "why" })));
            let envelope = json!({ "status": older, "response": [code], "payload": "why" });
            assert_eq!(problem.envelope(), (StatusCode::from_u16(older).unwrap(), envelope));
        }
        check(Kind::NotSigned, 401, 401, "AUTHENTICATION_ERROR");
        check(Kind::UnknownKey, 401, 400, "SSH_KEY_NOT_FOUND_ERROR");
        check(Kind::Forbidden, 403, 400, "AUTHORISATION_ERROR");
        check(Kind::NotFound, 404, 400, "RESOURCE_NOT_FOUND_ERROR");
        check(Kind::MethodNotAllowed, 405, 400, "METHOD_NOT_ALLOWED_ERROR");
        check(Kind::Exists, 409, 400, "RESOURCE_EXISTS_ERROR");
        check(Kind::Invalid, 400, 400, "INVALID_ARGUMENTS_ERROR");
        check(Kind::Internal, 500, 500, "UNKNOWN_ERROR");
    }

    #[test]
    fn some_have_a_form_of_their_own() {
        let detail = json!({ "detail": [{ "loc": ["body"], "msg": "why", "type": "value_error" }] });
        assert_eq!(Problem::new(Kind::Shape, "why").answer(), (StatusCode::UNPROCESSABLE_ENTITY, detail));
        let plain = json!({ "message": "why" });
        assert_eq!(Problem::new(Kind::TooLarge, "why").envelope(), (StatusCode::PAYLOAD_TOO_LARGE, plain));
    }
}
