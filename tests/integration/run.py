#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs every test_* function of the test_*.py beside it; arguments select by part of the name."""
import importlib
import pathlib
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
                    yield f"{path.stem[5:]}: {name[5:]}", function


def main():
    missing = [str(p) for p in (harness.CTL, harness.FAKE, harness.FAKE_POLKIT) if not p.exists()]
    if missing:
        print("not built:", *missing, file=sys.stderr)
        print("0 passed, 1 failed")
        return 1
    passed = failed = 0
    for name, function in discover(sys.argv[1:]):
        start = time.monotonic()
        try:
            function()
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAIL  {name}")
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
            print(f"ok    {name} ({time.monotonic() - start:.1f} s)")
        sys.stdout.flush()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
