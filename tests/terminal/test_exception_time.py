# SPDX-License-Identifier: GPL-2.0-or-later
"""A temporary exception lasts no longer than it was granted: asleep past its end, after a reboot, and after one with another clock."""

import time

from barrier import disks, images, ready
from granting import HEADER, SLOW, granted, look, plug_denied, prepare, state
from policies import POLICY_FILE
from sessions import TANAKA, login, options, switch
from terminal import Terminal

LONG = True
OPTIONS = options(sleeps=True)
# The emulated clocks are shaken by a sleep.
FRESH = {"test_asleep_past_the_end_it_is_over_on_waking", "test_it_outlives_a_reboot_but_not_one_into_the_past"}
STORE = "/var/lib/sekimori/exceptions"


def stick(name):
    def make(d):
        return d.plain(name)
    make.__module__ = __name__
    return images.get(name, make)


def at_work(t, **wish):
    """tanaka has a stick in by an exception; its number and what has happened since."""
    ready(t)
    prepare(t)
    login(t, TANAKA, 1)
    switch(t, TANAKA)
    since = plug_denied(t, stick("time"), serial="TIME")
    number = granted(t, **wish)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    return number, since


def test_asleep_past_the_end_it_is_over_on_waking(t):
    number, since = at_work(t, access="rw", seconds=30)
    t.suspend()
    time.sleep(35)
    t.wake(timeout=60)
    t.wait_until(lambda: state(t, number) == "expired", SLOW, "its end")
    t.settle()
    assert not disks(t)
    assert not since.records("allowed")[1:], "it was not let in again on waking"
    expired = look(t, number)
    assert expired["ended"] >= expired["end"]


def carried(t):
    """The files of the store, for the next boot."""
    t.run("systemctl stop sekimorid")
    names = t.ls(STORE)
    assert "store.sqlite" in names, names
    return {f"{STORE}/{name}": (0o600, t.read_bytes(f"{STORE}/{name}")) for name in names}


def boot_again(t, files, clock=()):
    policy = {POLICY_FILE: "policy test-terminal\nversion 1\n" + HEADER}
    return Terminal(name="exception-time", **{**options(files={**files, **policy}), "qemu": clock})


def test_it_outlives_a_reboot_but_not_one_into_the_past(t):
    number, _since = at_work(t, access="rw", seconds=1200, uses=1)
    end = look(t, number)["end"]
    files = carried(t)
    with boot_again(t, files) as later:
        ready(later)
        # Its one use was over when the terminal was switched off with the stick in.
        later.wait_until(lambda: state(later, number) == "used-up", SLOW, "the use that is over")
        assert look(later, number)["end"] == end
        login(later, TANAKA, 1)
        switch(later, TANAKA)
        plug_denied(later, stick("time"), serial="TIME")
    with boot_again(t, files, ("-rtc", "base=2020-01-01T00:00:00")) as past:
        ready(past)
        past.wait_until(lambda: state(past, number) in ("expired", "used-up"), SLOW, "its end")
        assert state(past, number) == "expired", "nobody knows how long the terminal was off"
        record = past.wait_until(lambda: [line for line in past.read("/var/log/sekimori/events.jsonl").splitlines()
                                          if '"exception-clock"' in line], SLOW, "the record")[0]
        assert '"voided"' in record, record
