//! What is looked for: of an element, what is found of it. Reads elements and asks queries; knows no names.

use crate::server::proto::{
    Diagnostic, DiagnosticKind, Failure, FindFault, FindRequest, FindText, ObjectKind,
};
use crate::server::service::describe::{not_found, type_object_kind};
use crate::server::service::facts;
use crate::server::state::Outcome;
use crate::view::query::{Judge, ObjectQuery};
use crate::view::resolve::branch_id;
use crate::view::{MountedVob, Shown, View};
use crate::vob::{BranchNo, Checkout, Element, ElementKind, TypeKind, VersionNo, ViewUuid, VobState};
use clerestory_specs::{Glob, NamedType, Query};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// What is looked for, in any VOB.
pub(super) struct Criteria<'a> {
    request: &'a FindRequest,
    name: Option<Glob>,
    element: Option<Query>,
    branch: Option<Query>,
    version: Option<Query>,
}

impl<'a> Criteria<'a> {
    /// Reads queries and pattern.
    ///
    /// # Errors
    /// The first that cannot be understood.
    pub fn new(request: &'a FindRequest) -> Result<Criteria<'a>, Box<FindFault>> {
        let (now, zone) = (Timestamp::now(), TimeZone::system());
        let query = |text: &[u8], place: FindText| match text {
            b"" => Ok(None),
            text => read_query(text, now, &zone).map(Some).map_err(|diagnostic| {
                Box::new(FindFault { r#where: place.into(), diagnostic: Some(diagnostic) })
            }),
        };
        let name = match request.name.as_slice() {
            b"" => None,
            pattern => Some(Glob::new(pattern).map_err(|fault| {
                let diagnostic = Diagnostic { message: fault.to_string(), ..Diagnostic::default() };
                Box::new(FindFault { r#where: FindText::Name.into(), diagnostic: Some(diagnostic) })
            })?),
        };
        Ok(Criteria {
            request,
            name,
            element: query(&request.element_query, FindText::ElementQuery)?,
            branch: query(&request.branch_query, FindText::BranchQuery)?,
            version: query(&request.version_query, FindText::VersionQuery)?,
        })
    }

    /// Tells whether a last name fits.
    pub fn fits(&self, leaf: &[u8]) -> bool {
        self.name.as_ref().is_none_or(|pattern| pattern.matches(leaf))
    }

    /// Tells whether VOB symbolic links are looked for: no query holds for one.
    pub fn wants_links(&self) -> bool {
        self.wants(self.request.links)
            && self.element.is_none()
            && self.branch.is_none()
            && self.version.is_none()
    }

    fn wants(&self, kind: bool) -> bool {
        let FindRequest { files, directories, links, .. } = self.request;
        kind || !(*files || *directories || *links)
    }

    fn owned(&self, owner: u32, group: u32) -> bool {
        self.request.user_id.is_none_or(|wanted| wanted == owner)
            && self.request.group_id.is_none_or(|wanted| wanted == group)
    }
}

fn read_query(text: &[u8], now: Timestamp, zone: &TimeZone) -> Result<Query, Diagnostic> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(Diagnostic { message: "query is not UTF-8".to_owned(), ..Diagnostic::default() });
    };
    Query::parse(text, now, zone).map_err(|error| Diagnostic {
        line: 1,
        column: u32::try_from(error.offset + 1).unwrap_or(u32::MAX),
        message: error.kind.to_string(),
        kind: DiagnosticKind::Syntax.into(),
        found: Some(error.found).filter(|found| !found.is_empty()),
        expected: error.expected,
        ..Diagnostic::default()
    })
}

/// Something that was found of an element.
pub(super) struct Object {
    pub kind: ObjectKind,
    /// `/main/fix` or `/main/fix/3`; empty for the element.
    pub extension: Vec<u8>,
}

/// What is looked for in one VOB.
pub(super) struct Asked<'a> {
    pub criteria: &'a Criteria<'a>,
    pub vob: Arc<MountedVob>,
    state: VobState,
    view: Option<ViewUuid>,
    element: Option<ObjectQuery>,
    branch: Option<ObjectQuery>,
    version: Option<ObjectQuery>,
    judge: Judge,
}

/// A version of an element that was found.
enum Version<'a> {
    Made(VersionNo),
    CheckedOut(&'a Checkout),
}

impl<'a> Asked<'a> {
    /// Looks names up in a VOB.
    pub fn new(criteria: &'a Criteria<'a>, vob: &Arc<MountedVob>, view: Option<&Arc<View>>) -> Asked<'a> {
        let view = view.map(|view| view.uuid());
        let bound = |query: &Option<Query>| query.as_ref().map(|query| ObjectQuery::new(query, vob));
        Asked {
            criteria,
            vob: Arc::clone(vob),
            state: vob.vob.state(),
            view,
            element: bound(&criteria.element),
            branch: bound(&criteria.branch),
            version: bound(&criteria.version),
            judge: Judge::new(vob, view),
        }
    }

    /// The complaint about a type that a query names and the VOB does not have.
    pub fn missing_type(&self) -> Option<Failure> {
        let Criteria { element, branch, version, .. } = self.criteria;
        let mut missing = None;
        for query in [element, branch, version].into_iter().flatten() {
            query.each_type(&mut |named| {
                let (kind, name) = match named {
                    NamedType::Branch(name) => (TypeKind::Branch, name),
                    NamedType::Label(name) => (TypeKind::Label, name),
                    NamedType::Element(name) => (TypeKind::Element, name),
                    NamedType::Hyperlink(name) => (TypeKind::Hyperlink, name),
                };
                if missing.is_none() && self.state.type_named(kind, name).is_none() {
                    missing = Some(not_found(type_object_kind(kind), name));
                }
                missing.is_none()
            });
        }
        missing
    }

    /// Tells whether a VOB symbolic link is looked for: it belongs to whom the VOB belongs to.
    pub fn admits_links(&self) -> bool {
        let header = &self.state.header;
        self.criteria.wants_links() && self.criteria.owned(header.owner, header.group)
    }

    /// Tells whether something of an element may be found.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn admits(&self, element: &Element) -> Outcome<bool> {
        let request = self.criteria.request;
        let kind = match element.kind {
            ElementKind::File => request.files,
            ElementKind::Directory => request.directories,
        };
        if !self.criteria.wants(kind) || !self.criteria.owned(element.owner, element.group) {
            return Ok(false);
        }
        match &self.element {
            Some(query) => Ok(self.judge.element(query, element)?),
            None => Ok(true),
        }
    }

