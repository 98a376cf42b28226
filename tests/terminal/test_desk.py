# SPDX-License-Identifier: GPL-2.0-or-later
"""The help desk issues media: opened afterwards by plain cryptsetup and mount. What is in use is refused."""

import re

from disks import MIB
from helpdesk import (  # noqa: F401
    DISKS, HOLDER, IMAGE, KEY_PASSPHRASE, LUKS, QUICK, USB_ID, desk, image, inspect, issue,
    open_plain, opens, options, plug, ready, refused, teardown)

LONG = True
OPTIONS = options()


def test_issued_image_opens_with_plain_cryptsetup_and_mount(t):
    ready(t)
    path = image(t, "first")
    issued = issue(t, path, f"{IMAGE} IMG-1 --generate")
    assert re.fullmatch(r"([a-z]{6}-){4}\d{4}", issued["passphrase"]), issued
    open_plain(t, path, issued["passphrase"], "echo 住民票 > kept")
    assert open_plain(t, path, issued["passphrase"], "cat kept").strip() == "住民票"
    assert not opens(t, path, "wrong-" + issued["passphrase"])
    found = inspect(t, path, f"{IMAGE} IMG-1")
    assert found["outcome"] == "proved" and [v["mark"] for v in found["volumes"]] == ["good"], found
    assert found["register"]["luks_uuid"] == issued["luks_uuid"] == found["volumes"][0]["uuid"], found
    assert found["register"]["number"] == issued["number"] == found["volumes"][0]["marked_number"], found
    assert found["register"]["status"] == "active" and found["volumes"][0]["kdf"] == "argon2id", found


def test_issued_stick_carries_its_own_ids_and_three_keys(t):
    ready(t)
    stick = DISKS.plain("usb")
    node = plug(t, "usb", stick, "SERIAL-0001")
    t.write("/run/three.pass", f"{KEY_PASSPHRASE}\n{KEY_PASSPHRASE}\n{HOLDER}\n")
    issued = issue(t, node, "--number R8-### --organisation-key --recovery keep --content zeimu", passphrases="/run/three.pass")
    assert re.fullmatch(r"R8-\d{3}", issued["number"]), issued
    found = inspect(t, node)
    assert found["outcome"] == "proved" and found["volumes"][0]["mark"] == "good", found
    assert found["register"]["id"] == USB_ID and found["register"]["serial"] == "SERIAL-0001", found
    assert found["volumes"][0]["keyslots"] == 3, found
    open_plain(t, node, HOLDER, "echo x > file && sync")
    # A new mark for a longer term: the volume stays, and so does what opens it.
    desk(t, f"enrol {node} --yes --mark --until 2030-03-31 --number {issued['number']}")
    assert inspect(t, node)["volumes"][0]["mark"] == "good"
    recovery = desk(t, f"recovery {issued['number']} --why 'holder forgot it'").out.strip()
    assert recovery != HOLDER and opens(t, node, recovery)
    refused(t, f"recovery {issued['number']}", "reason", status=2)
    # A stick of its own: nothing of the old partition table is left on it.
    with open(stick, "rb") as f:
        start = f.read(MIB)
    assert start.startswith(LUKS) and start[510:512] == b"\0\0"


def test_the_same_header_on_another_stick_is_called_a_copy(t):
    ready(t)
    original = DISKS.blank("original")
    issue(t, plug(t, "original", original, "SERIAL-A"))
    t.unplug("original")
    node = plug(t, "copy", original, "SERIAL-B")
    result = desk(t, f"inspect {node}", check=False)
    assert result.status == 1 and "made for another device" in result.out, result
    assert "not in the register" in result.out, result


def test_ext4_is_writable_by_whoever_has_it_open(t):
    ready(t)
    path = image(t, "ext4")
    issue(t, path, f"{IMAGE} EXT4 --filesystem ext4")
    assert open_plain(t, path, HOLDER, "stat -c '%a %T' . && stat -f -c %T .").split()[0] == "1777"


