//! What the program is built from may be given away with it.

use std::collections::BTreeSet;
use std::process::Command;

/// Licences of which one is enough to give a crate away under the terms of this one.
const ALLOWED: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "Unicode-3.0",
    "Zlib",
];

/// Tells whether an SPDX expression allows it: of what `OR` joins one is enough, of what `AND` joins all are needed.
fn is_allowed(expression: &str) -> bool {
    let mut depth = 0;
    let mut split = |joint: &str| -> Vec<String> {
        let (mut parts, mut part) = (Vec::new(), Vec::new());
        for word in expression.replace('/', " OR ").replace('(', "( ").replace(')', " )").split_whitespace() {
            depth += i32::from(word == "(") - i32::from(word == ")");
            if depth == 0 && word == joint {
                parts.push(std::mem::take(&mut part).join(" "));
            } else {
                part.push(word.to_owned());
            }
        }
        parts.push(part.join(" "));
        parts
    };
    let (either, all) = (split("OR"), split("AND"));
    match (either.len() > 1, all.len() > 1) {
        (true, _) => either.iter().any(|part| is_allowed(part)),
        (_, true) => all.iter().all(|part| is_allowed(part)),
        _ => match expression.trim().strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
            Some(inner) => is_allowed(inner),
            None => ALLOWED.contains(&expression.trim()),
        },
    }
}

#[test]
fn expressions_are_understood() {
    for allowed in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "(GPL-2.0 AND MIT) OR ISC",
    ] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in ["GPL-3.0", "MIT AND GPL-2.0", "", "(MIT AND GPL-2.0) OR LGPL-2.1", "MITX"] {
        assert!(!is_allowed(refused), "{refused}");
    }
}

#[test]
fn every_dependency_may_be_given_away() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    assert!(packages.len() > 50, "{} packages", packages.len());
    let refused: BTreeSet<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
