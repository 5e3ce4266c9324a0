//! Who is at the other end of a socket, and what users and groups are called.
//!
//! Owns the calls to the system's user database and the peer credentials; the only module of the server with
//! `unsafe`. Identities come from the kernel, never from a message.

use parking_lot::Mutex;
use rustix::fs::{Gid, Uid};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, OsString, c_char};
use std::fs::{File, Metadata};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most supplementary groups Linux gives a process (NGROUPS_MAX, include/uapi/linux/limits.h).
const MAX_GROUPS: usize = 65_536;

/// The process that made a connection, as the kernel recorded it when the connection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Effective user.
    pub user_id: u32,
    /// Effective group.
    pub group_id: u32,
    /// Supplementary groups.
    pub groups: Arc<[u32]>,
    /// The process; it may be gone, or its number given to another.
    pub process_id: i32,
}

impl Caller {
    /// Reads the identity of a connected Unix socket's peer.
    ///
    /// # Errors
    /// The socket is not a connected Unix socket.
    pub fn of_peer(socket: impl AsFd) -> io::Result<Caller> {
        let socket = socket.as_fd();
        let credentials = rustix::net::sockopt::socket_peercred(socket)?;
        Ok(Caller {
            user_id: credentials.uid.as_raw(),
            group_id: credentials.gid.as_raw(),
            groups: peer_groups(socket)?.into(),
            process_id: credentials.pid.as_raw_nonzero().get(),
        })
    }

    /// Tells whether the caller is the superuser.
    pub fn is_root(&self) -> bool {
        self.user_id == 0
    }

    /// Tells whether the caller is in a group, primary or supplementary.
    pub fn in_group(&self, group_id: u32) -> bool {
        self.group_id == group_id || self.groups.contains(&group_id)
    }

    /// Tells whether permission bits give the caller all of `bits` (4 read, 2 write, 1 execute or search). The
    /// superuser has them always; access control lists are not asked.
    pub fn may(&self, metadata: &Metadata, bits: u32) -> bool {
        let shift = match metadata {
            m if m.uid() == self.user_id => 6,
            m if self.in_group(m.gid()) => 3,
            _ => 0,
        };
        self.is_root() || metadata.mode() >> shift & bits == bits
    }
}

/// A user of the system's user database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub login: String,
    /// The first part of the GECOS field; may be empty.
    pub full_name: String,
    /// Primary group.
    pub group_id: u32,
    /// Home directory.
    pub home: PathBuf,
}

impl Account {
    /// Looks a user up by number; `None` when it has no entry. What was found is asked anew after a few seconds.
    pub fn of_user(user_id: u32) -> Option<Account> {
        static USERS: Remembered<Option<Account>> = Remembered::new();
        USERS.get(user_id, Account::look_up)
    }

    fn look_up(user_id: u32) -> Option<Account> {
        let mut buffer = vec![0; LOOKUP_START_SIZE_BYTES];
        loop {
            let mut entry = MaybeUninit::<libc::passwd>::zeroed();
            let mut found = std::ptr::null_mut();
            // SAFETY: every pointer is valid for the call, and the length is the buffer's.
            let code = unsafe {
                libc::getpwuid_r(user_id, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &mut found)
            };
            if grow_after(code, &mut buffer) {
                continue;
            }
            if code != 0 || found.is_null() {
                return None;
            }
            // SAFETY: the call succeeded: `entry` is filled and its strings live in `buffer`.
            let (login, gecos, group_id, home) = unsafe {
                let entry = entry.assume_init_ref();
                (text(entry.pw_name), text(entry.pw_gecos), entry.pw_gid, bytes(entry.pw_dir))
            };
            let full_name = gecos.split(',').next().unwrap_or_default().to_owned();
            return Some(Account { login, full_name, group_id, home: OsString::from_vec(home).into() });
        }
    }
}

