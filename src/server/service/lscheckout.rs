//! `ListCheckouts`: who has what checked out. Looks at checked-out elements only, however large the VOB is.

use super::describe::{Describer, not_found};
use super::facts::{self, Names, seconds, told};
use super::find::Reachable;
use crate::server::identity::Caller;
use crate::server::proto::checkout_item::Item;
use crate::server::proto::{
    ArgumentFailure, CheckoutItem, CheckoutRow, Context, Created, Failure, FailureCode, HistoryScope,
    ListCheckoutsRequest, ObjectKind, Pname,
};
use crate::server::state::{Outcome, Server};
use crate::view::history::Place;
use crate::view::resolve::{checkout_id, version_id};
use crate::view::{Found, MountedVob, View};
use crate::vob::{Checkout, Element, ElementKind, ElementNo, TypeKind, ViewUuid, VobObject};
use std::cmp::Reverse;
use std::sync::Arc;

/// Which elements of a VOB an argument means.
enum Where {
    Everywhere,
    Only(ElementNo),
    /// A directory and what is catalogued in it, or all that is below it: by its absolute path.
    Below {
        directory: ElementNo,
        path: Vec<u8>,
        recurse: bool,
    },
}

impl Server {
    /// Sends the checkouts of every argument; `send` answers whether there is still somebody to send to.
    ///
    /// # Errors
    /// If the call as a whole is refused; failures of arguments are items.
    pub(super) fn list_checkouts(
        &self,
        _caller: &Caller,
        request: &ListCheckoutsRequest,
        send: &mut dyn FnMut(CheckoutItem) -> bool,
    ) -> Outcome<()> {
        let context = Self::context(&request.context)?;
        let view = match request.current_view {
            true => Some(self.current_view(context)?.uuid()),
            false => None,
        };
        let here = [facts::working_directory(context)];
        let pnames = if request.pnames.is_empty() { &here } else { &request.pnames[..] };
        let mut goes_on = true;
        let mut tell = |item| {
            goes_on = goes_on && send(CheckoutItem { item: Some(item) });
        };
        let fail = |argument, failure| {
            Item::Failure(ArgumentFailure { argument, path: Vec::new(), failure: Some(failure) })
        };
        if request.scope() == HistoryScope::AllVobs {
            let shown_by = self.current_view(context).ok();
            for vob in self.listed_vobs(&request.vobs) {
                let vob = match vob {
                    Ok(vob) => vob,
                    Err(failure) => {
                        tell(fail(0, failure));
                        continue;
                    }
                };
                let of_vob = Listing { server: self, request, argument: 0, vob: &vob, held_by: view };
                match of_vob.rows(shown_by.as_ref(), b"", &Where::Everywhere) {
                    Ok(rows) => rows.into_iter().for_each(|row| tell(Item::Row(row))),
                    // Other VOBs may have the branch type.
                    Err(failure) if failure.code() == FailureCode::TypeNotFound => {}
                    Err(failure) => tell(fail(0, failure)),
                }
            }
            return Ok(());
        }
        for (argument, pname) in (0..).zip(pnames) {
            match self.checkouts_at(context, request, argument, pname, view) {
                Ok(rows) => rows.into_iter().for_each(|row| tell(Item::Row(row))),
                Err(failure) => tell(fail(argument, failure)),
            }
        }
        Ok(())
    }

    fn checkouts_at(
        &self,
        context: &Context,
        request: &ListCheckoutsRequest,
        argument: u32,
        pname: &Pname,
        held_by: Option<ViewUuid>,
    ) -> Outcome<Vec<CheckoutRow>> {
        if request.scope() == HistoryScope::All {
            let vob = self.selected_vob(context, pname)?;
            let place = self.place(context, pname).ok();
            let above = place.as_ref().map_or(&b""[..], |(_, inside)| facts::above(&pname.absolute, inside));
            let view = place.as_ref().map(|(view, _)| view);
            let listing = Listing { server: self, request, argument, vob: &vob, held_by };
            return listing.rows(view, above, &Where::Everywhere);
        }
        let (view, resolved) = self.resolve(context, pname)?;
        let (_, inside) = self.place(context, pname)?;
        let place = match &resolved.found {
            Found::Element { element, .. } => {
                let directory = element.kind == ElementKind::Directory;
                match request.scope() {
                    HistoryScope::Contents | HistoryScope::Recurse if directory => Where::Below {
                        directory: element.number,
                        path: pname.absolute.clone(),
                        recurse: request.scope() == HistoryScope::Recurse,
                    },
                    _ => Where::Only(element.number),
                }
            }
            Found::Private { .. } => return Err(Failure::new(FailureCode::NotAVobObject)),
            Found::Symlink(_) => return Err(Failure::new(FailureCode::NotAnElement)),
            Found::History(Place::Element(number) | Place::OwnCheckout(number)) => Where::Only(*number),
            Found::History(_) => return Err(Failure::new(FailureCode::VersionNameNotAllowed)),
        };
        let above = facts::above(&pname.absolute, inside);
        let listing = Listing { server: self, request, argument, vob: &resolved.vob, held_by };
        let mut rows = listing.rows(Some(&view), above, &place)?;
        if pname.typed.is_empty() {
            let own = rows.iter_mut().filter(|row| row.path.is_empty());
            own.for_each(|row| row.path = b".".to_vec());
        }
        Ok(rows)
    }
}

