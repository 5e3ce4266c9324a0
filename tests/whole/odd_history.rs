//! A history that has everything a history can have, in some sixty commits.

use crate::repository::{Mark, NEXT, Parents, Repository, Stream};

/// Committer date of the first commit, in seconds since 1970.
const BEGIN_S: i64 = 1_100_000_000;
/// Names that are no words.
pub const ODD_NAMES: &[&[u8]] = &[
    b"with blanks in it.txt",
    b"new\nline",
    b"not utf-8 \xe9\xff\x80",
    b"tab\there",
    b"quote\"and\\backslash",
    b"-dash",
    b"at@@sign",
    b"*?[x]",
    b"...",
];

/// Commits that tests ask for.
pub struct Marks {
    /// Where branch `side` begins; tag `fork-side` stands there.
    pub side_fork: Mark,
    /// The newest commit of `main`.
    pub main: Mark,
    /// The newest commit of `side`.
    pub side: Mark,
}

/// The longest name a directory can hold: 255 bytes.
pub fn longest_name() -> Vec<u8> {
    [b"longest-".as_slice(), &[b'n'; 247]].concat()
}

fn binary(seed: u8) -> Vec<u8> {
    (0..20_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed).collect()
}

struct Writer<'a> {
    stream: &'a mut Stream,
    commits: i64,
}

impl Writer<'_> {
    fn next(&mut self, branch: &str, parents: Parents<'_>) -> Mark {
        self.commits += 1;
        // Every seventh committer's clock is half a day slow.
        let slow_s = if self.commits % 7 == 0 { 43_200 } else { 0 };
        self.stream.commit(branch, BEGIN_S + self.commits * 3600 - slow_s, parents)
    }

    fn main(&mut self) -> Mark {
        self.next("main", NEXT)
    }

    /// Forty lines, of which three tell the version: enough is common for git to see a rename.
    fn text(&mut self, path: &str, what: &str) {
        let title = match path {
            "src/a.c" | "src/core.c" => "core",
            path => path.rsplit('/').next().unwrap_or(path),
        };
        let line = |line| match line % 15 {
            7 => format!("{title}: line {line} of {what}\n"),
            _ => format!("{title}: line {line}\n"),
        };
        self.stream.file(path, (0..40).map(line).collect::<String>());
    }
}

/// Makes the history.
pub fn make(repository: &mut Repository) -> Marks {
    let marks = repository.import(|stream| {
        let mut writer = Writer { stream, commits: 0 };
        beginnings(&mut writer);
        let side_fork = kinds(&mut writer);
        let side = side_branch(&mut writer, side_fork);
        returns(&mut writer);
        criss_cross(&mut writer);
        let main = steady_work(&mut writer);
        Marks { side_fork, main, side }
    });
    let inner = ["tag", "-a", "-m", "inner", "inner", "main~3"];
    repository.git(&inner);
    repository.git(&["tag", "-a", "-m", "outer", "outer", "inner"]);
    repository.git(&["tag", "tree-only", "main^{tree}"]);
    // Its commits are reached through a merge alone.
    repository.git(&["update-ref", "-d", "refs/heads/gone"]);
    repository.git(&["reset", "-q", "--mixed", "main"]);
    marks
}

fn beginnings(writer: &mut Writer<'_>) {
    writer.main();
    for path in ["README", "src/a.c", "src/b.c", "src/lib/deep/x.h", "src/lib/y.h"] {
        writer.text(path, "the first version");
    }
    writer.stream.file("empty", "");
    writer.stream.file("data.bin", binary(0));
    writer.stream.file("run.sh", "#!/bin/sh\necho run\n");
    writer.main();
    writer.text("src/a.c", "the second version");
    writer.stream.program("run.sh", "#!/bin/sh\necho run\n");
    writer.main();
    for name in ODD_NAMES {
        writer.stream.file(name, [b"in ", *name].concat());
        writer.stream.file([b"odd/", *name].concat(), [b"below, in ", *name].concat());
    }
    writer.stream.file(longest_name(), "in the longest name\n");
    writer.stream.file([longest_name(), b"d/x".to_vec()].concat().split_off(1), "x\n");
    writer.main();
    writer.stream.link("link", "README");
    writer.stream.link("dangling", b"nowhere/\xff");
    writer.stream.link("src/up", "../README");
    writer.stream.link("tree", "src/lib");
    writer.main();
    writer.stream.rename("src/a.c", "src/core.c");
    writer.main();
    writer.stream.rename("src/lib", "src/library");
    writer.main();
    writer.text("src/core.c", "the version after the rename");
    writer.text("src/library/y.h", "the version after its directory's rename");
}

