# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that lie, stall, answer short or not at all, under the identity of a registered medium."""

import time

from barrier import (PLAYED, POLICY, SANITIZED, WAITING, Since, bring, check_daemon, ffs, ffs_all, ffs_stop, images, inspectors, medium,
                     options, ready, unplug_all)
from disks import Disks
from hostile import TABLE as CONTENTS
from hostile import Contents

DEADLINE = 8
AT_ONCE = 8
SERIALS = [f"PLAYED{i}" for i in range(AT_ONCE)]
LONG = {"test_contents_that_lie_are_refused_for_what_they_are", "test_each_step_may_end_in_silence",
        "test_each_step_of_the_protocol_may_break"}
OPTIONS = options(
    daemon=SANITIZED, setup=f"modprobe dummy_hcd num={AT_ONCE}; ",
    files={"/etc/sekimori/sekimorid.conf": f"terminal ZEI-014\ninspect-deadline {DEADLINE}\n"},
    policy=POLICY + "".join(medium(f"ZEI-{100 + i}", serial, ids=":".join(PLAYED))
                            for i, serial in enumerate(SERIALS)))


def teardown(t):
    unplug_all(t)
    check_daemon(t)
    assert t.run("pidof sekimorid", check=False).out.strip(), "the daemon has died"


def batches(cases):
    return [cases[i:i + AT_ONCE] for i in range(0, len(cases), AT_ONCE)]


def play(t, cases):
    """Plays all of [(mode and options, reasons)] at once; returns what is wrong."""
    since = Since(t)
    places = list(zip(cases, SERIALS))
    names = [f"played{i}" for i in range(len(cases))]
    ffs_all(t, [(name, serial, mode) for name, ((mode, _), serial) in zip(names, places)])
    wrong = []
    for (mode, reasons), serial in places:
        record = since.wait("denied", timeout=DEADLINE + 20, serial=serial)
        if record["reason"] not in reasons:
            wrong.append(f"{mode}: {record['reason']} ({record.get('detail')}), not {reasons}")
        if record["verdict_us"] > (DEADLINE + 5) * 1000000:
            wrong.append(f"{mode}: {record['verdict_us']} us")
    ffs_stop(t, *names)
    t.wait_until(lambda: len(since.records("removed")) == len(cases), 30, "all to be gone")
    since.assert_no_disk()
    return wrong


def play_all(t, cases):
    ready(t)
    wrong = []
    for batch in batches(cases):
        wrong += play(t, batch)
    assert not wrong, "\n".join(wrong)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("allowed", serial="GOOD")


