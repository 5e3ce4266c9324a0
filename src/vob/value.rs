//! Values of attributes: how commands write them, how they are kept, and which ones a type allows.
//!
//! Pure. A value is kept as text in one form only, the canonical one, so that the same value is the
//! same text; what came with imported histories is kept as it came. Whoever reads dates as users
//! write them makes moments of them first.

use super::definition::{Limit, TypeDefinition, TypeProperties, ValueType};
use super::state::TypeObject;
use clerestory_specs::AttributeValue;
use std::cmp::Ordering;

impl ValueType {
    /// Reads a value in the form that commands write it; a time in its canonical form alone, UTC in
    /// ISO 8601. A string stands in double quotes, and those inside it behind backslashes.
    pub fn read(self, text: &str) -> Option<AttributeValue> {
        match self {
            ValueType::Integer => text.parse().ok().map(AttributeValue::Integer),
            ValueType::Real => {
                text.parse().ok().filter(|value: &f64| value.is_finite()).map(AttributeValue::Real)
            }
            ValueType::Time => {
                let moment: jiff::Timestamp = text.parse().ok()?;
                i64::try_from(moment.as_nanosecond()).ok().map(AttributeValue::Time)
            }
            ValueType::String => {
                let inner = text.strip_prefix('"')?.strip_suffix('"')?;
                let open = inner.match_indices('"').any(|(at, _)| !inner[..at].ends_with('\\'));
                let one_line = !inner.contains(['\n', '\r', '\0']);
                (one_line && !open).then(|| AttributeValue::Text(inner.replace("\\\"", "\"")))
            }
            ValueType::Opaque => {
                let digits = text.as_bytes();
                let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                let even = digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
                let bytes = even.then(|| digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>())?;
                bytes.map(AttributeValue::Opaque)
            }
        }
    }
}

