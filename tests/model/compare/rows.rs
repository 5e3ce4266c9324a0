//! What `ls` says: versions, rules, and what is hidden or missing.

use super::Place;
use crate::model::{Entry, Id, Model, Private, Rule, Shown, Trail};
use crate::product::Product;
use clerestory::server::proto::*;
use std::collections::BTreeSet;

/// What `ls` says of a directory's names, in their order.
fn rows(model: &Model, (view, _, id, trail): Place<'_>) -> Vec<String> {
    let catalog = model.catalog(view, id, model.select(view, id, trail).0);
    let private = model.views[view].private.get(&id);
    let own = private.map(|names| names.keys().collect::<BTreeSet<_>>()).unwrap_or_default();
    let all: BTreeSet<&String> = catalog.keys().chain(own.iter().copied()).collect();
    let mut rows = Vec::new();
    for name in all {
        let hidden = own.contains(name);
        if let Some(private) = private.and_then(|names| names.get(name)) {
            let link = if let Private::Link(text) = private { text.as_str() } else { "" };
            rows.push(row(name, ObjectKind::ViewPrivateObject, "", "", Annotation::None, None, link));
        }
        match catalog.get(name) {
            None => {}
            Some(Entry::Link(link)) => {
                let annotation = if hidden { Annotation::Eclipsed } else { Annotation::None };
                let text = &model.links[*link];
                rows.push(row(name, ObjectKind::SymbolicLink, "", "", annotation, None, text));
            }
            Some(Entry::Element(child)) => {
                rows.extend(element_rows(model, view, name, *child, trail.below(name), hidden));
            }
        }
    }
    rows
}

fn element_rows(model: &Model, view: usize, name: &str, id: Id, trail: Trail, hidden: bool) -> Vec<String> {
    let element = &model.elements[id];
    let (object, version) = match element.directory {
        true => (ObjectKind::DirectoryElement, ObjectKind::DirectoryVersion),
        false => (ObjectKind::FileElement, ObjectKind::Version),
    };
    let (shown, rule) = model.select(view, id, trail);
    let own = element.checkouts[view].as_ref();
    let checked_out = |annotation, rule| {
        let own = own?;
        let at = format!("{}/CHECKEDOUT", element.branch_id(own.branch));
        let from = element.version_id((own.branch, own.from));
        Some(row(name, version, &at, &from, annotation, rule, ""))
    };
    let eclipsed = || checked_out(Annotation::CheckedOutButEclipsed, None);
    let plain = |annotation, rule| row(name, object, "", "", annotation, rule, "");
    let rows = match shown {
        _ if hidden => [Some(plain(Annotation::Eclipsed, None)), eclipsed()],
        Shown::CheckedOut if element.directory || model.views[view].data.contains_key(&id) => {
            [checked_out(Annotation::None, rule), None]
        }
        Shown::CheckedOut => [checked_out(Annotation::CheckedOutButRemoved, None), None],
        Shown::Version(spot) => {
            let id = element.version_id(spot);
            [Some(row(name, version, &id, "", Annotation::None, rule, "")), eclipsed()]
        }
        Shown::Nothing => [Some(plain(Annotation::NoVersionSelected, rule)), eclipsed()],
        Shown::Error => [Some(plain(Annotation::ErrorOnReference, rule)), eclipsed()],
    };
    rows.into_iter().flatten().collect()
}

fn row(
    name: &str,
    kind: ObjectKind,
    version: &str,
    from: &str,
    annotation: Annotation,
    rule: Option<Rule>,
    link: &str,
) -> String {
    let (rule, make) = rule.map(|rule| (rule.selector(), rule.made())).unwrap_or_default();
    format!("{name} {kind:?} {version} from {from} {annotation:?} rule {rule} {make} {link}")
}

/// Compares what `ls` says of a directory.
pub fn compare(model: &Model, product: &dyn Product, place: Place<'_>) -> Result<(), String> {
    let (expected, (view, path, ..)) = (rows(model, place), place);
    let request = ListRequest {
        context: product.context(view),
        pnames: vec![product.pname(view, path)],
        scope: ListScope::Contents.into(),
        ..ListRequest::default()
    };
    let items = product.list(request).map_err(|failure| format!("ls of {path:?}: {failure:?}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let found = |item: ListItem| match item.item {
        Some(list_item::Item::Row(row)) => format!(
            "{} {:?} {} from {} {:?} rule {} {} {}",
            text(&row.path),
            row.kind(),
            text(&row.version),
            text(&row.checked_out_from),
            row.annotation(),
            text(&row.rule),
            text(&row.make_branch),
            text(&row.link_target)
        ),
        other => format!("{other:?}"),
    };
    let found: Vec<String> = items.into_iter().map(found).collect();
    let different = expected.iter().zip(&found).find(|(expected, found)| expected != found);
    match different {
        Some((expected, found)) => {
            Err(format!("ls in view {} of {path:?}: expected {expected:?}, found {found:?}", view + 1))
        }
        None if expected.len() != found.len() => {
            Err(format!("ls in view {} of {path:?}: expected {expected:?}, found {found:?}", view + 1))
        }
        None => Ok(()),
    }
}
