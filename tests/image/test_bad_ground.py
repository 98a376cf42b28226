# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal on which something is missing or broken at the start: the barrier is down all the same, and what is missing is said.

Each test has a machine of its own. The one that the runner boots for a file is the whole terminal.
"""

import os

from barrier import records
from ground import CONFIGURED, SLOW, Since, failed_checks, images, no_disk, plug_held, ready, unplug_all
from machine import BUILD, Machine

OPTIONS = {"files": CONFIGURED, "links": {"/etc/systemd/system/polkit.service": "/dev/null"}}


def teardown(t):
    unplug_all(t)


def machine(name, **options):
    files = {**CONFIGURED, **options.pop("files", {})}
    return Machine(name=f"ground-{name}", files=files, **options)


def journal(t):
    return t.run("journalctl --no-pager -q -o cat -u sekimorid", check=False).out


def test_without_polkit_the_barrier_is_down_and_the_doctor_says_so(t):
    ready(t)
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")
    failed, warned = failed_checks(t)
    assert "polkit" in {**failed, **warned}, (failed, warned)


def test_without_a_module_the_second_layer_holds_and_the_doctor_is_loud(t):
    """DKMS could not build it (no headers), and the initrd knows nothing of us."""
    # What the modules' index names is not there.
    hide = "mkdir -p /run/none; for d in /lib/modules/*/updates; do mount --bind /run/none $d; done"
    with machine("module", setup=hide, initrd=os.path.join(BUILD, "image/plain/initrd.img"),
                 failing={"systemd-modules-load.service"}) as m:
        ready(m)
        assert not m.exists("/sys/module/sekimori")
        since = Since(m)
        name = plug_held(m)
        since.wait("denied", SLOW, serial="NOBODY")
        assert m.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0"
        failed, _ = failed_checks(m)
        assert "module-loaded" in failed, failed
        assert m.run("sekimorictl status", check=False).out.strip(), "it says something"
        m.check_kernel()


def test_with_a_full_var_nothing_is_let_in(t):
    full = "mount -t tmpfs -o size=16k,mode=750 full /var/log/sekimori; cat /dev/zero > /var/log/sekimori/filler 2> /dev/null"
    with machine("full", setup=full) as m:
        ready(m)
        plug_held(m)
        m.unplug("held")
        m.plug_storage("good", images.luks2(), serial="GOOD")
        m.run("sleep 20")
        no_disk(m)
        failed, warned = failed_checks(m)
        assert "log-state" in failed and "log-space" in failed, (failed, warned)
        assert m.run("sekimorictl status", check=False).status == 1
        # With room again, all is as it should be.
        m.run("rm /var/log/sekimori/filler; mount -o remount,size=16m /var/log/sekimori")
        m.unplug("good")
        m.plug_storage("good", images.luks2(), serial="GOOD")
        m.wait_until(lambda: any(r["kind"] == "released" for r in records(m)), SLOW, "a released medium")


def test_with_a_read_only_etc_the_barrier_is_down(t):
    with machine("etc", setup="mount --bind /etc /etc; mount -o remount,bind,ro /etc") as m:
        ready(m)
        assert m.run("touch /etc/x", check=False).status != 0
        since = Since(m)
        plug_held(m)
        since.wait("denied", SLOW, serial="NOBODY")
        since.assert_no_disk()
        m.check_kernel()


def test_in_1970_nothing_is_let_in_that_has_an_end_and_the_doctor_names_the_clock(t):
    with machine("clock", qemu=["-rtc", "base=1970-01-02T00:00:00"], setup="date -s @100000 > /dev/null") as m:
        ready(m)
        assert m.run("date +%Y").out.strip() == "1970"
        since = Since(m)
        plug_held(m)
        denied = since.wait("denied", SLOW, serial="NOBODY")
        assert denied["reason"] == "not-registered", denied
        failed, warned = failed_checks(m)
        assert "clock-sane" in failed or "clock-sane" in warned, (failed, warned)


def test_without_d_bus_the_daemon_holds_and_records(t):
    """It works without the bus; nobody can ask it anything."""
    links = {f"/etc/systemd/system/{unit}": "/dev/null" for unit in ("dbus.service", "dbus.socket")}
    with machine("bus", links=links, failing={"systemd-logind.service", "polkit.service", "udisks2.service"}) as m:
        since = Since(m)
        plug_held(m)
        since.wait("denied", SLOW, serial="NOBODY")
        assert m.run("systemctl is-active sekimorid").out.strip() == "active"
        failed, warned = failed_checks(m)
        assert "daemon" in failed, (failed, warned)
        assert "bus" in journal(m).lower(), journal(m)


LONG = {"test_with_a_full_var_nothing_is_let_in", "test_with_a_read_only_etc_the_barrier_is_down",
        "test_in_1970_nothing_is_let_in_that_has_an_end_and_the_doctor_names_the_clock",
        "test_without_d_bus_the_daemon_holds_and_records"}
