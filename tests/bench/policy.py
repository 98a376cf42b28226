#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what policies of many sizes cost, beside usbguard-rule-parser on the same rules in the same run.

Each size is measured several times in turn with the other program, so that both share the noise of the day: read
ratios and medians.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(HERE, "..", "..", "build", "bench", "policy-bench")
PEER_MEMORY = os.path.join(HERE, "..", "..", "build", "bench", "peer-memory")
PARSER = "usbguard-rule-parser"
ROUNDS = 5


def rule(n):
    """A line as USBGuard writes it for a stick of a fleet."""
    draw = random.Random(n)
    text = "".join(draw.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") for _ in range(43)) + "="
    return (f'allow id {draw.randrange(1, 40):04x}:{draw.randrange(1, 900):04x} serial "{n:012X}" name "USB DISK 3.0" '
            f'hash "{text}" parent-hash "jEP/6WzviqdJ5VSeTUY8PatCNBKeaREvo2OqdplND/o=" '
            f'with-interface 08:06:50 with-connect-type "hotplug"\n')


def medium(n):
    return (f'medium ZEI-{n:06d} id 46f4:0001 serial "{n:012X}" encryption luks2 '
            f"luks-uuid {n:08x}-0000-4000-8000-{n:012x} class II holder \"@zeimu\" until 2027-03-31 status lent\n")


def ours(path, serial):
    load, memory, decision = subprocess.run([BENCH, path, serial], check=True, capture_output=True, text=True).stdout.split()
    return float(load), int(memory), float(decision)


def child_milliseconds(command):
    """A whole run of a command, its output thrown away."""
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - start) * 1000


def kept_by_peer(path):
    """Kilobytes that the rules take where libusbguard keeps them: its parser program keeps none."""
    return int(subprocess.run([PEER_MEMORY, path], check=True, capture_output=True, text=True).stdout)


def write(directory, name, lines):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(lines)
    return path


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


def verdict(met):
    return "met" if met else "MISSED"


def bench_rules(directory):
    print(f"\n{'rules':>8}{'load':>12}{'USBGuard':>12}{'ratio':>8}{'memory':>12}{'USBGuard':>12}{'ratio':>8}{'decision':>12}")
    start = statistics.median(child_milliseconds([PARSER, "allow"]) for _ in range(ROUNDS))
    last = None
    for n in (10, 1000, 10000):
        path = write(directory, f"rules-{n}", (rule(i) for i in range(n)))
        rows = []
        for _ in range(ROUNDS):
            load, memory, decision = ours(path, f"{n // 2:012X}")
            # Its start is not its parsing.
            peer = max(child_milliseconds([PARSER, "-f", path]) - start, 0.01)
            rows.append((load, memory, decision, peer, kept_by_peer(path)))
        load, memory, decision, peer, kept = medians(rows)
        print(f"{n:>8}{load:>10.2f}ms{peer:>10.1f}ms{peer / load:>8.1f}{memory:>9.0f}KiB{kept:>9.0f}KiB"
              f"{memory / kept:>8.2f}{decision / 1000:>10.2f}us")
        last = (n, load, peer, memory, kept)
    n, load, peer, memory, kept = last
    print(f"load at least 5 times as fast as USBGuard's parser: {peer / load:.1f} times  {verdict(peer / load >= 5)}")
    print(f"memory of a rule: {memory * 1024 / n:.0f} bytes, kept by libusbguard {kept * 1024 / n:.0f} bytes: "
          f"ratio {memory / kept:.2f}, goal 0.25  {verdict(memory / kept <= 0.25)}")


def bench_media(directory):
    print(f"\n{'media':>8}{'load':>12}{'memory':>12}{'decision':>12}{'in place of 10':>16}")
    decisions = {}
    for n in (10, 1000, 100000):
        path = write(directory, f"media-{n}", (medium(i) for i in range(n)))
        load, memory, decision = medians([ours(path, f"{n // 2:012X}") for _ in range(ROUNDS)])
        decisions[n] = decision
        print(f"{n:>8}{load:>10.2f}ms{memory:>9.0f}KiB{decision / 1000:>10.2f}us{decision / decisions[10]:>16.2f}")
    ratio = decisions[100000] / decisions[10]
    print(f"decision at 100,000 media within twice that at 10: {ratio:.2f}  {verdict(ratio <= 2)}")


def main():
    with tempfile.TemporaryDirectory() as directory:
        bench_rules(directory)
        bench_media(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
