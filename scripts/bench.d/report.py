"""From samples to what is read: medians and ratios as a table, as JSON, and the ratios as a plot. Measures nothing.

A ratio is a median divided by the median of ext4 (of git, for workspaces): below 1 is faster. CPU is that of the
work's own processes and of the daemon behind the place together."""

from dataclasses import dataclass

from places import EXT4, VIEW
from timing import median

@dataclass
class Row:
    """The medians of one work in one place. `requests` is None where nobody counts."""

    wall_s: float
    cpu_s: float
    requests: int | None


def summarize(samples):
    """One row from samples in the form they have in JSON."""
    counted = [sum(sample["requests"].values()) for sample in samples if sample["requests"] is not None]
    return Row(median(sample["wall_s"] for sample in samples),
               median(sample["cpu_s"] + sample["daemon_cpu_s"] for sample in samples),
               int(median(counted)) if counted else None)


def seconds(value):
    if value >= 10:
        return f"{value:.1f} s"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def quotient(value, base):
    return value / base if base > 0 else float("inf")


def ratio(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def table(rows):
    """Columns under each other: the first to the left, the others to the right. A row of one cell is a line."""
    widths = [max(len(row[at]) for row in rows if len(row) > 1) for at in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return lines


def works_table(works):
    peers = peer_names(works)
    rows = [["work", EXT4, VIEW, "ratio", "CPU ratio", "requests", *peers]]
    for work in works.values():
        rows_of = {name: summarize(samples) for name, samples in work["places"].items()}
        base, view = rows_of[EXT4], rows_of[VIEW]
        rows.append([work["title"], seconds(base.wall_s), seconds(view.wall_s),
                     ratio(quotient(view.wall_s, base.wall_s)), ratio(quotient(view.cpu_s, base.cpu_s)),
                     "" if view.requests is None else str(view.requests),
                     *(ratio(quotient(rows_of[name].wall_s, base.wall_s)) for name in peers)])
    return table(rows)


def peer_names(works):
    names = next(iter(works.values()))["places"] if works else ()
    return [name for name in names if name not in (EXT4, VIEW)]


def against_git(pairs):
    rows = [["work", "git", VIEW, "git / view", "CPU git / view", "requests"]]
    for title, git, view in pairs:
        git, view = summarize(git), summarize(view)
        rows.append([title, seconds(git.wall_s), seconds(view.wall_s), ratio(quotient(git.wall_s, view.wall_s)),
                     ratio(quotient(git.cpu_s, view.cpu_s)), "" if view.requests is None else str(view.requests)])
    return table(rows)


def workspace_pairs(workspaces):
    for size, rows in workspaces.items():
        yield f"{size} files: mkview / worktree add", rows["worktree"], rows["mkview"]
        yield f"{size} files: ... and ls of the root", rows["worktree"], rows["mkview+ls"]
        yield f"{size} files: ... and ls -R", rows["worktree+ls-R"], rows["mkview+ls-R"]


def switch_pairs(switches):
    if switches:
        rows, changed = switches["rows"], switches["changed"]
        yield f"setcs / checkout, {changed} files differ", rows["checkout"], rows["setcs"]
        yield "... and a walk with stat", rows["checkout+walk"], rows["setcs+walk"]


# ---- Targets -------------------------------------------------------------------------------------------------------


def target(text, value, bound, at_most=True):
    met = value <= bound if at_most else value >= bound
    return {"target": text, "value": value, "bound": ("<= " if at_most else ">= ") + f"{bound:g}", "met": met}


def works_targets(works):
    if not works:
        return
    rows = {key: {name: summarize(samples) for name, samples in work["places"].items()}
            for key, work in works.items()}
    peers = peer_names(works)

    def wall(key):
        return quotient(rows[key][VIEW].wall_s, rows[key][EXT4].wall_s)

    def cpu(key):
        return quotient(rows[key][VIEW].cpu_s, rows[key][EXT4].cpu_s)

    def best_peer(key):
        return quotient(min(rows[key][name].wall_s for name in peers), rows[key][VIEW].wall_s)

    for key in ("walk.warm", "grep.warm"):
        yield target(f"{works[key]['title']}: time to ext4's", wall(key), 1.05)
        yield target(f"{works[key]['title']}: requests", rows[key][VIEW].requests, 0)
    yield target("walk, cold: time to ext4's", wall("walk.cold"), 4)
    if peers:
        yield target("walk, cold: times faster than the best peer", best_peer("walk.cold"), 1.5, at_most=False)
        yield target("read of small files, cold: times faster than the best peer", best_peer("small.cold"), 1.5,
                     at_most=False)
    if "build.cold" in works:
        yield target("build, warm: time to ext4's", wall("build.warm"), 1.05)
        yield target("build with nothing to do: requests", rows["build.nothing"][VIEW].requests, 0)
        yield target("build, cold: time to ext4's", wall("build.cold"), 1.05)
        yield target("build, cold: CPU to ext4's", cpu("build.cold"), 1.08)
    for key, bound in (("read.cold", 0.5), ("read.warm", 0.95), ("write", 0.7)):
        yield target(f"{works[key]['title']}: rate to ext4's", 1 / wall(key), bound, at_most=False)
    for key in ("create", "remove"):
        yield target(f"{works[key]['title']}: time to ext4's", wall(key), 2.5)


def workspace_targets(workspaces):
    for size, bound in ((2_000, 20), (30_000, 200)):
        if size in workspaces:
            rows = {key: summarize(samples) for key, samples in workspaces[size].items()}
            yield target(f"workspace of {size} files, mkview: times faster than worktree add",
                         quotient(rows["worktree"].wall_s, rows["mkview"].wall_s), bound, at_most=False)
            yield target(f"workspace of {size} files, both with ls -R: times faster",
                         quotient(rows["worktree+ls-R"].wall_s, rows["mkview+ls-R"].wall_s), bound, at_most=False)
    if len(workspaces) > 1:
        made = {size: summarize(rows["mkview"]).wall_s for size, rows in workspaces.items()}
        yield target(f"mkview at {max(made)} files: time to that at {min(made)}",
                     quotient(made[max(made)], made[min(made)]), 1.25)


def targets_table(targets):
    rows = [["target", "bound", "measured", ""]]
    for one in targets:
        rows.append([one["target"], one["bound"], ratio(one["value"]), "met" if one["met"] else "MISSED"])
    return table(rows)


def text(result):
    about = result["about"]
    lines = [f"{about['program']} on {about['kernel']}, {about['cpus']} CPUs ({about['cpu']}), "
             f"load {about['load_before']:.1f} before and {about['load_after']:.1f} after; {about['rounds']} rounds"]
    if result["works"]:
        lines += [f"tree: {about['tree']}", "", "Ratios to ext4, of medians:", "", *works_table(result["works"])]
    pairs = [*workspace_pairs(result["workspaces"]), *switch_pairs(result["switches"])]
    if pairs:
        lines += ["", "A tree to work in, against git:", "", *against_git(pairs)]
    if result["versioning"]:
        lines += ["", "Versioning:", "", *table([["what", "median"], *result["versioning"]["rows"]])]
    lines += ["", *targets_table(result["targets"])]
    return "\n".join(lines) + "\n"
