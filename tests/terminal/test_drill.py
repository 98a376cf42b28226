# SPDX-License-Identifier: GPL-2.0-or-later
"""A drill: everything is judged and recorded, nothing is blocked; when it ends, what it let in is taken back."""

import json
import os
import shlex
import tempfile
import time

from barrier import (AT_WORK, PLAYED, SANITIZED, UUID, Since, Bus, check_daemon, daemon_pid, disks, driver, images, medium, options,
                     poke, ready, unplug_all)
from policies import use
from readers import Slots

SETTINGS = "/etc/sekimori/sekimorid.conf"
FLAG = "/run/sekimori/drill"
SHARE = tempfile.mkdtemp(prefix="sekimori-mtp-")
GADGET = "/usr/lib/terminal/gadget.sh"
with open(os.path.join(SHARE, "photo.jpg"), "wb") as f:
    f.write(b"\xff\xd8")

POLICY = "policy test-terminal\nversion 1\ndefault block\n" + medium("ZEI-001", "GOOD", UUID, more="access ro") \
    + medium("ZEI-002", "SLOT", ids=":".join(PLAYED))
BODY = POLICY.split("version 1\n", 1)[1]
OPTIONS = options(daemon=SANITIZED, policy=POLICY, files={SETTINGS: "terminal ZEI-014\nmode drill\n"})
LONG = {"test_daemon_that_is_killed_leaves_what_is_in_and_holds_what_comes",
        "test_drill_that_cannot_be_written_down_does_not_begin", "test_keyboard_with_storage_and_network_works_whole",
        "test_other_roads_are_open_and_said", "test_registered_read_only_medium_is_proved_and_can_be_written",
        "test_road_of_what_was_there_before_the_drill_is_opened", "test_there_is_no_drill_without_a_policy",
        "test_unknown_mode_keeps_the_daemon_from_starting_and_everything_held"}


def teardown(t):
    unplug_all(t)
    check_daemon(t)


def restart(t, mode):
    """As an administrator ends or begins a drill."""
    t.write(SETTINGS, f"terminal ZEI-014\nmode {mode}\n")
    # What is stopped in the middle of a look leaves its inspector to the next turn of a loop that has ended: a leak to the sanitizer.
    t.settle()
    t.wait_until(lambda: t.run(f"for i in 1 2 3 4 5; do pgrep -f '{AT_WORK}' && exit 1; sleep 0.2; done", check=False).status == 0,
                 what="the end of the looks")
    pid = daemon_pid(t)
    t.run(f"kill {pid}")
    t.wait_until(lambda: not daemon_pid(t), what="the daemon's end")
    since = Since(t)
    t.run(f"{SANITIZED} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")
    since.wait("started")
    ready(t)
    return since


def begins_with(t, body):
    """A new policy, with which a drill begins that could not before."""
    since = Since(t)
    use(t, body)
    since.wait("drill-begun")
    since.wait("released", state="would-deny")
    assert t.exists(FLAG)


def ctl(t, *arguments):
    return t.run("sekimorictl " + " ".join(arguments), check=False)


def mode_check(t):
    found = json.loads(ctl(t, "doctor", "--json").out)
    return next(c for c in (found if isinstance(found, list) else found["checks"]) if c["id"] == "mode")


def node_is(t, path):
    return t.run(f"stat -c '%U:%G %a' {path}").out.strip()


def properties(t, path):
    return dict(line.split("=", 1) for line in t.run(f"udevadm info -q property -n {path}").out.splitlines() if "=" in line)


def blocked_disk(t, since):
    """The disk of the only stick, once udev has done with it."""
    t.wait_until(lambda: len(disks(t)) == 1, what=f"a disk; records: {since.records()}")
    t.settle()
    return "/dev/" + disks(t)[0]


