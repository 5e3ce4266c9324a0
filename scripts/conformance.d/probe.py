"""Asks a file system about what the suites of `scripts/conformance` leave out.

Each case is a function of this file. It runs in a process of its own whose working directory is the directory under
test itself, so that names are made and removed there and not in a directory below; what it leaves is removed after it.
One line for each case goes to standard output: name, `pass`, `fail` or `skip`, and what was seen, between tabs. This
file knows no view and no list of known failures: the same cases are asked of ext4, and the answers compared.
"""

import argparse
import ctypes
import errno
import fcntl
import mmap
import os
import random
import shutil
import signal
import socket
import stat
import struct
import sys
import time
import traceback

libc = ctypes.CDLL(None, use_errno=True)
CASES = []
ROOT = os.geteuid() == 0
# How many names a large directory gets; less with --quick.
MANY = 100_000
# A second user, for what one may not do to the other.
OTHER = 65534

AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
NOREPLACE, EXCHANGE = 1, 2
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO_RANGE, INSERT = 1, 2, 8, 16, 32
F_OFD_GETLK, F_OFD_SETLK = 36, 37
GIB = 1 << 30


class Skip(Exception):
    """The case has no meaning here."""


def case(area, root=False, slow=False):
    """Registers a function as the case `area.name`; `root` needs root, `slow` is left out of the quick run."""

    def register(function):
        CASES.append((f"{area}.{function.__name__}", function, root, slow))
        return function

    return register


