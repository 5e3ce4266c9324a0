//! A VOB with a little history and a view of it, and what is told of their objects.

use super::*;
use crate::server::home::Home;
use crate::server::registry::{Registry, VobEntry, VobTag};
use crate::server::state::Server;
use crate::store::VobOptions;
use crate::store::engine::EngineKind;
use crate::view::inode::{ViewIndex, VobIndex};
use crate::view::storage::StoredSpec;
use crate::view::{Host, ViewStorage};
use crate::vob::state::predefined;
use crate::vob::{Content, NameChange, Oid, SymlinkNo, TypeNo, User, VersionNo, ViewUuid};
use clerestory_mount::Time;
use std::path::{Path, PathBuf};

pub const FOO: ElementNo = ElementNo(2);
pub const SRC: ElementNo = ElementNo(3);
pub const BAR: ElementNo = ElementNo(4);
pub const OWN: ViewUuid = ViewUuid([7; 16]);
const HIDDEN: ElementNo = ElementNo(5);
const FIX: TypeNo = TypeNo(9);
const REL1: TypeNo = TypeNo(10);
const SPEC: &[u8] =
    b"element * CHECKEDOUT\nelement hidden.c -none\nelement foo.c /main/LATEST -mkbranch fix\n\
                      element * /main/LATEST\n";

/// The VOB `/vobs/p` in the view `v`; the working directory is its root.
///
/// `foo.c` has two versions on `/main`, one on `/main/fix`, a label, a merge, and is checked
/// out to the view `other`; of `hidden.c` the view selects nothing; `src` holds `bar.c`;
/// `link` is a symbolic link; `notes` is a private file.
pub struct Fixture {
    pub server: Server,
    pub caller: Caller,
    pub vob: Arc<MountedVob>,
    pub view: Arc<View>,
    dir: tempfile::TempDir,
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn change(name: &str, entry: Option<Entry>) -> NameChange {
    NameChange { name: name.as_bytes().into(), entry }
}

impl Fixture {
    pub fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"), "/view");
        std::fs::create_dir(home.root()).unwrap();
        let registry = Registry::open(home.registry()).unwrap();
        let options = VobOptions {
            engine: EngineKind::Memory,
            user: user("vobadm"),
            owner: 0,
            group: 0,
            comment: "a vob".to_owned(),
            time_ns: 900_000_000_000,
            oid: Oid([1; 16]),
        };
        let vob = Vob::create(&dir.path().join("p.vbs"), &options).unwrap();
        // Anybody may work in it.
        let place = dir.path().join("v.vws");
        let spec = StoredSpec { text: SPEC, origin: Path::new("/spec"), compiled: b"" };
        drop(ViewStorage::create(&place, OWN, spec).unwrap());
        ViewStorage::set_mode(&place, 0o777).unwrap();
        let storage = ViewStorage::open(&place).unwrap();
        let server = Server {
            run: String::new(),
            host: Arc::new(Host::new(PathBuf::from("/view"), Time { seconds: 0, nanoseconds: 0 })),
            home,
            registry,
            mounted: parking_lot::Mutex::new(None),
            administration: parking_lot::Mutex::new(()),
            started_s: 0,
            host_name: "neptune".to_owned(),
            stop: tokio::sync::watch::channel(false).0,
            tokens: Default::default(),
        };
        let entry = VobEntry {
            storage: dir.path().join("p.vbs"),
            uuid: Oid([1; 16]).to_string(),
            index: 0,
            owner: 0,
            group: 0,
            mounted: true,
            public: true,
        };
        let add = |entries: &mut crate::server::registry::Entries| {
            entries.add_vob(VobTag::new("/vobs/p").unwrap(), entry).unwrap();
            Ok::<_, crate::server::registry::RegistryError>(())
        };
        server.registry.change(add).unwrap();
        let caller = Caller::of_user(0, 0);
        let spec = server.compile(SPEC, Path::new("spec"), &caller).unwrap();
        let view = server.host.add_view(View::new(ViewIndex(1), "v".to_owned(), storage, spec));
        let mounted = MountedVob { index: VobIndex(1), tag: "/vobs/p".to_owned(), vob: Arc::new(vob) };
        let vob = server.host.add_vob(mounted);
        let fixture = Fixture { server, caller, vob, view, dir };
        fixture.fill();
        fixture.private(ElementNo::ROOT, "notes");
        fixture
    }

