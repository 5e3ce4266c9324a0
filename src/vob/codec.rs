//! The stored form of an element: as compact as a version tree can be, because it is read
//! whole whenever a version is selected.
//!
//! ```text
//! format 4
//! u8 format | head (postcard Head) | count | versions, each:
//!   flags u8: 0-1 content (0 empty, 1 file, 2 directory, 3 removed data), 2 executable,
//!             3 sub-second time, 4 effective time differs, 5 has a predecessor, 6 removed
//!   branch varint | number varint | event zigzag delta to the version before
//!   [predecessor: distance back varint] | seconds zigzag delta | [nanoseconds varint]
//!   [effective time: zigzag nanoseconds before `created`] | [hash 32 bytes, size varint]
//! label runs: count, each (type delta varint, run length - 1 varint, version varint)
//! label events: count, each (type delta varint, version varint, event zigzag delta)
//! u8: 0 nothing follows, 1 annotations, 2 the element was removed, 3 annotations and triggers
//! [annotations, postcard] | [triggers, postcard]
//! ```
//! Varints are LEB128; a label run is a stretch of consecutive label types on one version,
//! because an old version often carries the labels of many releases in a row.
//! Label events are there for labels that a later event attached than the one that made their type.

use super::annotation::Annotations;
use super::element::{Branch, Checkout, Content, Element, ElementKind, Hyperlink, Version};
use super::identity::{BranchNo, ElementNo, EventNo, Oid, TypeNo, VersionNo};
use serde::{Deserialize, Serialize};

const FORMAT: u8 = 4;

#[derive(Serialize, Deserialize)]
struct Head {
    number: ElementNo,
    oid: Oid,
    kind: ElementKind,
    element_type: TypeNo,
    owner: u32,
    group: u32,
    mode: u16,
    event: EventNo,
    branches: Vec<(TypeNo, Option<VersionNo>, EventNo, u32)>,
    checkouts: Vec<Checkout>,
    hyperlinks: Vec<Hyperlink>,
    names: Vec<(ElementNo, Box<[u8]>)>,
}