/// The name of a user, or `UNIX:UID-<n>` when it has none.
pub fn user_name(user_id: u32) -> String {
    Account::of_user(user_id).map_or_else(|| format!("UNIX:UID-{user_id}"), |account| account.login)
}

/// The name of a group, or `UNIX:GID-<n>` when it has none.
pub fn group_name(group_id: u32) -> String {
    lookup_group(group_id).unwrap_or_else(|| format!("UNIX:GID-{group_id}"))
}

/// The number of a user: a login name of the user database, `UNIX:UID-<n>`, or a number.
pub fn user_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("UNIX:UID-").unwrap_or(name);
    as_number(number).or_else(|| lookup_number(name, user_entry))
}

/// The number of a group: a name of the group database, `UNIX:GID-<n>`, or a number.
pub fn group_number(name: &str) -> Option<u32> {
    let number = name.strip_prefix("UNIX:GID-").unwrap_or(name);
    as_number(number).or_else(|| lookup_number(name, group_entry))
}

/// A number that somebody may have: the highest means "nobody in particular" to system calls (chown(2)).
fn as_number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

/// Tells whether events can name a user so.
pub fn is_user_name(name: &str) -> bool {
    name.parse::<u32>().is_err() && user_number(name).is_some()
}

/// This host's name; `localhost` when the kernel does not tell.
pub fn host_name() -> String {
    match std::fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => "localhost".to_owned(),
    }
}

const LOOKUP_START_SIZE_BYTES: usize = 1 << 10;
/// A group with very many members needs a large buffer; above this the entry is given up.
const LOOKUP_MAX_SIZE_BYTES: usize = 1 << 20;

/// What databases say of numbers, remembered for a moment: a daemon that works for a user asks again and again, and each
/// time files are read, or a server is asked.
struct Remembered<V>(Mutex<BTreeMap<u32, (Instant, V)>>);

/// For how long.
const FRESH: Duration = Duration::from_secs(5);
/// Numbers that are remembered.
const REMEMBERED_MAX: usize = 1_000;

impl<V: Clone> Remembered<V> {
    const fn new() -> Remembered<V> {
        Remembered(Mutex::new(BTreeMap::new()))
    }

    fn get(&self, number: u32, look_up: impl FnOnce(u32) -> V) -> V {
        let now = Instant::now();
        if let Some((since, value)) = self.0.lock().get(&number)
            && now.duration_since(*since) < FRESH
        {
            return value.clone();
        }
        let value = look_up(number);
        let mut known = self.0.lock();
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(number, (now, value.clone()));
        value
    }
}

fn lookup_group(group_id: u32) -> Option<String> {
    static GROUPS: Remembered<Option<String>> = Remembered::new();
    GROUPS.get(group_id, look_up_group)
}

fn look_up_group(group_id: u32) -> Option<String> {
    let mut buffer = vec![0; LOOKUP_START_SIZE_BYTES];
    loop {
        let mut entry = MaybeUninit::<libc::group>::zeroed();
        let mut found = std::ptr::null_mut();
        // SAFETY: every pointer is valid for the call, and the length is the buffer's.
        let code = unsafe {
            libc::getgrgid_r(group_id, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &mut found)
        };
        if grow_after(code, &mut buffer) {
            continue;
        }
        if code != 0 || found.is_null() {
            return None;
        }
        // SAFETY: the call succeeded: `entry` is filled and its strings live in `buffer`.
        return Some(unsafe { text(entry.assume_init_ref().gr_name) });
    }
}

/// One look into a database with a buffer: the code of the call, and the number that was found.
type Lookup = fn(&CStr, &mut [c_char]) -> (i32, Option<u32>);

fn lookup_number(name: &str, lookup: Lookup) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    let mut buffer = vec![0; LOOKUP_START_SIZE_BYTES];
    loop {
        let (code, found) = lookup(&name, &mut buffer);
        if !grow_after(code, &mut buffer) {
            return found;
        }
    }
}

