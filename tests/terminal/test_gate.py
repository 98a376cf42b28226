# SPDX-License-Identifier: GPL-2.0-or-later
"""The module by itself, with no daemon: /dev/sekimori, parameters, interfaces bound before it."""

import re
import time

from barrier import TOOLS, Since, counter, disks, driver, images, module_path, options, poke, unplug_all

OPTIONS = options(module=False, daemon="", setup="modprobe -a usb_storage uas xhci_pci usbhid;")
MODULE = module_path().rsplit("/stage", 1)[-1]


def load(t, params="lock=0"):
    t.run(f"insmod {MODULE} {params}")


def teardown(t):
    t.run("pkill -f gatectl", check=False)
    unplug_all(t)
    if t.exists("/sys/module/sekimori"):
        t.run("rmmod sekimori")
    # The second layer goes out of the way, so that the module is seen alone.
    t.run("for h in /sys/bus/usb/devices/usb*; do echo 1 > $h/interface_authorized_default; done")


def setup(t, params="lock=0"):
    teardown(t)
    load(t, params)


def gatectl(t, arguments):
    return t.run(f"{TOOLS}/gatectl {arguments}", check=False, timeout=20).out


def plug_held(t, id="a", image=None, serial="X"):
    """Plugs a stick; returns (interface, cookie)."""
    held = counter(t, "held")
    t.plug_storage(id, image or images.luks2(), serial=serial)
    t.wait_until(lambda: counter(t, "held") > held, what="held")
    events = [line for line in gatectl(t, "events").splitlines() if "class=08" in line and "kind=1 " in line]
    found = re.search(r"cookie=(\d+).*name=(\S+)", events[-1])
    return found.group(2), int(found.group(1))


INSPECT, RELEASE, HOLD, REVOKE = 1, 2, 3, 4
STORAGE = 1


def test_garbage_is_refused_and_changes_nothing(t):
    setup(t)
    intf, cookie = plug_held(t)
    before = counter(t, "verdicts")
    assert gatectl(t, "garbage").strip() == "taken 0"
    assert counter(t, "verdicts") == before and counter(t, "bad_verdicts") > 20000
    assert f"cookie={cookie} state=2" in gatectl(t, "events")
    assert driver(t, intf) == "" and not disks(t)
    short = t.run("dd if=/dev/sekimori of=/dev/null bs=100 count=1", check=False)
    assert "Invalid argument" in short.err, short


def test_verdicts_are_refused_for_cookies_that_are_gone_or_never_were(t):
    setup(t)
    _, cookie = plug_held(t)
    t.unplug("a")
    assert gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}").startswith("ESTALE")
    intf, again = plug_held(t)
    assert again > cookie
    assert gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}").startswith("ESTALE")
    assert gatectl(t, f"verdict {RELEASE} {again + 1000} {STORAGE}").startswith("EINVAL")
    assert gatectl(t, f"verdict {REVOKE} {again}").startswith("EBUSY")
    assert driver(t, intf) == "" and not disks(t)


def test_release_and_revoke(t):
    setup(t)
    intf, cookie = plug_held(t)
    assert gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}").startswith("ok")
    t.wait_until(lambda: disks(t), what="the disk")
    assert driver(t, intf) == "usb-storage"
    assert gatectl(t, f"verdict {REVOKE} {cookie}").startswith("ok")
    t.wait_until(lambda: not disks(t), what="no disk")
    assert driver(t, intf) == "" and t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "0"
    assert gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}").startswith("ok")
    t.wait_until(lambda: disks(t), what="the disk again")


def test_revoke_during_writes(t):
    setup(t)
    _, cookie = plug_held(t, image=images.get("scratch", lambda d: d.blank("scratch")))
    gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    t.start(f"dd if=/dev/zero of=/dev/{disk} bs=64k oflag=direct")
    time.sleep(0.5)
    assert gatectl(t, f"verdict {REVOKE} {cookie}").startswith("ok")
    t.wait_until(lambda: not disks(t), what="no disk")
    t.wait_until(lambda: not t.run("pidof dd", check=False).out.strip(), what="the writer's end")


