"""Git histories to work on: the one that was given, this project's own with the sources of its dependencies, and
generated ones. All are bare repositories. Nothing here is measured."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

from timing import Failure, run

# A label and a tag: what setcs and git checkout go back to.
PAST = "BENCH_PAST"
BUILD_FILE = "bench.mk"
BUILD_OUTPUT = "bench-build"

# The C library that one of the dependencies brings: the compile that is measured in the default tree.
BUILD_TEXT = f"""\
OUT := {BUILD_OUTPUT}
PARTS := common compress decompress dictBuilder
LIB := $(wildcard vendor/zstd-sys-*/zstd/lib)
SOURCES := $(foreach part,$(PARTS),$(sort $(wildcard $(LIB)/$(part)/*.c)))
OBJECTS := $(SOURCES:$(LIB)/%.c=$(OUT)/%.o)

$(OUT)/libzstd.a: $(OBJECTS)
\trm -f $@
\tar rcsD $@ $^

$(OUT)/%.o: $(LIB)/%.c
\t@mkdir -p $(@D)
\t$(CC) -O2 -DZSTD_DISABLE_ASM -I$(LIB) -MMD -c -o $@ $<

-include $(OBJECTS:.o=.d)
"""


class Repository:
    """A bare repository whose checkouts are the stored bytes, whatever a .gitattributes asks for."""

    def __init__(self, path):
        self.path = Path(path)

    def prepare(self):
        (self.path / "info").mkdir(exist_ok=True)
        (self.path / "info" / "attributes").write_text("* -text -eol -ident -filter -working-tree-encoding\n")
        return self

    def git(self, *words, **options):
        return run(["git", f"--git-dir={self.path}", *words], **options)

    def tip(self):
        return self.git("rev-parse", "HEAD^{commit}").strip()

    def commits(self):
        return int(self.git("rev-list", "--count", "HEAD"))

    def files(self, commit="HEAD"):
        return self.git("ls-tree", "-r", "-z", "--name-only", commit).count("\0")

    def check_out(self, directory, index):
        """Writes the tree of the tip into a new directory."""
        os.makedirs(directory)
        env = dict(os.environ, GIT_INDEX_FILE=str(index))
        words = ["git", f"--git-dir={self.path}", f"--work-tree={directory}"]
        run([*words, "read-tree", "HEAD"], env=env)
        run([*words, "checkout-index", "-a", "-f"], env=env, cwd=directory)
        # Submodules: no place shows what is in them, and a VOB has no directory for them.
        run(["find", directory, "-mindepth", "1", "-type", "d", "-empty", "-delete"])

    def tag_past(self):
        """Tags the commit in the middle of the default branch."""
        line = self.git("rev-list", "--first-parent", "HEAD").split()
        self.git("tag", PAST, line[len(line) // 2])


def clone(source, path):
    run(["git", "clone", "-q", "--bare", "--no-hardlinks", source, path])
    return Repository(path).prepare()


def own_history(project, path, work, everything):
    """This project's history, each commit with the sources of its dependencies beside what it had: of all of them, or
    of the one with the C library alone."""
    repository = clone(project, path)
    vendor = work / "vendor"
    for package, source in dependencies(project):
        if everything or package.startswith("zstd-sys-"):
            shutil.copytree(source, vendor / package, symlinks=True)
    if not vendor.exists():
        raise Failure("this project's dependencies have no zstd-sys: give a repository, or --build")
    (work / BUILD_FILE).write_text(BUILD_TEXT)
    env = dict(os.environ, GIT_INDEX_FILE=str(work / "index"))
    add = ["git", f"--git-dir={path}", f"--work-tree={work}"]
    run([*add, "add", "-f", "vendor", BUILD_FILE], env=env, cwd=work)
    extra = repository.git("ls-tree", run([*add, "write-tree"], env=env).strip())
    made = {}
    for line in repository.git("rev-list", "--topo-order", "--reverse", "--parents", "HEAD").splitlines():
        commit, *parents = line.split()
        entries = repository.git("ls-tree", commit) + extra
        tree = feed(["git", f"--git-dir={path}", "mktree"], entries)
        author, date = repository.git("show", "-s", "--format=%an%x00%cI", commit).strip().split("\0")
        stamp = dict(os.environ, GIT_AUTHOR_NAME=author, GIT_COMMITTER_NAME=author, GIT_AUTHOR_DATE=date,
                     GIT_COMMITTER_DATE=date)
        flags = [word for parent in parents for word in ("-p", made[parent])]
        message = repository.git("show", "-s", "--format=%B", commit)
        made[commit] = feed(["git", f"--git-dir={path}", "commit-tree", *flags, tree], message or "-", env=stamp)
    branch = repository.git("symbolic-ref", "HEAD").strip()
    for ref in repository.git("for-each-ref", "--format=%(refname)").split():
        repository.git("update-ref", "-d", ref)
    repository.git("update-ref", branch, made[commit])
    return repository


def feed(command, text, env=None):
    done = subprocess.run([os.fspath(word) for word in command], input=text.encode(), env=env, capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"{command}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode().strip()


def dependencies(project):
    """Names with versions, and source directories, of the crates that a build here needs."""
    host = next(line.split()[1] for line in run(["rustc", "-vV"]).splitlines() if line.startswith("host:"))
    run(["cargo", "fetch", "-q", "--locked", "--target", host], cwd=project)
    words = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host]
    for package in json.loads(run(words, cwd=project))["packages"]:
        if package["source"]:
            yield f"{package['name']}-{package['version']}", Path(package["manifest_path"]).parent


def generate(path, files, commits=1, changed=3, mean_bytes=4000):
    """A history of that many files, 50 in a directory, and commits that each change a few. The same each time."""
    run(["git", "init", "-q", "--bare", path])
    repository = Repository(path).prepare()
    branch = repository.git("symbolic-ref", "HEAD").strip()
    chance = random.Random(files)
    words = [f"word{number}" for number in range(4000)]

    def name(number):
        return f"tree/part{number // 2500}/directory{number // 50}/file{number}.c"

    def text(number, version):
        size = min(int(chance.expovariate(1 / mean_bytes)) + 80, 20 * mean_bytes)
        lines, length = [f"// file {number}, version {version}"], 0
        while length < size:
            lines.append(" ".join(chance.choices(words, k=8)))
            length += len(lines[-1]) + 1
        return "\n".join(lines).encode()[:size] + b"\n"

    command = ["git", f"--git-dir={path}", "fast-import", "--quiet"]
    process = subprocess.Popen([os.fspath(word) for word in command], stdin=subprocess.PIPE)
    kept = {}
    with process.stdin as stream:
        for commit in range(commits):
            message = b"commit %d" % commit
            stream.write(b"commit %s\ncommitter Bench <bench@localhost> %d +0000\ndata %d\n%s\n"
                         % (branch.encode(), 1_000_000_000 + 600 * commit, len(message), message))
            for number in range(files) if commit == 0 else chance.sample(range(files), changed):
                # A later version is the earlier one with a line more, as in a real history.
                content = kept.get(number, b"") + b"// change %d\n" % commit if commit else text(number, 0)
                if commits > 1:
                    kept[number] = content
                stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (name(number).encode(), len(content), content))
    if process.wait() != 0:
        raise Failure("git fast-import failed")
    return repository


def big_file(tree, path, size):
    """A file of that size: the contents of the tree one after another, as often as it takes."""
    names = sorted(Path(at) / name for at, _, names in os.walk(tree) for name in names)
    left = size
    with open(path, "wb") as output:
        while left > 0:
            before = left
            for name in names:
                if not name.is_symlink() and left > 0:
                    left -= output.write(name.read_bytes()[:left])
            if left == before:
                raise Failure(f"{tree} has no contents")
