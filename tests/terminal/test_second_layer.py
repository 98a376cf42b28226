# SPDX-License-Identifier: GPL-2.0-or-later
"""The udev rules alone: neither module nor daemon."""

import os
import time

from disks import Disks

LONG = True
DISKS = Disks()
RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../udev-rules")
QUIET = 3.0  # seconds without a disk; a stick that may, becomes one in 1.5 s here
AS_USER = "setpriv --reuid 1000 --regid 1000 --init-groups"


def rule(name):
    with open(os.path.join(RULES, name), encoding="utf-8") as f:
        return f.read()


OPTIONS = {
    "files": {
        "/lib/udev/rules.d/10-sekimori.rules": rule("10-sekimori.rules"),
        "/lib/udev/rules.d/72-sekimori.rules": rule("72-sekimori.rules"),
        "/lib/modprobe.d/sekimori.conf": rule("sekimori-modprobe.conf"),
    },
}


def interfaces(t, name):
    """{interface: (class, authorized, driver)} of the device."""
    script = (f"cd /sys/bus/usb/devices; for i in {name}:*; do "
              'echo "$i $(cat $i/bInterfaceClass) $(cat $i/authorized) $(basename $(readlink $i/driver || echo -))"; done')
    rows = [line.split() for line in t.run(script).out.splitlines()]
    return {i: (c, a, d) for i, c, a, d in rows}


def disks(t):
    return [n for n in t.ls("/sys/block") if n.startswith(("sd", "sr", "mmcblk"))]


def node(t, name):
    base = f"/sys/bus/usb/devices/{name}"
    return f"/dev/bus/usb/{int(t.read(base + '/busnum')):03}/{int(t.read(base + '/devnum')):03}"


def assert_node_is_roots(t, path):
    assert t.run(f"stat -c '%u:%g %a' {path}").out.strip() == "0:0 600"
    assert t.run(f"{AS_USER} head -c 1 {path}", check=False).status != 0
    assert ":uaccess:" not in t.run(f"udevadm info -q property -n {path}").out


def assert_held(t, name, classes):
    t.settle()
    end = time.monotonic() + QUIET
    while time.monotonic() < end:
        assert disks(t) == []
        time.sleep(0.1)
    found = interfaces(t, name)
    assert sorted(c for c, _, _ in found.values()) == classes, found
    assert all(a == "0" and d == "-" for _, a, d in found.values()), found


def teardown(t):
    t.settle()


def test_unknown_stick_never_becomes_a_disk(t):
    t.plug_storage("stick", DISKS.plain("bot"), serial="BOT")
    name = t.find_usb("46f4:0001")
    assert_held(t, name, ["08"])
    assert_node_is_roots(t, node(t, name))
    assert t.read(f"/sys/bus/usb/devices/{name}/power/persist") == "0"
    t.unplug("stick")


def test_unknown_uas_stick_never_becomes_a_disk(t):
    t.plug_storage("stick", DISKS.plain("uas"), uas=True, serial="UAS")
    name = t.find_usb("46f4:0003")
    assert_held(t, name, ["08"])
    t.unplug("stick")


def test_keyboard_behind_hub_and_mouse_work(t):
    t.plug("usb-hub", "hub", port="1")
    hub = t.find_usb("0409:55aa")
    t.wait_until(lambda: interfaces(t, hub) == {f"{hub}:1.0": ("09", "1", "hub")}, what="hub bound")
    t.plug("usb-kbd", "keyboard", port="1.1")
    t.plug("usb-mouse", "mouse", port="2")
    t.wait_until(lambda: list(t.usb().values()).count("0627:0001") == 2, what="keyboard and mouse")
    for name, ids in t.usb().items():
        if ids == "0627:0001":
            t.wait_until(lambda n=name: [x[2] for x in interfaces(t, n).values()] == ["usbhid"], what="HID bound")
            assert_node_is_roots(t, node(t, name))
    t.settle()
    assert ":uaccess:" not in t.run(f"udevadm info -q property -n {node(t, hub)}").out
    names = t.run("cat /sys/class/input/input*/name").out
    assert "QEMU USB Keyboard" in names and "QEMU USB Mouse" in names
    t.unplug("mouse")
    t.unplug("hub")


