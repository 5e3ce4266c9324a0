//! Every message that scripts for the product look for, said by this program in the situation it belongs to.
//!
//! A line of [`CATALOGUE`] is a message as it is documented, `<...>` for what differs. Sessions bring each of them
//! about; the order of a session and what else it prints are other tests' matter.

use std::collections::BTreeSet;

use crate::project::Project;
use crate::world::Output;

const CATALOGUE: &[&str] = &[
    r#"Checked out "<p>" from version "<v>"."#,
    r#"Checked in "<p>" version "<v>"."#,
    r#"Checkout cancelled for "<p>"."#,
    r#"Private version of "<p>" saved in "<p>.keep"."#,
    r#"Created element "<p>" (type "<eltype>")."#,
    r#"Created directory element "<p>"."#,
    r#"Created branch "<br>" from "<p>" version "<v>"."#,
    r#"Created label "<L>" on "<p>" version "<v>"."#,
    r#"Moved label "<L>" on "<p>" from version "<v1>" to "<v2>"."#,
    r#"Removed label "<L>" from "<p>" version "<v>"."#,
    r#"Created hyperlink "<id>"."#,
    r#"Removed "<p>"."#,
    r#"Removed element "<p>"."#,
    r#"Moved "<old>" to "<new>"."#,
    r#"Changed protection on "<p>"."#,
    r#"Mounting MVFS filesystem <vob-tag>."#,
    r#"Created view."#,
    r#"Host-local path: <path>"#,
    r#"Global path:     <path>"#,
    r#"cleartool: Warning: Object "<leaf>" no longer referenced."#,
    r#"cleartool: Warning: Moving object to vob lost+found directory as "<leaf>.<oid>"."#,
    r#"cleartool: Warning: Moved element with checkouts to "<p>";"#,
    r#"view private data may need to be moved."#,
    r#"cleartool: Warning: This uncheckout left only version zero on branch "<br>"."#,
    r#"cleartool: Warning: Version checked in is not selected by view."#,
    r#"cleartool: Warning: Checked-out version is not selected by view."#,
    r#"cleartool: Warning: Copied checked out version to "<p>.checkedout"."#,
    r#"cleartool: Warning: Unable to rename "<p>" to "<p>.keep": Read-only filesystem."#,
    r#"cleartool: Error: Element "<p>" is already checked out to view "<tag>"."#,
    r#"cleartool: Error: Branch "<b>" of element is checked out reserved by view <tag> ("<host>:<path>")."#,
    r#"cleartool: Error: By default, won't create version with data identical to predecessor."#,
    r#"cleartool: Error: The most recent version on branch "<b>" is not the predecessor of this version."#,
    r#"cleartool: Error: No branch of element is checked out to view "<host>:<path>"."#,
    r#"cleartool: Error: Unable to find checked out version for "<p>"."#,
    r#"cleartool: Error: Unable to check in "<p>"."#,
    r#"cleartool: Error: Unable to check out "<p>"."#,
    r#"cleartool: Error: Can't modify directory "<d>" because it is not checked out."#,
    r#"cleartool: Error: Entry named "<p>" already exists."#,
    r#"cleartool: Error: Unable to create element "<p>"."#,
    r#"cleartool: Error: Element "<p>" has checkouts."#,
    r#"cleartool: Error: Can't delete element with checked out versions."#,
    r#"cleartool: Error: Unable to remove element "<p>"."#,
    r#"cleartool: Error: Checked out version, but could not copy to "<p>": File exists."#,
    r#"cleartool: Error: Element already has a branch of type "<br>" ("<path>")."#,
    r#"cleartool: Error: Unable to create branch requested by -mkbranch option in config spec."#,
    r#"cleartool: Error: Branch type not found: "<br>"."#,
    r#"cleartool: Error: Label type not found: "<L>"."#,
    r#"cleartool: Error: Version label of type "<L>" already on element."#,
    r#"cleartool: Error: Trouble applying label to "<p>"."#,
    r#"cleartool: Error: Name "<n>" already exists."#,
    r#"cleartool: Error: Unable to create label type "<n>"."#,
    r#"cleartool: Error: Invalid name: "<n>"."#,
    r#"cleartool: Error: Object is already locked."#,
    r#"cleartool: Error: Object is not locked."#,
    r#"cleartool: Error: Lock on <kind> "<n>" prevents operation "<op>"."#,
    r#"cleartool: Error: Object locked except for users: <u>."#,
    r#"cleartool: Error: Lock on VOB database "<tag>" prevents all write operations."#,
    r#"cleartool: Error: No permission to perform operation "<op>"."#,
    r#"cleartool: Error: Must be one of: <list>"#,
    r#"cleartool: Error: Not a vob object: "<p>"."#,
    r#"cleartool: Error: Not an element: "<p>"."#,
    r#"cleartool: Error: Unable to access "<p>": No such file or directory."#,
    r#"cleartool: Error: Pathname is not within a VOB: "<p>""#,
    r#"cleartool: Error: Cannot get view info for current view: not a ClearCase object."#,
    r#"cleartool: Error: No matching entries found for view tag "<tag>"."#,
    r#"cleartool: Error: No registered VOB tag in path: "<pattern>"."#,
    r#"cleartool: Error: Config spec semantic processing failed."#,
];

