#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what became of the same attempts under Sekimori, USBGuard and an unguarded kernel, as a table in Markdown.

Each cell is done and looked at: in the kernel's disks and events, by reading and writing, and in the guards' own files.

    outcomes.py [SCENE...]
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from guards import ALL, KNOWN, SEKIMORI, UNGUARDED, USBGUARD, allow, disks, keyboards, record_watch, take_out, watch  # noqa: E402
from barrier import STICK, UUID, images, medium  # noqa: E402
from terminal import TROUBLE  # noqa: E402

STRANGER = "NOBODY"
SETTLE = 6  # seconds after which nothing more is expected
WINDOW = 25  # seconds for which a permission lasts
TOOLS = "/usr/lib/terminal"
BLOCKED, DISK = "blocked", "became a disk"


def settle(t, seconds=SETTLE):
    t.settle()
    time.sleep(seconds)


def attached(t):
    """How many disks the kernel has made of USB since it started."""
    return len(re.findall(r"\[sd[a-z]+\] Attached SCSI", t.dmesg()))


def became(t, before):
    """In words, after things have settled: of a plug since `before`."""
    if disks(t):
        return DISK
    return "was a disk for a while, then taken away" if attached(t) > before else BLOCKED


def plug(t, image, serial, **more):
    before = attached(t)
    t.plug_storage("stick", image, serial=serial, **more)
    settle(t)
    return became(t, before)


def plug_allowed(t, image=None):
    """The known stick, which must become a disk: what follows would mean nothing without."""
    outcome = plug(t, image or images.luks2(), KNOWN)
    assert outcome == DISK, outcome


# --- scenes: each returns words -------------------------------------------------------------------

def composite(t, guard):
    """One device, a keyboard and a disk. Keyboards are allowed by a rule of the policy."""
    before = attached(t)
    t.run("truncate -s 8M /run/gadget.img; modprobe libcomposite; mountpoint -q /sys/kernel/config || "
          "mount -t configfs none /sys/kernel/config")
    t.run(f"{TOOLS}/gadget.sh up gadget id=1d6b:0104 serial=G1 keyboard storage=/run/gadget.img", timeout=60)
    settle(t)
    typed = t.run("ls -d /sys/bus/usb/drivers/usbhid/*:1.0", check=False).status == 0
    words = f"keyboard {'works' if typed else 'blocked'}, disk part {became(t, before)}"
    t.run(f"{TOOLS}/gadget.sh down gadget")
    return words


def formatted(t, guard):
    """The known stick, formatted anew without encryption: same ids, same serial number."""
    return plug(t, images.plain(), KNOWN)


def read_only(t, guard):
    """The known stick, registered for reading only; 4 KiB are written to its disk as root."""
    plug_allowed(t)
    node = "/dev/" + disks(t)[0]
    status = t.run(f"dd if=/dev/zero of={node} bs=4096 count=1 seek=1024 oflag=direct conv=notrunc", check=False).status
    return "became a disk, " + ("write went through" if status == 0 else "write refused")


def expiry(t, guard):
    """The known stick, allowed until a time that comes while it is in use."""
    now = t.run("date -u +%s").out
    end = time.strftime("%H:%M:%S", time.gmtime(int(now) + WINDOW))
    rules = allow(more=f" if localtime(00:00:00-{end})")
    if guard.unit:
        guard.restart(t, rules)
    plug_allowed(t)
    time.sleep(WINDOW + SETTLE)
    settle(t)
    return "became a disk, " + ("still one after the end" if disks(t) else "taken away at the end")


def killed(t, guard):
    """A stranger's stick after SIGKILL to the daemon, before anything starts it again."""
    if guard.unit:
        t.run(f"mkdir -p /run/systemd/system/{guard.unit}.d && printf '[Service]\\nRestart=no\\n' > "
              f"/run/systemd/system/{guard.unit}.d/dead.conf && systemctl daemon-reload")
        t.run(f"systemctl kill --kill-whom=main -s KILL {guard.unit}")
        t.wait_until(lambda: t.run(f"systemctl is-active {guard.unit}", check=False).out.strip() == "failed")
    return plug(t, images.plain(), STRANGER)


def stopped(t, guard):
    """A stranger's stick after the service was stopped by `systemctl stop`."""
    if guard.unit:
        t.run(f"systemctl stop {guard.unit}")
    return plug(t, images.plain(), STRANGER)