/// Writes a value in its canonical form: what [`ValueType::read`] reads.
pub fn canonical(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Integer(value) => value.to_string(),
        // With its decimal point, which tells it from an integer.
        AttributeValue::Real(value) => format!("{value:?}"),
        AttributeValue::Text(text) => format!("\"{}\"", text.replace('"', "\\\"")),
        AttributeValue::Time(time_ns) => {
            let moment = jiff::Timestamp::from_nanosecond(i128::from(*time_ns)).unwrap_or_default();
            moment.to_string()
        }
        AttributeValue::Opaque(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Compares two values of one type; strings and bytes have no order but that of their letters.
fn compare(one: &AttributeValue, other: &AttributeValue) -> Option<Ordering> {
    match (one, other) {
        (AttributeValue::Integer(one), AttributeValue::Integer(other)) => Some(one.cmp(other)),
        (AttributeValue::Real(one), AttributeValue::Real(other)) => one.partial_cmp(other),
        (AttributeValue::Time(one), AttributeValue::Time(other)) => Some(one.cmp(other)),
        (AttributeValue::Text(one), AttributeValue::Text(other)) => Some(one.cmp(other)),
        (AttributeValue::Opaque(one), AttributeValue::Opaque(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

impl TypeProperties {
    /// Tells whether an attribute type allows a value of its own value type: within its range, or one
    /// of its list.
    pub fn allows(&self, value: &AttributeValue) -> bool {
        let TypeProperties::Attribute { value_type, lower, upper, enumeration, .. } = self else {
            return false;
        };
        let against = |limit: &Limit| value_type.read(&limit.value).and_then(|limit| compare(value, &limit));
        let within = |limit: &Option<Limit>, wanted: Ordering| match limit {
            None => true,
            Some(limit) => against(limit)
                .is_some_and(|order| order == wanted || (limit.inclusive && order == Ordering::Equal)),
        };
        let listed = |text: &String| {
            value_type.read(text).is_some_and(|listed| compare(value, &listed) == Some(Ordering::Equal))
        };
        within(lower, Ordering::Greater)
            && within(upper, Ordering::Less)
            && (enumeration.is_empty() || enumeration.iter().any(listed))
    }
}

impl TypeObject {
    /// Returns what an attribute type says of its values; none for other types, and for those that came
    /// with an imported history.
    pub fn attribute_properties(&self) -> Option<&TypeProperties> {
        let properties = self.definition.as_ref().map(|TypeDefinition { properties, .. }| properties);
        properties.filter(|properties| matches!(properties, TypeProperties::Attribute { .. }))
    }

    /// Returns the type of an attribute type's values: strings where nothing else was said.
    pub fn value_type(&self) -> ValueType {
        match self.attribute_properties() {
            Some(TypeProperties::Attribute { value_type, .. }) => *value_type,
            _ => ValueType::String,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vob::definition::AttributePer;

    #[test]
    fn values_have_one_canonical_form() {
        for (value_type, typed, kept) in [
            (ValueType::Integer, "-5", Some("-5")),
            (ValueType::Integer, "+007", Some("7")),
            (ValueType::Integer, "9223372036854775807", Some("9223372036854775807")),
            (ValueType::Integer, "9223372036854775808", None),
            (ValueType::Integer, "5.0", None),
            (ValueType::Integer, "", None),
            (ValueType::Real, "2", Some("2.0")),
            (ValueType::Real, "2.50e3", Some("2500.0")),
            (ValueType::Real, "inf", None),
            (ValueType::Real, "NaN", None),
            (ValueType::Real, "x", None),
            (ValueType::Time, "2026-11-27T15:00:00Z", Some("2026-11-27T15:00:00Z")),
            (ValueType::Time, "2026-11-27T15:00:00+02:00", Some("2026-11-27T13:00:00Z")),
            (ValueType::Time, "yesterday", None),
            (ValueType::String, "\"ok\"", Some("\"ok\"")),
            (ValueType::String, "\"\"", Some("\"\"")),
            (ValueType::String, "\"a \\\"b\\\" c\"", Some("\"a \\\"b\\\" c\"")),
            (ValueType::String, "\"a\"b\"", None),
            (ValueType::String, "\"C:\\\"", Some("\"C:\\\"")),
            (ValueType::String, "ok", None),
            (ValueType::String, "\"", None),
            (ValueType::String, "\"a\nb\"", None),
            (ValueType::Opaque, "00FF", Some("00ff")),
            (ValueType::Opaque, "0f1", None),
            (ValueType::Opaque, "+1", None),
        ] {
            let read = value_type.read(typed);
            assert_eq!(read.as_ref().map(canonical).as_deref(), kept, "{value_type:?} {typed}");
            // What is kept is what the laws accept, and reads as the same value.
            if let (Some(value), Some(kept)) = (read, kept) {
                assert!(value_type.accepts(kept), "{kept}");
                assert_eq!(value_type.read(kept), Some(value), "{kept}");
            }
        }
    }

    fn properties(value_type: ValueType, lower: &str, upper: &str, list: &[&str]) -> TypeProperties {
        let limit = |text: &str| {
            let inclusive = text.contains('=');
            let value = text.trim_start_matches(['<', '>', '=']).to_owned();
            (!text.is_empty()).then_some(Limit { value, inclusive })
        };
        TypeProperties::Attribute {
            value_type,
            per: AttributePer::Version,
            lower: limit(lower),
            upper: limit(upper),
            enumeration: list.iter().map(|value| (*value).to_owned()).collect(),
            default: None,
        }
    }

    #[test]
    fn ranges_and_lists_limit_values() {
        use ValueType::{Integer, Opaque, Real, String, Time};
        let day = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
        let (first, third) = (format!(">={}", day(1)), format!("<{}", day(3)));
        for (value_type, lower, upper, list, value, allowed) in [
            (Integer, "", "", &[][..], "-9", true),
            (Integer, ">=1", "<10", &[], "1", true),
            (Integer, ">=1", "<10", &[], "9", true),
            (Integer, ">=1", "<10", &[], "10", false),
            (Integer, ">=1", "<10", &[], "0", false),
            (Integer, ">1", "<=10", &[], "1", false),
            (Integer, ">1", "<=10", &[], "10", true),
            (Integer, ">1", "", &[], "9000000000", true),
            // As numbers, not as letters.
            (Integer, "", "<10", &[], "9", true),
            (Integer, "", "", &["1", "20"], "20", true),
            (Integer, "", "", &["1", "20"], "2", false),
            (Real, ">0", "", &[], "0.5", true),
            (Real, ">0", "", &[], "0.0", false),
            (Real, "", "", &["1.5"], "1.50", true),
            (Time, &first, &third, &[], &day(1), true),
            (Time, &first, &third, &[], &day(3), false),
            (String, "", "", &["\"yes\"", "\"no\""], "\"no\"", true),
            (String, "", "", &["\"yes\"", "\"no\""], "\"No\"", false),
            (Opaque, "", "", &["ab"], "AB", true),
        ] {
            let properties = properties(value_type, lower, upper, list);
            let value = value_type.read(value).unwrap();
            assert_eq!(properties.allows(&value), allowed, "{properties:?} {value:?}");
        }
    }
}
