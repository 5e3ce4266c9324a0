//! A release from the first change to the patch: two developers' branches, their integration, a label, a bug fix on a
//! branch off the label that is merged back, and a change that is taken out again.

use crate::project::Project;

fn branch_spec(branch: &str, point: &str) -> String {
    format!("element * CHECKEDOUT\nelement * .../{branch}/LATEST\nelement * {point} -mkbranch {branch}\n")
}

#[test]
fn a_release_is_developed_integrated_fixed_and_patched() {
    let project = Project::empty();
    let world = &project.world;
    project.sh("cleartool co -nc . && cleartool mkdir -nc lib && seq 20 > lib/core.c && seq 5 > main.c && \
         cleartool mkelem -nc lib/core.c main.c && cleartool ci -nc lib/core.c main.c lib . && \
         cleartool mkbrtype -nc anne bob fix && cleartool mklbtype -nc REL1");
    for (view, branch, point) in
        [("anne", "anne", "/main/LATEST"), ("bob", "bob", "/main/LATEST"), ("fix", "fix", "REL1")]
    {
        world.make_view(view);
        world.set_spec(view, &branch_spec(branch, point));
    }
    let in_view = |view: &str, line: &str| world.sh(&world.in_view(view, "/vobs/x"), line).ok();
    // Anne renames the file that Bob edits, and adds one.
    in_view(
        "anne",
        "cleartool co -nc . lib && cleartool mv lib/core.c lib/kernel.c && echo 'anne' > lib/new.c && \
         cleartool mkelem -nc -ci lib/new.c && cleartool co -nc main.c && sed -i '1s/.*/anne 1/' main.c && \
         cleartool ci -nc main.c lib && cleartool unco .",
    );
    in_view(
        "bob",
        "cleartool co -nc lib/core.c main.c && sed -i '10s/.*/bob 10/' lib/core.c && sed -i '5s/.*/bob 5/' main.c && \
         cleartool ci -nc lib/core.c main.c",
    );
    // Integration: first one, then the other.
    for branch in ["anne", "bob"] {
        let merged = project.sh(&format!(
            "cleartool findmerge . -fver .../{branch}/LATEST -merge -log NUL -c 'from {branch}' && \
             cleartool ci -nc $(cleartool lsco -s -r)"
        ));
        assert!(merged.contains("Recorded merge"), "{merged}");
        assert_eq!(
            project.sh(&format!("cleartool findmerge . -fver .../{branch}/LATEST -print -merge -log NUL")),
            ""
        );
    }
    assert_eq!(project.sh("sed -n 10p lib/kernel.c; cat main.c | tr '\\n' ' '; cat lib/new.c; ls lib | grep -c core.c$ || true"), "bob 10\nanne 1 2 3 4 bob 5 anne\n0\n");
    project.sh("cleartool mklabel -recurse REL1 .");
    // Development goes on while the release is fixed.
    project.sh("cleartool co -nc lib/kernel.c && sed -i '20s/.*/later/' lib/kernel.c && cleartool ci -nc lib/kernel.c");
    in_view(
        "fix",
        "cleartool co -nc lib/kernel.c && sed -i '1s/.*/fixed/' lib/kernel.c && cleartool ci -nc lib/kernel.c",
    );
    let found = project
        .sh("cleartool findmerge . -fver .../fix/LATEST -merge -log NUL && cleartool ci -nc lib/kernel.c");
    assert!(
        found.contains("Needs Merge \"./lib/kernel.c\" [to /main/3 from /main/fix/1 base /main/2]"),
        "{found}"
    );
    assert_eq!(project.sh("sed -n '1p;10p;20p' lib/kernel.c"), "fixed\nbob 10\nlater\n");
    // What /main/3 did is taken out again; the fix stays.
    project
        .sh("cleartool co -nc lib/kernel.c && cleartool merge -to lib/kernel.c -delete -version /main/3 && \
         cleartool ci -nc lib/kernel.c");
    assert_eq!(project.sh("sed -n '1p;10p;20p' lib/kernel.c"), "fixed\nbob 10\n20\n");
    // A removed name comes back.
    project.sh("cleartool co -nc lib && cleartool rmname lib/new.c && cleartool ci -nc lib");
    let removed_in = project.sh("cleartool describe -s lib");
    let version = removed_in.trim().split_once("@@").expect("a version").1.to_owned();
    project.sh(&format!(
        "cleartool co -nc lib && cleartool merge -to lib -delete -version {version} && cleartool ci -nc lib"
    ));
    assert_eq!(project.sh("cat lib/new.c"), "anne\n");
    // Nothing is needed from any branch, and each arrow says where it came from.
    for branch in ["anne", "bob", "fix"] {
        assert_eq!(
            project.sh(&format!("cleartool findmerge -all -fver .../{branch}/LATEST -print -log NUL")),
            ""
        );
    }
    let arrows = project.sh("cleartool lsvtree -merge lib/kernel.c | grep -e '->' -e '<-' | sort");
    assert_eq!(
        arrows,
        "  -> lib/kernel.c@@/main/2\n  -> lib/kernel.c@@/main/4\n  <- lib/kernel.c@@/main/bob/1\n  <- lib/kernel.c@@/main/fix/1\n"
    );
}
