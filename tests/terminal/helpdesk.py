# SPDX-License-Identifier: GPL-2.0-or-later
"""A help desk in the guest: sekimori-desk on real disks. No barrier: a desk is no terminal, and its sticks become
disks at once."""

import json
import os
import re
import shlex

from disks import Disks
from terminal import BUILD

DISKS = Disks()
OFFICE = "/run/office"  # a small file system of its own
DESK = OFFICE + "/desk"
KEYS = "/run/keys.pass"  # opens the desk's own keys, and answers every question besides
PASS = "/run/medium.pass"
KEY_PASSPHRASE = "the media key of Aoba"
HOLDER = "Sakura-no-hana-2026"
USB_ID = "46f4:0001"
QUICK = "--kdf-memory 32 --kdf-passes 4 --kdf-threads 2"
IMAGE = f"--id {USB_ID} --serial"
LUKS = b"LUKS\xba\xbe"
SKUL = b"SKUL\xba\xbe"


def options():
    with open(os.path.join(BUILD, "stage/usr/bin/sekimori-desk"), "rb") as program:
        return {"files": {"/usr/bin/sekimori-desk": (0o755, program.read())}}


def ready(t):
    """A desk, once for each boot."""
    if t.exists(DESK):
        return
    t.run("modprobe -a dm_mod dm_crypt loop exfat ext4; udevadm settle")
    t.run(f"mkdir -p {OFFICE} && mount -t tmpfs -o size=4m,mode=700 office {OFFICE}")
    t.write(KEYS, KEY_PASSPHRASE + "\n")
    t.write(PASS, f"{KEY_PASSPHRASE}\n{HOLDER}\n")
    desk(t, "init --organisation 'Aoba-shi' --policy-signer Tanaka --quick-kdf", passphrases=KEYS)


def command(arguments, passphrases=PASS):
    return f"sekimori-desk --desk {DESK} --by Suzuki --lang en --passphrase-file {passphrases} {arguments}"


def desk(t, arguments, passphrases=PASS, check=True):
    return t.run(command(arguments, passphrases), check=check, timeout=120)


def refused(t, arguments, reason, status=1):
    result = desk(t, arguments, check=False)
    assert result.status == status and re.search(reason, result.err), result
    return result


def issue_line(device, more):
    """Without a recovery keyslot, unless the test is about it: each takes seconds under emulation."""
    recovery = "" if "--recovery" in more else "--recovery none"
    return f"issue {device} --class II --yes {QUICK} {recovery} {more}"


def issue(t, device, more="", **options):
    return json.loads(desk(t, issue_line(device, more + " --json"), **options).out)


def inspect(t, device, more=""):
    result = desk(t, f"inspect {device} --json {more}", check=False)
    return json.loads(result.out)


def image(t, name, size="64M"):
    path = f"/run/{name}.img"
    t.run(f"rm -f {path}; truncate -s {size} {path}")
    return path


def plug(t, id, path, serial):
    """Returns the disk's node."""
    before = set(t.ls("/sys/block"))
    t.plug_storage(id, path, serial=serial)
    name = t.wait_until(lambda: next((d for d in sorted(set(t.ls("/sys/block")) - before) if d.startswith("sd")),
                                     None), what="disk")
    t.settle()
    return "/dev/" + name


def mappings(t):
    return [name for name in t.ls("/dev/mapper") if name != "control"]


def loops(t):
    return t.run("losetup -a").out


def open_plain(t, device, passphrase, shell, options=""):
    """Opens with cryptsetup, mounts, runs a shell command there, and closes."""
    t.run(f"printf %s {shlex.quote(passphrase)} | cryptsetup open --key-file - {options} {device} plain", timeout=60)
    try:
        t.run("mkdir -p /run/mnt && mount /dev/mapper/plain /run/mnt")
        return t.run(f"cd /run/mnt && {shell}").out
    finally:
        t.run("umount /run/mnt; udevadm settle; cryptsetup close plain")


def opens(t, device, passphrase):
    return t.run(f"printf %s {shlex.quote(passphrase)} | cryptsetup open --test-passphrase --key-file - {device}",
                 check=False, timeout=60).status == 0


def start(t, arguments, log):
    """In the background; returns its process id."""
    t.run(f"rm -f {log}")
    return t.start(command(arguments), out=log)


def begin(t, device, more="", log="/run/issue.out"):
    """Starts issuing."""
    return start(t, issue_line(device, more), log)


def wait_step(t, text, log="/run/issue.out"):
    t.wait_until(lambda: t.exists(log) and text in t.read(log), timeout=60, what=text)


def gone(t, pid):
    t.wait_until(lambda: not t.exists(f"/proc/{pid}/exe") or not t.run(f"readlink /proc/{pid}/exe", check=False).out,
                 timeout=60, what="process ended")


def teardown(t):
    for id in list(t.drives):
        t.unplug(id)
    assert mappings(t) == [], mappings(t)
    t.wait_until(lambda: loops(t) == "", what="no loop device left")
