# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may change something over D-Bus, what is recorded of it, and what listeners hear; a program of the test answers
in polkit's place."""
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import time

from harness import (CTL, DEVICE, ERROR, MANAGER, MEDIUM, NAME, PATIENCE, ROOT, VOLUME, Lines, Polkit, device, medium, next_signal,
                     volume, wait_until, world)
from wire import INTERACTIVE, NOBODY, Client

LINE = ('medium M-0007 id 46f4:0001 serial "GAIBU-0001" encryption luks2 luks-uuid 0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001 '
        'status %s class III holder { "tanaka" "@zeimu" } terminals "mado-*" until 2027-03-31')


@contextlib.contextmanager
def asking(answer="yes"):
    """A volume that the client may close, as far as the seat goes; polkit; a client who is not root, if that can be."""
    with world() as w:
        w.log = w.directory / "records"
        w.tell(f"records {w.log}")
        w.tell("add 0")
        w.tell("volume 0")
        w.polkit = w.polkit or Polkit(w)
        w.polkit.say(answer)
        with Client(w.socket, NOBODY) as client:
            w.tell(f"may {client.uid}")
            yield w, client


def records(w):
    return [json.loads(line) for line in w.log.read_text().splitlines()]


def close(client, flags=0):
    return client.send(volume(0), VOLUME, "Close", flags=flags)


def test_polkit_s_word_decides_and_is_recorded():
    rows = [("yes", 0, None, "done", None),
            ("no", 0, ERROR + "AccessDenied", "refused", "not-authorised"),
            ("challenge", 0, ERROR + "InteractiveAuthorizationRequired", "refused", "not-authorised"),
            ("challenge", INTERACTIVE, ERROR + "AccessDenied", "refused", "not-authorised"),
            ("error", 0, ERROR + "AccessDenied", "refused", "no-polkit"),
            ("nonsense", 0, ERROR + "AccessDenied", "refused", "no-polkit")]
    with asking() as (w, client):
        for answer, flags, error, result, reason in rows:
            w.polkit.say(answer)
            w.polkit.asked.clear()
            assert client.answer(close(client, flags))[0] == error, answer
            record = records(w)[-1]
            assert (record["result"], record.get("reason")) == (result, reason), (answer, record)
            assert (record["kind"], record["method"], record["object"], record["action"]) == \
                ("administration", "Volume.Close", volume(0), "org.sekimori.close-volume")
            assert record["uid"] == client.uid and record["pid"] == os.getpid(), record
            assert record["program"] == os.path.realpath("/proc/self/exe"), record
            w.polkit.wait(f"check org.sekimori.close-volume {1 if flags else 0}")
        assert len(records(w)) == len(rows)


def test_who_does_not_sit_there_is_refused_before_polkit_is_asked():
    with asking() as (w, client):
        w.tell("may 4242")
        assert client.answer(close(client))[0] == ERROR + "AccessDenied"
        assert records(w)[-1]["reason"] == "not-at-seat"
        w.polkit.say("no")
        assert w.polkit.asked == []


def test_without_polkit_nobody_but_root_gets_further():
    with asking() as (w, client):
        w.polkit.stop()
        assert client.answer(close(client))[0] == ERROR + "AccessDenied"
        assert records(w)[-1]["reason"] == "no-polkit"
        if os.getuid() == 0:
            w.tell("may 0")
            with Client(w.socket) as root:
                assert root.answer(close(root))[0] is None
                assert root.call(ROOT, MANAGER, "ReloadPolicy") is None
            assert [r["result"] for r in records(w)][-2:] == ["done", "done"]


def test_a_polkit_that_never_answers_is_waited_for_longer_where_a_person_types():
    with asking("hold") as (w, client):
        w.tell("patience 300 3000")
        for flags, least, most in ((0, 0.3, 2.9), (INTERACTIVE, 3, PATIENCE)):
            start = time.monotonic()
            serial = close(client, flags)
            w.polkit.wait(f"check org.sekimori.close-volume {1 if flags else 0}")
            name, _ = client.answer(serial)
            assert name == ERROR + "AccessDenied" and least <= time.monotonic() - start < most, (name, flags)
            w.polkit.wait("cancel")
            assert (records(w)[-1]["result"], records(w)[-1]["reason"]) == ("refused", "no-polkit")
        # What it says then, nobody hears.
        w.polkit.say("yes")
        assert w.get_all(ROOT, MANAGER)["Terminal"] == "mado-03" and len(records(w)) == 2
        assert client.answer(close(client))[0] is None


