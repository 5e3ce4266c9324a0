//! What can be done to a VOB and its views. Each operation says what it does to the model, and does it to the
//! program. It names things by paths, so that it means something whatever was done before it.
//!
//! A new operation is a file here and a line in [`KINDS`].

mod branch;
mod checkin;
mod checkout;
mod files;
mod label;
mod link;
mod make;
mod names;
mod pick;
mod removal;
mod reserve;
mod spec;
mod twins;
mod uncheckout;

use super::model::{
    Catalog, Entry, Found, Id, LOST, Model, Private, ROOT, Rule, Shown, Trail, parent_and_leaf,
};
use super::names::Names;
use super::product::{Errno, Product};
use super::random::Random;
use clerestory::server::proto::{Failure, FailureCode, Notice, NoticeCode};
use std::fmt::Debug;
use std::rc::Rc;

/// An operation.
pub trait Operation: Debug {
    /// Does it to the model, and answers what the program must answer.
    fn expect(&self, model: &mut Model) -> Vec<Outcome>;
    /// Does it to the program.
    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome>;
}

/// Makes an operation of one kind that fits what there is; `serial` is its number.
type Make = fn(&Model, &mut Random, u32) -> Rc<dyn Operation>;

/// The kinds of operations, and how often each is done.
const KINDS: &[(usize, Make)] = &[
    (14, checkout::CheckOut::any),
    (14, checkin::CheckIn::any),
    (5, uncheckout::Uncheckout::any),
    (10, make::MakeElement::any),
    (5, make::MakeDirectory::any),
    (5, names::RemoveName::any),
    (6, names::Rename::any),
    (4, link::HardLink::any),
    (2, link::SymbolicLink::any),
    (1, twins::SetTwins::any),
    (4, removal::RemoveElement::any),
    (2, removal::RemoveBranch::any),
    (4, removal::RemoveVersion::any),
    (4, branch::MakeBranch::any),
    (6, label::Label::any),
    (3, label::RemoveLabel::any),
    (3, reserve::Reserve::any),
    (2, spec::SetSpec::any),
    (16, files::Write::any),
    (6, files::Remove::any),
    (2, files::RemoveDirectory::any),
    (1, files::MakeDirectory::any),
    (1, files::MakeLink::any),
    (4, files::Rename::any),
    (3, files::SetMode::any),
];

/// Makes any operation.
pub fn any(model: &Model, random: &mut Random, serial: u32) -> Rc<dyn Operation> {
    let total: usize = KINDS.iter().map(|(weight, _)| weight).sum();
    let mut left = random.below(total);
    for (weight, make) in KINDS {
        if left < *weight {
            return make(model, random, serial);
        }
        left -= weight;
    }
    unreachable!("a number below the total falls on one kind")
}

/// What kind of operation it is.
pub fn kind_of(operation: &dyn Operation) -> String {
    let text = format!("{operation:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// What became of one argument.
pub type Outcome = Result<Done, Refused>;

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// What is told of it.
    pub words: String,
    /// What else is told, in order.
    pub notices: Vec<String>,
    /// What moved to `lost+found`: names and identities.
    pub lost: Vec<(String, String)>,
}

/// Why it was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The reason: the name of a failure, or of an error number.
    pub why: String,
    /// The branch that stands in the way.
    pub branch: String,
    /// What was done all the same.
    pub before: Vec<String>,
}

impl Done {
    /// Something told in words.
    pub fn told(words: impl Into<String>) -> Done {
        Done { words: words.into(), ..Done::default() }
    }

    /// What a reply of the program tells.
    pub fn of(words: impl Into<String>, notices: &[Notice]) -> Done {
        let mut done = Done::told(words);
        for notice in notices {
            match notice.code() {
                NoticeCode::LostAndFound => {
                    done.lost.push((text(&notice.name), notice.oid.clone()));
                }
                _ => done.notices.push(noticed(notice)),
            }
        }
        done
    }
}

fn noticed(notice: &Notice) -> String {
    let parts = [&notice.name, &notice.branch, &notice.version];
    let code = notice.code().as_str_name().trim_start_matches("NOTICE_CODE_");
    parts.iter().filter(|part| !part.is_empty()).fold(code.to_owned(), |told, part| told + " " + &text(part))
}

impl From<FailureCode> for Refused {
    fn from(code: FailureCode) -> Refused {
        Refused { why: code.as_str_name().to_owned(), branch: String::new(), before: Vec::new() }
    }
}

impl Refused {
    /// Refused because of a branch.
    pub fn at(code: FailureCode, branch: String) -> Refused {
        Refused { branch, ..code.into() }
    }

