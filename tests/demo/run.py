#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows the barrier live: boots a virtual terminal, plugs devices into it, and prints what happens."""

import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "terminal"))

from barrier import TOOLS, UUID_OTHER, Since, disks, driver, images, options, ready, unplug_all  # noqa: E402
from terminal import Terminal  # noqa: E402

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
RED, GREEN, BOLD, PLAIN = ("\033[31m", "\033[32m", "\033[1m", "\033[0m") if COLOUR else ("",) * 4


def say(text=""):
    print(text, flush=True)


def row_reason(t, name, language):
    """What stands in the last column of `sekimorictl list`."""
    for line in t.run(f"LC_ALL={language} sekimorictl list --all", check=False).out.splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if cells and cells[0] == name:
            return cells[-1] if cells[-1] else ""
    return ""


class Show:
    def __init__(self, t):
        self.t = t
        self.surprises = []

    def step(self, number, what, plug, verdict, reason, after=None):
        """Plugs, waits for the verdict in the event log, shows it, and pulls the device out again."""
        t, since = self.t, Since(self.t)
        say(f"{BOLD}{number}  {what}{PLAIN}")
        plug()
        record = since.wait("allowed" if verdict == "allowed" else "denied", timeout=30)
        if verdict == "allowed":
            since.wait("released")
            t.wait_until(lambda: disks(t), what="the disk")
        else:
            time.sleep(1.5)
        word = f"{GREEN}ALLOWED 許可{PLAIN}" if verdict == "allowed" else f"{RED}DENIED  拒否{PLAIN}"
        say(f"   {word}  {record['verdict_us'] / 1000:.0f} ms after it was held   [{record['reason']}]"
            + (f"   medium {record['medium']}" if "medium" in record else ""))
        for language in ("C.UTF-8", "ja_JP.UTF-8"):
            say(f"      {row_reason(t, record['device'], language)}")
        say(f"      disks of the terminal: {' '.join(disks(t)) or 'none'}")
        if record["reason"] != reason or bool(disks(t)) != (verdict == "allowed"):
            self.surprises.append(f"step {number}: {record['reason']}, disks {disks(t)}")
        if after:
            after(record)
        unplug_all(t)
        t.wait_until(lambda: not disks(t), what="no disk")
        say()

    def keyboard(self, record):
        """Keystrokes of the composite gadget, counted where the terminal's programs read them."""
        t, name = self.t, record["device"]
        t.wait_until(lambda: driver(t, f"{name}:1.0") == "usbhid", what="usbhid")
        event = t.wait_until(lambda: t.run(f"ls -d /sys/bus/usb/devices/{name}:1.0/*/input/input*/event*",
                                           check=False).out.split(), what="input")[0].rsplit("/", 1)[-1]
        t.start(f"cat /dev/input/{event}", "/run/keys")
        time.sleep(0.5)
        t.run(f"{TOOLS}/gadget.sh type gadget sekimori")
        time.sleep(0.5)
        typed = len(t.read_bytes("/run/keys")) // 24
        t.run("pkill -f /dev/input/", check=False)
        say(f"      keyboard of the same device: works, {typed} input events arrived")
        if typed < 16:
            self.surprises.append("the keyboard did not type")


def play(t):
    show = Show(t)
    show.step("1a", "An unknown USB stick (bulk-only)",
              lambda: t.plug_storage("a", images.plain(), serial="NOBODY"), "denied", "not-registered")
    show.step("1b", "An unknown USB stick (UAS)",
              lambda: t.plug_storage("a", images.plain(), uas=True, serial="NOBODY"), "denied", "not-registered")
    show.step("2 ", "Registered medium ZEI-001, LUKS2",
              lambda: t.plug_storage("a", images.luks2(), serial="GOOD"), "allowed", "proved")
    show.step("3a", "A registered medium that somebody has reformatted",
              lambda: t.plug_storage("a", images.plain(), serial="PLAIN"), "denied", "not-encrypted")
    show.step("3b", "A registered serial number, but another encrypted volume",
              lambda: t.plug_storage("a", images.luks2(UUID_OTHER), serial="SWAPPED"), "denied", "other-volume")

    def gadget():
        t.run("truncate -s 8M /run/gadget.img")
        t.run(f"{TOOLS}/gadget.sh up gadget serial=EVIL product=キーボード keyboard storage=/run/gadget.img")
    show.step("4 ", "One device that is keyboard and storage", gadget, "denied", "not-registered", show.keyboard)
    return show.surprises


def main():
    say("Starting a virtual terminal (emulated, some seconds) …")
    with Terminal(name="demo", **options()) as t:
        ready(t)
        say(f"Terminal ZEI-014 is up after {t.boot_seconds:.0f} s: Debian kernel {t.run('uname -r').out.strip()}\n")
        surprises = play(t)
        for language in ("C.UTF-8", "ja_JP.UTF-8"):
            say(t.run(f"LC_ALL={language} sekimorictl status", check=False).out)
        say("The last lines of the event log:")
        for line in t.run("tail -n 3 /var/log/sekimori/events.jsonl").out.splitlines():
            say("  " + line[:150] + (" …" if len(line) > 150 else ""))
        t.check_kernel()
    for surprise in surprises:
        say(f"{RED}Unexpected:{PLAIN} {surprise}")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
