//! `VersionTree`: the branches and versions of elements, a branch before its versions.

use super::describe::Describer;
use super::facts::{self, Names};
use crate::server::identity::Caller;
use crate::server::proto::version_tree_item::Item;
use crate::server::proto::{
    ArgumentFailure, Context, Failure, FailureCode, Pname, VersionTreeItem, VersionTreeKind,
    VersionTreeMerge, VersionTreeRequest, VersionTreeRow,
};
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::resolve::{branch_id, version_id};
use crate::view::{Found as Shown, MountedVob, Resolved, View};
use crate::vob::{BranchNo, Checkout, Element, Lock, Part, TypeNo, VersionNo, VobObject, VobState};
use std::collections::HashMap;
use std::sync::Arc;

/// The tree that an argument names, and the branch to begin with.
struct Found {
    vob: Arc<MountedVob>,
    state: VobState,
    element: Arc<Element>,
    branch: BranchNo,
}

impl Server {
    /// Sends the version tree of every argument; `send` answers whether there is still somebody to
    /// send to.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are items.
    pub fn version_tree(
        &self,
        _caller: &Caller,
        request: &VersionTreeRequest,
        send: &mut dyn FnMut(VersionTreeItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let views = self.host.views();
        for (argument, pname) in (0..).zip(&request.pnames) {
            let goes_on = match self.tree_of(context, pname, request) {
                Ok(Found { vob, state, element, branch }) => {
                    let tree = Tree::new(&state, &element, &views, argument);
                    let view = self.current_view(context).ok();
                    let names = Names::new(view.as_ref(), &vob, b"");
                    let mut describer = request.describe.then(|| Describer::new(self, &vob, names));
                    tree.rows(branch, request.no_recurse, &mut |object, mut row| {
                        if let Some(describer) = &mut describer {
                            row.description = describer.describe(object).ok().flatten();
                        }
                        send(item(Item::Row(row)))
                    })
                }
                Err(failure) => send(item(Item::Failure(ArgumentFailure {
                    argument,
                    path: Vec::new(),
                    failure: Some(failure),
                }))),
            };
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Finds the element an argument names, and the branch to begin with.
    fn tree_of(&self, context: &Context, pname: &Pname, request: &VersionTreeRequest) -> Outcome<Found> {
        let (_, Resolved { vob, found, .. }) = self.resolve(context, pname)?;
        let mut start = BranchNo::ROOT;
        let element = match found {
            Shown::Element { element, .. } => element,
            Shown::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Shown::Symlink(_) | Shown::History(Place::Symlink(_)) => {
                return Err(Failure::new(FailureCode::NotAnElement));
            }
            Shown::History(Place::Branch(number, branch)) => {
                start = branch;
                vob.element(number)?
            }
            Shown::History(
                Place::Element(number)
                | Place::Directory(number, _)
                | Place::Version(number, _)
                | Place::OwnCheckout(number)
                | Place::OtherCheckout(number, _),
            ) => vob.element(number)?,
        };
        let state = vob.vob.state();
        if !request.branch.is_empty() {
            start = facts::find_branch(&state, &element, &request.branch)?;
        }
        Ok(Found { vob, state, element, branch: start })
    }
}

fn item(item: Item) -> VersionTreeItem {
    VersionTreeItem { item: Some(item) }
}

/// An element's version tree, with what hangs on each version.
struct Tree<'a> {
    state: &'a VobState,
    element: &'a Element,
    views: &'a [Arc<View>],
    argument: u32,
    sprouts: HashMap<VersionNo, Vec<BranchNo>>,
    labels: HashMap<VersionNo, Vec<TypeNo>>,
    checkouts: HashMap<VersionNo, Vec<&'a Checkout>>,
    merges: HashMap<VersionNo, Vec<VersionTreeMerge>>,
}

impl<'a> Tree<'a> {
    fn new(state: &'a VobState, element: &'a Element, views: &'a [Arc<View>], argument: u32) -> Tree<'a> {
        let mut tree = Tree {
            state,
            element,
            views,
            argument,
            sprouts: HashMap::new(),
            labels: HashMap::new(),
            checkouts: HashMap::new(),
            merges: HashMap::new(),
        };
        for (number, branch) in element.present_branches() {
            if let Some(from) = branch.from {
                tree.sprouts.entry(from).or_default().push(number);
            }
        }
        for (label, version) in &element.labels {
            tree.labels.entry(*version).or_default().push(*label);
        }
        for checkout in &element.checkouts {
            tree.checkouts.entry(checkout.from).or_default().push(checkout);
        }
        for (from, to) in element.merge_arrows() {
            for (end, other, outgoing) in [(from, to, true), (to, from, false)] {
                let version = version_id(state, element, other).into_bytes();
                tree.merges.entry(end).or_default().push(VersionTreeMerge { outgoing, version });
            }
        }
        tree
    }

    /// Sends the rows of a branch and of what sprouts from it; false when nobody wants more.
    fn rows(
        &self,
        start: BranchNo,
        no_recurse: bool,
        send: &mut dyn FnMut(VobObject, VersionTreeRow) -> bool,
    ) -> bool {
        enum Next {
            Branch(BranchNo),
            Version(VersionNo, Arc<str>),
            Checkout(VersionNo, Arc<str>),
        }
        // A stack, not recursion: nothing limits how deep branches may nest. Each with whether it is on an
        // obsolete branch; where the listing begins was named.
        let named = start != BranchNo::ROOT;
        let mut next = vec![(Next::Branch(start), !named && self.is_obsolete(start))];
        while let Some((now, obsolete)) = next.pop() {
            match now {
                Next::Branch(number) => {
                    let path: Arc<str> = branch_id(self.state, self.element, number).into();
                    let row = self.row(VersionTreeKind::Branch, path.to_string());
                    if !send(
                        VobObject::Branch(self.element.number, number),
                        VersionTreeRow { obsolete, ..row },
                    ) {
                        return false;
                    }
                    let versions = self.element.branch(number).versions.iter().rev();
                    let version =
                        |version: &VersionNo| (Next::Version(*version, Arc::clone(&path)), obsolete);
                    next.extend(versions.map(version));
                }
                Next::Version(number, path) => {
                    let object = VobObject::Version(self.element.number, number);
                    if !send(object, VersionTreeRow { obsolete, ..self.version(number, &path) }) {
                        return false;
                    }
                    next.push((Next::Checkout(number, path), obsolete));
                    if !no_recurse {
                        let sprouts = self.sprouts.get(&number).into_iter().flatten();
                        let branch = |branch: &BranchNo| {
                            (Next::Branch(*branch), obsolete || self.is_obsolete(*branch))
                        };
                        next.extend(sprouts.rev().map(branch));
                    }
                }
                Next::Checkout(from, path) => {
                    for checkout in self.checkouts.get(&from).into_iter().flatten() {
                        let row = self.row(VersionTreeKind::Checkout, format!("{path}/CHECKEDOUT"));
                        let view_tag = facts::view_tag(self.views, checkout);
                        let object = VobObject::CheckOut(self.element.number, checkout.number);
                        if !send(object, VersionTreeRow { view_tag, obsolete, ..row }) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    /// Tells whether a branch, or its type, is locked as out of use.
    fn is_obsolete(&self, number: BranchNo) -> bool {
        let obsolete = |lock: Option<&Lock>| lock.is_some_and(|lock| lock.rule.obsolete);
        let of_type = self.state.type_object(self.element.branch(number).branch_type);
        obsolete(self.element.annotations().lock(Part::Branch(number)))
            || obsolete(of_type.and_then(|object| object.annotations.lock(Part::Whole)))
    }

    fn row(&self, kind: VersionTreeKind, extension: String) -> VersionTreeRow {
        VersionTreeRow {
            argument: self.argument,
            kind: kind.into(),
            extension: extension.into_bytes(),
            ..VersionTreeRow::default()
        }
    }

    fn version(&self, number: VersionNo, path: &str) -> VersionTreeRow {
        let version = self.element.version(number);
        let labels = self.labels.get(&number).into_iter().flatten();
        let name = |label: &TypeNo| self.state.type_name(*label).as_bytes().to_vec();
        VersionTreeRow {
            labels: labels.map(name).collect(),
            latest: self.element.newest(version.branch) == number,
            branch_point: self.sprouts.contains_key(&number),
            merges: self.merges.get(&number).cloned().unwrap_or_default(),
            ..self.row(VersionTreeKind::Version, format!("{path}/{}", version.number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::{Fixture, text};
    use super::*;

    fn rows(fixture: &Fixture, typed: &str, branch: &str, no_recurse: bool) -> Vec<String> {
        let request = VersionTreeRequest {
            context: fixture.context(),
            pnames: vec![fixture.pname(typed)],
            branch: branch.into(),
            no_recurse,
            describe: false,
        };
        let mut lines = Vec::new();
        let mut send = |item: VersionTreeItem| {
            lines.push(match item.item.unwrap() {
                Item::Row(row) => {
                    let labels: Vec<String> = row.labels.iter().map(|label| text(label)).collect();
                    let mut line = text(&row.extension) + &row.view_tag;
                    line += &labels.iter().map(|label| format!(" {label}")).collect::<String>();
                    line += if row.latest { " latest" } else { "" };
                    line += if row.branch_point { " point" } else { "" };
                    for merge in &row.merges {
                        line += if merge.outgoing { " ->" } else { " <-" };
                        line += &text(&merge.version);
                    }
                    line
                }
                Item::Failure(failed) => format!("{:?}", failed.failure.unwrap().code()),
            });
            true
        };
        fixture.server.version_tree(&fixture.caller, &request, &mut send).unwrap();
        lines
    }

    #[test]
    fn branches_stand_below_the_version_they_sprout_from() {
        let fixture = Fixture::new();
        let whole = [
            "/main",
            "/main/0",
            "/main/1 REL1 point <-/main/fix/1",
            "/main/fix",
            "/main/fix/0",
            "/main/fix/1 latest ->/main/1",
            "/main/2 latest",
            "/main/CHECKEDOUTother",
        ];
        for typed in ["foo.c", "foo.c@@", "foo.c@@/main/1"] {
            assert_eq!(rows(&fixture, typed, "", false), whole, "{typed}");
        }
        assert_eq!(rows(&fixture, "foo.c@@/main/fix", "", false), whole[3..6]);
        assert_eq!(rows(&fixture, "foo.c", "fix", false), whole[3..6]);
        assert_eq!(rows(&fixture, "foo.c", "/main/fix", false), whole[3..6]);
        let alone = rows(&fixture, "foo.c", "main", true);
        assert_eq!(alone, [&whole[..3], &whole[6..]].concat());
    }

    #[test]
    fn directories_and_names_without_a_version_have_trees() {
        let fixture = Fixture::new();
        assert_eq!(rows(&fixture, "src", "", false), ["/main", "/main/0", "/main/1 latest"]);
        assert_eq!(rows(&fixture, "hidden.c", "", false), ["/main", "/main/0", "/main/1 latest"]);
        assert_eq!(rows(&fixture, "hidden.c@@", "", false).len(), 3);
    }

    #[test]
    fn what_has_no_tree_is_refused() {
        let fixture = Fixture::new();
        assert_eq!(rows(&fixture, "notes", "", false), ["NotAVobObject"]);
        assert_eq!(rows(&fixture, "link", "", false), ["NotAnElement"]);
        assert_eq!(rows(&fixture, "none", "", false), ["NoSuchFile"]);
        assert_eq!(rows(&fixture, "foo.c", "nothing", false), ["TypeNotFound"]);
        assert_eq!(rows(&fixture, "src", "fix", false), ["VersionNotFound"]);
    }

    #[test]
    fn nothing_is_sent_to_a_client_that_is_gone() {
        let fixture = Fixture::new();
        let request = VersionTreeRequest {
            context: fixture.context(),
            pnames: vec![fixture.pname("foo.c"), fixture.pname("src")],
            ..VersionTreeRequest::default()
        };
        let mut sent = 0;
        let mut send = |_| {
            sent += 1;
            sent < 2
        };
        fixture.server.version_tree(&fixture.caller, &request, &mut send).unwrap();
        assert_eq!(sent, 2);
    }
}