    fn fill(&self) {
        let element = |number: ElementNo, kind, element_type| Operation::CreateElement {
            number,
            oid: Oid([number.0 as u8; 16]),
            kind,
            element_type,
            owner: 0,
            group: 0,
            mode: 0o755,
        };
        let file = |number| element(number, ElementKind::File, predefined::TEXT_FILE);
        let version = |element, branch, executable| Operation::CreateVersion {
            element,
            branch: BranchNo(branch),
            content: Content::File { hash: [0; 32], size: 1 },
            executable,
            effective_ns: None,
        };
        let names = |element, changes| Operation::CreateDirectoryVersion {
            element,
            branch: BranchNo::ROOT,
            changes,
            effective_ns: None,
        };
        let commit_id = ("GitCommit", "abc");
        self.commit(1000, "anne", "begin", &[commit_id], vec![file(FOO), version(FOO, 0, false)]);
        let operations = vec![
            element(SRC, ElementKind::Directory, predefined::DIRECTORY),
            file(BAR),
            version(BAR, 0, true),
            file(HIDDEN),
            version(HIDDEN, 0, false),
            Operation::CreateSymlink {
                number: SymlinkNo(0),
                oid: Oid([9; 16]),
                target: b"foo.c".as_slice().into(),
            },
            names(SRC, vec![change("bar.c", Some(Entry::Element(BAR)))]),
        ];
        self.commit(1010, "anne", "more", &[], operations);
        let catalog = vec![
            change("foo.c", Some(Entry::Element(FOO))),
            change("hidden.c", Some(Entry::Element(HIDDEN))),
            change("link", Some(Entry::Symlink(SymlinkNo(0)))),
            change("src", Some(Entry::Element(SRC))),
        ];
        self.commit(1020, "anne", "names", &[], vec![names(ElementNo::ROOT, catalog)]);
        let new_type =
            |number, kind, name: &str| Operation::CreateType { number, kind, name: name.to_owned() };
        let operations = vec![
            new_type(FIX, TypeKind::Branch, "fix"),
            Operation::CreateBranch { element: FOO, from: VersionNo(1), branch_type: FIX },
            version(FOO, 1, false),
        ];
        self.commit(1030, "bob", "fix it", &[], operations);
        let operations = vec![
            new_type(REL1, TypeKind::Label, "REL1"),
            Operation::ApplyLabel { label: REL1, targets: vec![(FOO, VersionNo(1))] },
        ];
        self.commit(1040, "anne", "tag", &[commit_id], operations);
        let (from, to) = (VersionNo(3), VersionNo(1));
        let merge = Operation::CreateHyperlink { link_type: predefined::MERGE, element: FOO, from, to };
        self.commit(1050, "anne", "second", &[], vec![version(FOO, 0, false), merge]);
        self.check_out(1060, FOO, ViewUuid([8; 16]), "other", VersionNo(4));
    }

    pub fn commit(
        &self,
        time_s: i64,
        login: &str,
        comment: &str,
        attributes: &[(&str, &str)],
        operations: Vec<Operation>,
    ) {
        let attribute = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let transaction = Transaction {
            time_ns: time_s * 1_000_000_000 + 5,
            user: user(login),
            comment: comment.to_owned(),
            attributes: attributes.iter().map(attribute).collect(),
            operations,
        };
        let committed =
            self.vob.vob.commit(|_| Ok::<_, std::convert::Infallible>(vec![transaction])).unwrap();
        self.server.host.committed(&self.vob, &committed).unwrap();
    }

    pub fn check_out(&self, time_s: i64, element: ElementNo, view: ViewUuid, tag: &str, from: VersionNo) {
        let operation = Operation::CheckOut {
            element,
            view,
            view_tag: tag.to_owned(),
            branch: BranchNo::ROOT,
            from,
            reserved: true,
        };
        self.commit(time_s, "anne", "try", &[], vec![operation]);
    }

    /// Makes a private file in a directory.
    pub fn private(&self, directory: ElementNo, name: &str) -> PathBuf {
        let oid = self.vob.element(directory).unwrap().oid;
        let path = self.view.storage.dir().join(ViewStorage::private(&oid)).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        path
    }

    /// Makes the data of a checked-out file.
    pub fn data(&self, element: ElementNo) {
        let oid = self.vob.element(element).unwrap().oid;
        std::fs::write(self.view.storage.dir().join(ViewStorage::checkout(&oid)), "x").unwrap();
    }

    /// Puts another config spec in force.
    pub fn set_spec(&self, spec: &str) {
        let compiled = self.server.compile(spec.as_bytes(), Path::new("spec"), &self.caller);
        self.server.host.set_spec(&self.view, compiled.unwrap());
    }

