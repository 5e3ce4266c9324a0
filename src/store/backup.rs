//! Copies of a VOB's storage that are made while users work, and what comes back from them.
//!
//! What a VOB holds is in files that only grow, or never change once they have their names: the journal, the containers, large
//! contents. So the copy of their first bytes, as long as they were at one moment, is the VOB of that moment; nobody
//! has to wait. The index is not copied: it is made again from the journal. A copy is a directory, to which the next backup adds
//! what is new, or one archive (tar); in both a file `backup` says what belongs to it, with length and hash of each file.
//!
//! Nothing here knows a registry or a view.

use super::durable;
use super::journal::{self, Journal};
use super::vob::{LawBroken, StoreError, Vob, check_laws};
use crate::vob::{Oid, Transaction};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name of the file that says what belongs to a backup.
const MANIFEST: &str = "backup";
const FIRST_LINE: &str = "clerestory backup";
/// The form of a backup that this program writes, and the newest it understands.
const FORMAT: u32 = 1;
/// Bytes that are copied at once.
const PIECE_BYTES: usize = 1 << 20;
/// The end of an archive's name.
const ARCHIVE: &str = "tar";

/// Why there is no backup, or nothing comes back from it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be read or written.
    #[error("{path:?}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The VOB cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal cannot be read or cut.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// What is there is no backup, or one of a newer program, or not whole.
    #[error("{path:?} is no backup that can be used: {detail}")]
    NoBackup {
        /// The directory or archive.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The directory is another VOB's backup, or something else.
    #[error("{path:?} holds something else: {detail}; name a directory that is empty or not there")]
    Occupied {
        /// The directory.
        path: PathBuf,
        /// What.
        detail: String,
    },
    /// A copy is not what it should be.
    #[error("{path:?} is damaged: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How.
        detail: String,
    },
    /// The backup does not reach so far back.
    #[error("nothing is left of the VOB so far back: its first operation is later")]
    TooEarly,
    /// What came back does not keep the laws of a VOB.
    #[error("what comes back is not sound: {0}")]
    Unsound(String),
}

type Result<T> = std::result::Result<T, BackupError>;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// The number of the last operation in it. Each commit is one.
    pub operation: u64,
    /// Files that belong to it.
    pub files: u64,
    /// Bytes that belong to it.
    pub bytes: u64,
    /// Bytes that were copied now; the others were there.
    pub new_bytes: u64,
}

/// How far back a VOB goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// All that the backup holds.
    Everything,
    /// Up to the operation of this number.
    Operation(u64),
    /// Up to the last operation at or before a time, in nanoseconds since 1970 UTC.
    Time(i64),
}

/// A file that belongs to a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    length: u64,
    hash: String,
}

/// What belongs to a backup: paths below the storage.
#[derive(Debug, Default, PartialEq, Eq)]
struct Manifest {
    oid: String,
    tag: String,
    operation: u64,
    time_ns: i64,
    parts: BTreeMap<PathBuf, Part>,
}

/// What a backup is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The VOB's identity.
    pub oid: String,
    /// Its tag then.
    pub tag: String,
    /// The number of the last operation in it.
    pub operation: u64,
    /// When it was made, in nanoseconds since 1970 UTC.
    pub time_ns: i64,
}

