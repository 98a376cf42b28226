#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what the event log costs: writing durably, verifying beside b2sum and journalctl --verify, looking records up."""

import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build"
CTL, SEAL, WRITER = BUILD / "sekimorictl", BUILD / "tests/seal-log", BUILD / "bench/evidence-bench"
REMOTE = "/lib/systemd/systemd-journal-remote"

RECORDS = int(os.environ.get("SEKIMORI_BENCH_RECORDS", "1000000"))
FEW = 10000
JOURNAL_ENTRIES = 50000
ROUNDS = 5
GOAL_SHOW, GOAL_RATIO, GOAL_GROWTH_KIB = 2.0, 0.5, 1024

USERS = ("tanaka", "suzuki", "sato", "yamada", "kato")
PRODUCTS = ("USBメモリ 3.0 16GB", "DataStick", "外付けSSD", "Mass Storage")


def records(n):
    """Lines as a busy terminal would write them, without their seal."""
    draw = random.Random(n)
    second = 1793500000
    for i in range(n):
        second += draw.randrange(1, 30)
        kind = draw.choice(("held", "denied", "allowed", "released", "removed", "file"))
        r = {"time": datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{draw.randrange(10**6):06d}Z",
             "boot_us": second * 10**6, "kind": kind, "terminal": "mado-03", "sync": True}
        if kind == "file":
            r.update(medium=f"ZEI-{draw.randrange(2000):05d}", user=draw.choice(USERS), uid=1000 + draw.randrange(5),
                     program="/usr/bin/cp", path=f"/税務/申告 {i}.pdf", size=draw.randrange(10**7))
        else:
            r.update(device=f"1-{draw.randrange(1, 5)}", bus=1, devnum=draw.randrange(128), id="46f4:0001",
                     serial=f"{draw.randrange(2000):012X}", manufacturer="Example", product=draw.choice(PRODUCTS),
                     fingerprint=f"blake2b:{draw.randrange(2000):032x}", interfaces="08:06:50", state=kind)
        if kind in ("denied", "allowed"):
            r.update(reason="not-registered" if kind == "denied" else "proved", decided_by="/etc/sekimori/policy:12",
                     verdict_us=draw.randrange(10**5), user=draw.choice(USERS))
        if kind == "allowed":
            r.update(medium=f"ZEI-{draw.randrange(2000):05d}", method="luks2", access="rw")
        yield json.dumps(r, ensure_ascii=False, separators=(",", ":"))