def test_unregistered_stick_is_a_disk_like_on_a_plain_system_and_recorded_as_would_deny(t):
    ready(t)
    since, bus = Since(t), Bus(t)
    t.plug_storage("stick", images.plain(), serial="ANY")
    record = since.wait("would-deny")
    assert record["reason"] == "not-registered" and record["drill"] is True and record["state"] == "would-deny", record
    bus.wait("DeviceWouldBeDenied")
    disk = blocked_disk(t, since)
    since.wait("released", state="would-deny", driver="usb-storage")
    # What Debian's own rules make of a stick: the group disk, links, and nothing that hides it from udisks.
    assert node_is(t, disk) == "root:disk 660"
    shown = properties(t, disk)
    assert shown["ID_BUS"] == "usb" and "UDISKS_IGNORE" not in shown and "SEKIMORI_RAW" not in shown, shown
    assert ":systemd:" in shown["TAGS"] and "SYSTEMD_READY" not in shown, shown
    part = next((f"/dev/{n}" for n in t.ls("/sys/block/" + disk[5:]) if n.startswith(disk[5:])), disk)
    assert "ID_FS_TYPE" in properties(t, part), properties(t, part)
    t.run(f"mkdir -p /run/mounted && mount {part} /run/mounted && echo kept > /run/mounted/file && umount /run/mounted")
    assert not since.records("denied") and not since.records("revoked")
    assert "DeviceAllowed" not in bus.members() and "DeviceDenied" not in bus.members()
    bus.close()


def test_drill_is_shown_loudly(t):
    ready(t)
    begun = [r for r in (json.loads(line) for line in t.read("/var/log/sekimori/events.jsonl").splitlines()) if r["kind"] == "drill-begun"]
    assert len(begun) == 1 and begun[0]["drill"] is True and begun[0]["since"] > 0
    status = ctl(t, "status")
    assert status.status == 1 and status.out.startswith("DRILL MODE: nothing is blocked."), status
    assert "drill" in [p["code"] for p in json.loads(ctl(t, "status", "--json").out)["problems"]]
    check = mode_check(t)
    assert check["result"] == "fail" and "drill mode since" in check["detail"], check


def test_registered_read_only_medium_is_proved_and_can_be_written(t):
    ready(t)
    since = Since(t)
    t.plug_storage("stick", images.luks2(UUID), serial="GOOD")
    record = since.wait("allowed")
    assert record["reason"] == "proved" and record["access"] == "ro" and record["drill"] is True, record
    disk = blocked_disk(t, since)
    since.wait("released")
    time.sleep(1)  # the second look, which would set it
    assert t.run(f"blockdev --getro {disk}").out.strip() == "0"
    assert node_is(t, disk) == "root:disk 660"
    assert not since.records("would-deny") and not since.records("tampering")


def test_keyboard_with_storage_and_network_works_whole(t):
    ready(t)
    since = Since(t)
    t.run("truncate -s 4M /run/gadget.img")
    t.run(f"{GADGET} up gadget id=1d6b:0104 serial=G1 keyboard storage=/run/gadget.img network")
    record = since.wait("would-deny")
    name = record["device"]
    t.wait_until(lambda: {"usbhid", "usb-storage"} <= {driver(t, i) for i in t.ls("/sys/bus/usb/devices") if i.startswith(name + ":")},
                 what="drivers of all functions")
    blocked_disk(t, since)
    assert all(t.read(f"/sys/bus/usb/devices/{i}/authorized") == "1"
               for i in t.ls("/sys/bus/usb/devices") if i.startswith(name + ":"))


def test_phone_can_be_talked_to(t):
    ready(t)
    since = Since(t)
    t.plug("usb-mtp", "mtp", rootdir=SHARE)
    try:
        record = since.wait("would-deny")
        assert record["reason"] == "class-not-allowed", record
        since.wait("released")
        t.settle()
        name = record["device"]
        assert poke(t, name, "claim 0") == "ok"
        bus, dev = (int(t.read(f"/sys/bus/usb/devices/{name}/{n}")) for n in ("busnum", "devnum"))
        node = f"/dev/bus/usb/{bus:03}/{dev:03}"
        # Where somebody sits at the terminal, logind opens it to him by this tag.
        assert node_is(t, node).endswith("664") and ":uaccess:" in properties(t, node)["TAGS"], properties(t, node)
    finally:
        t.unplug("mtp")


