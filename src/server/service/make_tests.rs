//! What becomes of private files whose names become elements'.

use super::super::facts::tests::{Fixture, OWN};
use super::*;
use crate::vob::{ElementNo, VersionNo};

fn make(fixture: &Fixture, name: &str) -> MadeElement {
    let argument = MakeElementArgument { pname: Some(fixture.pname(name)), ..MakeElementArgument::default() };
    let request = MakeElementRequest {
        context: fixture.context(),
        arguments: vec![argument],
        element_type: b"text_file".to_vec(),
        after: AfterMake::Nothing.into(),
        ..MakeElementRequest::default()
    };
    let reply = fixture.server.make_elements(&fixture.caller, &request).unwrap();
    match reply.outcomes.into_iter().next().unwrap().outcome {
        Some(make_element_outcome::Outcome::Done(done)) => done,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_moved_aside_takes_no_name_that_something_has() {
    let fixture = Fixture::new();
    let newest = fixture.vob.element(ElementNo::ROOT).unwrap().versions.len() as u32 - 1;
    fixture.check_out(2000, ElementNo::ROOT, OWN, "v", VersionNo(newest));
    for name in ["a", "a.keep", "b", "b.keep.1"] {
        fixture.private(ElementNo::ROOT, name);
    }
    make(&fixture, "b.keep");
    let aside = |name: &str| {
        let made = make(&fixture, name);
        made.notices.into_iter().map(|notice| String::from_utf8(notice.name).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(aside("a"), ["a.keep.1"]);
    assert_eq!(aside("b"), ["b.keep.2"]);
}
