//! `Find`: elements, branches, versions and VOB symbolic links that have a name, an owner, or satisfy queries.
//!
//! `criteria` says of an element what is found of it; `walk` goes through what is visible below names, `whole`
//! through every element of a VOB; `places` finds the names of what no path of the view leads to. Rows are sent as
//! they are found: memory is needed for the directories on the way, not for what is found.

mod criteria;
mod places;
mod walk;
mod whole;

use super::facts;
use crate::server::identity::Caller;
use crate::server::proto::find_item::Item;
use crate::server::proto::{
    ArgumentFailure, Context, Failure, FindItem, FindRequest, FindRow, FindRows, FindScope,
};
use crate::server::state::{Outcome, Server};
use crate::view::{MountedVob, View};
use crate::vob::Element;
use criteria::Criteria;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows that are sent together.
const ROWS_MAX: usize = 128;
/// How long a row may wait for others.
const WAIT_MAX: Duration = Duration::from_millis(50);

impl Server {
    /// Sends what is found; `send` answers whether there is still somebody to send to.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments, and queries that cannot be understood, are items.
    pub(super) fn find(
        &self,
        _caller: &Caller,
        request: &FindRequest,
        send: &mut dyn FnMut(FindItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let mut rows = Rows::new(send);
        let criteria = match Criteria::new(request) {
            Ok(criteria) => criteria,
            Err(fault) => {
                rows.item(Item::Fault(*fault));
                return Ok(());
            }
        };
        let mut finder = Finder { server: self, context, request, criteria, rows };
        match request.scope() {
            FindScope::AllVobs => finder.all_vobs(),
            FindScope::All => finder.vobs_of_arguments(),
            FindScope::Tree | FindScope::Entries | FindScope::Object => finder.arguments(),
        }
        finder.rows.flush();
        Ok(())
    }
}

/// A search under way.
struct Finder<'a> {
    server: &'a Server,
    context: &'a Context,
    request: &'a FindRequest,
    criteria: Criteria<'a>,
    rows: Rows<'a>,
}

/// What is to be sent.
struct Rows<'a> {
    waiting: Vec<FindRow>,
    since: Instant,
    send: &'a mut dyn FnMut(FindItem) -> bool,
    /// Whether there is still somebody to send to.
    goes_on: bool,
}

impl<'a> Rows<'a> {
    fn new(send: &'a mut dyn FnMut(FindItem) -> bool) -> Rows<'a> {
        Rows { waiting: Vec::new(), since: Instant::now(), send, goes_on: true }
    }

    fn item(&mut self, item: Item) {
        self.flush();
        self.goes_on = self.goes_on && (self.send)(FindItem { item: Some(item) });
    }

    fn failure(&mut self, argument: u32, failure: Failure) {
        let failure = Some(failure);
        self.item(Item::Failure(ArgumentFailure { argument, path: Vec::new(), failure }));
    }

    fn push(&mut self, row: FindRow) {
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        self.waiting.push(row);
        if self.waiting.len() >= ROWS_MAX {
            self.flush();
        }
    }

    /// Sends what has waited long enough. Tells whether there is still somebody to send to.
    fn pause(&mut self) -> bool {
        if !self.waiting.is_empty() && self.since.elapsed() >= WAIT_MAX {
            self.flush();
        }
        self.goes_on
    }

    fn flush(&mut self) {
        if !self.waiting.is_empty() && self.goes_on {
            let rows = FindRows { rows: std::mem::take(&mut self.waiting) };
            self.goes_on = (self.send)(FindItem { item: Some(Item::Rows(rows)) });
        }
    }
}

/// Names of elements for other listings: absolute paths that lead to them in a view.
pub(super) struct Reachable<'a>(places::Places<'a>);

impl<'a> Reachable<'a> {
    /// Begins with nothing known; `above` stands before the VOB's tag in paths.
    pub fn new(vob: &'a Arc<MountedVob>, view: &'a Arc<View>, above: &[u8]) -> Reachable<'a> {
        Reachable(places::Places::new(vob, Some(view), above, Typed::default()))
    }

    /// Finds the name of an element: through a directory version, or a checkout, where the view catalogs none.
    ///
    /// # Errors
    /// If the VOB or the view cannot be read.
    pub fn name(&mut self, element: &Element) -> Outcome<Option<Vec<u8>>> {
        let named = self.0.find(element, places::Wanted::Any, &|_| true)?;
        Ok(named.map(|named| named.name))
    }
}

/// How the user would write paths: below an argument as it was typed, anything else as an absolute path.
#[derive(Clone, Default)]
struct Typed {
    typed: Vec<u8>,
    absolute: Vec<u8>,
}

impl Typed {
    fn of(pname: &crate::server::proto::Pname) -> Typed {
        let slashes = pname.typed.iter().rev().take_while(|byte| **byte == b'/').count();
        let length = match pname.typed.len() - slashes {
            0 => pname.typed.len().min(1),
            length => length,
        };
        Typed { typed: pname.typed[..length].to_vec(), absolute: pname.absolute.clone() }
    }

    /// Writes a path.
    fn name(&self, absolute: &[u8]) -> Vec<u8> {
        match absolute.strip_prefix(&self.absolute[..]) {
            _ if self.typed.is_empty() => absolute.to_vec(),
            Some(b"") => self.typed.clone(),
            Some([b'/', below @ ..]) if self.typed != b"/" => facts::join(&self.typed, below),
            _ => absolute.to_vec(),
        }
    }
}

/// Writes a directory element so that `@@` can follow: the root of a VOB has a name of its own only inside itself.
fn as_element(name: Vec<u8>, is_root: bool) -> Vec<u8> {
    match is_root && !ends_in_dots(&name) {
        true => [&name[..], b"/."].concat(),
        false => name,
    }
}

/// Writes what stands before the version of a directory element.
fn before_version(name: &[u8], is_root: bool) -> Vec<u8> {
    match is_root || ends_in_dots(name) {
        true => [name, b"/.@@"].concat(),
        false => [name, b"@@"].concat(),
    }
}

fn ends_in_dots(name: &[u8]) -> bool {
    matches!(name.rsplit(|byte| *byte == b'/').next(), Some(b"." | b".."))
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