def test_other_roads_are_open_and_said(t):
    ready(t)
    t.run("modprobe -r sr_mod", check=False)
    since = Since(t)
    t.run("modprobe sr_mod")
    assert t.exists("/sys/module/sr_mod")
    assert "sekimori: drill mode: sr_mod would be blocked" in t.dmesg()
    record = since.wait("road-would-close", road="sr_mod")
    assert record["drill"] is True and "device" not in record and "reason" not in record, record
    # Once in a drill, and in words.
    t.run("modprobe -r sr_mod && modprobe sr_mod && modprobe -r sr_mod")
    time.sleep(1)
    assert len(since.records("road-would-close")) == 1 and not since.records("would-deny"), since.records()
    assert "sr_mod" in ctl(t, "report", "--format=csv").out
    assert "USB以外の経路を試行で開きました" in t.run("LANG=ja_JP.UTF-8 sekimorictl log show --kind=road-would-close").out


def test_road_of_what_was_there_before_the_drill_is_opened(t):
    ready(t)
    since = Since(t)
    t.qmp("device_add", {"driver": "usb-bot", "id": "writer", "bus": "xhci.0", "serial": "WRITER"})
    t.qmp("device_add", {"driver": "scsi-cd", "id": "writer-unit", "bus": "writer.0"})
    t.qmp("qom-set", {"path": "/machine/peripheral/writer", "property": "attached", "value": True})
    t.drives["writer"] = None
    since.wait("released")
    t.wait_until(lambda: t.exists("/sys/module/sr_mod"), what="the driver of the drive")
    t.settle()
    t.run("modprobe -r sr_mod")
    restart(t, "drill")
    t.wait_until(lambda: t.exists("/sys/block/sr0"), what="the drive of before")


def test_card_that_comes_to_an_empty_reader_is_judged(t):
    ready(t)
    since = Since(t)
    slots = Slots(t, [None], "SLOT")
    try:
        assert since.wait("would-deny", timeout=20)["reason"] == "no-medium"
        since.wait("released")
        t.wait_until(lambda: disks(t), what="the reader's disk")
        time.sleep(1)
        assert len(since.records("would-deny")) == 1, since.records()
        since = Since(t)
        slots.put(0, images.plain())
        record = since.wait("would-deny", timeout=20)
        assert record["reason"] == "not-encrypted" and record["drill"] is True, record
        assert disks(t) and not since.records("revoked")
    finally:
        t.run(f"{GADGET} down gadget", check=False)


def test_there_is_no_drill_without_a_policy(t):
    ready(t)
    t.run("mv /etc/sekimori/policy /run/policy-away; rm -rf /var/lib/sekimori/policy")
    since = restart(t, "drill")
    try:
        assert since.wait("drill-refused")["why"] == "no-policy"
        assert since.wait("drill-ended")["why"] == "no-policy"
        assert not t.exists(FLAG)
        assert json.loads(ctl(t, "status", "--json").out)["daemon"]["Mode"] == "drill-refused"
        t.plug_storage("stick", images.plain(), serial="ANY")
        assert since.wait("denied")["reason"] == "no-policy"
        since.assert_no_disk()
    finally:
        t.run("mv /run/policy-away /etc/sekimori/policy")
    begins_with(t, BODY)


def test_drill_that_cannot_be_written_down_does_not_begin(t):
    ready(t)
    restart(t, "enforce")
    t.run("rm -f /var/lib/sekimori/drill; mkdir -p /var/lib/sekimori/drill/in-the-way")
    try:
        since = restart(t, "drill")
        assert since.wait("drill-refused")["why"] == "log-unwritable"
        assert not t.exists(FLAG)
        t.plug_storage("stick", images.plain(), serial="ANY")
        assert since.wait("denied")["reason"] == "not-registered"
        since.assert_no_disk()
    finally:
        t.run("rm -r /var/lib/sekimori/drill")
    begins_with(t, BODY)


def test_second_daemon_with_bad_settings_leaves_the_drill_of_the_first(t):
    ready(t)
    assert t.exists(FLAG)
    t.write("/run/bad.conf", "mode off\n")
    done = t.run(f"{shlex.quote(SANITIZED)} --config /run/bad.conf", check=False)
    assert done.status != 0 and t.exists(FLAG), done


