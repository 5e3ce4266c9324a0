//! A view: its rules, and what is private to it.

use super::{File, Id, Spec};
use std::collections::BTreeMap;

/// A view-private object.
#[derive(Clone, Debug)]
pub enum Private {
    /// A regular file.
    File(File),
    /// A directory: permission bits and names.
    Directory(u32, BTreeMap<String, Private>),
    /// A symbolic link, which leads nowhere.
    Link(String),
}

/// A view.
#[derive(Clone, Debug)]
pub struct View {
    /// Its config spec.
    pub spec: Spec,
    /// Its private names, by the directory element they are in.
    pub private: BTreeMap<Id, BTreeMap<String, Private>>,
    /// The data of checked-out files, as far as it was not removed.
    pub data: BTreeMap<Id, File>,
}

impl View {
    /// A view with the default config spec.
    pub fn new() -> View {
        View { spec: Spec::default(), private: BTreeMap::new(), data: BTreeMap::new() }
    }

    /// A private object, by the names that lead to it from a directory element.
    pub fn private(&self, directory: Id, names: &[String]) -> Option<&Private> {
        let mut here = self.private.get(&directory)?;
        let (last, way) = names.split_last()?;
        for name in way {
            match here.get(name)? {
                Private::Directory(_, names) => here = names,
                _ => return None,
            }
        }
        here.get(last)
    }

    /// The private names beside an object that is there, or could be.
    pub fn private_names(&mut self, directory: Id, way: &[String]) -> &mut BTreeMap<String, Private> {
        let mut here = self.private.entry(directory).or_default();
        for name in way {
            match here.get_mut(name) {
                Some(Private::Directory(_, names)) => here = names,
                _ => unreachable!("the way leads through private directories"),
            }
        }
        here
    }
}
