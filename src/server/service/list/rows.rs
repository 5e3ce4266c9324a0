//! The rows of one name: what the view shows of it, and what is hidden or missing.

use super::Listing;
use crate::server::proto::{Annotation, ListFilter, ListRow, ObjectKind};
use crate::server::service::facts;
use crate::server::state::Outcome;
use crate::view::resolve::{checkout_id, version_id};
use crate::view::{Found, Shown};
use crate::vob::{Checkout, Element, ElementKind, Entry, SymlinkNo};
use clerestory_specs::RuleIndex;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

impl Listing<'_> {
    /// The rows of one name that pass the filter.
    pub(super) fn rows_of(&self, found: &Found, hidden: bool) -> Outcome<Vec<ListRow>> {
        let mut rows = match found {
            Found::Private { path, stat, hides } => {
                let mut rows = Vec::new();
                if self.filter != ListFilter::VobOnly {
                    rows.push(private_row(path, stat));
                }
                // In a listing the hidden name has a row of its own.
                if let (Some(entry), Found::Private { path: argument, .. }) = (hides, &self.resolved.found)
                    && argument == path
                {
                    rows.extend(self.hidden(*entry)?);
                }
                rows
            }
            Found::Symlink(number) if self.filter != ListFilter::ViewOnly => {
                let annotation = if hidden { Annotation::Eclipsed } else { Annotation::None };
                vec![annotated(self.symbolic_link(*number)?, annotation)]
            }
            Found::Element { element, shown, has_data, eclipsed } => {
                self.element_rows(element, *shown, *has_data, hidden || *eclipsed)
            }
            Found::Symlink(_) | Found::History(_) => Vec::new(),
        };
        if self.visible_only {
            rows.retain(|row| matches!(row.annotation(), Annotation::None | Annotation::ErrorOnReference));
        }
        Ok(rows)
    }

    fn hidden(&self, entry: Entry) -> Outcome<Vec<ListRow>> {
        match entry {
            Entry::Symlink(number) => self.rows_of(&Found::Symlink(number), true),
            Entry::Element(number) => {
                let element = self.resolved.vob.element(number)?;
                Ok(self.element_rows(&element, Shown::Nothing(None), false, true))
            }
        }
    }

    fn element_rows(&self, element: &Element, shown: Shown, has_data: bool, eclipsed: bool) -> Vec<ListRow> {
        let (element_kind, version_kind) = facts::kinds(element);
        let own = element.checkout_of(&self.view.uuid());
        let checked_out = |checkout: &Checkout, annotation: Annotation| ListRow {
            kind: version_kind.into(),
            version: checkout_id(&self.state, element, checkout).into_bytes(),
            checked_out_from: version_id(&self.state, element, checkout.from).into_bytes(),
            annotation: annotation.into(),
            ..ListRow::default()
        };
        let plain = |annotation: Annotation| {
            annotated(ListRow { kind: element_kind.into(), ..ListRow::default() }, annotation)
        };
        // Rows of the VOB's objects, and rows of what the view has checked out.
        let (of_vob, of_view) = match (shown, own) {
            (_, Some(own)) if eclipsed => {
                (Some(plain(Annotation::Eclipsed)), Some(checked_out(own, Annotation::CheckedOutButEclipsed)))
            }
            _ if eclipsed => (Some(plain(Annotation::Eclipsed)), None),
            (Shown::CheckedOut(_), None) => (None, None),
            (Shown::CheckedOut(rule), Some(own)) if element.kind == ElementKind::Directory => {
                (Some(self.ruled(checked_out(own, Annotation::None), Some(rule))), None)
            }
            (Shown::CheckedOut(rule), Some(own)) => {
                if has_data {
                    let row = self.ruled(checked_out(own, Annotation::None), Some(rule));
                    (Some(plain(Annotation::EclipsedByCheckout)), Some(row))
                } else {
                    let row = checked_out(own, Annotation::CheckedOutButRemoved);
                    (Some(row.clone()), Some(row))
                }
            }
            (Shown::Version(version, rule), own) => {
                let row = ListRow {
                    kind: version_kind.into(),
                    version: version_id(&self.state, element, version).into_bytes(),
                    ..ListRow::default()
                };
                (
                    Some(self.ruled(row, Some(rule))),
                    own.map(|own| checked_out(own, Annotation::CheckedOutButEclipsed)),
                )
            }
            (Shown::Nothing(rule), own) => {
                let row = self.ruled(plain(Annotation::NoVersionSelected), rule);
                (Some(row), own.map(|own| checked_out(own, Annotation::CheckedOutButEclipsed)))
            }
            (Shown::Error(rule), own) => {
                let row = self.ruled(plain(Annotation::ErrorOnReference), Some(rule));
                (Some(row), own.map(|own| checked_out(own, Annotation::CheckedOutButEclipsed)))
            }
        };
        let is_file = element.kind == ElementKind::File;
        let one_object = |row: &ListRow| {
            matches!(row.annotation(), Annotation::EclipsedByCheckout | Annotation::CheckedOutButRemoved)
        };
        match self.filter {
            ListFilter::VobOnly => of_vob.into_iter().collect(),
            ListFilter::ViewOnly => of_view.into_iter().filter(|_| is_file).collect(),
            ListFilter::All if of_vob.as_ref().is_some_and(one_object) => of_view.into_iter().collect(),
            ListFilter::All => of_vob.into_iter().chain(of_view).collect(),
        }
    }

    /// Adds the rule that decided.
    fn ruled(&self, row: ListRow, rule: Option<RuleIndex>) -> ListRow {
        let Some(rule) = rule.and_then(|rule| self.spec.rules().get(rule.0 as usize)) else {
            return row;
        };
        let (selector, branch, branch_of_block) =
            facts::split_rule(&rule.selector_text, rule.mkbranch.as_deref());
        let mut whole_rule = rule.text.clone();
        if branch_of_block {
            whole_rule.extend_from_slice(format!(" [-mkbranch {branch}]").as_bytes());
        }
        ListRow { rule: selector.into(), make_branch: branch.into(), branch_of_block, whole_rule, ..row }
    }

    pub(super) fn symbolic_link(&self, number: SymlinkNo) -> Outcome<ListRow> {
        Ok(ListRow {
            kind: ObjectKind::SymbolicLink.into(),
            link_target: self.resolved.vob.vob.symlink(number)?.target.to_vec(),
            ..ListRow::default()
        })
    }
}

fn annotated(row: ListRow, annotation: Annotation) -> ListRow {
    ListRow { annotation: annotation.into(), ..row }
}

fn private_row(path: &Path, stat: &rustix::fs::Stat) -> ListRow {
    let is_link = stat.st_mode & libc::S_IFMT == libc::S_IFLNK;
    // It may be gone, or another, by now: then it shows without a target.
    let target = is_link.then(|| std::fs::read_link(path).ok()).flatten();
    ListRow {
        kind: ObjectKind::ViewPrivateObject.into(),
        link_target: target.map(|target| target.as_os_str().as_bytes().to_vec()).unwrap_or_default(),
        ..ListRow::default()
    }
}
