//! The program, as the operations and the comparison see it: the calls of commands, and the calls of the kernel.
//!
//! [`library`] calls both in this process; [`mounted`] has a daemon and a mount of its own.

pub mod library;
pub mod mounted;

use super::model::{BRANCHES, LABELS, Made, Model, UMASK};
use clerestory::server::proto::*;

/// Declares the calls that are used: those that answer once, and those that answer with a stream.
macro_rules! commands {
    ($each:ident) => {
        $each! {
            checkout(CheckoutRequest) -> CheckoutReply;
            checkin(CheckinRequest) -> CheckinReply;
            uncheckout(UncheckoutRequest) -> UncheckoutReply;
            make_element(MakeElementRequest) -> MakeElementReply;
            make_directory(MakeDirectoryRequest) -> MakeElementReply;
            make_branch(MakeBranchRequest) -> MakeBranchReply;
            make_types(MakeTypesRequest) -> MakeTypesReply;
            reserve(ReserveRequest) -> ReserveReply;
            remove_names(RemoveNamesRequest) -> NamesReply;
            move_names(MoveNamesRequest) -> NamesReply;
            link_names(LinkNamesRequest) -> NamesReply;
            set_config_spec(SetConfigSpecRequest) -> SetConfigSpecReply;
            create_vob(CreateVobRequest) -> VobFacts;
            create_view(CreateViewRequest) -> CreateViewReply;
            remove(RemoveRequest) -> RemoveReply;
            lock_objects(LockRequest) -> ObjectsReply;
            change_vob(ChangeVobRequest) -> ListVobsReply;
            describe(DescribeRequest) -> Description;
            remove_vob(RemoveVobRequest) -> VobFacts;
            remove_view(RemoveViewRequest) -> RemoveViewReply;
            ;
            label(LabelRequest) -> LabelItem;
            list(ListRequest) -> ListItem;
            version_tree(VersionTreeRequest) -> VersionTreeItem;
        }
    };
}
pub(crate) use commands;

macro_rules! declare {
    ($($name:ident($request:ty) -> $answer:ty;)* ; $($stream:ident($sr:ty) -> $item:ty;)*) => {
        /// The calls of commands.
        pub trait Commands {
            $(fn $name(&self, request: $request) -> Result<$answer, Failure>;)*
            $(fn $stream(&self, request: $sr) -> Result<Vec<$item>, Failure>;)*
        }
    };
}
commands!(declare);

/// The kinds of objects that the kernel tells apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}

/// What lstat(2) says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
}

/// An error number.
pub type Errno = i32;

/// What lstat(2) says of a name, and what a file or link holds that has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sight {
    /// What it is.
    pub stat: Result<Stat, Errno>,
    /// The bytes of a file, the text of a link; of anything else nothing.
    pub held: Result<Vec<u8>, Errno>,
}

/// The calls of programs that use files, by paths below the VOB's root.
pub trait Files {
    /// Opens for writing, creating and truncating; writes.
    fn write(&self, view: usize, path: &str, bytes: &[u8], mode: u32) -> Result<(), Errno>;
    /// unlink(2)
    fn unlink(&self, view: usize, path: &str) -> Result<(), Errno>;
    /// rmdir(2)
    fn remove_directory(&self, view: usize, path: &str) -> Result<(), Errno>;
    /// mkdir(2)
    fn make_plain_directory(&self, view: usize, path: &str) -> Result<(), Errno>;
    /// symlink(2)
    fn make_link(&self, view: usize, path: &str, text: &str) -> Result<(), Errno>;
    /// rename(2)
    fn rename(&self, view: usize, from: &str, to: &str) -> Result<(), Errno>;
    /// chmod(2)
    fn set_mode(&self, view: usize, path: &str, mode: u32) -> Result<(), Errno>;
    /// lstat(2) of names in a directory; files are read, and links.
    fn look(&self, view: usize, directory: &str, names: &[&str]) -> Vec<Sight>;
    /// The names in a directory, and what they are.
    fn names(&self, view: usize, path: &str) -> Result<Vec<(String, Kind)>, Errno>;
}

/// A program with a VOB and two views of it.
pub trait Product: Commands + Files {
    /// Where a view shows the VOB's root, absolute.
    fn top(&self, view: usize) -> String;
    /// The tag of a view.
    fn view_tag(&self, view: usize) -> String;
    /// The tag of the VOB.
    fn vob_tag(&self) -> String;
    /// Compares elements with those of the model, invisible ones too as far as they can be looked at: all, or those
    /// that were touched.
    ///
    /// # Errors
    /// The first difference.
    fn compare_elements(&self, model: &Model, all: bool) -> Result<(), String>;
    /// The identity of an element that was just made: 32 hexadecimal digits.
    fn identity(&self, model: &Model, made: &Made) -> Option<String>;

    /// Looks names up anew from here on, as after any change.
    fn look_anew(&self) {}

    /// Returns when the kernel shows what files were changed by other names.
    fn settle(&self, _: &Model) {}

    /// The context of commands that work in a view.
    fn context(&self, view: usize) -> Option<Context> {
        Some(Context {
            working_directory: self.top(view).into_bytes(),
            umask: UMASK,
            host: "here".to_owned(),
            ..Context::default()
        })
    }

    /// A path argument.
    fn pname(&self, view: usize, path: &str) -> Pname {
        let top = self.top(view);
        let absolute = if path.is_empty() { top } else { format!("{top}/{path}") };
        let typed = if path.is_empty() { "." } else { path };
        Pname { typed: typed.as_bytes().to_vec(), absolute: absolute.into_bytes() }
    }

    /// A type's name with its kind.
    fn selector(&self, view: usize, kind: SelectorKind, name: &str) -> Option<Selector> {
        let absolute = self.top(view).into_bytes();
        let vob = Some(Pname { typed: Vec::new(), absolute });
        Some(Selector { kind: kind.into(), name: name.as_bytes().to_vec(), vob })
    }

    /// Makes the types that every run begins with.
    fn make_all_types(&self) {
        let kinds = [
            (ObjectKind::BranchType, SelectorKind::BranchType, BRANCHES),
            (ObjectKind::LabelType, SelectorKind::LabelType, LABELS),
        ];
        for (kind, selector, names) in kinds {
            let arguments = names
                .iter()
                .map(|name| TypeArgument { selector: self.selector(0, selector, name), comment: Vec::new() });
            let request = MakeTypesRequest {
                context: self.context(0),
                kind: kind.into(),
                arguments: arguments.collect(),
                ..MakeTypesRequest::default()
            };
            let reply = self.make_types(request).expect("types can be made");
            for outcome in reply.outcomes {
                assert!(matches!(outcome.outcome, Some(make_type_outcome::Outcome::Done(_))), "{outcome:?}");
            }
        }
    }
}
