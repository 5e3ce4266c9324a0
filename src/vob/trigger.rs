//! Triggers: what a trigger type says, and the lists of them that elements have.
//!
//! Pure data with the laws of a definition, [`TriggerDefinition::check`]. Which operations happen, and who is told
//! what, is not known here. These values are part of operations in journals: fields never change, variants are
//! only added at the end.

use super::annotation::LockRule;
use super::identity::TypeNo;
use super::state::TypeKind;
use serde::{Deserialize, Serialize};

/// What a trigger type says.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct TriggerDefinition {
    /// What it watches.
    pub class: TriggerClass,
    /// Whether it fires before or after the operation.
    pub when: TriggerWhen,
    /// The operations, as they were given.
    pub operations: Vec<TriggerOperation>,
    /// Login names of those for whom it does not fire.
    pub exempt: Vec<String>,
    /// What is done, in order.
    pub actions: Vec<TriggerAction>,
    /// Of each kind that is listed, one of these types must be involved.
    pub types: Vec<TypeSet>,
    /// Whether each firing is told.
    pub print: bool,
}

/// What triggers of a type watch.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum TriggerClass {
    /// Elements to which it is attached.
    Element,
    /// Every element.
    AllElements,
    /// The type objects of its type sets.
    Type,
}

/// When triggers of a type fire.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum TriggerWhen {
    /// Before the operation, which they can refuse.
    Before,
    /// After it.
    After,
}

/// One action of a trigger type.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum TriggerAction {
    /// A command, on every system (`-exec`).
    Execute(String),
    /// A command for Unix (`-execunix`).
    ExecuteUnix(String),
    /// A command for Windows (`-execwin`): kept, and not run.
    ExecuteWindows(String),
    /// Attaches a label to the new version.
    MakeLabel(TypeNo),
    /// Attaches an attribute with this value.
    MakeAttribute(TypeNo, String),
    /// Makes a hyperlink between the new version and an object.
    MakeHyperlink {
        /// Its type.
        link_type: TypeNo,
        /// Whether it leads from the object, instead of to it.
        from: bool,
        /// The object, as it was typed.
        object: String,
    },
}

/// Types of one kind.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct TypeSet {
    /// The kind.
    pub kind: TypeKind,
    /// The types; none: all of the kind.
    pub types: Option<Vec<TypeNo>>,
}

macro_rules! operations {
    ($($variant:ident $word:literal $set:expr;)*) => {
        /// An operation that triggers watch, or a group of them.
        #[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Serialize, Deserialize)]
        pub enum TriggerOperation {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl TriggerOperation {
            const ALL: &'static [(TriggerOperation, &'static str, u8)] =
                &[$((TriggerOperation::$variant, $word, $set),)*];
        }
    };
}

/// Is in MODIFY_DATA, MODIFY_MD, MODIFY_TYPE; is a group.
const DATA: u8 = 1;
const METADATA: u8 = 2;
const TYPE: u8 = 4;
const GROUP: u8 = 8;

operations! {
    ModifyElement "MODIFY_ELEM" DATA | METADATA | GROUP;
    ModifyData "MODIFY_DATA" DATA | GROUP;
    ModifyMetadata "MODIFY_MD" METADATA | GROUP;
    ModifyType "MODIFY_TYPE" TYPE | GROUP;
    Checkin "checkin" DATA;
    Checkout "checkout" DATA;
    ChangeType "chtype" DATA | TYPE;
    LinkName "lnname" DATA;
    MakeBranch "mkbranch" DATA | TYPE;
    MakeElement "mkelem" DATA | TYPE;
    MakeSymlink "mkslink" DATA;
    Protect "protect" DATA;
    Reserve "reserve" DATA;
    RemoveBranch "rmbranch" DATA;
    RemoveElement "rmelem" DATA;
    RemoveName "rmname" DATA;
    RemoveVersion "rmver" DATA;
    Uncheckout "uncheckout" DATA;
    Unreserve "unreserve" DATA;
    ChangeEvent "chevent" METADATA | TYPE;
    ChangeMaster "chmaster" METADATA | TYPE;
    Lock "lock" METADATA | TYPE;
    MakeAttribute "mkattr" METADATA | TYPE;
    MakeHyperlink "mkhlink" METADATA | TYPE;
    MakeLabel "mklabel" METADATA | TYPE;
    MakeTrigger "mktrigger" METADATA | TYPE;
    RemoveAttribute "rmattr" METADATA | TYPE;
    RemoveHyperlink "rmhlink" METADATA | TYPE;
    RemoveLabel "rmlabel" METADATA | TYPE;
    RemoveTrigger "rmtrigger" METADATA | TYPE;
    Unlock "unlock" METADATA | TYPE;
    MakeType "mktype" TYPE;
    ModifyTypeObject "modtype" TYPE;
    RemoveType "rmtype" TYPE;
    RenameType "rntype" TYPE;
}

impl TriggerOperation {
    /// Reads a word, as commands take it.
    pub fn named(word: &str) -> Option<TriggerOperation> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(operation, ..)| *operation)
    }

    /// The word of it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(operation, ..)| *operation == self).map_or("", |(_, word, _)| word)
    }

    fn sets(self) -> u8 {
        Self::ALL.iter().find(|(operation, ..)| *operation == self).map_or(0, |(.., sets)| *sets)
    }

    /// Tells whether a single operation is this one, or in this group.
    pub fn includes(self, single: TriggerOperation) -> bool {
        let sets = self.sets();
        self == single || (sets & GROUP != 0 && sets & single.sets() & !GROUP != 0)
    }

    /// Tells whether trigger types of a class can watch it.
    pub fn fits(self, class: TriggerClass) -> bool {
        match class {
            TriggerClass::Type => self.sets() & TYPE != 0,
            TriggerClass::Element | TriggerClass::AllElements => self.sets() & (DATA | METADATA) != 0,
        }
    }
}

