# SPDX-License-Identifier: GPL-2.0-or-later
"""Many attaches and detaches (forty; two hundred with --long): nothing is left behind, in the kernel or in the daemon."""

import os
import re
import time

from barrier import WAITING, Since, counter, daemon_pid, disks, images, inspectors, options, ready, records, unplug_all

CYCLES = 200 if os.environ.get("SEKIMORI_LONG") else 40
BREATH = 128 << 10  # bytes; 90 KiB have been seen
AT_ONCE = 5
WARM_UP = 3
OPTIONS = options()
LONG = True  # the other files plug some hundred times as well


def teardown(t):
    unplug_all(t)


def slab(t):
    """Bytes in kernel slabs of the sizes that our objects come from (kmalloc), after shrinking."""
    t.run("sync; echo 3 > /proc/sys/vm/drop_caches")
    total = 0
    for line in t.read("/proc/slabinfo").splitlines()[2:]:
        name, active, _, size = line.split()[:4]
        if re.fullmatch(r"kmalloc-(rnd-\d+-)?\d+k?", name):
            total += int(active) * int(size)
    return total


def grown(t, before, bound):
    """By how much slabs have grown: what the kernel has not given back yet (RCU, its own breathing) has some seconds' time."""
    for _ in range(8):
        after = slab(t)
        if after - before < bound:
            break
        time.sleep(2)
    return after - before


def daemon(t):
    pid = daemon_pid(t)
    rss = int(re.search(r"VmRSS:\s+(\d+)", t.read(f"/proc/{pid}/status")).group(1))
    return pid, rss, len(t.ls(f"/proc/{pid}/fd"))


def judged(since, n):
    """Whether this cycle's sticks have their verdicts. A stick of the cycle before, pulled out in the
    middle of things, may be enumerated after the bus was seen empty and leave a verdict here."""
    good = AT_ONCE // 2
    denied = [r for r in since.records("denied") if r["serial"] == f"N{n}"]
    return len(denied) == AT_ONCE - good and len(since.records("released")) >= good


def cycle(t, n):
    """Five sticks at once, unknown and registered ones; every fourth time they are pulled out in the
    middle of things."""
    since = Since(t)
    for k in range(AT_ONCE):
        good = k % 2
        t.plug_storage(f"s{k}", images.luks2() if good else images.plain(), serial="GOOD" if good else f"N{n}")
    if n % 4:
        t.wait_until(lambda: judged(since, n), what="a verdict for each of the five sticks")
    else:
        time.sleep(0.1 + 0.03 * n % 1)
    for k in range(AT_ONCE):
        t.unplug(f"s{k}", asleep=True)
    # One that is pulled out while it is being enumerated costs the kernel some timeouts of 5 s.
    t.wait_until(lambda: not t.usb() and not disks(t), timeout=90, what="an empty bus")


def test_many_cycles_leave_nothing_behind(t):
    ready(t)
    for n in range(WARM_UP):
        cycle(t, n)
    t.wait_until(lambda: inspectors(t, WAITING), what="the inspector that waits for the next device")
    kernel_before, (pid, rss_before, fds_before) = slab(t), daemon(t)
    since = Since(t)
    for n in range(CYCLES // AT_ONCE):
        cycle(t, n)
    time.sleep(1)
    t.wait_until(lambda: inspectors(t, WAITING), what="the inspector that waits for the next device")
    pid_after, rss_after, fds_after = daemon(t)
    assert pid_after == pid, "the daemon was restarted"
    assert fds_after == fds_before, (fds_before, fds_after)
    assert rss_after - rss_before < 256, f"RSS {rss_before} -> {rss_after} KiB"
    # An entry of the gate alone would be 200 times 512 bytes; the rest of the kernel breathes more than
    # that, so what counts is that it does not grow by as much as a kibibyte a cycle. (kmemleak looks for
    # single objects, `make test-debug`.)
    bound = max(CYCLES * 1024, BREATH)
    kernel = grown(t, kernel_before, bound)
    assert kernel < bound, f"{kernel} bytes more than {kernel_before}"
    assert len(since.records("removed")) == len(since.records("held"))
    assert counter(t, "events_lost") == 0 and counter(t, "untracked") == 0
    assert t.read("/sys/module/sekimori/refcnt") == "2", "lock and keeper"
    assert not inspectors(t), "an inspector is left"
    assert [r["seq"] for r in records(t)] == list(range(1, len(records(t)) + 1))
