//! What programs do to files in a view, without a command.

use super::pick;
use super::{Done, Operation, Outcome, Refused, filed};
use crate::model::{Content, File, Home, Model, Private, Thing, UMASK};
use crate::names::Names;
use crate::product::{Errno, Product};
use crate::random::Random;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Writes a file: a new one, or the whole of one that is there.
#[derive(Debug)]
pub struct Write {
    view: usize,
    path: String,
    content: Content,
    mode: u32,
}

/// Removes a file.
#[derive(Debug)]
pub struct Remove {
    view: usize,
    path: String,
}

/// Removes a directory.
#[derive(Debug)]
pub struct RemoveDirectory {
    view: usize,
    path: String,
}

/// Makes a directory that is no element.
#[derive(Debug)]
pub struct MakeDirectory {
    view: usize,
    path: String,
}

/// Makes a symbolic link of the view's own.
#[derive(Debug)]
pub struct MakeLink {
    view: usize,
    path: String,
    text: String,
}

/// Renames a file, link or directory.
#[derive(Debug)]
pub struct Rename {
    view: usize,
    from: String,
    to: String,
}

/// Changes permission bits.
#[derive(Debug)]
pub struct SetMode {
    view: usize,
    path: String,
    mode: u32,
}

/// Puts something private at a home.
fn put(model: &mut Model, view: usize, home: &Home, private: Private) {
    model.touched.insert(home.directory);
    let names = model.views[view].private_names(home.directory, home.way());
    names.insert(home.leaf().to_owned(), private);
}

/// Takes what is private at a home away.
fn take(model: &mut Model, view: usize, home: &Home) -> Option<Private> {
    model.touched.insert(home.directory);
    model.views[view].private_names(home.directory, home.way()).remove(home.leaf())
}

fn private<'m>(model: &'m Model, view: usize, home: &Home) -> &'m Private {
    model.views[view].private(home.directory, &home.names).expect("it was found")
}

/// What the kernel finds at a path other than the root's, and where. The root is a directory that nobody can
/// remove, replace or write.
fn look(model: &Model, view: usize, path: &str) -> Result<(Home, Thing), Errno> {
    match path {
        "" => Err(libc::EBUSY),
        path => model.look(view, path),
    }
}

fn outcome(result: Result<(), Errno>) -> Vec<Outcome> {
    vec![result.map(|()| Done::default()).map_err(Refused::by)]
}

impl Write {
    pub fn any(model: &Model, random: &mut Random, serial: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::writable(model, random);
        if random.percent(40)
            && let Some(path) = pick::superfluous(model, random, view)
        {
            return Rc::new(Remove { view, path });
        }
        let lines = match random.below(20) {
            0 => 0,
            1 => 300 + random.below(300) as u32,
            _ => 1 + random.below(5) as u32,
        };
        let mode = if random.percent(20) { 0o777 } else { 0o666 };
        Rc::new(Write { view, path, content: Content::new(serial, lines), mode })
    }

    fn effect(&self, model: &mut Model) -> Result<(), Errno> {
        let (home, thing) = look(model, self.view, &self.path)?;
        let new = File { content: self.content, mode: self.mode & !UMASK };
        match thing {
            Thing::Absent => put(model, self.view, &home, Private::File(new)),
            Thing::Missing(id) => {
                model.change_data(id);
                model.views[self.view].data.insert(id, new);
            }
            Thing::Data(id) => {
                model.touched.insert(id);
                let data = model.views[self.view].data.get_mut(&id).expect("it was found");
                data.content = self.content;
            }
            Thing::Private => match private(model, self.view, &home) {
                Private::File(File { mode, .. }) => {
                    let file = File { content: self.content, mode: *mode };
                    put(model, self.view, &home, Private::File(file));
                }
                Private::Directory(..) => return Err(libc::EISDIR),
                Private::Link(_) => return Err(libc::ELOOP),
            },
            Thing::Version(..) => return Err(libc::EROFS),
            Thing::Directory(_) => return Err(libc::EISDIR),
            Thing::Link(_) => return Err(libc::ELOOP),
            Thing::Broken => return Err(libc::EIO),
        }
        Ok(())
    }
}

impl Operation for Write {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        outcome(self.effect(model))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.write(self.view, &names.real(&self.path), &self.content.bytes(), self.mode))
    }
}

