//! What is wrong with a body.

/// Why a body could not be decoded, or an object not encoded. Trying again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// A body that is not in the envelope of Kubernetes' protobuf.
    #[error("provided data does not appear to be a protobuf message, expected prefix k8s\\x00")]
    NoEnvelope,
    /// A body of a kind without a message: a custom one, or none at all.
    #[error("no kind \"{kind}\" is registered for version \"{api_version}\" in protobuf")]
    UnknownKind {
        /// The body's apiVersion.
        api_version: String,
        /// The body's kind.
        kind: String,
    },
    /// A body whose bytes make no sense.
    #[error("message {message} field {field}: {fault}")]
    Malformed {
        /// The innermost message, `api.core.v1.PodSpec`.
        message: &'static str,
        /// The field's number; 0 where none can be read.
        field: u32,
        /// What is wrong there.
        fault: Fault,
    },
    /// An object that cannot be said in protobuf; says the message and the field.
    #[error("{0}")]
    Unencodable(String),
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says what it is")]
pub enum Fault {
    #[error("it ends early")]
    CutShort,
    #[error("a number has more than 64 bits")]
    LongNumber,
    #[error("it has wire type {0}, which its type has not")]
    WireType(u8),
    #[error("a field's number is 0 or too large")]
    FieldNumber,
    #[error("the text is not UTF-8")]
    NotText,
    #[error("the number is out of range")]
    OutOfRange,
    #[error("the time is out of range")]
    Time,
    #[error("the embedded value is not JSON: {0}")]
    Json(String),
    #[error("values are nested more than {} deep", mainstay_base::limits::OBJECT_DEPTH)]
    Depth,
    #[error("there are more than {} values", mainstay_base::limits::PROTOBUF_VALUES)]
    Values,
}

impl Fault {
    /// The error this is at a field of a message.
    pub(crate) fn at(self, message: &'static str, field: u32) -> ProtobufError {
        ProtobufError::Malformed { message, field, fault: self }
    }
}
