//! Which of the registered views or VOBs a listing wants, by what is not their tag.

use super::commands::exclusive;
use super::hostinfo::LOCAL_REGION;
use super::options::Arguments;
use super::session::{CommandError, Session};

/// What a view or VOB must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    host: Option<String>,
    /// 32 hexadecimal digits.
    uuid: Option<String>,
    /// Absolute.
    storage: Option<Vec<u8>>,
}

impl Wanted {
    /// What `-host`, `-region`, `-uuid` and `-storage` say. The last two stand in the place of tags.
    ///
    /// # Errors
    /// A region that is none, or tags beside what names one object.
    pub fn given(session: &Session, arguments: &Arguments, no_tags: bool) -> Result<Wanted, CommandError> {
        exclusive(arguments, &["uuid", "storage"])?;
        let named = ["uuid", "storage"].iter().find(|word| arguments.has(word) && !no_tags);
        if let Some(word) = named {
            return Err(CommandError::Usage(format!("Option -{word} and tags are mutually exclusive")));
        }
        if arguments.has("region") && !["*", LOCAL_REGION].contains(&arguments.text("region").as_str()) {
            let region = arguments.text("region");
            return Err(CommandError::refused(format!("Unknown region: \"{region}\".")));
        }
        let storage = arguments.value("storage").map(|path| session.pname(path)).transpose()?;
        Ok(Wanted {
            host: arguments.value("host").map(|_| arguments.text("host")),
            uuid: arguments.value("uuid").map(|_| digits(&arguments.text("uuid"))),
            storage: storage.map(|pname| pname.absolute),
        })
    }

    /// Tells whether a view or VOB is wanted.
    pub fn fits(&self, host: &str, uuid: &str, storage: &[u8]) -> bool {
        self.host.as_ref().is_none_or(|wanted| wanted == host)
            && self.uuid.as_ref().is_none_or(|wanted| wanted == uuid)
            && self.storage.as_ref().is_none_or(|wanted| wanted == storage)
    }
}

/// An identifier without points and colons.
fn digits(uuid: &str) -> String {
    uuid.chars().filter(|letter| !matches!(letter, '.' | ':')).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_must_hold() {
        let uuid = digits("9AC6856F.c9af11eb.9851.52:54:00:7f:63:a5");
        assert_eq!(uuid, "9ac6856fc9af11eb98515254007f63a5");
        let wanted = Wanted { host: Some("h".into()), uuid: Some(uuid.clone()), storage: None };
        assert!(wanted.fits("h", &uuid, b"/s"));
        assert!(!wanted.fits("g", &uuid, b"/s") && !wanted.fits("h", "00", b"/s"));
        let stored = Wanted { storage: Some(b"/s".to_vec()), ..Wanted::default() };
        assert!(stored.fits("h", &uuid, b"/s") && !stored.fits("h", &uuid, b"/t"));
    }
}
