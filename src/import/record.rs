//! What an import leaves in the VOB for the next one: which branch type each line has, which
//! commit each label stands for, and up to which event imports were finished.

use super::graph::{ObjectId, RefName};
use super::lines::{ExistingLine, LineSource};
use super::names::{TypeKind, TypeName};
use crate::store::{StoreError, Vob};
use crate::vob::apply::PlacedChangeset;
use crate::vob::{Operation, TypeNo, VobState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

const LINE: &str = "git:line:";
const LABEL: &str = "git:label:";
const FINISHED: &str = "git:finished";
const DEFAULT: &str = "git:default";

#[derive(Serialize, Deserialize)]
enum Source {
    Default,
    Ref(Vec<u8>),
    Merge(Vec<u8>),
    Unreached,
}

/// A line that has a branch type.
#[derive(Clone, Debug)]
pub struct KnownLine {
    /// The branch type.
    pub branch_type: TypeNo,
    /// What the line is for.
    pub source: LineSource,
}

/// A tag that has a label type.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KnownLabel {
    /// The label type.
    pub label: TypeNo,
    /// The commit whose tree carries it; empty while it is being applied.
    pub commit: Vec<u8>,
}

/// What earlier imports left.
#[derive(Default)]
pub struct Past {
    /// Lines by name.
    pub lines: HashMap<String, KnownLine>,
    /// Labels by tag.
    pub labels: HashMap<String, KnownLabel>,
    /// Where commits were placed.
    pub placed: HashMap<ObjectId, PlacedChangeset>,
    /// Events from this number on belong to an import that was not finished.
    pub finished: u32,
    /// The ref that line `main` follows.
    pub default_branch: Option<RefName>,
}

impl Past {
    /// Reads it.
    ///
    /// # Errors
    /// If the VOB cannot be read.
    pub fn read(vob: &Vob) -> Result<Past, StoreError> {
        let damaged = |detail: String| StoreError::Damaged { kind: "import note", detail };
        let mut past = Past::default();
        for (key, value) in vob.notes("git:")? {
            if let Some(name) = key.strip_prefix(LINE) {
                let (branch_type, source): (TypeNo, Source) =
                    postcard::from_bytes(&value).map_err(|error| damaged(error.to_string()))?;
                let source = match source {
                    Source::Default => LineSource::Default,
                    Source::Ref(name) => LineSource::Ref(RefName::new(name)),
                    Source::Merge(id) => {
                        let commit =
                            ObjectId::from_bytes(&id).ok_or_else(|| damaged(format!("{key}: {id:?}")))?;
                        LineSource::Merge { commit }
                    }
                    Source::Unreached => LineSource::Unreached,
                };
                past.lines.insert(name.to_owned(), KnownLine { branch_type, source });
            } else if let Some(name) = key.strip_prefix(LABEL) {
                let label: KnownLabel =
                    postcard::from_bytes(&value).map_err(|error| damaged(error.to_string()))?;
                // A label type that was removed since is made again.
                if vob.state().type_object(label.label).is_some() {
                    past.labels.insert(name.to_owned(), label);
                }
            } else if key == FINISHED {
                past.finished = postcard::from_bytes(&value).map_err(|error| damaged(error.to_string()))?;
            } else if key == DEFAULT {
                past.default_branch = Some(RefName::new(value.to_vec()));
            }
        }
        for (id, placed) in vob.changesets()? {
            let id = ObjectId::from_bytes(&id).ok_or_else(|| damaged(format!("commit id {id:?}")))?;
            past.placed.insert(id, placed);
        }
        Ok(past)
    }

    /// Returns the lines with the commits that `keep` accepts, in the order of their types.
    pub fn existing(&self, keep: impl Fn(&PlacedChangeset) -> bool) -> Vec<ExistingLine> {
        let mut commits: BTreeMap<TypeNo, BTreeMap<u32, ObjectId>> = BTreeMap::new();
        for (id, placed) in self.placed.iter().filter(|(_, placed)| keep(placed)) {
            commits.entry(placed.line).or_default().insert(placed.position, *id);
        }
        let mut lines: Vec<(&String, &KnownLine)> = self.lines.iter().collect();
        lines.sort_by_key(|(_, line)| line.branch_type);
        let existing = lines.into_iter().filter_map(|(name, line)| {
            let commits = commits.remove(&line.branch_type)?.into_values().collect();
            Some(ExistingLine { name: name.clone(), source: line.source.clone(), commits })
        });
        existing.collect()
    }

    /// Returns the names that are taken: of lines and labels, and of all other types.
    pub fn taken(&self, state: &VobState) -> Vec<TypeName> {
        let name_of = |number: TypeNo| state.type_name(number).to_owned();
        let line = |(source, line): (&String, &KnownLine)| TypeName {
            kind: TypeKind::Branch,
            source: source.clone(),
            name: name_of(line.branch_type),
        };
        let label = |(source, label): (&String, &KnownLabel)| TypeName {
            kind: TypeKind::Label,
            source: source.clone(),
            name: name_of(label.label),
        };
        let mut taken: Vec<TypeName> =
            self.lines.iter().map(line).chain(self.labels.iter().map(label)).collect();
        for object in state.present_types() {
            let kind = match object.kind {
                crate::vob::TypeKind::Branch => TypeKind::Branch,
                crate::vob::TypeKind::Label => TypeKind::Label,
                _ => continue,
            };
            if !taken.iter().any(|known| known.name == object.name) && object.name != "main" {
                // A type that users made: a source no ref can have keeps its name out of reach.
                taken.push(TypeName {
                    kind,
                    source: format!("..{}", object.name),
                    name: object.name.clone(),
                });
            }
        }
        taken
    }
}

/// Remembers a line.
pub fn note_line(name: &str, line: &KnownLine) -> Operation {
    let source = match &line.source {
        LineSource::Default => Source::Default,
        LineSource::Ref(name) => Source::Ref(name.as_bytes().to_vec()),
        LineSource::Merge { commit } => Source::Merge(commit.as_bytes().to_vec()),
        LineSource::Unreached => Source::Unreached,
    };
    note(format!("{LINE}{name}"), &(line.branch_type, source))
}

/// Remembers a label.
pub fn note_label(tag: &str, label: &KnownLabel) -> Operation {
    note(format!("{LABEL}{tag}"), label)
}

/// Remembers that every event before `events` belongs to a finished import.
pub fn note_finished(events: u32) -> Operation {
    note(FINISHED.to_owned(), &events)
}

/// Remembers which ref line `main` follows.
pub fn note_default(name: &RefName) -> Operation {
    Operation::SetNote { key: DEFAULT.to_owned(), value: name.as_bytes().into() }
}

fn note(key: String, value: &impl Serialize) -> Operation {
    let value = postcard::to_stdvec(value).expect("writing to memory cannot fail");
    Operation::SetNote { key, value: value.into() }
}
