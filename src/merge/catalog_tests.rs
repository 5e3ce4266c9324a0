//! Catalogs as texts: `a=1` is the name `a` of element 1.

use super::*;
use crate::vob::ElementNo;
use proptest::prelude::*;

fn directory(text: &str) -> Directory {
    let mut directory = Directory::default();
    for (name, number) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
        let entry = Some(Entry::Element(ElementNo(number.parse().unwrap())));
        directory.apply(&[NameChange { name: name.as_bytes().into(), entry }]);
    }
    directory
}

fn told(directory: &Directory) -> String {
    let word = |(name, entry): (&[u8], Entry)| {
        let Entry::Element(number) = entry else { panic!("only elements") };
        format!("{}={}", String::from_utf8_lossy(name), number.0)
    };
    directory.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn merged(base: &str, target: &str, source: &str) -> (String, Vec<String>) {
    let [base, mut target, source] = [base, target, source].map(directory);
    let found = merge(&base, &target, &source, &|entry| entry);
    let name =
        |name: &Option<Name>| name.as_ref().map_or("-".into(), |n| String::from_utf8_lossy(n).into_owned());
    let conflicts = found.iter().filter_map(|merge| {
        let conflict = merge.conflict.as_ref()?;
        Some(format!("{}>{} {conflict:?}", name(&merge.old), name(&merge.new)))
    });
    let conflicts = conflicts.collect();
    let taken = changes(&target, &source, found.iter().filter(|merge| merge.conflict.is_none()));
    target.apply(&taken);
    (told(&target), conflicts)
}

#[test]
fn changes_of_one_side_are_taken_over() {
    for (base, target, source, expected) in [
        ("a=1 b=2", "a=1 b=2 t=4", "a=1 b=2 s=3", "a=1 b=2 s=3 t=4"),
        ("a=1 b=2", "a=1 b=2", "a=1", "a=1"),
        ("a=1 b=2", "a=1 b=2", "c=1 b=2", "b=2 c=1"),
        ("a=1 b=2", "c=1 b=2", "c=1", "c=1"),
        // Two names change places.
        ("a=1 b=2", "a=1 b=2 x=3", "a=2 b=1", "a=2 b=1 x=3"),
        // A name becomes free for another object.
        ("a=1", "a=1", "b=1 a=2", "a=2 b=1"),
        ("a=1", "a=1", "a=2", "a=2"),
        // Both did the same.
        ("a=1 b=2", "c=1", "c=1", "c=1"),
        // Further names of one object.
        ("a=1", "a=1 b=1", "a=1 c=1", "a=1 b=1 c=1"),
        ("a=1 b=1", "a=1 b=1", "b=1", "b=1"),
        ("a=1", "a=1", "a=1", "a=1"),
    ] {
        assert_eq!(
            merged(base, target, source),
            (expected.to_owned(), vec![]),
            "{base} | {target} | {source}"
        );
    }
}

#[test]
fn changes_that_contradict_are_conflicts() {
    for (base, target, source, expected, conflict) in [
        ("a=1", "b=1", "c=1", "b=1", "a>c Renamed([98])"),
        ("a=1", "b=1", "", "b=1", "a>- Renamed([98])"),
        ("a=1", "", "b=1", "", "a>b Removed"),
        ("", "n=1", "n=2", "n=1", "->n Taken"),
        ("a=1", "a=1 b=2", "b=1", "a=1 b=2", "a>b Taken"),
        ("", "x=1", "y=1", "x=1", "->y Renamed([120])"),
        ("a=1 b=1", "a=1", "b=1", "a=1", "a>- Renamed([97])"),
    ] {
        let found = merged(base, target, source);
        assert_eq!(found, (expected.to_owned(), vec![conflict.to_owned()]), "{base} | {target} | {source}");
    }
}

#[test]
fn a_refused_change_keeps_its_name() {
    // 2 cannot become b, so 1 cannot become a... and nothing is lost.
    let (left, conflicts) = merged("a=1 b=2", "a=1 b=2 c=3", "a=2 c=1");
    assert_eq!(left, "a=1 b=2 c=3");
    assert_eq!(conflicts.len(), 2);
}

#[test]
fn the_sources_side_of_a_conflict_can_be_taken() {
    for (base, target, source, expected) in [
        ("a=1", "b=1", "c=1", "c=1"),
        ("a=1", "b=1", "", ""),
        ("a=1", "", "b=1", "b=1"),
        ("", "n=1", "n=2", "n=2"),
    ] {
        let [base, mut target, source] = [base, target, source].map(directory);
        let found = merge(&base, &target, &source, &|entry| entry);
        let taken = changes(&target, &source, found.iter());
        target.apply(&taken);
        assert_eq!(told(&target), expected);
    }
}

fn catalogs() -> impl Strategy<Value = Directory> {
    proptest::collection::btree_map("[a-e]", 1u32..6, 0..5).prop_map(|names| {
        let words: Vec<String> = names.iter().map(|(name, number)| format!("{name}={number}")).collect();
        directory(&words.join(" "))
    })
}

proptest! {
    #[test]
    fn nothing_is_lost_without_a_conflict(base in catalogs(), target in catalogs(), source in catalogs()) {
        let found = merge(&base, &target, &source, &|entry| entry);
        let mut result = target.clone();
        let taken = changes(&target, &source, found.iter().filter(|merge| merge.conflict.is_none()));
        result.apply(&taken);
        let clean = found.iter().all(|merge| merge.conflict.is_none());
        for name in [b"a", b"b", b"c", b"d", b"e"].map(|name| &name[..]) {
            let [was, mine, theirs, is] = [&base, &target, &source, &result].map(|catalog| catalog.get(name));
            // What only one side changed is as that side has it; what both changed is one of the two.
            if was == theirs && clean {
                prop_assert_eq!(is, mine);
            }
            if was == mine && clean {
                prop_assert!(is == theirs || mine == theirs);
            }
            prop_assert!(is == mine || is == theirs || !clean);
        }
        // Merging the same again finds nothing that does not conflict.
        let again = merge(&base, &result, &source, &|entry| entry);
        prop_assert!(again.iter().all(|merge| merge.conflict.is_some()), "{:?}", again);
    }
}
