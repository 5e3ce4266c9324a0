//! Which names operations are given: mostly some that fit, sometimes any. What comes out is in the form of
//! operations, which means the same in another run.

use crate::model::{
    Element, Entry, FIRST_DIRECTORY_NAME, Id, LOST, LOST_NAME, MORE_NAMES, Model, NAMES, Private, Trail,
    VIEWS, join,
};
use crate::random::Random;
use std::collections::BTreeMap;

/// Elements that there are before no more are made.
const ELEMENTS: usize = 150;
/// Directories that a view shows before no more are made.
const DIRECTORIES: usize = 24;

/// Which elements a command is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Those that the view has checked out.
    CheckedOut,
    /// The others.
    NotCheckedOut,
    /// Those that the view has checked out and changed.
    Changed,
}

/// Tells whether there are elements enough.
pub fn is_crowded(model: &Model, view: usize, directory: bool) -> bool {
    model.elements.iter().filter(|element| !element.removed).count() > ELEMENTS
        || (directory && model.directories(view).len() > DIRECTORIES)
}

fn leaf(random: &mut Random, directory: bool) -> String {
    if random.percent(25) {
        return format!("n{}", random.below(MORE_NAMES));
    }
    let usual = match directory {
        true => &NAMES[FIRST_DIRECTORY_NAME..],
        false => &NAMES[..FIRST_DIRECTORY_NAME],
    };
    let names = if random.percent(85) { usual } else { &NAMES[..] };
    random.one_of(names).to_string()
}

/// The directories of a view; `lost+found` only now and then.
fn directories(model: &Model, random: &mut Random, view: usize) -> Vec<(String, Id, Trail)> {
    let mut all = model.directories(view);
    if !random.percent(15) {
        all.retain(|(path, _, _)| !path.starts_with("lost+found"));
    }
    all.iter_mut().for_each(|(path, _, _)| *path = model.names.lasting(path));
    all
}

/// The names that a view's directories catalog, whether it shows anything there or not. Of a long list only some, and
/// seldom those that private files hide.
fn names(model: &Model, random: &mut Random, view: usize) -> Vec<(String, Id, Entry)> {
    let mut all = Vec::new();
    let (hidden, lost) = (random.percent(15), random.percent(6));
    for (path, id, trail) in directories(model, random, view) {
        let private = model.views[view].private.get(&id).filter(|_| !hidden);
        let catalog = model.catalog(view, id, model.select(view, id, trail).0);
        let step = catalog.len().div_ceil(20).max(1);
        for (name, entry) in catalog.iter().skip(random.below(step)).step_by(step) {
            let is_hidden = private.is_some_and(|private| private.contains_key(name));
            if is_hidden || (!lost && *entry == Entry::Element(LOST)) {
                continue;
            }
            all.push((join(&path, &model.names.lasting(name)), id, *entry));
        }
    }
    all
}

/// A path of an element for a command, and the view it is given in.
pub fn element(model: &Model, random: &mut Random, wanted: Wanted) -> (usize, String) {
    let view = random.below(VIEWS);
    (view, element_in(model, random, view, wanted))
}

/// A path of an element for a command.
pub fn element_in(model: &Model, random: &mut Random, view: usize, wanted: Wanted) -> String {
    if random.percent(8) {
        return any_name(model, random, view);
    }
    let held = |id: Id| {
        let element = &model.elements[id];
        match (&element.checkouts[view], wanted) {
            (None, wanted) => wanted == Wanted::NotCheckedOut,
            (Some(_), Wanted::NotCheckedOut) => false,
            (Some(_), Wanted::CheckedOut) => true,
            (Some(checkout), Wanted::Changed) => {
                let before = element.find((checkout.branch, checkout.from));
                let data = model.views[view].data.get(&id);
                before.is_some_and(|before| match element.directory {
                    true => before.catalog != checkout.catalog,
                    false => data.is_some_and(|data| data.content != before.content),
                })
            }
        }
    };
    let mut fitting: Vec<String> = names(model, random, view)
        .into_iter()
        .filter(|(_, _, entry)| matches!(entry, Entry::Element(id) if held(*id)))
        .map(|(path, _, _)| path)
        .collect();
    if held(crate::model::ROOT) {
        // As likely as three others: without it little can be done.
        fitting.extend([String::new(), String::new(), String::new()]);
    }
    match random.any_of(&fitting) {
        Some(path) => path.clone(),
        None => any_name(model, random, view),
    }
}

/// Any path, and a view.
pub fn name(model: &Model, random: &mut Random) -> (usize, String) {
    let view = random.below(VIEWS);
    (view, any_name(model, random, view))
}

fn any_name(model: &Model, random: &mut Random, view: usize) -> String {
    match random.below(20) {
        0 => String::new(),
        1 => place_in(model, random, view, 50),
        2 => private_in(model, random, view).unwrap_or_default(),
        _ => {
            let all = names(model, random, view);
            random.any_of(&all).map(|(path, _, _)| path.clone()).unwrap_or_default()
        }
    }
}

