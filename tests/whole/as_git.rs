//! What an imported history says is what git says of it: authorship of lines, commits of a file, contents.

use std::collections::BTreeMap;

use crate::project::Project;
use crate::repository::{NEXT, Parents, Stream};

/// A text of lines that can be told apart.
fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A file that is changed, indented, renamed, changed on a branch, merged, and merged as a whole from a branch that made
/// the same change as the trunk.
fn write(stream: &mut Stream) {
    let mut seconds = 1_112_900_000;
    let mut later = || {
        seconds += 3600;
        seconds
    };
    let mut lines: Vec<String> = (1..=40).map(|number| format!("line {number} of the program")).collect();
    stream.commit("main", later(), NEXT);
    stream.file("prog.c", text(&lines));
    stream.file("other.c", "other\n");
    stream.commit("main", later(), NEXT);
    lines[5] = "changed early".to_owned();
    lines.insert(10, "put in".to_owned());
    stream.file("prog.c", text(&lines));
    stream.commit("main", later(), NEXT);
    lines[20..25].iter_mut().for_each(|line| line.insert_str(0, "\t  "));
    stream.file("prog.c", text(&lines));
    let renamed = stream.commit("main", later(), NEXT);
    lines[1] = "renamed, and changed".to_owned();
    stream.delete("prog.c");
    stream.file("src/prog.c", text(&lines));

    let mut side = lines.clone();
    stream.commit("side", later(), Parents { first: Some(renamed), merged: &[] });
    side[30] = "changed on the side".to_owned();
    side.insert(32, "put in on the side".to_owned());
    stream.file("src/prog.c", text(&side));
    let merged = stream.commit("side", later(), NEXT);
    side[31].insert_str(0, "    ");
    side.remove(34);
    stream.file("src/prog.c", text(&side));
    stream.commit("main", later(), NEXT);
    lines[2] = "changed meanwhile".to_owned();
    stream.file("src/prog.c", text(&lines));
    let joined = stream.commit("main", later(), Parents { first: None, merged: &[merged] });
    side[2] = lines[2].clone();
    lines = side;
    stream.file("src/prog.c", text(&lines));

    let mut twin = lines.clone();
    stream.commit("main", later(), NEXT);
    lines[12] = "the same on both sides".to_owned();
    lines[14] = "on the trunk alone, and given up".to_owned();
    stream.file("src/prog.c", text(&lines));
    let whole = stream.commit("twin", later(), Parents { first: Some(joined), merged: &[] });
    twin[12] = lines[12].clone();
    stream.file("src/prog.c", text(&twin));
    stream.commit("main", later(), Parents { first: None, merged: &[whole] });
    stream.file("src/prog.c", text(&twin));
    stream.commit("main", later(), NEXT);
    twin[39] = " the last".to_owned();
    stream.file("src/prog.c", text(&twin).trim_end());
}

/// The commit of each version of a file that has one.
fn commits(project: &Project, file: &str) -> BTreeMap<String, String> {
    let rows = project.sh(&format!(
        "cleartool find {file} -version '!version(\\0)' -exec 'cleartool describe -fmt \"%Vn %[GitCommit]NSa\\n\" \"$CLEARCASE_XPN\"'"
    ));
    let row = |row: &str| {
        row.split_once(' ').map(|(version, commit)| (version.to_owned(), commit.trim_matches('"').to_owned()))
    };
    rows.lines().filter_map(row).filter(|(version, _)| !version.ends_with("/0")).collect()
}

#[test]
fn lines_have_the_authorship_of_git_blame() {
    let project = Project::imported(write);
    let of_version = commits(&project, "src/prog.c");
    let annotated = project.sh("cleartool annotate -nheader -force -out - -fmt '%Vn|' src/prog.c");
    let found: Vec<(String, String)> = annotated
        .lines()
        .map(|line| line.split_once('|').expect("a version and a line"))
        .map(|(version, line)| (of_version[version.trim()].clone(), line.to_owned()))
        .collect();
    let blamed = project.sh("git -C \"$HOME/repository\" blame -w --line-porcelain main -- src/prog.c");
    let mut wanted = Vec::new();
    let mut commit = "";
    for line in blamed.lines() {
        match line.strip_prefix('\t') {
            Some(text) => wanted.push((commit.to_owned(), text.to_owned())),
            None if line.split(' ').next().is_some_and(|word| word.len() == 40) => commit = &line[..40],
            None => {}
        }
    }
    assert_eq!(wanted.len(), 41);
    assert_eq!(found, wanted);
}

#[test]
fn a_file_has_the_commits_dates_authors_and_contents_of_git_log() {
    let project = Project::imported(write);
    let of_version = commits(&project, "src/prog.c");
    let history = project.sh("cleartool lshistory -fmt '%e|%Vn|%Fu|%Nd\\n' src/prog.c");
    let mut found: Vec<String> = Vec::new();
    for event in history.lines() {
        let fields: Vec<&str> = event.split('|').collect();
        if let ["create version", version, author, date] = fields[..]
            && let Some(commit) = of_version.get(version)
        {
            found.push(format!("{commit}|{author}|{date}"));
        }
    }
    let git = "git -C \"$HOME/repository\"";
    // A merge is a version where it changed what the trunk had.
    let wanted = project.sh(&format!(
        "for commit in $({git} rev-list --date-order main); do for path in src/prog.c prog.c; do \
         now=$({git} rev-parse -q --verify $commit:$path) && before=$({git} rev-parse -q --verify $commit^1:$path); \
         test -z \"$now\" || test \"$now\" = \"$before\" || \
         {git} log -1 --format='%H|%an|%cd' --date=format-local:%Y%m%d.%H%M%S $commit; before=; done; done"
    ));
    let wanted: Vec<&str> = wanted.lines().collect();
    assert_eq!(found, wanted);
    assert_eq!(found.len(), 12, "{found:?}");
    for (version, commit) in &of_version {
        let message = project.sh(&format!("cleartool describe -fmt '%Nc' src/prog.c@@{version}"));
        let told = project.sh(&format!("{git} log -1 --format=%B {commit}"));
        assert_eq!(message.trim_end(), told.trim_end(), "{version}");
        let content = project.sh(&format!("cat src/prog.c@@{version}"));
        let held = format!("{git} show {commit}:src/prog.c 2>/dev/null || {git} show {commit}:prog.c");
        assert_eq!(content, project.sh(&held), "{version}");
    }
}
