//! Included files of every sort, read for root and for others.

use super::*;
use std::os::unix::fs::{PermissionsExt, chown};

const OTHER: u32 = 4_000_000_001;

fn read(caller: &Caller, written: &str, including: &Path) -> Result<(PathBuf, Vec<u8>), String> {
    let none = |_: &[u8]| false;
    let includes = Includes::new(caller, None, &none);
    includes.read(written.as_bytes(), including).map_err(|error| error.to_string())
}

fn root() -> Caller {
    Caller::of_user(0, 0)
}

#[test]
fn a_relative_name_begins_beside_the_including_file() {
    let directory = tempfile::tempdir().unwrap();
    let real = directory.path().canonicalize().unwrap();
    std::fs::create_dir(real.join("below")).unwrap();
    std::fs::write(real.join("below/b.cs"), "b").unwrap();
    std::os::unix::fs::symlink("below", real.join("link")).unwrap();
    let found = read(&root(), "below/b.cs", &real.join("a.cs")).unwrap();
    assert_eq!(found, (real.join("below/b.cs"), b"b".to_vec()));
    // One file has one path, however it is named: that is how repetition is seen.
    for (written, including) in [("../link/./b.cs", "below/a.cs"), ("b.cs", "link/a.cs")] {
        assert_eq!(read(&root(), written, &real.join(including)).unwrap().0, real.join("below/b.cs"));
    }
}

#[test]
fn a_path_in_a_vob_is_meant_in_the_view() {
    let directory = tempfile::tempdir().unwrap();
    let view = directory.path().canonicalize().unwrap();
    std::fs::create_dir_all(view.join("vobs/x")).unwrap();
    for (name, text) in [("vobs/x/a.cs", "a"), ("vobs/x/b.cs", "b"), ("outside.cs", "o")] {
        std::fs::write(view.join(name), text).unwrap();
    }
    let (caller, in_vob) = (root(), |path: &[u8]| path.starts_with(b"/vobs/x/"));
    let includes = Includes::new(&caller, Some(view.clone()), &in_vob);
    let first = includes.read(b"/vobs/x/a.cs", Path::new("/spec")).unwrap();
    assert_eq!(first, (PathBuf::from("/vobs/x/a.cs"), b"a".to_vec()));
    let second = includes.read(b"b.cs", &first.0).unwrap();
    assert_eq!(second, (PathBuf::from("/vobs/x/b.cs"), b"b".to_vec()));
    let outside = view.join("outside.cs");
    assert_eq!(includes.read(outside.as_os_str().as_bytes(), &first.0).unwrap().0, outside);
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory.path().join("spec");
    let fifo = directory.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let refused = |written: &str| read(&root(), written, &spec).unwrap_err();
    assert_eq!(refused("fifo"), "not a regular file");
    assert_eq!(refused("/dev/zero"), "not a regular file");
    assert_eq!(refused("."), "Is a directory");
    assert_eq!(refused("nothing"), "No such file or directory");
    assert_eq!(refused("fifo/x"), "Not a directory");
}

#[test]
fn a_caller_reads_what_permission_bits_allow() {
    let directory = tempfile::tempdir().unwrap();
    let (spec, file) = (directory.path().join("spec"), directory.path().join("file"));
    std::fs::write(&file, "text").unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let other = Caller::of_user(OTHER, OTHER);
    mode(directory.path(), 0o755);
    mode(&file, 0o644);
    assert!(read(&other, "file", &spec).is_ok());
    mode(&file, 0o640);
    assert_eq!(read(&other, "file", &spec).unwrap_err(), "Permission denied");
    assert!(read(&root(), "file", &spec).is_ok());
    mode(&file, 0o644);
    mode(directory.path(), 0o744);
    assert_eq!(read(&other, "file", &spec).unwrap_err(), "Permission denied");
    if rustix::process::geteuid().is_root() {
        mode(directory.path(), 0o755);
        mode(&file, 0o040);
        chown(&file, Some(1), Some(OTHER)).unwrap();
        assert!(read(&other, "file", &spec).is_ok());
    }
}

#[test]
fn size_is_limited_for_one_file_and_for_all() {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory.path().join("spec");
    let size = |name: &str, bytes| {
        let file = File::create(directory.path().join(name)).unwrap();
        file.set_len(bytes).unwrap();
    };
    size("full", MAX_FILE_SIZE_BYTES);
    size("over", MAX_FILE_SIZE_BYTES + 1);
    size("one", 1);
    let (caller, none) = (root(), |_: &[u8]| false);
    let includes = Includes::new(&caller, None, &none);
    let refused = |name: &[u8]| includes.read(name, &spec).unwrap_err().to_string();
    assert_eq!(refused(b"over"), "file is larger than 16 MiB");
    for _ in 0..MAX_TOTAL_SIZE_BYTES / MAX_FILE_SIZE_BYTES {
        assert_eq!(includes.read(b"full", &spec).unwrap().1.len() as u64, MAX_FILE_SIZE_BYTES);
    }
    assert_eq!(refused(b"one"), "included files together are larger than 64 MiB");
}