    /// What a failure of the program tells.
    pub fn of(failure: &Failure) -> Refused {
        let of_branch = matches!(
            failure.code(),
            FailureCode::ReservedElsewhere | FailureCode::NotPredecessor | FailureCode::BranchExists
        );
        let branch =
            if of_branch { String::from_utf8_lossy(&failure.branch).into_owned() } else { String::new() };
        let before = failure.done_before.iter().map(noticed).collect();
        // By which name a twin is told depends on which of several it is.
        let code = match failure.code() {
            FailureCode::EvilTwinRenamed => FailureCode::EvilTwin,
            code => code,
        };
        let mut refused = Refused { branch, before, ..code.into() };
        if matches!(failure.code(), FailureCode::Internal | FailureCode::Damaged | FailureCode::SystemError) {
            refused.why += &format!(" ({})", failure.text);
        }
        refused
    }

    /// Refused by the kernel.
    pub fn by(errno: Errno) -> Refused {
        let why = std::io::Error::from_raw_os_error(errno).to_string();
        Refused { why, branch: String::new(), before: Vec::new() }
    }
}

/// Bytes of the program as text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The outcome of a call for files.
fn filed(result: Result<(), Errno>) -> Vec<Outcome> {
    vec![result.map(|()| Done::default()).map_err(Refused::by)]
}

/// The outcomes of a reply with one outcome for each argument, or of a call that was refused as a whole.
fn each<R, A>(reply: Result<R, Failure>, arguments: impl FnOnce(R) -> Vec<A>) -> Vec<Outcome>
where
    A: Into<Outcomes>,
{
    match reply {
        Err(failure) => vec![Err(Refused::of(&failure))],
        Ok(reply) => arguments(reply).into_iter().map(|argument| argument.into().told()).collect(),
    }
}

/// One argument's outcome in the program's form.
pub enum Outcomes {
    /// It was done: words and notices.
    Done(String, Vec<Notice>),
    /// It was not.
    Failed(Failure),
    /// The program said neither.
    Silent,
}

impl Outcomes {
    fn told(self) -> Outcome {
        match self {
            Outcomes::Done(words, notices) => Ok(Done::of(words, &notices)),
            Outcomes::Failed(failure) => Err(Refused::of(&failure)),
            Outcomes::Silent => Ok(Done::told("an outcome without an outcome")),
        }
    }
}

/// An element that a command was given.
struct Target {
    id: Id,
    shown: Shown,
    rule: Option<Rule>,
    trail: Trail,
    parent: Option<(Id, String)>,
}

/// Finds the element that a command is given.
fn target(model: &Model, view: usize, path: &str) -> Result<Target, Refused> {
    match model.find(view, path)? {
        Found::Element { id, shown, rule, trail, parent } => Ok(Target { id, shown, rule, trail, parent }),
        Found::Private { .. } => Err(FailureCode::NotAVobObject.into()),
        Found::Link(_) => Err(FailureCode::NotAnElement.into()),
    }
}

/// A name in a directory that a command is to change.
struct Slot {
    directory: Id,
    /// What the view shows of the directory.
    shown: Shown,
    /// The names that the view shows there.
    catalog: Catalog,
    /// The way to the name.
    trail: Trail,
    leaf: String,
}

fn slot(model: &Model, view: usize, path: &str) -> Result<Slot, Refused> {
    if path.is_empty() {
        // The root keeps its place.
        return Err(FailureCode::FixedName.into());
    }
    let path = model.names.real(path);
    let (parent, leaf) = parent_and_leaf(&path);
    slot_in(model, view, parent, leaf)
}

fn slot_in(model: &Model, view: usize, parent: &str, leaf: &str) -> Result<Slot, Refused> {
    match model.find(view, parent)? {
        Found::Element { id, shown, trail, .. } if model.elements[id].directory => {
            if matches!(shown, Shown::Nothing | Shown::Error) {
                return Err(FailureCode::NoVersionSelected.into());
            }
            let catalog = model.catalog(view, id, shown);
            Ok(Slot { directory: id, shown, catalog, trail: trail.below(leaf), leaf: leaf.to_owned() })
        }
        Found::Element { .. } | Found::Link(_) => Err(FailureCode::NotADirectory.into()),
        Found::Private { .. } => Err(FailureCode::NotAVobObject.into()),
    }
}

/// Finds the place of a name other than the root's as commands do that make it, or that look where arguments before
/// it lead: through no private directory. The view may show no version of the place's directory.
fn walk(model: &Model, view: usize, path: &str) -> Result<Slot, Refused> {
    let path = model.names.real(path);
    let (parent, leaf) = parent_and_leaf(&path);
    let (mut directory, mut trail) = (ROOT, Trail::default());
    for name in parent.split('/').filter(|name| !name.is_empty()) {
        if model.views[view].private(directory, &[name.to_owned()]).is_some() {
            return Err(FailureCode::NotAVobObject.into());
        }
        let shown = model.select(view, directory, trail).0;
        if matches!(shown, Shown::Nothing | Shown::Error) {
            return Err(FailureCode::NoVersionSelected.into());
        }
        match model.catalog(view, directory, shown).get(name) {
            None => return Err(FailureCode::NoSuchFile.into()),
            Some(Entry::Element(child)) if model.elements[*child].directory => directory = *child,
            Some(_) => return Err(FailureCode::NotADirectory.into()),
        }
        trail = trail.below(name);
    }
    let shown = model.select(view, directory, trail).0;
    let catalog = model.catalog(view, directory, shown);
    Ok(Slot { directory, shown, catalog, trail: trail.below(leaf), leaf: leaf.to_owned() })
}

