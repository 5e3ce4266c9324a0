//! Why a request is not granted, and the errno that tells the caller so.
//!
//! Errno is chosen here and nowhere else.

/// A namespace's reason for not doing what was asked.
#[derive(Copy, Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No such name or inode.
    #[error("not found")]
    NotFound,
    /// The name, or the attribute, is taken.
    #[error("exists already")]
    Exists,
    /// The object can never be written, whoever asks.
    #[error("read-only")]
    ReadOnly,
    /// The directory still has names.
    #[error("directory not empty")]
    NotEmpty,
    /// The operation is not permitted to this caller, or on this kind of object.
    #[error("operation not permitted")]
    NotPermitted,
    /// Permission bits or a lock forbid it.
    #[error("access denied")]
    AccessDenied,
    /// Source and target live in different places; the caller should copy instead.
    #[error("crosses a boundary between file systems")]
    CrossDevice,
    /// Storage failed, or holds damaged data.
    #[error("input/output error")]
    Io,
    /// The inode number no longer leads to anything.
    #[error("stale inode")]
    Stale,
    /// Storage is full, or below its reserve.
    #[error("no space left")]
    NoSpace,
    /// A quota is used up.
    #[error("quota exceeded")]
    Quota,
    /// The name or the link target is too long.
    #[error("name too long")]
    NameTooLong,
    /// No such extended attribute.
    #[error("no such extended attribute")]
    NoData,
    /// The value does not fit the buffer offered, or an offset is out of range.
    #[error("out of range")]
    Range,
    /// Nothing is sought for at or behind that offset.
    #[error("beyond the end of the file")]
    BeyondEnd,
    /// The value is larger than can be kept.
    #[error("too large")]
    TooLarge,
    /// The arguments make no sense together.
    #[error("invalid argument")]
    Invalid,
    /// A directory, where something else is needed.
    #[error("is a directory")]
    IsDirectory,
    /// Something else, where a directory is needed.
    #[error("not a directory")]
    NotDirectory,
    /// This object cannot do that at all.
    #[error("not supported")]
    NotSupported,
    /// The file has as many hard links as it can have.
    #[error("too many links")]
    TooManyLinks,
    /// Symbolic links lead in a circle.
    #[error("too many levels of symbolic links")]
    Loop,
    /// In use by somebody else.
    #[error("busy")]
    Busy,
    /// It would have to wait, or to take what is not to be had now.
    #[error("try again")]
    TryAgain,
    /// The daemon is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// Whatever the host's own file system answered.
    #[error("errno {0}")]
    Os(i32),
}

impl Refusal {
    /// Returns the errno that the caller sees.
    ///
    /// Never `ENOSYS`: to the kernel that means "do not ask this of the mount again", which only the adapter
    /// may say.
    pub fn errno(self) -> i32 {
        match self {
            Refusal::NotFound => libc::ENOENT,
            Refusal::Exists => libc::EEXIST,
            Refusal::ReadOnly => libc::EROFS,
            Refusal::NotEmpty => libc::ENOTEMPTY,
            Refusal::NotPermitted => libc::EPERM,
            Refusal::AccessDenied => libc::EACCES,
            Refusal::CrossDevice => libc::EXDEV,
            Refusal::Io => libc::EIO,
            Refusal::Stale => libc::ESTALE,
            Refusal::NoSpace => libc::ENOSPC,
            Refusal::Quota => libc::EDQUOT,
            Refusal::NameTooLong => libc::ENAMETOOLONG,
            Refusal::NoData => libc::ENODATA,
            Refusal::Range => libc::ERANGE,
            Refusal::BeyondEnd => libc::ENXIO,
            Refusal::TooLarge => libc::EFBIG,
            Refusal::Invalid => libc::EINVAL,
            Refusal::IsDirectory => libc::EISDIR,
            Refusal::NotDirectory => libc::ENOTDIR,
            Refusal::NotSupported => libc::EOPNOTSUPP,
            Refusal::TooManyLinks => libc::EMLINK,
            Refusal::Loop => libc::ELOOP,
            Refusal::Busy => libc::EBUSY,
            Refusal::TryAgain => libc::EAGAIN,
            Refusal::ShuttingDown => libc::ENOTCONN,
            Refusal::Os(libc::ENOSYS) => libc::EOPNOTSUPP,
            Refusal::Os(errno) if errno > 0 => errno,
            Refusal::Os(_) => libc::EIO,
        }
    }
}

impl From<rustix::io::Errno> for Refusal {
    fn from(errno: rustix::io::Errno) -> Refusal {
        std::io::Error::from(errno).into()
    }
}

impl From<std::io::Error> for Refusal {
    /// Keeps the errno of a failed system call; anything else is [`Refusal::Io`].
    fn from(error: std::io::Error) -> Refusal {
        error.raw_os_error().map_or(Refusal::Io, Refusal::Os)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_never_tells_the_kernel_to_stop_asking() {
        assert_eq!(Refusal::Os(libc::ENOSYS).errno(), libc::EOPNOTSUPP);
        assert_eq!(Refusal::NotSupported.errno(), libc::EOPNOTSUPP);
    }

    #[test]
    fn an_errno_from_the_host_passes_through() {
        let error = std::io::Error::from_raw_os_error(libc::EXDEV);
        assert_eq!(Refusal::from(error).errno(), libc::EXDEV);
        assert_eq!(Refusal::Os(0).errno(), libc::EIO);
    }
}
