#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints what became of the same attempts under Sekimori, USBGuard and an unguarded kernel, as a table in Markdown.

Each cell is done and looked at: in the kernel's disks and events, by reading and writing, and in the guards' own files.

    outcomes.py [--guard NAME]... [SCENE...]

A cell that could not be done to its end says "not measured", and the exit status is 1.
"""

import argparse
import json
import os
import re
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from guards import ALL, KNOWN, SEKIMORI, USBGUARD, allow, disks, keyboards, take_out  # noqa: E402
from barrier import STICK, UUID, images, medium  # noqa: E402
from terminal import TROUBLE  # noqa: E402

STRANGER = "NOBODY"
SETTLE = 4  # seconds in which what was decided is carried out
UNDECIDED = 20  # seconds given where nobody says that he has decided
WINDOW = 60  # seconds for which a permission lasts at least
TOOLS = "/usr/lib/terminal"
BLOCKED, DISK, UNDONE = "blocked", "became a disk", "not measured"


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


def refusals(t, guard):
    return t.read(guard.record).count(guard.refused) if guard.record and t.exists(guard.record) else 0


def decided(t, guard, before, said):
    return attached(t) > before or refusals(t, guard) > said


def plug(t, guard, image, serial, watched=True):
    """Outcome in words; `watched`: somebody is there to decide."""
    before, said = attached(t), refusals(t, guard)
    t.plug_storage("stick", image, serial=serial)
    if watched:
        t.wait_until(lambda: decided(t, guard, before, said), 30, "a disk, or a refusal on record")
    settle(t, SETTLE if watched else UNDECIDED)
    return became(t, before)


def plug_allowed(t, guard):
    """The known stick, which must become a disk: what follows would mean nothing without."""
    outcome = plug(t, guard, images.luks2(), KNOWN)
    assert outcome == DISK, outcome


# --- scenes: each returns words -------------------------------------------------------------------

def composite(t, guard):
    """One device, a keyboard and a disk. Keyboards are allowed by a rule of the policy."""
    before = attached(t)
    t.run("truncate -s 8M /run/gadget.img; modprobe libcomposite; mountpoint -q /sys/kernel/config || "
          "mount -t configfs none /sys/kernel/config")
    t.run(f"{TOOLS}/gadget.sh up gadget id=1d6b:0104 serial=G1 keyboard storage=/run/gadget.img", timeout=60)
    settle(t, UNDECIDED)
    typed = t.run("ls -d /sys/bus/usb/drivers/usbhid/*:1.0", check=False).status == 0
    words = f"keyboard {'works' if typed else 'blocked'}, disk part {became(t, before)}"
    t.run(f"{TOOLS}/gadget.sh down gadget")
    t.wait_until(lambda: not disks(t), what="no disk")
    return words


def formatted(t, guard):
    """The known stick, formatted anew without encryption: same ids, same serial number."""
    return plug(t, guard, images.plain(), KNOWN)


def read_only(t, guard):
    """The known stick, registered for reading only; 4 KiB are written to its disk as root."""
    plug_allowed(t, guard)
    node = "/dev/" + disks(t)[0]
    done = t.run(f"dd if=/dev/zero of={node} bs=4096 count=1 seek=1024 oflag=direct conv=notrunc 2>&1", check=False)
    # Refused is what the kernel does not let through because of the guard, not a write that fails for another reason.
    if done.status:
        assert re.search("Read-only file system|Operation not permitted", done.out), done
        assert t.read(f"/sys/block/{os.path.basename(node)}/ro").strip() == "1", done
    return "became a disk, " + ("write went through" if done.status == 0 else "write refused")


def expiry(t, guard):
    """The known stick, allowed until a time that comes while it is in use."""
    now = int(t.run("date +%s").out)
    end = (now + WINDOW + 59) // 60 * 60  # USBGuard's windows are of whole minutes
    clock = t.run(f"date -d @{end} +%H:%M").out.strip()
    if guard.unit:
        guard.restart(t, allow(more=f" if localtime(00:00-{clock})"))
        guard.rest(t)
    plug_allowed(t, guard)
    settle(t, end - now + UNDECIDED)
    return "became a disk, " + ("still one after the end" if disks(t) else "taken away at the end")


def killed(t, guard):
    """A stranger's stick after SIGKILL to the daemon, before anything starts it again."""
    if guard.unit:
        t.run(f"mkdir -p /run/systemd/system/{guard.unit}.d && printf '[Service]\\nRestart=no\\n' > "
              f"/run/systemd/system/{guard.unit}.d/dead.conf && systemctl daemon-reload")
        t.run(f"systemctl kill --kill-whom=main -s KILL {guard.unit}")
        t.wait_until(lambda: t.run(f"systemctl is-active {guard.unit}", check=False).out.strip() == "failed")
    return plug(t, guard, images.plain(), STRANGER, watched=not guard.unit)


