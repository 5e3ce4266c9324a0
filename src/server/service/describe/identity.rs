//! What tells an object from all others: an identifier, and a number that is unique in its VOB.
//!
//! Elements and VOBs have recorded identifiers. Those of all other objects are put together from the VOB's and the
//! numbers that never change, and can be taken apart again: nothing has to be searched to find what one names.

use crate::server::proto::Identity;
use crate::vob::{BranchNo, ElementNo, Oid, SymlinkNo, TypeNo, VersionNo, VobObject};

/// An object that can be named by an identifier.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// The VOB, a type object, an element, or a part of one.
    Object(VobObject),
    /// A VOB symbolic link.
    Symlink(SymlinkNo),
    /// The hyperlink with this number.
    Hyperlink(u32),
}

/// Bytes that all identifiers of one VOB begin with; one for the kind and two numbers follow.
const PREFIX_BYTES: usize = 7;
/// Bits of the kind in a number, below the object's own.
const KIND_BITS: u32 = 3;
/// Where the second number begins, above the first.
const SECOND_SHIFT: u32 = KIND_BITS + 32;

impl Known {
    /// Its kind and its two numbers.
    fn parts(self) -> (u8, u32, u32) {
        match self {
            Known::Object(VobObject::Vob) => (0, 0, 0),
            Known::Object(VobObject::Type(number)) => (1, number.0, 0),
            Known::Object(VobObject::Element(number)) => (2, number.0, 0),
            Known::Object(VobObject::Branch(element, branch)) => (3, element.0, branch.0),
            Known::Object(VobObject::Version(element, version)) => (4, element.0, version.0),
            Known::Object(VobObject::CheckOut(element, number)) => (5, element.0, number),
            Known::Symlink(number) => (6, number.0, 0),
            Known::Hyperlink(number) => (7, number, 0),
        }
    }

    fn of_parts(kind: u8, first: u32, second: u32) -> Option<Known> {
        let element = ElementNo(first);
        Some(match kind {
            0 => Known::Object(VobObject::Vob),
            1 => Known::Object(VobObject::Type(TypeNo(first))),
            2 => Known::Object(VobObject::Element(element)),
            3 => Known::Object(VobObject::Branch(element, BranchNo(second))),
            4 => Known::Object(VobObject::Version(element, VersionNo(second))),
            5 => Known::Object(VobObject::CheckOut(element, second)),
            6 => Known::Symlink(SymlinkNo(first)),
            7 => Known::Hyperlink(first),
            _ => return None,
        })
    }

    /// Reads an identifier that was put together for an object of this VOB; none for any other.
    pub fn of_oid(vob: &Oid, oid: &Oid) -> Option<Known> {
        let (prefix, rest) = oid.0.split_at(PREFIX_BYTES);
        let [kind, a, b, c, d, e, f, g, h] = <[u8; 9]>::try_from(rest).ok()?;
        let known =
            Known::of_parts(kind, u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))?;
        (prefix == &prefix_of(vob)[..]).then_some(known)
    }

    /// Reads a number that is unique in the VOB; none for one that no object can have.
    pub fn of_dbid(dbid: u64) -> Option<Known> {
        let kind = (dbid & ((1 << KIND_BITS) - 1)) as u8;
        Known::of_parts(kind, (dbid >> KIND_BITS) as u32, u32::try_from(dbid >> SECOND_SHIFT).ok()?)
    }

    /// Tells how clients know the object; `recorded` is the identifier that it has in the VOB, if it has one.
    pub fn identity(self, vob: &Oid, vob_tag: &str, recorded: Option<Oid>) -> Identity {
        let (kind, first, second) = self.parts();
        let mut bytes = [0; 16];
        bytes[..PREFIX_BYTES].copy_from_slice(&prefix_of(vob));
        bytes[PREFIX_BYTES] = kind;
        bytes[8..12].copy_from_slice(&first.to_be_bytes());
        bytes[12..].copy_from_slice(&second.to_be_bytes());
        let dbid = u64::from(kind) | u64::from(first) << KIND_BITS | u64::from(second) << SECOND_SHIFT;
        Identity {
            oid: recorded.unwrap_or(Oid(bytes)).to_string(),
            dbid,
            vob_tag: vob_tag.as_bytes().to_vec(),
        }
    }
}

fn prefix_of(vob: &Oid) -> [u8; PREFIX_BYTES] {
    let derived = Oid::derived(&[b"objects of a VOB", &vob.0]);
    let mut prefix = [0; PREFIX_BYTES];
    prefix.copy_from_slice(&derived.0[..PREFIX_BYTES]);
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_numbers_lead_back_to_their_objects() {
        let (vob, other) = (Oid::derived(&[b"one"]), Oid::derived(&[b"other"]));
        let all = [
            Known::Object(VobObject::Vob),
            Known::Object(VobObject::Type(TypeNo(70))),
            Known::Object(VobObject::Element(ElementNo(u32::MAX))),
            Known::Object(VobObject::Branch(ElementNo(3), BranchNo(2))),
            Known::Object(VobObject::Version(ElementNo(3), VersionNo(2))),
            Known::Object(VobObject::CheckOut(ElementNo(3), 2)),
            Known::Symlink(SymlinkNo(3)),
            Known::Hyperlink(3),
        ];
        let mut dbids = Vec::new();
        for known in all {
            let identity = known.identity(&vob, "/vobs/x", None);
            let oid: Oid = identity.oid.parse().unwrap();
            assert_eq!(Known::of_oid(&vob, &oid), Some(known));
            assert_eq!(Known::of_oid(&other, &oid), None);
            assert_eq!(Known::of_dbid(identity.dbid), Some(known));
            dbids.push(identity.dbid);
        }
        dbids.sort();
        dbids.dedup();
        assert_eq!(dbids.len(), all.len());
        let recorded = Known::Object(VobObject::Vob).identity(&vob, "/vobs/x", Some(other));
        assert_eq!(recorded.oid, other.to_string());
    }
}
