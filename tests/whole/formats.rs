//! `-fmt` in every command that takes it, against a real VOB.

use crate::project::Project;

/// In /vobs/x: foo.c with a branch, labels, attributes, a merge and a checkout; a link, a private file, a locked type.
pub fn rich() -> Project {
    let project = Project::small();
    project.sh(
        "cleartool mklbtype -c 'release 1' REL1 REL2 && cleartool mkbrtype -nc fix && cleartool mkattype -nc QAed && \
         cleartool mkattype -nc -vtype integer Bug && cleartool mklabel REL1 foo.c && cleartool mklabel REL2 foo.c && \
         cleartool mkattr QAed '\"Yes\"' foo.c && cleartool mkattr Bug 7 foo.c && \
         cleartool mkbranch -nc fix foo.c && echo three >> foo.c@@/main/fix/CHECKEDOUT 2>/dev/null; true",
    );
    project.world.set_spec("v", "element * CHECKEDOUT\nelement * .../fix/LATEST\nelement * /main/LATEST\n");
    project.sh("echo three >> foo.c && cleartool ci -c 'on the branch\nsecond line' foo.c && \
         cleartool mkhlink -nc Merge foo.c@@/main/fix/1 foo.c@@/main/2 && cleartool co -nc . && \
         cleartool ln -s ../elsewhere/real.h link.h && cleartool co -unres -c 'on its way' src/bar.c && \
         echo private > notes.txt && cleartool lock -c 'frozen' lbtype:REL2 && \
         cleartool lock -nc -nusers nobody brtype:fix && cleartool unlock brtype:fix");
    project
}

#[test]
fn describe_prints_what_a_format_asks_for() {
    rich().check(
        r#"
$ cleartool describe -fmt "%n|%En|%Vn|%PVn|%Ln|%m|%Km\n" foo.c
foo.c@@/main/fix/1|foo.c|/main/fix/1|/main/fix/0|1|version|version
$ cleartool desc -fmt '%n %Sn %PSn %Xn %o %e\n' foo.c@@/main/2 foo.c@@/main/fix/0 foo.c@@/main/0
foo.c@@/main/2 /main/2 /main/1 foo.c@@/main/2 checkin create version
foo.c@@/main/fix/0 /main/fix/0 /main/2 foo.c@@/main/fix/0 mkbranch create version
foo.c@@/main/0 /main/0  foo.c@@/main/0 mkelem create version
$ cleartool desc -fmt '%l|%Nl|%Cl|%.1Cl|%a|%Na|%Sa|%SNa|%[Bug]a|%SN[QAed]a\n' foo.c@@/main/2
(REL1, REL2)|REL1 REL2|(REL1, REL2)|(REL1, ...)|(QAed="Yes", Bug=7)|QAed="Yes" Bug=7|("Yes", 7)|"Yes" 7|(Bug=7)|"Yes"
$ cleartool desc -fmt '%c%Nc|\n' foo.c foo.c@@/main/fix/0
on the branch
second line
on the branch
second line|
|
$ cleartool desc -fmt '%Vn %PVn %Rf %f %[ <- ]f %Tf %Mf %[version_predecessor]p|%m\n' src/bar.c foo.c
/main/CHECKEDOUT /main/1 unreserved /main/1  <- /main/1 v mastered /main/1|version
/main/fix/1 /main/fix/0      /main/fix/0|version
$ cleartool desc -fmt '%n %m %Km %o %[type]p %[pool]p %[owner]p %[group]p %[locked]p|%Vn\n' foo.c@@ src@@ foo.c@@/main/fix
foo.c@@ file element element mkelem text_file sdft cdft root root unlocked|
src@@ directory element element mkelem directory sdft cdft ddft root root unlocked|
foo.c@@/main/fix branch branch mkbranch fix  root root unlocked|/main/fix
$ cleartool desc -fmt '%[hlink]p\n%[hlink:Merge]p|%[hlink:None]p\n' foo.c | sed 's/@[0-9]*@/@N@/; s,/[^ ]*/view/v,,'
"Merge@N@/vobs/x" -> "/vobs/x/foo.c@@/main/2" 
"Merge@N@/vobs/x" -> "/vobs/x/foo.c@@/main/2" |
$ cleartool desc -fmt '%n %m %[slink_text]p %[slink_text_mvfs]p %o|%Vn\n' link.h
link.h symbolic link ../elsewhere/real.h ../elsewhere/real.h mkslink|
$ cleartool desc -fmt '%n|%Xn|%m|%Km|%[locked]p|%[type_constraint]p|%[type_scope]p|%Nc|%o\n' lbtype:REL1 lbtype:REL2 brtype:fix
REL1|lbtype:REL1@/vobs/x|label type|lbtype|unlocked|one version per element|ordinary|release 1|mktype
REL2|lbtype:REL2@/vobs/x|label type|lbtype|locked|one version per element|ordinary|release 1|mktype
fix|brtype:fix@/vobs/x|branch type|brtype|unlocked|one branch per element|ordinary||mktype
$ cleartool desc -fmt '%n|%Xn|%m|%Km|%[vob_replication]p|%[replica_name]p|%o|%[owner]p\n' vob:.
/vobs/x|vob:/vobs/x|versioned object base|vob|unreplicated|original|mkvob|root
$ cleartool desc -fmt '%n|%Vn|%m|%d|%u|%c|%[activity]p\n' notes.txt
notes.txt||||||
$ cleartool desc -fmt '%u %Gu %Lu|%-8.4u|%6.2u|%%|\"%Ln\"\ttab\\\101\n' foo.c
root root root.root|root    |    ro|%|"1"	tab\A
$ cleartool desc -fmt 'no newline' foo.c; echo ' here'
no newline here
$ cleartool desc -fmt '%Ln\n' nothing foo.c
cleartool: Error: Unable to access "nothing": No such file or directory.
1
[exit 1]
$ cleartool desc -fmt 'ab%Zn' foo.c
cleartool: Error: Unrecognized format "ab%Zn": column 4: "Z" before "n", which takes the modifiers EDOLSVXP.
[exit 1]
$ cleartool desc -long -fmt '%n' foo.c 2>&1 | head -1
cleartool: Error: Options -long and -fmt are mutually exclusive
$ cleartool desc -pred -fmt '%Vn\n' foo.c
/main/fix/0
$ cd src && cleartool desc -fmt '%En %n\n' . ../foo.c bar.c@@
. .@@/main/1
../foo.c ../foo.c@@/main/fix/1
bar.c bar.c@@
"#,
    );
}

