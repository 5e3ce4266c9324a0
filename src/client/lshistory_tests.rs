//! The lines of `lshistory`.

use super::*;
use crate::client::dates::DateStyle;
use crate::server::proto::Person;

fn dates(style: DateStyle) -> Dates {
    Dates::new(style, jiff::tz::TimeZone::fixed(jiff::tz::offset(-4)), 1_623_304_186 + 60)
}

fn event(kind: EventKind, object: ObjectKind, extension: &str) -> HistoryEvent {
    HistoryEvent {
        time_s: 1_623_304_186,
        person: Some(Person {
            login: "anne".into(),
            group: "user".into(),
            host: "neptune".into(),
            full_name: "Anne Dee".into(),
        }),
        kind: kind.into(),
        object: object.into(),
        extension: extension.into(),
        ..HistoryEvent::default()
    }
}

fn lines(event: &HistoryEvent, form: Form, style: DateStyle) -> Vec<String> {
    let lines = layout_event(event, b"util.c", form, &dates(style));
    lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
}

#[test]
fn an_event_has_three_forms() {
    let mut created = event(EventKind::Create, ObjectKind::Version, "/main/rel2_fix/1");
    created.labels = vec![b"REL2".to_vec()];
    created.comment = b"repair the date column\nfor good".to_vec();
    assert_eq!(
        lines(&created, Form::Default, DateStyle::Iso),
        [
            "--06-10T01:49  anne       create version \"util.c@@/main/rel2_fix/1\" (REL2)",
            "  \"repair the date column",
            "   for good\""
        ]
    );
    assert_eq!(
        lines(&created, Form::Default, DateStyle::Legacy)[0],
        "10-Jun.01:49   anne       create version \"util.c@@/main/rel2_fix/1\" (REL2)"
    );
    assert_eq!(
        lines(&created, Form::Long, DateStyle::Iso)[..2],
        [
            "2021-06-10T01:49:46-04:00  Anne Dee (anne.user@neptune)",
            "  create version \"util.c@@/main/rel2_fix/1\" (REL2)"
        ]
    );
    assert_eq!(lines(&created, Form::Short, DateStyle::Iso), ["util.c@@/main/rel2_fix/1"]);
}

#[test]
fn events_have_their_words() {
    let words = |event: &HistoryEvent| lines(event, Form::Default, DateStyle::Iso)[0][26..].to_owned();
    assert_eq!(
        words(&event(EventKind::Create, ObjectKind::Branch, "/main")),
        "create branch \"util.c@@/main\""
    );
    assert_eq!(
        words(&event(EventKind::Create, ObjectKind::FileElement, "")),
        "create file element \"util.c@@\""
    );
    assert_eq!(words(&event(EventKind::Create, ObjectKind::LabelType, "REL1")), "create label type \"REL1\"");
    let mut label = event(EventKind::MakeLabel, ObjectKind::Version, "/main/2");
    label.detail = b"REL1".to_vec();
    assert_eq!(words(&label), "make label \"REL1\" on version \"util.c@@/main/2\"");
    let mut checkout = event(EventKind::Checkout, ObjectKind::DirectoryVersion, "/main/CHECKEDOUT");
    checkout.checked_out_from = b"/main/2".to_vec();
    checkout.reserved = true;
    assert_eq!(words(&checkout), "checkout directory version \"util.c\" from /main/2 (reserved)");
    let destroyed = event(EventKind::DestroyType, ObjectKind::Vob, "");
    assert_eq!(words(&destroyed), "destroy type in VOB \"util.c\"");
}

#[test]
fn some_events_say_more_before_their_comment() {
    let mut moved = event(EventKind::RemoveLabel, ObjectKind::Version, "/main/1");
    (moved.detail, moved.other_version) = (b"REL1".to_vec(), b"/main/2".to_vec());
    moved.comment = b"newer\n".to_vec();
    let said = |event: &HistoryEvent| lines(event, Form::Default, DateStyle::Iso)[1..].to_vec();
    assert_eq!(said(&moved), ["  \"Moved label \"REL1\" to version \"/main/2\".", "   newer\""]);
    moved.kind = EventKind::MakeLabel.into();
    assert_eq!(said(&moved)[0], "  \"Moved label \"REL1\" from version \"/main/2\".");
    moved.other_version.clear();
    assert_eq!(said(&moved), ["  \"newer\""]);
    let mut linked = event(EventKind::MakeHyperlink, ObjectKind::Version, "/main/1");
    linked.hyperlink = b"Merge@3@/vobs/a".to_vec();
    assert_eq!(said(&linked), ["  \"Attached hyperlink \"Merge@3@/vobs/a\".\""]);
}