def test_a_password_dialogue_holds_up_nobody_else():
    with asking("hold") as (w, client):
        serial = close(client)
        w.polkit.wait("check org.sekimori.close-volume 0")
        assert w.get_all(ROOT, MANAGER)["Terminal"] == "mado-03"
        assert records(w) == []
        w.polkit.say("yes")
        assert client.answer(serial)[0] is None


def test_who_leaves_before_polkit_has_answered_gets_nothing_done():
    with asking("hold") as (w, client):
        client.send(ROOT, MANAGER, "ReloadPolicy")
        w.polkit.wait("check org.sekimori.reload-policy 0")
        client.close()
        w.polkit.wait("cancel")
        w.polkit.say("yes")
        assert w.get_all(ROOT, MANAGER)["Terminal"] == "mado-03"
        assert [(r["result"], r["reason"]) for r in records(w)] == [("refused", "caller-gone")]


def test_the_right_is_looked_at_again_when_polkit_has_answered():
    with asking("hold") as (w, client):
        serial = close(client)
        w.polkit.wait("check org.sekimori.close-volume 0")
        w.tell("may 4242")
        w.polkit.say("yes")
        assert client.answer(serial)[0] == ERROR + "AccessDenied"
        assert records(w)[-1]["reason"] == "not-at-seat"


def test_the_object_may_go_while_polkit_is_asked():
    with asking("hold") as (w, client):
        serial = close(client)
        w.polkit.wait("check org.sekimori.close-volume 0")
        w.tell("volume-gone 0")
        w.polkit.say("yes")
        assert client.answer(serial)[0] == ERROR + "UnknownObject"
        assert records(w)[-1]["result"] == "failed"


def test_the_bus_may_go_while_polkit_is_asked():
    with asking("hold") as (w, client):
        close(client)
        w.polkit.wait("check org.sekimori.close-volume 0")
        w.bus_stop()
        w.bus_start()
        wait_until(w.connected, "the daemon back on the bus")
        assert records(w)[-1]["result"] == "refused"


def test_the_tool_lets_polkit_ask_and_says_in_words_who_may():
    rows = [("no", "not authorised", "権限がありません"), ("error", "polkit", "polkit が応答しない")]
    with asking() as (w, client):
        tool = w.directory / "sekimorictl"
        shutil.copy(CTL, tool)
        shutil.copytree(pathlib.Path(CTL).parent / "locale", w.directory / "locale")
        user = [] if os.getuid() else ["setpriv", f"--reuid={client.uid}", f"--regid={client.uid}", "--clear-groups"]
        w.tell("allow 0 M-0007")
        for answer, english, japanese in rows:
            w.polkit.say(answer)
            w.polkit.asked.clear()
            done = w.run(*user, tool, "eject")
            assert done.returncode == 1 and english in done.stderr and "AccessDenied" not in done.stderr, done.stderr
            assert done.stderr.count(english) == 1, done.stderr
            w.polkit.wait("check org.sekimori.close-volume 1")
            done = w.run(*user, tool, "eject", env={"LANG": "ja_JP.UTF-8"})
            assert japanese in done.stderr and english.replace("polkit", "answer") not in done.stderr, done.stderr
            done = w.run(*user, tool, "reload", env={"LANG": "ja_JP.UTF-8"})
            assert done.returncode == 1 and japanese in done.stderr, done.stderr
            w.polkit.wait("check org.sekimori.reload-policy 1")


def test_a_refused_reload_is_recorded_with_what_was_wrong():
    with asking() as (w, client):
        w.tell("policy-error line 4: expected a word")
        assert client.call(ROOT, MANAGER, "ReloadPolicy") == NAME + ".Error.PolicyRefused"
        record = records(w)[-1]
        assert (record["result"], record["reason"], record["detail"]) == \
            ("failed", "PolicyRefused", "line 4: expected a word"), record


def test_floods_are_summarised_and_root_is_not():
    with asking("no") as (w, client):
        for _ in range(30):
            assert client.call(ROOT, MANAGER, "ReloadPolicy") == ERROR + "AccessDenied"
        assert len(records(w)) == 10
        if os.getuid() == 0:
            with Client(w.socket) as root:
                for _ in range(30):
                    assert root.call(ROOT, MANAGER, "ReloadPolicy") is None
            assert [r["uid"] for r in records(w)[10:]] == [0] * 30
        before = len(records(w))
        w.daemon_stop()
        summary, = records(w)[before:]
        assert (summary["count"], summary["refused"], summary["reason"]) == (20, 20, "not-authorised"), summary
        assert summary["uid"] == client.uid and "done" not in summary