/// A path of a directory; `held`: mostly one that the view has checked out.
pub fn directory_in(model: &Model, random: &mut Random, view: usize, held: bool) -> String {
    let all = directories(model, random, view);
    let checked_out: Vec<&(String, Id, Trail)> =
        all.iter().filter(|(_, id, _)| model.elements[*id].checkouts[view].is_some()).collect();
    match random.any_of(&checked_out) {
        Some((path, _, _)) if held && random.percent(88) => path.clone(),
        _ => random.one_of(&all).0.clone(),
    }
}

/// A path for something new, and a view.
pub fn new_name(model: &Model, random: &mut Random, directory: bool) -> (usize, String) {
    let view = random.below(VIEWS);
    (view, new_name_in(model, random, view, directory))
}

/// A path for something new in a directory that is mostly checked out. There may be a private file of that name.
pub fn new_name_in(model: &Model, random: &mut Random, view: usize, directory: bool) -> String {
    let path = directory_in(model, random, view, true);
    if random.percent(30)
        && let Some((_, id, _)) =
            model.directories(view).iter().find(|(known, _, _)| model.names.lasting(known) == path)
        && let Some(private) = model.views[view].private.get(id)
        && let Some(name) = random.any_of(&files(private))
    {
        return join(&path, &model.names.lasting(name));
    }
    let mut name = leaf(random, directory);
    // Mostly one that is free.
    for _ in 0..3 {
        if random.percent(10) || model.find(view, &join(&path, &name)).is_err() {
            break;
        }
        name = leaf(random, directory);
    }
    join(&path, &name)
}

fn files(names: &BTreeMap<String, Private>) -> Vec<&String> {
    names.iter().filter(|(_, private)| matches!(private, Private::File(_))).map(|(name, _)| name).collect()
}

/// A name that may be taken away, and a view.
pub fn removable(model: &Model, random: &mut Random) -> (usize, String) {
    let view = random.below(VIEWS);
    (view, removable_in(model, random, view))
}

/// A name that may be taken away: mostly in a directory that is checked out, or in `lost+found`.
pub fn removable_in(model: &Model, random: &mut Random, view: usize) -> String {
    let (lost, any) = (random.percent(15), random.percent(10));
    let fits = |(_, directory, _): &(String, Id, Entry)| match (lost, any) {
        (true, _) => *directory == LOST,
        (false, true) => true,
        (false, false) => model.elements[*directory].checkouts[view].is_some(),
    };
    let mut fitting = names(model, random, view);
    fitting.retain(fits);
    match random.any_of(&fitting) {
        Some((path, _, _)) => path.clone(),
        None => any_name(model, random, view),
    }
}

/// Names in `lost+found` before that is tidied up.
pub const LOST_MAX: usize = 25;
/// Private names that a view shows before some are removed.
const PRIVATE_MAX: usize = 40;

/// Tells whether `lost+found` should be tidied up, so that not all that is done happens there.
pub fn much_is_lost(model: &Model) -> bool {
    lost(model, |_| true).len() > LOST_MAX
}

/// The names in `lost+found` of elements that are wanted.
fn lost(model: &Model, wanted: impl Fn(&Element) -> bool) -> Vec<&String> {
    let catalog = &model.elements[LOST].branches[0].versions[0].catalog;
    let is_wanted = |entry: &Entry| matches!(entry, Entry::Element(id) if wanted(&model.elements[*id]));
    catalog.iter().filter(|(_, entry)| is_wanted(entry)).map(|(name, _)| name).collect()
}

fn in_lost(model: &Model, name: &str) -> String {
    join(LOST_NAME, &model.names.lasting(name))
}

/// A path of an element in `lost+found` that a view has checked out.
pub fn lost_checkout(model: &Model, random: &mut Random, view: usize) -> Option<String> {
    let names = lost(model, |element| element.checkouts[view].is_some());
    random.any_of(&names).map(|name| in_lost(model, name))
}

/// A path of an element that may go for good, and a view.
pub fn doomed(model: &Model, random: &mut Random) -> (usize, String) {
    let view = random.below(VIEWS);
    (view, doomed_in(model, random, view))
}

/// A path of an element that may go for good: mostly one that is lost.
pub fn doomed_in(model: &Model, random: &mut Random, view: usize) -> String {
    if random.percent(60) {
        // Mostly one that nobody has checked out, which would be refused.
        let any = random.percent(15);
        let names = lost(model, |element| any || element.checkouts.iter().all(Option::is_none));
        if let Some(name) = random.any_of(&names) {
            return in_lost(model, name);
        }
    }
    element_in(model, random, view, Wanted::NotCheckedOut)
}

/// The longest branch of those elements that a view catalogs: the view, the path and the element, the branch.
pub fn longest_branch(model: &Model, random: &mut Random) -> Option<(usize, String, Id, usize)> {
    let view = random.below(VIEWS);
    let element = |(path, _, entry)| match entry {
        Entry::Element(id) => Some((path, id)),
        Entry::Link(_) => None,
    };
    let named = names(model, random, view).into_iter().filter_map(element);
    let root = (String::new(), crate::model::ROOT);
    let branches = named.chain([root]).flat_map(|(path, id)| {
        let branches = model.elements[id].branches.iter().enumerate();
        branches.map(move |(at, branch)| (branch.versions.len(), view, path.clone(), id, at))
    });
    branches.max_by_key(|(versions, ..)| *versions).map(|(_, view, path, id, at)| (view, path, id, at))
}