/// Names that change what they are. Returns the commit from which the side branch goes.
fn kinds(writer: &mut Writer<'_>) -> Mark {
    writer.main();
    writer.stream.link("link", "src/core.c");
    writer.text("turns", "a file that will be a link");
    writer.text("thing/one", "in a directory");
    writer.text("thing/two", "in a directory");
    writer.main();
    writer.stream.link("turns", "empty");
    writer.main();
    writer.stream.delete("thing");
    writer.text("thing", "a file where a directory was");
    let fork = writer.main();
    writer.text("turns", "a file again");
    writer.stream.reset("refs/tags/fork-side", fork);
    writer.main();
    writer.stream.delete("thing");
    writer.text("thing/one", "in a directory again");
    writer.stream.delete("src/b.c");
    fork
}

fn side_branch(writer: &mut Writer<'_>, fork: Mark) -> Mark {
    writer.next("side", Parents { first: Some(fork), merged: &[] });
    writer.text("src/core.c", "the side's version");
    let second = writer.next("side", NEXT);
    writer.text("src/side only.c", "the side's own file");
    writer.stream.delete("empty");
    writer.stream.tag("rel/side-1", second);
    writer.next("side", NEXT);
    writer.stream.rename("src/side only.c", "src/sidelong.c");
    writer.stream.program("data.bin", binary(7));
    let last = writer.next("side", NEXT);
    writer.stream.rename("src/library", "headers");
    // A branch whose last commit is on no other branch, and whose name is no type name.
    writer.next("topic/with~out".replace('~', "-").as_str(), Parents { first: Some(second), merged: &[] });
    writer.text("src/topic.c", "the topic's own file");
    last
}

fn returns(writer: &mut Writer<'_>) {
    writer.main();
    writer.text("src/b.c", "the first version");
    writer.main();
    writer.text("src/b.c", "a version after it came back");
    // A file makes room for a directory of its name and moves into it; another joins it there.
    writer.stream.rename("turns", "moved/turns");
    writer.text("turns/more", "beside it");
    writer.stream.rename("run.sh", "run.sh/run.sh");
    writer.main();
    writer.stream.rename("run.sh/run.sh", "run.sh");
    writer.stream.file("run.sh", "#!/bin/sh\necho run\n");
    writer.main();
    writer.stream.submodule("vendor/part");
    writer.stream.file(".gitmodules", "[submodule \"part\"]\n\tpath = vendor/part\n\turl = ../part\n");
    writer.stream.file("data.bin", binary(1));
    let released = writer.main();
    writer.stream.file("data.bin", "");
    writer.stream.file("empty", "no longer\n");
    writer.stream.reset("refs/tags/v1.0", released);
}

fn criss_cross(writer: &mut Writer<'_>) {
    let base = writer.main();
    writer.text("cross/left", "the base");
    writer.text("cross/right", "the base");
    let fork = Parents { first: Some(base), merged: &[] };
    let left = writer.main();
    writer.text("cross/left", "the left");
    let right = writer.next("cross", fork);
    writer.text("cross/right", "the right");
    writer.stream.reset("refs/tags/fork-cross", base);
    let left_merge = writer.next("main", Parents { first: Some(left), merged: &[right] });
    writer.text("cross/right", "the right");
    let right_merge = writer.next("cross", Parents { first: Some(right), merged: &[left] });
    writer.text("cross/left", "the left");
    writer.text("cross/both", "the right's merge");
    let left = writer.next("main", Parents { first: Some(left_merge), merged: &[right_merge] });
    writer.text("cross/both", "the left's merge");
    writer.text("cross/left", "the left, once more");
    writer.next("gone", Parents { first: Some(left), merged: &[] });
    writer.text("cross/gone", "a history without a name");
    let gone = writer.next("gone", NEXT);
    writer.text("cross/gone", "a history without a name, second version");
    writer.main();
    writer.text("README", "the version beside the nameless history");
    writer.next("main", Parents { first: None, merged: &[gone] });
    writer.text("cross/gone", "a history without a name, second version");
}

fn steady_work(writer: &mut Writer<'_>) -> Mark {
    let mut last = 0;
    for round in 0..28 {
        last = writer.main();
        writer.text(["README", "src/core.c", "src/library/y.h"][round % 3], &format!("round {round}"));
        match round % 7 {
            1 => writer.text(&format!("more/{round}/new"), "a new file"),
            3 => writer.stream.delete(format!("more/{}/new", round - 2)),
            5 => writer.stream.rename("src/core.c", format!("src/core{round}.c")),
            6 => writer.stream.rename(format!("src/core{}.c", round - 1), "src/core.c"),
            _ => {}
        }
        if round == 20 {
            writer.stream.tag("v2.0", last);
        }
    }
    last
}
