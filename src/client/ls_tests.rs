//! The lines of `ls`, one case per kind of object.

use super::*;

const DEFAULT: Layout = Layout { form: Form::Default, plain_names: false };

fn version(version: &str, rule: &str) -> ListRow {
    ListRow {
        kind: ObjectKind::Version.into(),
        version: version.into(),
        rule: rule.into(),
        whole_rule: format!("element * {rule}").into_bytes(),
        ..ListRow::default()
    }
}

fn line(row: &ListRow, name: &str, layout: Layout) -> String {
    String::from_utf8(layout_row(row, name.as_bytes(), layout)).unwrap()
}

#[test]
fn the_rule_stands_at_57_and_then_every_16() {
    for (length, column) in [(11, 57), (54, 57), (55, 57), (56, 73), (71, 73), (72, 89), (87, 89), (93, 105)]
    {
        let row = version("/main/3", "/main/LATEST");
        let name = "n".repeat(length - "@@/main/3".len());
        let line = line(&row, &name, DEFAULT);
        assert_eq!(line.find("Rule:"), Some(column), "{length}");
        assert!(line.ends_with("  Rule: /main/LATEST"));
    }
}

#[test]
fn every_kind_of_object_has_its_line() {
    let mut checked_out = version("/main/CHECKEDOUT", "CHECKEDOUT");
    checked_out.checked_out_from = b"/main/4".to_vec();
    assert_eq!(
        line(&checked_out, "foo.c", DEFAULT),
        "foo.c@@/main/CHECKEDOUT from /main/4                     Rule: CHECKEDOUT"
    );
    checked_out.rule.clear();
    checked_out.annotation = Annotation::CheckedOutButRemoved.into();
    assert_eq!(
        line(&checked_out, "foo.c", DEFAULT),
        "foo.c@@/main/CHECKEDOUT from /main/4 [checkedout but removed]"
    );
    let mut branching = version("/main/9", "REL1");
    branching.make_branch = b"br".to_vec();
    assert!(line(&branching, "foo.c", DEFAULT).ends_with("Rule: REL1 -mkbranch br"));
    branching.branch_of_block = true;
    assert!(line(&branching, "foo.c", DEFAULT).ends_with("Rule: REL1 [-mkbranch br]"));
    let private = ListRow { kind: ObjectKind::ViewPrivateObject.into(), ..ListRow::default() };
    assert_eq!(line(&private, "foo.o", DEFAULT), "foo.o");
    let link = ListRow {
        kind: ObjectKind::SymbolicLink.into(),
        link_target: b"../include".to_vec(),
        ..ListRow::default()
    };
    assert_eq!(line(&link, "inc", DEFAULT), "inc --> ../include");
    let hidden = ListRow {
        kind: ObjectKind::FileElement.into(),
        annotation: Annotation::Eclipsed.into(),
        ..ListRow::default()
    };
    assert_eq!(line(&hidden, "test.txt", DEFAULT), "test.txt@@ [eclipsed]");
    let mut none = hidden.clone();
    none.annotation = Annotation::NoVersionSelected.into();
    none.rule = b"-none".to_vec();
    assert_eq!(
        line(&none, "test.txt", DEFAULT),
        "test.txt@@ [no version selected]                         Rule: -none"
    );
}

#[test]
fn long_short_and_plain_names() {
    let row = version("/main/1", "/main/LATEST");
    let long = Layout { form: Form::Long, plain_names: false };
    assert_eq!(
        line(&row, "Main.java", long),
        "version                Main.java@@/main/1                     Rule: element * /main/LATEST"
    );
    let short = Layout { form: Form::Short, plain_names: false };
    assert_eq!(line(&row, "Main.java", short), "Main.java@@/main/1");
    let plain = Layout { form: Form::Default, plain_names: true };
    assert_eq!(line(&row, "Main.java", plain), "Main.java");
}