def test_released_without_storage_gets_no_storage_driver(t):
    setup(t)
    intf, cookie = plug_held(t)
    out = gatectl(t, f"verdict {RELEASE} {cookie} 0")
    assert out.startswith("ok") and "state=4" in out
    assert driver(t, intf) == "" and not disks(t)
    assert poke(t, intf.split(":")[0], "claim 0") == "ok"


def test_inspected_interface_is_for_usbfs_only_and_held_when_the_keeper_dies(t):
    setup(t)
    intf, cookie = plug_held(t)
    since = Since(t)
    t.start(f"sh -c '{TOOLS}/gatectl verdict {INSPECT} {cookie}; true'", "/run/inspect.out")
    t.wait_until(lambda: t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "1", what="inspect")
    t.run(f"echo {intf} > /sys/bus/usb/drivers_probe", check=False)
    assert driver(t, intf) == ""
    # gatectl closes after half a second.
    t.wait_until(lambda: t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "0", what="held again")
    assert poke(t, intf.split(":")[0], "claim 0") == "ENODEV"
    gatectl(t, f"inspect-and-die {cookie}")
    t.wait_until(lambda: t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "0", what="held after the death")
    assert f"cookie={cookie} state=2" in gatectl(t, "events")
    since.assert_no_disk()


def test_one_opener(t):
    setup(t)
    t.start(f"{TOOLS}/gatectl hold-open 5")
    t.wait_until(lambda: t.read("/sys/class/misc/sekimori/keeper") != "0", what="the keeper")
    assert gatectl(t, "events").strip() == "EBUSY"
    t.run("pkill -KILL gatectl")
    t.wait_until(lambda: t.read("/sys/class/misc/sekimori/keeper") == "0", what="no keeper")
    assert "kind=2 " in gatectl(t, "events"), "a snapshot ends with SYNC"
    assert t.run(f"setpriv --reuid 0 --bounding-set -sys_admin --inh-caps -sys_admin {TOOLS}/gatectl events",
                 check=False).out.strip() == "EPERM"


def test_harmless_list_is_tightened_and_locked(t):
    setup(t, "lock=0")
    assert t.read("/sys/class/misc/sekimori/harmless") == "03,09,0b"
    assert gatectl(t, "harmless 03,09,0b,0e").startswith("ok")
    assert gatectl(t, "harmless 03,09").startswith("ok")
    assert t.read("/sys/class/misc/sekimori/harmless") == "03,09"
    held = counter(t, "held")
    t.plug("usb-ccid", "ccid")
    t.wait_until(lambda: counter(t, "held") > held, what="the reader held")
    t.unplug("ccid")


def test_parameters_that_make_no_sense_are_refused(t):
    teardown(t)
    for params in ("harmless=3", "harmless=zz", "harmless=03,,09", "present=maybe", "on_close=x", "lock=7"):
        assert t.run(f"insmod {MODULE} {params}", check=False).status != 0, params
    load(t, "lock=0 harmless=09")
    held = counter(t, "held")
    t.plug("usb-kbd", "kbd")
    t.wait_until(lambda: counter(t, "held") > held, what="the keyboard held")
    t.unplug("kbd")


def test_bound_before_load_is_kept_and_reported_or_unbound(t):
    teardown(t)
    t.plug_storage("a", images.plain(), serial="EARLY")
    disk = t.wait_until(lambda: disks(t), what="the early disk")[0]
    load(t)
    assert disks(t) == [disk]
    line = next(line for line in gatectl(t, "events").splitlines() if "class=08" in line and "kind=1 " in line)
    assert "state=5" in line, line
    assert "was bound to usb-storage before the gate" in t.dmesg()
    cookie = re.search(r"cookie=(\d+)", line).group(1)
    # udev has it open for a moment, and what is open is not pulled.
    t.wait_until(lambda: gatectl(t, f"verdict {REVOKE} {cookie}").startswith("ok"), what="nobody to have it open")
    t.wait_until(lambda: not disks(t), what="revoked")

    t.run("rmmod sekimori")
    t.unplug("a")
    t.run("for h in /sys/bus/usb/devices/usb*; do echo 1 > $h/interface_authorized_default; done")
    t.plug_storage("a", images.plain(), serial="EARLY")
    t.wait_until(lambda: disks(t), what="the early disk")
    t.settle()
    load(t, "lock=0 present=unbind")
    t.wait_until(lambda: not disks(t), what="unbound")