/// The checkouts of one VOB that one argument means.
struct Listing<'a> {
    server: &'a Server,
    request: &'a ListCheckoutsRequest,
    argument: u32,
    vob: &'a Arc<MountedVob>,
    held_by: Option<ViewUuid>,
}

impl Listing<'_> {
    /// Finds them, newest first.
    fn rows(&self, view: Option<&Arc<View>>, above: &[u8], place: &Where) -> Outcome<Vec<CheckoutRow>> {
        let state = self.vob.vob.state();
        let branch_type = match self.request.branch_type.as_slice() {
            [] => None,
            name => {
                let name = String::from_utf8_lossy(name);
                let found = state.type_named(TypeKind::Branch, &name);
                Some(found.ok_or_else(|| not_found(ObjectKind::BranchType, &name))?.number)
            }
        };
        let mut names = Names::new(view, self.vob, above);
        let mut reachable = view.map(|view| Reachable::new(self.vob, view, above));
        let mut describer = self
            .request
            .describe
            .then(|| Describer::new(self.server, self.vob, Names::new(view, self.vob, above)));
        let mut rows: Vec<((i64, ElementNo), CheckoutRow)> = Vec::new();
        for number in self.vob.vob.checked_out()? {
            if matches!(place, Where::Only(only) if *only != number) {
                continue;
            }
            let element = self.vob.element(number)?;
            let Some(path) = path_at(place, &element, &mut names, reachable.as_mut())? else {
                continue;
            };
            for checkout in &element.checkouts {
                let on_branch =
                    branch_type.is_none_or(|wanted| element.branch(checkout.branch).branch_type == wanted);
                let of_view = self.held_by.is_none_or(|view| checkout.view == view);
                if on_branch
                    && of_view
                    && let Some(mut row) = self.row(&element, checkout, &path)?
                {
                    if let Some(describer) = &mut describer {
                        row.description = describer.describe(VobObject::CheckOut(number, checkout.number))?;
                    }
                    rows.push(((checkout.created_ns, number), row));
                }
            }
        }
        // Of those that one command made, the element that was made last comes first.
        rows.sort_by_key(|(made, _)| Reverse(*made));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Tells of a checkout, unless somebody else made it.
    fn row(&self, element: &Element, checkout: &Checkout, path: &[u8]) -> Outcome<Option<CheckoutRow>> {
        let made = told(&self.vob.vob, checkout.event)?;
        if !self.request.user.is_empty() && made.person.login != self.request.user {
            return Ok(None);
        }
        Ok(Some(CheckoutRow {
            argument: self.argument,
            path: path.to_vec(),
            directory: element.kind == ElementKind::Directory,
            from: version_id(&self.vob.vob.state(), element, checkout.from).into_bytes(),
            created: Some(Created {
                time_s: seconds(checkout.created_ns),
                person: Some(made.person),
                comment: checkout.comment.clone().into_bytes(),
            }),
            checkout: Some(self.server.checkout_facts(checkout)),
            description: None,
            version: checkout_id(&self.vob.vob.state(), element, checkout).into_bytes(),
        }))
    }
}

/// Returns the path that is told of an element; none where the argument does not mean it.
fn path_at(
    place: &Where,
    element: &Element,
    names: &mut Names<'_>,
    reachable: Option<&mut Reachable<'_>>,
) -> Outcome<Option<Vec<u8>>> {
    match place {
        Where::Everywhere => {
            // Another view's new element, say, is in no directory that this one shows.
            if let Some(reachable) = reachable
                && element.number != ElementNo::ROOT
                && names.shown_name(element)?.is_none()
                && let Some(name) = reachable.name(element)?
            {
                return Ok(Some(name));
            }
            names.path(element).map(Some)
        }
        Where::Only(_) => Ok(Some(Vec::new())),
        Where::Below { directory, .. } if *directory == element.number => Ok(Some(Vec::new())),
        Where::Below { .. } if names.view().is_some() && names.shown_name(element)?.is_none() => Ok(None),
        Where::Below { path, recurse, .. } => {
            let found = names.path(element)?;
            let below = found.strip_prefix(&path[..]).and_then(|rest| rest.strip_prefix(b"/"));
            Ok(below.filter(|below| *recurse || !below.contains(&b'/')).map(<[u8]>::to_vec))
        }
    }
}
