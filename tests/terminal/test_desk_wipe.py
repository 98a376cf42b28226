# SPDX-License-Identifier: GPL-2.0-or-later
"""The help desk enrols and wipes."""

from disks import MIB
from helpdesk import (  # noqa: F401
    DISKS, HOLDER, IMAGE, LUKS, SKUL, desk, gone, image, inspect, issue, open_plain, opens,
    options, plug, ready, refused, start, teardown, wait_step)

LONG = True
OPTIONS = options()


def test_existing_luks_is_enrolled_without_touching_what_is_on_it(t):
    ready(t)
    stick = DISKS.luks2("old", passphrase="an old passphrase", size=64 * MIB)
    node = plug(t, "old", stick, "OLD-1")
    result = desk(t, f"enrol {node} --class I --yes --mark --number OLD-1")
    assert "OLD-1 is entered" in result.out, result
    found = inspect(t, node)
    assert found["volumes"][0]["mark"] == "good" and found["register"]["encryption"] == "luks2", found
    assert opens(t, node, "an old passphrase")
    plain = plug(t, "plain", DISKS.plain("unencrypted"), "PLAIN-1")
    refused(t, f"enrol {plain} --class I --yes", "not encrypted")
    desk(t, f"enrol {plain} --class I --yes --method hardware --number HW-1")
    assert inspect(t, plain)["register"]["encryption"] == "hardware"


def test_wiped_stick_is_unreadable_and_on_record(t):
    ready(t)
    stick = DISKS.blank("wiped")
    node = plug(t, "wiped", stick, "WIPED")
    number = issue(t, node, "--recovery keep")["number"]
    open_plain(t, node, HOLDER, "echo secret > file")
    header = t.run(f"dd if={node} bs=1M count=17 status=none | sha256sum").out
    result = desk(t, f"wipe {node} --yes --witness Sato --why 'end of use' --certificate /run/certificate.txt")
    assert "is wiped, and it was proved" in result.err and not result.out, result
    text = t.read("/run/certificate.txt")
    for expected in ("消去証明書（様式第3号）", "Certificate of erasure", number, "WIPED", "Sato", "end of use", "2 keyslots"):
        assert expected in text, text
    assert not opens(t, node, HOLDER)
    assert "not a valid LUKS device" in t.run(f"cryptsetup luksDump {node} 2>&1", check=False).out
    assert t.run(f"blkid -p {node}", check=False).status == 2
    assert t.run(f"dd if={node} bs=1M count=17 status=none | sha256sum").out != header
    t.unplug("wiped")
    # As it lies on the medium itself: neither copy of the header, at none of the places where one may be.
    with open(stick, "rb") as f:
        data = f.read(40 * MIB)
    assert LUKS not in data and SKUL not in data and data[:MIB] == bytes(MIB)
    assert data[MIB:2 * MIB] != bytes(MIB)


def test_killed_in_the_middle_of_wiping_is_taken_up(t):
    ready(t)
    path = image(t, "half", size="128M")
    issue(t, path, f"{IMAGE} HALF")
    pid = start(t, f"wipe {path} --yes {IMAGE} HALF --overwrite --certificate /run/half.txt", "/run/wipe.out")
    wait_step(t, "overwriting everything", log="/run/wipe.out")
    t.run(f"kill -9 {pid}")
    gone(t, pid)
    assert not opens(t, path, HOLDER)
    result = desk(t, f"wipe {path} --yes {IMAGE} HALF", check=False)
    if result.status:
        assert "--overwrite" in result.err, result
        desk(t, f"wipe {path} --yes {IMAGE} HALF --overwrite")


def test_what_is_no_luks_is_overwritten_or_left_alone(t):
    ready(t)
    stick = DISKS.plain("clear", label="HIMITSU")
    DISKS.patch(stick, 33 * MIB, b"plain secret" * 1000)
    node = plug(t, "clear", stick, "CLEAR")
    refused(t, f"wipe {node} --yes", "--overwrite overwrites everything")
    with open(stick, "rb") as f:
        assert b"plain secret" in f.read()
    result = desk(t, f"wipe {node} --yes --overwrite")
    assert "not in the register" in result.err and "every block of the medium" in result.out, result
    t.unplug("clear")
    with open(stick, "rb") as f:
        data = f.read()
    assert b"plain secret" not in data and b"HIMITSU" not in data
