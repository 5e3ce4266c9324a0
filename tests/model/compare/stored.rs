//! What is stored of elements, whether a view shows it or not.

use crate::model::{Catalog, Content, Entry, Id, Model, ROOT, VIEWS};
use clerestory::store::Vob;
use clerestory::store::pool::ContentId;
use clerestory::vob::apply::DirectoryAt;
use clerestory::vob::{BranchNo, ElementKind, ElementNo, ViewUuid};

/// Compares elements that are stored with those of the model: all of them, or those that were touched.
pub fn compare(vob: &Vob, views: &[ViewUuid; VIEWS], model: &Model, all: bool) -> Result<(), String> {
    let count = vob.state().header.elements as usize;
    if count != model.elements.len() {
        return Err(format!("expected {} elements, found {count}", model.elements.len()));
    }
    match all {
        true => (ROOT..count).try_for_each(|id| element(vob, views, model, id)),
        false => model.touched.iter().try_for_each(|id| element(vob, views, model, *id)),
    }
}

/// Compares one element.
fn element(vob: &Vob, views: &[ViewUuid; VIEWS], model: &Model, id: Id) -> Result<(), String> {
    let expected = described(model, id);
    let found = stored(vob, views, id).map_err(|error| format!("element {id}: {error}"))?;
    match expected == found {
        true => Ok(()),
        false => Err(format!("element {id}: expected {expected:#?}, found {found:#?}")),
    }
}

/// An element in lines.
fn described(model: &Model, id: Id) -> Vec<String> {
    let element = &model.elements[id];
    if element.removed {
        return vec!["removed".to_owned()];
    }
    let kind = if element.directory { "directory" } else { "file" };
    let mut lines = vec![format!("{kind} {:o}", element.mode)];
    let names = |catalog: &Catalog| -> String {
        catalog.iter().map(|(name, entry)| format!(" {name}={entry:?}")).collect()
    };
    for (at, branch) in element.branches.iter().enumerate().filter(|(_, branch)| !branch.versions.is_empty())
    {
        let from = branch.from.map(|from| element.version_id(from)).unwrap_or_default();
        lines.push(format!("{} from {from} next {}", element.branch_id(at), branch.next));
        for version in &branch.versions {
            let spot = (at, version.number);
            let holds = match element.directory {
                true => names(&version.catalog),
                false if version.emptied => " Removed".to_owned(),
                false => format!(" {} {}", holds(version.content), version.executable),
            };
            let labels = element.labels_of(spot).join(",");
            lines.push(format!("{} [{labels}]{holds}", element.version_id(spot)));
        }
    }
    for (view, checkout) in element.checkouts.iter().enumerate() {
        let Some(checkout) = checkout else { continue };
        let from = element.version_id((checkout.branch, checkout.from));
        let held = if element.directory { names(&checkout.catalog) } else { String::new() };
        lines.push(format!("checkout {view} {from} {}{held}", checkout.reserved));
    }
    lines
}

fn holds(content: Content) -> String {
    match content.lines {
        0 => "empty".to_owned(),
        _ => format!("{} {}", content.bytes().len(), ContentId::of(&content.bytes())),
    }
}

fn stored(vob: &Vob, views: &[ViewUuid; VIEWS], id: Id) -> Result<Vec<String>, String> {
    use clerestory::vob::{Content, Entry as Leads};
    let text = |error: clerestory::store::StoreError| error.to_string();
    let Some(element) = vob.element(ElementNo(id as u32)).map_err(text)? else {
        return Ok(vec!["removed".to_owned()]);
    };
    let state = vob.state();
    let branch_id = |branch| clerestory::view::resolve::branch_id(&state, &element, branch);
    let version_id = |version| clerestory::view::resolve::version_id(&state, &element, version);
    let is_directory = element.kind == ElementKind::Directory;
    let kind = if is_directory { "directory" } else { "file" };
    let mut lines = vec![format!("{kind} {:o}", element.mode)];
    let held = |at: DirectoryAt| -> Result<String, String> {
        let catalog = vob.directory(element.number, at).map_err(text)?;
        let entry = |entry: Leads| match entry {
            Leads::Element(number) => Entry::Element(number.index()),
            Leads::Symlink(number) => Entry::Link(number.index()),
        };
        let name =
            |(name, leads): (&[u8], Leads)| format!(" {}={:?}", String::from_utf8_lossy(name), entry(leads));
        Ok(catalog.iter().map(name).collect())
    };
    let branches = element.branches.iter().zip((0..).map(BranchNo));
    for (branch, number) in branches.filter(|(branch, _)| !branch.versions.is_empty()) {
        let from = branch.from.map(version_id).unwrap_or_default();
        lines.push(format!("{} from {from} next {}", branch_id(number), branch.next_number));
        for at in &branch.versions {
            let version = element.version(*at);
            let holds = match version.content {
                Content::Directory => held(DirectoryAt::Version(*at))?,
                Content::Empty => format!(" empty {}", version.executable),
                Content::File { hash, size } => format!(" {size} {} {}", ContentId(hash), version.executable),
                other => format!(" {other:?}"),
            };
            let mut labels: Vec<&str> = element.labels_of(*at).map(|label| state.type_name(label)).collect();
            labels.sort_by_key(|label| crate::model::LABELS.iter().position(|known| known == label));
            lines.push(format!("{} [{}]{holds}", version_id(*at), labels.join(",")));
        }
    }
    for (view, uuid) in views.iter().enumerate() {
        let Some(checkout) = element.checkout_of(uuid) else { continue };
        let names = match is_directory {
            true => held(DirectoryAt::CheckedOut(checkout.number))?,
            false => String::new(),
        };
        lines.push(format!("checkout {view} {} {}{names}", version_id(checkout.from), checkout.reserved));
    }
    if element.checkouts.len() > lines.iter().filter(|line| line.starts_with("checkout")).count() {
        lines.push("a checkout of no view".to_owned());
    }
    Ok(lines)
}