def stopped(t, guard):
    """A stranger's stick after the service was stopped by `systemctl stop`."""
    if guard.unit:
        t.run(f"systemctl stop {guard.unit}")
    return plug(t, guard, images.plain(), STRANGER, watched=not guard.unit)


def authorized(t, guard):
    """A stranger's stick that was refused; then root writes 1 to every `authorized` file of it."""
    if not guard.unit:
        return "nothing was refused: " + plug(t, guard, images.plain(), STRANGER)
    outcome = plug(t, guard, images.plain(), STRANGER)
    assert outcome == BLOCKED, outcome
    before = attached(t)
    name = next(name for name, ids in t.usb().items() if ids == STICK)
    t.run(f"cd /sys/bus/usb/devices; echo 1 > {name}/authorized; sleep 1; for f in {name}/{name}:*/authorized; do echo 1 > $f; done; "
          f"for i in {name}/{name}:*; do echo ${{i##*/}} > /sys/bus/usb/drivers_probe; done", check=False)
    settle(t, UNDECIDED)
    return became(t, before)


def forged(t, guard):
    """Root adds a line to the log, a copy of a refusal turned into a permission; then the guard's own tool is asked."""
    if not guard.unit:
        return "there is no log"
    outcome = plug(t, guard, images.plain(), STRANGER)
    assert outcome == BLOCKED, outcome
    words = {SEKIMORI: ('"kind":"denied"', '"kind":"allowed"'), USBGUARD: ("target.new='block'", "target.new='allow'")}[guard]
    lines = [line for line in t.read(guard.record).splitlines() if words[0] in line]
    assert lines, t.read(guard.record)
    t.write("/run/forged", lines[-1].replace(*words) + "\n")
    if guard is SEKIMORI:
        # Sound before; what is found afterwards has to be this line.
        before = t.run("sekimorictl log verify --json", check=False, timeout=120)
        assert before.status == 0 and json.loads(before.out)["ok"], before
    t.run(f"cat /run/forged >> {guard.record}")
    if guard is SEKIMORI:
        line = t.read(guard.record).splitlines().index(t.read("/run/forged").strip()) + 1
        answer = t.run("sekimorictl log verify --json", check=False, timeout=120)
        assert answer.status in (0, 1), answer
        named = [finding["line"] for finding in json.loads(answer.out)["findings"]]
        assert answer.status == bool(named) and (not named or line in named), (line, answer)
        return "found by `log verify`" if named else "not found by `log verify`"
    # Its client has no command that reads the log; starting anew is the only look that its daemon might take.
    commands = t.run("usbguard --help 2>&1", check=False).out
    assert not re.search(r"verify|audit", commands), commands
    journal = f"journalctl --no-pager -q -o cat -p warning -u {guard.unit} --cursor-file=/run/forged.cursor"
    t.run(journal)  # what it said of the scenes before is not of this line
    t.run(f"systemctl restart {guard.unit}")
    guard.rest(t)
    kept = t.read("/run/forged") in t.read(guard.record)
    said = t.run(journal).out.strip()
    return "stands in the log; no command checks it" if kept and not said else f"noticed: {said}"