impl Manifest {
    fn write(&self) -> Vec<u8> {
        let Manifest { oid, tag, operation, time_ns, parts } = self;
        let mut text = format!(
            "{FIRST_LINE}\nformat {FORMAT}\noid {oid}\ntag {tag}\noperation {operation}\ntime {time_ns}\n"
        )
        .into_bytes();
        for (path, Part { length, hash }) in parts {
            text.extend_from_slice(format!("file {length} {hash} ").as_bytes());
            text.extend_from_slice(path.as_os_str().as_bytes());
            text.push(b'\n');
        }
        text.extend_from_slice(format!("end {}\n", blake3::hash(&text)).as_bytes());
        text
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<Manifest> {
        let unusable =
            |detail: &str| BackupError::NoBackup { path: path.to_owned(), detail: detail.to_owned() };
        if !bytes.starts_with(FIRST_LINE.as_bytes()) {
            return Err(unusable("its file `backup` does not begin as one"));
        }
        let mut manifest = Manifest::default();
        let (mut at, mut whole) = (0, false);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let begin = at;
            at += line.len();
            let line = line.strip_suffix(b"\n").ok_or_else(|| unusable("its file `backup` is cut off"))?;
            let mut words = line.splitn(2, |byte| *byte == b' ');
            let word = words.next().unwrap_or_default();
            let rest = words.next().unwrap_or_default();
            let text = || String::from_utf8_lossy(rest).into_owned();
            let wrong = || unusable("its file `backup` has a line that cannot be read");
            match word {
                b"format" => match text().parse::<u32>() {
                    Ok(format) if format <= FORMAT => {}
                    _ => {
                        return Err(unusable(&format!(
                            "it has the format {}, this program knows {FORMAT}",
                            text()
                        )));
                    }
                },
                b"oid" => manifest.oid = text(),
                b"tag" => manifest.tag = text(),
                b"operation" => manifest.operation = text().parse().map_err(|_| wrong())?,
                b"time" => manifest.time_ns = text().parse().map_err(|_| wrong())?,
                b"file" => {
                    let mut words = rest.splitn(3, |byte| *byte == b' ');
                    let mut next = || words.next().ok_or_else(wrong);
                    let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse().ok();
                    let length = number(next()?).ok_or_else(wrong)?;
                    let hash = String::from_utf8_lossy(next()?).into_owned();
                    let file = PathBuf::from(OsString::from_vec(next()?.to_vec()));
                    if file.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
                        return Err(wrong());
                    }
                    manifest.parts.insert(file, Part { length, hash });
                }
                b"end" => {
                    if text() != blake3::hash(&bytes[..begin]).to_string() {
                        return Err(unusable("its file `backup` does not match its checksum"));
                    }
                    whole = true;
                }
                _ => {}
            }
        }
        if whole { Ok(manifest) } else { Err(unusable("its file `backup` is cut off")) }
    }

    fn about(&self) -> About {
        let Manifest { oid, tag, operation, time_ns, .. } = self;
        About { oid: oid.clone(), tag: tag.clone(), operation: *operation, time_ns: *time_ns }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

/// Tells whether a backup of this name is one archive.
fn is_archive(target: &Path) -> bool {
    target.extension().is_some_and(|extension| extension == ARCHIVE)
}

/// Copies a VOB to a directory, or to an archive if the name ends in `.tar`; users go on meanwhile. What a directory has
/// from an earlier backup is not copied again. In the end everything the backup has is read and compared. Only the daemon's user
/// may read what is made here: it holds what others may not see.
///
/// # Errors
/// See [`BackupError`]. An earlier backup is still whole then; an archive of that name is still what it was.
pub fn back_up(vob: &Vob, tag: &str, oid: &Oid, time_ns: i64, target: &Path) -> Result<Copied> {
    let (operation, lengths) = vob.extent()?;
    let manifest =
        Manifest { oid: oid.to_string(), tag: tag.to_owned(), operation, time_ns, parts: BTreeMap::new() };
    if is_archive(target) {
        to_archive(vob.dir(), manifest, &lengths, target)
    } else {
        to_directory(vob.dir(), manifest, &lengths, target)
    }
}

fn to_directory(
    from: &Path,
    mut manifest: Manifest,
    lengths: &BTreeMap<PathBuf, u64>,
    target: &Path,
) -> Result<Copied> {
    let earlier = earlier(target, &manifest.oid)?;
    let mut copied = Copied { operation: manifest.operation, ..Copied::default() };
    for (path, length) in lengths {
        let to = target.join(path);
        let parent = to.parent().unwrap_or(target);
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(at(parent))?;
        let had = earlier.parts.get(path).map_or(0, |part| part.length).min(*length);
        if had < *length || !to.exists() {
            // What lies behind the earlier backup's end was never part of one.
            copy_from(&from.join(path), &to, had, *length)?;
        }
        let hash = hash_of(&to, *length)?;
        let known = earlier.parts.get(path).filter(|part| part.length == *length);
        let right = match known {
            Some(part) => part.hash.clone(),
            None => hash_of(&from.join(path), *length)?,
        };
        if hash != right {
            return Err(BackupError::Damaged {
                path: to,
                detail: "its bytes are not those of the VOB".to_owned(),
            });
        }
        copied.files += 1;
        copied.bytes += length;
        copied.new_bytes += length - had;
        manifest.parts.insert(path.clone(), Part { length: *length, hash });
    }
    let listed = target.join(MANIFEST);
    durable::replace(&listed, &manifest.write(), 0o600).map_err(at(&listed))?;
    Ok(copied)
}

/// Reads what a directory has of earlier backups; nothing where it is empty or not there.
fn earlier(target: &Path, oid: &str) -> Result<Manifest> {
    let occupied = |detail: String| BackupError::Occupied { path: target.to_owned(), detail };
    let mut entries = match std::fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(error) => return Err(at(target)(error)),
    };
    let path = target.join(MANIFEST);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let manifest = Manifest::read(target, &bytes)?;
            match manifest.oid == oid {
                true => Ok(manifest),
                false => Err(occupied(format!("a backup of the VOB {}", manifest.tag))),
            }
        }
        // The first one may have been interrupted.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_ours = |entry: io::Result<std::fs::DirEntry>| {
                let name = entry.map(|entry| entry.file_name()).unwrap_or_default();
                ["format", "journal", "s", "backup.new"].iter().any(|known| name == OsStr::new(known))
            };
            match entries.all(is_ours) {
                true => Ok(Manifest::default()),
                false => Err(occupied("files that no backup has".to_owned())),
            }
        }
        Err(error) => Err(at(&path)(error)),
    }
}