/// A name in a version of a directory: the directory's path, the version, the name.
pub fn old_name(model: &Model, random: &mut Random, view: usize) -> (String, String, String) {
    let all = directories(model, random, view);
    let (path, id, _) = random.one_of(&all);
    let element = &model.elements[*id];
    let branch = random.below(element.branches.len());
    let versions = &element.branches[branch].versions;
    let Some(version) = random.any_of(versions) else {
        return (path.clone(), "/main/0".to_owned(), leaf(random, false));
    };
    let name = match random.any_of(&version.catalog.keys().collect::<Vec<_>>()) {
        Some(name) => model.names.lasting(name),
        None => leaf(random, false),
    };
    (path.clone(), element.version_id((branch, version.number)), name)
}

/// All private paths that can be reached in a view, and whether they are directories.
fn private_paths(model: &Model, view: usize) -> Vec<(String, bool)> {
    fn add(all: &mut Vec<(String, bool)>, path: &str, names: &BTreeMap<String, Private>) {
        for (name, private) in names {
            let path = join(path, name);
            match private {
                Private::Directory(_, below) => {
                    add(all, &path, below);
                    all.push((path, true));
                }
                _ => all.push((path, false)),
            }
        }
    }
    let mut all = Vec::new();
    for (path, id, _) in model.directories(view) {
        if let Some(names) = model.views[view].private.get(&id) {
            add(&mut all, &path, names);
        }
    }
    all.iter_mut().for_each(|(path, _)| *path = model.names.lasting(path));
    all
}

fn private_in(model: &Model, random: &mut Random, view: usize) -> Option<String> {
    random.any_of(&private_paths(model, view)).map(|(path, _)| path.clone())
}

/// A path of checked-out data, if there is any.
fn data_in(model: &Model, random: &mut Random, view: usize) -> Option<String> {
    let mut all = names(model, random, view);
    all.retain(|(_, _, entry)| match entry {
        Entry::Element(id) => !model.elements[*id].directory && model.elements[*id].checkouts[view].is_some(),
        Entry::Link(_) => false,
    });
    random.any_of(&all).map(|(path, _, _)| path.clone())
}

/// A path for a file that is written, and a view.
pub fn writable(model: &Model, random: &mut Random) -> (usize, String) {
    let view = random.below(VIEWS);
    let found = match random.below(20) {
        0..=14 => data_in(model, random, view),
        15 => private_in(model, random, view),
        _ => None,
    };
    (view, found.unwrap_or_else(|| place_in(model, random, view, 70)))
}

/// A private path that should go, because there are many.
pub fn superfluous(model: &Model, random: &mut Random, view: usize) -> Option<String> {
    let all: Vec<_> = private_paths(model, view).into_iter().filter(|(_, directory)| !directory).collect();
    if all.len() > PRIVATE_MAX { random.any_of(&all).map(|(path, _)| path.clone()) } else { None }
}

/// A path of something that is the view's own, so many times in a hundred, and a view.
pub fn private(model: &Model, random: &mut Random, chance: usize) -> (usize, String) {
    let view = random.below(VIEWS);
    let found = match random.percent(chance) {
        true if random.percent(20) => data_in(model, random, view),
        true => private_in(model, random, view),
        false => None,
    };
    (view, found.unwrap_or_else(|| place_in(model, random, view, 10)))
}

/// A path of a private directory, mostly, and a view.
pub fn private_directory(model: &Model, random: &mut Random) -> (usize, String) {
    let view = random.below(VIEWS);
    let mut all = private_paths(model, view);
    all.retain(|(_, directory)| *directory);
    match random.any_of(&all) {
        Some((path, _)) if random.percent(85) => (view, path.clone()),
        _ => (view, place_in(model, random, view, 20)),
    }
}

/// A path other than the root's, and a view. So many times in a hundred a name that nothing need have.
pub fn place(model: &Model, random: &mut Random, chance: usize) -> (usize, String) {
    let view = random.below(VIEWS);
    (view, place_in(model, random, view, chance))
}

/// A path other than the root's.
pub fn place_in(model: &Model, random: &mut Random, view: usize, chance: usize) -> String {
    let any = random.percent(chance);
    if !any {
        let all = names(model, random, view);
        if let Some((path, _, _)) = random.any_of(&all) {
            return path.clone();
        }
    }
    let mut directories = private_paths(model, view);
    directories.retain(|(_, directory)| *directory);
    let path = match random.any_of(&directories) {
        Some((path, _)) if random.percent(25) => path.clone(),
        _ => directory_in(model, random, view, false),
    };
    let directory = random.percent(25);
    join(&path, &leaf(random, directory))
}
