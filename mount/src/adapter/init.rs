//! What is agreed with the kernel when the mount begins.

use crate::notice::EPOCH_SINCE_MINOR;
use fuser::{InitFlags, KernelConfig};

/// Largest WRITE, and largest READ: 1 MiB, the kernel's own limit of 256 pages.
const TRANSFER_BYTES: u32 = 1024 * 1024;

/// Read-ahead requests that may be under way at once; the kernel's default of 12 starves several threads.
const BACKGROUND: u16 = 64;

/// The capabilities asked for, where the kernel has them.
///
/// Left out on purpose:
/// - `WRITEBACK_CACHE`: every close would drop the attributes;
/// - `AUTO_INVAL_DATA`: pages are dropped by our notices alone (`EXPLICIT_INVAL_DATA`);
/// - `READDIRPLUS_AUTO`: after the first batch of a large directory the kernel would ask plain names and then
///   one LOOKUP for each. Which names exist has to be worked out anyway, so attributes come at little cost;
/// - `ATOMIC_O_TRUNC`: there is no OPEN that could carry it;
/// - `POSIX_LOCKS`, `FLOCK_LOCKS`: the kernel keeps locks itself.
const WANTED: [InitFlags; 13] = [
    InitFlags::FUSE_ASYNC_READ,
    InitFlags::FUSE_BIG_WRITES,
    InitFlags::FUSE_DO_READDIRPLUS,
    InitFlags::FUSE_PARALLEL_DIROPS,
    InitFlags::FUSE_NO_OPEN_SUPPORT,
    InitFlags::FUSE_NO_OPENDIR_SUPPORT,
    InitFlags::FUSE_MAX_PAGES,
    InitFlags::FUSE_CACHE_SYMLINKS,
    InitFlags::FUSE_EXPLICIT_INVAL_DATA,
    InitFlags::FUSE_HANDLE_KILLPRIV_V2,
    InitFlags::FUSE_HAS_EXPIRE_ONLY,
    // Access lists are then cached per inode; without it each `ls -l` asks for each file again.
    InitFlags::FUSE_POSIX_ACL,
    // Where the directory has a default access list, that decides and not the umask: only the namespace can know.
    InitFlags::FUSE_DONT_MASK,
];

/// Chooses the capabilities; returns whether the kernel knows INC_EPOCH.
pub(super) fn negotiate(config: &mut KernelConfig) -> bool {
    for flag in WANTED {
        if config.add_capabilities(flag).is_err() {
            tracing::debug!(?flag, "the kernel lacks a capability");
        }
    }
    // The values lie within fuser's limits; on a refusal its own choice stands.
    let _ = config.set_max_write(TRANSFER_BYTES);
    let _ = config.set_max_background(BACKGROUND);
    let version = config.kernel_abi();
    version.0 == 7 && version.1 >= EPOCH_SINCE_MINOR
}
