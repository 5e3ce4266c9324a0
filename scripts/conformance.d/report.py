"""Compares what the suites of `scripts/conformance` found in a view with what they found on the host's file system.

Reads one file for each run, `SUITE.USER.PLACE` in the directory given, each line a case, its outcome and what was
seen; prints a table and every case that the host passes and the view does not. Such a case must be in the table of
known differences, in the section of COMPATIBILITY.md whose heading begins with `POSIX`.
"""

import argparse
import fnmatch
import json
import os
import platform
import sys


def known_differences(path):
    """The rows of the table: suite, pattern of cases, reason."""
    rows, inside = [], False
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("## "):
                inside = line.startswith("## POSIX")
            elif inside and line.startswith("|"):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if len(cells) == 3 and not set(cells[0]) <= set("- "):
                    rows.append((cells[0].strip("`"), [word.strip("` ") for word in cells[1].split(",")], cells[2]))
    return rows[1:]


def read_runs(directory):
    """All runs: (suite, user, place) -> cases, and the seconds that each took."""
    runs, seconds = {}, {}
    for name in sorted(os.listdir(directory)):
        parts = name.split(".")
        with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
            if len(parts) == 4:
                seconds[tuple(parts[:3])] = int(file.read())
                continue
            cases = {}
            for line in file:
                case, outcome, said = (line.rstrip("\n").split("\t", 2) + ["", ""])[:3]
                cases[case] = (outcome, said)
            runs[tuple(parts)] = cases
    return runs, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("known", help="COMPATIBILITY.md")
    parser.add_argument("--json", help="write everything there as well")
    parser.add_argument("--complete", action="store_true", help="all suites ran in full: tell of rows without use")
    options = parser.parse_args()
    known = known_differences(options.known)
    runs, seconds = read_runs(options.results)

    used, differences, broken, figures = set(), [], [], []
    for (suite, user, place), cases in runs.items():
        host = runs[suite, user, "host"]
        count = {outcome: sum(found == outcome for found, _ in cases.values()) for outcome in ("pass", "fail", "skip")}
        if count["pass"] == 0:
            broken.append(f"{suite} as {user} on {place}: no case passed")
        mine = []
        for case, (outcome, said) in host.items() if place != "host" else ():
            found, seen = cases.get(case, ("missing", "the suite did not come to this case"))
            if outcome == "pass" and found != "pass":
                mine.append((case, found, seen))
        for case, (outcome, seen) in cases.items():
            if case not in host and outcome == "fail":
                mine.append((case, outcome, seen))
        allowed = 0
        for case, found, seen in mine:
            reason = None
            for index, (known_suite, patterns, text) in enumerate(known):
                if known_suite == suite and any(fnmatch.fnmatchcase(case, pattern) for pattern in patterns):
                    reason = text
                    used.add(index)
                    break
            allowed += reason is not None
            differences.append({"suite": suite, "case": case, "user": user, "place": place, "outcome": found,
                                "seen": seen, "reason": reason})
        figures.append({"suite": suite, "user": user, "place": place, "passed": count["pass"],
                        "failed": count["fail"], "skipped": count["skip"], "differences": len(mine),
                        "known": allowed, "seconds": seconds.get((suite, user, place))})

    order = {"host": 0, "private": 1, "checked-out": 2}
    figures.sort(key=lambda f: (f["suite"], f["user"], order[f["place"]]))
    print(f"{'suite':10} {'user':5} {'place':12} {'passed':>6} {'failed':>6} {'skipped':>7} {'unlike host':>11} "
          f"{'known':>5} {'seconds':>7}")
    for f in figures:
        unlike = "" if f["place"] == "host" else f["differences"]
        allowed = "" if f["place"] == "host" else f["known"]
        print(f"{f['suite']:10} {f['user']:5} {f['place']:12} {f['passed']:6} {f['failed']:6} {f['skipped']:7} "
              f"{unlike:>11} {allowed:>5} {f['seconds']:7}")

    unexplained = [d for d in differences if d["reason"] is None]
    explained = sorted({(d["suite"], d["case"], d["reason"]) for d in differences if d["reason"] is not None})
    if explained:
        print("\nKnown differences that were seen:")
        for suite, case, reason in explained:
            print(f"  {suite} {case}: {reason}")
    for index, (suite, patterns, _) in enumerate(known):
        if options.complete and index not in used:
            print(f"\nNot seen any more, to be taken off the list: {suite} {', '.join(patterns)}")
    beyond = {}
    for (suite, user, place), cases in runs.items():
        for case, (outcome, seen) in cases.items() if place == "host" else ():
            if outcome == "fail":
                beyond[suite, case] = seen
    if beyond:
        print("\nNot asked of the view, because the host's file system fails:")
        for (suite, case), seen in sorted(beyond.items()):
            print(f"  {suite} {case}: {seen[:160]}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"kernel": platform.release(), "complete": options.complete, "runs": figures,
                       "differences": differences, "broken": broken}, file, indent=1)
            file.write("\n")
    for line in broken:
        print(f"scripts/conformance: {line}", file=sys.stderr)
    for d in unexplained:
        print(f"scripts/conformance: {d['suite']} {d['case']}, as {d['user']}, {d['place']}: {d['outcome']}: {d['seen']}",
              file=sys.stderr)
    total = sum(f["passed"] for f in figures if f["place"] != "host")
    print(f"\n{total} passed, {len(unexplained) + len(broken)} failed, {len(differences) - len(unexplained)} known differences")
    sys.exit(bool(unexplained or broken))


main()
