#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the unit tests given as arguments, four at a time, because some only wait; a line for each program, then the counts of tests."""

import concurrent.futures
import re
import subprocess
import sys


def start(program):
    return program, subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=300)


def main():
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(start, sys.argv[1:]))
    for program, run in runs:
        row = re.search(r"^\s+tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", run.stdout, re.M)
        name = program.rsplit("/", 1)[-1]
        if row:
            total, ran, _, bad = map(int, row.groups())
            bad += total - ran
        else:
            total, bad = 1, 1
        # A sanitizer's report, a leak or a crash fails the program even when its assertions held.
        if run.returncode and not bad:
            total, bad = total + 1, 1
        passed += total - bad
        failed += bad
        print(f"{'FAIL' if bad else 'ok  '}  {name}: {total - bad} of {total}", flush=True)
        if bad:
            print(run.stdout + run.stderr)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
