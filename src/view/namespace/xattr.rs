//! Extended attributes: what a view says of an object under names of its own, and those that the host keeps of private files.

use super::super::host::{Host, MountedVob};
use super::super::inode::Numbered;
use super::super::live::{Shown, View};
use super::super::private::HostFile;
use super::{os_name, refuse};
use crate::vob::{Element, ElementNo, Entry};
use clerestory_mount::{Caller, Inode, Refusal, XattrMode};
use rustix::fs::XattrFlags;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

impl Host {
    /// The extended attributes of an object that a view shows, by the last part of their name.
    fn facts(&self, caller: &Caller, inode: Inode) -> Result<Vec<(&'static str, String)>, Refusal> {
        let (view, vob, number, shown) = match Numbered::of(inode).ok_or(Refusal::Stale)? {
            Numbered::Directory(view, vob, number) => {
                let here = self.here(view, vob, number)?;
                let shown = here.view.select(&here.vob, &here.state.path, &here.state.element);
                (Some(here.view), here.vob, number, shown)
            }
            Numbered::Version(vob, number, version) => {
                let vob = self.vob_numbered(vob).ok_or(Refusal::Stale)?;
                let view = self.view_of_caller(caller);
                let shown = view.as_ref().and_then(|view| self.shown_in(view, &vob, number));
                let rule = shown.and_then(|shown| shown.rule());
                let rule = rule.unwrap_or(clerestory_specs::RuleIndex(u32::MAX));
                (view, vob, number, Shown::Version(version, rule))
            }
            Numbered::Private(view, number) => {
                let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
                return Ok(match self.checked_out_file(&view, number)? {
                    Some((vob, element, shown)) => self.named_facts(Some(&view), &vob, &element, shown),
                    None => vec![("view", view.tag.clone())],
                });
            }
            Numbered::History(number) => {
                let node = self.history.get(number).ok_or(Refusal::Stale)?;
                let view = self.view_numbered(node.view).ok_or(Refusal::Stale)?;
                return Ok(vec![("view", view.tag.clone())]);
            }
            Numbered::Root | Numbered::Above(..) | Numbered::Symlink(..) | Numbered::Placeholder(..) => {
                return Ok(Vec::new());
            }
        };
        let element = vob.element(number).map_err(refuse)?;
        Ok(self.named_facts(view.as_ref(), &vob, &element, shown))
    }

    fn named_facts(
        &self,
        view: Option<&Arc<View>>,
        vob: &MountedVob,
        element: &Element,
        shown: Shown,
    ) -> Vec<(&'static str, String)> {
        let state = vob.vob.state();
        let name = view.and_then(|view| self.name_in(view, vob, element)).unwrap_or_else(|| b".".to_vec());
        let name = String::from_utf8_lossy(&name).into_owned();
        let mut facts = vec![("oid", element.oid.to_string())];
        let version = match shown {
            Shown::Version(version, _) => Some(super::super::resolve::version_id(&state, element, version)),
            Shown::CheckedOut(_) => view
                .and_then(|view| element.checkout_of(&view.uuid()))
                .map(|checkout| super::super::resolve::checkout_id(&state, element, checkout)),
            Shown::Nothing(_) | Shown::Error(_) => None,
        };
        facts.extend(version.map(|version| ("version", format!("{name}@@{version}"))));
        if let Some(view) = view {
            facts.push(("view", view.tag.clone()));
            let spec = view.spec();
            let rule = shown.rule().and_then(|rule| spec.rules().get(rule.0 as usize).cloned());
            facts.extend(rule.map(|rule| ("rule", String::from_utf8_lossy(&rule.text).into_owned())));
        }
        facts
    }

    /// Returns the name under which a view shows an element.
    fn name_in(&self, view: &Arc<View>, vob: &MountedVob, element: &Element) -> Option<Vec<u8>> {
        let shown = |(directory, name): &&(ElementNo, Box<[u8]>)| {
            let state = view.known_directory(vob.index, *directory);
            state.is_some_and(|state| state.catalog.get(name) == Some(Entry::Element(element.number)))
        };
        let newest = || element.names.last().map(|(_, name)| name.to_vec());
        element.names.iter().find(shown).map(|(_, name)| name.to_vec()).or_else(newest)
    }

    fn shown_in(&self, view: &Arc<View>, vob: &Arc<MountedVob>, number: ElementNo) -> Option<Shown> {
        let element = vob.element(number).ok()?;
        element.names.iter().find_map(|(directory, name)| {
            let state = view.known_directory(vob.index, *directory)?;
            if state.catalog.get(name) != Some(Entry::Element(number)) {
                return None;
            }
            let path = view.bound(vob).descend(&state.path, name);
            Some(view.select(vob, &path, &element))
        })
    }

