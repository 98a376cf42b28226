# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal after the README's quick start, with nothing else done to it: what is promised there is so."""

import json
import os
import re
import subprocess

from ground import GROUPS, LOG, Since, failed_checks, no_disk, plug_held, ready, unplug_all
from machine import HERE

OPTIONS = {"qemu": ["-device", "usb-kbd,id=keyboard,bus=xhci.0"]}
# Of these nothing may be wrong after the installation; the others depend on what the help desk has still to do (policy, keys,
# name) and on the machine (clock, firmware).
SOUND = ("module-loaded", "module-locked", "module-ours", "module-at-boot", "initramfs", "udev-rules", "usb-hosts", "usb-persist",
         "daemon", "daemon-backend", "daemon-at-boot", "policy-state", "policy-file", "exceptions-store", "exceptions-roles",
         "exceptions-logins", "manifest", "overrides", "directories", "timer", "polkit", "log-state", "log-verifies",
         "log-directory", "automounters", "usbguard", "command-line")
EXPOSURE = 2.0  # of systemd-analyze security, at most


def teardown(t):
    unplug_all(t)


def test_readme_lines_leave_a_guarded_terminal(t):
    ready(t)
    state = t.run("systemctl is-system-running --wait", check=False).out.strip()
    assert state == "running", (state, t.run("systemctl --failed --no-legend").out)
    after = subprocess.run([os.path.join(HERE, "quick-start.py"), "after"], check=True, capture_output=True, text=True).stdout
    assert "sekimorictl status" in after and "sekimorictl doctor" in after, after
    for line in after.splitlines():
        done = t.run(line, check=False, timeout=120)
        assert done.status == 0, f"{line}: {done!r}"
    for unit in ("sekimorid.service", "sekimori-doctor.timer"):
        assert t.run(f"systemctl is-active {unit}; systemctl is-enabled {unit}").out.split() == ["active", "enabled"], unit
    assert t.read("/sys/module/sekimori/initstate") == "live"
    assert t.read("/sys/module/sekimori/parameters/lock") == "Y"
    assert "updates/dkms" in t.run("modinfo -n sekimori").out, "DKMS has built it"
    assert "DKMS module signing key" in t.run("modinfo -F signer sekimori").out, "and signed it with the machine's own key"
    for group in GROUPS:
        t.run(f"getent group {group}")
    assert t.run("cmp /etc/sekimori/policy /usr/share/sekimori/terminal.policy", check=False).status == 0
    assert t.run("stat -c '%U %a' /var/lib/sekimori /var/log/sekimori").out.split() == ["root", "755", "root", "750"]


def test_doctor_finds_nothing_wrong(t):
    ready(t)
    items = {i["id"]: i for i in json.loads(t.run("sekimorictl doctor --json", check=False, timeout=120).out)}
    wrong = [items[id] for id in SOUND if items[id]["result"] != "ok"]
    assert not wrong, wrong
    failed, _ = failed_checks(t)
    assert not failed, failed


def test_keyboard_that_was_plugged_in_at_power_on_types(t):
    handlers = re.search(r'Name="QEMU QEMU USB Keyboard".*?Handlers=([^\n]*)', t.read("/proc/bus/input/devices"), re.S)
    assert handlers, t.read("/proc/bus/input/devices")
    event = re.search(r"event\d+", handlers.group(1)).group(0)
    pid = t.start(f"head -c 24 /dev/input/{event}", "/run/typed")
    t.wait_until(lambda: event in t.run(f"ls -l /proc/{pid}/fd", check=False).out, what="a reader")
    t.keys("a")
    t.wait_until(lambda: t.run(f"kill -0 {pid}", check=False).status != 0, what="a key")
    assert len(t.read_bytes("/run/typed")) == 24


def test_unknown_stick_is_denied_and_the_log_says_so(t):
    ready(t)
    since = Since(t)
    plug_held(t)
    denied = since.wait("denied", serial="NOBODY")
    assert denied["reason"] == "not-registered", denied
    since.assert_no_disk()
    no_disk(t)
    shown = t.run("sekimorictl log show --since today").out
    assert "A device was refused." in shown and "This medium is not registered." in shown, shown
    assert t.run("sekimorictl log verify", check=False).status == 0
    assert t.run(f"stat -c '%U %a' {LOG}").out.split() == ["root", "640"]


def test_units_are_shut_in(t):
    ready(t)
    for unit in ("sekimorid.service", "sekimori-doctor.service"):
        said = t.run(f"systemd-analyze security --no-pager {unit}", check=False, timeout=60).out
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said).group(1))
        print(f"      exposure of {unit}: {exposure}")
        assert exposure <= EXPOSURE, said