def power_on(t, guard):
    """A stranger's stick that was there when the terminal was switched on."""
    settle(t, UNDECIDED)
    return became(t, 0)


# In this order, on one machine for each guard: what is there at power-on is first, what damages the log is last.
SCENES = {
    "power_on": "Unknown stick present at power-on",
    "formatted": "Registered stick, formatted anew without encryption",
    "read_only": "Stick for reading only, written to",
    "expiry": "Permission that ends while the stick is in use",
    "composite": "Composite device, keyboard and disk",
    "authorized": "Root writes 1 to `authorized` of a refused stick",
    "killed": "Unknown stick after the daemon was killed",
    "stopped": "Unknown stick after the service was stopped",
    "forged": "Root adds a forged line to the log",
}


def rules_for(scene, guard):
    if scene == "read_only" and guard is SEKIMORI:
        return medium("ZEI-001", KNOWN, UUID, more="access ro")
    if scene == "composite" and guard is USBGUARD:
        return keyboards() + allow()
    return allow()


def early_stick():
    return ["-drive", f"if=none,id=early,format=raw,readonly=on,file={images.plain()}",
            "-device", f"usb-storage,id=early-stick,drive=early,serial={STRANGER}"]


def begin(t, guard, scene):
    """An empty terminal, the guard at work with the scene's rules."""
    for id in list(t.drives):
        take_out(t, id)
    if guard.unit:
        guard.restart(t, rules_for(scene, guard))
        # A stick that comes while it is starting is not what is asked here.
        guard.rest(t)


def run_scene(t, guard, scene):
    """Words; of one that fails the rest of the terminal's scenes do not suffer, as each begins anew."""
    try:
        if scene != "power_on":
            begin(t, guard, scene)
        return globals()[scene](t, guard)
    except Exception:
        print(f"{guard.name}, {scene}:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return UNDONE


def run_guard(guard, scenes, words):
    """Puts {scene: words} into `words`."""
    with guard.boot(allow(), qemu=early_stick()) as t:
        for scene in ["power_on"] + [s for s in scenes if s != "power_on"]:
            words[scene] = run_scene(t, guard, scene)
            print(f"{guard.name}, {scene}: {words[scene]}", file=sys.stderr, flush=True)
            if scene == "power_on":
                take_out(t, "early-stick")
        bad = [line for line in t.dmesg().splitlines() if TROUBLE.search(line)]
        assert not bad, bad


def run_guards(guards, scenes):
    """Columns, and whether every guard's terminal came to its end."""
    columns, whole = [], True
    for guard in guards:
        words = dict.fromkeys(scenes, UNDONE)
        try:
            run_guard(guard, scenes, words)
        except Exception:
            whole = False
            print(f"{guard.name}:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        columns.append(words)
    return columns, whole


def main():
    names = {guard.name: guard for guard in ALL}
    parser = argparse.ArgumentParser(description="the same attempts under Sekimori, USBGuard and an unguarded kernel")
    parser.add_argument("--guard", action="append", choices=list(names), help="only this one (all three)")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"{', '.join(SCENES)} (all)")
    options = parser.parse_args()
    guards = [names[name] for name in options.guard or names]
    scenes = options.scenes or list(SCENES)
    unknown = [s for s in scenes if s not in SCENES]
    if unknown:
        print(f"outcomes: no scene {unknown[0]}; there are {', '.join(SCENES)}", file=sys.stderr)
        return 2
    columns, whole = run_guards(guards, scenes)
    print(f"| attempt | {' | '.join(guard.name for guard in guards)} |\n|{'---|' * (1 + len(guards))}")
    for scene in scenes:
        print(f"| {SCENES[scene]} | {' | '.join(column[scene] for column in columns)} |")
    return 0 if whole and not any(column[scene] == UNDONE for column in columns for scene in scenes) else 1


if __name__ == "__main__":
    sys.exit(main())
