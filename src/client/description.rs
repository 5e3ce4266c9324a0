//! The layouts of `describe`, one for each kind of object.
//!
//! Pure. The order of sections is what scripts that read them rely on.

use super::dates::Dates;
use super::failure::kind_name;
use super::format::{REPLICA, constraint, dotted};
use super::layout;
use super::pname::without_version;
use super::trigger_text;
use crate::server::proto::description::Object;
use crate::server::proto::{
    Attribute, AttributeTypeFacts, BranchFacts, Created, Description, ElementFacts, Hyperlink,
    HyperlinkFacts, LockState, MergeType, PrivateFacts, PrivateKind, Protection, SymbolicLinkFacts,
    TypeFacts, ValueLimit, ValueType, VersionFacts, VobFacts,
};

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Everything, with short names of hyperlinks.
    Default,
    /// Everything.
    Long,
    /// The name alone.
    Short,
}

/// The lines for one object; `typed` is what the user called it.
pub fn layout(facts: &Description, typed: &[u8], detail: Detail, dates: &Dates) -> Vec<Vec<u8>> {
    let Some(object) = &facts.object else {
        return Vec::new();
    };
    let mut page = Page { lines: Vec::new(), detail, dates };
    // What an identity named has a path of its own.
    let base = if facts.path.is_empty() { without_version(typed) } else { &facts.path };
    match object {
        Object::Version(facts) => page.version(facts, base),
        Object::Element(facts) => page.element(facts, base),
        Object::Branch(facts) => page.branch(facts, base),
        Object::SymbolicLink(facts) => page.symbolic_link(facts, base),
        Object::Private(facts) => page.private(facts, typed),
        Object::Vob(facts) => page.vob(facts),
        Object::Type(facts) => page.type_object(facts),
        Object::Hyperlink(facts) => page.hyperlink(facts),
    }
    page.lines
}

/// Which of the things that are attached to an object are printed, instead of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Only {
    /// Labels.
    pub labels: Option<Of>,
    /// Attributes.
    pub attributes: Option<Of>,
    /// Hyperlinks.
    pub hyperlinks: Option<Of>,
}

/// Of which types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Of all.
    All,
    /// Of the one with this name.
    Type(Vec<u8>),
}

impl Of {
    fn has(of: &Option<Of>, name: &[u8]) -> bool {
        match of {
            None => false,
            Some(Of::All) => true,
            Some(Of::Type(wanted)) => wanted == name,
        }
    }
}