impl Remove {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::private(model, random, 80);
        Rc::new(Remove { view, path })
    }

    fn effect(&self, model: &mut Model) -> Result<(), Errno> {
        let (home, thing) = look(model, self.view, &self.path)?;
        match thing {
            Thing::Absent | Thing::Missing(_) => Err(libc::ENOENT),
            Thing::Private if matches!(private(model, self.view, &home), Private::Directory(..)) => {
                Err(libc::EISDIR)
            }
            Thing::Private => {
                take(model, self.view, &home);
                Ok(())
            }
            Thing::Data(id) => {
                model.change_data(id);
                model.views[self.view].data.remove(&id);
                Ok(())
            }
            Thing::Version(..) | Thing::Link(_) => Err(libc::EROFS),
            Thing::Directory(_) => Err(libc::EISDIR),
            Thing::Broken => Err(libc::EIO),
        }
    }
}

impl Operation for Remove {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        outcome(self.effect(model))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.unlink(self.view, &names.real(&self.path)))
    }
}

impl RemoveDirectory {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::private_directory(model, random);
        Rc::new(RemoveDirectory { view, path })
    }

    fn effect(&self, model: &mut Model) -> Result<(), Errno> {
        let (home, thing) = look(model, self.view, &self.path)?;
        match thing {
            Thing::Absent | Thing::Missing(_) => Err(libc::ENOENT),
            Thing::Private => match private(model, self.view, &home) {
                Private::Directory(_, names) if !names.is_empty() => Err(libc::ENOTEMPTY),
                Private::Directory(..) => {
                    take(model, self.view, &home);
                    Ok(())
                }
                _ => Err(libc::ENOTDIR),
            },
            Thing::Data(_) | Thing::Version(..) | Thing::Link(_) => Err(libc::ENOTDIR),
            Thing::Directory(_) => Err(libc::EROFS),
            Thing::Broken => Err(libc::EIO),
        }
    }
}

impl Operation for RemoveDirectory {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        outcome(self.effect(model))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.remove_directory(self.view, &names.real(&self.path)))
    }
}

/// Makes something private where there is nothing. It covers an element that is not shown.
fn make(model: &mut Model, view: usize, path: &str, made: Private) -> Result<(), Errno> {
    let (home, thing) = look(model, view, path)?;
    match thing {
        Thing::Absent | Thing::Missing(_) => {
            put(model, view, &home, made);
            Ok(())
        }
        Thing::Broken => Err(libc::EIO),
        _ => Err(libc::EEXIST),
    }
}

impl MakeDirectory {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::place(model, random, 80);
        Rc::new(MakeDirectory { view, path })
    }
}

impl Operation for MakeDirectory {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        let made = Private::Directory(0o777 & !UMASK, BTreeMap::new());
        outcome(make(model, self.view, &self.path, made))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.make_plain_directory(self.view, &names.real(&self.path)))
    }
}

impl MakeLink {
    pub fn any(model: &Model, random: &mut Random, serial: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::place(model, random, 80);
        Rc::new(MakeLink { view, path, text: format!("none/p{serial}") })
    }
}

impl Operation for MakeLink {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        outcome(make(model, self.view, &self.path, Private::Link(self.text.clone())))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.make_link(self.view, &names.real(&self.path), &self.text))
    }
}

