# SPDX-License-Identifier: GPL-2.0-or-later
"""udisks2, which mounts sticks for desktops, beside the barrier: it hears of disks, and leaves every raw medium alone."""

import json
import re

from barrier import read_bytes
from ground import CONFIGURED, SATO, SLOW, TANAKA, Since, disks, images, in_session, logout_all, plug_held, ready, run_as, unplug_all
from sessions import switch

# A disk of no road that we keep, which udisks is told to take for a person's own, as it does a stick.
OTHER = "/dev/disk/by-id/virtio-OTHER-part1"
OTHER_RULE = 'SUBSYSTEM=="block", ENV{ID_SERIAL}=="OTHER", ENV{UDISKS_SYSTEM}="0"\n'
OPTIONS = {"files": {**CONFIGURED, "/etc/udev/rules.d/99-other.rules": OTHER_RULE},
           "qemu": ["-drive", f"if=none,id=other,format=raw,file={images.plain()},snapshot=on",
                    "-device", "virtio-blk-pci,drive=other,serial=OTHER"]}
SECRET = "/run/secret"
NOTHING_TO_MOUNT = re.compile(r"is not a mountable filesystem|Error looking up object for device")
NOTHING_TO_UNLOCK = re.compile(r"is not an encrypted device|Error looking up object for device")


def teardown(t):
    unplug_all(t)
    logout_all(t)


def setup(t):
    ready(t)
    t.run("systemctl start udisks2", timeout=SLOW)
    in_session(t, TANAKA, 1)
    in_session(t, SATO, 2)
    switch(t, TANAKA)
    t.write(SECRET, "sekimori")
    t.run(f"chown tanaka {SECRET} && chmod 400 {SECRET}")


def blocks(t):
    """{name: text} of the block devices that udisks tells of."""
    t.settle()
    dump = t.run("udisksctl dump", timeout=SLOW).out
    found = dict(re.findall(r"^/org/freedesktop/UDisks2/block_devices/(\w+):\n(.*?)(?=^/org|\Z)", dump, re.M | re.S))
    assert "vda" in found, dump  # it does tell of disks
    return found


def value(text, name):
    return re.search(rf"^\s+{name}:[ ]*(.*)$", text, re.M).group(1).strip()


def left_alone(t, name):
    """udisks shows it to nobody, has not looked into it, and mounts it for nobody."""
    t.settle()
    t.run("sleep 3")  # udisks comes after udev
    text = blocks(t).get(name)
    if text is not None:
        ignored(text)
    for command, words in ((f"mount -b /dev/{name}", NOTHING_TO_MOUNT), (f"unlock -b /dev/{name} --key-file {SECRET}", NOTHING_TO_UNLOCK)):
        done = run_as(t, TANAKA, f"env LC_ALL=C timeout 20 udisksctl {command} --no-user-interaction < /dev/null 2>&1", check=False, timeout=SLOW)
        assert done.status != 0 and words.search(done.out), done
    assert f"/dev/{name}" not in t.read("/proc/mounts")


def ignored(text):
    assert value(text, "HintIgnore") == "true" and value(text, "HintAuto") == "false", text
    assert (value(text, "IdType"), value(text, "IdUUID"), value(text, "IdLabel"), value(text, "IdUsage")) == ("", "", "", ""), text
    assert ".Filesystem:" not in text and ".Encrypted:" not in text and ".PartitionTable:" not in text, text


def test_it_mounts_a_disk_that_is_not_ours_to_keep(t):
    setup(t)
    done = run_as(t, TANAKA, f"udisksctl mount -b {OTHER} --no-user-interaction", timeout=SLOW)
    where = re.search(r" at (/media/tanaka/\S+?)\.?$", done.out.strip())
    assert where and where[1] in t.read("/proc/mounts"), done
    run_as(t, TANAKA, f"udisksctl unmount -b {OTHER} --no-user-interaction", timeout=SLOW)


def test_a_held_stick_is_unknown_to_it(t):
    setup(t)
    before = set(blocks(t))
    plug_held(t)
    assert set(blocks(t)) == before, set(blocks(t)) - before
    status = t.run("udisksctl status").out
    assert "QEMU" not in status, status


def test_a_released_medium_is_neither_probed_nor_mounted_and_ours_opens_it(t):
    setup(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released", SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    t.wait_until(lambda: "/volumes/" in t.run("busctl tree org.sekimori.Sekimori1").out, SLOW, "its volume")
    t.settle()
    read = read_bytes(t, "a")
    left_alone(t, disks(t)[0])
    assert read_bytes(t, "a") == read, "somebody has read from it"

    t.run(f"cryptsetup open --key-file {SECRET} /dev/{disks(t)[0]} filling && mkfs.vfat -n TESUTO /dev/mapper/filling && "
          "cryptsetup close filling", timeout=SLOW)
    opened, = json.loads(run_as(t, TANAKA, f"sekimorictl open --json --passphrase-file {SECRET}", timeout=120).out)
    assert opened["mount_point"] == "/run/media/tanaka/ZEI-001", opened
    volumes = t.run("cd /sys/block && ls -d dm-*").out.split()
    told = blocks(t)
    for volume in volumes:
        text = told.get(volume.replace("-", "_2d"))
        assert text is None or value(text, "HintIgnore") == "true", text
    left_alone(t, disks(t)[0])
    mounts = [line for line in t.read("/proc/mounts").splitlines() if "/media/" in line]
    assert len(mounts) == 1 and mounts[0].startswith("/dev/mapper/sekimori-"), mounts
    assert {"nosuid", "nodev", "noexec"} <= set(mounts[0].split()[3].split(",")), mounts
    run_as(t, TANAKA, "sekimorictl eject", timeout=SLOW)


def test_a_plain_medium_that_was_granted_is_left_to_ours(t):
    setup(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="ZERO")
    device = since.wait("denied", SLOW)["device"]
    run_as(t, TANAKA, f"sekimorictl request {device} --purpose=図面の確認 --for=1h --access=ro --yes", timeout=SLOW)
    number = since.wait("exception-request", SLOW)["exception"]
    run_as(t, SATO, f"sekimorictl approve {number} --yes", timeout=SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    since.wait("allowed", SLOW)
    t.settle()
    for name in disks(t):
        left_alone(t, name)
    assert not [line for line in t.read("/proc/mounts").splitlines() if "/media/" in line]


LONG = {"test_a_released_medium_is_neither_probed_nor_mounted_and_ours_opens_it", "test_a_plain_medium_that_was_granted_is_left_to_ours"}
