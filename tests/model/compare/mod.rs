//! What the model says is seen, and what the program shows.

pub mod history;
mod rows;
mod seen;
pub mod stored;

use crate::model::{Entry, Id, Model, Trail, VIEWS, join};
use crate::product::{Kind, Product};
use seen::{Seen, listed, look, seen_names, text, text_of};

/// Compares what an operation touched, in both views.
pub fn touched(model: &Model, product: &dyn Product) -> Result<(), String> {
    for view in 0..VIEWS {
        if model.touched_views[view] {
            whole(model, product, view)?;
            continue;
        }
        for (path, id, trail) in model.directories(view) {
            let shown = model.select(view, id, trail).0;
            let catalog = model.catalog(view, id, shown);
            let leads_to_touched =
                |entry: &Entry| matches!(entry, Entry::Element(id) if model.touched.contains(id));
            if model.touched.contains(&id) {
                directory(model, product, (view, &path, id, trail), &|_| true)?;
            } else if catalog.values().any(leads_to_touched) {
                let is_touched = |name: &str| catalog.get(name).is_some_and(leads_to_touched);
                directory(model, product, (view, &path, id, trail), &is_touched)?;
            }
        }
        history::compare(model, product, view, &|id| model.touched.contains(&id))?;
    }
    Ok(())
}

/// Compares all that a view shows.
pub fn whole(model: &Model, product: &dyn Product, view: usize) -> Result<(), String> {
    for (path, id, trail) in model.directories(view) {
        directory(model, product, (view, &path, id, trail), &|_| true)?;
    }
    history::compare(model, product, view, &|_| true)
}

/// A directory of a view.
pub type Place<'a> = (usize, &'a str, Id, Trail);

/// Compares a directory: its names, what `ls` says of them, and what those are and hold that are wanted.
fn directory(
    model: &Model,
    product: &dyn Product,
    (view, path, id, trail): Place<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<(), String> {
    let expected = seen_names(model, (view, path, id, trail));
    let at = format!("view {} {path:?}", view + 1);
    let mut found = product.names(view, path).map_err(|errno| format!("{at}: listing: {errno}"))?;
    found.sort();
    let kinds: Vec<(String, Kind)> =
        expected.iter().filter_map(|(name, seen)| Some((name.clone(), listed(seen)?))).collect();
    if found != kinds {
        return Err(format!("{at}: names: expected {kinds:?}, found {found:?}"));
    }
    let compared: Vec<(&str, &Seen)> = (expected.iter())
        .filter(|(name, seen)| **seen != Seen::Loop && wanted(name))
        .map(|(name, seen)| (name.as_str(), seen))
        .collect();
    let names: Vec<&str> = compared.iter().map(|(name, _)| *name).collect();
    for ((name, seen), found) in compared.iter().zip(look(product, view, path, &names)) {
        if found.as_ref() != Some(*seen) {
            let path = join(path, name);
            return Err(format!(
                "view {} {path:?}: expected {}, found {}",
                view + 1,
                text(seen),
                text_of(&found)
            ));
        }
    }
    rows::compare(model, product, (view, path, id, trail))
}
