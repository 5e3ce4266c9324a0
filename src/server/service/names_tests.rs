//! What rmname, mv and ln plan, for whom, and what of it is one commit.

use super::super::facts::tests::{BAR, FOO, Fixture, OWN, SRC, change};
use super::twins::refuse_twin;
use super::*;
use crate::server::service::facts;
use crate::store::{LawBroken, check_laws};
use crate::view::live::View;
use crate::vob::apply::DirectoryAt;
use crate::vob::state::predefined;
use crate::vob::{Directory, ElementNo, Entry, Oid, Operation, VersionNo};
use std::sync::Arc;

const HIDDEN: ElementNo = ElementNo(5);
const NEW: ElementNo = ElementNo(6);

/// The root and `src` are checked out to the view.
fn checked_out() -> Fixture {
    let fixture = Fixture::new();
    for directory in [ElementNo::ROOT, SRC] {
        let newest = fixture.vob.element(directory).unwrap().versions.len() as u32 - 1;
        fixture.check_out(2000, directory, OWN, "v", VersionNo(newest));
    }
    fixture
}

fn user(user_id: u32, group_id: u32) -> Caller {
    Caller { user_id, group_id, groups: Vec::new().into(), process_id: 1 }
}

fn codes(reply: NamesReply) -> Vec<Option<FailureCode>> {
    let code = |outcome: NameOutcome| match outcome.outcome {
        Some(name_outcome::Outcome::Failure(failure)) => Some(failure.code()),
        _ => None,
    };
    reply.outcomes.into_iter().map(code).collect()
}

fn remove(fixture: &Fixture, caller: &Caller, names: &[&str], in_place: bool) -> NamesReply {
    let request = RemoveNamesRequest {
        context: fixture.context(),
        pnames: names.iter().map(|name| fixture.pname(name)).collect(),
        comment: b"why".to_vec(),
        in_place,
        force: true,
    };
    fixture.server.remove_names(caller, &request).unwrap()
}

fn rename(fixture: &Fixture, caller: &Caller, sources: &[&str], target: &str) -> NamesReply {
    let request = MoveNamesRequest {
        context: fixture.context(),
        sources: sources.iter().map(|name| fixture.pname(name)).collect(),
        target: Some(fixture.pname(target)),
        comment: Vec::new(),
    };
    fixture.server.move_names(caller, &request).unwrap()
}

fn link(fixture: &Fixture, caller: &Caller, source: &str, target: &str) -> NamesReply {
    let request = LinkNamesRequest {
        context: fixture.context(),
        sources: vec![fixture.pname(source)],
        target: Some(fixture.pname(target)),
        ..LinkNamesRequest::default()
    };
    fixture.server.link_names(caller, &request).unwrap()
}

fn events(fixture: &Fixture) -> u32 {
    fixture.vob.vob.state().header.events
}

fn held(fixture: &Fixture, directory: ElementNo) -> Vec<(String, Entry)> {
    let element = fixture.vob.element(directory).unwrap();
    let at = DirectoryAt::CheckedOut(element.checkout_of(&OWN).unwrap().number);
    let catalog = fixture.vob.vob.directory(directory, at).unwrap();
    catalog.iter().map(|(name, entry)| (String::from_utf8_lossy(name).into_owned(), entry)).collect()
}

fn names(fixture: &Fixture, directory: ElementNo) -> Vec<String> {
    held(fixture, directory).into_iter().map(|(name, _)| name).collect()
}

fn lost(fixture: &Fixture) -> Vec<String> {
    let at = DirectoryAt::Version(VersionNo::ROOT);
    let catalog = fixture.vob.vob.directory(ElementNo::LOST_AND_FOUND, at).unwrap();
    catalog.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
}

