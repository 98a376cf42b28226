# SPDX-License-Identifier: GPL-2.0-or-later
"""A drill as the service runs it: inside its sandbox, with what was plugged in at power-on, for who sits at the terminal."""

import os
import tempfile

from barrier import POLICY, Since, records
from sessions import SLOW, TANAKA, login, options, run_as, switch

LONG = True
SHARE = tempfile.mkdtemp(prefix="sekimori-mtp-")
with open(os.path.join(SHARE, "photo.jpg"), "wb") as f:
    f.write(b"\xff\xd8")

OPTIONS = options(policy=POLICY, files={"/etc/sekimori/sekimorid.conf": "terminal ZEI-014\nmode drill\n"},
                  qemu=["-device", f"usb-mtp,bus=xhci.0,rootdir={SHARE},id=phone"])
FLAG = "/run/sekimori/drill"


def node(t):
    name = t.find_usb("46f4:0004")
    bus, dev = (int(t.read(f"/sys/bus/usb/devices/{name}/{n}")) for n in ("busnum", "devnum"))
    return f"/dev/bus/usb/{bus:03}/{dev:03}"


def user_can_write(t):
    return run_as(t, TANAKA, f"test -w {node(t)}", check=False).status == 0


def test_phone_of_power_on_is_opened_to_the_user_by_rules_that_udev_applies_anew(t):
    t.wait_until(lambda: any(r["kind"] == "would-deny" and r["reason"] == "class-not-allowed" for r in records(t)), SLOW, "the phone's record")
    login(t, TANAKA, 1)
    switch(t, TANAKA)
    t.wait_until(lambda: user_can_write(t), SLOW, "the node of the user in front")
    assert "seccomp" not in t.dmesg() and "Operation not permitted" not in t.run("journalctl -u sekimorid -o cat --no-pager").out


def test_keeper_that_dies_takes_the_drill_of_udev_with_it_and_the_next_one_goes_on(t):
    t.run("mkdir -p /run/systemd/system/sekimorid.service.d")
    t.write("/run/systemd/system/sekimorid.service.d/slow.conf", "[Service]\nRestartSec=60\n")
    t.run("systemctl daemon-reload")
    assert t.exists(FLAG)
    t.run("systemctl kill -s KILL sekimorid")
    t.wait_until(lambda: not t.exists(FLAG), SLOW, "the end of the file that rules look for")
    since = Since(t)
    t.run("systemctl restart sekimorid", timeout=SLOW)
    assert since.wait("resumed", SLOW)["state"] == "would-deny"
    assert t.exists(FLAG) and not since.records("drill-begun")


def test_end_of_the_drill_closes_the_node_again(t):
    t.write("/etc/sekimori/sekimorid.conf", "terminal ZEI-014\n")
    since = Since(t)
    t.run("systemctl restart sekimorid", timeout=SLOW)
    assert since.wait("denied", SLOW)["reason"] == "class-not-allowed"
    t.wait_until(lambda: not user_can_write(t), SLOW, "the node that is root's alone")
    assert t.run(f"stat -c '%U:%G %a' {node(t)}").out.strip() == "root:root 600"