fn copy_from(from: &Path, to: &Path, begin: u64, end: u64) -> Result<()> {
    let mut source = File::open(from).map_err(at(from))?;
    source.seek(SeekFrom::Start(begin)).map_err(at(from))?;
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(to);
    let mut copy = opened.map_err(at(to))?;
    copy.set_len(begin).map_err(at(to))?;
    copy.seek(SeekFrom::Start(begin)).map_err(at(to))?;
    let done = io::copy(&mut source.take(end - begin), &mut copy).map_err(at(to))?;
    if done != end - begin {
        return Err(BackupError::Damaged {
            path: from.to_owned(),
            detail: "it is shorter than it was".to_owned(),
        });
    }
    copy.sync_all().and_then(|()| durable::sync_parent(to)).map_err(at(to))
}

/// The hash of a file's first bytes.
fn hash_of(path: &Path, length: u64) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut part = File::open(path).map_err(at(path))?.take(length);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match part.read(&mut piece).map_err(at(path))? {
            0 => break,
            read => drop(hasher.update(&piece[..read])),
        }
    }
    match part.limit() {
        0 => Ok(hasher.finalize().to_string()),
        missing => Err(BackupError::Damaged {
            path: path.to_owned(),
            detail: format!("{missing} bytes are missing"),
        }),
    }
}

