#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs test tiers one after the other and adds up what they count.

Usage: tiers.py NAME=COMMAND [NAME=COMMAND ...]
Each command says "N passed, N failed" when it is done (make may add its own complaint). The last line here is the sum.
"""

import re
import subprocess
import sys
import time


def run_tier(name, command):
    print(f"=== {name}: {command}", flush=True)
    start = time.monotonic()
    counts = None
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            counts = re.fullmatch(r"(\d+) passed, (\d+) failed\n?", line) or counts
    passed, failed = map(int, counts.groups()) if counts else (0, 1)
    if process.returncode and not failed:
        failed = 1
    return passed, failed, time.monotonic() - start


def main():
    rows = []
    for argument in sys.argv[1:]:
        name, command = argument.split("=", 1)
        rows.append((name, *run_tier(name, command)))
    print()
    for name, passed, failed, seconds in rows:
        print(f"{name:<12} {passed:>5} passed {failed:>4} failed {seconds:>7.1f} s")
    passed = sum(row[1] for row in rows)
    failed = sum(row[2] for row in rows)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
