# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed before, during and after an inspection; its files are spoilt; the log is full."""

import time

from barrier import (LOG, TOOLS, Bus, Since, counter, daemon_pid, disks, driver, ffs, images, inspectors, options, ready, records,
                     start_daemon, unplug_all)

LONG = {"test_bad_policy_at_a_start_leaves_the_accepted_one_in_force",
        "test_killed_during_inspection_the_interface_is_held_again"}

OPTIONS = options()


def kill(t):
    t.run("pkill -KILL -x sekimorid; for i in $(seq 100); do pidof sekimorid > /dev/null || exit 0; sleep 0.02; done; exit 1")


def ensure(t):
    if not daemon_pid(t):
        start_daemon(t)
    ready(t)


def teardown(t):
    unplug_all(t)
    t.run("umount -l /var/log/sekimori 2>/dev/null; true")
    ensure(t)


def test_killed_before_nothing_gets_through_and_the_next_start_resumes(t):
    ensure(t)
    kill(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="NOBODY")
    t.plug_storage("b", images.luks2(), serial="GOOD")
    time.sleep(2)
    since.assert_no_disk()
    assert not since.records()
    start_daemon(t)
    since.wait("denied", serial="NOBODY")
    since.wait("allowed", serial="GOOD")
    t.wait_until(lambda: disks(t), what="the disk")