    pub fn context(&self) -> Option<Context> {
        Some(Context {
            working_directory: b"/view/v/vobs/p".to_vec(),
            host: "neptune".to_owned(),
            ..Context::default()
        })
    }

    pub fn pname(&self, typed: &str) -> Pname {
        let absolute = match typed {
            "." => "/view/v/vobs/p".to_owned(),
            typed if typed.starts_with('/') => typed.to_owned(),
            typed => format!("/view/v/vobs/p/{typed}"),
        };
        Pname { typed: typed.into(), absolute: absolute.into_bytes() }
    }

    pub fn storage(&self) -> &Path {
        self.dir.path()
    }
}

fn user(login: &str) -> User {
    User {
        login: login.to_owned(),
        full_name: String::new(),
        group: "user".to_owned(),
        host: "neptune".to_owned(),
    }
}

fn path(fixture: &Fixture, with_view: bool, number: ElementNo) -> String {
    let view = with_view.then_some(&fixture.view);
    let element = fixture.vob.element(number).unwrap();
    text(&Names::new(view, &fixture.vob, b"/view/v").path(&element).unwrap())
}

#[test]
fn elements_are_called_what_the_view_calls_them() {
    let fixture = Fixture::new();
    let rename = |element, changes| Operation::CreateDirectoryVersion {
        element,
        branch: BranchNo::ROOT,
        changes,
        effective_ns: None,
    };
    let (out, into) = (change("bar.c", None), change("baz.c", Some(Entry::Element(BAR))));
    fixture.commit(1100, "anne", "rename", &[], vec![rename(SRC, vec![out, into])]);
    assert_eq!(path(&fixture, true, ElementNo::ROOT), "/view/v/vobs/p");
    assert_eq!(path(&fixture, true, BAR), "/view/v/vobs/p/src/baz.c");
    assert_eq!(path(&fixture, true, ElementNo::LOST_AND_FOUND), "/view/v/vobs/p/lost+found");
    fixture.set_spec("element src /main/1\nelement * /main/LATEST\n");
    assert_eq!(path(&fixture, true, BAR), "/view/v/vobs/p/src/bar.c");
    assert_eq!(path(&fixture, false, BAR), "/view/v/vobs/p/src/baz.c");
}

#[test]
fn directories_that_held_each_other_at_times_have_names() {
    let fixture = Fixture::new();
    let inner = ElementNo(6);
    let version = |element, changes| Operation::CreateDirectoryVersion {
        element,
        branch: BranchNo::ROOT,
        changes,
        effective_ns: None,
    };
    let make = Operation::CreateElement {
        number: inner,
        oid: Oid([6; 16]),
        kind: ElementKind::Directory,
        element_type: predefined::DIRECTORY,
        owner: 0,
        group: 0,
        mode: 0o755,
    };
    let named = |name, number| vec![change(name, Some(Entry::Element(number)))];
    let operations = vec![make, version(SRC, named("inner", inner)), version(inner, named("src", SRC))];
    fixture.commit(1100, "anne", "circle", &[], operations);
    assert_eq!(path(&fixture, true, inner), "/view/v/vobs/p/src/inner");
    let gone = vec![version(ElementNo::ROOT, vec![change("src", None)])];
    fixture.commit(1110, "anne", "cut off", &[], gone);
    assert!(path(&fixture, true, inner).starts_with("/view/v/vobs/p/"));
}

#[test]
fn attributes_are_printed_with_their_quotes() {
    assert_eq!(text(&quoted("a \"b\"")), "\"a \\\"b\\\"\"");
}

#[test]
fn private_files_are_told_to_those_who_could_reach_them() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let file = fixture.private(ElementNo::ROOT, "closed/file");
    let closed = file.parent().unwrap();
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let stranger = Caller::of_user(4_000_000_001, 4_000_000_001);
    let permitted =
        |path: &Path, caller: &Caller, last| permit_private(&fixture.view, path, caller, last).is_ok();
    assert!(permitted(&file, &fixture.caller, 0));
    assert!(!permitted(&file, &stranger, 0));
    assert!(!permitted(closed, &stranger, MAY_LIST));
    assert!(permitted(closed, &stranger, 0));
}

#[test]
fn rules_are_parted_from_their_branches() {
    assert_eq!(split_rule("/main/LATEST", None), ("/main/LATEST", "", false));
    assert_eq!(split_rule("REL1 -mkbranch b", Some("b")), ("REL1", "b", false));
    assert_eq!(split_rule("REL1 [-mkbranch b]", Some("b")), ("REL1", "b", true));
}
