//! The name space below `@@`: elements, branches and versions as directories and files.

use crate::model::{Branch, Catalog, Element, Entry, Id, LABELS, LOST, Model, ROOT, Trail, Version, join};
use crate::product::{Errno, Kind, Product, Stat};

/// Compares the history of elements that a view catalogs: each once, by the first name that leads to it.
pub fn compare(
    model: &Model,
    product: &dyn Product,
    view: usize,
    wanted: &dyn Fn(Id) -> bool,
) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for (path, id, trail) in model.directories(view) {
        if id == ROOT && wanted(ROOT) && seen.insert(ROOT) {
            element(model, product, (view, "./"), ROOT)?;
        }
        for (name, child) in children(model, view, id, trail) {
            if wanted(child) && seen.insert(child) && child != LOST {
                element(model, product, (view, &join(&path, &name)), child)?;
            }
        }
    }
    Ok(())
}

fn children(model: &Model, view: usize, id: Id, trail: Trail) -> Vec<(String, Id)> {
    let catalog: Catalog = model.catalog(view, id, model.select(view, id, trail).0);
    let child = |(name, entry): (&String, &Entry)| match entry {
        Entry::Element(child) => Some((name.clone(), *child)),
        Entry::Link(_) => None,
    };
    catalog.iter().filter_map(child).collect()
}

/// Compares what is below the `@@` of an element's name.
fn element(model: &Model, product: &dyn Product, (view, path): (usize, &str), id: Id) -> Result<(), String> {
    let element = &model.elements[id];
    // The root's own history is below the name `.@@`.
    let top = if path == "./" { ".@@".to_owned() } else { format!("{path}@@") };
    let leaf = if element.directory { Kind::Directory } else { Kind::File };
    let mut expected = vec![("main".to_owned(), Kind::Directory)];
    expected.extend(element.labels.keys().map(|label| (LABELS[*label].to_owned(), leaf)));
    listing(product, (view, &top), expected)?;
    let branches = element.branches.iter().enumerate();
    for (at, branch) in branches.filter(|(_, branch)| !branch.versions.is_empty()) {
        let below = format!("{top}{}", element.branch_id(at));
        listing(product, (view, &below), on_branch(view, element, (at, branch)))?;
        let newest = branch.versions.last().expect("it has versions");
        let oldest = &branch.versions[0];
        let versions = [("LATEST".to_owned(), newest), (oldest.number.to_string(), oldest)];
        if element.directory {
            for (name, version) in versions {
                let entry = |(name, entry): (&String, &Entry)| match entry {
                    Entry::Element(_) => (name.clone(), Kind::Directory),
                    Entry::Link(_) => (name.clone(), Kind::Link),
                };
                let names = version.catalog.iter().map(entry).collect();
                listing(product, (view, &format!("{below}/{name}")), names)?;
            }
            continue;
        }
        let held = |version: &Version| {
            Some(if version.emptied { Err(libc::ENODATA) } else { Ok(version.content.bytes()) })
        };
        let mut files: Vec<(String, Option<Held>)> =
            versions.into_iter().map(|(name, version)| (name, held(version))).collect();
        if element.checkouts[view].as_ref().is_some_and(|checkout| checkout.branch == at) {
            let data = model.views[view].data.get(&id).map(|data| Ok(data.content.bytes()));
            files.push(("CHECKEDOUT".to_owned(), data));
        }
        compare_files(product, (view, &below), &files)?;
    }
    Ok(())
}

/// What is read of a file.
type Held = Result<Vec<u8>, Errno>;

/// Compares files below a branch; what holds nothing is the placeholder of a checkout whose data was removed.
fn compare_files(
    product: &dyn Product,
    (view, branch): (usize, &str),
    files: &[(String, Option<Held>)],
) -> Result<(), String> {
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for ((name, expected), found) in files.iter().zip(product.look(view, branch, &names)) {
        let placeholder = Ok(Stat { kind: Kind::File, mode: 0, size: 0 });
        let agree = match expected {
            Some(expected) => found.held == *expected,
            None => found.stat == placeholder,
        };
        if !agree {
            let text = |held: &Held| held.clone().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let (expected, held) = (expected.as_ref().map(text), text(&found.held));
            return Err(format!(
                "view {} {branch}/{name}: expected {expected:?}, found {held:?} {:?}",
                view + 1,
                found.stat
            ));
        }
    }
    Ok(())
}

/// The names that a branch has as a directory.
fn on_branch(view: usize, element: &Element, (at, branch): (usize, &Branch)) -> Vec<(String, Kind)> {
    let leaf = if element.directory { Kind::Directory } else { Kind::File };
    let mut all: Vec<(String, Kind)> =
        branch.versions.iter().map(|version| (version.number.to_string(), leaf)).collect();
    all.push(("LATEST".to_owned(), leaf));
    let sprouts = element.branches.iter().enumerate().filter(|(_, other)| {
        !other.versions.is_empty() && other.from.is_some_and(|(parent, _)| parent == at)
    });
    all.extend(sprouts.map(|(other, _)| {
        let id = element.branch_id(other);
        (id.rsplit('/').next().unwrap_or_default().to_owned(), Kind::Directory)
    }));
    let labels = element.labels.iter().filter(|(_, (on, _))| *on == at);
    all.extend(labels.map(|(label, _)| (LABELS[*label].to_owned(), leaf)));
    for (holder, checkout) in element.checkouts.iter().enumerate() {
        if checkout.as_ref().is_none_or(|checkout| checkout.branch != at) {
            continue;
        }
        let name = if holder == view { "CHECKEDOUT" } else { "CHECKEDOUT." };
        all.push((name.to_owned(), leaf));
    }
    all
}

fn listing(
    product: &dyn Product,
    (view, path): (usize, &str),
    mut expected: Vec<(String, Kind)>,
) -> Result<(), String> {
    let found = product.names(view, path);
    let mut found = found.map_err(|errno| format!("view {} {path:?}: listing: {errno}", view + 1))?;
    for (name, _) in &mut found {
        // Other views' checkouts have numbers that nobody foretells.
        if name.starts_with("CHECKEDOUT.") {
            name.truncate("CHECKEDOUT.".len());
        }
    }
    found.sort();
    expected.sort();
    match found == expected {
        true => Ok(()),
        false => Err(format!("view {} {path:?}: names: expected {expected:?}, found {found:?}", view + 1)),
    }
}