fn make(fixture: &Fixture, number: ElementNo, kind: ElementKind, owner: u32) {
    let (oid, group) = (Oid([number.0 as u8; 16]), owner);
    let element_type = match kind {
        ElementKind::File => predefined::TEXT_FILE,
        ElementKind::Directory => predefined::DIRECTORY,
    };
    let make = Operation::CreateElement { number, oid, kind, element_type, owner, group, mode: 0o755 };
    fixture.commit(2100, "anne", "", &[], vec![make]);
}

fn put(fixture: &Fixture, directory: ElementNo, name: &str, element: ElementNo) {
    let changes = vec![change(name, Some(Entry::Element(element)))];
    let note = String::new();
    let put = Operation::ChangeDirectory { element: directory, view: OWN, changes, note };
    fixture.commit(2200, "anne", "", &[], vec![put]);
}

#[test]
fn a_move_between_directories_is_one_commit() {
    let fixture = checked_out();
    let before = events(&fixture);
    assert_eq!(codes(rename(&fixture, &fixture.caller, &["foo.c", "link"], "src")), [None, None]);
    assert_eq!(events(&fixture), before + 1);
    assert_eq!(names(&fixture, ElementNo::ROOT), ["hidden.c", "lost+found", "src"]);
    assert_eq!(names(&fixture, SRC), ["bar.c", "foo.c", "link"]);
    assert_eq!(held(&fixture, SRC)[1].1, Entry::Element(FOO));
}

#[test]
fn what_is_refused_keeps_nothing_else_from_being_done() {
    let fixture = checked_out();
    let before = events(&fixture);
    let done =
        codes(remove(&fixture, &fixture.caller, &["none", "foo.c", "notes", "hidden.c", "foo.c"], false));
    let (missing, private) = (Some(FailureCode::NoSuchFile), Some(FailureCode::NotAVobObject));
    assert_eq!(done, [missing, None, private, None, missing]);
    assert_eq!(events(&fixture), before + 1);
    assert_eq!(names(&fixture, ElementNo::ROOT), ["link", "lost+found", "src"]);
    let comment = fixture.vob.element(ElementNo::ROOT).unwrap().checkout_of(&OWN).unwrap().comment.clone();
    assert!(
        comment.ends_with("Uncataloged file element \"foo.c\".\nUncataloged file element \"hidden.c\".\nwhy"),
        "{comment}"
    );
    // Where all is refused, nothing is committed.
    let before = events(&fixture);
    assert_eq!(codes(remove(&fixture, &fixture.caller, &["none"], false)), [missing]);
    assert_eq!(events(&fixture), before);
    assert!(fixture.vob.element(HIDDEN).unwrap().names.len() == 1);
}

#[test]
fn names_that_one_command_chains_are_planned_one_after_the_other() {
    let fixture = checked_out();
    let done = rename(&fixture, &fixture.caller, &["foo.c", "src/bar.c"], "src");
    assert_eq!(codes(done), [None, Some(FailureCode::EntryExists)]);
    let twice = rename(&fixture, &fixture.caller, &["src/foo.c", "src/foo.c"], ".");
    assert_eq!(codes(twice), [None, Some(FailureCode::NoSuchFile)]);
    assert_eq!(names(&fixture, SRC), ["bar.c"]);
}

#[test]
fn an_element_is_lost_when_the_last_of_several_names_goes() {
    let fixture = checked_out();
    make(&fixture, NEW, ElementKind::File, 0);
    put(&fixture, ElementNo::ROOT, "a", NEW);
    put(&fixture, SRC, "b", NEW);
    let reply = remove(&fixture, &fixture.caller, &["a", "src/b"], false);
    let told = |outcome: &NameOutcome| match &outcome.outcome {
        Some(name_outcome::Outcome::Done(done)) => done.notices.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reply.outcomes.iter().map(told).collect::<Vec<_>>(), [0, 1]);
    let oid = Oid([NEW.0 as u8; 16]);
    assert_eq!(lost(&fixture), [format!("b.{oid}")]);
    let there = format!("lost+found/b.{oid}");
    assert_eq!(codes(rename(&fixture, &fixture.caller, &[there.as_str()], "src/back")), [None]);
    assert!(lost(&fixture).is_empty());
    assert_eq!(names(&fixture, SRC), ["back", "bar.c"]);
}

