"""What changes to a VOB cost: checkins in an imported history (benches/checkin.rs measures those), and labels on whole
trees, in time and in bytes of journal."""

import re

import trees
from report import target
from timing import Failure, measure, median, run

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def duration_s(text):
    match = re.fullmatch(r"([0-9.]+)(ns|µs|ms|s)", text)
    if not match:
        raise Failure(f"no duration: {text}")
    return float(match[1]) * UNITS[match[2]]


def read_checkins(output):
    """The figures in what the checkin benchmark prints."""

    def find(pattern):
        match = re.search(pattern, output, re.MULTILINE)
        if not match:
            raise Failure(f"the checkin benchmark does not say: {pattern}\n{output}")
        return match.groups()

    figures = {}
    for key, name in (("write", "write and fsync"), ("one", "one client"), ("eight", "8 clients")):
        median_text, mean_text = find(rf"^{name} .*median +(\S+) +mean +(\S+)")
        figures[key] = {"median_s": duration_s(median_text), "mean_s": duration_s(mean_text)}
    for key, what in (("one_to_write", r"one client: +"), ("eight_to_one", r"8 clients: +")):
        by_median, by_mean = find(rf"^{what}([0-9.]+) x .* by median, ([0-9.]+) by mean")
        figures[key] = {"median": float(by_median), "mean": float(by_mean)}
    files, time = find(r"^many at once +(\d+) files checked in, in (\S+)$")
    figures["many"] = {"files": int(files), "s": duration_s(time)}
    return figures


def checkins(command, repository, disk, rounds, many, env):
    """Runs the checkin benchmark with all that it keeps on the disk that is measured."""
    words = [*command, "--rounds", str(rounds), "--many", str(many), "--repository", repository]
    return read_checkins(run(words, env=dict(env, TMPDIR=str(disk))))


def labels(view, disk, sizes, rounds, note):
    """For each size: what `mklabel -recurse` of a new label on a whole tree takes, and the journal it writes."""
    result = {}
    for size in sizes:
        note(f"a tree of {size} elements")
        # Directories are elements as well: 50 files each, and 2,500 below each of their parents.
        files = size - size // 51 - size // 2500 - 2
        vob = f"/vobs/labels{size}"
        view.import_git(trees.generate(disk / f"labels{size}.git", files, mean_bytes=400).path, vob)
        root = view.top / f"labels{size}"
        for number in range(rounds):
            view.cleartool("mklbtype", "-nc", f"L{number}", cwd=root)
        before = journal_bytes(view, vob)
        samples, labelled = [], None
        for number in range(rounds):
            note(f"label on {size} elements, round {number + 1} of {rounds}")
            words = [view.program, "ct", "mklabel", "-recurse", f"L{number}", "."]
            sample = measure(words, root, view.env, view)
            labelled = len(re.findall(r"^Created label", sample.output, re.MULTILINE))
            if abs(labelled - size) > size // 100:
                raise Failure(f"{labelled} labels where about {size} were expected:\n{sample.output[-500:]}")
            samples.append({"wall_s": sample.wall_s, "cpu_s": sample.cpu_s, "daemon_cpu_s": sample.daemon_cpu_s})
        written = (journal_bytes(view, vob) - before) / rounds
        result[size] = {"elements": labelled, "samples": samples, "journal_bytes": written,
                        "journal_bytes_per_label": written / labelled}
    return result


def journal_bytes(view, vob):
    """Length of a VOB's journal. While a daemon runs there are zeros behind its end, so that it is stopped."""
    view.stop()
    storage = view.home / "vobs" / (vob.strip("/").replace("/", "_") + ".vbs")
    total = sum(segment.stat().st_size for segment in (storage / "journal").iterdir())
    view.start()
    return total


def rows(figures, labelled):
    """Rows of the table: what, and how much."""
    for key, title in (("write", "write of 4 KiB and fsync"), ("one", "checkin, one client"),
                       ("eight", "checkin, each of 8 clients at once, per checkin")):
        yield [title, f"{figures[key]['median_s'] * 1000:.2f} ms"]
    yield [f"one checkin of {figures['many']['files']} files", f"{figures['many']['s']:.2f} s"]
    for one in labelled.values():
        time = median(sample["wall_s"] for sample in one["samples"])
        yield [f"mklabel -recurse of {one['elements']} elements", f"{time:.2f} s"]
        yield ["  journal per label", f"{one['journal_bytes_per_label']:.2f} bytes"]


def targets(figures, labelled):
    yield target("checkin of one client: time to a write and fsync", figures["one_to_write"]["median"], 3)
    yield target("checkins of 8 clients: rate to that of one", figures["eight_to_one"]["median"], 3, at_most=False)
    if 20_000 in labelled:
        yield target("mklabel -recurse of 20,000 elements: seconds",
                     median(sample["wall_s"] for sample in labelled[20_000]["samples"]), 3)
    if figures["many"]["files"] >= 5_000:
        yield target("one checkin of 5,000 files: seconds", figures["many"]["s"], 5)
