#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints how long temporary exceptions take in the virtual terminal: from the last approval to the disk, beside a registered stick
in the same run; and from the deadline to no block device, idle and while somebody writes.

All times are the guest's CLOCK_MONOTONIC: the approver's before he calls, the kernel's events of the disk as udevadm sees them, and
for deadlines the exception's end by the guest's wall clock. Software emulation: read ratios and medians.
"""

import json
import os
import re
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "terminal"))

from barrier import POLICY, Since, disks, images, ready, unplug_all  # noqa: E402
from granting import ROOT, look, request  # noqa: E402
from policies import use  # noqa: E402
from sessions import SUZUKI, TANAKA, login, options, run_as, switch  # noqa: E402
from terminal import TOP, Terminal  # noqa: E402

RUNS = int(os.environ.get("SEKIMORI_BENCH_EXCEPTIONS", "7"))
SLOW = 60
LENGTH = 7  # seconds of an exception that is waited out; three times that where the stick has to be opened first
GOAL_RATIO, GOAL_IDLE, GOAL_WRITING = 1.2, 0.2, 2.0
HEADER = "approvers 1\nexception-period 8 hours\nexception-requests 100 1000\ndefault block\n"
OTHER_UUID = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9f001"
MOUNT = "/run/media/tanaka/PLAIN"

# Everything is loaded and connected before the clock is read; and nothing ends, nor looks at the guest, while it runs.
QUIET = 3
APPROVE = """
import struct, sys, time
from wire import Client, string
client = Client("/run/dbus/system_bus_socket", int(sys.argv[1]))
start = time.monotonic()
error = client.call("%s/requests/" + sys.argv[2], "org.sekimori.Sekimori1.Request", "Approve", "xs", struct.pack("<q", 0) + string(""))
assert error is None, error
print(start, flush=True)
time.sleep(%d)
""" % (ROOT, QUIET)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def setup(t):
    ready(t)
    t.run("groupadd sekimori-approve; usermod -aG sekimori-approve suzuki; mkdir -p /run/bench")
    with open(os.path.join(TOP, "tests/integration/wire.py"), encoding="utf-8") as wire:
        t.write("/run/bench/wire.py", wire.read())
    t.write("/run/bench/approve.py", APPROVE)
    use(t, HEADER + POLICY.split("default block\n")[1])
    login(t, TANAKA, 1)
    switch(t, TANAKA)


def approve(t, number):
    """When the approver called."""
    return float(t.run(f"python3 /run/bench/approve.py {SUZUKI.uid} {number}").out)


def block_events(t, since, event):
    """Times of the disk's coming or going, as the kernel told them."""
    lines = t.read("/run/block-events").splitlines()[since.blocks:]
    return [float(line.split("[")[1].split("]")[0]) for line in lines if re.search(rf"\b{event}\b.*/block/sd[a-z]+ \(block\)", line)]


def disk_came(t, since):
    return t.wait_until(lambda: block_events(t, since, "add"), SLOW, "the disk")[0]


def disk_went(t, since):
    return t.wait_until(lambda: block_events(t, since, "remove"), SLOW, "no disk")[-1]


def ordinary(t):
    """Seconds from the port to the disk, of a registered stick."""
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    time.sleep(QUIET)
    came = disk_came(t, since)
    allowed = since.wait("allowed", SLOW)
    unplug_all(t)
    return came - (allowed["boot_us"] - allowed["verdict_us"]) / 1e6, allowed["verdict_us"] / 1e6


def by_exception(t):
    """Seconds from the approver's call to the disk, of a stick of the same kind that nobody registered; and its parts."""
    since = Since(t)
    t.plug_storage("a", images.luks2(OTHER_UUID), serial="NOBODY")
    since.wait("denied", SLOW)
    number = request(t, access="rw", seconds=3600, encrypted_only="true")
    t.settle()
    start = approve(t, number)
    came = disk_came(t, since)
    parts = {kind: since.wait(kind, SLOW)["boot_us"] / 1e6 - start for kind in ("exception-begin", "allowed", "released")}
    unplug_all(t)
    t.run(f"busctl call org.sekimori.Sekimori1 {ROOT}/requests/{number} org.sekimori.Sekimori1.Request Revoke s 'bench'")
    return came - start, parts


def deadline(t, number):
    """The end of an exception by CLOCK_MONOTONIC."""
    return look(t, number)["end"] - float(t.run("python3 -c 'import time; print(time.time() - time.monotonic())'").out)