/// Two new directories that hold each other in their only versions; the root's checkout holds one.
fn in_each_other(fixture: &Fixture) {
    let [outer, inner] = [NEW, ElementNo(NEW.0 + 1)];
    make(fixture, outer, ElementKind::Directory, 0);
    make(fixture, inner, ElementKind::Directory, 0);
    for (element, name, other) in [(outer, "inner", inner), (inner, "outer", outer)] {
        let changes = vec![change(name, Some(Entry::Element(other)))];
        let (branch, effective_ns) = (crate::vob::BranchNo::ROOT, None);
        let version = Operation::CreateDirectoryVersion { element, branch, changes, effective_ns };
        fixture.commit(2150, "anne", "", &[], vec![version]);
    }
    put(fixture, ElementNo::ROOT, "outer", outer);
}

#[track_caller]
fn nothing_is_unreachable(fixture: &Fixture) {
    let mut unreachable = Vec::new();
    let mut note = |breach| {
        // The fixture's contents are in no pool.
        if let LawBroken::Unreachable { element } = breach {
            unreachable.push(element);
        }
    };
    check_laws(&fixture.vob.vob, &mut note).unwrap();
    assert_eq!(unreachable, []);
}

#[test]
fn directories_that_only_hold_each_other_are_lost() {
    let fixture = checked_out();
    in_each_other(&fixture);
    let both = remove(&fixture, &fixture.caller, &["outer/inner", "outer"], false);
    assert_eq!(codes(both), [Some(FailureCode::DirectoryNotCheckedOut), None]);
    // The other one is found inside.
    assert_eq!(lost(&fixture), [format!("outer.{}", Oid([NEW.0 as u8; 16]))]);
    nothing_is_unreachable(&fixture);

    let fixture = checked_out();
    in_each_other(&fixture);
    put(&fixture, ElementNo::ROOT, "z", ElementNo(NEW.0 + 1));
    cancel_check_out(&fixture, ".");
    assert_eq!(lost(&fixture), [format!("outer.{}", Oid([NEW.0 as u8; 16]))]);
    nothing_is_unreachable(&fixture);

    let fixture = checked_out();
    in_each_other(&fixture);
    put(&fixture, ElementNo::ROOT, "z", ElementNo(NEW.0 + 1));
    assert_eq!(codes(remove(&fixture, &fixture.caller, &["outer", "z"], false)), [None, None]);
    assert_eq!(lost(&fixture), [format!("z.{}", Oid([NEW.0 as u8 + 1; 16]))]);
    nothing_is_unreachable(&fixture);
}

fn cancel_check_out(fixture: &Fixture, name: &str) {
    let argument = UncheckoutArgument { pname: Some(fixture.pname(name)), ..UncheckoutArgument::default() };
    let request = UncheckoutRequest {
        context: fixture.context(),
        arguments: vec![argument],
        ..UncheckoutRequest::default()
    };
    let reply = fixture.server.cancel_check_out(&fixture.caller, &request).unwrap();
    assert!(matches!(reply.outcomes[0].outcome, Some(uncheckout_outcome::Outcome::Done(_))), "{reply:?}");
}

fn remove_element(fixture: &Fixture, name: &str) {
    let request = RemoveRequest {
        context: fixture.context(),
        what: RemoveWhat::Elements.into(),
        pnames: vec![fixture.pname(name)],
        ..RemoveRequest::default()
    };
    let reply = fixture.server.remove(&fixture.caller, &request).unwrap();
    assert!(matches!(reply.outcomes[0].outcome, Some(remove_outcome::Outcome::Done(_))), "{reply:?}");
}

