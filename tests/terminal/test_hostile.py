# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that lie, stall, answer short or not at all, under the identity of a registered medium."""

import time

from barrier import SANITIZED, Since, check_daemon, ffs, ffs_stop, images, options, ready, unplug_all

DEADLINE = 3
OPTIONS = options(daemon=SANITIZED, files={"/etc/sekimori/sekimorid.conf": f"terminal ZEI-014\ninspect-deadline {DEADLINE}\n"})


def teardown(t):
    unplug_all(t)
    check_daemon(t)
    assert t.run("pidof sekimorid", check=False).out.strip(), "the daemon has died"


def played(t, mode, *reasons):
    ready(t)
    since = Since(t)
    start = time.monotonic()
    ffs(t, "played", "PLAYED", mode)
    record = since.wait("denied", timeout=DEADLINE + 10)
    assert record["reason"] in reasons, record
    assert record["verdict_us"] < (DEADLINE + 2) * 1000000, record
    assert time.monotonic() - start < DEADLINE + 12
    assert t.run("pidof sekimorid").status == 0
    ffs_stop(t, "played")
    since.wait("removed")
    since.assert_no_disk()
    return record


def test_never_answering_device_is_denied_in_time_and_the_next_is_served_meanwhile(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    since.wait("held", serial="PLAYED")
    t.wait_until(lambda: t.run("pidof sekimori-inspect", check=False).out.strip(), what="an inspector")
    t.plug_storage("a", images.luks2(), serial="GOOD")
    good = since.wait("allowed", serial="GOOD")
    bad = since.wait("denied", serial="PLAYED", timeout=DEADLINE + 10)
    assert bad["reason"] == "inspection-timeout", bad
    assert good["seq"] < bad["seq"], "the good one had to wait"
    assert bad["verdict_us"] < (DEADLINE + 2) * 1000000


def test_each_way_of_misbehaving_is_denied_with_a_reason(t):
    for mode, reasons in MODES:
        try:
            played(t, mode, *reasons)
        except AssertionError as e:
            raise AssertionError(f"mode {mode}: {e}") from e


MODES = [
    ("stall-cbw", ("cannot-inspect", "bad-answer", "inspection-timeout")),
    ("stall-data", ("cannot-inspect", "bad-answer", "inspection-timeout")),
    ("stall-csw-twice", ("cannot-inspect", "bad-answer", "inspection-timeout")),
    ("short-inquiry", ("bad-answer",)),
    ("short-capacity", ("bad-answer",)),
    ("bad-tag", ("bad-answer", "cannot-inspect")),
    ("bad-signature", ("bad-answer", "cannot-inspect")),
    ("phase-error", ("bad-answer", "cannot-inspect")),
    ("capacity-huge", ("bad-answer", "not-encrypted")),
    ("lying-luks", ("header-damaged",)),
    ("never-status", ("inspection-timeout",)),
    ("short-read", ("bad-answer",)),
    ("big-residue", ("bad-answer",)),
    ("many-units", ("multiple-units",)),
    ("no-medium", ("no-medium",)),
    ("good", ("not-encrypted",)),
]


def test_device_that_goes_away_in_the_middle_of_a_read_is_just_gone(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "die-mid-read")
    since.wait("removed")
    assert not since.records("allowed")
    since.assert_no_disk()


def test_unplugged_during_inspection(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    t.wait_until(lambda: t.run("pidof sekimori-inspect", check=False).out.strip(), what="an inspector")
    ffs_stop(t, "played")
    since.wait("removed")
    t.wait_until(lambda: not t.run("pidof sekimori-inspect", check=False).out.strip(), what="the inspector's end")
    assert not t.run("ps -e -o stat,comm | grep -E '^Z.*sekimori'", check=False).out, "zombie"
    since.assert_no_disk()
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("allowed", serial="GOOD")


def test_inspector_runs_as_nobody_without_capabilities_behind_seccomp(t):
    ready(t)
    ffs(t, "played", "PLAYED", "never-answer")
    pid = t.wait_until(lambda: t.run("pidof sekimori-inspect", check=False).out.strip(), what="an inspector")
    time.sleep(0.5)
    status = dict(line.split(":\t", 1) for line in t.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["65534"] * 4 and status["Gid"].split() == ["65534"] * 4, status
    assert status["Groups"].strip() == ""
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, (name, status[name])
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    fds = t.run(f"ls -l /proc/{pid}/fd").out
    for line in fds.splitlines()[1:]:
        target = line.split(" -> ")[1]
        assert target.startswith(("/dev/null", "/dev/bus/usb/", "pipe:", "anon_inode:", "/run/sekimorid.out")), fds
    limits = t.read(f"/proc/{pid}/limits")
    assert "Max file size             0 " in limits and "Max core file size        0 " in limits, limits