#[test]
fn identifiers_lead_back_to_their_objects() {
    let project = rich();
    for object in
        ["foo.c", "foo.c@@", "foo.c@@/main/fix", "src", "src/bar.c", "link.h", "lbtype:REL1", "vob:.", "."]
    {
        let told = project.sh(&format!("cleartool desc -fmt '%On %Dn %m %Ln' {object}"));
        let words: Vec<&str> = told.splitn(3, ' ').collect();
        let [oid, dbid, what] = words[..] else { panic!("{told}") };
        assert_eq!(oid.len(), 32 + 8, "{oid}");
        let leaf = if what.starts_with("symbolic") || what.ends_with("element") { "%m" } else { "%m %Ln" };
        let what = if leaf == "%m" { what.rsplit_once(' ').unwrap().0 } else { what };
        for selector in [format!("oid:{oid}"), format!("dbid:{dbid}")] {
            assert_eq!(
                project.sh(&format!("cleartool desc -fmt '{leaf}' {selector}")),
                what,
                "{object} {selector}"
            );
        }
    }
    project.check(
        r#"
$ cleartool mkattr -replace Bug 9 oid:$(cleartool desc -fmt %On foo.c@@/main/2) > /dev/null; cleartool desc -fmt '%[Bug]a\n' foo.c@@/main/2
(Bug=9)
$ cleartool mkattr Bug 5 dbid:$(cleartool desc -fmt %Dn lbtype:REL1) > /dev/null; cleartool desc -fmt '%a\n' lbtype:REL1
(Bug=5)
$ cleartool lshistory -fmt '%n\n' oid:$(cleartool desc -fmt %On foo.c@@/main/2) | sed 's,.*/view/v,,'
/vobs/x/foo.c@@/main/2
$ cleartool desc -fmt '%n' oid:00000000.00000000.0000.00:00:00:00:00:00 2>&1 | cut -c1-20
cleartool: Error: Un
$ cleartool desc -fmt '%n' dbid:99999999 2>&1 | cut -c1-20
cleartool: Error: Un
"#,
    );
}