#[test]
fn an_element_that_remembers_a_removed_directory_is_like_any_other() {
    let fixture = checked_out();
    make(&fixture, NEW, ElementKind::File, 0);
    // No version ever had the name: whoever removes the directory cannot find who remembers it.
    put(&fixture, SRC, "n", NEW);
    cancel_check_out(&fixture, "src");
    remove_element(&fixture, "src");
    let there = format!("lost+found/n.{}", Oid([NEW.0 as u8; 16]));
    assert_eq!(lost(&fixture).len(), 2);
    nothing_is_unreachable(&fixture);
    assert_eq!(codes(rename(&fixture, &fixture.caller, &[there.as_str()], "back")), [None]);
    let path = |view: Option<&Arc<View>>| {
        let mut names = facts::Names::new(view, &fixture.vob, b"/view/v");
        String::from_utf8(names.path(&fixture.vob.element(NEW).unwrap()).unwrap()).unwrap()
    };
    assert_eq!(path(Some(&fixture.view)), "/view/v/vobs/p/back");
    let request = CheckoutRequest {
        context: fixture.context(),
        arguments: vec![CheckoutArgument {
            pname: Some(fixture.pname("back")),
            ..CheckoutArgument::default()
        }],
        ..CheckoutRequest::default()
    };
    let reply = fixture.server.check_out(&fixture.caller, &request).unwrap();
    assert!(matches!(reply.outcomes[0].outcome, Some(checkout_outcome::Outcome::Done(_))), "{reply:?}");
    fixture.set_spec("element * /main/LATEST\n");
    fixture.set_spec("element * CHECKEDOUT\nelement * /main/LATEST\n");
    assert_eq!(codes(remove(&fixture, &fixture.caller, &["back"], false)), [None]);
    let there = format!("lost+found/back.{}", Oid([NEW.0 as u8; 16]));
    cancel_check_out(&fixture, &there);
    remove_element(&fixture, &there);
    assert_eq!(lost(&fixture), [format!("bar.c.{}", Oid([BAR.0 as u8; 16]))]);
    nothing_is_unreachable(&fixture);
}

#[test]
fn data_of_a_file_that_no_visible_name_leads_to_stays_where_the_last_one_was() {
    let fixture = checked_out();
    fixture.check_out(2300, BAR, OWN, "v", VersionNo(1));
    fixture.data(BAR);
    put(&fixture, ElementNo::ROOT, "again.c", BAR);
    put(&fixture, ElementNo::ROOT, "more.c", BAR);
    let private = |name: &str| {
        let oid = fixture.vob.element(ElementNo::ROOT).unwrap().oid;
        fixture.view.storage.dir().join(crate::view::ViewStorage::private(&oid)).join(name)
    };
    assert_eq!(codes(remove(&fixture, &fixture.caller, &["more.c"], false)), [None]);
    assert!(!private("more.c").exists());
    // `src/bar.c` is catalogued still, and hidden with its directory.
    fixture.private(ElementNo::ROOT, "src");
    assert_eq!(codes(remove(&fixture, &fixture.caller, &["again.c"], false)), [None]);
    assert!(private("again.c").exists());
}

#[test]
fn a_private_link_is_not_followed_into_the_storage() {
    let fixture = checked_out();
    let notes = fixture.private(ElementNo::ROOT, "notes");
    let directory = notes.parent().unwrap();
    std::os::unix::fs::symlink(directory, directory.join("link")).unwrap();
    let below = codes(remove(&fixture, &fixture.caller, &["notes/x/y", "link/notes/y"], false));
    assert_eq!(below, [Some(FailureCode::NotADirectory); 2]);
}

