#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the terminal tier: tests/terminal/test_*.py, one boot for each file.

A test is a function test_*(t) that takes the booted Terminal. OPTIONS of the file are the Terminal's
options; text in them may contain {build}. SEKIMORI_KEEP=1 keeps each machine's directory in /tmp. FRESH = {"test_x", ...} names tests that need a boot
of their own, OWN = {"test_x": {option: value}, ...} those that need one with other options. LONG = {…}, or True for all of a file, names those that run only with --long or when asked for. A file's teardown(t), if it has one, is called after each test.
"""

import argparse
import concurrent.futures
import glob
import importlib
import inspect
import os
import re
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from terminal import BUILD, Terminal  # noqa: E402

MACHINE = Terminal  # what is booted
TAIL = 40  # lines of each log shown after a failure


def expand(value):
    if isinstance(value, str):
        return value.replace("{build}", BUILD)
    if isinstance(value, (list, tuple)):
        return type(value)(expand(v) for v in value)
    if isinstance(value, dict):
        return {k: expand(v) for k, v in value.items()}
    return value


def tail(text):
    return "\n".join("    " + line for line in text.splitlines()[-TAIL:])


def evidence(t):
    """What the guest can still say after a failure."""
    parts = []
    daemon = "journalctl --no-pager -q -o cat -u sekimorid" if t.init == "systemd" else "cat /run/sekimorid.out"
    for title, what in (("daemon", lambda: t.run(daemon, check=False, timeout=10).out),
                        ("module", lambda: t.run("cat /run/modprobe.out", check=False, timeout=5).out),
                        ("dmesg", t.dmesg)):
        try:
            text = what()
        except Exception as e:  # the guest may be dead: then the console is what there is
            text = f"({e})"
        if text.strip():
            parts.append(f"  {title}:\n{tail(text)}")
    parts.append(f"  console:\n{tail(t.console())}")
    return "\n".join(parts)


def run_test(t, module, name):
    """Returns (report, passed)."""
    start = time.monotonic()
    error = None
    try:
        getattr(module, name)(t)
    except Exception:
        error = traceback.format_exc()
    try:
        if hasattr(module, "teardown"):
            module.teardown(t)
        t.check_kernel()
    except Exception:
        error = (error or "") + traceback.format_exc()
    took = time.monotonic() - start
    label = f"{module.__name__[5:]}: {name[5:]}"
    if error is None:
        return f"ok    {label}  {took:.1f} s", True
    return f"FAIL  {label}  {took:.1f} s\n{tail(error)}\n{evidence(t)}", False


def groups(module, names):
    """The tests by boot: those that share one, then each that needs its own."""
    fresh = getattr(module, "FRESH", set()) | getattr(module, "OWN", {}).keys()
    shared = [n for n in names if n not in fresh]
    return ([shared] if shared else []) + [[n] for n in names if n in fresh]


def length(job):
    """How long it takes, roughly: by how much is written in its tests."""
    module, names = job
    return sum(len(inspect.getsource(getattr(module, name))) for name in names)


def run_group(module, names):
    """One boot. Yields (report, passed) for each test."""
    options = expand({**getattr(module, "OPTIONS", {}), **getattr(module, "OWN", {}).get(names[0], {})})
    try:
        terminal = MACHINE(name=module.__name__[5:], **options).__enter__()
    except Exception:
        for n in names:
            yield f"FAIL  {module.__name__[5:]}: {n[5:]}  no boot\n{tail(traceback.format_exc())}", False
        return
    try:
        yield f"boot  {module.__name__[5:]}  {terminal.boot_seconds:.1f} s", None
        for n in names:
            report, passed = run_test(terminal, module, n)
            yield report, passed
            if terminal.process.poll() is not None:  # panicked: what remains gets a new machine
                rest = names[names.index(n) + 1:]
                if rest:
                    yield from run_group(module, rest)
                return
            if not passed and names.index(n) + 1 < len(names):
                # A failure may leave devices and states behind that would blame the next test.
                terminal.__exit__()
                yield from run_group(module, names[names.index(n) + 1:])
                return
    finally:
        terminal.__exit__()


def main(folder=HERE, machine=Terminal):
    """`folder` has the tests, `machine` is what they are run in (tests/image/run.py has another)."""
    global MACHINE
    MACHINE = machine
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", metavar="PATTERN", help="only tests whose file or name matches (regular expression)")
    parser.add_argument("-j", type=int, default=2, help="machines at the same time (2)")
    parser.add_argument("--long", action="store_true", help="also the files that say LONG = True, and more of what is done often")
    parser.add_argument("files", nargs="*", help="test files (all)")
    arguments = parser.parse_args()
    if arguments.long:
        os.environ["SEKIMORI_LONG"] = "1"  # some tests do more then

    files = arguments.files or sorted(glob.glob(os.path.join(folder, "test_*.py")))
    jobs = []
    passed = failed = 0
    for path in files:
        try:
            module = importlib.import_module(os.path.basename(path)[:-len(".py")])
        except Exception:
            print(f"FAIL  {os.path.basename(path)}: cannot be loaded\n{tail(traceback.format_exc())}")
            failed += 1
            continue
        names = [n for n in vars(module) if n.startswith("test_") and callable(getattr(module, n))]
        long = getattr(module, "LONG", set())
        assert long is True or long <= set(names), f"{path}: LONG names what is not there"
        if not (arguments.files or arguments.k or arguments.long):
            names = [n for n in names if long is not True and n not in long]
        names = [n for n in names if not arguments.k or re.search(arguments.k, f"{module.__name__[5:]}: {n[5:]}")]
        jobs += [(module, group) for group in groups(module, names)]

    def work(job):
        nonlocal passed, failed
        for report, good in run_group(*job):
            print(report, flush=True)
            if good is not None:
                passed, failed = passed + good, failed + (not good)

    with concurrent.futures.ThreadPoolExecutor(max(1, arguments.j)) as pool:
        # The longest first, so that the machines end together.
        for future in [pool.submit(work, job) for job in sorted(jobs, key=length, reverse=True)]:
            future.result()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
