"""What is timed in every place, and the loop that does it: in each round each work in all places, one after the
other, so that a disk that slows down or a neighbour on the machine meets all of them; the order of the places changes
from round to round."""

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from typing import Callable

from timing import Failure, drop_caches, measure, run, sync

SCRATCH = "bench-scratch"


@dataclass
class Step:
    """One timed work. `command` makes the words for a place; `accepted` are its good exit codes; what it prints has to
    be the same in all places, as far as `essence` looks."""

    key: str
    title: str
    command: Callable
    accepted: tuple = (0,)
    essence: Callable = lambda place, output: output
    env: Callable = lambda place: None
    cold: bool = False
    """Nothing is cached by the kernel when it begins; daemons run and keep what they know."""
    before: Callable = lambda place: None
    after: Callable = lambda place: None


@dataclass
class Group:
    """Steps that a place does in a row before the next place does them: a cold one, then the same again."""

    steps: list
    prime: Callable = None
    """Words of a command that brings the programs themselves back into memory after caches are dropped."""
    finish: Callable = lambda place: None


@dataclass
class Setting:
    """What the works need to know."""

    helper: str
    disk: str
    state: str
    repository: object
    pattern: str
    small_bytes: int
    threads: int
    creations: int
    creation_bytes: int
    write_mib: int
    build: str | None
    clean: str | None
    product: str | None
    indexes: dict = field(default_factory=dict)


def groups(setting):
    helper = setting.helper
    nothing = os.path.join(setting.state, "nothing")
    prime_helper = [helper, "walk", nothing, "1"]

    def group(key, title, command, prime, **more):
        """Cold; again; and warm, which is a third time or later: what a file system has read for the kernel, the
        kernel asks for once more, because reading changed the time of access."""
        return Group([Step(f"{key}.cold", f"{title}, cold", command, cold=True, **more),
                      Step(f"{key}.again", f"{title}, again", command, **more),
                      Step(f"{key}.warm", f"{title}, warm", command, **more)], prime)

    result = [
        group("walk", "walk with stat", lambda place: [helper, "walk", ".", "1"], prime_helper),
        group("parallel", f"walk with stat, {setting.threads} threads",
              lambda place: [helper, "walk", ".", str(setting.threads)], prime_helper),
        group("grep", "grep -r", lambda place: ["grep", "-rF", "-e", setting.pattern, "."],
              ["grep", "-rF", "-e", "x", nothing], accepted=(0, 1),
              essence=lambda place, output: sorted(output.splitlines())),
        group("small", f"read of files to {setting.small_bytes >> 10} KiB",
              lambda place: [helper, "read", ".", str(setting.small_bytes)], prime_helper),
        group("read", "sequential read", lambda place: [helper, "cat", "../big/file"], prime_helper),
        group("mmap", "mmap read", lambda place: [helper, "mmap", "../big/file"], prime_helper),
        status_group(setting),
        Group([Step("write", "sequential write, fsync",
                    lambda place: [helper, "write", SCRATCH, str(setting.write_mib)],
                    after=lambda place: os.unlink(place.tree / SCRATCH))]),
        Group([Step("create", f"{setting.creations} new files",
                    lambda place: [helper, "create", SCRATCH, str(setting.creations), str(setting.creation_bytes)]),
               Step("remove", "rm -rf of them", lambda place: ["rm", "-rf", SCRATCH])]),
    ]
    if setting.build:
        result.append(build_group(setting))
    return result


def status_group(setting):
    """git status with an index for each place: one lstat of every tracked file, and a read of every directory."""

    def env(place):
        return dict(os.environ, GIT_DIR=str(setting.repository.path), GIT_WORK_TREE=str(place.tree),
                    GIT_INDEX_FILE=str(setting.indexes[place.name]), GIT_OPTIONAL_LOCKS="0")

    words = ["git", "-c", "core.bare=false", "-c", "core.checkStat=minimal", "-c", "core.trustctime=false", "status",
             "--porcelain"]

    def twice(place):
        for _ in range(2):
            run(words, cwd=place.tree, env=env(place))

    return Group([Step("status.warm", "git status, warm", lambda place: words, env=env, before=twice)])