#[test]
fn a_name_in_lost_and_found_is_cut_to_fit_beside_the_identity() {
    let fixture = checked_out();
    make(&fixture, NEW, ElementKind::File, 0);
    let longest = "n".repeat(255);
    put(&fixture, SRC, &longest, NEW);
    let typed = format!("src/{longest}");
    assert_eq!(codes(remove(&fixture, &fixture.caller, &[typed.as_str()], false)), [None]);
    let name = lost(&fixture).remove(0);
    assert_eq!(name.len(), 255);
    assert_eq!(name, format!("{}.{}", &longest[..255 - 33], Oid([NEW.0 as u8; 16])));
}

#[test]
fn who_may_check_a_directory_out_may_modify_it() {
    let fixture = checked_out();
    let (stranger, member) = (user(1000, 1000), user(1000, 0));
    let refused = [Some(FailureCode::Permission)];
    assert_eq!(codes(remove(&fixture, &stranger, &["foo.c"], false)), refused);
    assert_eq!(codes(rename(&fixture, &stranger, &["foo.c"], "new.c")), refused);
    assert_eq!(codes(link(&fixture, &stranger, "foo.c", "new.c")), refused);
    assert_eq!(codes(rename(&fixture, &member, &["foo.c"], "new.c")), [None]);
    assert_eq!(codes(link(&fixture, &member, "new.c", "again.c")), [None]);
    assert_eq!(codes(remove(&fixture, &member, &["new.c"], false)), [None]);
    let reply = remove(&fixture, &stranger, &["again.c"], false);
    let Some(name_outcome::Outcome::Failure(failure)) = &reply.outcomes[0].outcome else {
        panic!("{reply:?}");
    };
    assert_eq!(failure.operation, "modify directory");
    assert_eq!(failure.must_be_one_of, ["element group member", "element owner", "VOB owner", "root"]);
}

#[test]
fn only_owners_change_versions_in_place() {
    let fixture = Fixture::new();
    let (stranger, member) = (user(1000, 1000), user(1000, 0));
    let in_place = |caller| codes(remove(&fixture, caller, &["src/bar.c"], true));
    assert_eq!(in_place(&stranger), [Some(FailureCode::Permission)]);
    assert_eq!(in_place(&member), [Some(FailureCode::Permission)]);
    let not_asked = codes(remove(&fixture, &fixture.caller, &["src/bar.c"], false));
    assert_eq!(not_asked, [Some(FailureCode::DirectoryNotCheckedOut)]);
    assert_eq!(in_place(&fixture.caller), [None]);
    // The one version that catalogued it does no more.
    assert_eq!(lost(&fixture), [format!("bar.c.{}", Oid([BAR.0 as u8; 16]))]);
}

#[test]
fn who_may_modify_an_object_may_take_it_out_of_lost_and_found() {
    let fixture = checked_out();
    let (anne, directory) = (user(1000, 1000), ElementNo(NEW.0 + 1));
    make(&fixture, NEW, ElementKind::File, 1000);
    make(&fixture, directory, ElementKind::Directory, 1000);
    put(&fixture, ElementNo::ROOT, "dir", directory);
    fixture.check_out(2300, directory, OWN, "v", VersionNo::ROOT);
    let changes = vec![change("x.1", Some(Entry::Element(NEW))), change("y.1", Some(Entry::Element(FOO)))];
    let lose = Operation::ChangeInPlace { element: ElementNo::LOST_AND_FOUND, changes };
    fixture.commit(2400, "anne", "", &[], vec![lose]);
    assert_eq!(codes(rename(&fixture, &anne, &["lost+found/x.1"], "dir/x")), [None]);
    let others = codes(rename(&fixture, &anne, &["lost+found/y.1"], "dir/y"));
    assert_eq!(others, [Some(FailureCode::Permission)]);
    assert_eq!(names(&fixture, directory), ["x"]);
}