/// The lines for what is attached to one object; with `-short` bare labels, values and ends of hyperlinks.
pub fn layout_only(
    facts: &Description,
    typed: &[u8],
    detail: Detail,
    dates: &Dates,
    only: &Only,
) -> Vec<Vec<u8>> {
    let title = layout(facts, typed, Detail::Default, dates).into_iter().next();
    let Some(object) = &facts.object else {
        return Vec::new();
    };
    let none: (&[Vec<u8>], &[Attribute], &[Hyperlink]) = (&[], &[], &[]);
    let (labels, attributes, links) = match object {
        Object::Version(facts) => (&facts.labels[..], &facts.attributes[..], &facts.hyperlinks[..]),
        Object::Element(facts) => (none.0, &facts.attributes[..], &facts.hyperlinks[..]),
        Object::Branch(facts) => (none.0, &facts.attributes[..], &facts.hyperlinks[..]),
        Object::Vob(facts) => (none.0, &facts.attributes[..], &facts.hyperlinks[..]),
        Object::Type(facts) => (none.0, &facts.attributes[..], &facts.hyperlinks[..]),
        Object::SymbolicLink(facts) => (none.0, none.1, &facts.hyperlinks[..]),
        Object::Private(_) | Object::Hyperlink(_) => none,
    };
    let labels: Vec<_> = labels.iter().filter(|name| Of::has(&only.labels, name)).cloned().collect();
    let attributes: Vec<_> =
        attributes.iter().filter(|held| Of::has(&only.attributes, &held.r#type)).cloned().collect();
    let links: Vec<_> =
        links.iter().filter(|link| Of::has(&only.hyperlinks, &link.r#type)).cloned().collect();
    let mut page = Page { lines: Vec::new(), detail, dates };
    if detail == Detail::Short {
        page.lines.extend(labels);
        page.lines.extend(attributes.iter().map(|held| attribute_value(held, dates)));
        page.lines.extend(links.iter().map(|link| layout::hyperlink_end(link).trim_ascii_start().to_vec()));
        return page.lines;
    }
    page.lines.extend(title);
    page.labels(&labels);
    page.attributes(&attributes);
    page.hyperlinks(&links);
    page.lines
}

/// An attribute's value as it is printed.
fn attribute_value(attribute: &Attribute, dates: &Dates) -> Vec<u8> {
    match attribute.time_s {
        Some(time_s) => dates.full(time_s).into_bytes(),
        None => attribute.value.clone(),
    }
}

struct Page<'a> {
    lines: Vec<Vec<u8>>,
    detail: Detail,
    dates: &'a Dates,
}

impl Page<'_> {
    fn line(&mut self, pieces: &[&[u8]]) {
        self.lines.push(pieces.concat());
    }

    /// Prints the first line; with `-short` the bare name instead. Tells whether more is to follow.
    fn title(&mut self, kind: &str, name: &[u8], after: &[u8]) -> bool {
        if self.detail == Detail::Short {
            self.line(&[name]);
            return false;
        }
        self.line(&[kind.as_bytes(), b" \"", name, b"\"", after]);
        true
    }

    fn created(&mut self, verb: &str, created: &Option<Created>) {
        let created = created.clone().unwrap_or_default();
        let who = layout::person(&created.person.clone().unwrap_or_default());
        let when = self.dates.full(created.time_s);
        self.line(&[format!("  {verb} {when} by {who}").as_bytes()]);
        self.lines.extend(layout::comment(&created.comment));
    }

    fn protection(&mut self, title: &str, protection: &Option<Protection>) {
        self.line(&[b"  ", title.as_bytes(), b":"]);
        for line in layout::protection(&protection.clone().unwrap_or_default()) {
            self.line(&[b"    ", line.as_bytes()]);
        }
    }

    fn labels(&mut self, labels: &[Vec<u8>]) {
        if !labels.is_empty() {
            self.line(&[b"  Labels:"]);
        }
        for label in labels {
            self.line(&[b"    ", label]);
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        if !attributes.is_empty() {
            self.line(&[b"  Attributes:"]);
        }
        for attribute in attributes {
            let value = attribute_value(attribute, self.dates);
            self.line(&[b"    ", &attribute.r#type, b" = ", &value]);
        }
    }

    fn hyperlinks(&mut self, links: &[Hyperlink]) {
        if !links.is_empty() {
            self.line(&[b"  Hyperlinks:"]);
        }
        for link in links {
            let name =
                if self.detail == Detail::Long { layout::hyperlink_id(link) } else { link.r#type.clone() };
            let text = layout::link_text(layout::near_text(link));
            self.line(&[b"    ", &name, &text, &layout::hyperlink_end(link)]);
        }
    }

    fn version(&mut self, facts: &VersionFacts, base: &[u8]) {
        let kind = if facts.directory { "directory version" } else { "version" };
        let name = [base, b"@@", &facts.version].concat();
        let after = match &facts.checkout {
            Some(checkout) => {
                let state: &[u8] = if checkout.reserved { b" (reserved)" } else { b" (unreserved)" };
                [b" from ", &facts.predecessor[..], state].concat()
            }
            None => Vec::new(),
        };
        if !self.title(kind, &name, &after) {
            return;
        }
        match &facts.checkout {
            Some(checkout) => {
                // The view stands between the date and the comment.
                let comment =
                    facts.created.as_ref().map(|created| created.comment.clone()).unwrap_or_default();
                let without = facts.created.clone().map(|created| Created { comment: Vec::new(), ..created });
                self.created("checked out", &without);
                let view = format!("  by view: {} (\"{}:", checkout.view_tag, checkout.view_host);
                self.line(&[view.as_bytes(), &checkout.view_storage, b"\")"]);
                self.lines.extend(layout::comment(&comment));
            }
            None => self.created("created", &facts.created),
        }
        self.protection("Element Protection", &facts.protection);
        self.line(&[b"  element type: ", &facts.element_type]);
        if facts.checkout.is_none() && !facts.predecessor.is_empty() {
            self.line(&[b"  predecessor version: ", &facts.predecessor]);
        }
        if facts.data_removed {
            self.line(&[b"  the data of this version was removed"]);
        }
        self.labels(&facts.labels);
        self.attributes(&facts.attributes);
        self.hyperlinks(&facts.hyperlinks);
    }

    fn element(&mut self, facts: &ElementFacts, base: &[u8]) {
        let kind = if facts.directory { "directory element" } else { "file element" };
        if !self.title(kind, &[base, b"@@"].concat(), lock_mark(facts.lock())) {
            return;
        }
        self.created("created", &facts.created);
        self.protection("Element Protection", &facts.protection);
        let pools: &[u8] = match facts.directory {
            true => b"  source pool: sdft  cleartext pool: cdft  derived pool: ddft",
            false => b"  source pool: sdft  cleartext pool: cdft",
        };
        self.line(&[pools]);
        self.line(&[b"  element type: ", &facts.element_type]);
        self.attributes(&facts.attributes);
        self.hyperlinks(&facts.hyperlinks);
        self.lines.extend(trigger_text::of_element(facts));
    }

    fn branch(&mut self, facts: &BranchFacts, base: &[u8]) {
        if !self.title("branch", &[base, b"@@", &facts.branch].concat(), lock_mark(facts.lock())) {
            return;
        }
        self.created("created", &facts.created);
        self.line(&[b"  branch type: ", &facts.branch_type]);
        self.protection("Element Protection", &facts.protection);
        self.line(&[b"  element type: ", &facts.element_type]);
        if !facts.branched_from.is_empty() {
            self.line(&[b"  branched from version: ", &facts.branched_from]);
        }
        self.attributes(&facts.attributes);
        self.hyperlinks(&facts.hyperlinks);
    }

    fn symbolic_link(&mut self, facts: &SymbolicLinkFacts, base: &[u8]) {
        let after = [b" -> ", &facts.target[..]].concat();
        if !self.title("symbolic link", base, &after) {
            return;
        }
        self.created("created", &facts.created);
        self.protection("Protection", &facts.protection);
        self.hyperlinks(&facts.hyperlinks);
    }

    fn private(&mut self, facts: &PrivateFacts, typed: &[u8]) {
        let kind = match facts.kind() {
            PrivateKind::Directory => "View private directory",
            PrivateKind::SymbolicLink => "View private symbolic link",
            PrivateKind::File | PrivateKind::Other => "View private file",
        };
        let after = match facts.kind() {
            PrivateKind::SymbolicLink => [b" -> ", &facts.link_target[..]].concat(),
            _ => Vec::new(),
        };
        if !self.title(kind, typed, &after) {
            return;
        }
        let modified = self.dates.modified(facts.modified_s);
        self.line(&[b"  Modified: ", modified.as_bytes()]);
        self.protection("Protection", &facts.protection);
    }

    fn vob(&mut self, facts: &VobFacts) {
        if !self.title("versioned object base", &facts.tag, lock_mark(facts.lock())) {
            return;
        }
        let created = Created {
            time_s: facts.created_s,
            person: facts.creator.clone(),
            comment: facts.comment.clone(),
        };
        self.created("created", &Some(created));
        self.line(&[b"  master replica: ", REPLICA.as_bytes(), b"@", &facts.tag]);
        self.line(&[b"  replica name: ", REPLICA.as_bytes()]);
        let host = facts.host.as_bytes();
        self.line(&[b"  VOB storage host:pathname \"", host, b":", &facts.storage, b"\""]);
        self.line(&[b"  VOB storage global pathname \"", &facts.storage, b"\""]);
        self.line(&[format!("  database schema version: {}", facts.format_version).as_bytes()]);
        if let Some(detection) = facts.evil_twin_detection {
            let word: &[u8] = if detection { b"enabled" } else { b"disabled" };
            self.line(&[b"  evil twin detection: ", word]);
        }
        self.line(&[b"  VOB ownership:"]);
        self.line(&[b"    owner ", facts.owner.as_bytes()]);
        self.line(&[b"    group ", facts.group.as_bytes()]);
        if !facts.additional_groups.is_empty() {
            self.line(&[b"  Additional groups:"]);
        }
        for group in &facts.additional_groups {
            self.line(&[b"    group ", group.as_bytes()]);
        }
        if self.detail == Detail::Long && !facts.views.is_empty() {
            self.line(&[b"  VOB holds objects from the following views:"]);
            for view in &facts.views {
                let uuid = format!(" [uuid {}]", dotted(&view.view_uuid));
                let host = view.view_host.as_bytes();
                self.line(&[b"    ", host, b":", &view.view_storage, uuid.as_bytes()]);
            }
        }
        self.attributes(&facts.attributes);
        self.hyperlinks(&facts.hyperlinks);
    }

    fn type_object(&mut self, facts: &TypeFacts) {
        use crate::server::proto::ObjectKind;
        if !self.title(kind_name(facts.kind()), &facts.name, lock_mark(facts.lock())) {
            return;
        }
        self.created("created", &facts.created);
        self.line(&[b"  owner: ", facts.owner.as_bytes()]);
        self.line(&[b"  group: ", facts.group.as_bytes()]);
        if let Some(trigger) = &facts.trigger {
            self.lines.extend(trigger_text::definition(trigger));
            self.attributes(&facts.attributes);
            self.hyperlinks(&facts.hyperlinks);
            return;
        }
        let scope: &[u8] = if facts.global { b"global" } else { b"this VOB (ordinary type)" };
        self.line(&[b"  scope: ", scope]);
        if !constraint(facts).is_empty() {
            self.line(&[b"  constraint: ", constraint(facts).as_bytes()]);
        }
        match facts.kind() {
            ObjectKind::ElementType => {
                if !facts.manager.is_empty() {
                    self.line(&[b"  type manager: ", facts.manager.as_bytes()]);
                }
                if !facts.supertype.is_empty() {
                    self.line(&[b"  supertype: ", &facts.supertype]);
                }
                let merge: &[u8] = match facts.merge() {
                    MergeType::Inherited => b"",
                    MergeType::Auto => b"auto",
                    MergeType::User => b"user",
                    MergeType::Never => b"never",
                };
                if !merge.is_empty() {
                    self.line(&[b"  merge type: ", merge]);
                }
            }
            ObjectKind::AttributeType => {
                self.attribute_type(&facts.attribute.clone().unwrap_or_default());
            }
            _ => {}
        }
        if !facts.suggested.is_empty() {
            self.line(&[b"  suggested attributes: ", &facts.suggested.join(&b", "[..])]);
        }
        self.attributes(&facts.attributes);
        self.hyperlinks(&facts.hyperlinks);
    }

    fn attribute_type(&mut self, facts: &AttributeTypeFacts) {
        self.line(&[b"  value type: ", value_type_name(facts.value_type()).as_bytes()]);
        // Times are kept in one zone and shown in the reader's.
        let shown = |value: &String| match (facts.value_type(), value.parse::<jiff::Timestamp>()) {
            (ValueType::Time, Ok(moment)) => self.dates.full(moment.as_second()),
            _ => value.clone(),
        };
        let default = facts.default.as_ref().map(shown);
        let enumeration: Vec<String> = facts.enumeration.iter().map(shown).collect();
        let limit = |limit: &Option<ValueLimit>| {
            limit.as_ref().map(|limit| ValueLimit { value: shown(&limit.value), ..limit.clone() })
        };
        let limits = [(limit(&facts.lower), ">=", ">"), (limit(&facts.upper), "<=", "<")];
        for (limit, closed, open) in limits {
            if let Some(ValueLimit { value, inclusive }) = limit {
                let sign = if inclusive { closed } else { open };
                self.line(&[format!("  value limit: {sign} {value}").as_bytes()]);
            }
        }
        if !enumeration.is_empty() {
            self.line(&[b"  enumerated values: ", enumeration.join(",").as_bytes()]);
        }
        if let Some(default) = default {
            self.line(&[b"  default value: ", default.as_bytes()]);
        }
    }

    fn hyperlink(&mut self, facts: &HyperlinkFacts) {
        let link = facts.link.clone().unwrap_or_default();
        let id = layout::hyperlink_id(&link);
        let short = [&link.r#type[..], b"@", link.number.to_string().as_bytes()].concat();
        if !self.title("hyperlink", &short, b"") {
            return;
        }
        self.created("created", &facts.created);
        self.line(&[b"  owner: ", facts.owner.as_bytes()]);
        self.line(&[b"  group: ", facts.group.as_bytes()]);
        let text = layout::link_text(layout::near_text(&link));
        self.line(&[b"  ", &id, b"  ", &link.from, &text, &layout::hyperlink_end(&link)]);
    }
}

/// The word of a kind of attribute values.
pub const fn value_type_name(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "string",
        ValueType::Integer => "integer",
        ValueType::Real => "real",
        ValueType::Time => "time",
        ValueType::Opaque => "opaque",
    }
}

/// What follows the name of a locked object.
pub fn lock_mark(lock: LockState) -> &'static [u8] {
    match lock {
        LockState::Unlocked => b"",
        LockState::Locked => b" (locked)",
        LockState::Obsolete => b" (obsolete)",
    }
}

#[cfg(test)]
#[path = "description_tests.rs"]
mod tests;
