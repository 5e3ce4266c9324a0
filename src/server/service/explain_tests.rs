//! Explanations in the VOB of `facts_tests`.

use super::super::facts::tests::{BAR, FOO, Fixture, OWN, SRC, change, text};
use super::*;
use crate::server::proto::{CheckoutRefusal, RuleMiss};
use crate::vob::{BranchNo, Oid, Operation, SymlinkNo, TypeNo, VersionNo};

fn ask(fixture: &Fixture, typed: &str) -> Outcome<Explanation> {
    ask_as(fixture, &fixture.caller, typed)
}

fn ask_as(fixture: &Fixture, caller: &Caller, typed: &str) -> Outcome<Explanation> {
    let request = ExplainRequest { context: fixture.context(), pnames: vec![fixture.pname(typed)] };
    let mut items = Vec::new();
    let mut send = |item: ExplainItem| {
        items.push(item);
        true
    };
    fixture.server.explain(caller, &request, &mut send).unwrap();
    assert_eq!(items.len(), 1);
    match items.remove(0).item.unwrap() {
        Item::Explanation(explanation) => Ok(explanation),
        Item::Failure(failure) => Err(failure),
    }
}

fn name(fixture: &Fixture, typed: &str) -> ExplainedName {
    match ask(fixture, typed).unwrap().finding {
        Some(Told::Name(name)) => name,
        other => panic!("{typed}: {other:?}"),
    }
}

fn element(name: &ExplainedName) -> &ExplainedElement {
    match &name.object {
        Some(Object::Element(element)) => element,
        other => panic!("{other:?}"),
    }
}

/// Line of the deciding rule, and the reasons of those before it.
fn trail(name: &ExplainedName) -> (Option<u32>, Vec<RuleMiss>) {
    let trail = name.trail.as_ref().unwrap();
    (trail.decided_by.as_ref().map(|rule| rule.line), trail.missed.iter().map(|m| m.why()).collect())
}

#[test]
fn a_version_has_its_rule_and_the_misses_before_it() {
    let fixture = Fixture::new();
    let foo = name(&fixture, "foo.c");
    assert_eq!(
        (element(&foo).state(), text(&element(&foo).version)),
        (ElementState::Version, "/main/2".into())
    );
    assert_eq!(trail(&foo), (Some(3), vec![RuleMiss::NotCheckedOut, RuleMiss::Pattern]));
    assert_eq!(trail(&name(&fixture, "hidden.c")), (Some(2), vec![RuleMiss::NotCheckedOut]));
    assert_eq!(element(&name(&fixture, "hidden.c")).state(), ElementState::NotSelected);
}

#[test]
fn checkouts_are_told_with_their_data_and_without_it() {
    let fixture = Fixture::new();
    fixture.check_out(1100, BAR, OWN, "v", VersionNo(1));
    let bar = name(&fixture, "src/bar.c");
    assert_eq!(element(&bar).state(), ElementState::CheckedOutButRemoved);
    fixture.data(BAR);
    let bar = name(&fixture, "src/bar.c");
    assert_eq!(element(&bar).state(), ElementState::CheckedOut);
    assert_eq!(text(&element(&bar).checked_out_from), "/main/1");
    fixture.set_spec("element * /main/LATEST\n");
    let bar = name(&fixture, "src/bar.c");
    assert_eq!(
        (element(&bar).state(), text(&element(&bar).checkout)),
        (ElementState::Version, "/main/CHECKEDOUT".into())
    );
}

#[test]
fn a_name_that_is_not_seen_leads_to_the_reason_on_its_way() {
    let fixture = Fixture::new();
    fixture.set_spec("element src -none\nelement * /main/LATEST\n");
    let told = ask(&fixture, "src/bar.c").unwrap();
    assert_eq!((text(&told.path), text(&told.below)), ("/vobs/p/src".into(), "/bar.c".into()));
    fixture.set_spec("element /vobs/p/src/... /main/LATEST\n");
    let told = ask(&fixture, "src/bar.c").unwrap();
    assert_eq!((text(&told.path), text(&told.below)), ("/vobs/p".into(), "/src/bar.c".into()));
}

#[test]
fn private_names_tell_what_they_hide() {
    let fixture = Fixture::new();
    fixture.private(SRC, "bar.c");
    fixture.private(SRC, "box/file");
    let private = |typed: &str| match ask(&fixture, typed).unwrap() {
        Explanation { finding: Some(Told::Private(private)), below, .. } => (private, text(&below)),
        other => panic!("{other:?}"),
    };
    let (bar, _) = private("src/bar.c");
    assert_eq!(text(&element(&bar.hides.unwrap()).version), "/main/1");
    let (file, _) = private("src/box/file");
    assert_eq!((file.kind(), file.hides), (PrivateKind::File, None));
    assert_eq!(ask(&fixture, "src/box/none").unwrap_err().code(), FailureCode::NoSuchFile);
    // Hidden behind a directory, an element cannot be seen.
    fixture.private(ElementNo::ROOT, "src/other");
    let (src, below) = private("src/bar.c");
    assert_eq!((src.kind(), below), (PrivateKind::Directory, "/bar.c".into()));
    assert!(src.hides.is_some());
    let (other, below) = private("src/other");
    assert_eq!((other.hides, below), (None, String::new()));
}

