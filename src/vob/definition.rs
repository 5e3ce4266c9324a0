//! What a type object says beside its kind and name: who owns it, where it is valid, and what
//! its instances must keep to.
//!
//! Pure data with one law, [`TypeDefinition::check`]. These values are part of operations in
//! journals: fields never change, variants are only added at the end.

use super::identity::TypeNo;
use super::state::TypeKind;
use super::trigger::TriggerDefinition;
use serde::{Deserialize, Serialize};

/// The definition of a type object.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct TypeDefinition {
    /// Numeric user id of the owner.
    pub owner: u32,
    /// Numeric group id.
    pub group: u32,
    /// Where it is valid.
    pub scope: TypeScope,
    /// Whether every replica may make instances (`-shared`).
    pub shared: bool,
    /// What belongs to its kind.
    pub properties: TypeProperties,
}

/// Where a type object is valid.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum TypeScope {
    /// In its VOB.
    Ordinary,
    /// In every VOB that its VOB administers.
    Global,
}

/// What belongs to one kind of type object.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum TypeProperties {
    /// Branch types: whether each branch may have a branch of the type, instead of one in the
    /// whole element.
    Branch {
        /// See above.
        per_branch: bool,
    },
    /// Label types: whether one version of each branch may carry the label, instead of one of the
    /// whole element.
    Label {
        /// See above.
        per_branch: bool,
    },
    /// Element types.
    Element {
        /// The type it inherits from.
        supertype: TypeNo,
        /// Its type manager; none: the supertype's.
        manager: Option<String>,
        /// How versions are merged; none: as the supertype's.
        merge: Option<MergeType>,
        /// Whether checkins keep modification times.
        preserve_time: bool,
    },
    /// Hyperlink types.
    Hyperlink,
    /// Attribute types.
    Attribute {
        /// The values' type.
        value_type: ValueType,
        /// On how many objects of an element an attribute of the type may be.
        per: AttributePer,
        /// The smallest value allowed.
        lower: Option<Limit>,
        /// The greatest value allowed.
        upper: Option<Limit>,
        /// The only values allowed; empty: all.
        enumeration: Vec<String>,
        /// The value of `-default`.
        default: Option<String>,
    },
    /// Trigger types.
    Trigger(Box<TriggerDefinition>),
}

/// How versions of an element type are merged.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum MergeType {
    /// By programs where that is possible.
    Auto,
    /// By the user.
    User,
    /// Not at all.
    Never,
}

/// The types of attribute values.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum ValueType {
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Real,
    /// A date and time.
    Time,
    /// Text, written in double quotes.
    String,
    /// Bytes, written in hexadecimal digits.
    Opaque,
}

/// Where attributes of a type must be the only ones.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub enum AttributePer {
    /// One in the whole version tree.
    Element,
    /// One on each branch.
    Branch,
    /// One on each version.
    Version,
}

/// An end of the range of an attribute's values.
#[derive(Clone, Eq, PartialEq, Debug, Serialize, Deserialize)]
pub struct Limit {
    /// As it was written.
    pub value: String,
    /// Whether the value itself is allowed.
    pub inclusive: bool,
}

impl TypeDefinition {
    /// Tells whether branches and labels of the type are counted in each branch, not in each element.
    pub fn is_per_branch(&self) -> bool {
        matches!(
            self.properties,
            TypeProperties::Branch { per_branch: true } | TypeProperties::Label { per_branch: true }
        )
    }

