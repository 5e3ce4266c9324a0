//! Permission bits as `protect -chmod` takes them: octal, or clauses such as `g+w,o-rx`.
//!
//! Pure.

/// A change of permission bits.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Mode {
    /// These bits.
    Bits(u16),
    /// One clause after the other.
    Clauses(Vec<Clause>),
}

/// Such as `go-w`.
#[derive(Clone, Copy, Eq, PartialEq, Debug)]
pub struct Clause {
    /// The classes it is about, as bits of a mode.
    who: u16,
    action: Action,
    what: What,
}

#[derive(Clone, Copy, Eq, PartialEq, Debug)]
enum Action {
    Add,
    Remove,
    Set,
}

#[derive(Clone, Copy, Eq, PartialEq, Debug)]
enum What {
    /// Bits in one digit; `X` asks for execution where some class has it, or of a directory.
    Bits { bits: u16, execute_if_any: bool },
    /// What another class has: how far its digit is from the right.
    Class(u16),
}

impl Mode {
    /// Reads a mode; none where it is not one. Classes that are left out are all of them.
    pub fn parse(text: &str) -> Option<Mode> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let bits = u16::from_str_radix(text, 8).ok()?;
            return (bits <= 0o777).then_some(Mode::Bits(bits));
        }
        let mut clauses = Vec::new();
        for clause in text.split(',') {
            let start = clause.find(['+', '-', '='])?;
            let (classes, mut rest) = clause.split_at(start);
            let mut who = 0;
            for class in classes.chars() {
                who |= match class {
                    'u' => 0o700,
                    'g' => 0o070,
                    'o' => 0o007,
                    'a' => 0o777,
                    _ => return None,
                };
            }
            let who = if who == 0 { 0o777 } else { who };
            while !rest.is_empty() {
                let action = match rest.as_bytes().first()? {
                    b'+' => Action::Add,
                    b'-' => Action::Remove,
                    b'=' => Action::Set,
                    _ => return None,
                };
                let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |end| end + 1);
                clauses.push(Clause { who, action, what: what(&rest[1..end])? });
                rest = &rest[end..];
            }
        }
        Some(Mode::Clauses(clauses))
    }

    /// Applies it to the nine permission bits that something has.
    pub fn apply(&self, before: u16, is_directory: bool) -> u16 {
        match self {
            Mode::Bits(bits) => *bits,
            Mode::Clauses(clauses) => clauses.iter().fold(before, |mode, clause| {
                let digit = match clause.what {
                    What::Bits { bits, execute_if_any } => {
                        let executes = execute_if_any && (is_directory || mode & 0o111 != 0);
                        bits | u16::from(executes)
                    }
                    What::Class(shift) => mode >> shift & 7,
                };
                let bits = (digit * 0o111) & clause.who;
                match clause.action {
                    Action::Add => mode | bits,
                    Action::Remove => mode & !bits,
                    Action::Set => mode & !clause.who | bits,
                }
            }),
        }
    }

    /// Tells whether it says anything of execution.
    pub fn is_about_execution(&self) -> bool {
        match self {
            Mode::Bits(_) => true,
            Mode::Clauses(clauses) => clauses.iter().any(|clause| match clause.what {
                _ if clause.action == Action::Set => true,
                What::Bits { bits, execute_if_any } => bits & 1 != 0 || execute_if_any,
                What::Class(_) => true,
            }),
        }
    }
}

fn what(letters: &str) -> Option<What> {
    if let Some(shift) = match letters {
        "u" => Some(6),
        "g" => Some(3),
        "o" => Some(0),
        _ => None,
    } {
        return Some(What::Class(shift));
    }
    let (mut bits, mut execute_if_any) = (0, false);
    for letter in letters.chars() {
        match letter {
            'r' => bits |= 4,
            'w' => bits |= 2,
            'x' => bits |= 1,
            'X' => execute_if_any = true,
            _ => return None,
        }
    }
    Some(What::Bits { bits, execute_if_any })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_change_bits_as_chmod_does() {
        for (text, before, directory, after) in [
            ("644", 0o755, false, 0o644),
            ("0755", 0, false, 0o755),
            ("g+w", 0o644, false, 0o664),
            ("go-rwx", 0o755, true, 0o700),
            ("u=rw,g=r,o=", 0o777, false, 0o640),
            ("+x", 0o444, false, 0o555),
            ("a-w+x", 0o666, false, 0o555),
            ("g=u", 0o754, false, 0o774),
            ("o=g-w", 0o770, false, 0o775),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o744, false, 0o755),
            ("a+X", 0o644, true, 0o755),
            ("o=", 0o777, false, 0o770),
        ] {
            let mode = Mode::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(mode.apply(before, directory), after, "{text} of {before:o}");
        }
        for bad in ["", "888", "1777", "77777777", "x", "u", "u+q", "z+x", "u+r,", "u+gr", "+x,"] {
            assert_eq!(Mode::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn execution_is_meant_only_where_it_is_said() {
        for (text, expected) in [
            ("644", true),
            ("g+w", false),
            ("o-r", false),
            ("a+x", true),
            ("a+X", true),
            ("o=", true),
            ("g+u", true),
        ] {
            assert_eq!(Mode::parse(text).map(|mode| mode.is_about_execution()), Some(expected), "{text}");
        }
    }
}
