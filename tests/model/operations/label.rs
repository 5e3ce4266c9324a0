//! mklabel and rmlabel.

use super::branch::{selected, selector};
use super::pick;
use super::{Done, Operation, Outcome, Outcomes, Refused, each};
use crate::model::{Element, Entry, Found, Id, LABELS, Model, NO_LABEL, Shown, Trail, join};
use crate::names::Names;
use crate::product::Product;
use crate::random::Random;
use clerestory::server::proto::*;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Attaches a label.
#[derive(Debug)]
pub struct Label {
    view: usize,
    path: String,
    label: String,
    replace: bool,
    recurse: bool,
    version: String,
}

/// Removes a label.
#[derive(Debug)]
pub struct RemoveLabel {
    view: usize,
    path: String,
    label: String,
    recurse: bool,
    version: String,
}

fn label_name(random: &mut Random) -> String {
    if random.percent(5) { NO_LABEL.to_owned() } else { random.one_of(&LABELS).to_string() }
}

impl Label {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::name(model, random);
        let version = if random.percent(20) { selector(random) } else { String::new() };
        let label = label_name(random);
        Rc::new(Label {
            view,
            path,
            label,
            replace: random.percent(60),
            recurse: random.percent(15),
            version,
        })
    }
}

impl RemoveLabel {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::name(model, random);
        let version = if random.percent(15) { selector(random) } else { String::new() };
        Rc::new(RemoveLabel { view, path, label: label_name(random), recurse: random.percent(10), version })
    }
}

/// An element that was named, or found below one that was.
struct Named {
    /// Below the argument; empty for the argument itself.
    path: String,
    /// The element, and what the view shows of it; or why that is of no use.
    found: Result<(Id, Shown), Refused>,
    recursed: bool,
}

/// The elements that a path means: with `recurse` all that the view shows below it.
fn named(model: &Model, view: usize, path: &str, recurse: bool) -> Vec<Named> {
    let mut all = Vec::new();
    let found = match model.find(view, path) {
        Err(code) => Err(code.into()),
        Ok(Found::Private { .. }) => Err(FailureCode::NotAVobObject.into()),
        Ok(Found::Link(_)) => Err(FailureCode::NotAnElement.into()),
        Ok(Found::Element { id, shown, trail, .. }) => Ok((id, shown, trail)),
    };
    let top = found.clone().map(|(id, shown, _)| (id, shown));
    all.push(Named { path: String::new(), found: top, recursed: false });
    if let Ok((id, shown, trail)) = found
        && recurse
        && model.elements[id].directory
    {
        let mut seen = BTreeSet::from([id]);
        below(model, view, String::new(), (id, shown, trail), &mut seen, &mut all);
    }
    all
}

fn below(
    model: &Model,
    view: usize,
    path: String,
    (id, shown, trail): (Id, Shown, Trail),
    seen: &mut BTreeSet<Id>,
    all: &mut Vec<Named>,
) {
    for (name, entry) in model.catalog(view, id, shown).iter() {
        let Entry::Element(child) = *entry else { continue };
        if model.views[view].private(id, std::slice::from_ref(name)).is_some() {
            continue;
        }
        let trail = trail.below(name);
        let shown = model.select(view, child, trail).0;
        if matches!(shown, Shown::Nothing | Shown::Error) {
            continue;
        }
        let path = join(&path, name);
        all.push(Named { path: path.clone(), found: Ok((child, shown)), recursed: true });
        if model.elements[child].directory && seen.insert(child) {
            below(model, view, path, (child, shown, trail), seen, all);
        }
    }
}

/// Does something with a label to each of several elements. One that is of no use is told where it stands; a label
/// type that is not there is told once, of the first element that could have been meant.
fn each_named(
    model: &mut Model,
    all: Vec<Named>,
    label: &str,
    usable: impl Fn(Shown) -> Result<(), Refused>,
    mut act: impl FnMut(&mut Model, usize, &Named, (Id, Shown)) -> Option<Outcome>,
) -> Vec<Outcome> {
    let label = LABELS.iter().position(|known| *known == label);
    let mut told_missing = false;
    let mut outcomes = Vec::new();
    for one in &all {
        let found = one.found.clone().and_then(|(id, shown)| usable(shown).map(|()| (id, shown)));
        let outcome = match (found, label) {
            (Err(refused), _) => Some(Err(refused)),
            (Ok(_), None) if told_missing => None,
            (Ok(_), None) => {
                told_missing = true;
                Some(Err(FailureCode::TypeNotFound.into()))
            }
            (Ok(found), Some(label)) => act(model, label, one, found),
        };
        let at = |outcome: Outcome| {
            outcome.map(|done| Done { words: format!("{} {}", one.path, done.words), ..done })
        };
        outcomes.extend(outcome.map(at));
    }
    outcomes
}

