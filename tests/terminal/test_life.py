# SPDX-License-Identifier: GPL-2.0-or-later
"""One medium's life, from the help desk's machine to a terminal and back: two virtual machines, one stick."""

import atexit
import json
import shutil

import helpdesk
from barrier import Since, check_daemon, daemon_pid, disks, options, ready, unplug_all
from disks import MIB
from helpdesk import HOLDER, desk, issue, opens, open_plain, plug
from terminal import Terminal

SERIAL, NUMBER = "LIFE-1", "R8-001"
BASE = ("policy aoba-terminals\nversion 1\nencryption luks2\ncipher aes-xts-plain64\nkdf argon2id\nmark required\n"
        "contact \"窓口\"\ndefault block\nallow encrypted luks2\n")
# The desk's first policy must be newer than what the terminal came with.
LONG = True
OPTIONS = options(policy=BASE.replace("version 1\n", ""))
PASSPHRASE = "/run/passphrase"

machines = []


def the_desk():
    """A help desk's machine that stays for all tests of this file."""
    if not machines:
        machine = Terminal(name="desk", **helpdesk.options())
        machine.__enter__()
        atexit.register(machine.__exit__, None, None, None)
        machines.append(machine)
        helpdesk.ready(machine)
        machine.write("/run/base.policy", BASE)
    return machines[0]


def teardown(t):
    unplug_all(t)
    check_daemon(t)
    if machines:
        helpdesk.teardown(machines[0])


def publish(d, t):
    """The desk's policy of now, signed, put in force on the terminal."""
    desk(d, "policy --base /run/base.policy --out /run/policy --sign policy-1", passphrases=helpdesk.KEYS)
    names = [n for n in d.ls("/run") if n.startswith("policy.") and n.endswith(".minisig")]
    t.run("mkdir -p /etc/sekimori/trust.d; rm -f /etc/sekimori/policy.*minisig")
    t.write("/etc/sekimori/trust.d/desk.trust", d.read_bytes(helpdesk.DESK + "/trust/sekimori-desk.trust"))
    for name in names:
        t.write("/etc/sekimori/" + name, d.read_bytes("/run/" + name))
    t.write("/etc/sekimori/policy", d.read_bytes("/run/policy"))
    t.run("chmod -R go-w /etc/sekimori; chown -R 0:0 /etc/sekimori")
    since = Since(t)
    t.run(f"kill -HUP {daemon_pid(t)}")
    record = since.wait("policy")
    assert record["signed"] and record["signers"] == ["Tanaka"], record


def open_here(t):
    """Opened by root, since nobody sits there; returns where it is mounted."""
    t.write(PASSPHRASE, HOLDER)
    opened, = json.loads(t.run(f"sekimorictl open --json --passphrase-file {PASSPHRASE}", timeout=120).out)
    return opened["mount_point"]


def mappings(t):
    return [name for name in t.ls("/dev/mapper") if name != "control"]


def plug_in(t, image, serial=SERIAL):
    since = Since(t)
    t.plug_storage("stick", image, serial=serial)
    return since


def refused(t, image, reason, serial=SERIAL):
    since = plug_in(t, image, serial)
    record = since.wait("denied")
    assert record["reason"] == reason, record
    assert not disks(t)
    t.unplug("stick")
    since.wait("removed")


