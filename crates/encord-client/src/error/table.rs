//! The meaning of the platform's codes and statuses: one table for `v1`, one for `v2`.

use super::ErrorKind;

/// The meaning of a code of `v1`.
pub(crate) struct V1Code {
    pub(crate) kind: ErrorKind,
    /// The message of the SDK. `v1` sends a message only in a payload.
    pub(crate) words: &'static str,
    /// Whether the payload is a message for people.
    pub(crate) payload: bool,
    /// Whether the code says that nothing was done.
    pub(crate) refused: bool,
}

/// The codes of `v1` that this version knows.
pub(crate) fn v1_code(code: &str) -> Option<V1Code> {
    use ErrorKind as Kind;
    let (kind, words, payload) = match code {
        "AUTHENTICATION_ERROR" => {
            (Kind::Authentication, "You are not authenticated to access the Encord platform.", false)
        }
        "AUTHORISATION_ERROR" => (Kind::Authorisation, "You are not authorised to access this asset.", false),
        "METHOD_NOT_ALLOWED_ERROR" => (Kind::MethodNotAllowed, "HTTP method is not allowed.", false),
        "UNKNOWN_ERROR" => (Kind::Server, "An unknown error occurred.", false),
        "OPERATION_NOT_ALLOWED" => {
            (Kind::OperationNotAllowed, "The read/write operation is not allowed by the API key.", false)
        }
        "FILE_TYPE_NOT_SUPPORTED_ERROR" => (
            Kind::FileTypeNotSupported,
            "Supported file types are: image/jpeg, image/png, video/webm, video/mp4.",
            false,
        ),
        "FILE_SIZE_NOT_SUPPORTED_ERROR" => (
            Kind::FileSizeNotSupported,
            "The combined size of the input files is larger than the supported limit",
            false,
        ),
        "UPLOAD_OPERATION_NOT_SUPPORTED_ERROR" => (
            Kind::UploadNotSupported,
            "Uploading a file to an external (e.g. S3/GCP/Azure) dataset is not permitted.",
            false,
        ),
        "INVALID_DATE_FORMAT_ERROR" => (Kind::InvalidDateFormat, "Invalid date format supplied as input", false),
        "DUPLICATE_SSH_KEY_ERROR" => (
            Kind::DuplicateSshKey,
            "The used SSH key exists more than once. Please create a unique user SSH key.",
            false,
        ),
        "SSH_KEY_NOT_FOUND_ERROR" => {
            (Kind::SshKeyNotFound, "The used SSH key does not exist on the Encord platform.", false)
        }
        "RESOURCE_NOT_FOUND_ERROR" => (Kind::NotFound, "The requested resource was not found in the database.", true),
        "INVALID_ARGUMENTS_ERROR" => {
            (Kind::InvalidArguments, "Some of the arguments to the SDK function were invalid.", true)
        }
        "RESOURCE_EXISTS_ERROR" => (Kind::AlreadyExists, "Trying to create a resource that already exists.", true),
        "WRONG_PROJECT_TYPE_ERROR" => (Kind::WrongProjectType, "Operation is not supported by the project type", true),
        "RATE_LIMIT_ERROR" => (Kind::RateLimited, "Rate limit exceeded.", true),
        _ => return None,
    };
    Some(V1Code { kind, words, payload, refused: code != "UNKNOWN_ERROR" })
}

/// Returns the meaning of a status of 400 and above, and the SDK's message for an answer without one.
pub(crate) fn v2_status(status: u16) -> (ErrorKind, &'static str) {
    use ErrorKind as Kind;
    match status {
        400 => (Kind::InvalidArguments, "Provided payload is invalid and can't be processed."),
        // FastAPI answers 422 for invalid arguments. The SDK reports it as an unknown error.
        422 => (Kind::InvalidArguments, "An unknown error occurred."),
        401 => (Kind::Authentication, "You are not authenticated to access the Encord platform."),
        403 => (Kind::Authorisation, "You are not authorised to access this asset."),
        404 => (Kind::NotFound, "The requested resource was not found."),
        405 => (Kind::MethodNotAllowed, "HTTP method is not allowed."),
        409 => (Kind::AlreadyExists, "The resource you are trying to create already exists."),
        413 => (Kind::PayloadTooLarge, "Request payload is too large and exceeds the maximum allowed size."),
        429 => (Kind::RateLimited, "Rate limit exceeded."),
        _ => (Kind::Server, "An unknown error occurred."),
    }
}
