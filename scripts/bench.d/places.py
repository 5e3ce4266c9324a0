"""The places that the same work is done in: plain ext4, a view, and the FUSE file systems that Debian has. Each shows
a directory with `tree/` and `big/file`; all that they keep is on one ext4."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from timing import Failure, run

VIEW, EXT4 = "view", "ext4"
TREE_VOB, BIG_VOB = "/vobs/tree", "/vobs/big"


class Place:
    """`top` is where the tree and the big file are seen, `pids` the daemons behind it."""

    def __init__(self, name, top):
        self.name = name
        self.top = Path(top)
        self.pids = []

    @property
    def tree(self):
        return self.top / "tree"

    @property
    def big(self):
        return self.top / "big"

    def requests(self):
        """Requests that reached the daemon so far, by kind; None where nobody counts them."""
        return None

    def stop(self):
        pass


class Peer(Place):
    """A FUSE file system over a directory of the ext4, its server a child of this program. Each has the options that
    let the kernel keep most: what it cannot keep is what is measured."""

    COMMANDS = {
        "bindfs": lambda source, top: [
            "bindfs", "-f", "--multithreaded",
            "-o", "kernel_cache,entry_timeout=86400,attr_timeout=86400,negative_timeout=86400", source, top],
        "mergerfs": lambda source, top: [
            "mergerfs", "-f",
            "-o", "cache.files=full,cache.attr=86400,cache.entry=86400,cache.negative_entry=86400,cache.readdir=true,"
                  "cache.symlinks=true,minfreespace=1M", source, top],
        "fuse-overlayfs": lambda source, top: [
            "fuse-overlayfs", "-f",
            "-o", f"lowerdir={source},upperdir={source}.upper,workdir={source}.work", top],
    }

    def __init__(self, name, source, top, log):
        super().__init__(name, top)
        for directory in (top, f"{source}.upper", f"{source}.work"):
            os.makedirs(directory)
        with open(log, "wb") as output:
            self.server = subprocess.Popen([os.fspath(word) for word in self.COMMANDS[name](source, top)],
                                           stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + 20
        while not os.path.ismount(top):
            if self.server.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{name} does not mount: {Path(log).read_text(errors='replace').strip()}")
            time.sleep(0.02)
        self.pids = [self.server.pid]

    def stop(self):
        run(["umount", self.top])
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            self.server.send_signal(signal.SIGKILL)
            self.server.wait()


class Clerestory(Place):
    """A daemon with a home and a view root of its own, and one view in which the works are done."""

    def __init__(self, program, home, viewroot, name=VIEW):
        super().__init__(name, Path(viewroot) / "bench" / "vobs")
        self.program, self.viewroot, self.home = program, Path(viewroot), Path(home)
        self.env = dict(os.environ, CLERESTORY_HOME=str(home), CLERESTORY_VIEWROOT=str(viewroot))
        self.start()

    def start(self):
        # Every command that needs the daemon starts it; this one does nothing else.
        self.clerestory("stats")
        self.pids = [self.daemon_pid()]

    def clerestory(self, *words, cwd=None):
        return run([self.program, *words], cwd=cwd, env=self.env)

    def cleartool(self, *words, cwd=None):
        return self.clerestory("ct", *words, cwd=cwd)

    def daemon_pid(self):
        for line in self.clerestory("status").splitlines():
            if line.startswith("process "):
                return int(line.split()[1].rstrip(","))
        raise Failure("clerestory status names no process")

    def requests(self):
        counters = (line.split() for line in self.clerestory("stats").splitlines())
        return {words[0].removeprefix("fuse."): int(words[1])
                for words in counters if len(words) == 2 and words[0].startswith("fuse.")}

    def import_git(self, repository, vob):
        return self.clerestory("import", "git", repository, "--vob", vob)

    def add_big(self, source):
        """Makes the big file a version in a VOB of its own."""
        self.cleartool("mkvob", "-nc", "-tag", BIG_VOB)
        self.cleartool("mount", BIG_VOB)
        directory = self.big
        self.cleartool("checkout", "-nc", ".", cwd=directory)
        shutil.copyfile(source, directory / "file")
        self.cleartool("mkelem", "-eltype", "file", "-nc", "-ci", "file", cwd=directory)
        self.cleartool("checkin", "-nc", ".", cwd=directory)

    def stop(self):
        self.clerestory("shutdown")


def make_peer(name, disk, log_directory):
    source = disk / f"{name}.source"
    return Peer(name, source, disk / name, Path(log_directory) / f"{name}.log")


def hold_copy(directory, checkout, big):
    """Fills the directory that a place shows: a copy of the tree, and the big file itself."""
    os.makedirs(directory)
    checkout(directory / "tree")
    # A VOB's root directory has this one; every place has to show as many.
    os.makedirs(directory / "tree" / "lost+found", exist_ok=True)
    os.makedirs(directory / "big")
    os.link(big, directory / "big" / "file")
