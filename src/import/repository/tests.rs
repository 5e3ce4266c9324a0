//! Real repositories made by git in temporary directories.

use std::process::Command;

use super::super::fast_export::{Event, Parser};
use super::*;

fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=trunk"]);
    assert!(command.arg("-C").arg(directory).args(arguments).status().unwrap().success(), "{arguments:?}");
}

fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    git(path, &["init", "-q"]);
    git(path, &["commit", "-q", "--allow-empty", "-m", "one"]);
    git(path, &["commit", "-q", "--allow-empty", "-m", "two"]);
    git(path, &["branch", "weird/-x@y'\"$", "HEAD~1"]);
    git(path, &["tag", "-a", "-m", "note", "v1", "HEAD~1"]);
    git(path, &["tag", "-a", "-m", "again", "v2", "v1"]);
    git(path, &["tag", "tree", "HEAD^{tree}"]);
    directory
}

#[test]
fn repositories_and_bundles_are_read() {
    let source = repository();
    let scratch = tempfile::tempdir().unwrap();
    let bundle = scratch.path().join("b");
    git(
        source.path(),
        &["bundle", "create", "-q", bundle.to_str().unwrap(), "--branches", "HEAD", "v1", "v2"],
    );
    for (path, skipped) in [(source.path(), 1), (bundle.as_path(), 0)] {
        let opened = Repository::open(path, scratch.path()).unwrap();
        let refs = opened.refs().unwrap();
        assert_eq!((refs.references.len(), refs.skipped.len()), (4, skipped));
        assert_eq!(opened.default_branch(&refs.references).unwrap().as_bytes(), b"refs/heads/trunk");
        assert_eq!(opened.commit_graph(&refs.references).unwrap().len(), 2);
        let notes = opened.annotations(&refs.references).unwrap();
        assert_eq!(notes[3].as_ref().unwrap().message, b"again\n");
        let first = refs.references.iter().find(|r| r.tag_object.is_some()).unwrap().commit;
        for (excluded, expected) in [(vec![], 2), (vec![first], 1)] {
            let options = ExportOptions { excluded: &excluded, find_renames: true, ..Default::default() };
            let (stream, process) = opened.export(&refs.references, &options).unwrap();
            let mut parser = Parser::new(stream);
            let mut commits = 0;
            loop {
                match parser.next_event().unwrap() {
                    Event::Commit(_) => commits += 1,
                    Event::Done => break,
                    _ => {}
                }
            }
            drop(parser);
            process.finish().unwrap();
            assert_eq!(commits, expected);
        }
    }
}

#[test]
fn what_is_no_repository_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path();
    let open = |path: &Path| Repository::open(path, path);
    assert!(matches!(open(&path.join("no")), Err(RepositoryError::NoSuchPath(_))));
    assert!(matches!(open(path), Err(RepositoryError::NotARepository(_))));
    git(path, &["init", "-q"]);
    assert!(matches!(open(path).unwrap().refs(), Err(RepositoryError::Empty(_))));
}
