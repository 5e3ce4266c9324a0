//! Names that hold an object's identity. They are others in each run: operations write `<7>` for the identity of what
//! operation 7 made.

use std::collections::BTreeMap;

/// The identities that are known.
#[derive(Default, Clone, Debug)]
pub struct Names {
    identities: BTreeMap<u32, String>,
    serials: BTreeMap<String, u32>,
}

impl Names {
    /// Learns what an operation made.
    pub fn learn(&mut self, serial: u32, identity: &str) {
        self.identities.insert(serial, identity.to_owned());
        self.serials.insert(identity.to_owned(), serial);
    }

    /// The identity of what an operation made.
    pub fn identity(&self, serial: u32) -> &str {
        self.identities.get(&serial).map_or("unknown", String::as_str)
    }

    /// Turns a path of an operation into what it means in this run.
    pub fn real(&self, path: &str) -> String {
        let mut real = String::new();
        let mut rest = path;
        while let Some((before, after)) = rest.split_once('<') {
            let (serial, after) = after.split_once('>').expect("an identity ends");
            real.push_str(before);
            // What nothing is known of was not made: no name has it.
            real.push_str(serial.parse().map_or("unknown", |serial| self.identity(serial)));
            rest = after;
        }
        real + rest
    }

    /// Turns a path into the form of operations.
    pub fn lasting(&self, path: &str) -> String {
        if path.len() < 32 {
            return path.to_owned();
        }
        let part = |part: &str| match self.serials.get(part) {
            Some(serial) => format!("<{serial}>"),
            None => part.to_owned(),
        };
        let name = |name: &str| name.split('.').map(part).collect::<Vec<_>>().join(".");
        path.split('/').map(name).collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_go_both_ways() {
        let identity = "0123456789abcdef0123456789abcdef";
        let mut names = Names::default();
        names.learn(7, identity);
        let real = format!("lost+found/a.{identity}.{identity}/b");
        assert_eq!(names.real("lost+found/a.<7>.<7>/b"), real);
        assert_eq!(names.lasting(&real), "lost+found/a.<7>.<7>/b");
        assert_eq!(names.real("a.<9>"), "a.unknown");
    }
}
