//! Turns names of branches and tags into names of branch types and label types.
//!
//! Owns what a type name may look like as far as an import needs it, and how collisions are settled. Knows
//! nothing of refs or lines. The one idea: branch and label types share one name space, a label keeps its
//! name where it can, because people select by it, and every choice is remembered and given in again.

use rustc_hash::{FxHashMap, FxHashSet};

/// The longest type name made from a source name, in bytes: with any suffix it stays a path component.
pub const TYPE_NAME_BYTES_MAX: usize = 200;

/// Which kind of type a name is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypeKind {
    /// A label type, for a tag.
    Label,
    /// A branch type, for a line.
    Branch,
}

impl TypeKind {
    /// What sets a name apart from one of the other kind, or from a word with a meaning of its own.
    fn suffix(self) -> &'static str {
        match self {
            Self::Label => "_label",
            Self::Branch => "_branch",
        }
    }
}

/// A name to be found. Each (kind, source) is one type, however often it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName {
    /// What it is for.
    pub kind: TypeKind,
    /// The tag's short name or the line's name.
    pub source: String,
}

/// A name that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// What it is for.
    pub kind: TypeKind,
    /// The name it was made from.
    pub source: String,
    /// The name of the type.
    pub name: String,
}

impl TypeName {
    /// Whether the type is not named like its source, so that the user should be told.
    pub fn is_replaced(&self) -> bool {
        self.source != self.name
    }
}

/// Chooses a type name for each wanted name, in the order given. `taken` is what earlier imports chose and
/// what else the versioned object base has: its names stay as they are and are answered again. Branch `main`
/// is always `main`.
pub fn plan_type_names(wanted: &[SourceName], taken: &[TypeName]) -> Vec<TypeName> {
    let mut names = Names::default();
    names.record(TypeKind::Branch, "main", "main".to_owned());
    for known in taken {
        names.record(known.kind, &known.source, known.name.clone());
    }
    for kind in [TypeKind::Label, TypeKind::Branch] {
        // Names that need no change come first, so that a changed one never takes the place of a plain one.
        let keeps = |wanted: &&SourceName| is_type_name(&wanted.source) && !names.is_used(&wanted.source);
        let of_kind = wanted.iter().filter(|wanted| wanted.kind == kind);
        let (plain, changed): (Vec<_>, Vec<_>) = of_kind.partition(keeps);
        for wanted in plain.into_iter().chain(changed) {
            names.choose(wanted);
        }
    }
    let chosen = |wanted: &SourceName| names.chosen[&(wanted.kind, wanted.source.clone())].clone();
    wanted
        .iter()
        .map(|wanted| TypeName { kind: wanted.kind, source: wanted.source.clone(), name: chosen(wanted) })
        .collect()
}

/// Whether a name can be a type name as it is: ASCII letters, digits, `_`, `-` and `.`, not `-` first, and
/// nothing that a version selector or a path would read in another way.
pub fn is_type_name(name: &str) -> bool {
    replaced(name) == name && !has_other_meaning(name)
}

#[derive(Default)]
struct Names {
    used: FxHashSet<(TypeKind, String)>,
    chosen: FxHashMap<(TypeKind, String), String>,
}

impl Names {
    fn record(&mut self, kind: TypeKind, source: &str, name: String) {
        self.used.insert((kind, name.clone()));
        self.chosen.insert((kind, source.to_owned()), name);
    }

