//! What is found of a small VOB: by scope, by queries of each level, and under which names.

use super::super::facts::tests::{BAR, Fixture, OWN, SRC, change, text};
use super::*;
use crate::server::proto::{FindFault, FindVisibility, Pname};
use crate::vob::state::predefined;
use crate::vob::{
    BranchNo, Content, ElementKind, ElementNo, Entry, Oid, Operation, SymlinkNo, VersionNo, ViewUuid,
};

const NEW: ElementNo = ElementNo(6);

fn items(fixture: &Fixture, ask: impl FnOnce(&mut FindRequest)) -> Vec<Item> {
    let mut request = FindRequest { context: fixture.context(), ..FindRequest::default() };
    ask(&mut request);
    let mut items = Vec::new();
    let mut send = |item: FindItem| {
        items.extend(item.item);
        true
    };
    fixture.server.find(&fixture.caller, &request, &mut send).unwrap();
    items
}

/// Version-extended names, and the codes of failures.
fn find(fixture: &Fixture, ask: impl FnOnce(&mut FindRequest)) -> Vec<String> {
    let row = |row: &FindRow| match row.kind() {
        crate::server::proto::ObjectKind::SymbolicLink => text(&row.name),
        _ => format!("{}@@{}", text(&row.name), text(&row.extension)),
    };
    let told = |item: &Item| match item {
        Item::Rows(rows) => rows.rows.iter().map(row).collect(),
        Item::Failure(failed) => {
            let failure = failed.failure.clone().unwrap();
            vec![format!("{:?} {}", failure.code(), text(&failure.name)).trim().to_owned()]
        }
        Item::Fault(fault) => {
            let told = fault.diagnostic.clone().unwrap();
            vec![format!("{:?} {}: {}", fault.r#where(), told.column, told.message)]
        }
    };
    items(fixture, ask).iter().flat_map(told).collect()
}

fn tree(fixture: &Fixture, ask: impl FnOnce(&mut FindRequest)) -> Vec<String> {
    find(fixture, |request| {
        request.pnames = vec![fixture.pname(".")];
        ask(request);
    })
}

fn all(fixture: &Fixture, ask: impl FnOnce(&mut FindRequest)) -> Vec<String> {
    tree(fixture, |request| {
        request.scope = FindScope::All.into();
        ask(request);
    })
}

fn invisible(request: &mut FindRequest) {
    request.visibility = FindVisibility::Invisible.into();
}

fn version(element: ElementNo, changes: Vec<crate::vob::NameChange>) -> Operation {
    Operation::CreateDirectoryVersion { element, branch: BranchNo::ROOT, changes, effective_ns: None }
}

#[test]
fn a_tree_is_what_the_view_shows_in_order() {
    let fixture = Fixture::new();
    let everything = [".@@", "./foo.c@@", "./link", "./lost+found@@", "./src@@", "./src/bar.c@@"];
    assert_eq!(tree(&fixture, |_| {}), everything);
    let depth = ["./foo.c@@", "./link", "./lost+found@@", "./src/bar.c@@", "./src@@", ".@@"];
    assert_eq!(tree(&fixture, |request| request.depth_first = true), depth);
    assert_eq!(
        tree(&fixture, |request| request.scope = FindScope::Entries.into()),
        [".@@", "./foo.c@@", "./link", "./lost+found@@", "./src@@"]
    );
    assert_eq!(tree(&fixture, |request| request.scope = FindScope::Object.into()), [".@@"]);
    // A private file hides an element, and is none itself.
    fixture.private(ElementNo::ROOT, "foo.c");
    fixture.private(SRC, "mine");
    assert_eq!(tree(&fixture, |_| {}), [".@@", "./link", "./lost+found@@", "./src@@", "./src/bar.c@@"]);
}

#[test]
fn names_are_written_as_the_arguments_were() {
    let fixture = Fixture::new();
    let named = |typed: &[&str]| {
        find(&fixture, |request| request.pnames = typed.iter().map(|typed| fixture.pname(typed)).collect())
    };
    assert_eq!(named(&["src", "foo.c"]), ["src@@", "src/bar.c@@", "foo.c@@"]);
    let slashes = |request: &mut FindRequest| {
        request.pnames = vec![Pname { typed: b"src//".to_vec(), ..fixture.pname("src") }];
    };
    assert_eq!(find(&fixture, slashes), ["src@@", "src/bar.c@@"]);
    let root = "/view/v/vobs/p";
    let absolute: Vec<String> = ["/.@@", "/foo.c@@", "/link", "/lost+found@@", "/src@@", "/src/bar.c@@"]
        .map(|name| format!("{root}{name}"))
        .to_vec();
    assert_eq!(named(&[root]), absolute);
    assert_eq!(
        named(&["hidden.c", "link", "notes", "nothing", "foo.c@@", "foo.c@@/main"]),
        ["hidden.c@@", "link", "NotAVobObject", "NoSuchFile", "foo.c@@", "VersionNameNotAllowed"]
    );
}

#[test]
fn kinds_owners_and_patterns_pick_out() {
    let fixture = Fixture::new();
    assert_eq!(tree(&fixture, |request| request.files = true), ["./foo.c@@", "./src/bar.c@@"]);
    assert_eq!(tree(&fixture, |request| request.directories = true), [".@@", "./lost+found@@", "./src@@"]);
    assert_eq!(tree(&fixture, |request| request.links = true), ["./link"]);
    let both = |request: &mut FindRequest| (request.links, request.files) = (true, true);
    assert_eq!(tree(&fixture, both), ["./foo.c@@", "./link", "./src/bar.c@@"]);
    let named = |pattern: &'static str| tree(&fixture, move |request| request.name = pattern.into());
    assert_eq!(named("*.c"), ["./foo.c@@", "./src/bar.c@@"]);
    assert_eq!(named("[a-b]*.?"), ["./src/bar.c@@"]);
    assert_eq!(named("."), [".@@"]);
    assert_eq!(named("[a"), ["Name 0: \"[\" is not closed"]);
    assert_eq!(tree(&fixture, |request| request.user_id = Some(0)).len(), 6);
    assert!(tree(&fixture, |request| request.user_id = Some(7)).is_empty());
    assert!(all(&fixture, |request| request.group_id = Some(7)).is_empty());
}

#[test]
fn queries_hold_for_elements_branches_or_versions() {
    let fixture = Fixture::new();
    for (element, branch, version, expected) in [
        // Elements.
        ("brtype(fix)", "", "", "./foo.c@@"),
        ("lbtype(REL1)", "", "", ""),
        ("lbtype_sub(REL1)", "", "", "./foo.c@@"),
        ("eltype(directory)", "", "", ".@@ ./lost+found@@ ./src@@"),
        ("attype_sub(GitCommit)", "", "", "./foo.c@@"),
        ("created_by(vobadm)", "", "", ".@@ ./lost+found@@"),
        ("created_since(1970-01-01T00:16:45Z)", "", "", "./src@@ ./src/bar.c@@ ./hidden.c@@"),
        ("version(.../fix/1)", "", "", "./foo.c@@"),
        ("merge(fix, main)", "", "", "./foo.c@@"),
        ("!eltype(directory) && !brtype(fix)", "", "", "./src/bar.c@@ ./hidden.c@@"),
        // Branches.
        ("", "brtype(fix)", "", "./foo.c@@/main/fix"),
        ("", "lbtype_sub(REL1)", "", "./foo.c@@/main"),
        ("", "lbtype(REL1)", "", ""),
        ("", "hltype_sub(Merge, ->)", "", "./foo.c@@/main/fix"),
        ("", "version(REL1)", "", "./foo.c@@/main"),
        ("", "created_by(bob)", "", "./foo.c@@/main/fix"),
        ("brtype(fix)", "!brtype(fix)", "", "./foo.c@@/main"),
        ("eltype(directory)", "brtype(fix)", "", ""),
        // Versions; a checkout is the version it will be.
        ("", "", "lbtype(REL1)", "./foo.c@@/main/1"),
        ("", "", "version(.../fix/LATEST)", "./foo.c@@/main/fix/1"),
        ("", "", "brtype(fix)", "./foo.c@@/main/fix/0 ./foo.c@@/main/fix/1"),
        ("", "", "hltype(Merge, <-)", "./foo.c@@/main/1"),
        ("", "", "GitCommit == \"abc\"", "./foo.c@@/main/0 ./foo.c@@/main/1"),
        ("", "", "created_since(1970-01-01T00:17:25Z)", "./foo.c@@/main/2 ./foo.c@@/main/CHECKEDOUT.0"),
        (
            "brtype(fix)",
            "brtype(main)",
            "!lbtype(REL1)",
            "./foo.c@@/main/0 ./foo.c@@/main/2 ./foo.c@@/main/CHECKEDOUT.0",
        ),
        ("", "brtype(fix)", "version(.../fix/0) || lbtype(REL1)", "./foo.c@@/main/fix/0"),
        (
            "",
            "",
            "created_by(anne) && eltype(text_file) && version(/main/LATEST)",
            "./foo.c@@/main/2 ./src/bar.c@@/main/1 ./hidden.c@@/main/1",
        ),
    ] {
        let found = all(&fixture, |request| {
            request.element_query = element.into();
            request.branch_query = branch.into();
            request.version_query = version.into();
        });
        assert_eq!(found.join(" "), expected, "-element {element} -branch {branch} -version {version}");
    }
}

#[test]
fn what_the_view_shows_stands_for_elements_and_branches() {
    let fixture = Fixture::new();
    let shown = |ask: fn(&mut FindRequest)| {
        tree(&fixture, |request| {
            request.current_view = true;
            ask(request);
        })
    };
    let everything = [
        ".@@/main/1",
        "./foo.c@@/main/2",
        "./link",
        "./lost+found@@/main/0",
        "./src@@/main/1",
        "./src/bar.c@@/main/1",
    ];
    assert_eq!(shown(|_| {}), everything);
    assert_eq!(shown(|request| request.branch_query = b"brtype(fix)".to_vec()), ["./foo.c@@/main/2"]);
    assert_eq!(shown(|request| request.version_query = b"lbtype(REL1)".to_vec()), [""; 0]);
    assert_eq!(
        shown(|request| {
            request.version_query = b"created_by(anne)".to_vec();
            request.files = true;
        }),
        ["./foo.c@@/main/2", "./src/bar.c@@/main/1"]
    );
    fixture.check_out(2000, BAR, OWN, "v", VersionNo(1));
    fixture.data(BAR);
    let of_src = |request: &mut FindRequest| {
        request.pnames = vec![fixture.pname("src")];
        request.current_view = true;
    };
    assert_eq!(find(&fixture, of_src), ["src@@/main/1", "src/bar.c@@/main/CHECKEDOUT"]);
    let of_all = |request: &mut FindRequest| {
        request.current_view = true;
        request.files = true;
    };
    assert_eq!(all(&fixture, of_all), ["./foo.c@@/main/2", "./src/bar.c@@/main/CHECKEDOUT"]);
}

#[test]
fn a_whole_vob_is_searched_whatever_the_view_shows() {
    let fixture = Fixture::new();
    let everything =
        [".@@", "./link", "./lost+found@@", "./foo.c@@", "./src@@", "./src/bar.c@@", "./hidden.c@@"];
    assert_eq!(all(&fixture, |_| {}), everything);
    assert_eq!(all(&fixture, invisible), ["./hidden.c@@"]);
    let visible = |request: &mut FindRequest| request.visibility = FindVisibility::Visible.into();
    assert_eq!(all(&fixture, visible), everything[..6]);
    // Below the argument names are short, elsewhere absolute; without an argument all are.
    let in_src = |request: &mut FindRequest| {
        request.pnames = vec![fixture.pname("src")];
        request.scope = FindScope::All.into();
        request.files = true;
    };
    let root = "/view/v/vobs/p";
    let names = [format!("{root}/foo.c@@"), "src/bar.c@@".to_owned(), format!("{root}/hidden.c@@")];
    assert_eq!(find(&fixture, in_src), names);
    let here = |request: &mut FindRequest| {
        request.scope = FindScope::All.into();
        request.directories = true;
    };
    let names = [".", "lost+found", "src"].map(|name| format!("{root}/{name}@@"));
    assert_eq!(find(&fixture, here), names);
    let mounted = |request: &mut FindRequest| {
        request.scope = FindScope::AllVobs.into();
        request.directories = true;
    };
    assert_eq!(find(&fixture, mounted), names);
    let listed = |request: &mut FindRequest| {
        request.scope = FindScope::AllVobs.into();
        request.vobs = vec![b"/vobs/none".to_vec()];
    };
    assert_eq!(find(&fixture, listed), ["NotInAVob /vobs/none"]);
    // Two names in one VOB search it once.
    let twice = |request: &mut FindRequest| {
        request.scope = FindScope::All.into();
        request.pnames = vec![fixture.pname("."), fixture.pname("src")];
        request.directories = true;
    };
    assert_eq!(find(&fixture, twice), [".@@", "./lost+found@@", "./src@@"]);
}

#[test]
fn what_is_not_visible_is_named_through_the_version_that_had_it_last() {
    let fixture = Fixture::new();
    let entry = |number| Some(Entry::Element(number));
    let kept = vec![version(SRC, vec![change("more.c", entry(BAR))])];
    fixture.commit(2000, "anne", "another name", &[], kept);
    let gone = vec![version(SRC, vec![change("bar.c", None), change("more.c", None)])];
    fixture.commit(2010, "anne", "gone", &[], gone);
    assert_eq!(all(&fixture, invisible), ["./src@@/main/2/more.c@@", "./hidden.c@@"]);
    let named = |request: &mut FindRequest| {
        invisible(request);
        request.name = b"bar*".to_vec();
    };
    assert_eq!(all(&fixture, named), ["./src@@/main/2/bar.c@@"]);
    // Then the directory goes too, and a link.
    let gone = vec![version(
        ElementNo::ROOT,
        vec![change("src", None), change("link", None), change("foo.c", None)],
    )];
    fixture.commit(2020, "anne", "gone", &[], gone);
    assert_eq!(
        all(&fixture, invisible),
        [
            "./.@@/main/1/foo.c@@",
            "./.@@/main/1/src@@",
            "./.@@/main/1/src/main/2/more.c@@",
            "./hidden.c@@",
            "./.@@/main/1/link"
        ]
    );
    let versions = |request: &mut FindRequest| request.version_query = b"lbtype(REL1)".to_vec();
    assert_eq!(all(&fixture, versions), ["./.@@/main/1/foo.c@@/main/1"]);
    // Each name leads to what it names.
    for name in all(&fixture, invisible) {
        let place = fixture.server.host.resolve(&fixture.view, format!("/vobs/p/{}", &name[2..]).as_bytes());
        assert!(place.is_ok(), "{name}");
    }
    // Without a view everything is named so.
    let outside = |request: &mut FindRequest| {
        request.pnames = vec![fixture.pname("/vobs/p")];
        request.scope = FindScope::All.into();
        request.files = true;
    };
    assert_eq!(
        find(&fixture, outside),
        [
            "/vobs/p/.@@/main/1/foo.c@@",
            "/vobs/p/.@@/main/1/src/main/2/more.c@@",
            "/vobs/p/.@@/main/2/hidden.c@@"
        ]
    );
    let asks_view = |request: &mut FindRequest| {
        outside(request);
        request.current_view = true;
    };
    assert_eq!(find(&fixture, asks_view), ["NoView"]);
}

#[test]
fn what_only_a_checkout_has_is_named_by_it() {
    let fixture = Fixture::new();
    let other = ViewUuid([8; 16]);
    fixture.check_out(2000, ElementNo::ROOT, other, "other", VersionNo(1));
    let make = Operation::CreateElement {
        number: NEW,
        oid: Oid([6; 16]),
        kind: ElementKind::File,
        element_type: predefined::TEXT_FILE,
        owner: 0,
        group: 0,
        mode: 0o644,
    };
    let catalog = |name, number| Operation::ChangeDirectory {
        element: ElementNo::ROOT,
        view: other,
        changes: vec![change(name, Some(Entry::Element(number)))],
        note: String::new(),
    };
    fixture.commit(2010, "bob", "made", &[], vec![make, catalog("new.c", NEW)]);
    let root = fixture.vob.element(ElementNo::ROOT).unwrap();
    let number = root.checkouts[0].number;
    assert_eq!(
        all(&fixture, invisible),
        ["./hidden.c@@".to_owned(), format!("./.@@/main/CHECKEDOUT.{number}/new.c@@")]
    );
}

#[test]
fn links_are_followed_once() {
    let fixture = Fixture::new();
    let link = |number, name: &str, target: &str| {
        let target = target.as_bytes().into();
        let make =
            Operation::CreateSymlink { number: SymlinkNo(number), oid: Oid([20 + number as u8; 16]), target };
        (make, change(name, Some(Entry::Symlink(SymlinkNo(number)))))
    };
    let (made, named): (Vec<Operation>, Vec<_>) =
        [link(1, "circle", ".."), link(2, "far", "/vobs/p/foo.c"), link(3, "lost", "nowhere")]
            .into_iter()
            .unzip();
    let operations = made.into_iter().chain([version(SRC, named)]).collect();
    fixture.commit(2000, "anne", "links", &[], operations);
    let (made, named) = link(4, "way", "src");
    fixture.commit(2010, "anne", "links", &[], vec![made, version(ElementNo::ROOT, vec![named])]);
    let plain = ["src@@", "src/bar.c@@", "src/circle", "src/far", "src/lost"];
    let of_src = |request: &mut FindRequest| request.pnames = vec![fixture.pname("src")];
    assert_eq!(find(&fixture, of_src), plain);
    let followed = |request: &mut FindRequest| {
        request.pnames = vec![fixture.pname("src")];
        request.follow = true;
    };
    let root = "/view/v/vobs/p";
    let expected = [
        "src@@",
        "src/bar.c@@",
        "src/circle/.@@",
        "src/circle/foo.c@@",
        &format!("{root}/foo.c@@"),
        "src/circle/lost+found@@",
        "src/circle/src@@",
        "src/circle/way/.@@",
        &format!("{root}/foo.c@@"),
        "src/lost",
    ];
    assert_eq!(find(&fixture, followed), expected);
}

#[test]
fn queries_that_cannot_be_asked_are_told() {
    let fixture = Fixture::new();
    let asked = |version: &'static str| tree(&fixture, move |request| request.version_query = version.into());
    assert_eq!(asked("lbtype("), ["VersionQuery 8: query is not complete"]);
    assert_eq!(asked("nosuch(x)"), ["VersionQuery 1: unknown query primitive"]);
    assert_eq!(asked("{lbtype(REL1) && lbtype(REL9)}"), ["TypeNotFound REL9"]);
    assert_eq!(asked("brtype(REL1)"), ["TypeNotFound REL1"]);
    assert_eq!(asked("attype(NONE)"), [""; 0]);
    let query = b"\xff".to_vec();
    let items = items(&fixture, |request| request.element_query = query);
    let [Item::Fault(FindFault { r#where, diagnostic: Some(diagnostic) })] = items.as_slice() else {
        panic!("{items:?}");
    };
    assert_eq!((*r#where, diagnostic.message.as_str()), (1, "query is not UTF-8"));
    let everywhere = |request: &mut FindRequest| {
        request.scope = FindScope::AllVobs.into();
        request.branch_query = b"brtype(none)".to_vec();
    };
    assert_eq!(find(&fixture, everywhere), ["TypeNotFound none"]);
}

#[test]
fn many_rows_are_sent_some_at_a_time() {
    let fixture = Fixture::new();
    let mut operations = Vec::new();
    let mut names = Vec::new();
    for number in 0..1000 {
        let element = ElementNo(NEW.0 + number);
        operations.push(Operation::CreateElement {
            number: element,
            oid: Oid::derived(&[&number.to_be_bytes()]),
            kind: ElementKind::File,
            element_type: predefined::FILE,
            owner: 0,
            group: 0,
            mode: 0o644,
        });
        operations.push(Operation::CreateVersion {
            element,
            branch: BranchNo::ROOT,
            content: Content::Empty,
            executable: false,
            effective_ns: None,
        });
        names.push(change(&format!("f{number:04}"), Some(Entry::Element(element))));
    }
    operations.push(version(ElementNo::ROOT, names));
    fixture.commit(2000, "anne", "many", &[], operations);
    for scope in [FindScope::Tree, FindScope::All] {
        let items = items(&fixture, |request| {
            request.pnames = vec![fixture.pname(".")];
            request.scope = scope.into();
            request.name = b"f[0-9]???".to_vec();
        });
        let sizes: Vec<usize> = items
            .iter()
            .map(|item| match item {
                Item::Rows(rows) => rows.rows.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(sizes.iter().all(|size| *size <= ROWS_MAX), "{sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), 1000);
        // Nobody is left to send to.
        let mut sent = 0;
        let mut send = |_| {
            sent += 1;
            false
        };
        let request = FindRequest {
            context: fixture.context(),
            pnames: vec![fixture.pname(".")],
            scope: scope.into(),
            ..FindRequest::default()
        };
        fixture.server.find(&fixture.caller, &request, &mut send).unwrap();
        assert_eq!(sent, 1);
    }
}
