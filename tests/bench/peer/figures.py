#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what Sekimori, USBGuard and an unguarded kernel take for the same things, as a table in Markdown.

Each of them is booted in turn, in rounds, so that they share the noise of the day. The processor is emulated: read
ratios of medians, not milliseconds.

    figures.py [--rounds N] [--plugs N] [--idle SECONDS] [--rules N,N,...]
"""

import argparse
import os
import statistics
import sys
import time

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


def measure_boot(figures, guard, options, idle):
    with guard.boot(allow()) as t:
        progress(f"{guard.name}: booted in {t.boot_seconds:.0f} s")
        if guard.unit:
            figures.add("unit's start → ready, at boot", "ms", guard, guard.ready_ms(t))
        set_delay(t, 1)
        plugs(t, 1, lambda: usable(t))
        figures.add("plug → disk usable, as Debian has it", "ms", guard, *plugs(t, options.plugs, lambda: usable(t)))
        measure_plugs(figures, guard, t, options.plugs)
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
        if idle:
            progress(f"  idle for {idle} s")
            before = guard.switches(t)
            time.sleep(idle)
            figures.add(f"wake-ups in {idle} s idle", "", guard, guard.switches(t) - before)
        figures.add("start → ready, 1 rule", "ms", guard, *(guard.restart(t, allow()) for _ in range(options.plugs)))
        for count in options.rules:
            measure_rules(figures, guard, t, options.plugs, count)


def ratio(a, b):
    return f"{a / b:.2f}" if a is not None and b else ""


def goal(row, figures):
    """What the row has to reach, and whether it has."""
    ours, peer, bare = (figures.median(row, guard) for guard in (SEKIMORI, USBGUARD, UNGUARDED))
    goals = []
    if peer is not None:
        limit = 1.0
        if row == "resident memory, daemon, 1 rule":
            limit = RSS_AT_1
        elif row == f"resident memory, daemon, {MANY:,} rules":
            limit = RSS_AT_MANY
        goals.append((f"≤ {limit:g} of USBGuard", ours <= peer * limit))
    if row == "plug → disk usable, as Debian has it":
        goals.append((f"≤ {USABLE_BESIDE_KERNEL:g} of unguarded", ours <= bare * USABLE_BESIDE_KERNEL))
    if row == "unit's start → ready, at boot":
        goals.append((f"≤ {READY_MS:g} ms", ours <= READY_MS))
    return "; ".join(f"{text}: {'met' if met else '**missed**'}" for text, met in goals)


def print_table(figures):
    def show(value):
        return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"

    print("| | unit | Sekimori | USBGuard | unguarded | beside USBGuard | beside unguarded | n | goal |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---|")
    for row, (unit, values) in figures.rows.items():
        ours, peer, bare = (figures.median(row, guard) for guard in (SEKIMORI, USBGUARD, UNGUARDED))
        print(f"| {row} | {unit} | {show(ours)} | {show(peer)} | {show(bare)} | {ratio(ours, peer)} | {ratio(ours, bare)} | "
              f"{min(len(v) for v in values.values())} | {goal(row, figures)} |")


def main():
    parser = argparse.ArgumentParser(description="Sekimori, USBGuard and an unguarded kernel side by side")
    parser.add_argument("--rounds", type=int, default=2, help="boots of each (2)")
    parser.add_argument("--plugs", type=int, default=5, help="of each kind and boot (5)")
    parser.add_argument("--idle", type=int, default=60, help="seconds to watch an idle daemon (60)")
    parser.add_argument("--rules", default="1000,20000", help="sizes of the policy besides 1 (1000,20000)")
    options = parser.parse_args()
    options.rules = [int(n) for n in options.rules.split(",") if n]
    figures = Figures()
    for turn in range(options.rounds):
        for guard in (UNGUARDED, SEKIMORI, USBGUARD):
            measure_boot(figures, guard, options, options.idle if turn == 0 else 0)
    print_table(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
