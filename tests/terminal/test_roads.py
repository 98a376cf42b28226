# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways out that are not disks: phones, network adapters, vendor-specific interfaces; and what has to
keep working beside them."""

import os
import tempfile
import time

from barrier import TOOLS, Bus, Since, disks, driver, ffs, options, poke, ready, unplug_all

LONG = {"test_serial_adapter_is_held"}
SHARE = tempfile.mkdtemp(prefix="sekimori-mtp-")
with open(os.path.join(SHARE, "photo.jpg"), "wb") as f:
    f.write(b"\xff\xd8")

OPTIONS = options(qemu=["-netdev", "user,id=net0,restrict=on"])
USER = 1000


def teardown(t):
    unplug_all(t)


def refused_road(t, plug, unplug, classes):
    """Plugs; everything of it is held, denied, and shut for an ordinary user. Returns the record."""
    ready(t)
    since, bus = Since(t), Bus(t)
    plug()
    record = since.wait("denied")
    try:
        assert record["reason"] == "class-not-allowed", record
        assert record["interfaces"].startswith(classes), record
        bus.wait("DeviceDenied")
        name = record["device"]
        for intf in t.run(f"cd /sys/bus/usb/devices && ls -d {name}:*").out.split():
            assert driver(t, intf) == "", intf
            assert t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "0"
        # What libmtp or any home-made program of a user would do first.
        assert poke(t, name, "open", USER) == "EACCES"
        assert poke(t, name, "vendor", USER) == "EACCES"
        assert poke(t, name, "claim 0", USER) == "EACCES"
        assert poke(t, name, "claim 0") == "ENODEV", "root's claim"
        since.assert_no_disk()
    finally:
        unplug()
        bus.close()
    return record


def test_mtp_phone_is_held(t):
    refused_road(t, lambda: t.plug("usb-mtp", "mtp", rootdir=SHARE), lambda: t.unplug("mtp"), "06:01:01")


def test_network_adapter_is_held(t):
    before = t.ls("/sys/class/net")
    refused_road(t, lambda: t.plug("usb-net", "net", netdev="net0"), lambda: t.unplug("net"), "02:")
    assert t.ls("/sys/class/net") == before

def test_serial_adapter_is_held(t):
    t.qmp("chardev-add", {"id": "c0", "backend": {"type": "null", "data": {}}})
    refused_road(t, lambda: t.plug("usb-serial", "serial", chardev="c0", **{"always-plugged": True}), lambda: t.unplug("serial"), "ff:")
    t.qmp("chardev-remove", {"id": "c0"})
    assert not [n for n in t.ls("/dev") if n.startswith("ttyUSB")]


def test_vendor_specific_interface_and_its_endpoint_0_are_shut_for_users(t):
    def plug():
        ffs(t, "played", "VENDOR", "vendor-ff")
    refused_road(t, plug, lambda: t.run(f"{TOOLS}/ffs.sh stop played"), "ff:")


def test_keyboard_mouse_hub_and_smart_card_reader_work(t):
    since = Since(t)
    t.qmp("device_add", {"driver": "usb-hub", "id": "hub", "bus": "xhci.0", "port": "5"})
    t.plug("usb-kbd", "kbd", port="5.1")
    t.plug("usb-mouse", "mouse", port="5.2")
    t.plug("usb-ccid", "ccid")
    try:
        t.wait_until(lambda: len(since.records("passed")) >= 4, what="four passed devices")
        by_class = {r["interfaces"][:2]: r["device"] for r in since.records("passed")}
        assert set(by_class) == {"03", "09", "0b"}, by_class
        assert not since.records("denied") and not since.records("held")
        for record in since.records("passed"):
            name = record["device"]
            assert t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "1"
            wanted = {"03": "usbhid", "09": "hub", "0b": ""}[record["interfaces"][:2]]
            t.wait_until(lambda: driver(t, f"{name}:1.0") == wanted, what=f"{wanted} on {name}")
        # pcscd's way to a reader: claim it from user space.
        assert poke(t, by_class["0b"], "claim 0") == "ok"
        t.settle()
        event = t.run("ls /dev/input/by-id/ 2>/dev/null | grep -m1 kbd", check=False).out.strip()
        if event:
            t.start(f"cat /dev/input/by-id/{event}", "/run/keys")
            time.sleep(0.5)
            t.keys("a", "b")
            t.wait_until(lambda: t.read_bytes("/run/keys"), what="keystrokes")
            t.run("pkill -f /dev/input/", check=False)
        else:
            assert t.run("grep -c 'QEMU USB Keyboard' /proc/bus/input/devices").out.strip() != "0"
    finally:
        for id in ("ccid", "mouse", "kbd", "hub"):
            t.unplug(id)
    assert not disks(t)
