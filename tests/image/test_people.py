# SPDX-License-Identifier: GPL-2.0-or-later
"""The people of a terminal, logged in by PAM on its consoles, and what each of them may: as polkit answers, as docs/dbus.md and
policy/50-sekimori.rules say, with the tools of the packages."""

import os
import re

from ground import (CONFIGURED, KATO, LOG, SATO, SLOW, TANAKA, YAMADA, Since, disks, in_session, images, logout_all, ready, refused,
                    run_as, unplug_all)
from sessions import active, switch
from terminal import TOP

OPTIONS = {"files": CONFIGURED}
BUSY = 180  # seconds for a script of many commands
PEOPLE = (TANAKA, SATO, KATO, YAMADA)  # on consoles 1 to 4; tanaka sits in front


def teardown(t):
    unplug_all(t)
    if t.run("systemctl is-active sekimorid", check=False).out.strip() == "active":
        return
    raise AssertionError("sekimorid has been stopped")


def setup(t):
    ready(t)
    for console, person in enumerate(PEOPLE, 1):
        in_session(t, person, console)
    if active(t) != TANAKA.name:
        switch(t, TANAKA)


def documented():
    """{action: (who sits at the terminal may, {groups that may})}: the tables of docs/dbus.md."""
    with open(os.path.join(TOP, "docs/dbus.md"), encoding="utf-8") as f:
        text = f.read()
    seat = {action: said == "yes" for action, said in
            re.findall(r"^\| `org\.sekimori\.([\w-]+)` \| ([^|]+?) \| [^|]+ \|$", text, re.M)}
    groups = {group: {word.strip() for word in actions.split(",")} for group, actions in
              re.findall(r"^\| `(sekimori-\w+)` \| ([\w, -]+) \|$", text, re.M)}
    assert len(seat) >= 12 and len(groups) == 4, (seat, groups)
    return {action: (seat[action], {group for group, actions in groups.items() if action in actions}) for action in seat}


def answers(t, person, actions):
    """{action: pkcheck's status as text}: 0 yes, 1 no, 2 by a password, which nobody is there to be asked for."""
    script = "; ".join(f"pkcheck -a org.sekimori.{action} -p $$ > /dev/null 2>&1; echo {action} $?" for action in actions)
    said = dict(line.split() for line in run_as(t, person, f"sh -c '{script}'", timeout=BUSY).out.splitlines())
    assert said.keys() == set(actions) and set(said.values()) <= {"0", "1", "2"}, said
    return said


def test_polkit_admits_and_refuses_as_documented(t):
    setup(t)
    table = documented()
    wrong = []
    for person in PEOPLE:
        said = answers(t, person, table)
        for action, (seat, groups) in table.items():
            may = seat and person is TANAKA or bool(groups & set(person.groups))
            if (said[action] == "0") != may:
                wrong.append((person.name, action, said[action]))
    assert not wrong, wrong


def test_staff_ask_an_approver_approves_the_auditor_sees_it_and_the_desk_ends_it(t):
    setup(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="ZERO")
    since.wait("denied", SLOW)
    device = since.records("denied")[0]["device"]
    asked = run_as(t, TANAKA, f"sekimorictl request {device} --purpose=図面の確認 --for=1h --access=ro --yes", timeout=SLOW)
    number = since.wait("exception-request", SLOW)["exception"]
    assert str(number) in asked.out, asked
    for person in (TANAKA, KATO, YAMADA):
        refused(t, person, f"sekimorictl approve {number} --yes")
    assert not disks(t)
    run_as(t, SATO, f"sekimorictl approve {number} --yes", timeout=SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    allowed = since.wait("allowed", SLOW)
    assert (allowed["reason"], allowed["access"], allowed["exception"]) == ("granted", "ro", number), allowed

    assert "tanaka" in run_as(t, KATO, f"sekimorictl exception show {number}").out
    for person in (TANAKA, KATO):
        refused(t, person, f"sekimorictl revoke {number} --note=いいえ --yes")
    run_as(t, YAMADA, f"sekimorictl revoke {number} --note=返却済み --yes", timeout=SLOW)
    t.wait_until(lambda: not disks(t), SLOW, "no disk")
    assert since.wait("exception-revoke", SLOW)["by"] == "yamada"


def test_staff_change_nothing_and_read_no_log(t):
    setup(t)
    state = "sha256sum /etc/sekimori/policy /etc/sekimori/sekimorid.conf; pidof sekimorid"
    before = t.run(state).out
    attempts = ["sekimorictl reload", "systemctl stop sekimorid", "systemctl restart sekimorid", "systemctl mask sekimorid",
                f"kill -9 {t.run('pidof sekimorid').out}", "touch /etc/sekimori/sekimorid.conf", "rm -f /etc/sekimori/policy",
                "(: > /dev/sekimori)", "(echo 1 > /sys/bus/usb/devices/usb1/authorized_default)", f"cat {LOG}",
                "ls /var/log/sekimori", "sekimorictl log show --since today", "sekimorictl report", "rmmod sekimori"]
    # In one shell: a session is entered once for all of them.
    t.write("/run/attempts", "".join(f"{attempt.strip()} < /dev/null > /dev/null 2>&1; echo $?\n" for attempt in attempts))
    for person in PEOPLE:
        statuses = run_as(t, person, "sh /run/attempts", timeout=BUSY).out.split()
        assert len(statuses) == len(attempts), statuses
        done = [attempt for attempt, status in zip(attempts, statuses) if status in ("0", "127")]
        assert not done, (person.name, done)
    assert t.run(state).out == before
    said = refused(t, TANAKA, "sekimorictl log show --since today")
    assert "root" in said, said


def test_a_person_who_logs_out_takes_the_seat_along(t):
    setup(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="LATER")
    device = since.wait("denied", SLOW, serial="LATER")["device"]
    assert answers(t, TANAKA, ["request-exception"]) == {"request-exception": "0"}
    logout_all(t)
    assert answers(t, TANAKA, ["request-exception"]) != {"request-exception": "0"}, "a session is needed"
    refused(t, TANAKA, f"sekimorictl request {device} --purpose=図面の確認 --for=1h --access=ro --yes")
    assert not since.records("exception-request"), since.records()
    assert not disks(t)


LONG = {"test_a_person_who_logs_out_takes_the_seat_along",
        "test_staff_ask_an_approver_approves_the_auditor_sees_it_and_the_desk_ends_it",
        "test_staff_change_nothing_and_read_no_log"}