    /// Tells whether what the view shows decides what is found of an element.
    pub fn asks_view(&self) -> bool {
        self.criteria.request.current_view
    }

    /// Returns what is found of an element: itself, its branches or its versions. `shown` is what the view shows of
    /// it.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn objects(&self, element: &Element, shown: Option<Shown>) -> Outcome<Vec<Object>> {
        let branches = self.branches(element)?;
        let on = |branch: BranchNo| {
            branches.as_ref().is_none_or(|branches| branches.binary_search(&branch).is_ok())
        };
        let (element_kind, _) = facts::kinds(element);
        if branches.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        match (&self.version, &branches) {
            (Some(query), _) if self.asks_view() => {
                let Some(version) = self.in_view(element, shown) else { return Ok(Vec::new()) };
                let holds = match version {
                    Version::Made(number) => self.judge.version(query, element, number)?,
                    Version::CheckedOut(checkout) => self.judge.checkout(query, element, checkout)?,
                };
                let found = holds && on(branch_of(element, &version));
                Ok(self.versions(element, Some(version).into_iter().filter(|_| found)))
            }
            (None, _) if self.asks_view() => {
                Ok(self.versions(element, self.in_view(element, shown).into_iter()))
            }
            (Some(query), _) => {
                let made = self.judge.versions(query, element, &on)?;
                let mut found: Vec<Version<'_>> = made.into_iter().map(Version::Made).collect();
                for checkout in element.checkouts.iter().filter(|checkout| on(checkout.branch)) {
                    if self.judge.checkout(query, element, checkout)? {
                        found.push(Version::CheckedOut(checkout));
                    }
                }
                // They were found branch after branch; a checkout comes behind the versions of its branch.
                found.sort_by_key(|version| branch_of(element, version));
                Ok(self.versions(element, found.into_iter()))
            }
            (None, Some(branches)) => {
                let extension = |branch: &BranchNo| branch_id(&self.state, element, *branch).into_bytes();
                let kind = ObjectKind::Branch;
                Ok(branches.iter().map(|branch| Object { kind, extension: extension(branch) }).collect())
            }
            (None, None) => Ok(vec![Object { kind: element_kind, extension: Vec::new() }]),
        }
    }

    /// The branches for which the branch query holds, ascending; none where there is no such query.
    fn branches(&self, element: &Element) -> Outcome<Option<Vec<BranchNo>>> {
        let Some(query) = &self.branch else { return Ok(None) };
        let mut found = Vec::new();
        for (number, branch) in (0..).map(BranchNo).zip(&element.branches) {
            if !branch.versions.is_empty() && self.judge.branch(query, element, number)? {
                found.push(number);
            }
        }
        Ok(Some(found))
    }

    /// The version that the view shows.
    fn in_view<'e>(&self, element: &'e Element, shown: Option<Shown>) -> Option<Version<'e>> {
        match shown? {
            Shown::Version(version, _) => Some(Version::Made(version)),
            Shown::CheckedOut(_) => element.checkout_of(&self.view?).map(Version::CheckedOut),
            Shown::Nothing(_) | Shown::Error(_) => None,
        }
    }

    fn versions<'e>(&self, element: &'e Element, found: impl Iterator<Item = Version<'e>>) -> Vec<Object> {
        let (_, kind) = facts::kinds(element);
        let mut path: Option<(BranchNo, String)> = None;
        let object = |version: Version<'e>| {
            let branch = branch_of(element, &version);
            if path.as_ref().is_none_or(|(known, _)| *known != branch) {
                path = Some((branch, branch_id(&self.state, element, branch)));
            }
            let path = path.as_ref().map(|(_, path)| path.as_str()).unwrap_or_default();
            let extension = match version {
                Version::Made(number) => format!("{path}/{}", element.version(number).number),
                Version::CheckedOut(checkout) => format!("{path}/{}", placeholder(self.view, checkout)),
            };
            Object { kind, extension: extension.into_bytes() }
        };
        found.map(object).collect()
    }
}

fn branch_of(element: &Element, version: &Version<'_>) -> BranchNo {
    match version {
        Version::Made(number) => element.version(*number).branch,
        Version::CheckedOut(checkout) => checkout.branch,
    }
}

/// What a checkout is called on its branch, in a view.
pub(super) fn placeholder(view: Option<ViewUuid>, checkout: &Checkout) -> String {
    match view == Some(checkout.view) {
        true => "CHECKEDOUT".to_owned(),
        false => format!("CHECKEDOUT.{}", checkout.number),
    }
}
