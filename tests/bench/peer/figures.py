#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what Sekimori, USBGuard and an unguarded kernel take for the same things, as a table in Markdown.

Each of them is booted in turn, in rounds, so that they share the noise of the day. The processor is emulated: read
ratios of medians, not milliseconds.

    figures.py [--rounds N] [--plugs N] [--idle SECONDS] [--rules N,N,...] [--minutes N] [--only-plugs]

Wake-ups and the sizes of the policy are taken in the first round only. What one boot could not measure is said, the table holds the
rest, and the exit status is 1.
"""

import argparse
import os
import statistics
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from guards import KNOWN, SEKIMORI, UNGUARDED, USBGUARD, allow, record_watch, rules_of, take_out, watch  # noqa: E402
from barrier import images  # noqa: E402

STRANGER = "NOBODY"
RSS_AT_1, RSS_AT_MANY = 0.5, 0.1  # goals, beside USBGuard
USABLE_BESIDE_KERNEL, READY_MS = 1.05, 300.0
MANY = 20000


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Figures:
    """Lists of measurements by row and guard."""

    def __init__(self):
        self.rows = {}  # name: (unit, {guard name: [values]})

    def add(self, row, unit, guard, *values):
        progress(f"  {guard.name}: {row}: {', '.join(f'{v:.1f}' for v in values)} {unit}")
        self.rows.setdefault(row, (unit, {}))[1].setdefault(guard.name, []).extend(values)

    def median(self, row, guard):
        values = self.rows.get(row, ("", {}))[1].get(guard.name)
        return statistics.median(values) if values else None


def usable(t):
    """Milliseconds from the kernel's event for the stick to 4096 bytes read of its disk."""
    return watch(t, "disk", lambda: t.plug_storage("stick", images.luks2(), serial=KNOWN))["us"] / 1000


def refused(t, guard):
    """Milliseconds to the record of the refusal; the device, or its interface, must be shut by then."""
    seen = watch(t, "record " + record_watch(guard, guard.refused),
                 lambda: t.plug_storage("stick", images.plain(), serial=STRANGER))
    assert "0" in seen["device_authorized"] + seen["interfaces_authorized"], seen
    return seen["us"] / 1000


def set_delay(t, seconds):
    """usb-storage's own wait before it looks at a disk; Debian's is a second."""
    t.run(f"modprobe usb-storage && echo {seconds} > /sys/module/usb_storage/parameters/delay_use")


def plugs(t, n, measure):
    times = []
    for _ in range(n):
        times.append(measure())
        take_out(t)
    return times


def measure_plugs(figures, guard, t, n, label=""):
    """The rows that depend on rules; `label` says how many."""
    set_delay(t, 0)
    guard.rest(t)
    plugs(t, 1, lambda: usable(t))
    before = guard.cpu_us(t)
    figures.add(f"plug → disk usable, no driver's delay{label}", "ms", guard, *plugs(t, n, lambda: usable(t)))
    if guard.unit:
        figures.add(f"plug → refusal on record{label}", "ms", guard, *plugs(t, n, lambda: refused(t, guard)))
        figures.add(f"processor time of a plug, half of them refused{label}", "ms", guard,
                    (guard.cpu_us(t) - before) / 1000 / (2 * n))


def measure_memory(figures, guard, t, label):
    """Of the daemon alone, then of all services that the package starts (USBGuard's speaks D-Bus by another one)."""
    for whole, of in ((False, "daemon"), (True, "all its services")):
        for kind, kib in guard.memory_kib(t, whole).items():
            name = {"Rss": "resident memory", "Pss": "proportional memory", "Private_Dirty": "memory of its own"}[kind]
            figures.add(f"{name}, {of}{label}", "KiB", guard, kib)


def measure_rules(figures, guard, t, n, count):
    label = f", {count:,} rules"
    progress(f"  {count:,} rules")
    figures.add(f"start → ready{label}", "ms", guard, guard.restart(t, rules_of(count)))
    measure_plugs(figures, guard, t, n, label)
    measure_memory(figures, guard, t, label)