impl Operation for Label {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let all = named(model, self.view, &self.path, self.recurse);
        let asked = !self.version.is_empty();
        let usable = |shown| match shown {
            Shown::Nothing | Shown::Error if !asked => Err(FailureCode::NoVersionSelected.into()),
            _ => Ok(()),
        };
        // What names of this command did already, by element.
        let mut earlier = BTreeMap::new();
        each_named(model, all, &self.label, usable, |model, label, one, (id, shown)| {
            let element = &model.elements[id];
            let version = match (asked, shown) {
                (true, _) => selected(element, &self.version),
                (false, Shown::Version(spot)) => Ok(spot),
                (false, _) => Err(FailureCode::VersionIsCheckedOut.into()),
            };
            let version = match version {
                Ok(version) => version,
                Err(refused) => return Some(Err(refused)),
            };
            // Two names of one element below a directory are one object.
            if one.recursed && earlier.get(&id) == Some(&version) {
                return None;
            }
            let carried = element.labels.get(&label).copied();
            if carried.is_some() && !self.replace {
                return Some(Err(FailureCode::LabelExists.into()));
            }
            let from = carried.map(|spot| element.version_id(spot)).unwrap_or_default();
            let words = format!("on {} from {from}", element.version_id(version));
            if carried != Some(version) {
                earlier.insert(id, version);
                model.change(id).labels.insert(label, version);
            }
            Some(Ok(Done::told(words)))
        })
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let request = LabelRequest {
            context: product.context(self.view),
            label: product.selector(self.view, SelectorKind::LabelType, &self.label),
            pnames: vec![product.pname(self.view, &names.real(&self.path))],
            replace: self.replace,
            recurse: self.recurse,
            version: self.version.clone().into_bytes(),
            ..LabelRequest::default()
        };
        each(product.label(request), |items| items.into_iter().map(told).collect())
    }
}

impl Operation for RemoveLabel {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let all = named(model, self.view, &self.path, self.recurse);
        // Elements as they were, of which names of this command did it already: version selectors mean them.
        let mut earlier: BTreeMap<Id, Element> = BTreeMap::new();
        each_named(
            model,
            all,
            &self.label,
            |_| Ok(()),
            |model, label, one, (id, _)| {
                let element = earlier.get(&id).unwrap_or(&model.elements[id]);
                let asked = match self.version.is_empty() {
                    true => None,
                    false => match selected(element, &self.version) {
                        Ok(version) => Some(version),
                        Err(refused) => return Some(Err(refused)),
                    },
                };
                let carried = model.elements[id].labels.get(&label).copied();
                match carried.filter(|spot| asked.is_none_or(|asked| asked == *spot)) {
                    Some(spot) => {
                        let words = format!("on {} from ", element.version_id(spot));
                        earlier.entry(id).or_insert_with(|| model.elements[id].clone());
                        model.change(id).labels.remove(&label);
                        Some(Ok(Done::told(words)))
                    }
                    None if one.recursed => None,
                    None => Some(Err(FailureCode::NoSuchLabel.into())),
                }
            },
        )
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        let request = LabelRequest {
            context: product.context(self.view),
            label: product.selector(self.view, SelectorKind::LabelType, &self.label),
            pnames: vec![product.pname(self.view, &names.real(&self.path))],
            remove: true,
            recurse: self.recurse,
            version: self.version.clone().into_bytes(),
            ..LabelRequest::default()
        };
        each(product.label(request), |items| items.into_iter().map(told).collect())
    }
}

fn told(item: LabelItem) -> Outcomes {
    match item.item {
        Some(label_item::Item::Done(done)) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (path, on, from) = (text(&done.path), text(&done.version), text(&done.moved_from));
            Outcomes::Done(format!("{path} on {on} from {from}"), Vec::new())
        }
        Some(label_item::Item::Failure(LabelFailure { failure: Some(failure), .. })) => {
            Outcomes::Failed(failure)
        }
        _ => Outcomes::Silent,
    }
}