/// A stored element that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("stored element record is damaged: {0}")]
pub struct BadRecord(&'static str);

/// Encodes an element.
pub fn encode(element: &Element) -> Vec<u8> {
    let head = Head {
        number: element.number,
        oid: element.oid,
        kind: element.kind,
        element_type: element.element_type,
        owner: element.owner,
        group: element.group,
        mode: element.mode,
        event: element.event,
        branches: element.branches.iter().map(|b| (b.branch_type, b.from, b.event, b.next_number)).collect(),
        checkouts: element.checkouts.clone(),
        hyperlinks: element.hyperlinks.clone(),
        names: element.names.clone(),
    };
    let out = postcard::to_extend(&head, vec![FORMAT]).expect("writing to memory cannot fail");
    let mut out = Writer(out);
    out.number(element.versions.len() as u64);
    let mut before = Before::default();
    for (at, version) in element.versions.iter().enumerate() {
        let removed = !element.has_version(VersionNo(at as u32));
        write_version(&mut out, at, version, removed, &mut before);
    }
    write_labels(&mut out, &element.labels);
    write_label_events(&mut out, &element.label_events);
    let mut out = out.0;
    match (element.removed, &element.annotations) {
        (true, _) => out.push(REMOVED_ELEMENT),
        (false, None) => out.push(NOTHING),
        (false, Some(annotations)) => {
            let triggers = &annotations.triggers;
            out.push(if triggers.is_empty() { ANNOTATIONS } else { WITH_TRIGGERS });
            out = postcard::to_extend(&**annotations, out).expect("writing to memory cannot fail");
            if !triggers.is_empty() {
                out = postcard::to_extend(triggers, out).expect("writing to memory cannot fail");
            }
        }
    }
    out
}

#[derive(Default)]
struct Before {
    event: i64,
    seconds: i64,
}

const EXECUTABLE: u8 = 1 << 2;
const SUB_SECOND: u8 = 1 << 3;
const EFFECTIVE: u8 = 1 << 4;
const PREDECESSOR: u8 = 1 << 5;
const REMOVED: u8 = 1 << 6;

const NOTHING: u8 = 0;
const ANNOTATIONS: u8 = 1;
const REMOVED_ELEMENT: u8 = 2;
const WITH_TRIGGERS: u8 = 3;

fn write_version(out: &mut Writer, at: usize, version: &Version, removed: bool, before: &mut Before) {
    let (seconds, nanoseconds) =
        (version.created_ns.div_euclid(1_000_000_000), version.created_ns.rem_euclid(1_000_000_000));
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let content = match version.content {
        Content::Empty => 0,
        Content::File { .. } => 1,
        Content::Directory => 2,
        Content::Removed => 3,
    };
    out.0.push(
        content
            | flag(version.executable, EXECUTABLE)
            | flag(nanoseconds != 0, SUB_SECOND)
            | flag(version.effective_ns != version.created_ns, EFFECTIVE)
            | flag(version.predecessor.is_some(), PREDECESSOR)
            | flag(removed, REMOVED),
    );
    out.number(version.branch.0.into());
    out.number(version.number.into());
    out.signed(i64::from(version.event.0) - before.event);
    if let Some(predecessor) = version.predecessor {
        out.number((at - predecessor.index()) as u64);
    }
    out.signed(seconds - before.seconds);
    if nanoseconds != 0 {
        out.number(nanoseconds as u64);
    }
    if version.effective_ns != version.created_ns {
        out.signed(version.created_ns.wrapping_sub(version.effective_ns));
    }
    if let Content::File { hash, size } = &version.content {
        out.0.extend_from_slice(hash);
        out.number(*size);
    }
    *before = Before { event: version.event.0.into(), seconds };
}

fn write_labels(out: &mut Writer, labels: &[(TypeNo, VersionNo)]) {
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    for (label, version) in labels {
        match runs.last_mut() {
            Some((start, more, v)) if *v == version.0 && *start + *more + 1 == label.0 => *more += 1,
            _ => runs.push((label.0, 0, version.0)),
        }
    }
    out.number(runs.len() as u64);
    let mut before = 0;
    for (start, more, version) in runs {
        out.number((start - before).into());
        out.number(more.into());
        out.number(version.into());
        before = start;
    }
}

fn write_label_events(out: &mut Writer, events: &[(TypeNo, VersionNo, EventNo)]) {
    out.number(events.len() as u64);
    let (mut label_before, mut event_before) = (0, 0);
    for (label, version, event) in events {
        out.number((label.0 - label_before).into());
        out.number(version.0.into());
        out.signed(i64::from(event.0) - event_before);
        (label_before, event_before) = (label.0, event.0.into());
    }
}

/// Decodes an element.
///
/// # Errors
/// If the bytes are no element record: the index is damaged and must be rebuilt.
pub fn decode(bytes: &[u8]) -> Result<Element, BadRecord> {
    let (format, rest) = bytes.split_first().ok_or(BadRecord("empty"))?;
    if *format != FORMAT {
        return Err(BadRecord("unknown format"));
    }
    let (head, rest): (Head, &[u8]) = postcard::take_from_bytes(rest).map_err(|_| BadRecord("head"))?;
    let branch = |(branch_type, from, event, next_number): (TypeNo, Option<VersionNo>, EventNo, u32)| {
        Branch { branch_type, from, event, versions: Vec::new(), next_number }
    };
    let mut branches: Vec<Branch> = head.branches.into_iter().map(branch).collect();
    let mut input = Reader(rest);
    let count = input.number()? as usize;
    if count > bytes.len() {
        return Err(BadRecord("version count"));
    }
    let mut versions = Vec::with_capacity(count);
    let mut before = Before::default();
    for at in 0..count {
        let (version, removed) = read_version(&mut input, at, &mut before)?;
        let branch = branches.get_mut(version.branch.index()).ok_or(BadRecord("branch of a version"))?;
        if !removed {
            branch.versions.push(VersionNo(at as u32));
        }
        versions.push(version);
    }
    if branches.iter().any(|b| b.from.is_some_and(|v| v.index() >= count)) {
        return Err(BadRecord("branch from no version"));
    }
    if branches.first().is_none_or(|root| root.versions.is_empty()) {
        return Err(BadRecord("root branch without versions"));
    }
    let labels = read_labels(&mut input, count)?;
    let label_events = read_label_events(&mut input, count)?;
    let (removed, annotations) = match input.bytes(1)?[0] {
        NOTHING => (false, None),
        ANNOTATIONS => {
            let found: Annotations = postcard::from_bytes(input.0).map_err(|_| BadRecord("annotations"))?;
            (false, Some(Box::new(found)))
        }
        WITH_TRIGGERS => {
            let bad = |_| BadRecord("annotations");
            let (found, rest): (Annotations, _) = postcard::take_from_bytes(input.0).map_err(bad)?;
            let triggers = postcard::from_bytes(rest).map_err(bad)?;
            (false, Some(Box::new(Annotations { triggers, ..found })))
        }
        REMOVED_ELEMENT => (true, None),
        _ => return Err(BadRecord("annotations")),
    };
    Ok(Element {
        number: head.number,
        oid: head.oid,
        kind: head.kind,
        element_type: head.element_type,
        owner: head.owner,
        group: head.group,
        mode: head.mode,
        event: head.event,
        branches,
        versions,
        labels,
        label_events,
        checkouts: head.checkouts,
        hyperlinks: head.hyperlinks,
        names: head.names,
        removed,
        annotations,
    })
}

/// Reads a version, and whether it was removed.
fn read_version(
    input: &mut Reader<'_>,
    at: usize,
    before: &mut Before,
) -> Result<(Version, bool), BadRecord> {
    let flags = input.bytes(1)?[0];
    let branch = BranchNo(input.number()? as u32);
    let number = input.number()? as u32;
    let event = before.event + input.signed()?;
    let predecessor = match flags & PREDECESSOR {
        0 => None,
        _ => {
            let back = input.number()?;
            Some(VersionNo((at as u64).checked_sub(back).ok_or(BadRecord("predecessor"))? as u32))
        }
    };
    let seconds = before.seconds + input.signed()?;
    let nanoseconds = if flags & SUB_SECOND == 0 { 0 } else { input.number()? as i64 };
    let created_ns = seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds);
    let earlier = if flags & EFFECTIVE == 0 { 0 } else { input.signed()? };
    let content = match flags & 3 {
        0 => Content::Empty,
        1 => {
            let mut hash = [0; 32];
            hash.copy_from_slice(input.bytes(32)?);
            Content::File { hash, size: input.number()? }
        }
        2 => Content::Directory,
        _ => Content::Removed,
    };
    *before = Before { event, seconds };
    let version = Version {
        branch,
        number,
        event: EventNo(event as u32),
        predecessor,
        content,
        executable: flags & EXECUTABLE != 0,
        created_ns,
        effective_ns: created_ns.wrapping_sub(earlier),
    };
    Ok((version, flags & REMOVED != 0))
}