impl TriggerDefinition {
    /// Checks what does not depend on anything else.
    ///
    /// # Errors
    /// What is wrong, as a phrase without a final period.
    pub fn check(&self) -> Result<(), String> {
        if self.operations.is_empty() {
            return Err("a trigger type needs an operation".to_owned());
        }
        if let Some(other) = self.operations.iter().find(|operation| !operation.fits(self.class)) {
            let class = if self.class == TriggerClass::Type { "a type" } else { "an element" };
            return Err(format!("{class} trigger cannot watch the operation {}", other.word()));
        }
        if self.actions.is_empty() {
            return Err("a trigger type needs an action".to_owned());
        }
        let runs = |action: &TriggerAction| {
            use TriggerAction::{Execute, ExecuteUnix, ExecuteWindows};
            matches!(action, Execute(_) | ExecuteUnix(_) | ExecuteWindows(_))
        };
        if self.when == TriggerWhen::Before && !self.actions.iter().all(runs) {
            return Err("only triggers that fire after the operation can attach something".to_owned());
        }
        if self.class == TriggerClass::Type && self.types.is_empty() {
            return Err("a type trigger needs the types that it watches".to_owned());
        }
        if self.class != TriggerClass::Type && self.types.iter().any(|set| set.types.is_none()) {
            return Err("a restriction needs a list of types".to_owned());
        }
        Ok(())
    }

    /// Tells whether triggers of the type fire for what a user does.
    pub fn watches(&self, when: TriggerWhen, operation: TriggerOperation, login: &str) -> bool {
        self.when == when
            && self.operations.iter().any(|watched| watched.includes(operation))
            && !self.exempt.iter().any(|exempt| exempt == login)
    }

    /// Tells whether the types that an operation involves are those the definition asks for: of each kind listed one;
    /// type triggers ask for one of all.
    pub fn concerns(&self, involved: &[(TypeKind, TypeNo)]) -> bool {
        let is_met = |set: &TypeSet| {
            involved.iter().any(|(kind, number)| {
                *kind == set.kind && set.types.as_ref().is_none_or(|types| types.contains(number))
            })
        };
        match self.class {
            TriggerClass::Type => self.types.iter().any(is_met),
            TriggerClass::Element | TriggerClass::AllElements => self.types.iter().all(is_met),
        }
    }
}

/// The trigger types that an element has.
#[derive(Clone, Eq, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Triggers {
    /// Those that fire for the element.
    pub attached: Vec<TypeNo>,
    /// Of a directory: those that elements made in it get.
    pub inherited: Vec<TypeNo>,
}

impl Triggers {
    /// Tells whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.attached.is_empty() && self.inherited.is_empty()
    }

    /// Tells whether a trigger type is in one of the lists.
    pub fn has(&self, number: TypeNo) -> bool {
        self.attached.contains(&number) || self.inherited.contains(&number)
    }

    /// Puts a trigger type into lists, or takes it out of them; tells whether anything changed.
    pub(super) fn change(&mut self, number: TypeNo, lists: TriggerLists, present: bool) -> bool {
        let mut changed = false;
        let mut change = |list: &mut Vec<TypeNo>| {
            let found = list.binary_search(&number);
            match (found, present) {
                (Ok(at), false) => drop(list.remove(at)),
                (Err(at), true) => list.insert(at, number),
                _ => return,
            }
            changed = true;
        };
        if lists != TriggerLists::Inherited {
            change(&mut self.attached);
        }
        if lists != TriggerLists::Attached {
            change(&mut self.inherited);
        }
        changed
    }
}

/// Lists of trigger types that an element has.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum TriggerLists {
    /// Those that fire for it.
    Attached,
    /// Those that new elements in it get.
    Inherited,
    /// Both.
    Both,
}

/// Tells whether a lock on a trigger type keeps it from firing for a user.
pub fn is_silent(lock: &LockRule, login: &str) -> bool {
    !lock.exempt.iter().any(|exempt| exempt == login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_include_their_operations() {
        use TriggerOperation as Op;
        for (group, inside, outside) in [
            (Op::ModifyElement, Op::Checkin, Op::MakeType),
            (Op::ModifyElement, Op::MakeLabel, Op::RemoveType),
            (Op::ModifyData, Op::LinkName, Op::MakeLabel),
            (Op::ModifyMetadata, Op::Lock, Op::Checkout),
            (Op::ModifyType, Op::MakeElement, Op::Checkin),
            (Op::Checkin, Op::Checkin, Op::Checkout),
        ] {
            assert!(group.includes(inside) && !group.includes(outside), "{}", group.word());
        }
        assert_eq!(Op::named("rmver"), Some(Op::RemoveVersion));
        assert_eq!(Op::named("deliver_start"), None);
    }

    #[test]
    fn lists_keep_each_type_once_and_in_order() {
        let mut triggers = Triggers::default();
        assert!(triggers.change(TypeNo(5), TriggerLists::Both, true));
        assert!(triggers.change(TypeNo(3), TriggerLists::Attached, true));
        assert!(!triggers.change(TypeNo(3), TriggerLists::Attached, true));
        assert_eq!(
            (&triggers.attached[..], &triggers.inherited[..]),
            (&[TypeNo(3), TypeNo(5)][..], &[TypeNo(5)][..])
        );
        assert!(triggers.change(TypeNo(5), TriggerLists::Both, false));
        assert!(!triggers.has(TypeNo(5)) && triggers.has(TypeNo(3)));
    }
}