def system(name, *arguments):
    """Calls a function of the C library, and raises OSError when it fails."""
    function = getattr(libc, name)
    function.restype = ctypes.c_ssize_t if name == "getxattr" else ctypes.c_int
    result = function(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def rename2(old, new, flags):
    system("renameat2", AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags)


def link_descriptor(fd, name):
    """Gives the file behind a descriptor a name, which `os.link` cannot: it never follows the link in /proc."""
    system("linkat", AT_FDCWD, f"/proc/self/fd/{fd}".encode(), AT_FDCWD, os.fsencode(name), AT_SYMLINK_FOLLOW)


def fallocate(fd, mode, offset, length):
    system("fallocate", fd, mode, ctypes.c_long(offset), ctypes.c_long(length))


def refused(numbers, function, *arguments, **named):
    """Expects an error; `numbers` is one errno or several."""
    numbers = numbers if isinstance(numbers, tuple) else (numbers,)
    try:
        function(*arguments, **named)
    except OSError as error:
        assert error.errno in numbers, f"{errno.errorcode[error.errno]}, not {[errno.errorcode[n] for n in numbers]}"
    else:
        raise AssertionError(f"succeeded, not {[errno.errorcode[n] for n in numbers]}")


def same(seen, expected, what=""):
    if seen != expected:
        shown = [repr(value) if len(repr(value)) < 60 else repr(value)[:60] + "..." for value in (seen, expected)]
        raise AssertionError(f"{what}{': ' if what else ''}{shown[0]}, not {shown[1]}")


def write(name, data=b""):
    with open(name, "wb") as file:
        file.write(data)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def apart(function, *arguments, uid=None, gid=None):
    """Runs a function in another process, as another user if asked, and passes its failure on."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if gid is not None:
                os.setgroups([])
                os.setgid(gid)
            if uid is not None:
                os.setuid(uid)
            function(*arguments)
            status = 0
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    if os.waitpid(pid, 0)[1] != 0:
        raise AssertionError(f"in the other process: {said or 'it was killed'}")


# ---- Rename --------------------------------------------------------------------------------------------------------


@case("rename")
def noreplace():
    write("a", b"a")
    write("b", b"b")
    refused(errno.EEXIST, rename2, "a", "b", NOREPLACE)
    same((read("a"), read("b")), (b"a", b"b"))
    rename2("a", "c", NOREPLACE)
    same(sorted(os.listdir()), ["b", "c"])
    same(read("c"), b"a")


@case("rename")
def exchange_files():
    write("a", b"a")
    write("b", b"b")
    before = os.stat("a").st_ino, os.stat("b").st_ino
    rename2("a", "b", EXCHANGE)
    same((read("a"), read("b")), (b"b", b"a"))
    same((os.stat("b").st_ino, os.stat("a").st_ino), before)
    refused(errno.ENOENT, rename2, "a", "missing", EXCHANGE)
    refused(errno.EINVAL, rename2, "a", "b", EXCHANGE | NOREPLACE)


@case("rename")
def exchange_file_and_directory():
    write("a", b"a")
    os.makedirs("d/sub")
    write("d/sub/x", b"x")
    rename2("a", "d", EXCHANGE)
    same(read("d"), b"a")
    same(read("a/sub/x"), b"x")
    rename2("a/sub/x", "d", EXCHANGE)
    same((read("a/sub/x"), read("d")), (b"a", b"x"))


@case("rename")
def over_an_open_file():
    write("a", b"new")
    write("b", b"old")
    with open("b", "r+b") as old:
        os.rename("a", "b")
        same(old.read(), b"old")
        same(os.fstat(old.fileno()).st_nlink, 0)
        old.write(b"er")
        old.flush()
        old.seek(0)
        same(old.read(), b"older")
    same(read("b"), b"new")


@case("rename")
def directories():
    os.makedirs("a/b")
    refused(errno.EINVAL, os.rename, "a", "a/b/c")
    os.makedirs("full/x")
    refused((errno.ENOTEMPTY, errno.EEXIST), os.rename, "a", "full")
    os.mkdir("empty")
    os.rename("a", "empty")
    same(sorted(os.listdir()), ["empty", "full"])
    same(os.listdir("empty"), ["b"])
    write("file")
    refused(errno.ENOTDIR, os.rename, "empty", "file")
    refused(errno.EISDIR, os.rename, "file", "empty")


@case("rename")
def onto_its_own_hard_link():
    write("a", b"a")
    os.link("a", "b")
    os.rename("a", "b")
    same(sorted(os.listdir()), ["a", "b"])


@case("rename")
def working_directory_moves_along():
    os.makedirs("a/b")
    os.mkdir("to")
    home = os.getcwd()
    os.chdir("a/b")
    os.rename(f"{home}/a", f"{home}/to/c")
    same(os.getcwd(), f"{home}/to/c/b")
    write("here", b"here")
    same(read(f"{home}/to/c/b/here"), b"here")
    same(sorted(os.listdir("../..")), ["c"])
    os.chdir(home)


# ---- Files without a name --------------------------------------------------------------------------------------------


@case("tmpfile")
def is_written_and_linked():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"nameless")
    same(os.listdir(), [])
    same(os.fstat(fd).st_nlink, 0)
    link_descriptor(fd, "named")
    same(read("named"), b"nameless")
    same(os.fstat(fd).st_nlink, 1)


@case("tmpfile")
def exclusive_is_never_linked():
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_EXCL, 0o600)
    refused(errno.ENOENT, link_descriptor, fd, "named")


@case("unlinked")
def stays_readable_and_writable():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"before")
    os.unlink("a")
    same(os.listdir(), [])
    os.write(fd, b" and after")
    same(os.pread(fd, 100, 0), b"before and after")
    os.ftruncate(fd, 6)
    found = os.fstat(fd)
    same((found.st_size, found.st_nlink), (6, 0))
    write("a", b"another")
    same(os.pread(fd, 100, 0), b"before")


@case("unlinked")
def attributes_can_change():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.unlink("a")
    os.fchmod(fd, 0o640)
    os.utime(fd, ns=(1, 123456789))
    os.setxattr(fd, "user.x", b"y")
    os.fsync(fd)
    found = os.fstat(fd)
    same((stat.S_IMODE(found.st_mode), found.st_mtime_ns), (0o640, 123456789))
    same(os.getxattr(fd, "user.x"), b"y")
    same(os.listxattr(fd), ["user.x"])


@case("unlinked")
def is_opened_again_by_descriptor():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"data")
    os.unlink("a")
    same(read(f"/proc/self/fd/{fd}"), b"data")
    refused(errno.ENOENT, link_descriptor, fd, "b")


@case("unlinked")
def mapping_stays():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, bytes(8192))
    memory = mmap.mmap(fd, 8192)
    os.unlink("a")
    memory[5000] = 7
    memory.flush()
    same(os.pread(fd, 1, 5000), b"\7")
    os.close(fd)
    memory[5001] = 8
    same(memory[5000:5002], b"\7\10")


@case("unlinked")
def several_hundred_at_once():
    files = []
    for number in range(400):
        fd = os.open(f"f{number}", os.O_RDWR | os.O_CREAT, 0o600)
        os.write(fd, b"%d" % number)
        files.append(fd)
    for number in range(400):
        os.unlink(f"f{number}")
    for number, fd in enumerate(files):
        same(os.pread(fd, 10, 0), b"%d" % number)
        os.close(fd)


@case("unlinked")
def removed_directory():
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
    home = os.getcwd()
    os.chdir("d")
    os.rmdir("../d")
    same(os.listdir(fd), [])
    refused(errno.ENOENT, os.open, "new", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    refused(errno.ENOENT, os.mkdir, "new")
    refused(errno.ENOENT, os.getcwd)
    same(os.fstat(fd).st_nlink, 0)
    os.chdir(home)


@case("unlinked")
def fifo_stays_open():
    os.mkfifo("p")
    fd = os.open("p", os.O_RDWR)
    os.unlink("p")
    os.write(fd, b"x")
    same(os.read(fd, 1), b"x")


# ---- Reading and writing ---------------------------------------------------------------------------------------------


def aligned(data):
    """An anonymous mapping with these bytes: page-aligned, as O_DIRECT wants it."""
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory


@case("direct")
def writes_and_reads():
    data = random.Random(1).randbytes(64 << 10)
    fd = os.open("a", os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    same(os.pwritev(fd, [aligned(data)], 4096), len(data))
    back = mmap.mmap(-1, len(data))
    same(os.preadv(fd, [back], 4096), len(data))
    same(back[:], data)
    same(read("a"), bytes(4096) + data)


@case("direct")
def agrees_with_the_page_cache():
    write("a", b"x" * 16384)
    cached = open("a", "rb", buffering=0)
    same(cached.read(16384), b"x" * 16384)
    fd = os.open("a", os.O_RDWR | os.O_DIRECT)
    os.pwritev(fd, [aligned(b"y" * 4096)], 4096)
    same(os.pread(cached.fileno(), 16384, 0), b"x" * 4096 + b"y" * 4096 + b"x" * 8192)
    with open("a", "r+b", buffering=0) as other:
        os.pwrite(other.fileno(), b"z" * 4096, 8192)
    back = mmap.mmap(-1, 4096)
    os.preadv(fd, [back], 8192)
    same(back[:], b"z" * 4096)


@case("direct")
def appends():
    fd = os.open("a", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DIRECT, 0o600)
    for letter in b"abc":
        os.writev(fd, [aligned(bytes([letter]) * 4096)])
    same(read("a"), b"a" * 4096 + b"b" * 4096 + b"c" * 4096)


@case("io")
def appends_of_two_processes_all_arrive():
    def append(letter):
        with open("a", "ab", buffering=0) as file:
            for number in range(500):
                file.write(b"%c%06d\n" % (letter, number))

    write("a")
    pid = os.fork()
    if pid == 0:
        append(ord("b"))
        os._exit(0)
    append(ord("a"))
    same(os.waitpid(pid, 0)[1], 0)
    lines = read("a").splitlines()
    for letter in b"ab":
        mine = [line for line in lines if line[0] == letter]
        same(mine, [b"%c%06d" % (letter, number) for number in range(500)])


@case("io")
def open_flags():
    write("a", b"content")
    refused(errno.EEXIST, os.open, "a", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.symlink("nowhere", "l")
    refused(errno.EEXIST, os.open, "l", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    refused(errno.ELOOP, os.open, "l", os.O_RDONLY | os.O_NOFOLLOW)
    refused(errno.ENOTDIR, os.open, "a", os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("d")
    refused(errno.EISDIR, os.open, "d", os.O_WRONLY)
    os.close(os.open("a", os.O_WRONLY | os.O_TRUNC))
    same(os.stat("a").st_size, 0)
    fd = os.open("a", os.O_PATH)
    refused(errno.EBADF, os.read, fd, 1)
    same(os.fstat(fd).st_size, 0)


@case("io")
def descriptor_outlives_permission():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0)
    os.write(fd, b"one")
    # Other files come between, so that nothing depends on what is still open by chance.
    for number in range(600):
        write(f"f{number}", b"x")
    os.write(fd, b" two")
    os.fchmod(fd, 0o400)
    os.write(fd, b" three")
    same(os.pread(fd, 100, 0), b"one two three")
    same(stat.S_IMODE(os.fstat(fd).st_mode), 0o400)


@case("io")
def copies_inside_the_kernel():
    data = random.Random(2).randbytes(300_000)
    write("a", data)
    source = os.open("a", os.O_RDONLY)
    for name, copy in (("sent", os.sendfile), ("ranged", None)):
        fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600)
        done = 0
        while done < len(data):
            if copy:
                done += copy(fd, source, done, len(data) - done)
            else:
                done += os.copy_file_range(source, fd, len(data) - done, offset_src=done, offset_dst=done)
        same(read(name), data, name)


@case("io")
def synchronous():
    fd = os.open("a", os.O_WRONLY | os.O_CREAT | os.O_SYNC, 0o600)
    os.write(fd, b"x")
    os.fdatasync(fd)
    system("syncfs", fd)
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.fdatasync(directory)
    found = os.fstatvfs(fd)
    assert found.f_namemax == 255 and found.f_blocks > 0 and found.f_bsize >= 512, found


@case("io")
def programs_run():
    shutil.copy("/bin/true", "true")
    os.chmod("true", 0o755)
    same(os.spawnl(os.P_WAIT, "./true", "true"), 0)
    shutil.copy("/bin/sleep", "sleep")
    os.chmod("sleep", 0o755)
    pid = os.spawnl(os.P_NOWAIT, "./sleep", "sleep", "60")
    try:
        for _ in range(1000):
            if os.readlink(f"/proc/{pid}/exe").endswith("/sleep") and os.getcwd() in os.readlink(f"/proc/{pid}/exe"):
                break
            time.sleep(0.01)
        refused(errno.ETXTBSY, os.open, "sleep", os.O_WRONLY)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# ---- Memory ----------------------------------------------------------------------------------------------------------


@case("mmap")
def shared_writes_are_read():
    write("a", bytes(20000))
    fd = os.open("a", os.O_RDWR)
    memory = mmap.mmap(fd, 20000)
    memory[100:105] = b"hello"
    same(os.pread(fd, 5, 100), b"hello")
    os.pwrite(fd, b"world", 15000)
    same(memory[15000:15005], b"world")
    memory.flush()
    memory.close()
    os.close(fd)
    data = read("a")
    same((data[100:105], data[15000:15005], len(data)), (b"hello", b"world", 20000))


@case("mmap")
def two_processes_share():
    write("a", bytes(4096))
    fd = os.open("a", os.O_RDWR)
    memory = mmap.mmap(fd, 4096)

    def other():
        with open("a", "r+b") as file, mmap.mmap(file.fileno(), 4096) as mine:
            same(mine[0], 1)
            mine[1] = 2

    memory[0] = 1
    apart(other)
    same(memory[1], 2)


@case("mmap")
def survives_close_and_cache():
    write("a", bytes(1 << 20))
    with open("a", "r+b") as file:
        memory = mmap.mmap(file.fileno(), 1 << 20)
    for offset in range(0, 1 << 20, 4096):
        memory[offset] = offset // 4096 % 251
    memory.flush()
    memory.close()
    fd = os.open("a", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    data = os.pread(fd, 1 << 20, 0)
    same([data[o] for o in range(0, 1 << 20, 4096)], [n % 251 for n in range(256)])


@case("mmap")
def private_stays_private():
    write("a", b"x" * 4096)
    with open("a", "r+b") as file:
        memory = mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE)
        memory[0] = ord("y")
        same(file.read(1), b"x")
    same(read("a")[:1], b"x")


@case("mmap")
def beyond_the_end_is_a_bus_error():
    write("a", bytes(8192))
    fd = os.open("a", os.O_RDWR)
    memory = mmap.mmap(fd, 8192)
    memory[8191] = 1
    os.ftruncate(fd, 4096)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        memory[8000]
        os._exit(0)
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), -signal.SIGBUS)
    os.ftruncate(fd, 8192)
    same(memory[8191], 0)


@case("mmap")
def writing_changes_the_time():
    write("a", bytes(4096))
    os.utime("a", (1, 1))
    with open("a", "r+b") as file, mmap.mmap(file.fileno(), 4096) as memory:
        memory[0] = 1
        memory.flush()
    assert os.stat("a").st_mtime > 1000, os.stat("a").st_mtime


# ---- Locks -----------------------------------------------------------------------------------------------------------


def lock_struct(kind, start=0, length=0):
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, 0)


@case("locks")
def flock_excludes():
    write("a")
    first, second = os.open("a", os.O_RDWR), os.open("a", os.O_RDWR)
    fcntl.flock(first, fcntl.LOCK_EX)
    refused(errno.EWOULDBLOCK, fcntl.flock, second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    refused(errno.EWOULDBLOCK, fcntl.flock, second, fcntl.LOCK_SH | fcntl.LOCK_NB)
    fcntl.flock(first, fcntl.LOCK_SH)
    fcntl.flock(second, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.close(first)
    fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


@case("locks")
def posix_excludes_other_processes():
    write("a", bytes(100))
    fd = os.open("a", os.O_RDWR)
    fcntl.lockf(fd, fcntl.LOCK_EX, 10, 20)
    mine = os.getpid()

    def other():
        own = os.open("a", os.O_RDWR)
        refused((errno.EAGAIN, errno.EACCES), fcntl.lockf, own, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 25)
        fcntl.lockf(own, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 30)
        kind, _, start, length, pid = struct.unpack("hhqqi4x", fcntl.fcntl(own, fcntl.F_GETLK, lock_struct(1, 0, 100)))
        same((kind, start, length, pid), (fcntl.F_WRLCK, 20, 10, mine))

    apart(other)
    # Any close of the file gives up all of the process's locks.
    os.close(os.open("a", os.O_RDONLY))

    def free():
        own = os.open("a", os.O_RDWR)
        fcntl.lockf(own, fcntl.LOCK_EX | fcntl.LOCK_NB)

    apart(free)


@case("locks")
def posix_waits_and_wakes():
    write("a", bytes(10))
    fd = os.open("a", os.O_RDWR)
    fcntl.lockf(fd, fcntl.LOCK_EX)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        own = os.open("a", os.O_RDWR)
        os.write(writer, b"w")
        fcntl.lockf(own, fcntl.LOCK_EX)
        os.write(writer, b"l")
        os._exit(0)
    same(os.read(reader, 1), b"w")
    fcntl.lockf(fd, fcntl.LOCK_UN)
    same(os.read(reader, 1), b"l")
    same(os.waitpid(pid, 0)[1], 0)


@case("locks")
def deadlock_is_found():
    write("a", bytes(10))
    fd = os.open("a", os.O_RDWR)
    fcntl.lockf(fd, fcntl.LOCK_EX, 1, 0)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        own = os.open("a", os.O_RDWR)
        fcntl.lockf(own, fcntl.LOCK_EX, 1, 1)
        os.write(writer, b"x")
        fcntl.lockf(own, fcntl.LOCK_EX, 1, 0)
        os._exit(0)
    os.read(reader, 1)
    # Until the other one waits, this one would wait for it.
    for _ in range(1000):
        with open("/proc/locks") as table:
            if any("->" in line and str(pid) in line.split() for line in table):
                break
        time.sleep(0.01)
    signal.alarm(20)
    refused(errno.EDEADLK, fcntl.lockf, fd, fcntl.LOCK_EX, 1, 1)
    fcntl.lockf(fd, fcntl.LOCK_UN)
    same(os.waitpid(pid, 0)[1], 0)


@case("locks")
def ofd_belongs_to_the_description():
    write("a", bytes(10))
    first, second = os.open("a", os.O_RDWR), os.open("a", os.O_RDWR)
    fcntl.fcntl(first, F_OFD_SETLK, lock_struct(fcntl.F_WRLCK, 0, 5))
    refused(errno.EAGAIN, fcntl.fcntl, second, F_OFD_SETLK, lock_struct(fcntl.F_WRLCK, 4, 5))
    fcntl.fcntl(second, F_OFD_SETLK, lock_struct(fcntl.F_WRLCK, 5, 5))
    found = struct.unpack("hhqqi4x", fcntl.fcntl(second, F_OFD_GETLK, lock_struct(fcntl.F_RDLCK, 0, 5)))
    same(found[0::4], (fcntl.F_WRLCK, -1))
    # Closing another description gives nothing up.
    os.close(os.open("a", os.O_RDONLY))
    refused(errno.EAGAIN, fcntl.fcntl, second, F_OFD_SETLK, lock_struct(fcntl.F_WRLCK, 0, 1))
    os.close(first)
    fcntl.fcntl(second, F_OFD_SETLK, lock_struct(fcntl.F_WRLCK, 0, 1))


@case("locks")
def lease_is_broken_by_another_open():
    write("a")
    fd = os.open("a", os.O_RDONLY)
    # Waited for rather than handled: a handler of Python's runs late if the signal comes just before a system call blocks.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO})
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    pid = os.fork()
    if pid == 0:
        os.close(os.open("a", os.O_WRONLY))
        os._exit(0)
    told = signal.sigtimedwait({signal.SIGIO}, 20)
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    same(os.waitpid(pid, 0)[1], 0)
    same(told is not None, True)


# ---- Names -----------------------------------------------------------------------------------------------------------


@case("names")
def of_255_bytes():
    longest = "n" * 255
    write(longest, b"x")
    same(os.listdir(), [longest])
    os.rename(longest, "m" * 255)
    os.link("m" * 255, longest)
    os.symlink(longest, "s" * 255)
    os.mkdir("d" * 255)
    os.mkfifo("p" * 255)
    same(sorted(os.listdir()), sorted(c * 255 for c in "nmsdp"))
    for make in (write, os.mkdir, os.mkfifo, os.stat, os.unlink, os.rmdir):
        refused(errno.ENAMETOOLONG, make, "x" * 256)
    refused(errno.ENAMETOOLONG, os.rename, longest, "x" * 256)
    refused(errno.ENAMETOOLONG, os.link, longest, "x" * 256)
    refused(errno.ENAMETOOLONG, os.symlink, longest, "x" * 256)


@case("names")
def of_any_bytes():
    names = [bytes([byte]) + b"-" for byte in range(1, 256) if byte != ord("/")]
    names += [b"\xff" * 255, b" ", b"...", b"-rf", b"a\nb", "ü".encode(), "u\u0308".encode()]
    for name in names:
        write(name, name)
    same(sorted(os.listdir(b".")), sorted(names))
    for name in names:
        same(read(name), name)
        os.unlink(name)
    same(os.listdir(), [])


@case("names")
def with_at_signs():
    for name in ("a@@", "a@", "@", "a@@b", "@@b", "CHECKEDOUT", "LATEST"):
        write(name, b"x")
        same(read(name), b"x", name)
        os.unlink(name)


@case("names")
def link_targets():
    target = "t" * 4095
    os.symlink(target, "l")
    same(os.readlink("l"), target)
    same(os.lstat("l").st_size, 4095)
    refused(errno.ENAMETOOLONG, os.symlink, "t" * 4096, "m")
    refused(errno.ENOENT, os.symlink, "", "m")
    os.symlink("loop", "loop")
    refused(errno.ELOOP, os.open, "loop", os.O_RDONLY)


@case("names")
def paths_beyond_path_max():
    home, name, depth = os.getcwd(), "d" * 200, 100
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
    write("bottom", b"deep")
    os.setxattr("bottom", "user.depth", b"100")
    same(os.getxattr("bottom", "user.depth"), b"100")
    os.link("bottom", "second")
    os.symlink("bottom", "link")
    os.mkfifo("pipe")
    same(read("link"), b"deep")
    same(sorted(os.listdir()), ["bottom", "link", "pipe", "second"])
    with open("bottom", "r+b") as file:
        os.unlink("bottom")
        file.write(b"DEEP")
        file.flush()
        os.fsync(file.fileno())
    same(read("second"), b"DEEP")
    os.chmod("second", 0o640)
    os.truncate("second", 2)
    same(os.stat("second").st_size, 2)
    os.rename("second", "third")
    top = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    os.rename("third", "up", dst_dir_fd=top)
    same(read(f"{home}/up"), b"DE")
    for leaf in ("link", "pipe"):
        os.unlink(leaf)
    refused(errno.ENAMETOOLONG, os.stat, home + f"/{name}" * depth)
    for _ in range(depth):
        os.chdir("..")
        os.rmdir(name)
    same(os.getcwd(), home)


@case("names", slow=True)
def a_thousand_levels():
    home = os.getcwd()
    for _ in range(1000):
        os.mkdir("d")
        os.chdir("d")
    write("f", b"x")
    same(read("f"), b"x")
    os.chdir(home)
    os.rename("d", "e")
    same(read("e/" + "d/" * 999 + "f"), b"x")


# ---- Large and sparse files ------------------------------------------------------------------------------------------


@case("large")
def across_4_gib():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    data = random.Random(3).randbytes(20000)
    os.pwrite(fd, data, 4 * GIB - 10000)
    same(os.pread(fd, 20000, 4 * GIB - 10000), data)
    same(os.fstat(fd).st_size, 4 * GIB + 10000)
    os.close(fd)
    with open("a", "rb") as file:
        file.seek(4 * GIB)
        same(file.read(), data[10000:])
        file.seek(2 * GIB)
        same(file.read(4096), bytes(4096))
    assert os.stat("a").st_blocks < 1000, os.stat("a").st_blocks


@case("large")
def mapped_and_direct_above_4_gib():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 5 * GIB)
    with mmap.mmap(fd, 8192, offset=4 * GIB + 4096) as memory:
        memory[:5] = b"hello"
        memory.flush()
    same(os.pread(fd, 5, 4 * GIB + 4096), b"hello")
    direct = os.open("a", os.O_RDWR | os.O_DIRECT)
    os.pwritev(direct, [aligned(b"z" * 4096)], 4 * GIB + 8192)
    same(os.pread(fd, 4, 4 * GIB + 8192), b"zzzz")


@case("large")
def up_to_the_largest_offset():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 1 << 43)
    os.pwrite(fd, b"end", (1 << 43) - 3)
    same(os.pread(fd, 10, (1 << 43) - 3), b"end")
    refused((errno.EFBIG, errno.EINVAL), os.pwrite, fd, b"x", (1 << 63) - 1)
    refused(errno.EINVAL, os.ftruncate, fd, -1)
    os.ftruncate(fd, 0)
    same(os.fstat(fd).st_blocks, 0)


@case("sparse")
def holes_read_as_zeros():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.pwrite(fd, b"x", 10 << 20)
    found = os.fstat(fd)
    same(found.st_size, (10 << 20) + 1)
    assert found.st_blocks * 512 < 1 << 20, found.st_blocks
    same(os.pread(fd, 1 << 20, 5 << 20), bytes(1 << 20))


@case("sparse")
def seek_finds_data_and_holes():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 4 << 20)
    os.pwrite(fd, b"x" * 65536, 1 << 20)
    os.fsync(fd)
    same(os.lseek(fd, 0, os.SEEK_DATA), 1 << 20)
    same(os.lseek(fd, 0, os.SEEK_HOLE), 0)
    same(os.lseek(fd, 1 << 20, os.SEEK_HOLE), (1 << 20) + 65536)
    refused(errno.ENXIO, os.lseek, fd, 2 << 20, os.SEEK_DATA)
    refused(errno.ENXIO, os.lseek, fd, 4 << 20, os.SEEK_HOLE)


@case("sparse")
def seek_works_at_all():
    write("a", b"x" * 10000)
    fd = os.open("a", os.O_RDONLY)
    same(os.lseek(fd, 0, os.SEEK_DATA), 0)
    same(os.lseek(fd, 0, os.SEEK_HOLE), 10000)
    refused(errno.ENXIO, os.lseek, fd, 10000, os.SEEK_DATA)
    same(os.lseek(fd, -1, os.SEEK_END), 9999)


def filled():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"x" * (1 << 20))
    os.fsync(fd)
    return fd


@case("fallocate")
def extends():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    fallocate(fd, 0, 0, 1 << 20)
    found = os.fstat(fd)
    same(found.st_size, 1 << 20)
    assert found.st_blocks * 512 >= 1 << 20, found.st_blocks
    same(os.pread(fd, 100, 1000), bytes(100))
    os.posix_fallocate(fd, 1 << 20, 4096)
    same(os.fstat(fd).st_size, (1 << 20) + 4096)
    refused(errno.EINVAL, fallocate, fd, 0, 0, 0)


@case("fallocate")
def keeps_the_size():
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"abc")
    fallocate(fd, KEEP_SIZE, 0, 1 << 20)
    found = os.fstat(fd)
    same(found.st_size, 3)
    assert found.st_blocks * 512 >= 1 << 20, found.st_blocks


@case("fallocate")
def punches_holes():
    fd = filled()
    before = os.fstat(fd).st_blocks
    fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 65536, 131072)
    same(os.pread(fd, 262144, 0), b"x" * 65536 + bytes(131072) + b"x" * 65536)
    found = os.fstat(fd)
    same(found.st_size, 1 << 20)
    assert found.st_blocks <= before - 240, (before, found.st_blocks)
    with mmap.mmap(fd, 1 << 20) as memory:
        same(memory[100_000], 0)


@case("fallocate")
def zeroes_ranges():
    fd = filled()
    fallocate(fd, ZERO_RANGE, 1000, 100_000)
    data = os.pread(fd, 1 << 20, 0)
    same(data, b"x" * 1000 + bytes(100_000) + b"x" * ((1 << 20) - 101_000))
    fallocate(fd, ZERO_RANGE | KEEP_SIZE, 1 << 20, 4096)
    same(os.fstat(fd).st_size, 1 << 20)


@case("fallocate")
def collapses_ranges():
    fd = filled()
    os.pwrite(fd, b"y" * 4096, 65536)
    fallocate(fd, COLLAPSE, 0, 65536)
    same(os.fstat(fd).st_size, (1 << 20) - 65536)
    same(os.pread(fd, 4096, 0), b"y" * 4096)


@case("fallocate")
def inserts_ranges():
    fd = filled()
    fallocate(fd, INSERT, 65536, 65536)
    same(os.fstat(fd).st_size, (1 << 20) + 65536)
    same(os.pread(fd, 65536, 65536), bytes(65536))


# ---- Attributes ------------------------------------------------------------------------------------------------------


@case("xattr")
def create_replace_remove():
    write("a")
    os.setxattr("a", "user.x", b"1", os.XATTR_CREATE)
    refused(errno.EEXIST, os.setxattr, "a", "user.x", b"2", os.XATTR_CREATE)
    os.setxattr("a", "user.x", b"2", os.XATTR_REPLACE)
    refused(errno.ENODATA, os.setxattr, "a", "user.y", b"2", os.XATTR_REPLACE)
    os.setxattr("a", "user.empty", b"")
    same((os.getxattr("a", "user.x"), os.getxattr("a", "user.empty")), (b"2", b""))
    same(sorted(os.listxattr("a")), ["user.empty", "user.x"])
    os.removexattr("a", "user.x")
    refused(errno.ENODATA, os.getxattr, "a", "user.x")
    refused(errno.ENODATA, os.removexattr, "a", "user.x")


@case("xattr")
def sizes():
    write("a")
    os.setxattr("a", "user.big", b"v" * 3000)
    same(os.getxattr("a", "user.big"), b"v" * 3000)
    name = "user." + "n" * 250
    os.setxattr("a", name, b"1")
    same(sorted(os.listxattr("a")), sorted(["user.big", name]))
    refused(errno.ERANGE, os.setxattr, "a", "user." + "n" * 251, b"1")
    buffer = ctypes.create_string_buffer(10)
    same(system("getxattr", b"a", b"user.big", None, 0), 3000)
    refused(errno.ERANGE, system, "getxattr", b"a", b"user.big", buffer, 10)
    refused((errno.E2BIG, errno.ENOSPC), os.setxattr, "a", "user.huge", b"v" * 65537)


@case("xattr")
def belong_to_the_file():
    write("a")
    os.setxattr("a", "user.x", b"1")
    os.link("a", "b")
    os.rename("a", "c")
    same((os.getxattr("b", "user.x"), os.getxattr("c", "user.x")), (b"1", b"1"))
    os.mkdir("d")
    os.setxattr("d", "user.x", b"2")
    fd = os.open("d", os.O_RDONLY)
    same(os.getxattr(fd, "user.x"), b"2")


@case("xattr")
def not_on_links_and_pipes():
    os.symlink("a", "l")
    refused(errno.EPERM, os.setxattr, "l", "user.x", b"1", follow_symlinks=False)
    same(os.listxattr("l", follow_symlinks=False), [])
    os.mkfifo("p")
    refused(errno.EPERM, os.setxattr, "p", "user.x", b"1")
    write("a")
    refused(errno.EOPNOTSUPP, os.setxattr, "a", "nonsense.x", b"1")
    if not ROOT:
        refused(errno.EPERM, os.setxattr, "a", "trusted.x", b"1")


@case("xattr", root=True)
def trusted():
    write("a")
    os.setxattr("a", "trusted.x", b"1")
    same(os.getxattr("a", "trusted.x"), b"1")
    same(os.listxattr("a"), ["trusted.x"])

    def other():
        same(os.listxattr("a"), [])
        refused(errno.ENODATA, os.getxattr, "a", "trusted.x")

    apart(other, uid=OTHER)


@case("xattr", root=True)
def security():
    write("a")
    os.setxattr("a", "security.x", b"1")
    same(os.getxattr("a", "security.x"), b"1")


@case("xattr", root=True)
def need_permission():
    write("a")
    os.chmod("a", 0o644)
    os.setxattr("a", "user.x", b"1")

    def other():
        same(os.getxattr("a", "user.x"), b"1")
        refused(errno.EACCES, os.setxattr, "a", "user.x", b"2")
        refused(errno.EACCES, os.removexattr, "a", "user.x")

    apart(other, uid=OTHER, gid=OTHER)
    os.chmod("a", 0o600)
    apart(lambda: refused(errno.EACCES, os.getxattr, "a", "user.x"), uid=OTHER, gid=OTHER)


USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, REST = 1, 2, 4, 8, 16, 32


def acl(*entries):
    packed = [struct.pack("<HHI", tag, bits, who) for tag, bits, who in entries]
    return struct.pack("<I", 2) + b"".join(packed)


def entries_of(value):
    return [struct.unpack_from("<HHI", value, offset) for offset in range(4, len(value), 8)]


NOBODY = 0xFFFFFFFF
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"


def example(user, mask=7, who=OTHER):
    return acl((USER_OBJ, 7, NOBODY), (USER, user, who), (GROUP_OBJ, 5, NOBODY), (MASK, mask, NOBODY), (REST, 0, NOBODY))


@case("acl")
def set_and_read():
    write("a")
    os.setxattr("a", ACCESS, example(4))
    same(os.getxattr("a", ACCESS), example(4))
    same(stat.S_IMODE(os.stat("a").st_mode), 0o770)
    assert ACCESS in os.listxattr("a"), os.listxattr("a")
    refused(errno.EACCES, os.setxattr, "a", DEFAULT, example(4))
    refused(errno.EINVAL, os.setxattr, "a", ACCESS, acl((USER_OBJ, 7, NOBODY)))


@case("acl")
def chmod_changes_the_mask():
    write("a")
    os.setxattr("a", ACCESS, example(7))
    os.chmod("a", 0o740)
    same(os.getxattr("a", ACCESS), example(7, mask=4))
    same(stat.S_IMODE(os.stat("a").st_mode), 0o740)
    os.removexattr("a", ACCESS)
    refused(errno.ENODATA, os.getxattr, "a", ACCESS)


@case("acl")
def minimal_is_the_mode():
    write("a")
    os.setxattr("a", ACCESS, acl((USER_OBJ, 6, NOBODY), (GROUP_OBJ, 4, NOBODY), (REST, 0, NOBODY)))
    same(stat.S_IMODE(os.stat("a").st_mode), 0o640)
    refused(errno.ENODATA, os.getxattr, "a", ACCESS)
    same(os.listxattr("a"), [])


@case("acl")
def default_is_inherited():
    os.mkdir("d")
    default = example(7, mask=7)
    os.setxattr("d", DEFAULT, default)
    os.umask(0o077)
    os.mkdir("d/sub")
    same(os.getxattr("d/sub", DEFAULT), default)
    same(stat.S_IMODE(os.stat("d/sub").st_mode), 0o770, "mode of a directory")
    os.close(os.open("d/f", os.O_CREAT | os.O_WRONLY, 0o664))
    same(stat.S_IMODE(os.stat("d/f").st_mode), 0o660, "mode of a file")
    same({tag: bits for tag, bits, _ in entries_of(os.getxattr("d/f", ACCESS))},
         {USER_OBJ: 6, USER: 7, GROUP_OBJ: 5, MASK: 6, REST: 0})
    os.mkfifo("d/p", 0o666)
    same(stat.S_IMODE(os.stat("d/p").st_mode), 0o660, "mode of a pipe")
    os.symlink("f", "d/l")
    os.close(os.open("d/none", os.O_CREAT | os.O_WRONLY, 0o600))
    same(stat.S_IMODE(os.stat("d/none").st_mode), 0o600, "mode of a closed file")


@case("acl")
def default_mask_limits():
    os.mkdir("d")
    os.setxattr("d", DEFAULT, example(7, mask=4))
    os.umask(0)
    os.close(os.open("d/f", os.O_CREAT | os.O_WRONLY, 0o666))
    same(stat.S_IMODE(os.stat("d/f").st_mode), 0o640)
    os.mkdir("d/sub", 0o777)
    same(stat.S_IMODE(os.stat("d/sub").st_mode), 0o740)


@case("acl", root=True)
def decides_access():
    write("a", b"secret")
    os.chmod("a", 0o600)
    apart(lambda: refused(errno.EACCES, read, "a"), uid=OTHER, gid=OTHER)
    os.setxattr("a", ACCESS, example(4))
    apart(lambda: same(read("a"), b"secret"), uid=OTHER, gid=OTHER)
    apart(lambda: refused(errno.EACCES, os.open, "a", os.O_WRONLY), uid=OTHER, gid=OTHER)
    os.setxattr("a", ACCESS, example(6))
    apart(lambda: write("a", b"new"), uid=OTHER, gid=OTHER)
    same(read("a"), b"new")
    os.setxattr("a", ACCESS, example(6, mask=4))
    apart(lambda: refused(errno.EACCES, os.open, "a", os.O_WRONLY), uid=OTHER, gid=OTHER)


@case("times")
def are_kept_exactly():
    write("a")
    os.mkdir("d")
    os.symlink("a", "l")
    for name in ("a", "d", "l"):
        for seconds in (0, 1, 1_000_000_000, (1 << 31) + 5, (1 << 33) + 5, -1, -1_000_000):
            wanted = seconds * 10**9 + 123_456_789
            os.utime(name, ns=(wanted, wanted + 1), follow_symlinks=False)
            found = os.lstat(name)
            same((found.st_atime_ns, found.st_mtime_ns), (wanted, wanted + 1), f"{name} {seconds}")


def passes(name, field, change):
    """Expects a change to move a time forward."""
    before = getattr(os.stat(name), field)
    # One tick of the coarsest kernel clock is 10 ms.
    time.sleep(0.02)
    change()
    after = getattr(os.stat(name), field)
    assert after > before, f"{field} of {name} stays at {after}"


@case("times")
def follow_changes():
    write("a", b"x")
    os.mkdir("d")
    passes("a", "st_mtime_ns", lambda: write("a", b"y"))
    passes("a", "st_ctime_ns", lambda: os.chmod("a", 0o600))
    passes("a", "st_ctime_ns", lambda: os.setxattr("a", "user.x", b"1"))
    passes("a", "st_ctime_ns", lambda: os.link("a", "b"))
    passes("a", "st_ctime_ns", lambda: os.chmod("b", 0o640))
    passes("a", "st_ctime_ns", lambda: os.rename("b", "c"))
    passes("a", "st_ctime_ns", lambda: os.unlink("c"))
    passes("a", "st_mtime_ns", lambda: os.truncate("a", 100))
    passes(".", "st_mtime_ns", lambda: write("new"))
    passes(".", "st_ctime_ns", lambda: os.unlink("new"))
    passes("d", "st_mtime_ns", lambda: os.mkdir("d/sub"))
    passes("d", "st_mtime_ns", lambda: os.rename("d/sub", "sub"))


@case("times")
def reading_changes_the_access_time():
    write("a", b"x")
    os.utime("a", ns=(10**9, 2 * 10**9))
    read("a")
    assert os.stat("a").st_atime > 1000, os.stat("a").st_atime


# ---- Links and special files -----------------------------------------------------------------------------------------


@case("links")
def share_everything():
    write("a", b"one")
    os.mkdir("d")
    os.link("a", "d/b")
    first, second = os.stat("a"), os.stat("d/b")
    same((first.st_ino, first.st_nlink, second.st_nlink), (second.st_ino, 2, 2))
    with open("d/b", "ab") as file:
        file.write(b" two")
    same(read("a"), b"one two")
    os.chmod("a", 0o604)
    same(stat.S_IMODE(os.stat("d/b").st_mode), 0o604)
    os.unlink("a")
    same((os.stat("d/b").st_nlink, read("d/b")), (1, b"one two"))
    os.symlink("x", "l")
    os.link("l", "m", follow_symlinks=False)
    same((os.readlink("m"), os.lstat("l").st_nlink), ("x", 2))
    refused(errno.EPERM, os.link, "d", "e")


@case("links", slow=True)
def up_to_the_limit():
    write("a")
    os.mkdir("d")
    count = 1
    try:
        while count < 70_000:
            os.link("a", f"d/{count}")
            count += 1
    except OSError as error:
        same(error.errno, errno.EMLINK)
    same((count, os.stat("a").st_nlink), (65_000, 65_000))
    for number in range(1, count):
        os.unlink(f"d/{number}")
    same(os.stat("a").st_nlink, 1)


@case("links")
def hundreds():
    write("a", b"x")
    for number in range(500):
        os.link("a", f"l{number}")
    same(os.stat("a").st_nlink, 501)
    for number in range(500):
        os.unlink(f"l{number}")
    same((os.stat("a").st_nlink, read("a")), (1, b"x"))


@case("special")
def pipes_and_sockets():
    os.mkfifo("p", 0o600)
    assert stat.S_ISFIFO(os.stat("p").st_mode)
    pid = os.fork()
    if pid == 0:
        write("p", b"through")
        os._exit(0)
    same(read("p"), b"through")
    os.waitpid(pid, 0)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("s")
        server.listen()
        assert stat.S_ISSOCK(os.stat("s").st_mode)
        client.connect("s")
        client.send(b"hello")
        same(server.accept()[0].recv(5), b"hello")
    os.rename("s", "t")
    assert stat.S_ISSOCK(os.stat("t").st_mode)


@case("special", root=True)
def devices():
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        for major, minor in ((1, 3), (300, 70_000), (4095, (1 << 20) - 1)):
            os.mknod("dev", kind | 0o600, os.makedev(major, minor))
            found = os.stat("dev")
            same((stat.S_IFMT(found.st_mode), os.major(found.st_rdev), os.minor(found.st_rdev)), (kind, major, minor))
            os.unlink("dev")


# ---- Directories -----------------------------------------------------------------------------------------------------


@case("directory")
def many_names():
    names = {f"name-{number:06}" for number in range(MANY)}
    for name in names:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o600))
    for _ in range(2):
        listed = os.listdir()
        same(len(listed), MANY)
        same(set(listed) == names, True)
    for name in random.Random(4).sample(sorted(names), 500):
        assert stat.S_ISREG(os.stat(name).st_mode)
    refused(errno.ENOENT, os.stat, "name-x")
    # Removing while reading meets each name once.
    met = []
    for entry in os.scandir():
        os.unlink(entry.name)
        met.append(entry.name)
    same(len(met), MANY)
    same(os.listdir(), [])


@case("directory")
def listing_tells_types_and_inodes():
    write("f")
    os.mkdir("d")
    os.symlink("f", "l")
    os.mkfifo("p")
    for entry in os.scandir():
        found = os.lstat(entry.name)
        same(entry.inode(), found.st_ino, entry.name)
        same((entry.is_file(follow_symlinks=False), entry.is_dir(follow_symlinks=False), entry.is_symlink()),
             (entry.name == "f", entry.name == "d", entry.name == "l"), entry.name)


@case("directory")
def rewinding_shows_what_is_new():
    write("a")
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    same(os.listdir(fd), ["a"])
    write("b")
    os.unlink("a")
    same(os.listdir(fd), ["b"])


@case("directory")
def counts_its_subdirectories():
    os.mkdir("d")
    same(os.stat("d").st_nlink, 2)
    os.mkdir("d/a")
    os.mkdir("d/b")
    same(os.stat("d").st_nlink, 4)
    os.rmdir("d/a")
    same(os.stat("d").st_nlink, 3)


@case("directory")
def not_removed_while_full():
    os.makedirs("d/sub")
    refused((errno.ENOTEMPTY, errno.EEXIST), os.rmdir, "d")
    refused(errno.EISDIR, os.unlink, "d")
    write("f")
    refused(errno.ENOTDIR, os.rmdir, "f")
    refused(errno.EINVAL, os.rmdir, "d/.")
    refused((errno.ENOTEMPTY, errno.EEXIST), os.rmdir, "d/sub/..")


@case("directory", root=True)
def group_is_inherited():
    os.mkdir("d")
    os.chown("d", 0, 5)
    os.chmod("d", 0o2775)
    write("d/f")
    os.mkdir("d/sub")
    same((os.stat("d/f").st_gid, os.stat("d/sub").st_gid), (5, 5))
    assert os.stat("d/sub").st_mode & stat.S_ISGID
    os.symlink("f", "d/l")
    same(os.lstat("d/l").st_gid, 5)


@case("directory", root=True)
def supplementary_groups_count():
    os.mkdir("d")
    os.chown("d", 0, 5)
    os.chmod("d", 0o770)

    def member():
        os.setgroups([5])
        os.setgid(OTHER)
        os.setuid(OTHER)
        write("d/f", b"x")
        same((os.stat("d/f").st_uid, os.stat("d/f").st_gid), (OTHER, OTHER))
        os.chown("d/f", -1, 5)
        same(os.stat("d/f").st_gid, 5)

    os.chmod(".", 0o755)
    apart(member)


# ---- Running the cases -----------------------------------------------------------------------------------------------


def clean(path):
    """Removes what a case left, whatever its permissions and depth."""
    for entry in list(os.scandir(path)):
        if entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)
            # Deeper than Python's own recursion goes.
            os.spawnlp(os.P_WAIT, "rm", "rm", "-rf", "--", entry.path)
        else:
            os.unlink(entry.path)


def run(function, limit_seconds):
    """Runs a case in a process of its own; returns its outcome and what it said."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            os.umask(0o022)
            signal.alarm(limit_seconds)
            function()
            said = "pass\t"
        except Skip as reason:
            said = f"skip\t{reason}"
        except BaseException as error:
            place = traceback.extract_tb(error.__traceback__)
            lines = "/".join(str(frame.lineno) for frame in place if frame.filename == __file__)
            said = f"fail\t{type(error).__name__}: {error} (line {lines})"
        os.write(writer, said.replace("\n", " ")[:2000].encode(errors="replace"))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if not said:
        said = f"fail\tended by signal {-status}" if status < 0 else f"fail\tended with {status}"
    return said.split("\t", 1)


def main():
    global MANY
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", help="an empty directory that the caller may write")
    parser.add_argument("cases", nargs="*", help="areas or cases, such as rename or rename.noreplace (default: all)")
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    options = parser.parse_args()
    if options.quick:
        MANY = 3000
    os.chdir(options.directory)
    if os.listdir():
        parser.error(f"{options.directory} is not empty")
    for name, function, root, slow in CASES:
        if options.cases and name not in options.cases and name.split(".")[0] not in options.cases:
            continue
        if slow and options.quick:
            continue
        if root and not ROOT:
            print(name, "skip", "needs root", sep="\t", flush=True)
            continue
        began = time.monotonic()
        outcome, said = run(function, 600)
        print(name, outcome, said, sep="\t", flush=True)
        if os.environ.get("PROBE_TIMES"):
            print(f"{name} {time.monotonic() - began:.2f} s", file=sys.stderr)
        clean(".")


main()