/// Tells whether an element is a file that a view has checked out, and once had this name.
fn may_have_left(model: &Model, view: usize, id: Id, directory: Id, leaf: &str) -> bool {
    let element = &model.elements[id];
    let had_name = element.names.contains(&(directory, leaf.to_owned()));
    !element.directory && element.checkouts[view].is_some() && had_name
}

/// What rmname left at a name makes way for the checked-out file that it leads to again; a file that differs has to
/// where `saves` is said. The name under which it is saved.
fn settle_left_copy(
    model: &mut Model,
    (view, directory, leaf): (usize, Id, &str),
    id: Id,
    catalog: &Catalog,
    saves: bool,
) -> Option<String> {
    if !may_have_left(model, view, id, directory, leaf) {
        return None;
    }
    let left = match model.views[view].private(directory, &[leaf.to_owned()])? {
        Private::File(left) => *left,
        _ => return None,
    };
    let mut saved = None;
    match model.views[view].data.get(&id) {
        None => drop(model.views[view].data.insert(id, left)),
        Some(data) if data.content == left.content => {}
        Some(_) if !saves => return None,
        Some(_) => {
            let name = uncheckout::free_name(model, (view, directory), catalog, &format!("{leaf}.keep"));
            model.views[view].private_names(directory, &[]).insert(name.clone(), Private::File(left));
            saved = Some(name);
        }
    }
    model.touched.insert(directory);
    model.touched.insert(id);
    model.views[view].private_names(directory, &[]).remove(leaf);
    saved
}

/// Tells whether the view has something private at a slot.
fn is_covered(model: &Model, view: usize, slot: &Slot) -> bool {
    model.views[view].private(slot.directory, std::slice::from_ref(&slot.leaf)).is_some()
}

/// Refuses a name that another element than `id` has in some version of a directory.
fn refuse_twin(model: &Model, directory: Id, leaf: &str, id: Option<Id>) -> Result<(), Refused> {
    let versions = model.elements[directory].branches.iter().flat_map(|branch| &branch.versions);
    let twins = versions.filter_map(|version| match version.catalog.get(leaf) {
        Some(Entry::Element(other)) => Some(*other),
        _ => None,
    });
    match model.detects_twins && twins.into_iter().any(|other| Some(other) != id) {
        true => Err(FailureCode::EvilTwin.into()),
        false => Ok(()),
    }
}

/// The catalog of a directory that is open for changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Checkout,
    /// A version that is changed in place.
    Version(super::model::Spot),
}

/// Opens the catalog of a slot's directory for changes: the view's checkout, or in place.
fn open(model: &Model, view: usize, slot: &Slot, in_place: bool) -> Result<Opened, Refused> {
    let element = &model.elements[slot.directory];
    if element.checkouts[view].is_some() {
        return Ok(Opened::Checkout);
    }
    if !in_place || slot.directory == LOST {
        return Err(FailureCode::DirectoryNotCheckedOut.into());
    }
    match slot.shown {
        Shown::Version(spot) if element.newest(spot.0) == spot => Ok(Opened::Version(spot)),
        _ => Err(FailureCode::NotNewest.into()),
    }
}

/// The names in an opened catalog.
fn opened(model: &Model, view: usize, directory: Id, opened: Opened) -> Catalog {
    let element = &model.elements[directory];
    match opened {
        Opened::Checkout => element.checkouts[view].as_ref().map(|c| c.catalog.clone()).unwrap_or_default(),
        Opened::Version(spot) => element.version(spot).catalog.clone(),
    }
}

/// Changes a name in an opened catalog.
fn catalog(model: &mut Model, view: usize, directory: Id, opened: Opened, leaf: &str, entry: Option<Entry>) {
    if let Some(Entry::Element(id)) = entry {
        model.change(id).names.insert((directory, leaf.to_owned()));
    }
    let element = model.change(directory);
    let catalog = match opened {
        Opened::Checkout => element.checkouts[view].as_mut().map(|checkout| &mut checkout.catalog),
        Opened::Version((branch, number)) => {
            let versions = &mut element.branches[branch].versions;
            versions.iter_mut().find(|version| version.number == number).map(|version| &mut version.catalog)
        }
    };
    let names = Rc::make_mut(catalog.expect("an opened catalog is there"));
    let before = match entry {
        Some(entry) => names.insert(leaf.to_owned(), entry),
        None => names.remove(leaf),
    };
    if let Some(Entry::Element(id)) = before {
        model.touched.insert(id);
    }
}