def test_disk_in_use_is_never_pulled(t):
    """As the root disk would be: mounted before the module came."""
    teardown(t)
    image = images.get("ext4", lambda d: d.ext4("ext4"))
    t.plug_storage("a", image, serial="ROOT")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    t.run(f"mkdir -p /mnt/root && mount /dev/{disk} /mnt/root")
    load(t, "lock=0 present=unbind")
    line = next(line for line in gatectl(t, "events").splitlines() if "class=08" in line and "kind=1 " in line)
    assert "state=5" in line and int(re.search(r"flags=(\d+)", line).group(1)) & 2, line
    cookie = re.search(r"cookie=(\d+)", line).group(1)
    assert gatectl(t, f"verdict {REVOKE} {cookie}").startswith("EBUSY")
    t.run("echo still here > /mnt/root/file && sync -f /mnt/root && umount /mnt/root")
    assert disks(t) == [disk]
    t.wait_until(lambda: gatectl(t, f"verdict {REVOKE} {cookie}").startswith("ok"), what="free to go")


def test_reset_keeps_a_released_device_released_and_a_held_one_held(t):
    setup(t)
    intf, cookie = plug_held(t)
    name = intf.split(":")[0]
    assert poke(t, name, "reset") == "ok"
    assert driver(t, intf) == "" and f"cookie={cookie} state=2" in gatectl(t, "events")
    gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    poke(t, name, "reset")
    time.sleep(1)
    assert f"cookie={cookie} state=4" in gatectl(t, "events")
    assert driver(t, intf) == "usb-storage"
    t.run(f"dd if=/dev/{disk} of=/dev/null bs=4k count=1 iflag=direct")


def test_on_close_revoke(t):
    setup(t, "lock=0 on_close=revoke")
    _, cookie = plug_held(t)
    gatectl(t, f"verdict {RELEASE} {cookie} {STORAGE}")
    t.wait_until(lambda: f"cookie={cookie} state=2" in gatectl(t, "events"), what="held again")
    t.wait_until(lambda: not disks(t), what="no disk")


def test_removal_of_the_unlocked_module_opens_nothing(t):
    setup(t)
    intf, _ = plug_held(t)
    t.run("rmmod sekimori")
    t.run(f"echo {intf} > /sys/bus/usb/drivers_probe", check=False)
    assert driver(t, intf) == "" and not disks(t)
    # The kernel's own file is back in its place.
    t.run(f"echo 1 > /sys/bus/usb/devices/{intf}/authorized")
    assert t.read(f"/sys/bus/usb/devices/{intf}/authorized") == "1"


def test_many_events_without_a_reader_are_counted_and_a_snapshot_follows(t):
    setup(t)
    intf, cookie = plug_held(t)
    t.run(f"for i in $(seq 600); do echo 1 > /sys/bus/usb/devices/{intf}/authorized; done 2>/dev/null", check=False,
          timeout=60)
    assert counter(t, "events_lost") > 0
    out = gatectl(t, "events")
    assert "kind=8 " in out, "overflow is told"
    assert f"cookie={cookie} state=2" in out.split("kind=8 ")[1], "a snapshot after it"


def test_forced_removal_of_the_locked_module_is_refused(t):
    teardown(t)
    t.run(f"insmod {MODULE} lock=1")
    assert gatectl(t, "harmless 03,09,0b,0e").startswith("EPERM")
    assert gatectl(t, "harmless 03,09").startswith("ok")
    # With the witness switched off, force reaches the module's own last word.
    t.run("echo 0 > /sys/kernel/debug/kprobes/enabled")
    t.start("rmmod -f sekimori")
    t.wait_until(lambda: "forced removal of the locked module" in t.dmesg(), what="the refusal")
    t.run("echo 1 > /sys/kernel/debug/kprobes/enabled")
    intf, _ = plug_held(t)
    assert driver(t, intf) == "" and not disks(t)
    assert t.read("/sys/module/sekimori/initstate") == "live"


FRESH = {"test_forced_removal_of_the_locked_module_is_refused"}
_teardown = teardown


def teardown(t):  # noqa: F811  (a locked module stays)
    if t.exists("/sys/module/sekimori") and t.read("/sys/module/sekimori/parameters/lock") == "Y":
        return
    _teardown(t)