/// Sessions in view v; w is another view of the same VOB, and what is in braces is run there.
const SESSIONS: &[&str] = &[
    // Checkouts, and what two views do to each other.
    "cleartool co -nc foo.c; cleartool co -nc foo.c; cleartool ci -nc foo.c; cleartool unco -rm foo.c; \
     cleartool ci -nc foo.c; cleartool co -nc foo.c.none nothing",
    "cleartool co -nc foo.c; echo v >> foo.c; (cd $W && cleartool co -nc foo.c; \
     cleartool co -unr -nc foo.c; echo w >> foo.c; cleartool ci -nc foo.c); \
     cleartool ci -nc foo.c; (cd $W && cleartool ci -nc foo.c; cleartool unco -keep foo.c)",
    // Names.
    "cleartool mkelem -nc new.c; cleartool co -nc .; cleartool mkelem -nc new.c; cleartool mkdir -nc dir; \
     cleartool mkelem -nc foo.c; cleartool rmname foo.c.none; cleartool ci -nc -identical new.c dir .; \
     (cd $W && cleartool co -nc new.c); cleartool co -nc . ; cleartool rmname new.c; cleartool mv new.c moved.c; \
     (cd $W && cleartool unco -rm new.c); cleartool mkelem -nc lost.c; cleartool ci -nc -identical lost.c; \
     cleartool unco . ; ls lost+found",
    "cleartool co -nc .; cleartool rmname src; cleartool unco .; cleartool rmname foo.c",
    // Types, labels, branches.
    "cleartool mklbtype -nc REL; cleartool mklbtype -nc REL; cleartool mklbtype -nc 'a b'; \
     cleartool mklabel -version /main/1 REL foo.c; cleartool mklabel REL foo.c; cleartool mklabel -replace REL foo.c; \
     cleartool mklabel NONE foo.c; cleartool rmlabel REL foo.c; cleartool mklabel -version /main/1 REL foo.c; \
     cleartool mklabel -recurse REL .",
    "cleartool mkbrtype -nc fix; cleartool mkbranch -nc none foo.c; cleartool mkbranch -nc fix foo.c; \
     cleartool unco -rm foo.c@@/main/fix/CHECKEDOUT; cleartool unco -rm foo.c; cleartool mkbranch -nco -nc fix foo.c",
    "printf 'element * CHECKEDOUT\\nelement * /main/LATEST -mkbranch fix2\\n' > $CLERESTORY_HOME/../a.cs; \
     cleartool mkbrtype -nc fix2; cleartool setcs -tag w $CLERESTORY_HOME/../a.cs; \
     (cd $W && cleartool co -nc src/bar.c); cleartool setcs -tag w -default",
    // Rules without CHECKEDOUT.
    "echo 'element * /main/LATEST' > $CLERESTORY_HOME/../b.cs; cleartool setcs -tag w $CLERESTORY_HOME/../b.cs; \
     (cd $W && cleartool co -nc src/bar.c; cleartool unco -rm src/bar.c); cleartool setcs -tag w -default",
    "printf 'element * CHECKEDOUT\\nelement -file * /main/1\\nelement * /main/LATEST\\n' \
     > $CLERESTORY_HOME/../c.cs; \
     cleartool setcs -tag w $CLERESTORY_HOME/../c.cs; (cd $W && cleartool co -nc foo.c; echo z >> foo.c; \
     cleartool ci -nc foo.c); cleartool setcs -tag w -default",
    "echo 'element /nowhere/... /main/LATEST' > $CLERESTORY_HOME/../d.cs; cleartool setcs -tag w $CLERESTORY_HOME/../d.cs",
    // Locks.
    "cleartool lock lbtype:REL; cleartool lock lbtype:REL; cleartool mklabel -replace REL foo.c; \
     cleartool unlock lbtype:REL; cleartool unlock lbtype:REL; cleartool lock -nusers nobody brtype:main; \
     cleartool co -nc foo.c; cleartool unlock brtype:main; cleartool lock vob:.; cleartool co -nc foo.c; \
     cleartool unlock vob:.",
    // Protection, hyperlinks, removal.
    "cleartool protect -chmod 555 foo.c; cleartool mkhltype -nc see; cleartool mkhlink see foo.c src; \
     cleartool co -nc foo.c; cleartool rmelem -force foo.c; cleartool unco -rm foo.c; cleartool rmelem -force foo.c",
    // What is no object of a VOB, and no view.
    "touch private; cleartool co -nc private; cleartool ls /etc; cd /; cleartool pwv; cleartool ls /vobs/x; \
     cleartool startview nowhere; cleartool co -nc x",
    "cleartool co -nc .; cleartool ln -s foo.c link; cleartool co -nc link; cleartool unco .",
];

