//! Which versions get or lose a label: judged name by name against the records that the commit changes.

use crate::server::identity::Caller;
use crate::server::proto::{Failure, FailureCode, LabelRequest};
use crate::server::service::meant::Meant;
use crate::server::service::version_selector::Wanted;
use crate::server::state::{Outcome, Server};
use crate::view::MountedVob;
use crate::view::live::VersionSelector;
use crate::view::resolve::version_id;
use crate::vob::{Element, ElementNo, TypeObject, VersionNo, VobState};
use std::collections::HashMap;
use std::sync::Arc;

/// What becomes of a name.
pub(super) enum Planned {
    Done {
        version: Vec<u8>,
        /// Empty unless the label was on another version, or on this one already.
        moved_from: Vec<u8>,
    },
    Refused {
        version: Vec<u8>,
        failure: Box<Failure>,
    },
}

/// The change of one label in one VOB.
pub(super) struct Plan<'a> {
    server: &'a Server,
    caller: &'a Caller,
    vob: &'a Arc<MountedVob>,
    label: &'a TypeObject,
    request: &'a LabelRequest,
    state: VobState,
    wanted: Option<(&'a Wanted, VersionSelector)>,
    targets: Vec<(ElementNo, VersionNo)>,
    /// The versions that earlier names of this command put the label on, or took it from.
    changed: HashMap<ElementNo, Vec<VersionNo>>,
}

impl<'a> Plan<'a> {
    pub fn new(
        server: &'a Server,
        caller: &'a Caller,
        vob: &'a Arc<MountedVob>,
        label: &'a TypeObject,
        request: &'a LabelRequest,
        wanted: Option<&'a Wanted>,
    ) -> Plan<'a> {
        Plan {
            server,
            caller,
            vob,
            label,
            request,
            state: vob.vob.state(),
            wanted: wanted.map(|wanted| (wanted, wanted.bind(vob))),
            targets: Vec::new(),
            changed: HashMap::new(),
        }
    }

    /// Returns the versions that change.
    pub fn finish(self) -> Vec<(ElementNo, VersionNo)> {
        self.targets
    }

    /// Plans one name; none where there is nothing to do or to tell.
    pub fn name(&mut self, element: &Element, meant: Meant, recursed: bool) -> Option<Planned> {
        if matches!(meant, Meant::Version(version) if !element.has_version(version)) {
            // Removed since the command looked.
            let failure = Box::new(Failure::new(FailureCode::NoSuchFile));
            return Some(Planned::Refused { version: Vec::new(), failure });
        }
        let asked = self.wanted.as_ref().map(|(wanted, bound)| wanted.select(bound, self.vob, element));
        let result = match (self.request.remove, asked) {
            (_, Some(Err(failure))) => Err((None, failure)),
            (false, Some(Ok(version))) => self.attach(element, version, recursed),
            (false, None) => match meant {
                Meant::Version(version) => self.attach(element, version, recursed),
                Meant::CheckedOut(_) => Err((None, Failure::new(FailureCode::VersionIsCheckedOut))),
                Meant::Branch(_) | Meant::Element => {
                    Err((None, Failure::new(FailureCode::NoVersionSelected)))
                }
            },
            (true, asked) => self.detach(element, meant, asked.and_then(Result::ok), recursed),
        };
        match result {
            Ok(planned) => planned,
            Err((version, failure)) => {
                let version = version.map(|version| self.version_id(element, version)).unwrap_or_default();
                Some(Planned::Refused { version, failure: Box::new(failure) })
            }
        }
    }

    fn version_id(&self, element: &Element, version: VersionNo) -> Vec<u8> {
        version_id(&self.state, element, version).into_bytes()
    }

    fn permit(&self, element: &Element, version: VersionNo, operation: &str) -> Outcome<()> {
        self.server.permit_element(self.caller, self.vob, element, operation)?;
        let branch = element.version(version).branch;
        self.server.refuse_locked(self.vob, element, Some(branch), self.caller, operation)
    }

    fn refusal(&self, code: FailureCode) -> Failure {
        Failure::new(code).name(self.label.name.as_str())
    }

    fn attach(&mut self, element: &Element, version: VersionNo, recursed: bool) -> Answer {
        let per_branch = self.label.is_per_branch();
        let branch = element.version(version).branch;
        let shares = |other: &VersionNo| !per_branch || element.version(*other).branch == branch;
        let mut earlier = self.changed.get(&element.number).into_iter().flatten().copied();
        // The last name of this command that moved it counts, not what it was moved from.
        let here = earlier.rfind(shares);
        // Two names of one element below a directory are one object.
        if recursed && here == Some(version) {
            return Ok(None);
        }
        let carried = here.or_else(|| element.labelled(self.label.number).find(shares));
        self.permit(element, version, "make label").map_err(|failure| (Some(version), failure))?;
        if carried.is_some() && !self.request.replace {
            return Err((Some(version), self.refusal(FailureCode::LabelExists)));
        }
        if carried != Some(version) {
            self.targets.push((element.number, version));
            self.changed.entry(element.number).or_default().push(version);
        }
        Ok(Some(Planned::Done {
            version: self.version_id(element, version),
            moved_from: carried.map(|from| self.version_id(element, from)).unwrap_or_default(),
        }))
    }

    fn detach(
        &mut self,
        element: &Element,
        meant: Meant,
        asked: Option<VersionNo>,
        recursed: bool,
    ) -> Answer {
        let gone = self.changed.get(&element.number);
        let is_there = |version: &VersionNo| !gone.is_some_and(|gone| gone.contains(version));
        let carrying = element.labelled(self.label.number).filter(is_there);
        let branch = match meant {
            _ if !self.label.is_per_branch() => None,
            Meant::Version(version) => Some(element.version(version).branch),
            Meant::CheckedOut(branch) => branch,
            Meant::Branch(branch) => Some(branch),
            Meant::Element => None,
        };
        let fits = |version: &VersionNo| match asked {
            Some(asked) => *version == asked,
            None => branch.is_none_or(|branch| element.version(*version).branch == branch),
        };
        let found: Vec<VersionNo> = carrying.filter(fits).collect();
        let version = match found[..] {
            [version] => version,
            [] if recursed => return Ok(None),
            [] => return Err((asked, self.refusal(FailureCode::NoSuchLabel))),
            _ => return Err((None, self.refusal(FailureCode::AmbiguousVersion))),
        };
        self.permit(element, version, "remove label").map_err(|failure| (Some(version), failure))?;
        self.targets.push((element.number, version));
        self.changed.entry(element.number).or_default().push(version);
        let version = self.version_id(element, version);
        Ok(Some(Planned::Done { version, moved_from: Vec::new() }))
    }
}

/// What becomes of a name, or the version that was meant and why not.
type Answer = Result<Option<Planned>, (Option<VersionNo>, Failure)>;