def test_never_answering_device_is_denied_in_time_and_the_next_is_served_meanwhile(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    since.wait("held", serial="PLAYED")
    t.wait_until(lambda: inspectors(t), what="an inspector")
    t.plug_storage("a", images.luks2(), serial="GOOD")
    good = since.wait("allowed", serial="GOOD")
    bad = since.wait("denied", serial="PLAYED", timeout=DEADLINE + 10)
    assert bad["reason"] == "inspection-timeout", bad
    assert good["seq"] < bad["seq"], "the good one had to wait"
    assert bad["verdict_us"] < (DEADLINE + 2) * 1000000


def test_each_way_of_misbehaving_is_denied_with_a_reason(t):
    play_all(t, MODES)


def test_each_step_of_the_protocol_may_break(t):
    play_all(t, STEPS)


def test_each_step_may_end_in_silence(t):
    play_all(t, SILENT)


def test_contents_that_lie_are_refused_for_what_they_are(t):
    ready(t)
    with Disks() as disks:
        contents = Contents(disks)
        bring(t, [contents.make(name) for name, _ in CONTENTS])
    play_all(t, [(f"good --image /run/images/{name}.img", (reason,)) for name, reason in CONTENTS])


BROKEN = ("bad-answer", "cannot-inspect")
SLOW = ("inspection-timeout",)
ANY = BROKEN + SLOW

MODES = [
    ("stall-csw-twice", ANY),
    ("bad-tag", BROKEN),
    ("bad-signature", BROKEN),
    ("short-status", BROKEN),
    ("big-residue", BROKEN),
    ("long --at inquiry", BROKEN),
    ("long --at read", BROKEN),
    ("no-medium", ("no-medium",)),
    ("attention", ("bad-answer",)),
    ("changing", ("bad-answer",)),
    ("unreadable", ("bad-answer",)),
    ("senseless", ("bad-answer",)),
    ("good --last 0xffffffffffffffff", ("bad-answer",)),
    ("good --last 0xfffffffffffffffe", ("bad-answer",)),
    ("good --last 0x1ffffffffffff", ("not-encrypted",)),
    ("good --last 0", ("bad-answer",)),
    ("good --block-size 0", ("bad-answer",)),
    ("good --block-size 3", ("bad-answer",)),
    ("good --block-size 0x80000000", ("bad-answer",)),
    ("good --units 16", ("not-encrypted",)),
    ("good --units 255", ("bad-answer",)),
    ("more-units --units 255", ("bad-answer",)),
    ("no-medium --units 16", ("no-medium",)),
    ("zeroes", ("not-encrypted",)),
    ("good", ("not-encrypted",)),
    ("stall-csw", ("not-encrypted",)),
    ("phase-error --times 1", ("not-encrypted",)),
    ("zeroes --block-size 4096", ("not-encrypted",)),
]

WITH_DATA = [("inquiry", ""), ("capacity", ""), ("capacity16", " --last 0x1ffffffff"), ("read", "")]

# MODE SENSE is a question that many sticks do not answer: what it comes to is no reason by itself.
STEPS = [(f"{fault} --at {step}{more}", ("not-encrypted",) if step == "mode" else BROKEN)
         for fault in ("halt", "phase-error", "bad-tag")
         for step, more in WITH_DATA + [("ready", ""), ("mode", "")]]
# Half of READ CAPACITY (16) is all that is needed of it.
STEPS += [(f"{fault} --at {step}", ("bad-answer",))
          for fault in ("short", "stall-data") for step in ("inquiry", "capacity", "read")]

SILENT = [("stall-cbw", ANY), ("deaf", ANY), ("never-ready", SLOW), ("never-status --at ready", SLOW)]
SILENT += [(f"{fault} --at {step}{more}", SLOW)
           for fault in ("never-answer", "never-status") for step, more in WITH_DATA + [("mode", "")]]


def test_device_that_goes_away_in_the_middle_of_a_read_is_just_gone(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "die")
    since.wait("removed")
    assert not since.records("allowed")
    since.assert_no_disk()


def test_unplugged_during_inspection(t):
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    t.wait_until(lambda: inspectors(t), what="an inspector")
    ffs_stop(t, "played")
    since.wait("removed")
    t.wait_until(lambda: not inspectors(t), what="the inspector's end")
    assert not t.run("ps -e -o stat,comm | grep -E '^Z.*sekimori'", check=False).out, "zombie"
    since.assert_no_disk()
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("allowed", serial="GOOD")


def assert_shut_in(t, pid):
    """As nobody, without capabilities, behind seccomp, with nothing open but what it is there for."""
    status = dict(line.split(":\t", 1) for line in t.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split() == ["65534"] * 4 and status["Gid"].split() == ["65534"] * 4, status
    assert status["Groups"].strip() == ""
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, (name, status[name])
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    fds = t.run(f"ls -l /proc/{pid}/fd").out
    for line in fds.splitlines()[1:]:
        target = line.split(" -> ")[1]
        assert target.startswith(("/dev/null", "/dev/bus/usb/", "pipe:", "socket:", "anon_inode:", "/run/sekimorid.out")), fds


def test_inspector_runs_as_nobody_without_capabilities_behind_seccomp(t):
    ready(t)
    ffs(t, "played", "PLAYED", "never-answer")
    pid = t.wait_until(lambda: inspectors(t), what="an inspector")
    time.sleep(0.5)
    assert_shut_in(t, pid)
    limits = t.read(f"/proc/{pid}/limits")
    assert "Max file size             0 " in limits and "Max core file size        0 " in limits, limits


def test_inspector_that_waits_for_a_device_is_shut_in_already(t):
    ready(t)
    pid = t.wait_until(lambda: inspectors(t, WAITING), what="an inspector that waits")
    t.wait_until(lambda: "Seccomp:\t2" in t.read(f"/proc/{pid}/status"), what="its sandbox")
    assert_shut_in(t, pid)
    assert "/dev/bus/usb/" not in t.run(f"ls -l /proc/{pid}/fd").out
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("allowed", serial="GOOD")
    t.wait_until(lambda: not t.exists(f"/proc/{pid}"), what="its end: one device is all that it sees")
    again = t.wait_until(lambda: inspectors(t, WAITING), what="the next one")
    assert again != pid


def test_inspector_that_is_killed_while_it_waits_is_not_missed(t):
    ready(t)
    pid = t.wait_until(lambda: inspectors(t, WAITING), what="an inspector that waits")
    t.run(f"kill -9 {pid}")
    t.wait_until(lambda: not t.exists(f"/proc/{pid}"), what="its end")
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("allowed", serial="GOOD")