def test_many_users_write_no_more_together_than_all_may():
    if os.getuid():
        # It takes more users than one may become.
        return
    with asking("no") as (w, _):
        # dbus-daemon knows only those of the database.
        users = sorted({entry.pw_uid for entry in pwd.getpwall()} - {0})
        assert len(users) > 16, users
        for uid in users:
            with Client(w.socket, uid) as client:
                for _ in range(10):
                    assert client.call(ROOT, MANAGER, "ReloadPolicy") == ERROR + "AccessDenied"
        assert len(records(w)) == 40
        w.daemon_stop()
        summaries = records(w)[40:]
        assert sum(r["count"] for r in summaries) == 10 * len(users) - 40 and len(summaries) <= 17, summaries
        unnamed, = [r for r in summaries if "uid" not in r]
        assert unnamed["count"] == 10 * (len(users) - 16) and not {"user", "session", "program", "pid"} & set(unnamed), unnamed


def test_a_program_s_hostile_path_is_valid_in_the_record():
    with asking() as (w, _):
        path = os.fsencode(w.directory) + "/evil\u202e\x1b[2J".encode() + b"\xff"
        shutil.copy(shutil.which("dbus-send"), path)
        done = subprocess.run([path, f"--bus={w.address}", "--print-reply", f"--dest={NAME}", ROOT, MANAGER + ".ReloadPolicy"],
                              env=w.env, capture_output=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert records(w)[-1]["program"] == f"{w.directory}/evil\u202e\x1b[2J\ufffd"


def test_every_record_is_a_signal_with_its_number():
    with world() as w:
        lines = w.monitor()
        gdbus = Lines(w.start(["gdbus", "monitor", "--system", "--dest", NAME], stdout=subprocess.PIPE))
        gdbus.until(lambda line: "is owned by" in line)
        dbus_monitor = Lines(w.start(["dbus-monitor", "--address", w.address, "--profile",
                                      f"type='signal',interface='{MANAGER}'"], stdout=subprocess.PIPE))
        dbus_monitor.until(lambda line: "NameAcquired" in line or "NameLost" in line)
        w.tell("record 3 seat")
        w.tell("record 1 checkpoint")
        w.tell("record 2 seat")
        seen = [next_signal(lines, "Recorded") for _ in range(6)]
        assert [m["payload"]["data"][0] for m in seen] == [1, 2, 3, 4, 5, 6]
        assert [m["payload"]["data"][1] for m in seen] == ["seat"] * 3 + ["checkpoint"] + ["seat"] * 2
        assert all(m["payload"]["data"][2]["seq"]["data"] == m["payload"]["data"][0] for m in seen)
        for seq in range(1, 7):
            line = gdbus.until(lambda text: "Recorded" in text)
            assert f"{MANAGER}.Recorded (uint64 {seq}, '" in line, line
            assert "Recorded" in dbus_monitor.until(lambda text: "Recorded" in text)
        manager = w.get_all(ROOT, MANAGER)
        assert (manager["LogSequence"], manager["LogHash"], manager["LogCheckpoint"]) == (6, "00ff", 4)
        w.tell("log ok")
        _, changed, _ = next_signal(lines, "PropertiesChanged")["payload"]["data"]
        assert "LogState" in changed and "LogSequence" not in changed


def test_a_registered_medium_is_an_object_while_it_is_plugged():
    with world() as w:
        w.tell("register " + LINE % "active")
        w.tell("add 1")
        w.tell("add 2")
        lines = w.monitor()
        w.tell("allow 1 M-0007")
        w.tell("volume 1")
        added = next_signal(lines, "InterfacesAdded")["payload"]["data"]
        assert added[0] == medium(1) and list(added[1]) == [MEDIUM]
        shown = w.get_all(medium(1), MEDIUM)
        assert shown == {"Number": "M-0007", "Device": device(1), "Serial": "GAIBU-0001", "Model": "", "Class": 3,
                         "Holders": ["tanaka", "@zeimu"], "Terminals": ["mado-*"], "From": "",
                         "Until": "2027-03-31T23:59:59", "Status": "active", "Method": "luks2", "Access": "rw",
                         "Volumes": [volume(0)]}, shown
        w.tell("register " + LINE % "lost")
        while True:
            interface, changed, _ = next_signal(lines, "PropertiesChanged")["payload"]["data"]
            if interface == MEDIUM and changed["Status"]["data"] == "lost":
                break
        w.tell("volume-gone 0")
        assert w.get_all(medium(1), MEDIUM)["Volumes"] == []
        # Another number: another object. No number, no object.
        w.tell("allow 1 M-0008")
        shown = w.get_all(medium(2), MEDIUM)
        assert (shown["Number"], shown["Status"], shown["Device"]) == ("M-0008", "", device(1))
        w.tell("remove 1")
        data, _ = w.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        assert set(data[0]) == {device(2)}
        assert w.get_all(device(2), DEVICE)["Medium"] == ""