    /// Checks that the properties belong to a kind, and that an attribute's values are of its type.
    ///
    /// # Errors
    /// What is wrong, as a phrase without a final period.
    pub fn check(&self, kind: TypeKind) -> Result<(), String> {
        let fits = match &self.properties {
            TypeProperties::Branch { .. } => kind == TypeKind::Branch,
            TypeProperties::Label { .. } => kind == TypeKind::Label,
            TypeProperties::Element { .. } => kind == TypeKind::Element,
            TypeProperties::Hyperlink => kind == TypeKind::Hyperlink,
            TypeProperties::Attribute { .. } => kind == TypeKind::Attribute,
            TypeProperties::Trigger(_) => kind == TypeKind::Trigger,
        };
        if !fits {
            return Err("the properties are those of another kind of type".to_owned());
        }
        if let TypeProperties::Trigger(trigger) = &self.properties {
            return match self.scope {
                TypeScope::Ordinary => trigger.check(),
                TypeScope::Global => Err("trigger types cannot be global".to_owned()),
            };
        }
        let TypeProperties::Attribute { value_type, lower, upper, enumeration, default, .. } =
            &self.properties
        else {
            return Ok(());
        };
        let limited = lower.is_some() || upper.is_some();
        if limited && !enumeration.is_empty() {
            return Err("values are limited by a range or by a list, not by both".to_owned());
        }
        if limited && !matches!(value_type, ValueType::Integer | ValueType::Real | ValueType::Time) {
            return Err("only integer, real and time values can have a range".to_owned());
        }
        let limits = lower.iter().chain(upper).map(|limit| &limit.value);
        for value in limits.chain(enumeration).chain(default) {
            if !value_type.accepts(value) {
                return Err(format!("not a value of that type: {value}"));
            }
        }
        match default {
            Some(default) if !enumeration.is_empty() && !enumeration.contains(default) => {
                Err("the default is not one of the values allowed".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl ValueType {
    /// Tells whether a text is a value of the type, as commands write it. Any text that is not
    /// empty may be a time.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            ValueType::Integer => text.parse::<i64>().is_ok(),
            ValueType::Real => text.parse::<f64>().is_ok_and(f64::is_finite),
            ValueType::Time => !text.trim().is_empty(),
            ValueType::String => text.len() >= 2 && text.starts_with('"') && text.ends_with('"'),
            ValueType::Opaque => {
                text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(value_type: ValueType, change: impl FnOnce(&mut TypeProperties)) -> Result<(), String> {
        let (lower, upper, enumeration, default) = (None, None, vec![], None);
        let per = AttributePer::Version;
        let mut properties =
            TypeProperties::Attribute { value_type, per, lower, upper, enumeration, default };
        change(&mut properties);
        let definition =
            TypeDefinition { owner: 1, group: 1, scope: TypeScope::Ordinary, shared: false, properties };
        definition.check(TypeKind::Attribute)
    }

    #[test]
    fn values_of_attribute_types_are_of_their_type() {
        for (value_type, good, bad) in [
            (ValueType::Integer, "-5", "5.0"),
            (ValueType::Real, "2.5e3", "inf"),
            (ValueType::Time, "1-Jan-26.10:00", " "),
            (ValueType::String, "\"ok\"", "ok"),
            (ValueType::Opaque, "00ff", "0xf"),
        ] {
            assert!(value_type.accepts(good), "{good}");
            assert!(!value_type.accepts(bad), "{bad}");
        }
    }

    #[test]
    fn an_attribute_type_is_limited_in_one_way() {
        let limit = |value: &str| Some(Limit { value: value.into(), inclusive: true });
        let set = |lower: Option<Limit>, values: &[&str], default: Option<&str>| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            let default = default.map(str::to_owned);
            attribute(ValueType::Integer, |properties| {
                if let TypeProperties::Attribute { lower: l, enumeration: e, default: d, .. } = properties {
                    (*l, *e, *d) = (lower, values, default);
                }
            })
        };
        assert_eq!(set(limit("3"), &[], Some("4")), Ok(()));
        assert_eq!(set(None, &["1", "2"], Some("2")), Ok(()));
        assert!(set(limit("3"), &["4"], None).is_err());
        assert!(set(limit("x"), &[], None).is_err());
        assert!(set(None, &["1"], Some("2")).is_err());
        assert!(
            attribute(ValueType::String, |properties| {
                if let TypeProperties::Attribute { lower, .. } = properties {
                    *lower = limit("\"a\"");
                }
            })
            .is_err()
        );
    }
}