def make_log(directory, n):
    process = subprocess.Popen([SEAL, directory, "--checkpoint", "1000"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                               encoding="utf-8")
    for line in records(n):
        process.stdin.write(line + "\n")
    process.stdin.close()
    if process.wait():
        raise SystemExit("seal-log failed")
    return directory / "events.jsonl"


def run(*args):
    """(seconds, seconds of the processor, KiB at most) of one process that must succeed."""
    with tempfile.NamedTemporaryFile("r") as told:
        start = time.monotonic()
        # Not wait4(): a child of ours begins with our own memory on its account.
        subprocess.run(["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", told.name, *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        taken = time.monotonic() - start
        user, system, rss = told.read().split()
    return taken, float(user) + float(system), int(rss)


def medians(*args):
    return tuple(statistics.median(column) for column in zip(*(run(*args) for _ in range(ROUNDS))))


def in_turn(a, b):
    """Both share the noise of the day."""
    rows = [(run(*a), run(*b)) for _ in range(ROUNDS)]
    return (tuple(statistics.median(r[i][k] for r in rows) for k in range(3)) for i in range(2))


def word(met):
    return "met" if met else "MISSED"


def writing():
    print("\nappending durably, one writer, on the disk that has this directory")
    print(f"  {'records a commit':<22}{'records/s':>12}{'median µs':>12}{'99 % µs':>12}")
    for group, n in ((1, 2000), (16, 16000), (256, 128000)):
        with tempfile.TemporaryDirectory(prefix="bench-log-", dir=BUILD) as directory:
            rate, median, most = subprocess.run([WRITER, directory, str(n), str(group)], check=True, capture_output=True,
                                                text=True).stdout.split()
        print(f"  {group:<22}{int(rate):>12,}{int(median):>12,}{int(most):>12,}"
              + ("   the time that a verdict waits for its record" if group == 1 else ""))


def journal_of(directory, log):
    """A journal with the same texts, made from the export format."""
    path = directory / "system.journal"
    process = subprocess.Popen([REMOTE, f"--output={path}", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with open(log, encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            if i == JOURNAL_ENTRIES:
                break
            r = json.loads(line)
            entry = {"__REALTIME_TIMESTAMP": 1793500000000000 + i, "__MONOTONIC_TIMESTAMP": 1000 + i, "_UID": 0,
                     "_BOOT_ID": "0123456789abcdef0123456789abcdef", "MESSAGE": line.rstrip("\n")}
            entry.update({f"SEKIMORI_{key.upper()}": value for key, value in r.items()})
            process.stdin.write(("".join(f"{k}={v}\n" for k, v in entry.items()) + "\n").encode())
    process.stdin.close()
    if process.wait():
        raise SystemExit("systemd-journal-remote failed")
    return path


def verifying(directory, log):
    size = log.stat().st_size
    (ours, cpu, rss), (peer, peer_cpu, _) = in_turn((CTL, "log", "verify", f"--log={log}"), ("b2sum", log))
    met = peer_cpu / cpu >= GOAL_RATIO
    print(f"\nverifying {RECORDS:,} records, {size / 1e6:.0f} MB: medians of {ROUNDS}")
    print(f"  {'':<40}{'s':>8}{'CPU s':>8}{'MB/s':>8}{'RSS KiB':>9}")
    print(f"  {'sekimorictl log verify':<40}{ours:8.2f}{cpu:8.2f}{size / 1e6 / ours:8.0f}{rss:9.0f}"
          f"   {peer_cpu / cpu:.2f} of b2sum, goal {GOAL_RATIO}: {word(met)}")
    print(f"  {'b2sum':<40}{peer:8.2f}{peer_cpu:8.2f}{size / 1e6 / peer:8.0f}")
    if os.path.exists(REMOTE):
        journal = journal_of(directory, log)
        taken, cpu, rss = run("journalctl", "--verify", f"--file={journal}")
        size = journal.stat().st_size
        print(f"  {f'journalctl --verify, {JOURNAL_ENTRIES:,} of them, unsealed':<40}{taken:8.2f}{cpu:8.2f}{size / 1e6 / taken:8.0f}{rss:9.0f}"
              f"   {JOURNAL_ENTRIES / taken:,.0f} records/s, ours {RECORDS / ours:,.0f}")
    return met


def showing(few, many):
    print(f"\nlog show with a filter: medians of {ROUNDS}")
    print(f"  {'':<40}{'s':>8}{'RSS KiB':>9}")
    good = True
    for label, args in (("--medium=ZEI-00042", ("--medium=ZEI-00042",)),
                        ("--person=tanaka --kind=denied, one day", ("--person=tanaka", "--kind=denied", "--since=2026-11-03",
                                                                    "--until=2026-11-03"))):
        _, _, base = medians(CTL, "log", "show", f"--log={few}", *args)
        taken, _, rss = medians(CTL, "log", "show", f"--log={many}", *args)
        met = (taken < GOAL_SHOW or RECORDS > 1000000) and rss - base < GOAL_GROWTH_KIB
        good &= met
        print(f"  {label:<40}{taken:8.2f}{rss:9.0f}   {FEW:,} records: {base:.0f} KiB; goal {GOAL_SHOW:.0f} s and flat: {word(met)}")
    return good


def main():
    missing = [str(p) for p in (CTL, SEAL, WRITER) if not p.exists()]
    if missing:
        print("not built:", *missing, file=sys.stderr)
        return 1
    writing()
    with tempfile.TemporaryDirectory(prefix="bench-log-", dir=BUILD) as name:
        directory = pathlib.Path(name)
        few, many = make_log(directory / "few", FEW), make_log(directory / "many", RECORDS)
        good = verifying(directory, many)
        good &= showing(few, many)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