fn read_labels(input: &mut Reader<'_>, versions: usize) -> Result<Vec<(TypeNo, VersionNo)>, BadRecord> {
    let mut labels = Vec::new();
    let mut start = 0u32;
    for _ in 0..input.number()? {
        start = start.wrapping_add(input.number()? as u32);
        let more = input.number()? as u32;
        let version = VersionNo(input.number()? as u32);
        if version.index() >= versions || more > 1 << 24 {
            return Err(BadRecord("label"));
        }
        labels.extend((0..=more).map(|step| (TypeNo(start.wrapping_add(step)), version)));
    }
    Ok(labels)
}

fn read_label_events(
    input: &mut Reader<'_>,
    versions: usize,
) -> Result<Vec<(TypeNo, VersionNo, EventNo)>, BadRecord> {
    let mut events = Vec::new();
    let (mut label, mut event) = (0u32, 0i64);
    for _ in 0..input.number()? {
        label = label.wrapping_add(input.number()? as u32);
        let version = VersionNo(input.number()? as u32);
        if version.index() >= versions {
            return Err(BadRecord("label event"));
        }
        event = event.wrapping_add(input.signed()?);
        events.push((TypeNo(label), version, EventNo(event as u32)));
    }
    Ok(events)
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], BadRecord> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BadRecord("too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, BadRecord> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BadRecord("number"))
    }

    fn signed(&mut self) -> Result<i64, BadRecord> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn element(versions: Vec<(u8, i64, i64, bool, u64)>, labels: Vec<(u8, u8)>) -> Element {
        let mut element = Element {
            number: ElementNo(7),
            oid: Oid([3; 16]),
            kind: ElementKind::File,
            element_type: TypeNo(2),
            owner: 1000,
            group: 100,
            mode: 0o444,
            event: EventNo(9),
            branches: vec![Branch {
                branch_type: TypeNo(0),
                from: None,
                event: EventNo(9),
                versions: vec![],
                next_number: 1,
            }],
            versions: vec![],
            labels: vec![],
            label_events: vec![],
            checkouts: vec![],
            hyperlinks: vec![],
            names: vec![(ElementNo(0), b"a\xff".as_slice().into())],
            removed: false,
            annotations: None,
        };
        for (at, (kind, created_ns, earlier, executable, size)) in versions.into_iter().enumerate() {
            let content = match kind % 4 {
                0 => Content::Empty,
                1 => Content::File { hash: [kind; 32], size },
                2 => Content::Directory,
                _ => Content::Removed,
            };
            // Some were removed.
            if at == 0 || kind % 5 > 0 {
                element.branches[0].versions.push(VersionNo(at as u32));
            }
            element.versions.push(Version {
                branch: BranchNo(0),
                number: at as u32,
                event: EventNo(u32::from(kind) * 31),
                predecessor: (at > 0).then(|| VersionNo(at as u32 - 1)),
                content,
                executable,
                created_ns,
                effective_ns: created_ns.wrapping_sub(earlier),
            });
        }
        let count = element.versions.len() as u8;
        element.labels =
            labels.iter().map(|(l, v)| (TypeNo((*l).into()), VersionNo((*v % count).into()))).collect();
        element.labels.sort();
        element.labels.dedup_by_key(|(label, _)| *label);
        let odd = element.labels.iter().filter(|(label, _)| label.0 % 2 == 1);
        element.label_events = odd.map(|(l, v)| (*l, *v, EventNo(1000 - 3 * l.0))).collect();
        element
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read(
            versions in prop::collection::vec((any::<u8>(), -4_000_000_000_000_000_000i64..4_000_000_000_000_000_000, 0i64..1_000_000_000_000, any::<bool>(), any::<u64>()), 1..40),
            labels in prop::collection::vec((any::<u8>(), any::<u8>()), 0..60),
        ) {
            let element = element(versions, labels);
            prop_assert_eq!(decode(&encode(&element)).unwrap(), element);
        }

        #[test]
        fn damage_is_an_error_or_another_element_but_never_a_panic(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = encode(&element(vec![(1, 5, 0, true, 9), (1, 6, 1, false, 9)], vec![(4, 0), (5, 0)]));
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let _ = decode(&bytes);
        }
    }
}
