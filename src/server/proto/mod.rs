//! The messages and the service between daemon and clients, generated from `clerestory.proto`.
//!
//! Owns how a refusal travels: a call refused as a whole ends with a `tonic::Status` whose details are one
//! encoded [`Failure`]. Knows no storage and words nothing for users.

use prost::Message;
use tonic::{Code, Status};

#[allow(missing_docs, clippy::all)]
mod generated {
    tonic::include_proto!("clerestory.v1");
}

pub use generated::*;

impl Failure {
    /// A failure with no details yet.
    pub fn new(code: FailureCode) -> Self {
        Failure { code: code.into(), ..Failure::default() }
    }

    /// A failure that has no code of its own; `text` says what happened, without a final period.
    pub fn other(text: impl Into<String>) -> Self {
        Failure { text: text.into(), ..Failure::new(FailureCode::Other) }
    }

    /// A failure in which the program itself is wrong; `text` is for the log and the bug report.
    pub fn internal(text: impl Into<String>) -> Self {
        Failure { text: text.into(), ..Failure::new(FailureCode::Internal) }
    }

    /// An error of the operating system on the file `name`.
    pub fn system(name: impl Into<Vec<u8>>, error: &std::io::Error) -> Self {
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => FailureCode::NoSuchFile,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => FailureCode::NoSpace,
            std::io::ErrorKind::ReadOnlyFilesystem => FailureCode::ReadOnly,
            _ => FailureCode::SystemError,
        };
        Failure {
            name: name.into(),
            errno: error.raw_os_error().unwrap_or(0),
            text: error.to_string(),
            ..Failure::new(code)
        }
    }

    /// Names the object meant.
    pub fn name(mut self, name: impl Into<Vec<u8>>) -> Self {
        self.name = name.into();
        self
    }

    /// Reads the failure out of a status, when the server put one in.
    pub fn from_status(status: &Status) -> Option<Self> {
        if status.details().is_empty() {
            return None;
        }
        Failure::decode(status.details()).ok()
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Status {
        let code = match failure.code() {
            FailureCode::Internal | FailureCode::Damaged => Code::Internal,
            FailureCode::Permission => Code::PermissionDenied,
            FailureCode::NoSpace => Code::ResourceExhausted,
            _ => Code::FailedPrecondition,
        };
        Status::with_details(code, failure.code().as_str_name(), failure.encode_to_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_the_way_through_a_status() {
        let failure = Failure::new(FailureCode::TagInUse).name(b"/vobs/\xff".to_vec());
        assert_eq!(Failure::from_status(&Status::from(failure.clone())), Some(failure));
        assert_eq!(Failure::from_status(&Status::unavailable("gone")), None);
    }
}