fn to_archive(
    from: &Path,
    mut manifest: Manifest,
    lengths: &BTreeMap<PathBuf, u64>,
    target: &Path,
) -> Result<Copied> {
    let unfinished = target.with_extension("tar.new");
    let write = |manifest: &mut Manifest| -> Result<Copied> {
        let _ = std::fs::remove_file(&unfinished);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
        let file = file.map_err(at(&unfinished))?;
        let mut archive = tar::Builder::new(io::BufWriter::with_capacity(PIECE_BYTES, file));
        let mut copied = Copied { operation: manifest.operation, ..Copied::default() };
        for (path, length) in lengths {
            let source = from.join(path);
            let mut hashed = Hashed {
                source: File::open(&source).map_err(at(&source))?.take(*length),
                hasher: blake3::Hasher::new(),
            };
            archive.append_data(&mut header(*length), path, &mut hashed).map_err(at(&unfinished))?;
            if hashed.source.limit() > 0 {
                return Err(BackupError::Damaged {
                    path: source,
                    detail: "it is shorter than it was".to_owned(),
                });
            }
            let hash = hashed.hasher.finalize().to_string();
            copied.files += 1;
            copied.bytes += length;
            copied.new_bytes += length;
            manifest.parts.insert(path.clone(), Part { length: *length, hash });
        }
        let text = manifest.write();
        archive.append_data(&mut header(text.len() as u64), MANIFEST, &text[..]).map_err(at(&unfinished))?;
        let file =
            archive.into_inner().and_then(|writer| writer.into_inner().map_err(|error| error.into_error()));
        file.and_then(|file| file.sync_all()).map_err(at(&unfinished))?;
        // What was written is what was read.
        read_archive(&unfinished, &mut |_, part| io::copy(part, &mut io::sink()).map(drop))?;
        Ok(copied)
    };
    let copied = write(&mut manifest).inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
    std::fs::rename(&unfinished, target).and_then(|()| durable::sync_parent(target)).map_err(at(target))?;
    Ok(copied)
}

fn header(length: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(length);
    header.set_mode(0o600);
    header
}

struct Hashed<R> {
    source: R,
    hasher: blake3::Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// Takes each file of a backup.
type Each<'a> = &'a mut dyn FnMut(&Path, &mut dyn Read) -> io::Result<()>;

/// Hands out each file of an archive, and checks that all that belongs to it was there and is right.
fn read_archive(path: &Path, each: Each<'_>) -> Result<Manifest> {
    let file = File::open(path).map_err(at(path))?;
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(PIECE_BYTES, file));
    let (mut found, mut manifest) = (BTreeMap::new(), None);
    for entry in archive.entries().map_err(at(path))? {
        let mut entry = entry.map_err(at(path))?;
        let name = entry.path().map_err(at(path))?.into_owned();
        if name == Path::new(MANIFEST) {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).map_err(at(path))?;
            manifest = Some(Manifest::read(path, &text)?);
            continue;
        }
        if name.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            let detail = format!("a file has the name {name:?}");
            return Err(BackupError::NoBackup { path: path.to_owned(), detail });
        }
        let length = entry.size();
        let mut hashed = Hashed { source: &mut entry, hasher: blake3::Hasher::new() };
        each(&name, &mut hashed).map_err(at(path))?;
        found.insert(name, Part { length, hash: hashed.hasher.finalize().to_string() });
    }
    let manifest = manifest.ok_or_else(|| no_end(path))?;
    compare(path, &manifest, &found)?;
    Ok(manifest)
}

fn no_end(path: &Path) -> BackupError {
    BackupError::NoBackup { path: path.to_owned(), detail: "its end is missing".to_owned() }
}

fn compare(path: &Path, manifest: &Manifest, found: &BTreeMap<PathBuf, Part>) -> Result<()> {
    for (name, part) in &manifest.parts {
        if found.get(name) != Some(part) {
            let detail = format!("{name:?} is missing or does not match its checksum");
            return Err(BackupError::Damaged { path: path.to_owned(), detail });
        }
    }
    Ok(())
}

/// Reads only what a directory or an archive says that it holds.
fn read_manifest(path: &Path) -> Result<Manifest> {
    if path.is_dir() {
        return manifest_of_directory(path);
    }
    let mut archive = tar::Archive::new(File::open(path).map_err(at(path))?);
    for entry in archive.entries_with_seek().map_err(at(path))? {
        let mut entry = entry.map_err(at(path))?;
        if entry.path().map_err(at(path))? == Path::new(MANIFEST) {
            let mut text = Vec::new();
            entry.read_to_end(&mut text).map_err(at(path))?;
            return Manifest::read(path, &text);
        }
    }
    Err(no_end(path))
}

