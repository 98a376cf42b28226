# SPDX-License-Identifier: GPL-2.0-or-later
"""Something kills the daemon each time it judges a certain device: systemd starts it anew, it waits longer each time, and
leaves that device alone."""

import json
import re
import time

from barrier import ASKING, Since, daemon_pid, disks, driver, ffs, ffs_stop, images, inspectors, ready, unplug_all
from sessions import options

LONG = True  # its waits are of seconds that a busy machine does not keep; test-deaths.c has the counting
OPTIONS = options(setup="modprobe dummy_hcd; ", files={"/etc/sekimori/sekimorid.conf": "terminal ZEI-014\ninspect-deadline 60\n"})
SETTINGS = "/etc/sekimori/sekimorid.conf"
INSPECT = "/usr/libexec/sekimori/sekimori-inspect"
# The second look, at the disk of what was let in, comes to no end.
SLOW_LOOK = f"""#!/bin/sh
case "$*" in
--block*) exec sleep 59 ;;
esac
exec {INSPECT}.real "$@"
"""
SLOW = 60  # a start of the service under emulation, and its waiting


def teardown(t):
    unplug_all(t)
    t.run("systemctl restart sekimorid", timeout=SLOW)
    ready(t)


def show(t, name):
    return t.run(f"systemctl show sekimorid -p {name} --value").out.strip()


def deaths(t):
    out = t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 org.sekimori.Sekimori1.Manager RecentDeaths").out
    return int(out.split()[1])


def die(t):
    """Ends the daemon as a wild pointer does, once it is judging; waits for the next one's process."""
    before = daemon_pid(t)
    t.run(f"kill -SEGV {before}")
    t.wait_until(lambda: daemon_pid(t) not in ("", before), SLOW, "the next daemon")


def judging(t):
    """Is some held device being asked? The second look at a disk that was let in is another."""
    return bool(inspectors(t, ASKING))


def waiting(t):
    """How long it says that it waits, in seconds; 0: it does not."""
    found = re.match(r"Died \d+ times in a row; holding everything for (\d+) seconds", show(t, "StatusText"))
    return int(found[1]) if found else 0


