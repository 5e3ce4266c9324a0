//! `space`: how much of their file systems VOBs and views take.

use super::commands::{Command, exclusive, missing};
use super::options::{Arguments, flag};
use super::session::{CommandResult, Outcome, Session, system_text};
use crate::server::proto::view_outcome::Outcome as ViewOutcome;
use crate::server::proto::vob_outcome::Outcome as VobOutcome;
use crate::server::proto::{ListViewsRequest, ListVobsRequest};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "space",
    aliases: &[],
    usage: "{-vob [vob-tag ...] | -view [view-tag ...] | -directory pname ...}",
    options: &[flag("vob"), flag("vie/w"), flag("dir/ectory")],
    comments: false,
    run,
};

/// Bytes in what `st_blocks` counts.
const BLOCK_BYTES: u64 = 512;
const MEBIBYTE: f64 = (1 << 20) as f64;

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    exclusive(arguments, &["vob", "view", "directory"])?;
    let mut all_done = true;
    let mut places: Vec<(Vec<u8>, PathBuf)> = Vec::new();
    let path = |bytes: Vec<u8>| PathBuf::from(std::ffi::OsString::from_vec(bytes));
    if arguments.has("vob") {
        let tags: Vec<Vec<u8>> = arguments.operands.iter().map(|tag| tag.as_bytes().to_vec()).collect();
        let request = ListVobsRequest { context: Some(session.context()?), tags: tags.clone() };
        let reply = session.call(async |mut host| host.list_vobs(request).await)?;
        for (at, outcome) in reply.outcomes.into_iter().enumerate() {
            match outcome.outcome {
                Some(VobOutcome::Done(vob)) => {
                    places.push(([b"vob \"", &vob.tag[..], b"\""].concat(), path(vob.storage)));
                }
                Some(VobOutcome::Failure(failure)) => {
                    all_done = false;
                    session.failure(&failure, tags.get(at).map(Vec::as_slice).unwrap_or_default(), None);
                }
                None => all_done = false,
            }
        }
    } else if arguments.has("view") {
        let tags: Vec<String> =
            arguments.operands.iter().map(|tag| tag.to_string_lossy().into_owned()).collect();
        let request = ListViewsRequest { context: Some(session.context()?), tags: tags.clone() };
        let reply = session.call(async |mut host| host.list_views(request).await)?;
        for (at, outcome) in reply.outcomes.into_iter().enumerate() {
            match outcome.outcome {
                Some(ViewOutcome::Done(view)) => {
                    places.push((format!("view \"{}\"", view.tag).into_bytes(), path(view.storage)));
                }
                Some(ViewOutcome::Failure(failure)) => {
                    all_done = false;
                    let tag = tags.get(at).map(String::as_bytes).unwrap_or_default();
                    session.failure(&failure, tag, None);
                }
                None => all_done = false,
            }
        }
    } else if arguments.has("directory") && !arguments.operands.is_empty() {
        let named = |name: &std::ffi::OsString| {
            ([b"directory \"", name.as_bytes(), b"\""].concat(), PathBuf::from(name))
        };
        places.extend(arguments.operands.iter().map(named));
    } else {
        return Err(missing("Option -vob or -view, or -directory with a pathname,"));
    }
    for (title, place) in places {
        match usage(&place) {
            Ok(usage) => {
                for line in usage.lines(&title, &place) {
                    session.line(&[&line])?;
                }
            }
            Err((path, error)) => {
                all_done = false;
                let text = format!("\": {}.", system_text(&error));
                let name = path.as_os_str().as_bytes();
                session.error(&[b"Unable to access \"", name, text.as_bytes()].concat());
            }
        }
    }
    Ok(Outcome::of(all_done))
}

/// What a directory takes, and its file system has.
struct Usage {
    /// Name and bytes of what is in it; files of its own stand together, without a name.
    parts: Vec<(Vec<u8>, u64)>,
    capacity_bytes: u64,
    used_bytes: u64,
    available_bytes: u64,
}

type Failed = (PathBuf, io::Error);