fn manifest_of_directory(path: &Path) -> Result<Manifest> {
    let listed = path.join(MANIFEST);
    let text = std::fs::read(&listed).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            BackupError::NoBackup { path: path.to_owned(), detail: "it has no file `backup`".to_owned() }
        }
        _ => at(&listed)(error),
    })?;
    Manifest::read(path, &text)
}

fn read_directory(path: &Path, each: Each<'_>) -> Result<Manifest> {
    let manifest = manifest_of_directory(path)?;
    let mut found = BTreeMap::new();
    for (name, part) in &manifest.parts {
        let file = path.join(name);
        let source = File::open(&file).map_err(at(&file))?.take(part.length);
        let mut hashed = Hashed { source, hasher: blake3::Hasher::new() };
        each(name, &mut hashed).map_err(at(&file))?;
        let length = part.length - hashed.source.limit();
        found.insert(name.clone(), Part { length, hash: hashed.hasher.finalize().to_string() });
    }
    compare(path, &manifest, &found)?;
    Ok(manifest)
}

fn read_backup(path: &Path, each: Each<'_>) -> Result<Manifest> {
    match path.is_dir() {
        true => read_directory(path, each),
        false => read_archive(path, each),
    }
}

/// Says what a backup is of, without reading more than that.
///
/// # Errors
/// If it is not there, or says nothing that can be used.
pub fn about(path: &Path) -> Result<About> {
    Ok(read_manifest(path)?.about())
}

/// Reads a whole backup, and says what it is of.
///
/// # Errors
/// If it is not there, not whole, or damaged.
pub fn verify(path: &Path) -> Result<About> {
    let manifest = read_backup(path, &mut |_, part| io::copy(part, &mut io::sink()).map(drop))?;
    Ok(manifest.about())
}

/// Makes a VOB's storage again, as it was at some moment, in a directory that must not exist. It is opened and its laws are
/// checked.
///
/// # Errors
/// See [`BackupError`]. Nothing is left then.
pub fn restore(backup: &Path, storage: &Path, until: Until) -> Result<About> {
    DirBuilder::new().mode(0o700).create(storage).map_err(at(storage))?;
    restore_in(backup, storage, until).inspect_err(|_| drop(std::fs::remove_dir_all(storage)))
}

fn restore_in(backup: &Path, storage: &Path, until: Until) -> Result<About> {
    let manifest = read_backup(backup, &mut |name, part| {
        let to = storage.join(name);
        std::fs::create_dir_all(to.parent().unwrap_or(storage))?;
        let mut file = File::create(&to)?;
        io::copy(part, &mut file)?;
        file.sync_all()
    })?;
    Vob::make_directories(storage)?;
    let oid: Oid = manifest.oid.parse().map_err(|_| BackupError::NoBackup {
        path: backup.to_owned(),
        detail: "the VOB's identity cannot be read".to_owned(),
    })?;
    if until != Until::Everything {
        let stays = |sequence: u64, payload: &[u8]| match until {
            Until::Everything => true,
            Until::Operation(last) => sequence <= last,
            Until::Time(last) => {
                let frame: Option<Vec<Transaction>> = postcard::from_bytes(payload).ok();
                frame.is_none_or(|frame| frame.first().is_none_or(|first| first.time_ns <= last))
            }
        };
        if Journal::cut_after(&storage.join("journal"), oid.0, &stays)? == 0 {
            return Err(BackupError::TooEarly);
        }
    }
    let vob = Vob::open(storage)?;
    let mut first: Option<LawBroken> = None;
    check_laws(&vob, &mut |breach| first = first.take().or(Some(breach)))?;
    if let Some(breach) = first {
        return Err(BackupError::Unsound(format!("{breach:?}")));
    }
    let operation = vob.last_operation();
    vob.close()?;
    make_names_durable(storage).and_then(|()| durable::sync_parent(storage)).map_err(at(storage))?;
    Ok(About { operation, ..manifest.about() })
}

fn make_names_durable(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_names_durable(&entry.path())?;
        }
    }
    durable::sync_directory(directory)
}