#[test]
fn private_names_are_told_to_those_who_could_reach_them() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let file = fixture.private(ElementNo::ROOT, "closed/file");
    std::fs::set_permissions(file.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let stranger = Caller::of_user(4_000_000_001, 4_000_000_001);
    assert!(ask(&fixture, "closed/file").is_ok());
    assert_eq!(ask_as(&fixture, &stranger, "closed/file").unwrap_err().errno, libc::EACCES);
}

#[test]
fn renamed_and_removed_names_are_found_where_they_were() {
    let fixture = Fixture::new();
    let names = |changes| Operation::CreateDirectoryVersion {
        element: SRC,
        branch: BranchNo::ROOT,
        changes,
        effective_ns: None,
    };
    let renamed = vec![change("bar.c", None), change("baz.c", Some(Entry::Element(BAR)))];
    fixture.commit(1100, "anne", "rename", &[], vec![names(renamed)]);
    let absence = |typed: &str| match ask(&fixture, typed).unwrap().finding {
        Some(Told::Absence(absence)) => absence,
        other => panic!("{other:?}"),
    };
    let [sighting] = &absence("src/bar.c").sightings[..] else { panic!("one branch") };
    assert_eq!(text(&sighting.directory_version), "/main/1");
    assert_eq!(text(&sighting.removed_in), "/main/2");
    assert_eq!(text(&sighting.shown_as), "/vobs/p/src/baz.c");
    assert_eq!(text(&absence("src/bar.c@@/main/1").sightings[0].directory_version), "/main/1");
    fixture.set_spec("element src /main/1\nelement * /main/LATEST\n");
    let [sighting] = &absence("src/baz.c").sightings[..] else { panic!("one branch") };
    assert_eq!((text(&sighting.added_in), text(&sighting.removed_in)), ("/main/2".into(), String::new()));
    assert_eq!(text(&sighting.shown_as), "/vobs/p/src/bar.c");
    assert_eq!(ask(&fixture, "src/never.c").unwrap_err().code(), FailureCode::NoSuchFile);
}

#[test]
fn names_that_a_checkout_adds_are_found_there() {
    let fixture = Fixture::new();
    fixture.check_out(1100, SRC, crate::vob::ViewUuid([8; 16]), "other", VersionNo(1));
    let changes = vec![change("new.c", Some(Entry::Element(FOO)))];
    let view = crate::vob::ViewUuid([8; 16]);
    fixture.commit(
        1110,
        "bob",
        "",
        &[],
        vec![Operation::ChangeDirectory { element: SRC, view, changes, note: String::new() }],
    );
    let Some(Told::Absence(absence)) = ask(&fixture, "src/new.c").unwrap().finding else { panic!("absent") };
    let [sighting] = &absence.sightings[..] else { panic!("{absence:?}") };
    assert_eq!(
        (text(&sighting.directory_version), &sighting.view_tag[..]),
        ("/main/CHECKEDOUT".into(), "other")
    );
}

#[test]
fn links_are_followed_and_may_be_hidden() {
    let fixture = Fixture::new();
    let link = name(&fixture, "link");
    assert_eq!(trail(&link), (Some(1), vec![]));
    assert!(matches!(link.object, Some(Object::Symlink(_))));
    let told = ask(&fixture, "link@@/main/1");
    assert_eq!(told.unwrap_err().code(), FailureCode::NoSuchFile);
    assert_eq!(ask(&fixture, "link/x").unwrap_err().code(), FailureCode::NotADirectory);
    fixture.set_spec("element /vobs/p /main/LATEST\n");
    assert_eq!(trail(&name(&fixture, "link")), (None, vec![RuleMiss::Pattern]));
}

#[test]
fn links_that_lead_out_of_the_vob_or_round_are_where_an_explanation_ends() {
    let fixture = Fixture::new();
    let link = |number: u32, target: &str| Operation::CreateSymlink {
        number: SymlinkNo(number),
        oid: Oid([number as u8 + 20; 16]),
        target: target.as_bytes().into(),
    };
    let changes = [("out", 1), ("round", 2), ("src2", 3), ("back", 4)]
        .map(|(name, number)| change(name, Some(Entry::Symlink(SymlinkNo(number)))));
    let names = Operation::CreateDirectoryVersion {
        element: ElementNo::ROOT,
        branch: BranchNo::ROOT,
        changes: changes.into(),
        effective_ns: None,
    };
    let operations =
        vec![link(1, "/etc"), link(2, "./round"), link(3, "../p/src"), link(4, "/view/v/vobs/p/src2"), names];
    fixture.commit(1100, "anne", "links", &[], operations);
    let ask = |typed: &str| ask(&fixture, typed).unwrap();
    let out = ask("out/passwd");
    assert_eq!((text(&out.path), text(&out.below)), ("/vobs/p/out".into(), "/passwd".into()));
    assert!(out.links.is_empty() && matches!(out.finding, Some(Told::Name(_))));
    let round = ask("round/x");
    assert_eq!((round.links.len(), text(&round.below)), (crate::view::explain::LINKS_MAX, "/x".into()));
    let back = ask("back/bar.c");
    let links: Vec<String> = back.links.iter().map(|link| text(&link.path)).collect();
    assert_eq!(links, ["/vobs/p/back", "/vobs/p/src2"]);
    assert_eq!((text(&back.path), text(&back.below)), ("/vobs/p/src/bar.c".into(), String::new()));
}