    /// Returns the element whose checked-out data a private file is.
    #[allow(clippy::type_complexity)]
    fn checked_out_file(
        &self,
        view: &Arc<View>,
        number: u64,
    ) -> Result<Option<(Arc<super::super::MountedVob>, Arc<Element>, Shown)>, Refusal> {
        let Ok((_, path)) = view.private.at(view.storage.root(), number) else {
            return Ok(None);
        };
        let Some(oid) = path.to_str().and_then(|path| path.strip_prefix("checkout/")) else {
            return Ok(None);
        };
        let Ok(oid) = oid.parse() else { return Ok(None) };
        for vob in self.vobs() {
            if let Some(found) = vob.vob.element_with_oid(&oid).map_err(refuse)? {
                let element = vob.element(found).map_err(refuse)?;
                let shown = self.shown_in(view, &vob, found);
                let shown = shown.unwrap_or(Shown::CheckedOut(clerestory_specs::RuleIndex(u32::MAX)));
                return Ok(Some((vob, element, shown)));
            }
        }
        Ok(None)
    }

    /// Guesses in which view a process works. A file version has one inode in all views, so
    /// the request itself does not tell.
    fn view_of_caller(&self, caller: &Caller) -> Option<Arc<View>> {
        let link = |what: &str| std::fs::read_link(format!("/proc/{}/{what}", caller.pid)).ok();
        let by_path = link("cwd").and_then(|cwd| {
            let below = cwd.strip_prefix(&self.viewroot).ok()?.components().next()?;
            self.view(below.as_os_str().to_str()?)
        });
        let by_environment = || {
            let environment = std::fs::read(format!("/proc/{}/environ", caller.pid)).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            let root = variables.find_map(|variable| variable.strip_prefix(b"CLEARCASE_ROOT="))?;
            let root = PathBuf::from(OsStr::from_bytes(root));
            self.view(root.strip_prefix(&self.viewroot).ok()?.to_str()?)
        };
        let views = self.views();
        let only = || (views.len() == 1).then(|| Arc::clone(&views[0]));
        by_path.or_else(by_environment).or_else(only)
    }

    pub(super) fn xattr(&self, caller: &Caller, inode: Inode, name: &OsStr) -> Result<Vec<u8>, Refusal> {
        if let Some(wanted) = name.to_str().and_then(|name| name.strip_prefix("user.clerestory.")) {
            let facts = self.facts(caller, inode)?;
            let found = facts.into_iter().find(|(fact, _)| *fact == wanted);
            return found.map(|(_, value)| value.into_bytes()).ok_or(Refusal::NoData);
        }
        match self.host_file(inode)? {
            Some(HostFile { ref path, follow, .. }) => {
                let mut value = vec![0; 64 << 10];
                let length = match follow {
                    true => rustix::fs::getxattr(path, name, &mut value)?,
                    false => rustix::fs::lgetxattr(path, name, &mut value)?,
                };
                value.truncate(length);
                Ok(value)
            }
            None => Err(Refusal::NoData),
        }
    }

    /// The names of extended attributes. A private file answers to `user.clerestory.*` as well but does not list
    /// them: programs that copy attributes would copy these, and fail.
    pub(super) fn xattr_names(&self, caller: &Caller, inode: Inode) -> Result<Vec<OsString>, Refusal> {
        let Some(HostFile { ref path, follow, .. }) = self.host_file(inode)? else {
            let facts = self.facts(caller, inode)?;
            return Ok(facts.iter().map(|(fact, _)| format!("user.clerestory.{fact}").into()).collect());
        };
        let mut buffer = vec![0; 64 << 10];
        let length = match follow {
            true => rustix::fs::listxattr(path, &mut buffer)?,
            false => rustix::fs::llistxattr(path, &mut buffer)?,
        };
        // The kernel judges who may read or set `trusted.*`, but leaves it to the file system who sees the names.
        let is_shown = |name: &&[u8]| caller.uid == 0 || !name.starts_with(b"trusted.");
        let own = buffer[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(own.filter(is_shown).map(os_name).collect())
    }

    pub(super) fn change_xattr(
        &self,
        inode: Inode,
        name: &OsStr,
        value: Option<(&[u8], XattrMode)>,
    ) -> Result<(), Refusal> {
        if name.as_bytes().starts_with(b"user.clerestory.") {
            return Err(Refusal::NotPermitted);
        }
        let file = self.host_file(inode)?.ok_or(Refusal::ReadOnly)?;
        let path = &file.path;
        match value {
            Some((value, mode)) => {
                let flags = match mode {
                    XattrMode::Any => XattrFlags::empty(),
                    XattrMode::Create => XattrFlags::CREATE,
                    XattrMode::Replace => XattrFlags::REPLACE,
                };
                match file.follow {
                    true => rustix::fs::setxattr(path, name, value, flags)?,
                    false => rustix::fs::lsetxattr(path, name, value, flags)?,
                }
            }
            None => match file.follow {
                true => rustix::fs::removexattr(path, name)?,
                false => rustix::fs::lremovexattr(path, name)?,
            },
        }
        Ok(())
    }

    /// Returns the path of a private file on the host, for calls that have no `*at` form.
    fn host_file(&self, inode: Inode) -> Result<Option<HostFile>, Refusal> {
        let Some(Numbered::Private(view, number)) = Numbered::of(inode) else {
            return Ok(None);
        };
        let view = self.view_numbered(view).ok_or(Refusal::Stale)?;
        view.private.host_file(view.storage.root(), number).map(Some)
    }
}
