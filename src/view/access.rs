//! Who may do what in a view: its owner, its group, and permission bits that work like those of a directory.
//!
//! Searching the view is asked by the kernel at the view's top; making, removing and renaming private objects is
//! asked here. Elements have permissions of their own.

/// Permission to change what is private to the view, as one digit of a mode.
pub const MAY_WRITE: u16 = 2;
/// Permission to look into the view, as one digit of a mode.
pub const MAY_SEARCH: u16 = 1;

/// The protection of a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ViewAccess {
    /// Numeric user id.
    pub owner: u32,
    /// Numeric group id.
    pub group: u32,
    /// Permission bits, at most 0o777.
    pub mode: u16,
}

impl ViewAccess {
    /// Tells whether a user has rights, given as one digit of a mode. The first class that the user is in decides:
    /// owner, group, others. Root may do everything. `in_group` is asked only where it matters.
    pub fn allows(&self, user: u32, in_group: impl FnOnce(u32) -> bool, wanted: u16) -> bool {
        let has = |shift: u32| self.mode >> shift & wanted == wanted;
        if user == 0 {
            return true;
        }
        if user == self.owner {
            return has(6);
        }
        if has(3) == has(0) {
            return has(0);
        }
        if in_group(self.group) { has(3) } else { has(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_decides() {
        let allows = |mode: u16, user: u32, member: bool| {
            ViewAccess { owner: 1, group: 10, mode }.allows(user, |group| member && group == 10, MAY_WRITE)
        };
        for (mode, user, member, expected) in [
            (0o755, 1, false, true),
            (0o755, 2, true, false),
            (0o775, 2, true, true),
            (0o775, 2, false, false),
            (0o757, 2, true, false),
            (0o757, 2, false, true),
            (0o577, 1, true, false),
            (0o000, 0, false, true),
        ] {
            assert_eq!(allows(mode, user, member), expected, "{mode:o} {user} {member}");
        }
    }
}
