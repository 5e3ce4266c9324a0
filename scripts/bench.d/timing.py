"""Runs commands and measures them: wall time, CPU of the command's processes and of the daemons behind the place,
requests that reached them. Knows nothing of what is run or where."""

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field


class Failure(Exception):
    """Something that has to work did not; the text says what."""


@dataclass
class Sample:
    """One measured run. Times in seconds; `requests` by kind, where they are counted."""

    wall_s: float
    cpu_s: float
    daemon_cpu_s: float = 0.0
    requests: dict[str, int] | None = None
    output: str = field(default="", repr=False)


def run(command, cwd=None, env=None, accepted=(0,)):
    """Runs a command to its end and returns what it printed; anything but an accepted status is a Failure."""
    done = subprocess.run([os.fspath(word) for word in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode not in accepted:
        raise Failure(describe(command, done.returncode, text + done.stderr.decode(errors="replace")))
    return text


def describe(command, status, output):
    words = " ".join(os.fspath(word) for word in command)
    return f"status {status} of: {words}\n{output[-2000:].strip()}"


def process_cpu_s(pid):
    """CPU that all threads of another process have used so far, exact to the nanosecond where the kernel lets us ask
    its clock (see clock_getcpuclockid(3)), else in ticks from /proc/PID/stat."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settle(pids, limit_s=10.0):
    """Waits until these processes use no CPU any more: what a work or a drop of caches left to do is then done."""
    deadline = time.monotonic() + limit_s
    before = None
    while time.monotonic() < deadline:
        now = [process_cpu_s(pid) for pid in pids]
        if before is not None and all(new - old < 0.0005 for new, old in zip(now, before)):
            return
        before = now
        time.sleep(0.03)


def measure(command, cwd, env, place, accepted=(0,)):
    """Runs a command in a place. What the place's daemons do behind the command's back, right after it, is counted
    in their CPU but not in the wall time."""
    words = [os.fspath(word) for word in command]
    with tempfile.TemporaryFile() as output:
        settle(place.pids)
        requests_before = place.requests()
        daemon_before = sum(process_cpu_s(pid) for pid in place.pids)
        began = time.perf_counter()
        process = subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   close_fds=False)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        settle(place.pids)
        daemon_cpu = sum(process_cpu_s(pid) for pid in place.pids) - daemon_before
        requests_after = place.requests()
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in accepted:
        raise Failure(f"{place.name}: {describe(command, process.returncode, text)}")
    requests = None
    if requests_after is not None:
        changes = {kind: count - requests_before.get(kind, 0) for kind, count in requests_after.items()}
        requests = {kind: change for kind, change in changes.items() if change}
    return Sample(wall, usage.ru_utime + usage.ru_stime, daemon_cpu, requests, text)


def sum_of(samples):
    """Several runs, one after the other, as one: in the form they have in JSON."""
    counted = [sample.requests for sample in samples if sample.requests is not None]
    kinds = sorted({kind for one in counted for kind in one})
    requests = {kind: sum(one.get(kind, 0) for one in counted) for kind in kinds}
    return {"wall_s": sum(sample.wall_s for sample in samples), "cpu_s": sum(sample.cpu_s for sample in samples),
            "daemon_cpu_s": sum(sample.daemon_cpu_s for sample in samples), "requests": requests if counted else None}


def sync(disk):
    """Writes out what waits to be written to this file system, and to no other one."""
    run(["sync", "-f", disk])


def drop_caches(disk, pids):
    """Makes the kernel forget all files that are not in use. What it lets go of, it tells the daemons: that is waited
    for, so that it is not part of what is measured next."""
    sync(disk)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3\n")
    settle(pids)


def median(values):
    return statistics.median(values)