#[test]
fn histories_and_listings_take_formats() {
    rich().check(
        r#"
$ cleartool lshistory -fmt '%-10.8u|%-10.14o|%e|%n|%Vn|%PVn|%Nl\n' foo.c
root      |checkin   |create version|foo.c@@/main/fix/1|/main/fix/1|/main/fix/0|
root      |mkbranch  |create version|foo.c@@/main/fix/0|/main/fix/0|/main/2|
root      |mkbranch  |create branch|foo.c@@/main/fix|/main/fix||
root      |checkin   |create version|foo.c@@/main/2|/main/2|/main/1|REL1 REL2
root      |checkin   |create version|foo.c@@/main/1|/main/1|/main/0|
root      |mkelem    |create version|foo.c@@/main/0|/main/0||
root      |mkelem    |create branch|foo.c@@/main|/main||
root      |mkelem    |create file element|foo.c@@|||
$ cleartool lshistory -minor -last 3 -fmt '%o|%e|%Vn|%a\n' foo.c
mkhlink|make hyperlink "Merge" on version|/main/fix/1|
checkin|create version|/main/fix/1|
mkbranch|create version|/main/fix/0|
$ cleartool lshistory -d -fmt '%o|%n|%Xn|%Rf|%Tf|%PVn|%Nc\n' -last 1 src/bar.c
checkout|src/bar.c|src/bar.c@@/main/CHECKEDOUT|unreserved|v|/main/1|on its way
$ cleartool lshistory -fmt '%o|%e|%n|%m|%Nc\n' lbtype:REL2
lock|lock label type|REL2|label type|Locked for all users.
frozen
mktype|create label type|REL2|label type|release 1
$ cleartool lshistory -eventid -last 1 -fmt '%e\n' foo.c | sed 's/[0-9][0-9]*/N/'
event N:
create version
$ cleartool lscheckout -r -fmt '%En\t%PVn\t%Vn\t%Rf\t%Tf\t%n\n'
src/bar.c	/main/1	/main/CHECKEDOUT	unreserved	v	src/bar.c
.	/main/1	/main/CHECKEDOUT	reserved	v	.
$ cleartool lscheckout -cview -r -fmt '%n\n'
src/bar.c
.
$ cleartool lsco -d -fmt "%Tf,%u\n" .
v,root
$ cleartool lstype -kind lbtype -fmt '%n %u %[locked]p %Xn\n'
REL1 root unlocked lbtype:REL1@/vobs/x
REL2 root locked lbtype:REL2@/vobs/x
$ cleartool lstype -fmt '%Nc|%m\n' lbtype:REL1
release 1|label type
$ cleartool lslock -fmt '%n|%o|%e|%Nc|%[locked]p|%m|%u\n'
REL2|lock|lock label type|Locked for all users.
frozen|locked|label type|root
$ cleartool lslock -fmt '%c' lbtype:REL2
Locked for all users.
frozen
$ cleartool lsvtree -fmt '%[2]i%Vn %Nl %Tf\n' src/bar.c foo.c
/main  
/main/1  
/main/CHECKEDOUT  v
/main  
/main/2 REL1 REL2 
  /main/fix  
  /main/fix/1  
$ cleartool find . -version 'lbtype(REL1)' -exec 'cleartool describe -fmt "%En %Nl\n" $CLEARCASE_XPN'
./foo.c REL1 REL2
"#,
    );
}

#[test]
fn real_newlines_and_tabs_are_printed() {
    let project = Project::small();
    assert_eq!(project.sh("cleartool desc -fmt '%Ln\tliteral\n' foo.c"), "2\tliteral\n");
    assert_eq!(
        project.sh("cleartool find . -name foo.c -exec 'cleartool desc -fmt \"%En\t%m\n\" $CLEARCASE_PN'"),
        "./foo.c\tversion\n"
    );
}

#[test]
fn dates_are_printed_in_both_styles() {
    let project = Project::small();
    let digits = |text: String| text.replace(|letter: char| letter.is_ascii_digit(), "9");
    let print = |format: &str| digits(project.sh(&format!("cleartool desc -fmt '{format}' foo.c")));
    assert_eq!(print("%d %Sd %Nd %SNd"), "9999-99-99T99:99:99+99:99 9999-99-99 99999999.999999 99999999");
    assert_eq!(print("%Ad %MAd %BAd %OAd"), "9 9 ##### #");
    let legacy = digits(project.sh("CCASE_ISO_DATE_FMT=0 cleartool desc -fmt '%d %Sd %Nd' foo.c"));
    let pattern = regex::Regex::new("^99-[A-Z][a-z]{2}-99\\.99:99:99 99-[A-Z][a-z]{2}-99 99999999\\.999999$");
    assert!(pattern.unwrap().is_match(&legacy), "{legacy}");
    let weekday = print("%Vd");
    assert!(weekday.split(' ').next().is_some_and(|day| day.ends_with("day")), "{weekday}");
    let host = project.sh("cleartool desc -fmt '%h' foo.c");
    assert_eq!(host, project.sh("cat /proc/sys/kernel/hostname").trim());
}

#[test]
fn names_that_are_not_utf8_come_as_they_are() {
    let project = Project::empty();
    project.sh(
        "n=$(printf 'a\\377b'); cleartool co -nc . && echo x > \"$n\" && cleartool mkelem -nc -ci \"$n\" && cleartool ci -nc .",
    );
    let script =
        "cleartool desc -fmt '%-8.3En|%5En|%n' \"$(printf 'a\\377b')\" | od -An -c | tr -s ' \\n' ' '";
    assert_eq!(project.sh(script).trim(), "a 377 b | a 377 b | a 377 b @ @ / m a i n / 1");
}