#[test]
fn a_directory_is_never_inside_itself() {
    let fixture = checked_out();
    make(&fixture, NEW, ElementKind::Directory, 0);
    put(&fixture, SRC, "deep", NEW);
    fixture.check_out(2300, NEW, OWN, "v", VersionNo::ROOT);
    let inside = [Some(FailureCode::DirectoryInItself)];
    for target in ["src", "src/x", "src/deep", "src/deep/x"] {
        assert_eq!(codes(rename(&fixture, &fixture.caller, &["src"], target)), inside, "{target}");
        assert_eq!(codes(link(&fixture, &fixture.caller, "src", target)), inside, "{target}");
    }
    assert_eq!(codes(link(&fixture, &fixture.caller, ".", "src/root")), inside);
    // The other way round it is a tree.
    assert_eq!(codes(rename(&fixture, &fixture.caller, &["src/deep"], "deep")), [None]);
    assert_eq!(codes(rename(&fixture, &fixture.caller, &["src"], "deep/src")), [None]);
    assert_eq!(codes(rename(&fixture, &fixture.caller, &["deep"], "deep/src")), inside);
}

#[test]
fn a_twin_is_found_on_any_branch_and_only_when_it_is_another_element() {
    let fixture = checked_out();
    let directory = fixture.vob.element(SRC).unwrap();
    let twin = |name: &str, element| {
        refuse_twin(&fixture.vob.vob, (&directory, &Directory::default()), name.as_bytes(), element)
    };
    let failure = twin("bar.c", None).unwrap_err();
    assert_eq!((failure.code(), failure.branch.as_slice()), (FailureCode::EvilTwin, &b"/main/1"[..]));
    assert_eq!(twin("bar.c", Some(FOO)).unwrap_err().code(), FailureCode::EvilTwin);
    assert!(twin("bar.c", Some(BAR)).is_ok());
    assert!(twin("new.c", None).is_ok());
    // A version that takes the name away and gives it to a link does not hide the one before.
    let version = |changes| Operation::CreateDirectoryVersion {
        element: SRC,
        branch: crate::vob::BranchNo::ROOT,
        changes,
        effective_ns: None,
    };
    let link = Some(Entry::Symlink(crate::vob::SymlinkNo(0)));
    fixture.commit(2100, "anne", "", &[], vec![version(vec![change("bar.c", None)])]);
    fixture.commit(2200, "anne", "", &[], vec![version(vec![change("bar.c", link)])]);
    let directory = fixture.vob.element(SRC).unwrap();
    let failure =
        refuse_twin(&fixture.vob.vob, (&directory, &Directory::default()), b"bar.c", None).unwrap_err();
    assert_eq!(failure.branch, b"/main/1");
    let off = Operation::SetNote { key: DETECTION.to_owned(), value: b"off".as_slice().into() };
    fixture.commit(2300, "anne", "", &[], vec![off]);
    assert!(refuse_twin(&fixture.vob.vob, (&directory, &Directory::default()), b"bar.c", None).is_ok());
}

#[test]
fn what_is_below_a_directory_with_two_names_is_judged_by_the_way_that_was_taken() {
    use clerestory_mount::{Inode, Namespace};
    let fixture = checked_out();
    make(&fixture, NEW, ElementKind::Directory, 0);
    put(&fixture, SRC, "deep", NEW);
    fixture.check_out(2300, NEW, OWN, "v", VersionNo::ROOT);
    put(&fixture, NEW, "x", BAR);
    put(&fixture, ElementNo::ROOT, "again", SRC);
    fixture.set_spec("element again/.../x -none\nelement * CHECKEDOUT\nelement * /main/LATEST\n");
    let caller = clerestory_mount::Caller { uid: 0, gid: 0, pid: std::process::id() };
    let is_there = |path: &str| {
        let mut at = Inode::ROOT;
        path.split('/').all(|name| {
            let found = fixture.server.host.lookup(&caller, at, name.as_ref()).unwrap();
            at = found.as_ref().map_or(at, |found| found.inode);
            found.is_some()
        })
    };
    for _ in 0..2 {
        assert!(is_there("v/vobs/p/src/deep/x"));
        assert!(!is_there("v/vobs/p/again/deep/x"));
    }
}
