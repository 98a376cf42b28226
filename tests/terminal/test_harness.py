# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual terminal itself: without Sekimori, a stick is a disk and a keyboard types."""

import struct

from disks import Disks

LONG = True  # every other file rests on these: they tell what is wrong when nothing else does
OPTIONS = {"sleeps": True}
DISKS = Disks()
GADGET = "/usr/lib/terminal/gadget.sh"
EVENT = "llHHi"  # struct input_event, x86-64
KEY = {"s": 31, "e": 18, "k": 37, "i": 23}


def typed(t, node, press):
    """The key codes that arrive at an evdev node while press() types."""
    t.run("rm -f /run/typed")
    pid = t.start(f"cat {node}", out="/run/typed")
    t.wait_until(lambda: node in t.run(f"ls -l /proc/{pid}/fd", check=False).out, what="reader started")
    press()

    def pressed():
        data = t.read_bytes("/run/typed")
        events = struct.iter_unpack(EVENT, data[:len(data) // 24 * 24])
        return [code for _, _, kind, code, value in events if kind == 1 and value == 1]
    t.wait_until(lambda: len(pressed()) >= 4, what="key events")
    t.run(f"kill {pid}")
    return pressed()


def keyboard_node(t, name):
    """The evdev node of the USB keyboard below /sys/bus/usb/devices/NAME."""
    return t.wait_until(lambda: t.run(
        f"for e in $(find -L /sys/bus/usb/devices/{name}/ -maxdepth 5 -path '*/input/input*/event*' "
        "-name 'event*' 2>/dev/null | head -n 1); do echo /dev/input/${e##*/}; done",
        check=False).out.strip(), what="keyboard's event node")


def test_bulk_only_stick_becomes_a_disk(t):
    t.plug_storage("stick", DISKS.plain("bot"), serial="HARNESS1")
    t.wait_until(lambda: t.exists("/sys/block/sda/sda1"))
    assert t.usb() == {t.find_usb("46f4:0001"): "46f4:0001"}
    t.settle()
    assert "ID_FS_LABEL=PLAIN" in t.run("udevadm info -q property /dev/sda1").out
    t.unplug("stick")
    t.wait_until(lambda: not t.exists("/sys/block/sda"))


def test_uas_stick_becomes_a_disk(t):
    t.plug_storage("stick", DISKS.plain("uas"), uas=True, serial="HARNESS2")
    t.wait_until(lambda: t.exists("/sys/block/sda/sda1"))
    assert t.run("readlink /sys/bus/usb/devices/*/driver | grep -c /uas$").out.strip() == "1"
    t.unplug("stick")
    t.wait_until(lambda: not t.exists("/sys/block/sda"))


def test_keyboard_types(t):
    t.plug("usb-kbd", "keyboard")
    node = keyboard_node(t, t.find_usb("0627:0001"))
    assert typed(t, node, lambda: t.keys("s", "e", "k", "i")) == [KEY[c] for c in "seki"]
    t.unplug("keyboard")


def test_composite_gadget_types_and_stores(t):
    t.write("/run/gadget.img", open(DISKS.plain("gadget", size=4 << 20), "rb").read())
    t.run(f"{GADGET} up combo id=1d6b:0104 serial=G1 keyboard storage=/run/gadget.img")
    name = t.find_usb("1d6b:0104")
    t.wait_until(lambda: t.exists("/sys/block/sda"))
    node = keyboard_node(t, name)
    assert typed(t, node, lambda: t.run(f"{GADGET} type combo seki")) == [KEY[c] for c in "seki"]
    t.run(f"{GADGET} down combo")
    t.wait_until(lambda: not t.exists("/sys/block/sda"))


def test_encrypted_stick_opens(t):
    t.plug_storage("stick", DISKS.luks2("luks", uuid="11111111-2222-3333-4444-555555555555"))
    t.wait_until(lambda: t.exists("/sys/block/sda"))
    t.run("echo -n sekimori | cryptsetup open --key-file - /dev/sda m1")
    assert t.exists("/dev/mapper/m1")
    t.run("cryptsetup close m1")
    t.unplug("stick")


def test_sleeps_and_wakes(t):
    t.plug_storage("stick", DISKS.plain("sleep"))
    t.wait_until(lambda: t.exists("/sys/block/sda"))
    t.suspend()
    t.wake()
    assert "PM: suspend exit" in t.dmesg()
    t.unplug("stick")
    t.wait_until(lambda: not t.exists("/sys/block/sda"))