def test_device_that_kills_its_judge_is_left_alone_and_others_are_judged(t):
    ready(t)
    t.run("systemctl restart sekimorid", timeout=SLOW)
    ready(t)
    since = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    name = since.wait("held", serial="PLAYED", timeout=SLOW)["device"]
    for count in (1, 2):
        t.wait_until(lambda: judging(t), SLOW, f"the device judged for the {count}. time")
        die(t)
        ready(t)
        assert deaths(t) == count
    assert not since.records("crash-loop")
    t.wait_until(lambda: judging(t), SLOW, "the device judged for the last time")
    die(t)

    # It says that it waits, and nothing gets through meanwhile.
    t.wait_until(lambda: waiting(t) == 2, SLOW, f"waiting for two seconds; there is {show(t, 'StatusText')!r}")
    assert show(t, "ActiveState") == "activating"
    t.plug_storage("good", images.luks2(), serial="GOOD")
    assert waiting(t) == 2, "the stick has come too late to say anything"
    since.assert_no_disk()

    loop = since.wait("crash-loop", timeout=SLOW)
    assert (loop["deaths"], loop["waited_s"], loop["devices"]) == (3, 2, [name]), loop
    assert since.wait("incident", timeout=SLOW)["type"] == "crash-loop"
    # A medium that harms nobody is judged, and let in; the one that was being judged is not even asked.
    since.wait("allowed", serial="GOOD", timeout=SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    judged = [r for r in since.records() if r["seq"] > loop["seq"] and r.get("device") == name]
    assert not judged and not judging(t), judged
    assert t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0" and driver(t, f"{name}:1.0") == ""

    ready(t)
    assert deaths(t) == 3
    status = t.run("sekimorictl status --json", check=False)
    assert status.status and "daemon-deaths" in [p["code"] for p in json.loads(status.out)["problems"]], status
    doctor = json.loads(t.run("sekimorictl doctor --json", check=False, timeout=SLOW).out)
    item, = [i for i in doctor if i["id"] == "daemon-deaths"]
    assert item["result"] == "fail" and "3" in item["detail"], item

    # Plugged anew it is judged anew.
    ffs_stop(t, "played")
    again = Since(t)
    ffs(t, "played", "PLAYED", "never-answer")
    again.wait("held", serial="PLAYED", timeout=SLOW)
    t.wait_until(lambda: judging(t), SLOW, "the device judged once more")
    ffs_stop(t, "played")

    # An orderly end is none of these deaths, and tears nothing away.
    disk = disks(t)
    t.run("systemctl restart sekimorid", timeout=SLOW)
    ready(t)
    assert deaths(t) == 0 and disks(t) == disk
    status = json.loads(t.run("sekimorictl status --json", check=False).out)
    assert "daemon-deaths" not in [p["code"] for p in status["problems"]], status


def dies_of_its_second_looks(t):
    """A stick is let in, and the daemon killed three times while it looks at its disk. (the stick's device, what came since)"""
    ready(t)
    t.run("systemctl restart sekimorid", timeout=SLOW)
    ready(t)
    t.run(f"mv {INSPECT} {INSPECT}.real")
    t.write(INSPECT, SLOW_LOOK)
    t.run(f"chmod 755 {INSPECT}")
    try:
        since = Since(t)
        t.plug_storage("good", images.luks2(), serial="GOOD")
        name = since.wait("released", serial="GOOD", timeout=SLOW)["device"]
        for count in (1, 2, 3):
            t.wait_until(lambda: t.run("pgrep -f '^sleep 59'", check=False).out.strip(), SLOW, f"the second look for the {count}. time")
            die(t)
            t.wait_until(lambda: not t.run("pgrep -f '^sleep 59'", check=False).out.strip() or count < 3, what="the end of the look")
            ready(t)
        since.wait("crash-loop", timeout=SLOW)
    finally:
        t.run(f"mv {INSPECT}.real {INSPECT}")
    loop, = since.records("crash-loop")
    assert loop["devices"] == [name], loop
    return name, since


def test_device_that_kills_its_second_look_is_taken_back(t):
    name, since = dies_of_its_second_looks(t)
    t.wait_until(lambda: not disks(t), SLOW, "the disk to go")
    t.wait_until(lambda: t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0", what="it is shut")
    loop, = since.records("crash-loop")
    later = [r for r in since.records() if r["seq"] > loop["seq"] and r.get("device") == name]
    assert not later and driver(t, f"{name}:1.0") == "", later
    unplug_all(t)
    again = Since(t)
    t.plug_storage("good", images.luks2(), serial="GOOD")
    again.wait("released", serial="GOOD", timeout=SLOW)


def test_device_that_kills_its_second_look_stays_in_a_drill(t):
    before = t.read(SETTINGS)
    t.write(SETTINGS, before + "\nmode drill\n")
    try:
        name, since = dies_of_its_second_looks(t)
        loop, = since.records("crash-loop")
        time.sleep(2)  # in which it would be met
        assert disks(t) and driver(t, f"{name}:1.0") == "usb-storage"
        assert not [r for r in since.records() if r["seq"] > loop["seq"] and r.get("device") == name], since.records()
    finally:
        t.write(SETTINGS, before)


def test_failed_starts_are_no_deaths(t):
    ready(t)
    since = Since(t)
    t.run("systemctl stop sekimorid", timeout=SLOW)
    # The gate has one keeper.
    other = t.start("sh -c 'exec 9<> /dev/sekimori && echo held && exec sleep 600'", "/run/other-keeper")
    t.wait_until(lambda: "held" in t.read("/run/other-keeper"), what="the other keeper")
    t.run("systemctl start --no-block sekimorid")
    t.wait_until(lambda: "failures 3" in t.read("/run/sekimori/deaths").splitlines(), SLOW, "three failed starts")
    t.run(f"kill {other}")
    ready(t)
    assert deaths(t) == 0 and not since.records("crash-loop") and not since.records("incident"), since.records()


def test_waiting_daemon_ends_when_it_is_told_to(t):
    ready(t)
    for _ in range(3):
        die(t)
        t.wait_until(lambda: show(t, "ActiveState") == "active" or waiting(t), SLOW, "it lives or waits")
        if not waiting(t):
            ready(t)
    t.wait_until(lambda: waiting(t) == 2, SLOW, "waiting")
    # A reload is for later, and no death.
    before = daemon_pid(t)
    t.run(f"kill -HUP {before}")
    ready(t)
    assert daemon_pid(t) == before and deaths(t) == 3
    die(t)
    t.wait_until(lambda: waiting(t) == 4, SLOW, "waiting")
    t.run("systemctl stop sekimorid", timeout=SLOW)
    assert show(t, "Result") == "success", show(t, "Result")
    t.run("systemctl start sekimorid", timeout=SLOW)
    ready(t)
    assert deaths(t) == 0
