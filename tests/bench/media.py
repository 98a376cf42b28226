#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what it costs to prove a medium: a whole disk, four partitions, eight units."""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "terminal"))

from disks import MIB, Disks  # noqa: E402
from inspecting import inspect, inspect_block, options, plug_reader, unplug_reader  # noqa: E402
from terminal import Terminal  # noqa: E402

RUNS = int(os.environ.get("SEKIMORI_BENCH_RUNS", "9"))
GOAL_COMMANDS, GOAL_BYTES, GOAL_RSS = 12, 40 << 10, 3 << 10


def over_usb(t, plug, unplug):
    plug()
    reports = [inspect(t) for _ in range(RUNS)]
    unplug()
    return reports


def over_block(t, image):
    t.plug_storage("a", image)
    t.wait_until(lambda: t.run("dd if=/dev/sda of=/dev/null bs=4096 count=1", check=False).status == 0)
    reports = [inspect_block(t, "/dev/sda") for _ in range(RUNS)]
    t.unplug("a")
    return reports


def measure(t, disks):
    """{name: reports}"""
    volumes = [disks.luks2(f"volume-{n}", size=20 * MIB) for n in range(8)]
    whole = disks.luks2("whole")
    four = disks.parts("four", volumes[:4])
    figures = {}

    for name, image in (("whole disk", whole), ("4 partitions (GPT)", four)):
        figures[name] = over_usb(t, lambda image=image: t.plug_storage("a", image), lambda: t.unplug("a"))
    nodes = []
    figures["8 units"] = over_usb(t, lambda: nodes.extend(plug_reader(t, "r", volumes)),
                                  lambda: unplug_reader(t, "r", nodes))
    figures["whole disk, block device"] = over_block(t, whole)
    figures["4 partitions, block device"] = over_block(t, four)
    return figures


def main():
    with Disks() as disks, Terminal(name="media", **options()) as t:
        figures = measure(t, disks)
        t.check_kernel()

    print(f"\nproving a medium, {RUNS} runs each, emulated CPU: medians\n")
    print(f"{'':<30}{'commands':>9}{'KiB read':>10}{'ms':>9}{'max ms':>9}{'RSS KiB':>9}")
    for name, reports in figures.items():
        bad = [r for r in reports if r["outcome"] != "proved"]
        if bad:
            print(f"{name:<30}not proved: {bad[0]['outcome']}: {bad[0]['detail']}")
            return 1
        times = [r["elapsed_us"] / 1000 for r in reports]
        print(f"{name:<30}{statistics.median(r['commands'] for r in reports):>9.0f}"
              f"{statistics.median(r['bytes_read'] for r in reports) / 1024:>10.1f}"
              f"{statistics.median(times):>9.1f}{max(times):>9.1f}{max(r['maxrss_kib'] for r in reports):>9}")
    cost = figures["whole disk"][0]
    met = max(r["commands"] for r in figures["whole disk"]) <= GOAL_COMMANDS and cost["bytes_read"] <= GOAL_BYTES
    rss = max(r["maxrss_kib"] for reports in figures.values() for r in reports)
    print(f"\nwhole disk: at most {GOAL_COMMANDS} commands and {GOAL_BYTES >> 10} KiB: {'met' if met else 'MISSED'}")
    print(f"resident memory below {GOAL_RSS} KiB: {'met' if rss < GOAL_RSS else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