def measure_boot(figures, guard, options, first):
    with guard.boot(allow()) as t:
        progress(f"{guard.name}: booted in {t.boot_seconds:.0f} s")
        if guard.unit:
            figures.add("unit's start → ready, at boot", "ms", guard, guard.ready_ms(t))
        set_delay(t, 1)
        guard.rest(t)
        plugs(t, 1, lambda: usable(t))
        figures.add("plug → disk usable, as Debian has it", "ms", guard, *plugs(t, options.plugs, lambda: usable(t)))
        measure_plugs(figures, guard, t, options.plugs)
        if options.only_plugs:
            return
        replugs = []
        for _ in range(options.plugs):
            usable(t)
            t.unplug("stick")
            replugs.append(usable(t))
            take_out(t)
        figures.add("unplug, replug → disk usable", "ms", guard, *replugs)
        if not guard.unit:
            return
        measure_memory(figures, guard, t, ", 1 rule")
        if first and options.idle:
            progress(f"  idle for {options.idle} s")
            before = guard.switches(t)
            time.sleep(options.idle)
            figures.add(f"wake-ups in {options.idle} s idle", "", guard, guard.switches(t) - before)
        figures.add("start → ready, 1 rule", "ms", guard, *(guard.restart(t, allow()) for _ in range(options.plugs)))
        for count in options.rules if first else ():
            measure_rules(figures, guard, t, options.plugs, count)


def ratio(a, b):
    return f"{a / b:.2f}" if a is not None and b else ""


def goal(row, figures):
    """What the row has to reach, and whether it has; nothing of what was not measured."""
    ours, peer, bare = (figures.median(row, guard) for guard in (SEKIMORI, USBGUARD, UNGUARDED))
    goals = []
    if ours is not None and peer is not None:
        limit = 1.0
        if row == "resident memory, daemon, 1 rule":
            limit = RSS_AT_1
        elif row == f"resident memory, daemon, {MANY:,} rules":
            limit = RSS_AT_MANY
        goals.append((f"≤ {limit:g} of USBGuard", ours <= peer * limit))
    if ours is not None and bare is not None and row == "plug → disk usable, as Debian has it":
        goals.append((f"≤ {USABLE_BESIDE_KERNEL:g} of unguarded", ours <= bare * USABLE_BESIDE_KERNEL))
    if ours is not None and row == "unit's start → ready, at boot":
        goals.append((f"≤ {READY_MS:g} ms", ours <= READY_MS))
    return "; ".join(f"{text}: {'met' if met else '**missed**'}" for text, met in goals)


def cell(values):
    """Median, and of how many."""
    if not values:
        return ""
    median = statistics.median(values)
    return f"{median:,.0f} ({len(values)})" if median >= 100 else f"{median:.1f} ({len(values)})"


def print_table(figures):
    print("Medians, in brackets of how many.\n")
    print("| | unit | Sekimori | USBGuard | unguarded | beside USBGuard | beside unguarded | goal |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for row, (unit, values) in figures.rows.items():
        ours, peer, bare = (figures.median(row, guard) for guard in (SEKIMORI, USBGUARD, UNGUARDED))
        cells = " | ".join(cell(values.get(guard.name)) for guard in (SEKIMORI, USBGUARD, UNGUARDED))
        print(f"| {row} | {unit} | {cells} | {ratio(ours, peer)} | {ratio(ours, bare)} | {goal(row, figures)} |")


def measure(figures, options):
    """All rounds that there is time for. How many boots could not be measured to their end."""
    began = time.monotonic()
    failed, longest = 0, 0
    for turn in range(options.rounds):
        round_began = time.monotonic()
        if turn and round_began - began + longest > options.minutes * 60:
            progress(f"no time for another round after {turn}")
            break
        for guard in (UNGUARDED, SEKIMORI, USBGUARD):
            try:
                measure_boot(figures, guard, options, turn == 0)
            except Exception:  # of a guard, a guest or QEMU: the others' figures are good all the same
                failed += 1
                progress(f"{guard.name}: not measured to the end\n{traceback.format_exc()}")
        longest = max(longest, time.monotonic() - round_began)
    return failed


def main():
    parser = argparse.ArgumentParser(description="Sekimori, USBGuard and an unguarded kernel side by side")
    parser.add_argument("--rounds", type=int, default=3, help="boots of each (3)")
    parser.add_argument("--plugs", type=int, default=3, help="of each kind and boot (3)")
    parser.add_argument("--idle", type=int, default=60, help="seconds to watch an idle daemon (60)")
    parser.add_argument("--rules", default="1000,20000", help="sizes of the policy besides 1 (1000,20000)")
    parser.add_argument("--minutes", type=int, default=12, help="no round begins that would not end by then (12)")
    parser.add_argument("--only-plugs", action="store_true", help="nothing but sticks that are let in and refused, with one rule")
    options = parser.parse_args()
    options.rules = [int(n) for n in options.rules.split(",") if n]
    figures = Figures()
    failed = measure(figures, options)
    print_table(figures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
