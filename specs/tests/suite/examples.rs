//! Every spec in `examples/` compiles, begins with a comment that explains it, and selects something.

use std::path::Path;

use clerestory_specs::{ConfigSpec, Environment};

use crate::support::environment;

#[test]
fn examples_compile() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let read_include = |path: &[u8], from: &Path| {
        let path = from.with_file_name(String::from_utf8_lossy(path).as_ref());
        let text = std::fs::read(&path)?;
        Ok((path, text))
    };
    // The tag of an example's VOB is its first two components.
    let vob_tag_of = |path: &[u8]| {
        let mut names = path.strip_prefix(b"/vobs/")?.split(|&byte| byte == b'/');
        names.next().map(|name| [b"/vobs/", name].concat())
    };
    let env = Environment { vob_tag_of: &vob_tag_of, home: None, ..environment(&read_include) };
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().and_then(|extension| extension.to_str()), Some("cs"), "{path:?}");
        let text = std::fs::read(&path).unwrap();
        assert!(text.starts_with(b"# "), "{path:?} does not say what it is for");
        match ConfigSpec::compile(&text, &path, &env) {
            Ok(spec) => assert!(!spec.rules().is_empty(), "{path:?}"),
            Err(faults) => panic!("{}", faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()),
        }
        count += 1;
    }
    assert!(count >= 6, "only {count} examples");
}
