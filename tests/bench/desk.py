#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what a register of 50,000 media costs the help desk, each command in a process of its own."""

import csv
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DESK = TOP / "build" / "sekimori-desk"
MEDIA = 50000
ROUNDS = 5
GOAL = 1.0

BASE = "policy shiyakusho\nvalid-until 2099-03-31\nencryption luks2\nmark required\n"


def table(path):
    with open(path, "w", encoding="utf-8-sig", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["number", "product", "id", "serial", "class", "encryption", "luks_uuid", "content", "place",
                       "users", "terminals", "issued", "until"])
        for n in range(MEDIA):
            rows.writerow([f"ZEI-{n:05d}", "USBメモリ 3.0 16GB", "46f4:0001", f"{n:012X}", ("I", "II", "III")[n % 3],
                           "luks2", f"{n:08x}-0000-4000-8000-{n:012x}", "税務課 申告書データ", "税務課 鍵付きロッカー",
                           "@zeimu", "ZEI-*", "2026-04-01", "2099-03-31"])


class Desk:
    def __init__(self, directory):
        self.directory = directory
        self.cpu = 0.0
        self.env = dict(os.environ, SEKIMORI_DESK=f"{directory}/desk", LANG="ja_JP.UTF-8")
        (directory / "passphrase").write_text("four unrelated words here\n", encoding="utf-8")

    def run(self, *args):
        """Seconds on the clock; self.cpu: of the processor, which other work on the machine does not lengthen."""
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([DESK, *map(str, args), f"--passphrase-file={self.directory}/passphrase"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return time.monotonic() - start


def main():
    if not DESK.exists():
        print("not built:", DESK, file=sys.stderr)
        return 1
    missed = False
    with tempfile.TemporaryDirectory(prefix="sekimori-desk-") as name:
        directory = pathlib.Path(name)
        desk = Desk(directory)
        desk.run("init", "--policy-signer=署名者", "--quick-kdf")
        table(directory / "media.csv")
        (directory / "base").write_text(BASE, encoding="utf-8")
        print(f"a register of {MEDIA:,} media")
        print(f"  {'import':<22}{desk.run('import', directory / 'media.csv'):7.2f} s")
        # Every second medium was lent and is back, so that there is a history to fold.
        half = [f"ZEI-{n:05d}" for n in range(0, MEDIA, 2)]
        lend = return_ = 0.0
        for i in range(0, len(half), 5000):
            lend += desk.run("lend", "--holder=税務課 田中", *half[i:i + 5000])
            return_ += desk.run("return", *half[i:i + 5000])
        print(f"  {'lend 25,000':<22}{lend:7.2f} s")
        print(f"  {'return 25,000':<22}{return_:7.2f} s")
        commands = [
            ("list", ("list",), GOAL),
            ("list --json", ("list", "--json"), None),
            ("list --overdue", ("list", "--overdue"), GOAL),
            ("policy", ("policy", f"--base={directory}/base", f"--out={directory}/policy", "--sign=policy-1"), GOAL),
            ("export", ("export", directory / "out.csv"), None),
            ("show", ("show", "ZEI-04711"), None),
            ("lend 1", ("lend", "--holder=x", "ZEI-00001"), None),
        ]
        for label, args, goal in commands:
            rows = [(desk.run(*args), desk.cpu) for _ in range(1 if label == "lend 1" else ROUNDS)]
            median, cpu = (statistics.median(column) for column in zip(*rows))
            word = "" if goal is None else "met" if median < goal else "MISSED"
            missed |= word == "MISSED"
            print(f"  {label:<22}{median:7.2f} s  ({cpu:.2f} s of the processor)"
                  + (f"   goal {goal:.0f} s: {word}" if goal else ""))
        size = (directory / "desk" / "register.db").stat().st_size
        print(f"  {'file':<22}{size / (1 << 20):7.1f} MiB")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