impl Rename {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, mut from) = pick::private(model, random, 90);
        let mut to = pick::place_in(model, random, view, 60);
        // The kernel has one place for a directory, and moves it where it is looked up while a name is moved.
        for path in [&mut from, &mut to] {
            if let Ok((_, Thing::Directory(id))) = model.look(view, path)
                && model.directories(view).iter().filter(|(_, other, _)| *other == id).count() > 1
            {
                *path = pick::new_name_in(model, random, view, false);
            }
        }
        Rc::new(Rename { view, from, to })
    }

    fn effect(&self, model: &mut Model) -> Result<(), Errno> {
        let view = self.view;
        let ((from, moved), (to, there)) =
            (look(model, view, &self.from), look(model, view, &self.to)).both()?;
        match (&moved, &there) {
            (Thing::Broken, _) => return Err(libc::EIO),
            (Thing::Absent | Thing::Missing(_), _) => return Err(libc::ENOENT),
            (_, Thing::Broken) => return Err(libc::EIO),
            _ => {}
        }
        // The kernel's own rules: neither into itself, nor over what it is in; one inode stays what it is. A private
        // directory may be reached by several names of the element that it is in.
        let inside = |(outer, outer_home): (&str, &Home), (inner, inner_home): (&str, &Home)| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
                || (inner_home.directory == outer_home.directory
                    && inner_home.names.len() > outer_home.names.len()
                    && inner_home.names.starts_with(&outer_home.names))
        };
        let is_directory = |home: &Home, thing: &Thing| match thing {
            Thing::Directory(_) => true,
            Thing::Private => matches!(private(model, view, home), Private::Directory(..)),
            _ => false,
        };
        if inside((&self.from, &from), (&self.to, &to)) {
            return Err(libc::EINVAL);
        }
        if inside((&self.to, &to), (&self.from, &from)) {
            return Err(libc::ENOTEMPTY);
        }
        let same = (from == to && there != Thing::Absent && !matches!(there, Thing::Missing(_)))
            || (moved == there && !matches!(moved, Thing::Private));
        if same {
            return Ok(());
        }
        let exists = !matches!(there, Thing::Absent | Thing::Missing(_));
        match (is_directory(&from, &moved), is_directory(&to, &there)) {
            (true, false) if exists => return Err(libc::ENOTDIR),
            (false, true) => return Err(libc::EISDIR),
            _ => {}
        }
        // What is under version control stays where it is.
        if matches!(moved, Thing::Version(..) | Thing::Directory(_) | Thing::Link(_)) {
            return Err(libc::EROFS);
        }
        if matches!(there, Thing::Version(..) | Thing::Directory(_) | Thing::Link(_)) {
            return Err(libc::EROFS);
        }
        if let Thing::Private = there
            && let Private::Directory(_, names) = private(model, view, &to)
            && !names.is_empty()
        {
            return Err(libc::ENOTEMPTY);
        }
        self.carry_out(model, (from, moved), (to, there));
        Ok(())
    }

    fn carry_out(&self, model: &mut Model, (from, moved): (Home, Thing), (to, there): (Home, Thing)) {
        let view = self.view;
        let what = match moved {
            Thing::Data(id) => {
                model.change_data(id);
                Private::File(model.views[view].data.remove(&id).expect("it was found"))
            }
            _ => take(model, view, &from).expect("it was found"),
        };
        match (there, what) {
            (Thing::Data(id) | Thing::Missing(id), Private::File(file)) => {
                model.change_data(id);
                model.views[view].data.insert(id, file);
            }
            // Data is a regular file: anything else covers the element, whose data goes.
            (Thing::Data(id) | Thing::Missing(id), other) => {
                model.change_data(id);
                model.views[view].data.remove(&id);
                put(model, view, &to, other);
            }
            (_, what) => put(model, view, &to, what),
        }
    }
}

/// Two results of which the first error counts.
trait Both<A, B, E> {
    fn both(self) -> Result<(A, B), E>;
}

impl<A, B, E> Both<A, B, E> for (Result<A, E>, Result<B, E>) {
    fn both(self) -> Result<(A, B), E> {
        Ok((self.0?, self.1?))
    }
}

impl Operation for Rename {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        outcome(self.effect(model))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.rename(self.view, &names.real(&self.from), &names.real(&self.to)))
    }
}

impl SetMode {
    pub fn any(model: &Model, random: &mut Random, _: u32) -> Rc<dyn Operation> {
        let (view, path) = pick::private(model, random, 80);
        Rc::new(SetMode { view, path, mode: *random.one_of(&[0o644, 0o755, 0o600, 0o444, 0o555]) })
    }

    fn effect(&self, model: &mut Model) -> Result<(), Errno> {
        let (home, thing) = look(model, self.view, &self.path)?;
        match thing {
            Thing::Absent | Thing::Missing(_) | Thing::Link(_) => Err(libc::ENOENT),
            Thing::Version(..) | Thing::Directory(_) => Err(libc::EROFS),
            Thing::Broken => Err(libc::EIO),
            Thing::Data(id) => {
                model.touched.insert(id);
                model.views[self.view].data.get_mut(&id).expect("it was found").mode = self.mode;
                Ok(())
            }
            Thing::Private => {
                model.touched.insert(home.directory);
                let names = model.views[self.view].private_names(home.directory, home.way());
                match names.get_mut(home.leaf()).expect("it was found") {
                    Private::File(file) => file.mode = self.mode,
                    Private::Directory(mode, _) => *mode = self.mode,
                    Private::Link(_) => return Err(libc::ENOENT),
                }
                Ok(())
            }
        }
    }
}

impl Operation for SetMode {
    fn expect(&self, model: &mut Model) -> Vec<Outcome> {
        outcome(self.effect(model))
    }

    fn perform(&self, product: &dyn Product, names: &Names) -> Vec<Outcome> {
        filed(product.set_mode(self.view, &names.real(&self.path), self.mode))
    }
}
