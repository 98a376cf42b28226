# SPDX-License-Identifier: GPL-2.0-or-later
"""The road from plug to verdict: unknown, registered, forged and composite devices."""

import time

from barrier import (STICK, TOOLS, UUID_OTHER, Bus, Since, disks, driver, images, options, read_bytes, ready,
                     records, unplug_all)

OPTIONS = options()


def teardown(t):
    unplug_all(t)


def denied(t, reason, plug):
    """Plugs, waits for the denial on D-Bus and in the log, and makes sure that no disk ever was."""
    ready(t)
    since, bus = Since(t), Bus(t)
    plug()
    record = since.wait("denied")
    assert record["reason"] == reason, record
    bus.wait("DeviceDenied")
    assert bus.members().count("DeviceHeld") == 1, bus.members()
    assert "DeviceAllowed" not in bus.members()
    assert reason in bus.text()
    time.sleep(0.5)
    since.assert_no_disk()
    assert driver(t, f"{record['device']}:1.0") == ""
    held = since.records("held")[0]
    assert held["seq"] < record["seq"] and record["terminal"] == "ZEI-014"
    bus.close()
    return record


def printk_time(line):
    return float(line.split("]")[0].strip("[ "))


def test_unknown_plain_stick_never_becomes_a_disk(t):
    record = denied(t, "not-registered", lambda: t.plug_storage("a", images.plain(), serial="NOBODY"))
    assert record["id"] == STICK and record["serial"] == "NOBODY" and record["interfaces"] == "08:06:50"


def test_unknown_uas_stick_never_becomes_a_disk(t):
    record = denied(t, "not-registered",
                    lambda: t.plug_storage("a", images.plain(), uas=True, serial="NOBODY"))
    assert record["interfaces"] == "08:06:62"


