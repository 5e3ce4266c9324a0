//! `List`: the names in directories as a view shows them.
//!
//! Rows are sent as they are found: a tree of any size needs memory for the directories on the
//! way to the present row only.

mod history;
mod rows;

use super::facts::{self, MAY_LIST, join};
use crate::server::identity::Caller;
use crate::server::proto::list_item::Item;
use crate::server::proto::{
    ArgumentFailure, Failure, ListFilter, ListItem, ListRequest, ListRow, ListScope, Pname,
};
use crate::server::state::{Outcome, Server};
use crate::view::resolve::{Row, rows};
use crate::view::{Found, Host, Resolved, Shown, View};
use crate::vob::{Element, ElementKind, ElementNo, VobState};
use clerestory_specs::ConfigSpec;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

impl Server {
    /// Sends the rows of every argument; `send` answers whether there is still somebody to send to.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are items.
    pub fn list(
        &self,
        caller: &Caller,
        request: &ListRequest,
        send: &mut dyn FnMut(ListItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let here = [facts::working_directory(context)];
        let pnames = if request.pnames.is_empty() { &here } else { &request.pnames[..] };
        for (argument, pname) in (0..).zip(pnames) {
            let listed = self.resolve(context, pname).and_then(|(view, resolved)| {
                let mut listing = Listing {
                    host: &self.host,
                    caller,
                    state: resolved.vob.vob.state(),
                    spec: view.spec(),
                    view: &view,
                    resolved: &resolved,
                    filter: request.filter(),
                    visible_only: request.visible_only,
                    argument,
                    send: &mut *send,
                };
                let (_, inside) = self.place(context, pname)?;
                listing.argument(pname, inside, request.scope())
            });
            let goes_on = match listed {
                Ok(goes_on) => goes_on,
                Err(failure) => send(failed(argument, Vec::new(), failure)),
            };
            if !goes_on {
                break;
            }
        }
        Ok(())
    }
}

fn failed(argument: u32, path: Vec<u8>, failure: Failure) -> ListItem {
    let failure = Some(failure);
    ListItem { item: Some(Item::Failure(ArgumentFailure { argument, path, failure })) }
}

/// The listing of one argument. What its functions answer is whether somebody wants more.
struct Listing<'a> {
    host: &'a Host,
    caller: &'a Caller,
    state: VobState,
    spec: ConfigSpec,
    view: &'a Arc<View>,
    resolved: &'a Resolved,
    filter: ListFilter,
    visible_only: bool,
    argument: u32,
    send: &'a mut dyn FnMut(ListItem) -> bool,
}

/// A directory of which rows are still to be sent.
struct Level {
    path: Vec<u8>,
    rows: std::vec::IntoIter<Row>,
    /// The directory element; none for a private directory.
    element: Option<ElementNo>,
    /// The private name sent last, which hides the catalogued one that follows.
    hiding: Option<Vec<u8>>,
}

impl Listing<'_> {
    fn argument(&mut self, pname: &Pname, inside: &[u8], scope: ListScope) -> Outcome<bool> {
        let found = &self.resolved.found;
        if scope != ListScope::Directory {
            if let Some(level) = self.level(found, Vec::new())? {
                return self.contents(level, scope == ListScope::Recurse);
            }
            if let Found::History(place) = found
                && place.is_directory()
            {
                return self.history(*place, history::tail(&pname.typed), scope == ListScope::Recurse);
            }
        }
        let rows = match found {
            Found::History(place) => self.history_object(*place, pname, inside)?,
            found => self.rows_of(found, false)?,
        };
        Ok(rows.into_iter().all(|row| self.send(row, b"")))
    }

    fn send(&mut self, row: ListRow, path: &[u8]) -> bool {
        let row = ListRow { argument: self.argument, path: path.to_vec(), ..row };
        (self.send)(ListItem { item: Some(Item::Row(row)) })
    }

    /// Reads what is listed below an object of the view; none where nothing is.
    fn level(&self, found: &Found, path: Vec<u8>) -> Outcome<Option<Level>> {
        let vob = &self.resolved.vob;
        let (rows, element) = match found {
            Found::Element { element, shown, eclipsed: false, .. }
                if element.kind == ElementKind::Directory =>
            {
                let is_shown = matches!(shown, Shown::Version(..) | Shown::CheckedOut(_));
                if !is_shown && element.number != ElementNo::ROOT {
                    return Ok(None);
                }
                let read = || rows(self.view, vob, element.number);
                (vob.vob.consistently(read)?, Some(element.number))
            }
            Found::Private { path, stat, .. } if stat.st_mode & libc::S_IFMT == libc::S_IFDIR => {
                facts::permit_private(self.view, path, self.caller, MAY_LIST)?;
                (private_rows(path)?, None)
            }
            _ => return Ok(None),
        };
        Ok(Some(Level { path, rows: rows.into_iter(), element, hiding: None }))
    }

    fn contents(&mut self, top: Level, recurse: bool) -> Outcome<bool> {
        let mut levels = vec![top];
        while let Some(level) = levels.last_mut() {
            let Some(row) = level.rows.next() else {
                levels.pop();
                continue;
            };
            let hidden = level.hiding.as_ref() == Some(&row.name);
            if matches!(row.found, Found::Private { .. }) {
                level.hiding = Some(row.name.clone());
            }
            let path = join(&level.path, &row.name);
            for shown in self.rows_of(&row.found, hidden)? {
                if !self.send(shown, &path) {
                    return Ok(false);
                }
            }
            let is_private = matches!(row.found, Found::Private { .. });
            let circular =
                |element: &Element| levels.iter().any(|level| level.element == Some(element.number));
            let skipped = match &row.found {
                Found::Private { .. } => self.filter == ListFilter::VobOnly,
                Found::Element { element, .. } => hidden || circular(element),
                _ => true,
            };
            if !recurse || skipped {
                continue;
            }
            match self.level(&row.found, path.clone()) {
                Ok(below) => levels.extend(below),
                // A private directory may be gone by now.
                Err(failure) if is_private && failure.errno == libc::ENOENT => {}
                Err(failure) => {
                    if !(self.send)(failed(self.argument, path, failure)) {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}

fn private_rows(path: &Path) -> Outcome<Vec<Row>> {
    let failed = |error: std::io::Error| Failure::system(path.as_os_str().as_bytes(), &error);
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let path = path.join(&name);
        match rustix::fs::lstat(&path) {
            Ok(stat) => {
                let found = Found::Private { path, stat: Box::new(stat), hides: None };
                let name = name.as_bytes().to_vec();
                rows.push(Row { name, found });
            }
            Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