/// Tells whether a line is an instance of a documented message.
fn is_instance(message: &str, line: &str) -> bool {
    let mut pieces = Vec::new();
    let mut rest = message;
    while let Some((literal, after)) = rest.split_once('<') {
        pieces.push(literal);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    let Some(mut left) = line.strip_prefix(pieces.first().copied().unwrap_or(rest)) else { return false };
    for piece in pieces.iter().skip(1) {
        let Some((_, after)) = left.split_once(piece) else { return false };
        left = after;
    }
    if pieces.is_empty() { left.is_empty() } else { left.ends_with(rest) }
}

#[test]
fn every_message_of_the_catalogue_is_said() {
    let project = Project::small();
    let world = &project.world;
    let mut said = world.ct(&["mkview", "-tag", "w"]).ok();
    said += &world.ct(&["mkvob", "-nc", "-tag", "/vobs/y"]).ok();
    said += &world.ct(&["mount", "/vobs/y"]).ok();
    let other = world.in_view("w", "/vobs/x");
    for session in SESSIONS {
        let mut shell = world.command("/bin/sh", &project.directory);
        let output = Output::of(shell.env("W", &other).args(["-c", session]));
        said += &output.stdout;
        said += &output.stderr;
    }
    // An ordinary user, who owns nothing here.
    let stranger = "cleartool rmtype -force -rmall lbtype:REL; cleartool co -nc foo.c";
    let mut shell = world.command("/usr/bin/setpriv", &project.directory);
    shell.args(["--reuid", "65533", "--regid", "65533", "--clear-groups", "/bin/sh", "-c", stranger]);
    said += &Output::of(&mut shell).stderr;
    let said: BTreeSet<&str> = said.lines().collect();
    let never = |message: &&&str| !said.iter().any(|line| is_instance(message, line));
    let missing: Vec<&&str> = CATALOGUE.iter().filter(never).collect();
    assert!(missing.is_empty(), "never said: {missing:#?}\n---- said ----\n{said:#?}");
}

#[test]
fn messages_are_told_apart() {
    for (message, line, expected) in [
        ("Removed \"<p>\".", "Removed \"a b\".", true),
        ("Removed \"<p>\".", "Removed element \"a\".", false),
        ("Created view.", "Created view.", true),
        ("Created view.", "Created view", false),
        ("Moved \"<a>\" to \"<b>\".", "Moved \"x\" to \"y\".", true),
        ("Moved \"<a>\" to \"<b>\".", "Moved \"x\" too \"y\".", false),
    ] {
        assert_eq!(is_instance(message, line), expected, "{line}");
    }
}
