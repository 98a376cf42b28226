# SPDX-License-Identifier: GPL-2.0-or-later
"""Root tries to get round the locked gate. Everything fails, and everything is on record."""

import time

from barrier import TOOLS, Bus, Since, counter, disks, driver, images, options, poke, ready, unplug_all

OPTIONS = options()


def teardown(t):
    unplug_all(t)


def attempt(t, command, kind, status=None):
    """Runs root's command against a held stick; returns the record of its refusal."""
    since, bus = Since(t), Bus(t)
    result = t.run(command, check=False, timeout=10)
    if status is not None:
        assert (result.status == 0) == status, result
    record = since.wait("refused", attempt=kind)
    bus.wait("AttemptRefused")
    bus.close()
    assert not disks(t)
    assert record["uid"] == 0 and record["program"], record
    return record


def held(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="NOBODY")
    return since.wait("denied")["device"] + ":1.0"


def test_bind(t):
    intf = held(t)
    since = Since(t)
    record = attempt(t, f"echo {intf} > /sys/bus/usb/drivers/usb-storage/bind", "bind", status=False)
    assert record["driver"] == "usb-storage" and record["interface"] == intf, record
    assert driver(t, intf) == ""
    since.assert_no_disk()


def test_drivers_probe(t):
    intf = held(t)
    since = Since(t)
    attempt(t, f"echo {intf} > /sys/bus/usb/drivers_probe", "bind")
    assert driver(t, intf) == ""
    since.assert_no_disk()


def test_new_id(t):
    intf = held(t)
    since = Since(t)
    attempt(t, "echo 46f4 0001 > /sys/bus/usb/drivers/usb-storage/new_id", "bind")
    assert driver(t, intf) == ""
    since.assert_no_disk()
    t.run("echo 46f4 0001 > /sys/bus/usb/drivers/usb-storage/remove_id")


def test_reloading_the_storage_driver(t):
    intf = held(t)
    since = Since(t)
    attempt(t, "modprobe -r uas usb-storage; modprobe usb-storage", "bind")
    assert driver(t, intf) == ""
    since.assert_no_disk()
    t.run("modprobe uas")


def test_authorized(t):
    intf = held(t)
    path = f"/sys/bus/usb/devices/{intf}/authorized"
    record = attempt(t, f"echo 1 > {path}", "authorize", status=False)
    assert record["interface"] == intf
    attempt(t, f"chmod 666 {path}; echo 1 > {path}", "authorize", status=False)
    assert t.read(path) == "0"
    # And with every other door tried at once after it.
    t.run(f"echo {intf} > /sys/bus/usb/drivers_probe", check=False)
    assert driver(t, intf) == "" and not disks(t)


def test_libusb_claim(t):
    intf = held(t)
    name = intf.split(":")[0]
    bus, dev = (int(t.read(f"/sys/bus/usb/devices/{name}/{x}")) for x in ("busnum", "devnum"))
    record = attempt(t, f"{TOOLS}/usbpoke {bus} {dev} claim 0", "claim", status=False)
    assert record["program"] == "usbpoke", record
    assert poke(t, name, "bulk 0 2") == "ENODEV"
    assert poke(t, name, "connect 0") in ("ok", "ENODEV") and driver(t, intf) == ""


def test_removing_the_module(t):
    held(t)
    # rmmod and modprobe look at the reference count first and do not even ask the kernel.
    for command in ("rmmod sekimori", "modprobe -r sekimori"):
        assert "in use" in t.run(command, check=False).err
    record = attempt(t, "rmmod -f sekimori", "unload", status=False)
    assert record["program"] == "rmmod", record
    # The system call itself (delete_module is number 176), with and without O_TRUNC.
    for flags in ("0", "04000", "01000"):
        attempt(t, f"perl -e 'my $name = \"sekimori\"; exit(syscall(176, $name, {flags}) != 0)'", "unload", status=False)
    assert t.exists("/sys/module/sekimori")
    t.unplug("a")
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="AFTER")
    since.wait("denied", serial="AFTER")
    since.assert_no_disk()


def test_reconfiguring_the_device_gives_new_interfaces_that_are_held(t):
    intf = held(t)
    name = intf.split(":")[0]
    since = Since(t)
    t.run(f"echo 0 > /sys/bus/usb/devices/{name}/authorized; echo 1 > /sys/bus/usb/devices/{name}/authorized")
    since.wait("denied")
    t.run(f"echo -1 > /sys/bus/usb/devices/{name}/bConfigurationValue; "
          f"echo 1 > /sys/bus/usb/devices/{name}/bConfigurationValue", check=False)
    t.wait_until(lambda: len(since.records("denied")) == 2, what="a second denial")
    assert poke(t, name, "reset") == "ok"
    time.sleep(0.5)
    assert driver(t, intf) == "" and t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "0"
    since.assert_no_disk()


def test_second_keeper_is_refused(t):
    ready(t)
    assert t.run(f"{TOOLS}/gatectl events", check=False).out.strip() == "EBUSY"
    second = t.run("/usr/sbin/sekimorid", check=False, timeout=10)
    assert second.status == 1 and "another sekimorid" in second.err, second


def test_storage_driver_on_a_harmless_interface_is_vetoed(t):
    """A keyboard's interface, unbound by root and offered to usb-storage by new_id."""
    ready(t)
    since = Since(t)
    t.plug("usb-kbd", "kbd")
    name = since.wait("passed")["device"]
    intf = f"{name}:1.0"
    t.wait_until(lambda: driver(t, intf) == "usbhid", what="usbhid")
    vetoes = counter(t, "vetoes")
    t.run(f"echo {intf} > /sys/bus/usb/drivers/usbhid/unbind")
    ids = t.read(f"/sys/bus/usb/devices/{name}/idVendor"), t.read(f"/sys/bus/usb/devices/{name}/idProduct")
    attempt(t, f"echo {ids[0]} {ids[1]} > /sys/bus/usb/drivers/usb-storage/new_id", "bind")
    assert driver(t, intf) != "usb-storage" and counter(t, "vetoes") > vetoes
    # From now on it is not harmless any more.
    since.wait("denied", device=name)
    t.run(f"echo {ids[0]} {ids[1]} > /sys/bus/usb/drivers/usb-storage/remove_id")
    t.unplug("kbd")
