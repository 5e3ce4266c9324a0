//! The examples in `LANGUAGE.md`: those marked `spec` compile, and those that begin with `# error:` are refused for
//! that reason.

use crate::support::compile_with;

const PAGE: &str = include_str!("../../LANGUAGE.md");

/// The blocks marked `spec`, each with the number of its first line.
fn examples() -> Vec<(usize, String)> {
    let mut examples: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (line, number) in PAGE.lines().zip(1..) {
        match line {
            "```spec" => {
                is_open = true;
                examples.push((number + 1, String::new()));
            }
            "```" => is_open = false,
            _ if is_open => {
                let (_, text) = examples.last_mut().expect("a block was opened");
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    examples
}

#[test]
fn examples_of_the_language_page_hold() {
    let (mut accepted, mut refused) = (0, 0);
    for (line, text) in examples() {
        let compiled = compile_with(text.as_bytes(), &[("shared", "element * REL1")]);
        match (text.lines().next().and_then(|first| first.strip_prefix("# error: ")), compiled) {
            (None, Ok(spec)) => {
                assert!(!spec.rules().is_empty(), "LANGUAGE.md:{line}");
                accepted += 1;
            }
            (None, Err(faults)) => panic!("LANGUAGE.md:{line}: {faults:?}"),
            (Some(reason), Err(faults)) => {
                assert!(faults[0].message.starts_with(reason), "LANGUAGE.md:{line}: {}", faults[0]);
                refused += 1;
            }
            (Some(reason), Ok(_)) => panic!("LANGUAGE.md:{line} is not refused: {reason}"),
        }
    }
    assert!(accepted >= 12 && refused >= 8, "{accepted} accepted, {refused} refused");
}
