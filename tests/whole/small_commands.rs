//! Commands that tell or copy a little: `get`, `dump`, `hostinfo`, `lsregion`, `space`, `getlog`, `man`, `apropos`.

use crate::project::Project;

#[test]
fn get_copies_versions() {
    let project = Project::small();
    project.check(
        r#"
$ cleartool get -to /tmp/../$HOME/one foo.c@@/main/1; cat ~/one; stat -c %a ~/one
one
444
$ cleartool get -to ~/new foo.c && cat ~/new
one
two
$ cleartool get -to ~/one foo.c
cleartool: Error: Unable to create "WORLD/one": File exists.
[exit 1]
$ cleartool get -to ~/dir src
cleartool: Error: Unable to copy "src": it is a directory version.
[exit 1]
$ cleartool get -to ~/element foo.c@@
cleartool: Error: Unable to copy "foo.c@@": it is no version.
[exit 1]
$ echo private > notes; cleartool get -to ~/notes notes
cleartool: Error: Not a vob object: "notes".
[exit 1]
$ cleartool get -to ~/none foo.c@@/main/7
cleartool: Error: Unable to access "foo.c@@/main/7": No such file or directory.
[exit 1]
$ cleartool get foo.c
cleartool: Error: Destination pathname (-to) required
Usage: get -to dest-pname pname
[exit 1]
$ ls ~/dir ~/element ~/notes ~/none 2>&1 | grep -c 'No such file'
4
$ cleartool co -nc foo.c > /dev/null; echo three >> foo.c; cleartool get -to ~/out foo.c; tail -1 ~/out
three
"#,
    );
}

#[test]
fn numbers_and_identifiers_are_dumped() {
    Project::small().check(
        r#"
$ cleartool dump foo.c | sed 's/[0-9][0-9]* (0x[0-9a-f]*)/N/; s/ino: [0-9]*/ino: N/; s/\([acm]time\): .*/\1/'
foo.c@@/main/2

oid=OID  dbid=N
mtype=version  type=text_file
branch="/main"  ver num=2
returned fstat:
  ino: N; type: 1; mode: 0444
  usid: UNIX:UID-0
  gsid: UNIX:GID-0
  nlink: 1; size: 8
  atime
  mtime
  ctime
$ cleartool mklbtype -nc REL1 > /dev/null; cleartool dump -long vob:. | sed -n '/label type objects:/,$p' | sed 's/<[0-9]*>/<N>/'
label type objects:
  <N>  REL1
trigger type objects:
$ cleartool dump nothing foo.c@@ | sed -n 's/^mtype/mtype/p'
cleartool: Error: Unable to access "nothing": No such file or directory.
mtype=file element  type=text_file
"#,
    );
}

#[test]
fn the_host_its_space_and_its_log_are_told() {
    let project = Project::small();
    let told = project.sh("cleartool hostinfo -l");
    assert!(told.lines().all(|line| line.contains(": ")), "{told}");
    assert!(
        told.contains("\n  Product: Clerestory ") && told.contains("\n  Registry region: local\n"),
        "{told}"
    );
    assert_eq!(project.sh("cleartool lsregion"), "local\n");
    project.check(
        r#"
$ cleartool lsstgloc; cleartool lsstgloc -vob -s
  views                WORLD/home/views
  vobs                 WORLD/home/vobs
vobs
$ cleartool lsstgloc -long views nothing | grep -v host:; cleartool lsstgloc -host elsewhere
cleartool: Error: Storage location not found: "nothing".
Name: views
  Type: View
  Region: local
  Global path: WORLD/home/views
  Server host path: WORLD/home/views
$ cleartool mkview -tag w -stgloc views > /dev/null && cleartool lsview -short w; cleartool mkview -tag u -stgloc vobs
w
cleartool: Error: Storage location not found: "vobs".
[exit 1]
$ cleartool describe -cact; cleartool describe -aliases foo.c
cleartool: Error: Option -cact is not supported yet: there are no activities.
cleartool: Error: Option -aliases is not supported yet.
[exit 1]
"#,
    );
    let space = project.sh("cleartool space -vob /vobs/x");
    assert!(space.starts_with("Space of vob \"/vobs/x\":\n   Use(Mb)  %Use  Directory\n"), "{space}");
    assert!(space.lines().any(|line| line.ends_with("  Total")) && space.contains("\nFilesystem (capacity "));
    project.sh("cleartool space -view v && cleartool space -directory .");
    let log = project.sh("cleartool getlog -last 3");
    assert!(
        log.starts_with("=====") && log.contains("\nSelection: Last 3 lines of log displayed\n"),
        "{log}"
    );
    assert_eq!(project.sh("cleartool getlog -inquire"), "daemon\n");
    project.check(
        r#"
$ cleartool hostinfo elsewhere.invalid
cleartool: Error: Unable to contact host "elsewhere.invalid": no other host is known.
[exit 1]
$ cleartool space -vob /vobs/none
cleartool: Error: No matching entries found for VOB tag "/vobs/none".
[exit 1]
$ cleartool getlog albd
cleartool: Error: No log is named "albd"; there is "daemon".
[exit 1]
$ cleartool man get; cleartool apropos 'a new file'
get: copies what a version holds to a new file
Usage: get -to dest-pname pname
get: copies what a version holds to a new file
$ cleartool apropos xyzzy
cleartool: Error: xyzzy: nothing appropriate.
[exit 1]
"#,
    );
}