def opened(t):
    t.wait_until(lambda: run_as(t, TANAKA, "sekimorictl open --json", check=False, timeout=60).status == 0, SLOW, "the volume")
    t.wait_until(lambda: MOUNT in t.read("/proc/mounts"), what="its mount")


def ended(t, how):
    """(seconds from the deadline, from the daemon's step) to no block device."""
    since = Since(t)
    t.plug_storage("a", images.get("bench", lambda d: d.plain("bench", size=256 << 20)), serial="ENDS")
    since.wait("denied", SLOW)
    number = request(t, access="rw", seconds=LENGTH * (1 if how == "closed" else 3))
    approve(t, number)
    disk_came(t, since)
    writer = 0
    if how != "closed":
        opened(t)
    if how == "writing":
        write = f"while dd if=/dev/zero of={MOUNT}/big bs=64k count=3000 conv=notrunc; do :; done"
        writer = t.start(f"runuser -u tanaka -- sh -c '{write}'")
        t.wait_until(lambda: t.exists(f"{MOUNT}/big"), what="somebody writing")
    end = deadline(t, number)
    expired = since.wait("exception-expire", SLOW)
    went = disk_went(t, since)
    assert look(t, number)["state"] == "expired" and not disks(t)
    if writer:
        t.run(f"pkill -KILL -s {writer}", check=False)
    unplug_all(t)
    return went - end, went - expired["boot_us"] / 1e6


def measure(t):
    figures = {}
    for delay in (1, 0):
        t.run(f"modprobe usb-storage; echo {delay} > /sys/module/usb_storage/parameters/delay_use")
        ordinary(t), by_exception(t)
        progress(f"delay_use={delay}: {RUNS} of each in turn")
        pairs = [(ordinary(t), by_exception(t)) for _ in range(RUNS)]
        figures["ordinary", delay] = [whole for (whole, _), _ in pairs]
        figures["verdict", delay] = [verdict for (_, verdict), _ in pairs]
        figures["exception", delay] = [whole for _, (whole, _) in pairs]
        for kind in ("exception-begin", "allowed", "released"):
            figures[kind, delay] = [parts[kind] for _, (_, parts) in pairs]
    for how in ("closed", "open", "writing"):
        progress(f"deadline, {how}: {RUNS}")
        figures[how] = [ended(t, how) for _ in range(RUNS)]
    return figures


def main():
    with Terminal(name="bench", **options()) as t:
        setup(t)
        figures = measure(t)
        t.check_kernel()

    def row(name, values, unit="ms", goal="", met=None, scale=1000):
        verdict = "" if met is None else ("met" if met else "MISSED")
        print(f"{name:<66}{statistics.median(values) * scale:>9.1f}{max(values) * scale:>9.1f} {unit:<4}{goal:<12}{verdict}")

    print(f"\ntemporary exceptions, {RUNS} of each, emulated CPU\n\n{'':<66}{'median':>9}{'maximum':>9}")
    for delay in (1, 0):
        label = f"usb-storage delay_use={delay}"
        whole, usual = figures["exception", delay], figures["ordinary", delay]
        row(f"registered stick: plugged in -> disk, {label}", usual)
        row("  of this until judged", figures["verdict", delay])
        row(f"approval called -> disk, {label}", whole)
        for kind, words in (("exception-begin", "in force"), ("allowed", "judged anew"), ("released", "given to its driver")):
            row(f"  of this until {words}", figures[kind, delay])
        ratio = statistics.median(whole) / statistics.median(usual)
        goal = (f"<= {GOAL_RATIO}", ratio <= GOAL_RATIO) if delay else ("", None)
        row(f"  ratio, {label}", [ratio], "", *goal, scale=1)
    for how, words, limit in (("closed", "not opened", GOAL_IDLE), ("open", "mounted and idle", GOAL_IDLE),
                              ("writing", "somebody writes", GOAL_WRITING)):
        whole = [seconds for seconds, _ in figures[how]]
        row(f"deadline -> no block device, {words}", whole, "ms", f"< {limit:g} s", max(whole) < limit)
        row("  of this from the recorded end", [seconds for _, seconds in figures[how]])
    if os.environ.get("SEKIMORI_BENCH_RAW"):
        print(json.dumps({str(key): values for key, values in figures.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
