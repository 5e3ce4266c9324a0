//! `lsvtree`: lists the branches and versions of elements, or has them drawn (`vtree`).

use super::commands::{Command, exclusive, missing};
use super::format::{self, Facts};
use super::json;
use super::options::{Arguments, flag, value};
use super::pname::without_version;
use super::session::{CommandError, CommandResult, Outcome, Session};
use super::vtree;
use crate::server::proto::version_tree_item::Item;
use crate::server::proto::{VersionTreeKind, VersionTreeRequest, VersionTreeRow};

/// The table entry.
pub const COMMAND: Command = Command {
    name: "lsvt/ree",
    aliases: &[],
    usage: "[-graphical [-nmerge]] [-nrecurse] [-short | -fmt format | -json] [-all] [-merge] [-nco] [-obsolete] [-branch branch-pname] pname ...",
    options: &[
        flag("g/raphical"),
        flag("nme/rge"),
        flag("nr/ecurse"),
        flag("s/hort"),
        value("fmt"),
        flag("a/ll"),
        flag("m/erge"),
        flag("nco"),
        flag("obs/olete"),
        value("bra/nch"),
        flag("json"),
        flag("-json"),
    ],
    comments: false,
    run,
};

/// How many labels a row shows; the others show as `...`. With `-all` there is no limit.
pub(super) const MAX_LABELS: usize = 3;

/// Which rows and parts of rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Versions that mean nothing, too, and all labels.
    pub all: bool,
    /// Without labels.
    pub short: bool,
    /// With merges.
    pub merges: bool,
    /// With checkouts.
    pub checkouts: bool,
    /// With branches that are out of use.
    pub obsolete: bool,
}

fn run(session: &mut Session, arguments: &Arguments) -> CommandResult {
    if arguments.operands.is_empty() {
        return Err(missing("Element pathname"));
    }
    exclusive(arguments, json::FORMS)?;
    let format = format::given(arguments)?;
    let is_graphical = arguments.has("graphical");
    let choice = Choice {
        all: arguments.has("all"),
        short: arguments.has("short"),
        merges: if is_graphical { !arguments.has("nmerge") } else { arguments.has("merge") },
        checkouts: !arguments.has("nco"),
        obsolete: arguments.has("obsolete"),
    };
    if is_graphical {
        if format.is_some() || json::is_wanted(arguments) {
            let sentence = "Option -graphical may not be given with -fmt or -json";
            return Err(CommandError::Usage(sentence.to_owned()));
        }
        let wanted = vtree::Wanted {
            paths: &arguments.operands,
            choice,
            branch: arguments.bytes("branch"),
            no_recurse: arguments.has("nrecurse"),
            complain: Session::error,
        };
        return vtree::show(session, &wanted);
    }
    let request = VersionTreeRequest {
        context: Some(session.context()?),
        pnames: session.pnames(&arguments.operands)?,
        branch: arguments.bytes("branch"),
        no_recurse: arguments.has("nrecurse"),
        describe: format.is_some() || json::is_wanted(arguments),
    };
    let names: Vec<Vec<u8>> = request.pnames.iter().map(|pname| pname.typed.clone()).collect();
    let name = |argument: u32| names.get(argument as usize).map(Vec::as_slice).unwrap_or_default();
    let mut stream = session.call(async |mut host| host.version_tree(request).await)?;
    let mut all_done = true;
    while let Some(item) = session.next(&mut stream)? {
        match item.item {
            Some(Item::Row(row)) if is_shown(&row, choice) => {
                if json::is_wanted(arguments) {
                    let typed = without_version(name(row.argument)).to_vec();
                    let line = json::tree_row(row, &typed, &session.dates);
                    session.line(&[&line])?;
                    continue;
                }
                if let Some(format) = &format {
                    let typed = without_version(name(row.argument)).to_vec();
                    let text = format.print(&Facts::of_tree_row(row, &typed), &session.dates);
                    session.write(&[&text])?;
                    continue;
                }
                for line in layout_row(&row, without_version(name(row.argument)), choice) {
                    session.line(&[&line])?;
                }
            }
            Some(Item::Failure(failed)) => {
                all_done = false;
                session.failure(&failed.failure.unwrap_or_default(), name(failed.argument), None);
            }
            _ => {}
        }
    }
    Ok(Outcome::of(all_done))
}