def test_killed_during_inspection_the_interface_is_held_again(t):
    ensure(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    t.wait_until(lambda: inspectors(t), what="an inspector")
    name = since.wait("held")["device"]
    assert t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "1"
    kill(t)
    t.wait_until(lambda: not inspectors(t), what="the inspector's end")
    t.wait_until(lambda: t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0", what="held again")
    assert driver(t, f"{name}:1.0") == ""
    t.run(f"echo {name}:1.0 > /sys/bus/usb/drivers_probe", check=False)
    since.assert_no_disk()
    start_daemon(t)
    record = since.wait("denied", timeout=30)
    assert record["reason"] == "inspection-timeout", record
    # What root tried while nobody was there has been kept by the gate.
    assert since.records("refused", attempt="bind"), since.records()


def test_killed_after_release_the_medium_stays_and_is_known_again(t):
    ensure(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    kill(t)
    time.sleep(0.5)
    assert disks(t) == [disk]
    start_daemon(t)
    resumed = since.wait("resumed")
    assert resumed["medium"] == "ZEI-001"
    assert disks(t) == [disk] and len(since.records("allowed")) == 1


def test_release_by_somebody_else_is_revoked_and_judged(t):
    """With the daemon dead, root speaks to the gate himself."""
    ensure(t)
    kill(t)
    since = Since(t)
    held = counter(t, "held")
    t.plug_storage("a", images.plain(), serial="NOBODY")
    t.wait_until(lambda: counter(t, "held") > held, what="held")
    events = t.run(f"{TOOLS}/gatectl events").out
    cookie = [line for line in events.splitlines() if "class=08" in line][-1].split("cookie=")[1].split()[0]
    t.run(f"{TOOLS}/gatectl verdict 2 {cookie} 1")
    t.wait_until(lambda: disks(t), what="root's disk")
    start_daemon(t)
    since.wait("revoked")
    since.wait("denied", serial="NOBODY")
    t.wait_until(lambda: not disks(t), what="no disk")
    assert since.records("keeper-before")[-1]["program"] == "gatectl", "who else spoke to the gate"


def test_policy_that_no_longer_knows_the_medium_ends_its_release_at_the_next_start(t):
    ensure(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    t.wait_until(lambda: disks(t), what="the disk")
    kill(t)
    policy = t.read("/etc/sekimori/policy")
    try:
        t.write("/etc/sekimori/policy",
                policy.replace('serial "GOOD"', 'serial "BAD"').replace("version 1", "version 2"))
        start_daemon(t)
        since.wait("denied", reason="not-registered")
        t.wait_until(lambda: not disks(t), what="no disk")
    finally:
        t.write("/etc/sekimori/policy", policy)
        start_without_history(t)


def test_killed_at_any_moment_of_an_attach_nothing_unproved_gets_through(t):
    ensure(t)
    for step in range(8):
        since = Since(t)
        t.plug_storage("a", images.plain(), serial="PLAIN")
        time.sleep(0.06 * step)
        kill(t)
        start_daemon(t)
        since.wait("denied")
        since.assert_no_disk()
        t.unplug("a")


def test_malformed_configuration_is_named_and_the_barrier_stays_down(t):
    ensure(t)
    kill(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    path = "/etc/sekimori/sekimorid.conf"
    old = t.read(path)
    t.write(path, "terminal A\ninspect-deadline never\n")
    result = t.run("/usr/sbin/sekimorid", check=False, timeout=10)
    t.write(path, old)
    assert result.status == 1 and f"{path}:2:18: error: expected whole seconds" in result.err, result
    assert t.run("/usr/sbin/sekimorid --no-such", check=False).status == 2
    since.assert_no_disk()
    start_daemon(t)
    since.wait("allowed")


def start_without_history(t):
    """A terminal that has never accepted a policy."""
    kill(t)
    t.run("rm -rf /var/lib/sekimori/policy")


def test_bad_first_policy_is_named_and_nothing_is_allowed(t):
    policy = t.read("/etc/sekimori/policy")
    cases = [
        (policy + "\nmedium X id 12\ndefualt block\n", "chmod 644", "/etc/sekimori/policy:13:13: error:"),
        (policy, "chmod 666", "must be writable by nobody but root|nobody else may write"),
    ]
    for text, mode, message in cases:
        ensure(t)
        start_without_history(t)
        since = Since(t)
        t.plug_storage("a", images.luks2(), serial="GOOD")
        t.write("/etc/sekimori/policy", text)
        t.run(f"{mode} /etc/sekimori/policy; > /run/sekimorid.out")
        check = t.run("/usr/sbin/sekimorid --check", check=False)
        start_daemon(t)
        refused = since.wait("policy-refused")
        denied = since.wait("denied")
        t.write("/etc/sekimori/policy", policy)
        t.run("chmod 644 /etc/sekimori/policy")
        assert check.status == 1 and any(m in check.err for m in message.split("|")), check
        assert any(m in refused["error"] for m in message.split("|")), refused
        assert denied["reason"] == "no-policy", denied
        since.assert_no_disk()
        t.unplug("a")
        kill(t)


def test_bad_policy_at_a_start_leaves_the_accepted_one_in_force(t):
    ensure(t)
    kill(t)
    policy = t.read("/etc/sekimori/policy")
    since = Since(t)
    t.write("/etc/sekimori/policy", "nonsense\n")
    start_daemon(t)
    try:
        assert since.wait("started")["state"] == "previous"
        t.plug_storage("a", images.luks2(), serial="GOOD")
        since.wait("allowed")
    finally:
        t.write("/etc/sekimori/policy", policy)
        kill(t)


def test_unwritable_log_lets_nothing_through_until_it_can_be_written(t):
    ensure(t)
    kill(t)
    t.run("mount -t tmpfs -o size=32k,mode=750 full /var/log/sekimori")
    t.run("dd if=/dev/zero of=/var/log/sekimori/filler bs=1k count=32 2>/dev/null", check=False)
    start_daemon(t)
    ready(t)
    bus = Bus(t)
    blocks = len(t.read("/run/block-events").splitlines())
    t.plug_storage("a", images.luks2(), serial="GOOD")
    bus.wait("DeviceDenied")
    assert "log-unwritable" in bus.text()
    time.sleep(0.5)
    assert not disks(t) and len(t.read("/run/block-events").splitlines()) == blocks
    t.unplug("a")
    t.run("rm /var/log/sekimori/filler")
    t.plug_storage("a", images.luks2(), serial="GOOD")
    t.wait_until(lambda: disks(t), what="the disk after there is room again")
    assert any(r["kind"] == "allowed" for r in records(t))
    bus.close()
    t.unplug("a")
    kill(t)


def test_torn_last_line_does_not_spoil_the_next_record(t):
    ensure(t)
    kill(t)
    last = records(t)[-1]["seq"]
    t.run(f"printf '{{\"seq\":99,\"ki' >> {LOG}")
    start_daemon(t)
    def whole():
        lines = t.read(LOG).splitlines()
        after = lines[lines.index('{"seq":99,"ki') + 1:]
        return after if any('"kind":"started"' in line for line in after) else None
    line = t.wait_until(whole, what="whole records after the torn one")[0]
    # The torn line is left as evidence, and the record behind it tells of it.
    assert line.startswith(f'{{"seq":{last + 1},') and '"kind":"log-recovered"' in line, line
    assert '"torn_bytes":13,' in line, line