fn user_entry(name: &CStr, buffer: &mut [c_char]) -> (i32, Option<u32>) {
    let mut entry = MaybeUninit::<libc::passwd>::zeroed();
    let mut found = std::ptr::null_mut();
    let (start, size) = (buffer.as_mut_ptr(), buffer.len());
    // SAFETY: every pointer is valid for the call, and the length is the buffer's.
    let code = unsafe { libc::getpwnam_r(name.as_ptr(), entry.as_mut_ptr(), start, size, &mut found) };
    // SAFETY: `found` points to `entry`, which is filled, unless it is null.
    (code, (code == 0 && !found.is_null()).then(|| unsafe { entry.assume_init_ref().pw_uid }))
}

fn group_entry(name: &CStr, buffer: &mut [c_char]) -> (i32, Option<u32>) {
    let mut entry = MaybeUninit::<libc::group>::zeroed();
    let mut found = std::ptr::null_mut();
    let (start, size) = (buffer.as_mut_ptr(), buffer.len());
    // SAFETY: every pointer is valid for the call, and the length is the buffer's.
    let code = unsafe { libc::getgrnam_r(name.as_ptr(), entry.as_mut_ptr(), start, size, &mut found) };
    // SAFETY: `found` points to `entry`, which is filled, unless it is null.
    (code, (code == 0 && !found.is_null()).then(|| unsafe { entry.assume_init_ref().gr_gid }))
}

fn grow_after(code: i32, buffer: &mut Vec<c_char>) -> bool {
    let grow = code == libc::ERANGE && buffer.len() < LOOKUP_MAX_SIZE_BYTES;
    if grow {
        buffer.resize(buffer.len() * 4, 0);
    }
    grow
}

/// Copies a C string; null is empty.
///
/// # Safety
/// `pointer` is null or points to a string that ends with a zero byte.
unsafe fn bytes(pointer: *const c_char) -> Vec<u8> {
    if pointer.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller promises a terminated string.
    unsafe { CStr::from_ptr(pointer) }.to_bytes().to_owned()
}

/// Copies a C string; null is empty, and what is not UTF-8 is replaced.
///
/// # Safety
/// As [`bytes`].
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: as the caller promises.
    String::from_utf8_lossy(&unsafe { bytes(pointer) }).into_owned()
}

/// Reads SO_PEERGROUPS (Linux 4.13): unlike `/proc/<pid>/status` it cannot be raced by a reused process number.
fn peer_groups(socket: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut groups = vec![0u32; 64];
    loop {
        let mut size_bytes = (groups.len() * size_of::<u32>()) as libc::socklen_t;
        // SAFETY: the buffer is valid for `size_bytes` bytes of plain numbers.
        let code = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &mut size_bytes,
            )
        };
        let count = size_bytes as usize / size_of::<u32>();
        if code == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || groups.len() >= MAX_GROUPS {
            return Err(error);
        }
        groups.resize(count.clamp(groups.len() + 1, MAX_GROUPS), 0);
    }
}

impl Caller {
    /// Stands for a user who is not connected, such as the owner of a view that is started
    /// with the daemon. Supplementary groups are not known.
    pub fn of_user(user_id: u32, group_id: u32) -> Caller {
        Caller { user_id, group_id, groups: Arc::from([group_id]), process_id: 0 }
    }
}

/// Checks whether a caller could read a file by its path, as the kernel would decide from
/// permission bits. What the daemon reads for others goes through here.
///
/// # Errors
/// `PermissionDenied`, or whatever keeps the path from being looked at.
pub fn check_readable(path: &std::path::Path, caller: &Caller) -> io::Result<()> {
    if caller.is_root() {
        return Ok(());
    }
    let path = path.canonicalize()?;
    let above = path.ancestors().skip(1).map(|directory| (directory, 1));
    for (part, bit) in above.chain([(path.as_path(), 4)]) {
        if !caller.may(&part.metadata()?, bit) {
            return Err(io::Error::from_raw_os_error(libc::EACCES));
        }
    }
    Ok(())
}

