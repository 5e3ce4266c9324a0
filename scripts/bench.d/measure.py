"""The measuring program behind scripts/bench, which prepares the disk and passes the options. Prints a table, and
writes results.json and ratios.svg."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

import places
import plot
import report
import timing
import trees
import versioning
import works
import workspace


def note(what):
    print(f"  {time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["tree", "versioning"])
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--disk", type=Path, required=True, help="an empty directory on the ext4 that is measured")
    parser.add_argument("--state", type=Path, required=True, help="an empty directory elsewhere")
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--helper", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", default="bindfs,mergerfs,fuse-overlayfs")
    parser.add_argument("--pattern", default="errno")
    parser.add_argument("--build")
    parser.add_argument("--clean")
    parser.add_argument("--checkin-bench", nargs=argparse.REMAINDER, default=[], help="words of its command; last")
    parser.add_argument("--repository", type=Path)
    return parser.parse_args()


def about(chosen, rounds):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"program": timing.run([chosen.program, "--version"]).strip(), "kernel": platform.release(),
            "cpu": models[0] if models else platform.machine(), "cpus": os.cpu_count(), "rounds": rounds,
            "quick": chosen.quick, "began": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "load_before": os.getloadavg()[0]}


def prepare_repository(chosen):
    """The history whose tip is worked on, its build and how that is undone."""
    path = chosen.disk / "tree.git"
    product = None
    if chosen.repository:
        repository = trees.clone(chosen.repository, path)
        build, clean = chosen.build, chosen.clean or "make clean"
        if not build and "Makefile" in repository.git("ls-tree", "--name-only", "HEAD").splitlines():
            build = "make -j2"
        if not build:
            note("no build is measured: there is no Makefile, and no --build was given")
    else:
        work = chosen.state / "own"
        work.mkdir()
        repository = trees.own_history(chosen.project, path, work, everything=not chosen.quick)
        build = chosen.build or f"make -j2 -f {trees.BUILD_FILE}" + (" PARTS=common" if chosen.quick else "")
        clean = chosen.clean or f"rm -rf {trees.BUILD_OUTPUT}"
        product = None if chosen.build else f"{trees.BUILD_OUTPUT}/libzstd.a"
    repository.tag_past()
    return repository, build, clean, product


def prepare_places(chosen, repository, view, big_bytes):
    """ext4, the view, then the others; all show the same tree and the same big file."""
    big = chosen.disk / "big"

    def check_out(directory):
        repository.check_out(directory, chosen.state / "index.checkout")

    note("copies of the tree")
    check_out(chosen.state / "tip")
    trees.big_file(chosen.state / "tip", big, big_bytes)
    places.hold_copy(chosen.disk / places.EXT4, check_out, big)
    result = [places.Place(places.EXT4, chosen.disk / places.EXT4), view]
    for name in filter(None, chosen.peers.split(",")):
        places.hold_copy(chosen.disk / f"{name}.source", check_out, big)
        result.append(places.make_peer(name, chosen.disk, chosen.state))
    note("import of the history, and of the big file")
    view.import_git(repository.path, places.TREE_VOB)
    view.cleartool("mkview", "-tag", "bench")
    view.add_big(big)
    return result


def measure_tree(chosen, result, rounds):
    quick = chosen.quick
    note("a git history to work on")
    repository, build, clean, product = prepare_repository(chosen)
    view = places.Clerestory(chosen.program, chosen.disk / "home", chosen.disk / "view")
    mib = 64 if quick else 1024
    everywhere = prepare_places(chosen, repository, view, mib << 20)
    try:
        (chosen.state / "nothing").mkdir()
        works.write_prime_build(chosen.state)
        setting = works.Setting(
            helper=str(chosen.helper), disk=str(chosen.disk), state=str(chosen.state),
            repository=repository, pattern=chosen.pattern,
            small_bytes=16 << 10, threads=4, creations=1000 if quick else 5000, creation_bytes=1024, write_mib=mib,
            build=build, clean=clean, product=product)
        note("all places show the same?")
        works.prepare_indexes(setting, everywhere)
        same = works.compare_places(setting, everywhere)
        result["about"]["tree"] = f"{repository.commits()} commits, {same['walk']}, big file {mib} MiB"
        result["about"]["same_in_all_places"] = same
        titles, samples = works.run_rounds(setting, everywhere, rounds, note)
        for key, title in titles.items():
            by_place = {name: [timing.sum_of([sample]) for sample in taken] for name, taken in samples[key].items()}
            result["works"][key] = {"title": title, "places": by_place}
        sizes = [200, 2000] if quick else [2000, 10_000, 30_000]
        result["workspaces"] = workspace.workspaces(view, chosen.disk, sizes, rounds, note)
        result["switches"] = workspace.switches(view, repository, chosen.disk, chosen.helper, rounds, note)
    finally:
        for place in reversed(everywhere):
            place.stop()
    result["targets"] += [*report.works_targets(result["works"]), *report.workspace_targets(result["workspaces"])]


def measure_versioning(chosen, result, rounds):
    quick = chosen.quick
    if chosen.repository:
        repository = trees.clone(chosen.repository, chosen.disk / "history.git")
    else:
        note("a history of commits")
        repository = trees.generate(chosen.disk / "history.git", 200 if quick else 2000, 500 if quick else 10_000)
    result["about"]["tree"] = f"{repository.commits()} commits, {repository.files()} files"
    note(f"checkins in a history of {result['about']['tree']}")
    figures = versioning.checkins(chosen.checkin_bench, repository.path, chosen.disk, rounds,
                                  500 if quick else 5000, dict(os.environ))
    view = places.Clerestory(chosen.program, chosen.disk / "home", chosen.disk / "view")
    try:
        view.cleartool("mkview", "-tag", "bench")
        labelled = versioning.labels(view, chosen.disk, [2000] if quick else [20_000, 100_000], rounds, note)
    finally:
        view.stop()
    result["versioning"] = {"checkins": figures, "labels": labelled, "rows": [*versioning.rows(figures, labelled)]}
    result["targets"] += [*versioning.targets(figures, labelled)]


def main():
    chosen = options()
    rounds = chosen.rounds or (2 if chosen.quick else 5)
    result = {"about": about(chosen, rounds), "works": {}, "workspaces": {}, "switches": {}, "versioning": {},
              "targets": []}
    measure = measure_tree if chosen.mode == "tree" else measure_versioning
    measure(chosen, result, rounds)
    result["about"]["load_after"] = os.getloadavg()[0]
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    table = report.text(result)
    (chosen.output / "results.txt").write_text(table)
    if result["works"]:
        (chosen.output / "ratios.svg").write_text(plot.svg(result["works"]))
    print(table, end="")


# So that what was mounted is unmounted.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    main()
except timing.Failure as failure:
    sys.exit(f"scripts/bench: {failure}")
