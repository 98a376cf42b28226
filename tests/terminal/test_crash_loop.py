# SPDX-License-Identifier: GPL-2.0-or-later
"""Something kills the daemon each time it judges a certain device: systemd starts it anew, it waits longer each time, and
leaves that device alone."""

import json
import re

from barrier import Since, daemon_pid, disks, driver, ffs, ffs_stop, images, ready, unplug_all
from sessions import options

OPTIONS = options(setup="modprobe dummy_hcd; ", files={"/etc/sekimori/sekimorid.conf": "terminal ZEI-014\ninspect-deadline 60\n"})
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
    return bool(t.run("pgrep -f '^sekimori-inspect --interface'", check=False).out.strip())


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
    assert [r["type"] for r in since.records("incident")] == ["crash-loop"], since.records("incident")
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


def test_waiting_daemon_ends_when_it_is_told_to(t):
    ready(t)
    for _ in range(3):
        die(t)
        t.wait_until(lambda: show(t, "ActiveState") == "active" or waiting(t), SLOW, "it lives or waits")
        if not waiting(t):
            ready(t)
    t.wait_until(lambda: waiting(t) == 2, SLOW, "waiting")
    t.run("systemctl stop sekimorid", timeout=SLOW)
    assert show(t, "Result") == "success", show(t, "Result")
    t.run("systemctl start sekimorid", timeout=SLOW)
    ready(t)
    assert deaths(t) == 0