def test_daemon_that_is_killed_leaves_what_is_in_and_holds_what_comes(t):
    ready(t)
    since = Since(t)
    t.plug_storage("stick", images.plain(), serial="ANY")
    since.wait("released", state="would-deny")
    disk = blocked_disk(t, since)
    t.run(f"kill -9 {daemon_pid(t)}")
    t.plug("usb-mtp", "mtp", rootdir=SHARE)
    try:
        time.sleep(1)
        assert "/dev/" + disks(t)[0] == disk
        name = t.find_usb("46f4:0004")
        assert all(t.read(f"/sys/bus/usb/devices/{i}/authorized") == "0"
                   for i in t.ls("/sys/bus/usb/devices") if i.startswith(name + ":"))
        since = Since(t)
        t.run(f"{SANITIZED} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")
        record = since.wait("resumed")
        assert record["state"] == "would-deny" and record["reason"] == "not-registered", record
        since.wait("would-deny", reason="class-not-allowed")
        assert "/dev/" + disks(t)[0] == disk and not since.records("drill-begun")
    finally:
        t.unplug("mtp")


def test_policy_that_forbids_it_ends_it_at_once_and_the_next_lets_it_begin(t):
    ready(t)
    since = Since(t)
    t.plug_storage("stick", images.plain(), serial="ANY")
    since.wait("released", state="would-deny")
    since = Since(t)
    use(t, "drill no\n" + BODY)
    assert since.wait("drill-ended")["why"] == "policy"
    assert since.wait("revoked")["why"] == "drill"
    assert since.wait("denied")["reason"] == "not-registered"
    t.wait_until(lambda: not disks(t), what="the disk's end")
    assert not t.exists(FLAG) and since.records("drill-refused")
    status = json.loads(ctl(t, "status", "--json").out)
    assert status["daemon"]["Mode"] == "drill-refused"
    since = Since(t)
    use(t, BODY)
    since.wait("drill-begun")
    since.wait("released", state="would-deny")
    blocked_disk(t, since)


def test_end_of_the_setting_takes_back_what_was_let_in(t):
    ready(t)
    since = Since(t)
    t.plug_storage("stick", images.plain(), serial="ANY")
    t.plug_storage("good", images.luks2(UUID), serial="GOOD")
    since.wait("released", state="would-deny")
    since.wait("released", state="allowed")
    t.wait_until(lambda: len(disks(t)) == 2, what="two disks")
    since = restart(t, "enforce")
    assert since.wait("drill-ended")["why"] == "setting"
    assert since.wait("denied")["reason"] == "not-registered"
    # The registered one is proved anew, and the barrier's own rules hold for it now.
    since.wait("allowed", reason="proved")
    since.wait("released", state="allowed")
    disk = blocked_disk(t, since)
    t.wait_until(lambda: t.run(f"blockdev --getro {disk}").out.strip() == "1", what="the read-only disk")
    assert node_is(t, disk) == "root:root 600" and properties(t, disk)["UDISKS_IGNORE"] == "1"
    assert {r["why"] for r in since.records("revoked")} == {"drill"}
    assert not any("drill" in r for r in since.records())
    assert not t.exists(FLAG)
    # What was loaded in the drill stays: a road is closed to what comes.
    t.run("modprobe -r sr_mod", check=False)
    assert t.run("modprobe sr_mod", check=False).status != 0 and not t.exists("/sys/module/sr_mod")
    record = since.wait("road-closed", road="sr_mod")
    assert "drill" not in record and record["mac"], record
    t.run("modprobe sr_mod", check=False)
    time.sleep(1)
    assert len(since.records("road-closed", road="sr_mod")) == 1, since.records()
    assert mode_check(t)["result"] == "ok"


def test_unknown_mode_keeps_the_daemon_from_starting_and_everything_held(t):
    ready(t)
    t.write(SETTINGS, "terminal ZEI-014\nmode off\n")
    t.run(f"kill {daemon_pid(t)}")
    t.wait_until(lambda: not daemon_pid(t), what="the daemon's end")
    t.write(FLAG, "1\n")  # as a crash leaves it
    done = t.run(SANITIZED, check=False)
    assert done.status != 0 and "expected enforce or drill" in done.err + done.out, done
    assert not t.exists(FLAG)
    t.plug_storage("stick", images.plain(), serial="ANY")
    time.sleep(1.5)
    assert not disks(t)
    restart_held(t)


def restart_held(t):
    t.write(SETTINGS, "terminal ZEI-014\n")
    since = Since(t)
    t.run(f"{SANITIZED} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")
    assert since.wait("denied")["reason"] == "not-registered"