/// Opens a file for reading as the caller could: the kernel judges, by the caller's user and groups. Does not wait
/// for a pipe's writer.
///
/// # Errors
/// Whatever the system says.
pub fn open_as(path: &std::path::Path, caller: &Caller) -> io::Result<File> {
    let open = || File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    if caller.is_root() || !rustix::process::geteuid().is_root() {
        return open();
    }
    let as_caller = || {
        let (user, group) = (Uid::from_raw(caller.user_id), Gid::from_raw(caller.group_id));
        let groups: Vec<Gid> = caller.groups.iter().copied().map(Gid::from_raw).collect();
        rustix::thread::set_thread_groups(&groups)?;
        rustix::thread::set_thread_res_gid(group, group, group)?;
        rustix::thread::set_thread_res_uid(user, user, user)?;
        open()
    };
    // Credentials belong to a thread: this one ends with them.
    std::thread::scope(|scope| scope.spawn(as_caller).join())
        .unwrap_or_else(|_| Err(io::Error::other("the file could not be opened")))
}

thread_local! {
    /// Whose call this thread answers.
    static ANSWERING: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

/// Answers a call: [`answered`] tells meanwhile whose it is.
pub fn answering<T>(caller: &Caller, answer: impl FnOnce() -> T) -> T {
    ANSWERING.set(Some(caller.clone()));
    let answer = answer();
    ANSWERING.set(None);
    answer
}

/// Whose call this thread answers; none where it answers no call.
pub fn answered() -> Option<Caller> {
    ANSWERING.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_peer_of_the_same_process_is_this_user() {
        let (near, _far) = UnixStream::pair().unwrap();
        let caller = Caller::of_peer(&near).unwrap();
        assert_eq!(caller.user_id, rustix::process::geteuid().as_raw());
        assert_eq!(caller.process_id, std::process::id() as i32);
        assert!(caller.in_group(caller.group_id));
    }

    #[test]
    fn names_lead_to_the_numbers_they_were_found_by() {
        assert_eq!((user_number("UNIX:UID-77"), group_number("88")), (Some(77), Some(88)));
        assert_eq!(user_number(&user_name(0)), Some(0));
        assert_eq!(group_number(&group_name(0)), Some(0));
        assert_eq!((user_number("no such user"), group_number("no\0group")), (None, None));
    }

    #[test]
    fn permission_bits_are_asked_for_the_one_class_the_caller_is_in() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = |mode| {
            file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
            file.as_file().metadata().unwrap()
        };
        let (owner, group) = (metadata(0o600).uid(), metadata(0o600).gid());
        let other = Caller::of_user(owner + 1, group + 1);
        let member = Caller { groups: Arc::from([group]), ..other.clone() };
        assert!(other.may(&metadata(0o604), 4) && !other.may(&metadata(0o660), 4));
        assert!(member.may(&metadata(0o640), 4) && !member.may(&metadata(0o604), 4));
        assert!(!member.may(&metadata(0o640), 6));
        assert!(Caller::of_user(0, 0).may(&metadata(0), 7));
    }

    #[test]
    fn names_come_from_the_user_database() {
        assert_eq!(user_name(0), "root");
        assert_eq!(group_name(0), "root");
        assert_eq!(user_name(4_000_000_001), "UNIX:UID-4000000001");
        assert_eq!((user_number("root"), user_number("no such user")), (Some(0), None));
        assert_eq!(user_number("UNIX:UID-4000000001"), Some(4_000_000_001));
        assert_eq!((group_number("root"), group_number("7"), group_number("")), (Some(0), Some(7), None));
        assert!(is_user_name("UNIX:UID-5") && !is_user_name("5"));
        assert!(!host_name().is_empty());
        assert!(Account::of_user(0).unwrap().home.is_absolute());
    }
}