def test_smart_card_reader_is_authorised(t):
    t.plug("usb-ccid", "reader")
    name = t.find_usb("08e6:4433")
    t.wait_until(lambda: [x[:2] for x in interfaces(t, name).values()] == [("0b", "1")], what="reader authorised")
    assert_node_is_roots(t, node(t, name))
    t.unplug("reader")


def test_phone_and_network_adapter_are_held(t):
    os.makedirs(os.path.join(DISKS.dir, "mtp"), exist_ok=True)
    t.plug("usb-mtp", "phone", rootdir=os.path.join(DISKS.dir, "mtp"))
    phone = t.find_usb("46f4:0004")
    t.plug("usb-net", "adapter")
    adapter = t.find_usb("0525:a4a2")
    assert_held(t, phone, ["06"])
    assert all(a == "0" and d == "-" for _, a, d in interfaces(t, adapter).values())
    assert_node_is_roots(t, node(t, phone))
    assert t.ls("/sys/class/net") == ["lo"]
    t.unplug("phone")
    t.unplug("adapter")


def test_composite_keyboard_types_while_its_storage_is_held(t):
    t.write("/run/g.img", b"\0" * (1 << 20))
    t.run("/usr/lib/terminal/gadget.sh up combo keyboard storage=/run/g.img")
    name = t.find_usb("1d6b:0104")
    t.wait_until(lambda: "usbhid" in [x[2] for x in interfaces(t, name).values()], what="keyboard bound")
    time.sleep(QUIET)
    assert sorted(interfaces(t, name).values()) == [("03", "1", "usbhid"), ("08", "0", "-")]
    assert disks(t) == []
    t.run("/usr/lib/terminal/gadget.sh down combo")


def test_keyboard_with_the_ids_of_a_storage_quirk_is_held(t):
    # 152d:0578 (a JMicron bridge): usb-storage takes it by its ids, whatever class it claims.
    t.run("/usr/lib/terminal/gadget.sh up fake id=152d:0578 keyboard")
    name = t.find_usb("152d:0578")
    assert "usb_storage" in t.run(f"modprobe -R $(cat /sys/bus/usb/devices/{name}:1.0/modalias)").out
    assert_held(t, name, ["03"])
    t.run("/usr/lib/terminal/gadget.sh down fake")


def test_released_raw_disk_is_for_root_alone(t):
    t.plug_storage("stick", DISKS.plain("raw"), serial="RAW")
    name = t.find_usb("46f4:0001")
    t.settle()
    t.write(f"/sys/bus/usb/devices/{name}:1.0/authorized", "1")
    t.write("/sys/bus/usb/drivers_probe", f"{name}:1.0")
    t.wait_until(lambda: t.exists("/sys/block/sda/sda1"))
    t.settle()
    for path in ("/dev/sda", "/dev/sda1", "/dev/sg0"):
        assert_node_is_roots(t, path)
    for path in ("/dev/sda", "/dev/sda1"):
        properties = t.run(f"udevadm info -q property -n {path}").out.splitlines()
        for expected in ("UDISKS_IGNORE=1", "UDISKS_AUTO=0", "SYSTEMD_READY=0", "SEKIMORI_RAW=1",
                         "DM_MULTIPATH_DEVICE_PATH=0", "DM_UDEV_DISABLE_OTHER_RULES_FLAG=1"):
            assert expected in properties, (expected, properties)
        assert not any(p.startswith("ID_FS_") for p in properties), properties
    assert t.run("find /dev/disk -lname '*sda*'", check=False).out == ""
    t.unplug("stick")
    t.wait_until(lambda: disks(t) == [])


def test_other_roads_are_closed(t):
    for module in ("sr_mod", "firewire_sbp2", "firewire_ohci", "ms_block", "mspro_block"):
        assert t.run(f"modprobe {module}", check=False).status != 0
        assert not t.exists(f"/sys/module/{module}")


def test_rules_have_no_errors(t):
    # udev 252 has no `udevadm verify`; it complains about rules when it reads them.
    result = t.run("udevadm test /sys/devices/virtual/mem/null 2>&1 | grep -i sekimori | grep -v 'Reading rules file'", check=False)
    assert result.out == "", result.out