fn usage(place: &Path) -> Result<Usage, Failed> {
    let (mut parts, mut own_bytes) = (Vec::new(), 0);
    for (path, metadata) in entries(place)? {
        match metadata.is_dir() {
            true => {
                let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default().to_vec();
                parts.push((name, tree_bytes(path)?));
            }
            false => own_bytes += metadata.blocks() * BLOCK_BYTES,
        }
    }
    parts.sort();
    parts.push((Vec::new(), own_bytes));
    let failed = |error: rustix::io::Errno| (place.to_owned(), io::Error::from(error));
    let system = rustix::fs::statvfs(place).map_err(failed)?;
    Ok(Usage {
        parts,
        capacity_bytes: system.f_blocks * system.f_frsize,
        used_bytes: (system.f_blocks - system.f_bfree) * system.f_frsize,
        available_bytes: system.f_bavail * system.f_frsize,
    })
}

fn entries(place: &Path) -> Result<Vec<(PathBuf, std::fs::Metadata)>, Failed> {
    let failed = |error: io::Error| (place.to_owned(), error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.metadata() {
            Ok(metadata) => found.push((entry.path(), metadata)),
            // What works on it takes files away.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err((entry.path(), error)),
        }
    }
    Ok(found)
}

fn tree_bytes(top: PathBuf) -> Result<u64, Failed> {
    let (mut sum, mut next) = (0, vec![top]);
    while let Some(directory) = next.pop() {
        let found = match entries(&directory) {
            Err((path, error)) if path == directory && error.kind() == io::ErrorKind::NotFound => continue,
            found => found?,
        };
        for (path, metadata) in found {
            sum += metadata.blocks() * BLOCK_BYTES;
            if metadata.is_dir() {
                next.push(path);
            }
        }
    }
    Ok(sum)
}

impl Usage {
    fn lines(&self, title: &[u8], place: &Path) -> Vec<Vec<u8>> {
        let place = place.as_os_str().as_bytes();
        let percent = |bytes: u64| match self.capacity_bytes {
            0 => 0,
            capacity => (u128::from(bytes) * 100 / u128::from(capacity)) as u64,
        };
        let row = |bytes: u64, what: &[u8]| {
            let columns = format!("{:>10.1} {:>4}%  ", bytes as f64 / MEBIBYTE, percent(bytes));
            [columns.as_bytes(), what].concat()
        };
        let mut lines = vec![[b"Space of ", title, b":"].concat(), b"   Use(Mb)  %Use  Directory".to_vec()];
        for (name, bytes) in &self.parts {
            let path = if name.is_empty() { place.to_vec() } else { [place, b"/", name].concat() };
            lines.push(row(*bytes, &path));
        }
        lines.push(row(self.parts.iter().map(|(_, bytes)| bytes).sum(), b"Total"));
        let [capacity, used, available] = [self.capacity_bytes, self.used_bytes, self.available_bytes]
            .map(|bytes| format!("{:.1}", bytes as f64 / MEBIBYTE));
        lines.push(
            format!(
                "Filesystem (capacity {capacity} Mb, used {used} Mb, available {available} Mb, {}% used)",
                percent(self.used_bytes)
            )
            .into_bytes(),
        );
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_directory_is_summed_up() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("a/b")).unwrap();
        std::fs::write(directory.path().join("a/b/file"), vec![7; 100_000]).unwrap();
        std::fs::write(directory.path().join("own"), vec![7; 10_000]).unwrap();
        let found = usage(directory.path()).unwrap();
        let names: Vec<&[u8]> = found.parts.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(names, [&b"a"[..], b""]);
        assert!(found.parts[0].1 >= 100_000 && found.parts[1].1 >= 10_000 && found.parts[1].1 < 100_000);
        let usage = Usage {
            parts: vec![(b"pool".to_vec(), 3 << 20), (Vec::new(), 1 << 19)],
            capacity_bytes: 100 << 20,
            used_bytes: 50 << 20,
            available_bytes: 45 << 20,
        };
        let lines = usage.lines(b"vob \"/vobs/a\"", Path::new("/s/a.vbs")).join(&b'\n');
        let expected = "Space of vob \"/vobs/a\":\n   Use(Mb)  %Use  Directory\n       3.0    3%  /s/a.vbs/pool\n       \
                        0.5    0%  /s/a.vbs\n       3.5    3%  Total\nFilesystem (capacity 100.0 Mb, used 50.0 Mb, \
                        available 45.0 Mb, 50% used)";
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
    }
}