    fn choose(&mut self, wanted: &SourceName) {
        if self.chosen.contains_key(&(wanted.kind, wanted.source.clone())) {
            return;
        }
        let other = match wanted.kind {
            TypeKind::Label => TypeKind::Branch,
            TypeKind::Branch => TypeKind::Label,
        };
        let mut base = replaced(&wanted.source);
        if has_other_meaning(&base) || self.used.contains(&(other, base.clone())) {
            base.push_str(wanted.kind.suffix());
        }
        let mut name = base.clone();
        let mut number = 2;
        while self.is_used(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.record(wanted.kind, &wanted.source, name);
    }

    fn is_used(&self, name: &str) -> bool {
        [TypeKind::Label, TypeKind::Branch].iter().any(|kind| self.used.contains(&(*kind, name.to_owned())))
    }
}

/// Puts `_` in the place of every character that is not allowed.
fn replaced(source: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut name: String = source.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    name.truncate(TYPE_NAME_BYTES_MAX);
    if name.is_empty() || name.starts_with('-') {
        let rest = name.strip_prefix('-').unwrap_or_default();
        name = format!("_{rest}");
    }
    name
}

/// Version numbers, `LATEST`, `CHECKEDOUT`, and `.`, `..` and `...`.
fn has_other_meaning(name: &str) -> bool {
    name == "LATEST"
        || name == "CHECKEDOUT"
        || name.bytes().all(|byte| byte.is_ascii_digit())
        || name.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `b:NAME` is a branch, `l:NAME` a label; answers the names chosen.
    fn names(wanted: &[&str], taken: &[TypeName]) -> Vec<String> {
        plan_type_names(&wanted.iter().map(|text| source(text)).collect::<Vec<_>>(), taken)
            .into_iter()
            .map(|chosen| chosen.name)
            .collect()
    }

    fn source(text: &str) -> SourceName {
        let (kind, name) = text.split_once(':').unwrap();
        let kind = if kind == "b" { TypeKind::Branch } else { TypeKind::Label };
        SourceName { kind, source: name.to_owned() }
    }

    fn taken(text: &str, name: &str) -> TypeName {
        let SourceName { kind, source } = source(text);
        TypeName { kind, source, name: name.to_owned() }
    }

    #[test]
    fn characters_and_words_with_a_meaning_are_replaced() {
        let long = format!("b:{}", "x".repeat(300));
        let cases = [
            ("b:main", "main"),
            ("b:topic", "topic"),
            ("b:feature/x", "feature_x"),
            ("l:v1.0+git", "v1.0_git"),
            ("l:gr\u{fc}n", "gr_n"),
            ("b:-x", "_x"),
            ("b:-", "_"),
            ("b:", "_"),
            ("l:2024", "2024_label"),
            ("l:2024.1", "2024.1"),
            ("b:LATEST", "LATEST_branch"),
            ("b:latest", "latest"),
            ("l:CHECKEDOUT", "CHECKEDOUT_label"),
            ("l:...", "..._label"),
            ("l:main", "main_label"),
            (&long, &"x".repeat(TYPE_NAME_BYTES_MAX)),
        ];
        for (wanted, expected) in cases {
            assert_eq!(names(&[wanted], &[]), [expected], "{wanted}");
            assert!(is_type_name(expected), "{expected}");
        }
    }

    #[test]
    fn collisions_get_a_suffix() {
        assert_eq!(names(&["b:v1", "l:v1"], &[]), ["v1_branch", "v1"]);
        assert_eq!(names(&["b:a/b", "b:a_b", "b:a+b"], &[]), ["a_b_2", "a_b", "a_b_3"]);
        assert_eq!(names(&["b:v1", "b:v1_branch", "l:v1"], &[]), ["v1_branch_2", "v1_branch", "v1"]);
        assert_eq!(names(&["b:V1", "l:v1"], &[]), ["V1", "v1"]);
        assert_eq!(names(&["b:x", "b:x"], &[]), ["x", "x"]);
    }

    #[test]
    fn names_of_earlier_imports_stay() {
        let known = [taken("b:v1", "v1"), taken("b:a/b", "a_b")];
        assert_eq!(names(&["l:v1", "b:v1", "b:a_b", "b:a/b"], &known), ["v1_label", "v1", "a_b_2", "a_b"]);
    }

    #[test]
    fn replacements_can_be_told_from_plain_names() {
        assert!(taken("b:a/b", "a_b").is_replaced());
        assert!(!taken("b:a", "a").is_replaced());
    }
}
