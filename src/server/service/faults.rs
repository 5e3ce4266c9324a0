//! What is wrong with a config spec, as clients are told: facts for the sentences that they compose.
//!
//! Owns how much is told. Must not know where a config spec is kept.

use crate::server::proto::{ConfigSpecFaults, Diagnostic, DiagnosticKind, IncludeRule};
use clerestory_specs as specs;
use prost::Message;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// How many faults are told; more are counted.
const MAX_FAULTS: usize = 1_000;
/// The same by size: a fault can name 32 files with long paths, and an answer may have 64 MiB.
const MAX_FAULTS_SIZE_BYTES: usize = 8 << 20;
/// How much of a word at fault, and of any phrase about it, is told.
const MAX_PHRASE_LETTERS: usize = 4_096;

/// Tells a client what was found wrong. `nameless` is a file that stands for a text without one.
pub fn config_spec_faults(found: Vec<specs::Diagnostic>, nameless: Option<&Path>) -> ConfigSpecFaults {
    let count = found.len();
    let mut size_bytes = 0;
    let diagnostics: Vec<Diagnostic> = found
        .into_iter()
        .take(MAX_FAULTS)
        .map(|fault| diagnostic(fault, nameless))
        .take_while(|fault| {
            size_bytes += fault.encoded_len();
            size_bytes <= MAX_FAULTS_SIZE_BYTES
        })
        .collect();
    let left_out = u32::try_from(count - diagnostics.len()).unwrap_or(u32::MAX);
    ConfigSpecFaults { diagnostics, left_out }
}

fn diagnostic(fault: specs::Diagnostic, nameless: Option<&Path>) -> Diagnostic {
    let name = |file: PathBuf| match nameless == Some(&file) {
        true => Vec::new(),
        false => file.into_os_string().into_vec(),
    };
    let cut = |text: String| text.chars().take(MAX_PHRASE_LETTERS).collect::<String>();
    let included_from = fault.included_from.into_iter();
    Diagnostic {
        file: name(fault.file),
        line: fault.line,
        column: fault.column,
        message: cut(fault.message),
        kind: kind(fault.kind).into(),
        found: fault.found.map(cut),
        expected: fault.expected.map(cut).unwrap_or_default(),
        included_from: included_from
            .map(|from| IncludeRule { file: name(from.file), line: from.line })
            .collect(),
    }
}

fn kind(kind: specs::DiagnosticKind) -> DiagnosticKind {
    match kind {
        specs::DiagnosticKind::Syntax => DiagnosticKind::Syntax,
        specs::DiagnosticKind::UnregisteredVob => DiagnosticKind::UnregisteredVob,
        specs::DiagnosticKind::Include => DiagnosticKind::Include,
        specs::DiagnosticKind::Limit => DiagnosticKind::Limit,
        specs::DiagnosticKind::ConfigRecord => DiagnosticKind::ConfigRecord,
        _ => DiagnosticKind::Unspecified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(file: &str, found: &str) -> specs::Diagnostic {
        specs::Diagnostic {
            file: file.into(),
            line: 3,
            column: 9,
            kind: specs::DiagnosticKind::Syntax,
            message: "unknown clause".into(),
            found: Some(found.into()),
            expected: None,
            included_from: vec![specs::IncludedFrom { file: "/spec".into(), line: 2 }],
        }
    }

    #[test]
    fn a_text_without_a_file_has_no_name() {
        let told = config_spec_faults(vec![fault("/a.cs", "-x")], Some(Path::new("/spec")));
        let [told] = told.diagnostics.as_slice() else { panic!("{told:?}") };
        assert_eq!((told.file.as_slice(), told.line, told.column), (b"/a.cs".as_slice(), 3, 9));
        assert_eq!(told.included_from, [IncludeRule { file: vec![], line: 2 }]);
        assert_eq!((told.found.as_deref(), told.expected.as_str()), (Some("-x"), ""));
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let told = config_spec_faults(vec![fault("/a", "x"); MAX_FAULTS], None);
        assert_eq!((told.diagnostics.len(), told.left_out), (MAX_FAULTS, 0));
        let told = config_spec_faults(vec![fault("/a", "x"); MAX_FAULTS + 7], None);
        assert_eq!((told.diagnostics.len(), told.left_out), (MAX_FAULTS, 7));
        let long = "x".repeat(1 << 20);
        let told = config_spec_faults(vec![fault(&long, &long); 20], None);
        assert!(told.encoded_len() <= MAX_FAULTS_SIZE_BYTES + 16, "{}", told.encoded_len());
        assert_eq!(told.diagnostics.len() + told.left_out as usize, 20);
        assert_eq!(told.diagnostics[0].found.as_ref().unwrap().len(), MAX_PHRASE_LETTERS);
    }
}
