//! `-version`: a version selector of a command, in the language of config specs.

use crate::server::identity::Caller;
use crate::server::proto::{Failure, FailureCode};
use crate::server::state::{Outcome, Server};
use crate::view::MountedVob;
use crate::view::live::{Shown, VersionSelector};
use crate::vob::{Element, VersionNo};
use clerestory_specs::{ConfigSpec, Selector};
use std::path::Path;

/// A version selector as it was typed, and what it means.
pub struct Wanted {
    typed: Vec<u8>,
    spec: ConfigSpec,
}

impl Server {
    /// Understands a version selector; none where none was given.
    ///
    /// # Errors
    /// `BAD_VERSION_SELECTOR` for what is none.
    pub(super) fn wanted_version(&self, caller: &Caller, typed: &[u8]) -> Outcome<Option<Wanted>> {
        if typed.is_empty() {
            return Ok(None);
        }
        let bad = || Failure::new(FailureCode::BadVersionSelector).name(typed);
        // In quotes it is one word, whatever it holds.
        if typed.iter().any(|byte| matches!(byte, b'\'' | b'\n' | b'\r' | 0)) {
            return Err(bad());
        }
        let text = [b"element * '", typed, b"'\n"].concat();
        let spec = self.compile(&text, Path::new("/"), caller).map_err(|_| bad())?;
        let selects_version = |selector: &Selector| {
            matches!(selector, Selector::Label(_) | Selector::OnBranch { .. } | Selector::Query(_))
        };
        match spec.rules() {
            [rule] if selects_version(&rule.selector) => Ok(Some(Wanted { typed: typed.to_vec(), spec })),
            _ => Err(bad()),
        }
    }
}

impl Wanted {
    /// Looks the names up in a VOB.
    pub fn bind(&self, vob: &MountedVob) -> VersionSelector {
        VersionSelector::new(&self.spec, vob)
    }

    /// Selects the version of an element.
    ///
    /// # Errors
    /// `VERSION_NOT_FOUND`, or `AMBIGUOUS_VERSION` where several fit.
    pub fn select(&self, bound: &VersionSelector, vob: &MountedVob, element: &Element) -> Outcome<VersionNo> {
        match bound.select(vob, element) {
            Shown::Version(version, _) => Ok(version),
            Shown::Error(_) => Err(Failure::new(FailureCode::AmbiguousVersion).name(self.typed.clone())),
            Shown::Nothing(_) | Shown::CheckedOut(_) => {
                Err(Failure::new(FailureCode::VersionNotFound).name(self.typed.clone()))
            }
        }
    }
}