def authorized(t, guard):
    """A stranger's stick that was refused; then root writes 1 to every `authorized` file of it."""
    if not guard.unit:
        return "nothing was refused: " + plug(t, images.plain(), STRANGER)
    outcome = plug(t, images.plain(), STRANGER)
    assert outcome == BLOCKED, outcome
    before = attached(t)
    name = t.find_usb(STICK) if guard is not USBGUARD else next(n for n, ids in t.usb().items() if ids == STICK)
    t.run(f"cd /sys/bus/usb/devices; echo 1 > {name}/authorized; sleep 1; for f in {name}/{name}:*/authorized; do echo 1 > $f; done; "
          f"for i in {name}/{name}:*; do echo ${{i##*/}} > /sys/bus/usb/drivers_probe; done", check=False)
    settle(t)
    return became(t, before)


def forged(t, guard):
    """Root adds a line to the log, a copy of a refusal turned into a permission; then the guard's own tool is asked."""
    if not guard.unit:
        return "there is no log"
    outcome = plug(t, images.plain(), STRANGER)
    assert outcome == BLOCKED, outcome
    words = {SEKIMORI: ('"kind":"denied"', '"kind":"allowed"'), USBGUARD: ("target.new='block'", "target.new='allow'")}[guard]
    lines = [line for line in t.read(guard.record).splitlines() if words[0] in line]
    assert lines, t.read(guard.record)
    t.write("/run/forged", lines[-1].replace(*words) + "\n")
    t.run(f"cat /run/forged >> {guard.record}")
    if guard is SEKIMORI:
        answer = t.run("sekimorictl log verify", check=False)
        assert answer.status != 127, answer
        return "found by `log verify`" if answer.status else "not found by `log verify`"
    # Its client has no command that reads the log; starting anew is the only look that its daemon might take.
    commands = t.run("usbguard --help 2>&1", check=False).out
    assert not re.search(r"verify|audit", commands), commands
    t.run(f"systemctl restart {guard.unit}")
    kept = t.read("/run/forged") in t.read(guard.record)
    said = t.run(f"journalctl --no-pager -q -o cat -p warning -u {guard.unit}").out.strip()
    return "stands in the log; no command checks it" if kept and not said else f"noticed: {said}"


def power_on(t, guard):
    """A stranger's stick that was there when the terminal was switched on."""
    settle(t)
    return became(t, 0)


SCENES = {
    "composite": "Composite device, keyboard and disk",
    "formatted": "Registered stick, formatted anew without encryption",
    "read_only": "Stick for reading only, written to",
    "expiry": "Permission that ends while the stick is in use",
    "power_on": "Unknown stick present at power-on",
    "killed": "Unknown stick after the daemon was killed",
    "stopped": "Unknown stick after the service was stopped",
    "authorized": "Root writes 1 to `authorized` of a refused stick",
    "forged": "Root adds a forged line to the log",
}


def rules_for(scene, guard):
    if scene == "read_only" and guard is SEKIMORI:
        return medium("ZEI-001", KNOWN, UUID, more="access ro")
    if scene == "composite" and guard is USBGUARD:
        return keyboards() + allow()
    return allow()


def options_for(scene):
    if scene != "power_on":
        return {}
    return {"qemu": ["-drive", f"if=none,id=early,format=raw,file={images.plain()}",
                     "-device", f"usb-storage,id=early-stick,drive=early,serial={STRANGER}"]}


def run_scene(scene, guard):
    with guard.boot(rules_for(scene, guard), **options_for(scene)) as t:
        words = globals()[scene](t, guard)
        bad = [line for line in t.dmesg().splitlines() if TROUBLE.search(line)]
        assert not bad, bad
    print(f"{scene}, {guard.name}: {words}", file=sys.stderr, flush=True)
    return words


def main():
    scenes = sys.argv[1:] or list(SCENES)
    unknown = [s for s in scenes if s not in SCENES]
    if unknown:
        print(f"outcomes: no scene {unknown[0]}; there are {', '.join(SCENES)}", file=sys.stderr)
        return 2
    print("| attempt | Sekimori | USBGuard | unguarded |\n|---|---|---|---|")
    for scene in scenes:
        cells = [run_scene(scene, guard) for guard in (SEKIMORI, USBGUARD, UNGUARDED)]
        print(f"| {SCENES[scene]} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
