# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may change something on a terminal, with the real polkit and logind: the person at the seat, nobody else but root;
without polkit root alone. Who asked stands in the log. And a flood of calls makes no verdict late."""

import os
import re

from barrier import POLICY, Bus, Since, disks, images, ready, unplug_all
from policies import use
from sessions import SUZUKI, TANAKA, login, logout_all, options, run_as, session
from terminal import TOP

# tests/integration/test_bus_limits.py floods the same code.
LONG = {"test_a_flood_of_calls_makes_no_verdict_late_and_no_daemon_large",
        "test_a_listener_hears_every_record_and_sees_the_medium", "test_a_rule_of_the_administrator_is_followed"}
OPTIONS = options()
SLOW = 60
NAME = "org.sekimori.Sekimori1"
ROOT = "/org/sekimori/Sekimori1"
MEDIA = POLICY.split("default block\n")[1]


def teardown(t):
    t.run("systemctl unmask polkit; systemctl start polkit")
    unplug_all(t)
    logout_all(t)


def call(t, person, path, method, arguments=""):
    """What D-Bus answers to somebody who calls without our tools; None is root outside of any session."""
    command = f"busctl call {NAME} {path} {method} {arguments}"
    return run_as(t, person, command, check=False) if person else t.run(command, check=False)


def reload(t, person):
    return call(t, person, ROOT, f"{NAME}.Manager ReloadPolicy")


def close(t, person, path):
    return call(t, person, path, f"{NAME}.Volume Close")


def volume(t):
    def there():
        return [line for line in t.run(f"busctl tree --list {NAME}", check=False).out.split() if "/volumes/" in line]
    return t.wait_until(there, 30, "a volume")[0]


def deed(since, **match):
    return since.wait("administration", **match)


def test_the_right_and_the_record_go_with_who_asks(t):
    ready(t)
    use(t, "default block\n" + MEDIA)
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    path = volume(t)

    # At the seat: media yes, the policy no.
    assert close(t, TANAKA, path).status == 0
    record = deed(since, method="Volume.Close", result="done")
    mine = session(t, TANAKA)["Id"]
    assert (record["user"], record["uid"], record["session"], record["program"], record["object"], record["action"]) == \
        ("tanaka", 1001, mine, "/usr/bin/busctl", path, "org.sekimori.close-volume"), record
    assert record["pid"] > 1
    refused = reload(t, TANAKA)
    assert refused.status != 0, refused
    record = deed(since, method="Manager.ReloadPolicy", result="refused")
    assert (record["reason"], record["user"], record["session"]) == ("not-authorised", "tanaka", mine), record
    done = run_as(t, TANAKA, "sekimorictl reload", check=False)
    assert done.status != 0 and "You are not authorised to do this" in done.err, done

    # What is on it he may know, and root; nobody else.
    assert "MountPoint" in call(t, TANAKA, path, f"{NAME}.Volume Details").out
    assert "MountPoint" in call(t, None, path, f"{NAME}.Volume Details").out
    refused = call(t, SUZUKI, path, f"{NAME}.Volume Details")
    assert refused.status != 0 and "Access denied" in refused.err, refused

    # In the background: nothing, and polkit is not even asked.
    refused = close(t, SUZUKI, path)
    assert refused.status != 0 and "Access denied" in refused.err, refused
    assert deed(since, user="suzuki")["reason"] == "not-at-seat"
    assert reload(t, SUZUKI).status != 0
    assert deed(since, user="suzuki", method="Manager.ReloadPolicy")["reason"] == "not-authorised"

    # At the seat by name, but from outside of it: polkit knows no session.
    t.run(f"setpriv --reuid 1001 --regid 1001 --clear-groups busctl call {NAME} {path} {NAME}.Volume Close", check=False)
    record = deed(since, method="Volume.Close", user="tanaka", result="refused")
    assert record["reason"] == "not-authorised" and "session" not in record, record

    assert reload(t, None).status == 0
    record = deed(since, method="Manager.ReloadPolicy", result="done")
    assert (record["user"], record["uid"], record["program"]) == ("root", 0, "/usr/bin/busctl"), record
    assert [r["policy"] for r in since.records("policy")] == ["test-terminal"]


def test_a_listener_hears_every_record_and_sees_the_medium(t):
    ready(t)
    use(t, "default block\n" + MEDIA)
    bus, other = Bus(t), Bus(t, SUZUKI.uid)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    offered = volume(t)
    path = next(line for line in t.run(f"busctl tree --list {NAME}").out.split() if "/media/" in line)
    shown = t.run(f"busctl get-property {NAME} {path} {NAME}.Medium Number Status Method Volumes").out.splitlines()
    assert shown == ['s "ZEI-001"', 's "active"', 's "luks2"', f'ao 1 "{offered}"'], shown
    t.unplug("a")
    gone = since.wait("removed")
    t.wait_until(lambda: path not in t.run(f"busctl tree --list {NAME}").out, what="no medium")

    def heard():
        return [int(seq) for seq in re.findall(r"member=Recorded\n\s+uint64 (\d+)", bus.text())]
    t.wait_until(lambda: gone["seq"] in heard(), what="the signal of the last record")
    assert heard() == [record["seq"] for record in since.records() if record["seq"] in range(heard()[0], heard()[-1] + 1)]
    assert set(heard()) >= {record["seq"] for record in since.records() if record["seq"] <= gone["seq"]}, heard()
    # Any user hears of the device, and nothing of the log.
    t.wait_until(lambda: "member=DeviceRemoved" in other.text(), what="the other user's listener")
    assert "member=DeviceAllowed" in other.text() and "Recorded" not in other.text(), other.text()
    newest = t.run(f"busctl get-property {NAME} {ROOT} {NAME}.Manager LogSequence").out.split()[1]
    assert int(newest) >= gone["seq"]
    bus.close()
    other.close()


def test_a_rule_of_the_administrator_is_followed(t):
    ready(t)
    login(t, TANAKA, 1)
    since = Since(t)
    t.write("/etc/polkit-1/rules.d/10-test.rules",
            'polkit.addRule(function(action, subject) {\n'
            '  if (action.id == "org.sekimori.reload-policy" && subject.user == "tanaka") return polkit.Result.YES;\n});\n')
    t.run("systemctl restart polkit")
    assert reload(t, TANAKA).status == 0
    assert deed(since, method="Manager.ReloadPolicy")["result"] == "done"
    t.run("rm /etc/polkit-1/rules.d/10-test.rules")
    t.run("systemctl restart polkit")
    assert reload(t, TANAKA).status != 0


def test_without_polkit_only_root_gets_further_and_it_says_why(t):
    ready(t)
    use(t, "default block\n" + MEDIA)
    login(t, TANAKA, 1)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    path = volume(t)
    t.run("systemctl mask --now polkit")
    done = run_as(t, TANAKA, "sekimorictl eject", check=False)
    assert done.status != 0 and "polkit" in done.err, done
    assert deed(since, user="tanaka")["reason"] == "no-polkit"
    assert close(t, None, path).status == 0
    assert reload(t, None).status == 0


FLOOD = """
import struct, sys, time
from wire import Client, string
ROOT, NAME = "/org/sekimori/Sekimori1", "org.sekimori.Sekimori1"
client = Client("/run/dbus/system_bus_socket", 1001)
assert client.call(ROOT, "org.freedesktop.DBus.Properties", "GetAll", "s", string("A" * (16 << 20))).endswith("LimitsExceeded")
print("begun", flush=True)
while True:
    asked = [client.send(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") for _ in range(50)]
    asked += [client.send(ROOT, NAME + ".Manager", "ReloadPolicy") for _ in range(4)]
    for serial in asked:
        client.answer(serial, 60)
    client.read.clear()
    print(len(asked), flush=True)
"""


def rss_kib(t):
    return int(t.run("awk '/VmRSS/{print $2}' /proc/$(pidof sekimorid)/status").out)


def test_a_flood_of_calls_makes_no_verdict_late_and_no_daemon_large(t):
    ready(t)
    login(t, TANAKA, 1)
    use(t, "default block\n" + MEDIA)
    t.run("mkdir -p /run/flood")
    with open(os.path.join(TOP, "tests/integration/wire.py"), encoding="utf-8") as wire:
        t.write("/run/flood/wire.py", wire.read())
    t.write("/run/flood/flood.py", FLOOD)
    since = Since(t)
    before = rss_kib(t)
    floods = [t.start("python3 /run/flood/flood.py", f"/run/flood-{n}") for n in range(3)]
    try:
        t.wait_until(lambda: all("begun\n" in t.read(f"/run/flood-{n}") for n in range(3)), SLOW, "three floods")
        t.plug_storage("a", images.plain(), serial="UNKNOWN")
        denied = since.wait("denied", SLOW)
        assert denied["reason"] == "not-registered" and denied["verdict_us"] < 2000000, denied
        t.plug_storage("b", images.luks2(), serial="GOOD")
        allowed = since.wait("allowed", SLOW)
        # Its deadline: an inspection that takes longer is a denial.
        assert allowed["verdict_us"] < 12000000, allowed
        t.wait_until(lambda: disks(t), SLOW, "the disk")
        answered = [t.read(f"/run/flood-{n}") for n in range(3)]
        assert all(text.count("54") > 0 and "Traceback" not in text for text in answered), answered
        assert rss_kib(t) - before < 8192, f"{rss_kib(t)} KiB after {before}"
    finally:
        for pid in floods:
            t.run(f"kill {pid}", check=False)
    written = since.records("administration", user="tanaka")
    assert 0 < len(written) < 20, len(written)
