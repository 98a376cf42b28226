#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test_* function of the test_*.py beside it, two at a time; arguments select by part of the name."""
import concurrent.futures
import importlib
import multiprocessing
import pathlib
import signal
import sys
import time
import traceback

import harness


def discover(parts):
    for path in sorted(pathlib.Path(__file__).resolve().parent.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function):
                if not parts or any(part in f"{path.stem}.{name}" for part in parts):
                    yield path.stem, name


def run_test(stem, name):
    """In a process of its own, beside the one that runs another. Returns (report, passed)."""
    label = f"{stem[5:]}: {name[5:]}"
    start = time.monotonic()
    try:
        getattr(importlib.import_module(stem), name)()
    except Exception:  # pylint: disable=broad-except
        return f"FAIL  {label}\n{traceback.format_exc()}", False
    return f"ok    {label} ({time.monotonic() - start:.1f} s)", True


def main():
    missing = [str(p) for p in (harness.CTL, harness.FAKE, harness.FAKE_POLKIT) if not p.exists()]
    if missing:
        print("not built:", *missing, file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    # Started in the background of a shell, all that is started here would be deaf to Ctrl+C, which some tests press.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    passed = failed = 0
    # A worker that dies breaks the pool, and with it the run.
    with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        tests = [pool.submit(run_test, *test) for test in discover(sys.argv[1:])]
        for test in concurrent.futures.as_completed(tests):
            report, good = test.result()
            passed, failed = passed + good, failed + (not good)
            print(report, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