/// Without `-all` only the versions that mean something are listed.
pub(super) fn is_shown(row: &VersionTreeRow, choice: Choice) -> bool {
    if row.obsolete && !choice.obsolete {
        return false;
    }
    match row.kind() {
        VersionTreeKind::Branch => true,
        VersionTreeKind::Checkout => choice.checkouts,
        VersionTreeKind::Version => {
            choice.all || row.latest || row.branch_point || !row.labels.is_empty() || !row.merges.is_empty()
        }
    }
}

fn layout_row(row: &VersionTreeRow, name: &[u8], choice: Choice) -> Vec<Vec<u8>> {
    let mut line = [name, b"@@", &row.extension].concat();
    if row.kind() == VersionTreeKind::Checkout {
        line.extend_from_slice(format!(" view \"{}\"", row.view_tag).as_bytes());
    }
    if !row.labels.is_empty() && !choice.short {
        let count = if choice.all { row.labels.len() } else { row.labels.len().min(MAX_LABELS) };
        line.extend_from_slice(b" (");
        line.extend_from_slice(&row.labels[..count].join(&b", "[..]));
        if count < row.labels.len() {
            line.extend_from_slice(b", ...");
        }
        line.push(b')');
    }
    let mut lines = vec![line];
    if choice.merges {
        for merge in &row.merges {
            let arrow: &[u8] = if merge.outgoing { b"  -> " } else { b"  <- " };
            lines.push([arrow, name, b"@@", &merge.version].concat());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::proto::VersionTreeMerge;

    const DEFAULT: Choice =
        Choice { all: false, short: false, merges: false, checkouts: true, obsolete: false };

    fn row(extension: &str, labels: &[&str]) -> VersionTreeRow {
        VersionTreeRow {
            kind: VersionTreeKind::Version.into(),
            extension: extension.into(),
            labels: labels.iter().map(|label| label.as_bytes().to_vec()).collect(),
            ..VersionTreeRow::default()
        }
    }

    fn lines(row: &VersionTreeRow, choice: Choice) -> Vec<String> {
        let lines = layout_row(row, b"util.c", choice);
        lines.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn uninteresting_versions_are_listed_only_with_all() {
        let all = Choice { all: true, ..DEFAULT };
        let plain = row("/main/2", &[]);
        assert!(!is_shown(&plain, DEFAULT) && is_shown(&plain, all));
        assert!(is_shown(&row("/main/2", &["REL1"]), DEFAULT));
        assert!(is_shown(&VersionTreeRow { latest: true, ..plain.clone() }, DEFAULT));
        assert!(is_shown(&VersionTreeRow { branch_point: true, ..plain.clone() }, DEFAULT));
        let checkout = VersionTreeRow { kind: VersionTreeKind::Checkout.into(), ..plain };
        assert!(is_shown(&checkout, DEFAULT));
        assert!(!is_shown(&checkout, Choice { checkouts: false, ..all }));
    }

    #[test]
    fn rows_show_labels_views_and_merges() {
        assert_eq!(lines(&row("/main/1", &["REL1", "REL2"]), DEFAULT), ["util.c@@/main/1 (REL1, REL2)"]);
        let many = row("/main/4", &["A", "B", "C", "D"]);
        assert_eq!(lines(&many, DEFAULT), ["util.c@@/main/4 (A, B, C, ...)"]);
        assert_eq!(lines(&many, Choice { all: true, ..DEFAULT }), ["util.c@@/main/4 (A, B, C, D)"]);
        assert_eq!(lines(&many, Choice { short: true, ..DEFAULT }), ["util.c@@/main/4"]);
        let mut checkout = row("/main/CHECKEDOUT", &[]);
        checkout.kind = VersionTreeKind::Checkout.into();
        checkout.view_tag = "anne_v".into();
        assert_eq!(lines(&checkout, DEFAULT), ["util.c@@/main/CHECKEDOUT view \"anne_v\""]);
        let mut merged = row("/main/3", &[]);
        merged.merges = vec![VersionTreeMerge { outgoing: false, version: b"/main/b/2".to_vec() }];
        let choice = Choice { merges: true, ..DEFAULT };
        assert_eq!(lines(&merged, choice), ["util.c@@/main/3", "  <- util.c@@/main/b/2"]);
    }
}