def build_group(setting):
    def clean(place):
        run(["sh", "-c", setting.clean], cwd=place.tree)

    def essence(place, output):
        if setting.product is None:
            return None
        return hashlib.sha256((place.tree / setting.product).read_bytes()).hexdigest()

    words = ["sh", "-c", setting.build]

    def build(place):
        run(words, cwd=place.tree, env=dict(os.environ, LC_ALL="C"))

    def clean_after_build(place):
        clean(place)
        build(place)
        clean(place)

    common = {"essence": essence, "env": lambda place: dict(os.environ, LC_ALL="C")}
    return Group([Step("build.cold", "build, cold", lambda place: words, cold=True, before=clean, **common),
                  Step("build.warm", "build, warm", lambda place: words, before=clean_after_build, **common),
                  Step("build.nothing", "build with nothing to do", lambda place: words, before=build, **common)],
                 ["sh", os.path.join(setting.state, "prime_build"), os.path.join(setting.state, "prime")],
                 finish=clean)


def write_prime_build(state):
    """A build of one file elsewhere, so that a cold build does not begin with reading the compiler from the disk."""
    directory = os.path.join(state, "prime")
    os.makedirs(directory)
    with open(os.path.join(directory, "x.c"), "w", encoding="ascii") as file:
        file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint x(void) { return 0; }\n")
    with open(os.path.join(directory, "Makefile"), "w", encoding="ascii") as file:
        file.write("x.a: x.c\n\t$(CC) -O2 -c -o x.o $<\n\trm -f $@\n\tar rcsD $@ x.o\n")
    with open(os.path.join(state, "prime_build"), "w", encoding="ascii") as file:
        file.write('cd "$1" && rm -f x.a x.o && make -s\n')


def prepare_indexes(setting, places):
    """An index of the tip for each place, with what stat says there."""
    for place in places:
        index = os.path.join(setting.state, f"index.{place.name}")
        setting.indexes[place.name] = index
        env = dict(os.environ, GIT_INDEX_FILE=index)
        words = ["git", "-c", "core.checkStat=minimal", "-c", "core.trustctime=false", "-c", "core.bare=false",
                 f"--git-dir={setting.repository.path}", f"--work-tree={place.tree}"]
        run([*words, "read-tree", "HEAD"], env=env)
        run([*words, "update-index", "-q", "--refresh"], env=env, cwd=place.tree)
        differing = run([*words, "status", "--porcelain"], env=env, cwd=place.tree)
        if differing:
            raise Failure(f"{place.name} does not show the tree of the tip:\n{differing[:2000]}")


def compare_places(setting, places):
    """Every place has to show the same files with the same contents, before anything is timed."""
    seen = {}
    for place in places:
        for what in (["digest", "."], ["walk", ".", "1"], ["cat", "../big/file"], ["mmap", "../big/file"]):
            output = run([setting.helper, *what], cwd=place.tree)
            first, expected = seen.setdefault(what[0], (place.name, output))
            if output != expected:
                raise Failure(f"{place.name} and {first} differ in {what[0]}: {output.strip()} / {expected.strip()}")
    return {what: output.strip() for what, (_, output) in seen.items()}


def run_rounds(setting, places, rounds, note):
    """Does all works `rounds` times. Returns the samples: by work, then place."""
    all_groups = groups(setting)
    samples = {step.key: {place.name: [] for place in places} for group in all_groups for step in group.steps}
    daemons = [pid for place in places for pid in place.pids]
    for number in range(rounds):
        for group in all_groups:
            note(f"round {number + 1} of {rounds}: {group.steps[0].title}")
            expected = {}
            turn = number % len(places)
            for place in places[turn:] + places[:turn]:
                do_group(setting, group, place, daemons, samples, expected)
    titles = {step.key: step.title for group in all_groups for step in group.steps}
    return titles, samples


def do_group(setting, group, place, daemons, samples, expected):
    scratch = place.tree / SCRATCH
    if scratch.is_dir():
        shutil.rmtree(scratch)
    for step in group.steps:
        step.before(place)
        if step.cold:
            drop_caches(setting.disk, daemons)
            if group.prime:
                run(group.prime, accepted=(0, 1))
        else:
            sync(setting.disk)
        sample = measure(step.command(place), place.tree, step.env(place), place, step.accepted)
        essence = step.essence(place, sample.output)
        first, known = expected.setdefault(step.key, (place.name, essence))
        if essence != known:
            raise Failure(f"{step.title}: {place.name} and {first} have different results")
        sample.output = ""
        samples[step.key][place.name].append(sample)
        step.after(place)
    group.finish(place)
