# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal as Debian boots it: systemd, logind, two people on two consoles. sekimorid.service
behind its sandbox, and system/seat.c beside it in the same one."""

import os
import re
import shlex
import time

from barrier import STAGE, TOOLS, Since, daemon_pid, disks, images, ready, unplug_all
from sessions import (SUZUKI, TANAKA, active, login, logout, logout_all, options, service_log, session, sessions, switch,
                      switch_vt)

WATCHED = "/run/seatwatch.out"


def watch_unit():
    """seatwatch started as early as sekimorid, with all that sekimorid.service takes away."""
    with open(os.path.join(STAGE, "usr/lib/systemd/system/sekimorid.service"), encoding="utf-8") as f:
        unit = f.read()
    unit = re.sub(r"(?m)^(ExecReload|Restart|RestartSec|WatchdogSec|\w+Directory\w*)=.*\n", "", unit)
    unit = unit.replace("Type=notify", f"Type=simple\nStandardOutput=append:{WATCHED}")
    return unit.replace("ExecStart=/usr/sbin/sekimorid", f"ExecStart={TOOLS}/seatwatch")


OPTIONS = options(files={"/etc/systemd/system/seatwatch.service": watch_unit()},
                  units={"seatwatch.service": "sysinit.target"})
FRESH = {"test_logind_that_starts_later_is_noticed"}
# test_policy_session.py has rules that follow the console, test_volumes_session.py media that are closed with it.
LONG = {"test_logind_that_starts_later_is_noticed", "test_seat_does_not_take_a_greeter_or_a_lock_screen_for_a_user",
        "test_seat_follows_login_switch_and_logout", "test_seat_is_found_when_its_directories_come_and_lost_when_they_go",
        "test_seat_survives_a_restart_of_logind_and_sleeps_when_nothing_happens",
        "test_seat_takes_only_a_living_local_session_of_a_user",
        "test_two_people_log_in_and_the_console_goes_from_one_to_the_other"}

NOBODY = ("-", "-1", "-")


def teardown(t):
    unplug_all(t)
    t.run("systemctl start systemd-logind")
    logout_all(t)


def watched(t):
    """What seatwatch has said: [(name, uid, groups), ...]."""
    return [(name, uid, groups) for name, uid, _, groups in map(str.split, t.read(WATCHED).splitlines())]


def line(person):
    return person.name, str(person.uid), ",".join(person.groups)


def wait_watched(t, expected, since=0):
    """seatwatch has said just this after its first `since` lines."""
    t.wait_until(lambda: watched(t)[since:] == expected, what=f"{expected}; there is {watched(t)[since:]}")


def unit(t, name, *properties):
    out = t.run(f"systemctl show {name} " + " ".join(f"-p {p}" for p in properties)).out
    return dict(entry.split("=", 1) for entry in out.splitlines())


def test_boot_ends_well_and_sekimorid_runs_before_logind(t):
    ready(t)
    state = t.run("systemctl is-system-running --wait", check=False).out.strip()
    assert state == "running", (state, t.run("systemctl --failed --no-legend").out)
    daemon = unit(t, "sekimorid", "ActiveState", "SubState", "NRestarts", "ActiveEnterTimestampMonotonic")
    assert (daemon["ActiveState"], daemon["SubState"], daemon["NRestarts"]) == ("active", "running", "0"), daemon
    logind = unit(t, "systemd-logind", "ExecMainStartTimestampMonotonic")
    assert int(daemon["ActiveEnterTimestampMonotonic"]) < int(logind["ExecMainStartTimestampMonotonic"])
    assert t.read("/sys/module/sekimori/initstate") == "live"
    assert t.read("/sys/module/sekimori/parameters/lock") == "Y"
    assert t.run("stat -c '%U %a' /var/lib/sekimori /var/log/sekimori").out.split() == ["root", "755", "root", "750"]


def test_sandbox_takes_away_what_the_unit_says(t):
    ready(t)
    pid = daemon_pid(t)
    status = dict(entry.split(":", 1) for entry in t.read(f"/proc/{pid}/status").splitlines())
    assert status["Seccomp"].strip() == "2", status
    mounts = t.read(f"/proc/{pid}/mountinfo").splitlines()
    root = [m.split()[5] for m in mounts if m.split()[4] == "/"][-1]
    assert root.startswith("ro"), root
    assert t.run(f"nsenter -t {pid} -m touch /etc/sekimori/x", check=False).status != 0
    # No network: neither a socket family for it nor the right to change it (CAP_NET_ADMIN, CAP_NET_RAW).
    families = t.run("systemctl show sekimorid -p RestrictAddressFamilies --value").out.split()
    assert sorted(families) == ["AF_NETLINK", "AF_UNIX"], families
    assert not int(status["CapBnd"], 16) & (1 << 12 | 1 << 13), status


def test_unknown_stick_is_denied(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="NOBODY")
    record = since.wait("denied", serial="NOBODY")
    assert record["reason"] == "not-registered", record
    since.assert_no_disk()


def test_registered_stick_is_proved_and_released_from_within_the_sandbox(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released", serial="GOOD")
    t.wait_until(lambda: disks(t), what="the disk")
    # udev's word of it reaches the sandbox: the daemon has looked at the disk and offers what is in it.
    t.wait_until(lambda: "/volumes/" in t.run("busctl tree org.sekimori.Sekimori1").out, what="its volume")


def test_reload_and_restart_by_systemctl(t):
    ready(t)
    before = daemon_pid(t)
    t.run("systemctl reload sekimorid")
    assert unit(t, "sekimorid", "ActiveState")["ActiveState"] == "active" and daemon_pid(t) == before
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    t.run("systemctl restart sekimorid")
    assert daemon_pid(t) != before
    since.wait("resumed")
    t.wait_until(lambda: disks(t), what="the disk, still")
    assert not re.search(r"[Ff]ailed|denied", service_log(t)), service_log(t)


def test_two_people_log_in_and_the_console_goes_from_one_to_the_other(t):
    assert active(t) == ""
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    assert active(t) == "tanaka", "tty1 is in front"
    assert session(t, SUZUKI)["Seat"] == "seat0" and session(t, SUZUKI)["State"] == "online"
    switch(t, SUZUKI)
    assert session(t, TANAKA)["State"] == "online"
    switch(t, TANAKA)
    logout(t, TANAKA)
    assert active(t) == "" and session(t, SUZUKI)["State"] == "online"


def test_seat_follows_login_switch_and_logout(t):
    seen = len(watched(t))
    assert watched(t)[-1] == NOBODY
    login(t, TANAKA, 1)
    wait_watched(t, [line(TANAKA)], seen)
    login(t, SUZUKI, 2)
    switch(t, SUZUKI)
    wait_watched(t, [line(TANAKA), line(SUZUKI)], seen)
    switch(t, TANAKA)
    wait_watched(t, [line(TANAKA), line(SUZUKI), line(TANAKA)], seen)
    switch_vt(t, 3)
    wait_watched(t, [line(TANAKA), line(SUZUKI), line(TANAKA), NOBODY], seen)
    switch(t, SUZUKI)
    logout(t, SUZUKI)
    wait_watched(t, [line(TANAKA), line(SUZUKI), line(TANAKA), NOBODY, line(SUZUKI), NOBODY], seen)


def test_seat_does_not_take_a_greeter_or_a_lock_screen_for_a_user(t):
    login(t, TANAKA, 1)
    wait_seen = len(watched(t))
    for vt, kind in ((3, "greeter"), (4, "lock-screen")):
        t.run(f"systemd-run --unit {kind} --collect -p PAMName=login -p User=clerk -p TTYPath=/dev/tty{vt} "
              f"-p StandardInput=tty -E XDG_SESSION_CLASS={kind} sleep infinity")
        t.wait_until(lambda: any(s["Class"] == kind for s in sessions(t)), 30, f"{kind}; there is {sessions(t)}")
        seen = len(watched(t))
        switch_vt(t, vt)
        t.wait_until(lambda: active(t) == "clerk", what=kind)
        wait_watched(t, [NOBODY], seen)
        switch_vt(t, 1)
        wait_watched(t, [NOBODY, line(TANAKA)], seen)
        t.run(f"systemctl stop {kind}")
    assert not any(name == "clerk" for name, _, _ in watched(t)[wait_seen:])


class Pretence:
    """seatwatch with a /run and an /etc/group of its own, in which the test plays logind."""

    count = 0

    def __init__(self, t):
        Pretence.count += 1
        self.t, self.out, self.seen = t, f"/run/pretence-{Pretence.count}", 0
        t.run("cp /etc/group /run/pretence-group")
        self.pid = t.start("unshare -m sh -c 'mount --bind /run/pretence-group /etc/group && mount -t tmpfs none /run && "
                           f"exec {TOOLS}/seatwatch'", self.out)
        self.expect("- -1 - -")

    def run(self, script):
        self.t.run(f"nsenter -t {self.pid} -m sh -c {shlex.quote(script)}")

    def file(self, path, **values):
        """Written aside and moved into place, as logind does it."""
        text = "".join(f"{key}={value}\\n" for key, value in values.items())
        self.run(f"printf '{text}' > /run/new && mv /run/new /run/systemd/{path}")

    def session(self, seat_uid=1001, **values):
        self.file("sessions/7", **{"UID": 1001, "USER": "tanaka", "ACTIVE": 1, "STATE": "active", "REMOTE": 0,
                                   "CLASS": "user", "SEAT": "seat0", **values})
        self.file("seats/seat0", IS_SEAT0=1, ACTIVE=7, ACTIVE_UID=seat_uid)

    def expect(self, *lines):
        """Just these have been said since the last time."""
        def said():
            return self.t.read(self.out).splitlines()[self.seen:] if self.t.exists(self.out) else []
        self.t.wait_until(lambda: said() == list(lines), what=f"{lines}; there is {said()}")
        self.seen += len(lines)

    def close(self):
        self.t.run(f"kill {self.pid}")


def test_seat_is_found_when_its_directories_come_and_lost_when_they_go(t):
    seat = Pretence(t)
    for times in range(2):
        seat.run("mkdir /run/systemd; mkdir /run/systemd/sessions; mkdir /run/systemd/seats")
        seat.session()
        seat.expect("tanaka 1001 7 tanaka,zeimu")
        # Away and there again before anybody can look.
        seat.run("rm -r /run/systemd/seats && mkdir /run/systemd/seats")
        seat.expect("- -1 - -")
        seat.session()
        seat.expect("tanaka 1001 7 tanaka,zeimu")
        seat.run("rm -r /run/systemd")
        seat.expect("- -1 - -")
    seat.close()


def test_seat_takes_only_a_living_local_session_of_a_user(t):
    seat = Pretence(t)
    seat.run("mkdir -p /run/systemd/sessions /run/systemd/seats")
    for wrong in ({"CLASS": "greeter"}, {"CLASS": "lock-screen"}, {"CLASS": "manager"}, {"STATE": "closing"},
                  {"STATE": "opening"}, {"REMOTE": 1}, {"seat_uid": 1002}, {"CLASS": ""}, {"UID": "x"}):
        seat.session()
        seat.expect("tanaka 1001 7 tanaka,zeimu")
        seat.session(**wrong)
        seat.expect("- -1 - -")
    seat.session(UID=4242, seat_uid=4242)
    seat.expect("- 4242 7 -")
    seat.session(STATE="closing")
    seat.expect("- -1 - -")
    # Beyond 64 groups the rest does not count.
    seat.run("for i in $(seq 100); do echo g$i:x:$((3000 + i)):clerk,tanaka; done >> /etc/group")
    seat.session()
    seat.expect("tanaka 1001 7 tanaka,zeimu," + ",".join(f"g{i}" for i in range(1, 63)))
    seat.close()


def test_seat_survives_a_restart_of_logind_and_sleeps_when_nothing_happens(t):
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    t.run("systemctl restart systemd-logind")
    seen = len(watched(t))
    switch(t, SUZUKI)
    t.wait_until(lambda: watched(t)[seen:][-1:] == [line(SUZUKI)], what=f"suzuki; there is {watched(t)[seen:]}")
    pid = unit(t, "seatwatch", "MainPID")["MainPID"]

    def wakes():
        found = re.search(r"(?m)^voluntary_ctxt_switches:\s*(\d+)", t.read(f"/proc/{pid}/status"))
        return int(found[1])
    time.sleep(2)
    before = wakes()
    time.sleep(5)
    assert wakes() == before


def test_logind_that_starts_later_is_noticed(t):
    """The boot itself is the first case: seatwatch is there before /run/systemd/seats."""
    assert watched(t) == [NOBODY]
    started = unit(t, "seatwatch", "ExecMainStartTimestampMonotonic")["ExecMainStartTimestampMonotonic"]
    logind = unit(t, "systemd-logind", "ExecMainStartTimestampMonotonic")["ExecMainStartTimestampMonotonic"]
    assert int(started) < int(logind)
    login(t, TANAKA, 1)
    wait_watched(t, [NOBODY, line(TANAKA)])
    # Without a trace of logind, then anew, in directories made anew.
    t.run("systemctl stop systemd-logind.service; rm -r /run/systemd/seats /run/systemd/sessions /run/systemd/users")
    wait_watched(t, [NOBODY, line(TANAKA), NOBODY])
    t.run("systemctl start systemd-logind.service")
    login(t, SUZUKI, 2)
    switch(t, SUZUKI)
    wait_watched(t, [NOBODY, line(TANAKA), NOBODY, line(SUZUKI)])
