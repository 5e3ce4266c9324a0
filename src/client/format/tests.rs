//! Every key, modifier, property and escape, and every complaint.

use super::*;
use crate::client::dates::{DateStyle, Dates};
use crate::server::proto::description::Object;
use crate::server::proto::{
    Attribute, AttributePer, AttributeTypeFacts, BranchFacts, CheckoutFacts, Created, Description,
    ElementFacts, EventKind, HistoryEvent, Hyperlink, HyperlinkFacts, Identity, LockState, ObjectKind,
    Person, PrivateFacts, Protection, SymbolicLinkFacts, TriggerTypeFacts, TypeFacts, VersionFacts,
    VersionTreeRow, VobFacts,
};

/// 2021-06-10T01:49:46-04:00, a Thursday.
const TIME_S: i64 = 1_623_304_186;
const DAY_S: i64 = 86_400;

fn dates(style: DateStyle, age_s: i64) -> Dates {
    Dates::new(style, jiff::tz::TimeZone::fixed(jiff::tz::offset(-4)), TIME_S + age_s)
}

fn created(comment: &str) -> Option<Created> {
    let person = Person {
        login: "anne".into(),
        group: "user".into(),
        host: "neptune".into(),
        full_name: "Anne Dee".into(),
    };
    Some(Created { time_s: TIME_S, person: Some(person), comment: comment.into() })
}

