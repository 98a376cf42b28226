#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs scenarios of the terminal tier on the kernel that watches itself (prepare-debug.sh).

A test fails, as everywhere, when the kernel complains, and here the kernel has KASAN, lockdep,
sleep-in-atomic checks and object tracking to complain with. Each boot ends with a search for lost
memory (kmemleak). Options and files as for run.py; without files, those that exercise the module.
"""

import os
import re
import sys
import time

import run
import terminal

KERNEL = os.path.join(terminal.CACHE, "debug-kernel")
MODULE = os.path.join(terminal.BUILD, "debug", "sekimori.ko")
FILES = ("test_gate", "test_root", "test_death", "test_barrier", "test_hostile", "test_sleep")
SLOWER = 6  # what takes a second on Debian's kernel may take this many here
KMEMLEAK = "/sys/kernel/debug/kmemleak"

# Complaints that are not about us: (what the whole report must match, why).
NOT_OURS = ()


def reports(dmesg):
    """The kernel's complaints, each with the lines that follow it up to the next pause."""
    lines = dmesg.splitlines()
    found, at = [], 0
    while at < len(lines):
        if not terminal.TROUBLE.search(lines[at]):
            at += 1
            continue
        start, quiet = max(0, at - 3), 0
        while at < len(lines) and quiet < 3:
            # A report comes at once; what is told a tenth of a second later belongs to something else.
            quiet = 0 if stamp(lines[at]) - stamp(lines[at - 1] if at else lines[at]) < 0.1 else 3
            at += quiet < 3
            if at - start > 200:
                break
        found.append("\n".join(lines[start:max(at, start + 4)]))
        at = max(at, start + 4)
    return found


def stamp(line):
    found = re.match(r"\[ *(\d+\.\d+)\]", line)
    return float(found.group(1)) if found else 0.0


class DebugTerminal(terminal.Terminal):
    def __init__(self, **options):
        with open(MODULE, "rb") as f:
            ours = f.read()
        if options.get("module"):
            options["module"] = MODULE
        files = dict(options.get("files") or {})
        # Tests that use insmod take the module from where `make install` has put it.
        for stage in options.get("stages", ()):
            for folder, _, names in os.walk(os.path.join(stage, "lib/modules")):
                if "sekimori.ko" in names:
                    files[os.path.join("/", os.path.relpath(folder, stage), "sekimori.ko")] = ours
        options.update(kernel=KERNEL, files=files, memory="1536M", boot_timeout=400)
        super().__init__(**options)
        self.image = "vmlinuz"  # KASAN does not survive being started directly

    def run(self, command, check=True, timeout=30.0):
        return super().run(command, check, timeout * SLOWER)

    def wait_until(self, condition, timeout=15.0, what=""):
        return super().wait_until(condition, timeout * SLOWER, what)

    def suspend(self, timeout=30):
        super().suspend(timeout * SLOWER)

    def wake(self, timeout=30):
        super().wake(timeout * SLOWER)

    def check_kernel(self):
        bad = [r for r in reports(self.dmesg()) if not any(re.search(p, r, re.S) for p, _ in NOT_OURS)]
        if bad:
            raise AssertionError("the kernel complains:\n" + "\n\n".join(bad))


def test_no_memory_is_lost(t):
    """Added to each boot, as its last test."""
    # An object younger than five seconds is not suspected, and a pointer may hide for one scan.
    for _ in range(2):
        time.sleep(6)
        t.run(f"echo scan > {KMEMLEAK}", timeout=60)
    lost = t.read(KMEMLEAK).split("unreferenced object")[1:]
    # After an unloading its functions have no names: then there are bare addresses.
    ours = [o for o in lost if "sekimori" in o or re.search(r"\] 0x[0-9a-f]+$", o, re.M)]
    if lost:
        print(f"note: kmemleak suspects {len(lost)} objects, {len(ours)} of them ours", flush=True)
    if ours:
        raise AssertionError("lost memory:\n" + "\n".join(ours))


def groups(module, names, plain=run.groups):
    module.test_no_memory_is_lost = test_no_memory_is_lost
    return [group + ["test_no_memory_is_lost"] for group in plain(module, names)]


if __name__ == "__main__":
    run.Terminal, run.groups, run.TAIL = DebugTerminal, groups, 150
    if not any(argument.endswith(".py") for argument in sys.argv[1:]):
        sys.argv += [os.path.join(run.HERE, name + ".py") for name in FILES]
    sys.exit(run.main())
