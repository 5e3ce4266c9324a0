"""How long it takes until there is a tree to work in, and until it shows something else: mkview against git worktree
add at several sizes, setcs against git checkout. The two take turns."""

import os
from pathlib import Path

import trees
from timing import Failure, measure, run, sum_of, sync


class Git:
    """Stands where a place stands: no daemon, no requests."""

    name = "git"
    pids = ()

    @staticmethod
    def requests():
        return None


def workspaces(view, disk, sizes, rounds, note):
    """For each size: samples of mkview, with a first `ls` of its root, with a first `ls -R`; and of git worktree add,
    with and without `ls -R`."""
    result = {}
    for size in sizes:
        note(f"a tree of {size} files")
        repository = trees.generate(disk / f"tree{size}.git", size)
        vob = f"/vobs/tree{size}"
        view.import_git(repository.path, vob)
        rows = {key: [] for key in ("mkview", "mkview+ls", "mkview+ls-R", "worktree", "worktree+ls-R")}
        for number in range(rounds):
            note(f"workspace of {size} files, round {number + 1} of {rounds}")
            turns = [lambda: with_view(view, disk, vob, f"w{size}_{number}", rows),
                     lambda: with_git(repository, disk / f"worktree{size}_{number}", rows)]
            if number % 2:
                turns.reverse()
            listings = {turn() for turn in turns}
            if len(listings) != 1:
                raise Failure(f"ls -R of {size} files differs between view and worktree")
        result[size] = rows
    return result


def with_view(view, disk, vob, tag, rows):
    sync(disk)
    made = measure([view.program, "ct", "mkview", "-tag", tag], "/", view.env, view)
    root = view.viewroot / tag / vob.removeprefix("/")
    first = measure(["ls"], root, None, view)
    every = measure(["ls", "-R", "tree"], root, None, view)
    rows["mkview"].append(sum_of([made]))
    rows["mkview+ls"].append(sum_of([made, first]))
    rows["mkview+ls-R"].append(sum_of([made, every]))
    view.cleartool("rmview", "-force", "-tag", tag)
    return every.output


def with_git(repository, directory, rows):
    sync(directory.parent)
    words = ["git", f"--git-dir={repository.path}", "worktree", "add", "-q", "--detach", directory, "HEAD"]
    made = measure(words, "/", None, Git)
    every = measure(["ls", "-R", "tree"], directory, None, Git)
    rows["worktree"].append(sum_of([made]))
    rows["worktree+ls-R"].append(sum_of([made, every]))
    repository.git("worktree", "remove", "--force", directory)
    return every.output


def switches(view, repository, disk, helper, rounds, note):
    """From the tip to the commit in the middle and back: setcs of a view, git checkout of a worktree; alone, and with
    a walk of everything behind it."""
    tip, past = repository.tip(), repository.git("rev-parse", f"{trees.PAST}^{{commit}}").strip()
    worktree = disk / "switched"
    repository.git("worktree", "add", "-q", "--detach", worktree, tip)
    view.cleartool("mkview", "-tag", "switched")
    root = view.viewroot / "switched" / "vobs" / "tree"
    specs = {tip: "element * /main/LATEST\n", past: f"element * {trees.PAST}\n"}
    for commit, text in specs.items():
        (Path(disk) / f"{commit}.cs").write_text(text)
    rows = {key: [] for key in ("setcs", "setcs+walk", "checkout", "checkout+walk")}
    walk = [helper, "walk", ".", "1"]
    # Both have walked what they leave.
    for directory in (root, worktree):
        run(walk, cwd=directory)

    def in_view(commit):
        moved = measure([view.program, "ct", "setcs", "-tag", "switched", disk / f"{commit}.cs"], "/", view.env, view)
        rows["setcs"].append(sum_of([moved]))
        rows["setcs+walk"].append(sum_of([moved, measure(walk, root, None, view)]))

    def in_git(commit):
        words = ["git", "-C", worktree, "checkout", "-q", "--detach", commit]
        moved = measure(words, "/", None, Git)
        rows["checkout"].append(sum_of([moved]))
        rows["checkout+walk"].append(sum_of([moved, measure(walk, worktree, None, Git)]))

    for number in range(2 * rounds):
        commit = tip if number % 2 else past
        note(f"switch {number + 1} of {2 * rounds}")
        turns = [in_view, in_git]
        if number // 2 % 2:
            turns.reverse()
        for turn in turns:
            sync(disk)
            turn(commit)
        if number < 2:
            # .git of a worktree is a file that the view does not have.
            os.rename(worktree / ".git", disk / "switched.git")
            digests = {run([helper, "digest", "."], cwd=at).rpartition("digest ")[2] for at in (root, worktree)}
            os.rename(disk / "switched.git", worktree / ".git")
            if len(digests) != 1:
                raise Failure(f"the view and the worktree differ at {commit}")
    changed = len(repository.git("diff", "--name-only", "--no-renames", past, tip).splitlines())
    view.cleartool("rmview", "-force", "-tag", "switched")
    repository.git("worktree", "remove", "--force", worktree)
    return {"files": repository.files(), "changed": changed, "rows": rows}