#[test]
fn a_vob_that_is_not_mounted_is_the_reason() {
    let fixture = Fixture::new();
    fixture.server.host.remove_vob("/vobs/p");
    let told = ask(&fixture, "src/bar.c").unwrap();
    assert_eq!(told.finding, Some(Told::Unmounted(ExplainedUnmounted {})));
    assert_eq!((text(&told.path), text(&told.below)), ("/vobs/p".into(), "/src/bar.c".into()));
    assert_eq!(ask(&fixture, "/view/v/vobs/q").unwrap_err().code(), FailureCode::NotInAVob);
    assert_eq!(ask(&fixture, "/view/none/vobs/p").unwrap_err().code(), FailureCode::NoSuchViewTag);
}

#[test]
fn a_checkout_is_foretold() {
    let fixture = Fixture::new();
    let forecast = |typed: &str| element(&name(&fixture, typed)).forecast.clone().unwrap();
    // foo.c has a branch fix already, which no rule selects.
    assert_eq!(forecast("foo.c").refusal(), CheckoutRefusal::BranchExists);
    assert_eq!(text(&forecast("foo.c").branch), "/main/fix");
    assert_eq!(forecast("hidden.c").refusal(), CheckoutRefusal::NotSelected);
    assert_eq!(forecast("lost+found").refusal(), CheckoutRefusal::LostAndFound);
    assert_eq!(
        (forecast("src/bar.c").refusal(), text(&forecast("src/bar.c").from)),
        (CheckoutRefusal::None, "/main/1".into())
    );
    for (rule, refusal, creates) in [
        ("/main/LATEST", CheckoutRefusal::None, ""),
        ("/main/LATEST -nocheckout", CheckoutRefusal::Rule, ""),
        (".../fix/LATEST\nelement * /main/LATEST -mkbranch fix", CheckoutRefusal::None, "fix"),
        // The branch would be made, and not be seen.
        ("/main/LATEST -mkbranch fix", CheckoutRefusal::BranchExists, ""),
        ("/main/LATEST -mkbranch none", CheckoutRefusal::NoSuchBranchType, ""),
    ] {
        fixture.set_spec(&format!("element * CHECKEDOUT\nelement * {rule}\n"));
        let told = forecast("src/bar.c");
        assert_eq!(
            (told.refusal(), text(&told.creates_branches.join(&b" "[..]))),
            (refusal, creates.to_owned()),
            "{rule}"
        );
    }
    fixture.set_spec("element * CHECKEDOUT\nelement * /main/LATEST\n");
    let held = forecast("foo.c");
    assert_eq!((held.refusal(), &held.view_tag[..]), (CheckoutRefusal::ReservedElsewhere, "other"));
    fixture.set_spec("element * /main/LATEST\n");
    let unseen = forecast("src/bar.c");
    assert_eq!((unseen.refusal(), unseen.hidden), (CheckoutRefusal::None, true));
}

#[test]
fn type_names_of_misses_are_told() {
    let fixture = Fixture::new();
    let label =
        Operation::CreateType { number: TypeNo(11), kind: crate::vob::TypeKind::Label, name: "REL2".into() };
    fixture.commit(1100, "anne", "", &[], vec![label]);
    fixture.set_spec(
        "element -eltype odd * /main/LATEST\nelement * /main/fix/odd/LATEST\nelement * /main/fix/LATEST\n\
         element * REL9\nelement * REL2\nelement * /main/77\nelement * /main/LATEST -time 1-Jan-1970.00:01UTC\n\
         element * /main/LATEST\n",
    );
    let bar = name(&fixture, "src/bar.c");
    let missed = &bar.trail.as_ref().unwrap().missed;
    let found: Vec<(RuleMiss, String)> = missed.iter().map(|m| (m.why(), text(&m.type_name))).collect();
    let expected = [
        (RuleMiss::NoSuchElementType, "odd"),
        (RuleMiss::NoSuchBranchType, "odd"),
        (RuleMiss::NoSuchBranch, ""),
        (RuleMiss::NoSuchLabelType, "REL9"),
        (RuleMiss::NotLabelled, "REL2"),
        (RuleMiss::NoSuchVersion, ""),
        (RuleMiss::BranchYoungerThanTime, ""),
    ];
    assert_eq!(found, expected.map(|(why, name)| (why, name.to_owned())));
    assert_eq!(missed[6].rule.as_ref().unwrap().not_after_s, Some(60));
    assert_eq!(element(&bar).element_type, b"text_file");
}
