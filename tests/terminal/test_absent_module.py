# SPDX-License-Identifier: GPL-2.0-or-later
"""The module is missing (a failed build after a kernel update): the second layer and the daemon hold."""

import json
import time

from barrier import UUID_OTHER, Bus, Since, disks, driver, ffs, images, inspectors, options, ready, start_daemon, unplug_all
from policies import POLICY_FILE, use

OPTIONS = options(module=False)


def teardown(t):
    unplug_all(t)


def test_status_says_so_plainly(t):
    ready(t)
    assert not t.exists("/sys/module/sekimori")
    result = t.run("LC_ALL=C.UTF-8 sekimorictl status", check=False)
    assert result.status == 1 and "NOT LOADED" in result.out and "second layer" in result.out, result
    japanese = t.run("LANG=ja_JP.UTF-8 LC_ALL=ja_JP.UTF-8 sekimorictl status", check=False)
    assert japanese.status == 1 and any(c > "\u3000" for c in japanese.out), japanese
    data = json.loads(t.run("sekimorictl --json status", check=False).out)
    assert data, data


def test_unknown_sticks_never_become_disks(t):
    ready(t)
    for uas in (False, True):
        since, bus = Since(t), Bus(t)
        t.plug_storage("a", images.plain(), uas=uas, serial="NOBODY")
        record = since.wait("denied")
        assert record["reason"] == "not-registered"
        bus.wait("DeviceDenied")
        time.sleep(0.5)
        since.assert_no_disk()
        assert driver(t, f"{record['device']}:1.0") == ""
        bus.close()
        t.unplug("a")
        since.wait("removed")


def test_registered_stick_is_proved_and_released(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    disk = t.wait_until(lambda: disks(t), what="the disk")
    assert len(disk) == 1
    t.run("pkill -KILL -x sekimorid")
    start_daemon(t)
    t.wait_until(lambda: any(r.get("medium") == "ZEI-001" for r in since.records("resumed")), what="known again")
    assert disks(t) == disk
    # The new daemon's policy counts for it.
    policy = t.read(POLICY_FILE)
    body = policy.split("version 1\n")[1]
    use(t, body.replace('status active', 'status lost', 1))
    since.wait("denied", reason="medium-lost")
    t.wait_until(lambda: not disks(t), what="no disk")
    use(t, body)
    t.wait_until(lambda: disks(t), 20, "the disk again")


def test_another_volume_is_held(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(UUID_OTHER), serial="SWAPPED")
    assert since.wait("denied")["reason"] == "other-volume"
    time.sleep(0.5)
    since.assert_no_disk()


def test_keyboard_and_smart_card_reader_work(t):
    ready(t)
    since = Since(t)
    t.plug("usb-kbd", "kbd")
    t.plug("usb-ccid", "ccid")
    t.wait_until(lambda: len(since.records("passed")) == 2, what="two passed devices")
    for record in since.records("passed"):
        intf = f"{record['device']}:1.0"
        t.wait_until(lambda i=intf: t.read(f"/sys/bus/usb/devices/{i}/authorized") == "1", what="authorised")
        if record["interfaces"].startswith("03"):
            t.wait_until(lambda i=intf: driver(t, i) == "usbhid", what="usbhid")
    t.unplug("kbd")
    t.unplug("ccid")


def test_daemon_killed_during_inspection_shuts_at_the_next_start(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    t.wait_until(lambda: inspectors(t), what="an inspector")
    name = since.wait("held")["device"]
    t.run("pkill -KILL -x sekimorid")
    time.sleep(0.5)
    assert driver(t, f"{name}:1.0") == ""
    start_daemon(t)
    since.wait("denied", timeout=30)
    # The record is written before what it tells of is done.
    t.wait_until(lambda: t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0", 3, "shut")
    since.assert_no_disk()
