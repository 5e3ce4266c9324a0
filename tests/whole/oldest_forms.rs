//! Options that older releases had, that say what an argument is, or which version of several: describe -ancestor,
//! -type and -lbtype, rmattr -recurse, suggested attribute types.

use crate::project::Project;

#[test]
fn the_oldest_forms_name_type_objects() {
    Project::small().check(
        r#"
$ cleartool mklbtype -nc REL1 REL2; cleartool mkbrtype -nc fix; cleartool describe -short -lbtype REL1 lbtype:REL2; cleartool describe -type REL1; cleartool describe -type -short brtype:fix
Created label type "REL1".
Created label type "REL2".
Created branch type "fix".
REL1
REL2
cleartool: Error: Not a type selector of the kind wanted: "REL1".
fix
$ cleartool describe -lbtype REL1 brtype:fix; cleartool describe -lbtype -brtype REL1 2>&1 | head -1
cleartool: Error: Not a type selector of the kind wanted: "brtype:fix".
cleartool: Error: Options -brtype and -lbtype are mutually exclusive
$ cleartool lock -lbtype REL1; cleartool unlock -lbtype REL1; cleartool lstype -short -lbtype; cleartool lstype -short -brtype fix; cleartool rmtype -lbtype REL1 REL2; cleartool lstype -short -lbtype
Locked label type "REL1".
Unlocked label type "REL1".
REL1
REL2
fix
Removed label type "REL1".
Removed label type "REL2".
"#,
    );
}

#[test]
fn the_closest_common_ancestor_takes_merges_into_account() {
    let project = Project::small();
    project.sh(
        "cleartool mkbrtype -nc fix && cleartool mkbranch -nc -nco -version /main/1 fix foo.c && \
         printf 'element * CHECKEDOUT\\nelement * .../fix/LATEST\\nelement * /main/LATEST\\n' > $HOME/fix.cs && \
         cleartool setcs $HOME/fix.cs && cleartool co -nc foo.c && echo fix >> foo.c && cleartool ci -nc foo.c && \
         cleartool setcs -default",
    );
    project.check(
        r#"
$ cleartool describe -short -ancestor foo.c foo.c@@/main/fix/1; cleartool co -nc foo.c; cleartool describe -short -ancestor foo.c foo.c@@/main/fix/1 foo.c@@/main/0
foo.c@@/main/1
Checked out "foo.c" from version "/main/2".
foo.c@@/main/0
$ cleartool mkhlink Merge foo.c@@/main/fix/1 foo.c | sed 's/.*/merged/'; cleartool describe -short -ancestor foo.c foo.c@@/main/fix/LATEST; echo m >> foo.c; cleartool ci -nc foo.c; cleartool describe -ancestor foo.c@@/main/fix/1 foo.c | head -1
merged
foo.c@@/main/fix/1
Checked in "foo.c" version "/main/3".
version "foo.c@@/main/fix/1"
$ cleartool describe -ancestor foo.c src/bar.c; cleartool describe -ancestor foo.c foo.c@@; cleartool describe -ancestor foo.c none.c; cleartool describe -ancestor foo.c 2>&1 | head -1
cleartool: Error: "src/bar.c" is no version of the same element: a common ancestor needs versions of one.
cleartool: Error: "foo.c@@" is no version of the same element: a common ancestor needs versions of one.
cleartool: Error: Unable to access "none.c": No such file or directory.
cleartool: Error: Option -ancestor needs two objects or more
"#,
    );
}

#[test]
fn an_element_that_an_identity_names_is_told_by_its_path() {
    let project = Project::small();
    let oid = project.sh("getfattr --only-values -n user.clerestory.oid src/bar.c 2>/dev/null || python3 -c \"import os;print(os.getxattr('src/bar.c','user.clerestory.oid').decode())\"");
    let said = project.sh(&format!("cleartool describe -short oid:{}", oid.trim()));
    assert!(said.ends_with("/vobs/x/src/bar.c@@\n"), "{said}");
}

#[test]
fn attributes_are_removed_from_all_that_is_below() {
    Project::small().check(
        r#"
$ cleartool mkattype -nc -vtype integer N; cleartool mkattr N 3 foo.c src src/bar.c | wc -l; cleartool rmattr -recurse N . | sort; cleartool rmattr N src; cleartool find . -version 'attype(N)' -print
Created attribute type "N".
3
Removed attribute "N" from "./foo.c@@/main/2".
Removed attribute "N" from "./src/bar.c@@/main/1".
Removed attribute "N" from "./src@@/main/1".
cleartool: Error: Object has no attribute of type "N".
cleartool: Error: Unable to remove attribute "N" from "src@@/main/1".
"#,
    );
}

#[test]
fn suggested_attribute_types_are_told() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool mkattype -nc A B; cleartool mkeltype -nc -supertype text_file -attype A,attype:B el; cleartool mkhltype -nc -attype B hl; cleartool mkhltype -nc -attype NONE other
Created attribute type "A".
Created attribute type "B".
Created element type "el".
Created hyperlink type "hl".
cleartool: Error: Attribute type not found: "NONE".
cleartool: Error: Unable to create hyperlink type "other".
[exit 1]
$ cleartool describe eltype:el hltype:hl hltype:Merge | grep suggested; cleartool rename attype:B C; cleartool describe eltype:el | grep suggested
  suggested attributes: A, B
  suggested attributes: B
Renamed attribute type from "B" to "C".
  suggested attributes: A, C
$ cleartool mkeltype -nc -replace -supertype text_file el; cleartool describe eltype:el | grep suggested; cleartool rmtype attype:C; cleartool describe hltype:hl | grep suggested
Replaced definition of element type "el".
Removed attribute type "C".
[exit 1]
"#,
    );
}