def test_a_medium_is_issued_again_only_by_its_number(t):
    ready(t)
    path = image(t, "again")
    first = issue(t, path, f"{IMAGE} AGAIN")
    refused(t, f"issue {path} --class II --yes {QUICK} {IMAGE} AGAIN", f"is medium {first['number']}")
    refused(t, f"issue {path} --class II --yes {QUICK} {IMAGE} OTHER --number {first['number']}", "another device")
    second = issue(t, path, f"{IMAGE} AGAIN --number {first['number']}")
    assert second["number"] == first["number"] and second["luks_uuid"] != first["luks_uuid"]
    assert inspect(t, path, f"{IMAGE} AGAIN")["register"]["luks_uuid"] == second["luks_uuid"]


def test_weak_protection_is_refused_before_anything_is_touched(t):
    ready(t)
    path = image(t, "weak")
    t.run(f"mkfs.ext4 -q {path}")
    for weak in ("--kdf-memory 16", "--kdf-passes 3", "--kdf-memory 5000", "--kdf-threads 9"):
        refused(t, f"issue {path} --class II --yes {IMAGE} WEAK {weak}", "argon2id takes", status=2)
    for bad, why in (("short", "12 characters"), ("aaaaaaaaaaaaaaaa", "too few"), ("ひみつのことばはひみつ", "every keyboard")):
        t.write("/run/bad.pass", f"{KEY_PASSPHRASE}\n{bad}\n")
        result = desk(t, f"issue {path} --class II --yes {IMAGE} WEAK", passphrases="/run/bad.pass", check=False)
        assert result.status == 1 and why in result.err, result
    assert "ext4" in t.run(f"blkid {path}").out


# --- refusals -----------------------------------------------------------------------------------


def test_what_is_in_use_is_refused(t):
    ready(t)
    node = plug(t, "busy", DISKS.plain("busy"), "BUSY")
    part = t.wait_until(lambda: t.exists(node + "1") and node + "1", what="partition")
    every = ("issue {} --class II --yes " + QUICK, "wipe {} --yes --overwrite")
    for line in every:
        refused(t, line.format(part), f"partition; name the whole disk .{node}")
    t.run(f"mkdir -p /run/mnt && mount {part} /run/mnt")
    for line in every:
        refused(t, line.format(node), "mounted; unmount it first ./run/mnt")
    t.run("umount /run/mnt")
    t.run(f"mkswap {node} && swapon {node}")
    for line in every:
        refused(t, line.format(node), "swap")
    t.run(f"swapoff {node}")
    t.run(f"echo 0 131072 linear {node} 0 | dmsetup create held")
    for line in every:
        refused(t, line.format(node), "in use; close what uses it first .dm-")
    t.run("dmsetup remove held")
    # What root and /usr come from, and what is built in.
    for line in every:
        refused(t, line.format("/dev/vda"), "built in")
        refused(t, line.format("/dev/vda") + f" --force-fixed {IMAGE} X", "running system|has it for itself|mounted|cannot be written")
    loop = image(t, "loop")
    t.run(f"losetup /dev/loop5 {loop}")
    for line in every:
        refused(t, line.format(loop) + f" {IMAGE} L", "in use; close what uses it first .loop5")
    t.run("losetup -d /dev/loop5")
    for what, why in (("/run", "neither a disk"), ("/dev/null", "neither a disk"), ("/run/nothing", "no such device")):
        refused(t, every[0].format(what), why)
    refused(t, every[0].format(loop), "--id VVVV:PPPP")
    refused(t, every[0].format(node) + f" {IMAGE} FALSE", "says its own id")


def test_a_write_protected_stick_is_refused(t):
    ready(t)
    t.plug_storage("protected", DISKS.blank("protected"), serial="RO", readonly=True)
    node = t.wait_until(lambda: next(("/dev/" + d for d in t.ls("/sys/block") if d.startswith("sd")), None), what="disk")
    t.settle()
    refused(t, f"issue {node} --class II --yes {QUICK}", "write-protect")
