//! Type objects, and the labels that are attached by them.

use super::{Refused, Work, due};
use crate::vob::annotation::{Annotations, Part, VobObject};
use crate::vob::deed::Deed;
use crate::vob::definition::{TypeDefinition, TypeProperties};
use crate::vob::identity::{ElementNo, TypeNo, VersionNo};
use crate::vob::state::{TypeKind, TypeObject, VobState, predefined, valid_type_name};

impl Work<'_> {
    pub(super) fn create_type(
        &mut self,
        number: TypeNo,
        kind: TypeKind,
        name: &str,
        definition: Option<TypeDefinition>,
    ) -> Result<(), Refused> {
        let state = &mut self.changes.state;
        due("type", state.next_type().0, number.0)?;
        free_name(state, kind, name)?;
        let (name, event) = (name.to_owned(), self.event);
        state.add_type(TypeObject {
            number,
            kind,
            name,
            event,
            definition,
            described: event,
            removed: false,
            protection: None,
            annotations: Annotations::default(),
        });
        self.changes.types.insert(number);
        Ok(())
    }

    pub(super) fn check_definition(
        &self,
        number: TypeNo,
        kind: TypeKind,
        definition: &TypeDefinition,
    ) -> Result<(), Refused> {
        definition.check(kind).map_err(Refused::BadDefinition)?;
        let TypeProperties::Element { supertype, .. } = &definition.properties else {
            return Ok(());
        };
        self.type_of_kind(*supertype, TypeKind::Element)?;
        let mut at = Some(*supertype);
        while let Some(above) = at {
            if above == number {
                return Err(Refused::BadDefinition("a type cannot be its own supertype".to_owned()));
            }
            at = self.changes.state.element_type(above).0;
        }
        Ok(())
    }

    pub(super) fn redefine_type(
        &mut self,
        number: TypeNo,
        definition: &TypeDefinition,
    ) -> Result<(), Refused> {
        let object = self.type_object(number)?;
        if predefined::is_predefined(number) {
            return Err(Refused::Predefined(object.name));
        }
        self.check_definition(number, object.kind, definition)?;
        let (definition, described) = (Some(definition.clone()), self.event);
        self.replace_type(TypeObject { definition, described, ..object });
        Ok(())
    }

    pub(super) fn rename_type(&mut self, number: TypeNo, name: &str) -> Result<(), Refused> {
        let object = self.type_object(number)?;
        // Programs know those by their names; `main` is only a branch type.
        if predefined::is_predefined(number) && number != predefined::MAIN {
            return Err(Refused::Predefined(object.name));
        }
        free_name(&self.changes.state, object.kind, name)?;
        self.note_name(number);
        self.replace_type(TypeObject { name: name.to_owned(), ..object });
        self.note_name(number);
        self.note(VobObject::Type(number), Deed::Renamed)
    }

    pub(super) fn remove_type(&mut self, number: TypeNo) -> Result<(), Refused> {
        let object = self.type_object(number)?;
        if predefined::is_predefined(number) {
            return Err(Refused::Predefined(object.name));
        }
        let state = &self.changes.state;
        if state.present_types().any(|other| state.element_type(other.number).0 == Some(number)) {
            return Err(Refused::IsSupertype(object.name));
        }
        self.note_name(number);
        for link in &object.annotations.links {
            self.remove_link(link.number, VobObject::Type(number))?;
        }
        self.replace_type(TypeObject { removed: true, annotations: Annotations::default(), ..object });
        self.note(VobObject::Vob, Deed::TypeDestroyed(number))
    }

    pub(super) fn replace_type(&mut self, object: TypeObject) {
        self.changes.types.insert(object.number);
        self.changes.state.replace_type(object);
    }

    /// Notes that a type's name may lead elsewhere below `@@`.
    pub(super) fn note_name(&mut self, number: TypeNo) {
        let name = self.changes.state.type_name(number).to_owned();
        self.changes.history_names.insert(name);
    }

    /// Attaches a label: what carries it in the same element, or on the same branch where each
    /// branch may have one, loses it.
    pub(super) fn apply_label(
        &mut self,
        label: TypeNo,
        targets: &[(ElementNo, VersionNo)],
    ) -> Result<(), Refused> {
        let object = self.type_object(label)?;
        let (per_branch, made, event) = (object.is_per_branch(), object.event, self.event);
        let attached = (event != made).then_some(event);
        self.note_name(label);
        for (number, version) in targets {
            let element = self.element_version(*number, *version)?;
            let branch = element.version(*version).branch;
            let gone = element.detach_label(label, |element, other| {
                other != *version && (!per_branch || element.version(other).branch == branch)
            });
            element.attach_label(label, *version, attached);
            if !gone.is_empty() {
                element.annotate(|annotations| {
                    for (other, former) in gone {
                        let (from, to) = (Part::Version(other), Part::Version(*version));
                        annotations.note_label(from, former.unwrap_or(made), label);
                        annotations.note(from, event, Deed::LabelRemoved(label, Some(*version)));
                        annotations.note(to, event, Deed::LabelAttached(label, Some(other)));
                    }
                });
            }
        }
        Ok(())
    }

    /// Removes a label from a version of an element, or from whichever versions carry it.
    pub(super) fn remove_label(
        &mut self,
        label: TypeNo,
        number: ElementNo,
        only: Option<VersionNo>,
    ) -> Result<(), Refused> {
        let made = self.changes.state.types().get(label.index()).map_or(self.event, |object| object.event);
        let event = self.event;
        let element = self.element(number)?;
        let gone = element.detach_label(label, |_, labelled| only.is_none_or(|only| only == labelled));
        if !gone.is_empty() {
            element.annotate(|annotations| {
                for (version, former) in gone {
                    let part = Part::Version(version);
                    annotations.note_label(part, former.unwrap_or(made), label);
                    annotations.note(part, event, Deed::LabelRemoved(label, None));
                }
            });
        }
        Ok(())
    }
}

fn free_name(state: &VobState, kind: TypeKind, name: &str) -> Result<(), Refused> {
    if !valid_type_name(name) {
        return Err(Refused::BadName(name.to_owned()));
    }
    if state.name_taken(kind, name) {
        return Err(Refused::NameTaken(name.to_owned()));
    }
    Ok(())
}