def test_from_issue_to_disposal(t):
    ready(t)
    d = the_desk()
    stick = helpdesk.DISKS.blank("life", 64 * MIB)
    issued = issue(d, plug(d, "stick", stick, SERIAL), f"--number {NUMBER} --content zeimu")
    assert issued["number"] == NUMBER, issued
    d.unplug("stick")
    clone = stick + ".clone"
    shutil.copyfile(stick, clone)
    publish(d, t)

    # Proved, and used.
    since = plug_in(t, stick)
    record = since.wait("allowed")
    assert (record["reason"], record["medium"], record["method"]) == ("proved", NUMBER, "luks2"), record
    mount = open_here(t)
    assert since.records("volume-opened"), since.records()
    flags = next(line for line in t.read("/proc/mounts").splitlines() if f" {mount} " in line).split()[3].split(",")
    assert {"nosuid", "nodev", "noexec", "rw"} <= set(flags), flags
    t.run(f"echo 住民票 > '{mount}/kept' && sync")
    t.run("sekimorictl eject")
    assert not mappings(t) and mount not in t.read("/proc/mounts")
    since.wait("volume-closed")
    t.unplug("stick")
    since.wait("removed")

    # What was written is there for plain cryptsetup and mount.
    node = plug(d, "stick", stick, SERIAL)
    assert open_plain(d, node, HOLDER, "cat kept").strip() == "住民票"
    d.unplug("stick")

    # The same stick for reading only.
    desk(d, f"change {NUMBER} --access ro --why archive")
    publish(d, t)
    since = plug_in(t, stick)
    assert since.wait("allowed")["access"] == "ro"
    mount = open_here(t)
    assert t.run(f"cat '{mount}/kept'").out.strip() == "住民票"
    mapping, = mappings(t)
    assert t.run(f"touch '{mount}/more'", check=False).status != 0
    for target in (f"/dev/mapper/{mapping}", "/dev/" + disks(t)[0]):
        assert t.run(f"dd if=/dev/zero of={target} bs=4096 count=1 oflag=direct", check=False).status != 0, target
    t.run("sekimorictl eject")
    t.unplug("stick")
    since.wait("removed")

    # A copy of it, header and all, on another stick.
    refused(t, clone, "mark-other-device", serial="LIFE-2")

    # Lost: refused everywhere after the next policy, whatever device it is in.
    desk(d, f"lost {NUMBER} --why 'not in the drawer'")
    publish(d, t)
    refused(t, stick, "medium-lost")
    refused(t, clone, "medium-lost", serial="LIFE-2")

    # Found, wiped, disposed of: nothing opens it any more.
    desk(d, f"found {NUMBER} --why 'under the desk'")
    node = plug(d, "stick", stick, SERIAL)
    certificate = desk(d, f"wipe {node} --yes --why 'form 3'").out
    assert NUMBER in certificate and SERIAL in certificate, certificate
    assert not opens(d, node, HOLDER)
    d.unplug("stick")
    desk(d, f"dispose {NUMBER} --why 'destroyed'")
    publish(d, t)
    since = plug_in(t, stick)
    assert since.wait("denied")["reason"] in ("medium-disposed", "not-encrypted")
    history = desk(d, f"history {NUMBER} --json").out
    for kind in ("issued", "lost", "found", "wiped", "disposed"):
        assert f'"{kind}"' in history, history


def test_right_that_ends_closes_what_is_open(t):
    """Lost while it is in use: closed, taken back, and nothing is left behind."""
    ready(t)
    d = the_desk()
    stick = helpdesk.DISKS.blank("used", 64 * MIB)
    issued = issue(d, plug(d, "stick", stick, "USED-1"), "--content zeimu")
    d.unplug("stick")
    publish(d, t)
    since = plug_in(t, stick, "USED-1")
    since.wait("allowed")
    mount = open_here(t)
    busy = t.start(f"sleep 1000 > '{mount}/busy'")
    desk(d, f"lost {issued['number']} --why 'reported by telephone'")
    publish(d, t)
    since.wait("revoked")
    t.wait_until(lambda: not disks(t), what="the disk gone")
    t.wait_until(lambda: mount not in t.read("/proc/mounts"), what="no mount")
    # Who holds a file of it holds nothing but errors, and the mapping goes with him.
    t.wait_until(lambda: "crypt" not in t.run("dmsetup table").out, what="a mapping that gives nothing")
    t.run(f"kill {busy}", check=False)
    t.wait_until(lambda: not mappings(t), what="no mapping")
    assert since.wait("denied")["reason"] == "medium-lost"
