#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs libFuzzer targets two at a time, each for a fixed number of inputs from a fixed seed.

Usage: run.py [--runs N] [--seed N] [--keep DIR] PROGRAM...
The corpus of NAME-fuzz is tests/fuzz/corpus/NAME; it is only read. Its words are in NAME.dict, else in
sekimori.dict. An input that breaks a target is kept beside
the program. With --keep, what the target learns is kept in DIR/NAME for the next run.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def run_target(program, options, new):
    name = os.path.basename(program)
    subject = name.removesuffix("-fuzz")
    words = os.path.join(HERE, f"{subject}.dict")
    if not os.path.exists(words):
        words = os.path.join(HERE, "sekimori.dict")
    command = [program, f"-runs={options.runs}", f"-seed={options.seed}", f"-max_len={options.max_len}",
               "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1",
               f"-dict={words}", f"-artifact_prefix={program}-",
               new, os.path.join(HERE, "corpus", subject)]
    start = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors="replace")
    ran = re.search(r"number_of_executed_units: (\d+)", run.stdout)
    covered = re.findall(r"cov: (\d+)", run.stdout)
    ran = int(ran.group(1)) if ran else 0
    ok = run.returncode == 0 and ran >= options.runs
    print(f"{'ok  ' if ok else 'FAIL'}  {name}: {ran} inputs, {covered[-1] if covered else 0} edges, "
          f"{time.monotonic() - start:.1f} s", flush=True)
    if not ok:
        print(run.stdout[-6000:])
    return ok


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=int(os.environ.get("FUZZ_RUNS", 20000)))
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--max-len", type=int, default=4096)
    options.add_argument("--keep")
    options.add_argument("programs", nargs="+")
    options = options.parse_args()

    def work(program):
        with tempfile.TemporaryDirectory() as scratch:
            new = scratch
            if options.keep:
                new = os.path.join(options.keep, os.path.basename(program).removesuffix("-fuzz"))
                os.makedirs(new, exist_ok=True)
            return run_target(program, options, new)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, options.programs))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
