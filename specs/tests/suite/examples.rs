//! Every spec in `examples/` compiles, begins with a comment that explains it, and selects what the table beside it
//! says.

use std::path::Path;

use crate::corpus::{Report, run_beside};

#[test]
fn examples_select_what_their_tables_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut report = Report::default();
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("cs") => {
                assert!(
                    std::fs::read(&path).unwrap().starts_with(b"# "),
                    "{path:?} does not say what it is for"
                );
                run_beside(&path, &mut report);
                count += 1;
            }
            Some("expect") => assert!(path.with_extension("cs").exists(), "{path:?} is beside no example"),
            _ => panic!("{path:?} is neither an example nor its table"),
        }
    }
    assert!(count >= 8, "only {count} examples");
    assert!(report.finish() >= 60);
}