fn identity() -> Option<Identity> {
    let oid = "9ac6856fc9af11eb98515254007f63a5".to_owned();
    Some(Identity { oid, dbid: 4711, vob_tag: b"/vobs/a".to_vec() })
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute { r#type: name.into(), value: value.into(), time_s: None }
}

fn link(outgoing: bool, of_type: &str, number: u64, other: &str) -> Hyperlink {
    Hyperlink {
        r#type: of_type.into(),
        number,
        vob_tag: b"/vobs/a".to_vec(),
        outgoing,
        other: other.into(),
        ..Hyperlink::default()
    }
}

fn protection() -> Option<Protection> {
    Some(Protection { user: "anne".into(), group: String::new(), user_id: 7, group_id: 22, mode: 0o754 })
}

fn version() -> VersionFacts {
    VersionFacts {
        version: b"/main/bugfix/3".to_vec(),
        created: created("first line\nsecond\n"),
        protection: protection(),
        element_type: b"text_file".to_vec(),
        predecessor: b"/main/bugfix/2".to_vec(),
        labels: vec![b"REL1".to_vec(), b"REL2".to_vec()],
        attributes: vec![attribute("ATTR1", "123"), attribute("ATTR2", "\"asdf\"")],
        hyperlinks: vec![
            link(false, "Merge", 12, "/vobs/a/util.c@@/main/b/2"),
            link(true, "Merge", 13, "/vobs/a/util.c@@/main/5"),
            link(true, "See", 2, "/vobs/a/x@@/main/1"),
        ],
        ..VersionFacts::default()
    }
}

fn checkout(reserved: bool, view_tag: &str) -> VersionFacts {
    let held = CheckoutFacts {
        reserved,
        view_tag: view_tag.into(),
        view_uuid: "0a1b".into(),
        ..CheckoutFacts::default()
    };
    VersionFacts {
        version: b"/main/CHECKEDOUT".to_vec(),
        predecessor: b"/main/4".to_vec(),
        checkout: Some(held),
        labels: Vec::new(),
        ..version()
    }
}

fn described(object: Object, typed: &[u8]) -> Facts {
    let identity = if matches!(object, Object::Private(_)) { None } else { identity() };
    Facts::of_description(Description { object: Some(object), path: Vec::new(), identity }, typed)
}

fn subject() -> Facts {
    described(Object::Version(version()), b"./src/util.c")
}

fn bytes_of(format: impl AsRef<[u8]>, facts: &Facts) -> Vec<u8> {
    let parsed = Format::parse(format.as_ref());
    let parsed =
        parsed.unwrap_or_else(|error| panic!("{:?}: {error:?}", String::from_utf8_lossy(format.as_ref())));
    parsed.print(facts, &dates(DateStyle::Iso, 12 * DAY_S))
}

fn text_of(format: &str, facts: &Facts) -> String {
    String::from_utf8(bytes_of(format, facts)).unwrap()
}

#[track_caller]
fn check(facts: &Facts, table: &[(&str, &str)]) {
    for (format, expected) in table {
        assert_eq!(text_of(format, facts), *expected, "{format}");
    }
}

#[test]
fn text_and_escapes_are_printed() {
    check(
        &subject(),
        &[
            ("", ""),
            ("plain", "plain"),
            ("100%%", "100%"),
            ("a\\nb\\tc", "a\nb\tc"),
            ("\\'\\\\\\\"", "'\\\""),
            ("\\\"%Sn\\\"", "\"/main/bugfix/3\""),
            ("\\101\\12x\\1013", "A\nxA3"),
            ("\\q\\", "\\q\\"),
            ("a\tb\nc", "a\tb\nc"),
            ("%%%Ln%%", "%3%"),
        ],
    );
    assert_eq!(bytes_of("\\377\\400", &subject()), [0xff, 0]);
    assert_eq!(bytes_of(b"\xfe%Ln", &subject()), [0xfe, b'3']);
}

#[test]
fn widths_cut_and_fill() {
    check(
        &subject(),
        &[
            ("%6u|", "  anne|"),
            ("%-6u|", "anne  |"),
            ("%.2u|", "an|"),
            ("%6.2u|", "    an|"),
            ("%-6.2u|", "an    |"),
            ("%-13.13En|", "./src/util.c |"),
            ("%-8.8SNd|", "20210610|"),
            ("%2u|", "anne|"),
            ("%.0u|", "|"),
        ],
    );
    let odd = described(Object::Version(version()), "é\u{4e2d}z".as_bytes());
    check(&odd, &[("%4En|", " é\u{4e2d}z|"), ("%.2En|", "é\u{4e2d}|"), ("%-4En|", "é\u{4e2d}z |")]);
    let broken = described(Object::Version(version()), b"a\xff\xfeb");
    assert_eq!(bytes_of("%.3En", &broken), b"a\xff\xfe");
    assert_eq!(bytes_of("%6En", &broken), b"  a\xff\xfeb");
    assert_eq!(bytes_of("%n", &broken), b"a\xff\xfeb@@/main/bugfix/3");
}

#[test]
fn names_of_a_version() {
    check(
        &subject(),
        &[
            ("%n", "./src/util.c@@/main/bugfix/3"),
            ("%En", "./src/util.c"),
            ("%Ln", "3"),
            ("%Sn", "/main/bugfix/3"),
            ("%Vn", "/main/bugfix/3"),
            ("%PSn", "/main/bugfix/2"),
            ("%PVn", "/main/bugfix/2"),
            ("%PLn", "2"),
            ("%Pn", "./src/util.c@@/main/bugfix/2"),
            ("%Xn", "./src/util.c@@/main/bugfix/3"),
            ("%On", "9ac6856f.c9af11eb.9851.52:54:00:7f:63:a5"),
            ("%Dn", "4711"),
            ("%m", "version"),
            ("%Km", "version"),
            ("%e", "create version"),
            ("%o", "checkin"),
            ("%o%m", "checkinversion"),
        ],
    );
    let first = VersionFacts { version: b"/main/0".to_vec(), predecessor: Vec::new(), ..version() };
    let first = described(Object::Version(VersionFacts { directory: true, ..first }), b"src@@/main/0");
    check(
        &first,
        &[
            ("%PVn|%PSn|%Pn|%Vn|%Ln", "|||/main/0|0"),
            ("%m %Km %o", "directory version version mkelem"),
            ("%[version_predecessor]p", ""),
            ("%n", "src@@/main/0"),
        ],
    );
}

#[test]
fn a_checkout_is_told_with_its_view() {
    let facts = described(Object::Version(checkout(true, "anne_v")), b"util.c");
    check(
        &facts,
        &[
            ("%Vn %PVn %Rf", "/main/CHECKEDOUT /main/4 reserved"),
            ("%f", "/main/4"),
            ("%[ from ]f", " from /main/4"),
            ("%Tf", "anne_v"),
            ("%TUf", "0a1b"),
            ("%Mf", "mastered"),
            ("%Xn", "util.c@@/main/CHECKEDOUT"),
            ("%n", "util.c@@/main/CHECKEDOUT"),
            ("%e|%o", "checkout version|checkout"),
            ("%[version_predecessor]p", "/main/4"),
            ("%[checkout_replica]p", "original@/vobs/a"),
            ("%Ln", "CHECKEDOUT"),
        ],
    );
    let other = described(Object::Version(checkout(false, "")), b"util.c");
    check(&other, &[("%Rf %Tf", "unreserved <No-tag-in-region>")]);
    check(&subject(), &[("%f|%Rf|%Tf|%TUf|%Mf|%[x]f", "|||||")]);
}

#[test]
fn dates_have_many_forms() {
    check(
        &subject(),
        &[
            ("%d", "2021-06-10T01:49:46-04:00"),
            ("%Sd", "2021-06-10"),
            ("%Nd", "20210610.014946"),
            ("%SNd", "20210610"),
            ("%NSd", "20210610"),
            ("%Vd", "Thursday 2021-06-10T01:49:46-04:00"),
            ("%Ad", "12"),
            ("%MAd", "0"),
            ("%BAd", "####"),
            ("%OAd", "##"),
        ],
    );
    let print = |format: &str, style, age_s| {
        let format = Format::parse(format.as_bytes()).unwrap();
        String::from_utf8(format.print(&subject(), &dates(style, age_s))).unwrap()
    };
    assert_eq!(print("%d %Sd %Nd", DateStyle::Legacy, 0), "10-Jun-21.01:49:46 10-Jun-21 20210610.014946");
    assert_eq!(print("%Vd", DateStyle::Legacy, 0), "Thursday 10-Jun-21.01:49:46");
    assert_eq!(print("%Ad %MAd %BAd %OAd", DateStyle::Iso, 400 * DAY_S), "400 13 # #####");
    assert_eq!(print("%Ad %MAd %BAd %OAd", DateStyle::Iso, -DAY_S), "0 0 ##### #");
    assert_eq!(print("%MAd", DateStyle::Iso, 30 * DAY_S), "1");
    assert_eq!(print("%MAd", DateStyle::Iso, 29 * DAY_S), "0");
}

#[test]
fn people_hosts_and_comments() {
    check(
        &subject(),
        &[
            ("%u %Fu %Gu %Lu %h", "anne Anne Dee user anne.user neptune"),
            ("%c", "first line\nsecond\n"),
            ("%Nc", "first line\nsecond"),
            ("%-7.5Nc|", "first  |"),
        ],
    );
    let silent = VersionFacts { created: created(""), ..version() };
    check(&described(Object::Version(silent), b"f"), &[("%c|%Nc|", "||")]);
    let mut nameless = subject();
    let person = &mut nameless.happened.as_mut().unwrap().person;
    (person.full_name, person.group) = (String::new(), String::new());
    check(&nameless, &[("%Fu %Lu|%Gu", "anne anne|")]);
}

#[test]
fn labels_and_attributes_are_lists() {
    check(
        &subject(),
        &[
            ("%l", "(REL1, REL2)"),
            ("%Nl", "REL1 REL2"),
            ("%Cl", "(REL1, REL2)"),
            ("%.1Cl", "(REL1, ...)"),
            ("%NCl", "REL1 REL2"),
            ("%14Cl|", "  (REL1, REL2)|"),
            ("%.6l", "(REL1,"),
            ("%a", "(ATTR1=123, ATTR2=\"asdf\")"),
            ("%Na", "ATTR1=123 ATTR2=\"asdf\""),
            ("%Sa", "(123, \"asdf\")"),
            ("%SNa", "123 \"asdf\""),
            ("%[ATTR2]a", "(ATTR2=\"asdf\")"),
            ("%SN[ATTR2]a", "\"asdf\""),
            ("%[ATTR2]SNa", "\"asdf\""),
            ("%S[ATTR1]Na", "123"),
            ("%SN[NONE]a", ""),
        ],
    );
    let labels = ["A", "B", "C", "D", "E", "F"].map(|label| label.as_bytes().to_vec()).to_vec();
    let timed = Attribute { time_s: Some(TIME_S), ..attribute("When", "x") };
    let many = VersionFacts { labels, attributes: vec![timed], ..version() };
    check(
        &described(Object::Version(many), b"f"),
        &[
            ("%Cl", "(A, B, C, ...)"),
            ("%.5Cl", "(A, B, C, D, E, ...)"),
            ("%3.5Cl", "(A, B, C, D, E, ...)"),
            ("%.6Cl", "(A, B, C, D, E, F)"),
            ("%NCl", "A B C ..."),
            ("%a", "(When=2021-06-10T01:49:46-04:00)"),
        ],
    );
    let bare = VersionFacts { labels: Vec::new(), attributes: Vec::new(), ..version() };
    check(&described(Object::Version(bare), b"f"), &[("%l|%Nl|%Cl|%a|%Na", "||||")]);
}

#[test]
fn elements_branches_and_links() {
    let element = ElementFacts {
        created: created("made"),
        protection: protection(),
        element_type: b"text_file".to_vec(),
        lock: LockState::Obsolete.into(),
        triggers: vec![b"T1".to_vec(), b"T2".to_vec()],
        inherited_triggers: vec![b"T2".to_vec(), b"T3".to_vec()],
        ..ElementFacts::default()
    };
    let table = [
        ("%n|%En|%Vn|%Ln|%Xn", "src/f.c@@|src/f.c||f.c|src/f.c@@"),
        ("%m|%Km|%o|%e", "file element|element|mkelem|create file element"),
        ("%[owner]p|%[group]p|%[locked]p", "anne|22|obsolete"),
        (
            "%[type]p|%[type]Xp|%[pool]p|%[pool]CQp",
            "text_file|eltype:text_file@/vobs/a|sdft cdft|\"sdft\", \"cdft\"",
        ),
        ("%[name]p|%[object_kind]p|%[pool]Np", "f.c|file element|sdftcdft"),
        ("%[triggers]p|%[triggers]CQp", "T1 T2 T3|\"T1\", \"T2\", \"T3\""),
        ("%[triggers]CXp", "trtype:T1@/vobs/a, trtype:T2@/vobs/a, trtype:T3@/vobs/a"),
        ("%[master]p|%[slink_text]p|%[type_scope]p", "original@/vobs/a||"),
    ];
    check(&described(Object::Element(element.clone()), b"src/f.c@@"), &table);
    let directory = ElementFacts { directory: true, ..element };
    check(
        &described(Object::Element(directory), b"."),
        &[("%m %[pool]p", "directory element sdft cdft ddft")],
    );
    let branch = BranchFacts {
        branch: b"/main/bugfix".to_vec(),
        branch_type: b"bugfix".to_vec(),
        created: created(""),
        branched_from: b"/main/3".to_vec(),
        ..BranchFacts::default()
    };
    let table = [
        ("%n|%En|%Vn|%Ln", "f.c@@/main/bugfix|f.c|/main/bugfix|bugfix"),
        ("%m|%Km|%o|%e|%PVn", "branch|branch|mkbranch|create branch|"),
        ("%[type]p|%[type]Xp|%[locked]p", "bugfix|brtype:bugfix@/vobs/a|unlocked"),
    ];
    check(&described(Object::Branch(branch), b"f.c@@/main/bugfix"), &table);
    let link = SymbolicLinkFacts {
        created: created(""),
        target: b"../include/real.h".to_vec(),
        ..SymbolicLinkFacts::default()
    };
    let table = [
        ("%[slink_text]p|%[slink_text_mvfs]p", "../include/real.h|../include/real.h"),
        ("%n|%m|%Km|%o|%Vn", "link.h|symbolic link|slink|mkslink|"),
    ];
    check(&described(Object::SymbolicLink(link), b"link.h"), &table);
}

#[test]
fn types_vobs_and_hyperlinks() {
    let label = TypeFacts {
        kind: ObjectKind::LabelType.into(),
        name: b"REL1".to_vec(),
        created: created("release 1"),
        owner: "anne".into(),
        group: "user".into(),
        per_branch: true,
        lock: LockState::Locked.into(),
        ..TypeFacts::default()
    };
    let table = [
        ("%n|%En|%Xn|%Ln|%Vn", "REL1|REL1|lbtype:REL1@/vobs/a|REL1|"),
        ("%m|%Km|%o|%e", "label type|lbtype|mktype|create label type"),
        ("%[owner]p %[group]p %[locked]p", "anne user locked"),
        ("%[type_scope]p|%[type_constraint]p", "ordinary|one version per branch"),
        ("%[name]Xp|%[trtype_kind]p", "lbtype:REL1@/vobs/a|"),
    ];
    check(&Facts::of_type(label.clone(), identity()), &table);
    for (before, kind) in [(true, "pre-operation"), (false, "post-operation")] {
        let trigger = Some(TriggerTypeFacts { before, ..TriggerTypeFacts::default() });
        let facts = TypeFacts { kind: ObjectKind::TriggerType.into(), trigger, ..label.clone() };
        check(&Facts::of_type(facts, identity()), &[("%m %[trtype_kind]p", &format!("trigger type {kind}"))]);
    }
    let single = TypeFacts { per_branch: false, global: true, ..label };
    check(
        &Facts::of_type(single.clone(), identity()),
        &[("%[type_scope]p|%[type_constraint]p", "global|one version per element")],
    );
    for (kind, words) in [
        (ObjectKind::BranchType, "brtype one branch per element"),
        (ObjectKind::AttributeType, "attype one attribute per element"),
        (ObjectKind::ElementType, "eltype "),
        (ObjectKind::HyperlinkType, "hltype "),
    ] {
        let attribute = Some(AttributeTypeFacts { per: AttributePer::Element.into(), ..Default::default() });
        let told = TypeFacts { kind: kind.into(), attribute, ..single.clone() };
        check(&Facts::of_type(told, identity()), &[("%Km %[type_constraint]p", words)]);
    }
    let vob = VobFacts {
        tag: b"/vobs/a".to_vec(),
        created_s: TIME_S,
        creator: created("").unwrap().person,
        owner: "vobadm".into(),
        group: "cc".into(),
        host: "srv".into(),
        ..VobFacts::default()
    };
    let table = [
        ("%n|%En|%Xn|%Ln|%[name]p", "/vobs/a|/vobs/a|vob:/vobs/a|a|/vobs/a"),
        ("%m|%Km|%o", "versioned object base|vob|mkvob"),
        ("%[owner]p %[group]p %[locked]p", "vobadm cc unlocked"),
        ("%[vob_replication]p %[replica_name]p %[replica_host]p", "unreplicated original srv"),
        ("%[msdostext]p|%[flevel]p|%[text_mode]p", "disabled||"),
    ];
    check(&described(Object::Vob(vob), b"vob:."), &table);
    let told = Hyperlink {
        from: b"/vobs/a/f@@/main/1".to_vec(),
        from_text: b"start".to_vec(),
        to_text: b"end".to_vec(),
        ..link(true, "See", 5, "/vobs/a/g@@/main/2")
    };
    let hyperlink =
        HyperlinkFacts { link: Some(told), created: created(""), owner: "anne".into(), group: "user".into() };
    let table = [
        ("%n|%Xn|%m|%Km|%o", "See@5|hlink:See@5@/vobs/a|hyperlink|hlink|mkhlink"),
        ("%[hlink_from_text]p|%[hlink_to_text]p|%[type]p", "start|end|See"),
    ];
    check(&described(Object::Hyperlink(hyperlink), b"See@5"), &table);
}

#[test]
fn hyperlinks_are_a_property_that_scripts_take_apart() {
    let all = "\"Merge@12@/vobs/a\" <- \"/vobs/a/util.c@@/main/b/2\" \
               \"Merge@13@/vobs/a\" -> \"/vobs/a/util.c@@/main/5\" \
               \"See@2@/vobs/a\" -> \"/vobs/a/x@@/main/1\" ";
    let merges = &all[..all.find("\"See").unwrap()];
    let table = [
        ("%[hlink]p", all),
        ("%[hlink:Merge]p", merges),
        ("%[hlink:None]p", ""),
        ("%[hlink_from_text]p", ""),
    ];
    check(&subject(), &table);
    let shape = regex::Regex::new("^(\"Merge@\\d+@[^\"]+\" (<-|->) \"[^\"]*\" )+$").unwrap();
    assert!(shape.is_match(merges));
}

#[test]
fn what_is_private_or_of_ucm_is_empty() {
    let private = described(Object::Private(PrivateFacts::default()), b"notes.txt");
    check(
        &private,
        &[
            ("%Vn", ""),
            ("%m|%Km|%d|%Nd|%u|%Fu|%e|%o|%c|%l|%a|%h|%Xn", "||||||||||||notes.txt"),
            ("%n|%En|%Dn|%On|%[owner]p|%[object_kind]p|%[locked]p", "notes.txt|notes.txt|||||"),
        ],
    );
    for name in ["activity", "contrib_acts", "stream", "headline", "crm_record_id", "reqmaster", "triggers"] {
        check(&subject(), &[(&format!("%[{name}]p|%[{name}]CQp"), "|")]);
    }
    check(&subject(), &[("%n --> %[activity]p\\n", "./src/util.c@@/main/bugfix/3 --> \n")]);
}

#[test]
fn columns_and_levels() {
    check(
        &subject(),
        &[
            ("%u%[10]t|", "anne      |"),
            ("%[2]t%u|", "  anne|"),
            ("%u%[2]t|", "anne|"),
            ("a\\n%u%[6]t|", "a\nanne  |"),
            ("%u%t|", "anne    |"),
            ("a\\tb%[12]t|", "a\tb   |"),
            ("%u%Nt%St%Tt|", "anne\n \t|"),
            ("%i%[4]i|", "|"),
        ],
    );
    let row = |kind: i32, extension: &str| VersionTreeRow {
        kind,
        extension: extension.into(),
        ..VersionTreeRow::default()
    };
    for (row, level) in
        [(row(0, "/main"), 0), (row(1, "/main/3"), 0), (row(0, "/main/b"), 1), (row(1, "/main/b/0"), 1)]
    {
        let facts = Facts::of_tree_row(row, b"f");
        assert_eq!(text_of("%i%[2]i|", &facts).len(), 3 * level + 1, "{facts:?}");
    }
}

#[test]
fn events_are_printed_without_descriptions() {
    let event = HistoryEvent {
        time_s: TIME_S,
        person: created("").unwrap().person,
        kind: EventKind::MakeLabel.into(),
        object: ObjectKind::DirectoryVersion.into(),
        path: b"lib".to_vec(),
        extension: b"/main/2".to_vec(),
        detail: b"REL1".to_vec(),
        other_version: b"/main/1".to_vec(),
        comment: b"why\n".to_vec(),
        ..HistoryEvent::default()
    };
    let facts = Facts::of_event(event.clone(), b".");
    check(
        &facts,
        &[
            ("%e|%o|%m", "make label \"REL1\" on directory version|mklabel|directory version"),
            ("%En|%n|%Vn", "./lib|./lib@@/main/2|/main/2"),
            ("%Nc", "Moved label \"REL1\" from version \"/main/1\".\nwhy"),
            ("%l|%a|%[owner]p|%f", "|||"),
        ],
    );
    let checkout = HistoryEvent { kind: EventKind::Checkout.into(), ..event.clone() };
    let facts = Facts::of_event(checkout, b".");
    check(&facts, &[("%n|%Xn|%e", "./lib|./lib@@/main/2|checkout directory version")]);
    let renamed = HistoryEvent {
        kind: EventKind::Rename.into(),
        object: ObjectKind::LabelType.into(),
        path: Vec::new(),
        extension: b"REL1".to_vec(),
        ..event
    };
    check(
        &Facts::of_event(renamed, b"lbtype:REL1"),
        &[("%n|%e|%o|%Km", "REL1|rename label type|rename|lbtype")],
    );
    for (format, needed) in [
        ("%Nd %u %En %Vn %e %o %n %c %h %m %[activity]p %[name]p", false),
        ("%l", true),
        ("%a", true),
        ("%PVn", true),
        ("%On", true),
        ("%Rf", true),
        ("%[owner]p", true),
    ] {
        assert_eq!(Format::parse(format.as_bytes()).unwrap().needs_description(), needed, "{format}");
    }
}

#[test]
fn what_is_no_format_is_told_with_its_column() {
    let keys = "the keys are a c d e f h i l m n o p t u and %";
    for (format, column, complaint) in [
        ("%q", 2, format!("\"q\" is no key: {keys}")),
        ("ab%-8.8z", 8, format!("\"z\" is no key: {keys}")),
        ("a%", 2, format!("\"%\" ends without a key: {keys}")),
        ("a%-8.8SN", 2, format!("\"%-8.8SN\" ends without a key: {keys}")),
        ("%\u{e9}", 2, format!("\"\\303\" is no key: {keys}")),
        ("%.n", 3, "a number of columns must follow the point".to_owned()),
        ("%Qd", 2, "\"Q\" before \"d\", which takes the modifiers SNVAMBO".to_owned()),
        ("%Ve", 2, "\"V\" before \"e\", which takes no modifier".to_owned()),
        ("%[REL", 2, "\"[\" without its \"]\"".to_owned()),
        ("%[a][b]a", 5, "a second [...]: one key takes one".to_owned()),
        ("%[x]n", 2, "[...] before \"n\", which takes none".to_owned()),
        ("%p", 2, "\"p\" needs the name of a property before it: %[NAME]p".to_owned()),
        ("%[hlnk]p", 3, "\"hlnk\" is no property".to_owned()),
        ("%[slink]p", 3, "\"slink\" is no property; there are slink_text, slink_text_mvfs".to_owned()),
        ("%[wide]t", 2, "[...] before \"t\" must be a number up to 100000".to_owned()),
        ("%999999n", 2, "more than 100000 columns".to_owned()),
    ] {
        let found = Format::parse(format.as_bytes());
        assert_eq!(found, Err(FormatError { column, complaint }), "{format}");
    }
    assert!(Format::parse(b"%100000n").is_ok());
    assert!(Format::parse(b"%100001n").is_err());
}

proptest::proptest! {
    /// Whatever is typed is a format or a complaint about a column of it, and what is a format prints.
    #[test]
    fn any_bytes_are_a_format_or_a_complaint(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "%", "[", "]", "p", "n", "N", "V", "S", "a", "A", "d", "u", "c", "l", "t", "\\", "\\n", "\\03", "\\x4", "-", ".", "0", "12",
            "99999", "100001", "99999999999999999999", "hlink", ":", "name", "triggers", "%[name]p", "%-5.3n", "é", " ", "\"",
        ]), 0..12),
        noise in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..4),
    ) {
        let text = [pieces.concat().as_bytes(), &noise].concat();
        match Format::parse(&text) {
            Ok(format) => {
                // Widths are bounded, so that what is printed is.
                let printed = format.print(&subject(), &dates(DateStyle::Legacy, DAY_S));
                proptest::prop_assert!(printed.len() <= 12 * 200_000, "{}", printed.len());
            }
            Err(error) => proptest::prop_assert!((1..=text.len() + 1).contains(&error.column), "{error:?} of {}", text.len()),
        }
    }
}
