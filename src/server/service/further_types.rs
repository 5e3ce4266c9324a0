//! Types that every new VOB has beside the predefined ones, whose numbers are fixed.
//!
//! The element types' own ways of comparing and merging are not built: what they hold is kept as their supertypes keep it.

use crate::store::VobOptions;
use crate::vob::state::predefined;
use crate::vob::{Operation, TypeDefinition, TypeKind, TypeNo, TypeProperties, TypeScope, VobState};

/// Name, supertype and type manager.
const TYPES: [(&str, TypeNo, &str); 4] = [
    ("html", predefined::TEXT_FILE, "_html"),
    ("ms_word", predefined::FILE, "_ms_word"),
    ("rose", predefined::TEXT_FILE, "_rose"),
    ("xml", predefined::TEXT_FILE, "_xml"),
];

/// Hyperlink types that the product's tools draw on.
const LINK_TYPES: [&str; 3] = ["AdminVOB", "GlobalDefinition", "RelocationVOB"];

/// Types of a new VOB, at most.
pub const MOST: usize = predefined::ALL.len() + TYPES.len() + LINK_TYPES.len();

/// Makes them.
pub fn operations(state: &VobState, options: &VobOptions) -> Vec<Operation> {
    let element = |(name, supertype, manager): (&'static str, TypeNo, &str)| {
        let manager = Some(manager.to_owned());
        let properties = TypeProperties::Element { supertype, manager, merge: None, preserve_time: false };
        (TypeKind::Element, name, properties)
    };
    let link = |name| (TypeKind::Hyperlink, name, TypeProperties::Hyperlink);
    let all = TYPES.into_iter().map(element).chain(LINK_TYPES.map(link));
    let define = |(number, (kind, name, properties)): (u32, (TypeKind, &str, TypeProperties))| {
        let (owner, group, scope) = (options.owner, options.group, TypeScope::Ordinary);
        let definition = TypeDefinition { owner, group, scope, shared: false, properties };
        Operation::DefineType { number: TypeNo(number), kind, name: name.to_owned(), definition }
    };
    (state.next_type().0..).zip(all).map(define).collect()
}
