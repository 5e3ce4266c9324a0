//! Element types that every new VOB has beside the predefined ones, whose numbers are fixed.
//!
//! Their own ways of comparing and merging are not built: what they hold is kept as their supertypes keep it.

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

/// Types of a new VOB, at most.
pub const MOST: usize = predefined::ALL.len() + TYPES.len();

/// Makes them.
pub fn operations(state: &VobState, options: &VobOptions) -> Vec<Operation> {
    let define = |(number, (name, supertype, manager)): (u32, (&str, TypeNo, &str))| Operation::DefineType {
        number: TypeNo(number),
        kind: TypeKind::Element,
        name: name.to_owned(),
        definition: TypeDefinition {
            owner: options.owner,
            group: options.group,
            scope: TypeScope::Ordinary,
            shared: false,
            properties: TypeProperties::Element {
                supertype,
                manager: Some(manager.to_owned()),
                merge: None,
                preserve_time: false,
            },
        },
    };
    (state.next_type().0..).zip(TYPES).map(define).collect()
}
