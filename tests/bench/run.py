#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the figures of the barrier beside the same kernel without it.

Both kinds of machine are booted in turn, so that they share the noise of the day. Everything runs
under software emulation: read ratios and medians, not milliseconds.
"""

import os
import re
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "terminal"))

from barrier import BUILD, TOOLS, Since, counter, daemon_pid, disks, images, options, ready  # noqa: E402
from terminal import Terminal  # noqa: E402

ATTACHES = int(os.environ.get("SEKIMORI_BENCH_ATTACHES", "20"))
ROUNDS = 2  # boots of each kind; the attaches are divided among them
IDLE_SECONDS = 60


def progress(text):
    print(text, file=sys.stderr, flush=True)


def bare():
    """Debian's kernel and udev as they come."""
    with open(os.path.join(BUILD, "guest/waitdisk"), "rb") as f:
        return {"files": {TOOLS + "/waitdisk": (0o755, f.read())}}


def usable_after(t):
    """Seconds from device_add until the disk's first block has been read in the guest."""
    result = {}

    def wait():
        result["status"] = t.run(f"{TOOLS}/waitdisk /dev/sda 20", check=False, timeout=30).status
        result["end"] = time.monotonic()
    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.3)
    start = time.monotonic()
    t.plug_storage("a", images.luks2(), serial="GOOD")
    waiter.join()
    assert result["status"] == 0, "the disk did not come"
    time.sleep(0.3)
    t.unplug("a")
    t.wait_until(lambda: not disks(t), what="no disk")
    return result["end"] - start


def whole_times(t, n):
    """With usb-storage's own second of waiting, and without it."""
    times = {}
    for delay in (1, 0):
        t.run(f"echo {delay} > /sys/module/usb_storage/parameters/delay_use")
        usable_after(t)
        times[delay] = [usable_after(t) for _ in range(n)]
    return times


def verdicts(t, kind, image, serial, n):
    """Microseconds from held to verdict as recorded."""
    since = Since(t)
    for i in range(n):
        t.plug_storage("a", image, serial=serial)
        t.wait_until(lambda want=i + 1: len(since.records(kind)) == want, what=kind)
        t.unplug("a")
    return [r["verdict_us"] / 1000 for r in since.records(kind)]


def status(t, pid):
    return dict(re.findall(r"^(\w+):\s+(\d+)", t.read(f"/proc/{pid}/status"), re.M))


def switches(t, pid):
    s = status(t, pid)
    return int(s["voluntary_ctxt_switches"]) + int(s["nonvoluntary_ctxt_switches"])


def guarded_boot(figures, first):
    with Terminal(name="bench", **options()) as t:
        ready(t)
        n = -(-ATTACHES // ROUNDS)
        progress(f"with the barrier: {n} attaches of each kind")
        figures["identity"] += verdicts(t, "denied", images.plain(), "NOBODY", n)
        figures["proved"] += verdicts(t, "allowed", images.luks2(), "GOOD", n)
        for delay, times in whole_times(t, n).items():
            figures["whole", "with", delay] += times
        figures["hold_mean"].append(counter(t, "hold_ns_total") / counter(t, "held") / 1000)
        figures["hold_max"].append(counter(t, "hold_ns_max") / 1000)
        pid = daemon_pid(t)
        figures["rss"].append(int(status(t, pid)["VmRSS"]))
        figures["anon"].append(int(status(t, pid)["RssAnon"]))
        if first:
            progress(f"idle for {IDLE_SECONDS} s")
            before = switches(t, pid)
            time.sleep(IDLE_SECONDS)
            figures["idle"].append(switches(t, pid) - before)
        t.check_kernel()


def bare_boot(figures):
    with Terminal(name="bare", **bare()) as t:
        n = -(-ATTACHES // ROUNDS)
        progress(f"without it: {n} attaches")
        for delay, times in whole_times(t, n).items():
            figures["whole", "without", delay] += times


def main():
    keys = ["identity", "proved", "hold_mean", "hold_max", "rss", "anon", "idle"]
    keys += [("whole", who, delay) for who in ("with", "without") for delay in (1, 0)]
    figures = {key: [] for key in keys}
    for turn in range(ROUNDS):
        guarded_boot(figures, turn == 0)
        bare_boot(figures)

    def row(name, values, unit, goal="", met=None):
        verdict = "" if met is None else ("met" if met else "MISSED")
        print(f"{name:<58}{statistics.median(values):>10.1f}{max(values):>10.1f} {unit:<5}{goal:<14}{verdict}")

    print(f"\n{ATTACHES} attaches of each kind, emulated CPU: read ratios\n")
    print(f"{'':<58}{'median':>10}{'maximum':>10}")
    row("held -> verdict, identity only", figures["identity"], "ms")
    row("held -> verdict, LUKS2 proved", figures["proved"], "ms")
    for delay in (1, 0):
        with_us, without = figures["whole", "with", delay], figures["whole", "without", delay]
        label = f"usb-storage delay_use={delay}"
        row(f"device_add -> usable disk, with the barrier, {label}", [v * 1000 for v in with_us], "ms")
        row(f"device_add -> usable disk, without it, {label}", [v * 1000 for v in without], "ms")
        ratio = statistics.median(with_us) / statistics.median(without)
        goal = ("<= 1.05", ratio <= 1.05) if delay else ("", None)
        row(f"  ratio, {label}", [ratio], "", *goal)
    row("daemon's resident memory", figures["rss"], "KiB", "< 4096", max(figures["rss"]) < 4096)
    row("  of it anonymous", figures["anon"], "KiB")
    row(f"daemon's wake-ups in {IDLE_SECONDS} s idle", figures["idle"], "", "0", max(figures["idle"]) == 0)
    row("module's own time for each held interface, mean", figures["hold_mean"], "us")
    row("module's own time, longest", figures["hold_max"], "us")
    return 0


if __name__ == "__main__":
    sys.exit(main())