def test_registered_encrypted_stick_is_proved_before_any_disk_exists(t):
    ready(t)
    since, bus = Since(t), Bus(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    allowed = since.wait("allowed")
    assert allowed["reason"] == "proved" and allowed["medium"] == "ZEI-001" and allowed["method"] == "luks2"
    assert allowed["decided_by"] == "/etc/sekimori/policy:5", allowed
    bus.wait("DeviceAllowed")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    assert driver(t, f"{allowed['device']}:1.0") == "usb-storage"
    # The kernel made the SCSI host after the proof and after the record of it. printk has a clock of
    # its own, so its distance from CLOCK_BOOTTIME is taken first; /proc/uptime counts hundredths.
    t.run("read up idle < /proc/uptime; echo \"uptime $up\" > /dev/kmsg")
    lines = since.kernel().splitlines()
    mark = next(line for line in lines if "uptime " in line)
    distance = float(mark.split("uptime ")[1]) - printk_time(mark)
    host = next(line for line in lines if "scsi host" in line)
    assert (printk_time(host) + distance) * 1e6 > allowed["boot_us"] - 20000, (host, distance, allowed)
    order = [r["kind"] for r in since.records() if r["kind"] not in ("refused", "incident")]
    assert order == ["held", "allowed", "released"], order
    assert t.run(f"cryptsetup luksUUID /dev/{disk}").out.strip() == images.luks2()[-40:-4]
    t.unplug("a")
    since.wait("removed")
    bus.wait("DeviceRemoved")
    assert not disks(t)
    bus.close()


def test_reformatted_medium_is_held_and_the_reason_says_so(t):
    denied(t, "not-encrypted", lambda: t.plug_storage("a", images.plain(), serial="PLAIN"))


def test_another_volume_under_registered_ids_is_held(t):
    """The stick is read (QEMU counts it) though no disk ever appears."""
    denied(t, "other-volume", lambda: t.plug_storage("a", images.luks2(UUID_OTHER), serial="SWAPPED"))
    assert read_bytes(t, "a") >= 4096


def test_luks1_is_not_an_accepted_method(t):
    denied(t, "encryption-not-accepted", lambda: t.plug_storage("a", images.luks1(), serial="GOOD"))


def test_lost_medium_is_not_even_read(t):
    since, bus = Since(t), Bus(t)
    denied(t, "medium-lost", lambda: t.plug_storage("a", images.luks2(), serial="LOST"))
    assert read_bytes(t, "a") == 0
    # It has to be reported.
    record, incident = since.wait("denied"), since.wait("incident", type="lost-medium")
    assert incident["number"].startswith("ZEI-014-") and incident["number"].endswith(f"-{record['seq']}"), incident
    assert (incident["first_seq"], incident["last_seq"], incident["count"]) == (record["seq"], record["seq"], 1), incident
    assert incident["medium"] == record["medium"] and incident["serial"] == "LOST", incident
    bus.wait("Incident")
    bus.close()


def test_a_stick_that_is_tried_again_and_again_is_one_incident(t):
    since = Since(t)
    for n in range(6):
        t.plug_storage("a", images.plain(), serial="AGAIN")
        t.wait_until(lambda: len(since.records("denied", serial="AGAIN")) == n + 1, what="the verdict")
        t.unplug("a")
        t.wait_until(lambda: len(since.records("removed", serial="AGAIN")) == n + 1, what="its removal")
    told = since.records("incident", type="repeated-denials", serial="AGAIN")
    assert len(told) == 1 and told[0]["count"] == 5, told
    denied_seqs = [r["seq"] for r in since.records("denied", serial="AGAIN")]
    assert (told[0]["first_seq"], told[0]["last_seq"]) == (denied_seqs[0], denied_seqs[4]), told
    # What udev does when something is plugged in is no attempt of anybody's.
    assert not since.records("incident", type="gate-attempt"), since.records("incident")


def test_registered_uas_only_stick_is_released_to_be_looked_at_and_taken_back_without_its_volume(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(UUID_OTHER), uas=True, serial="UAS")
    assert since.wait("denied", timeout=30)["reason"] == "other-volume"
    assert not since.records("allowed") and not since.records("released"), since.records()
    t.wait_until(lambda: not disks(t), what="no disk")


def test_composite_keyboard_types_while_its_storage_is_held(t):
    ready(t)
    since = Since(t)
    t.run("truncate -s 8M /run/gadget.img")
    t.run(f"{TOOLS}/gadget.sh up gadget serial=EVIL product=キーボード keyboard storage=/run/gadget.img")
    record = since.wait("denied")
    assert record["reason"] == "not-registered" and record["product"] == "キーボード", record
    name = record["device"]
    t.wait_until(lambda: driver(t, f"{name}:1.0") == "usbhid", what="usbhid on the keyboard")
    assert driver(t, f"{name}:1.1") == ""
    event = t.wait_until(lambda: t.run(f"ls -d /sys/bus/usb/devices/{name}:1.0/*/input/input*/event*",
                                       check=False).out.split(), what="an input device")[0].rsplit("/", 1)[-1]
    t.start(f"cat /dev/input/{event}", "/run/keys")
    time.sleep(0.5)
    t.run(f"{TOOLS}/gadget.sh type gadget sekimori")
    t.wait_until(lambda: len(t.read_bytes("/run/keys")) >= 24 * 16, what="keystrokes")
    t.run("pkill -f /dev/input/", check=False)
    since.assert_no_disk()


def test_registered_stick_beside_an_unknown_one(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="NOBODY")
    t.plug_storage("b", images.luks2(), serial="GOOD")
    since.wait("denied", serial="NOBODY")
    since.wait("allowed", serial="GOOD")
    t.wait_until(lambda: disks(t), what="the disk")
    time.sleep(0.5)
    assert len(disks(t)) == 1, disks(t)


def test_released_disk_is_for_root_alone_and_nobody_mounts_it(t):
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    t.settle()
    assert t.run(f"stat -c '%a %U %G' /dev/{disk}").out.split() == ["600", "root", "root"]
    info = t.run(f"udevadm info /dev/{disk}").out
    assert "UDISKS_IGNORE=1" in info and "uaccess" not in info, info
    assert "ID_FS_TYPE=crypto_LUKS" not in info, "probed by udev"
    assert disk not in t.read("/proc/mounts")


def test_same_stick_again_is_judged_again(t):
    since = Since(t)
    for _ in range(3):
        t.plug_storage("a", images.luks2(), serial="GOOD")
        t.wait_until(lambda: disks(t), what="the disk")
        t.unplug("a")
        t.wait_until(lambda: not disks(t), what="no disk")
    t.wait_until(lambda: len(since.records("removed")) == 3)
    assert len(since.records("allowed")) == 3
    numbers = [r["seq"] for r in records(t)]
    assert numbers == list(range(1, len(numbers) + 1)), "gap in the log"
