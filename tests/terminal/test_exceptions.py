# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary exceptions played at the virtual terminal: from a denied stick to its end in the middle of the work."""

import time

from barrier import Since, disks, images, ready, unplug_all
from granting import CLERK, SLOW, approve, granted, look, plug_denied, prepare, removed_at, request, state, step
from sessions import SUZUKI, TANAKA, login, logout, options, run_as, session, switch

# tests/unit/test-session-grant.c has both; test_exception_life.py has a grant that is good for one use.
LONG = {"test_end_takes_an_idle_medium_at_once_and_it_is_seen_erased_later",
        "test_it_waits_for_its_device_and_for_what_was_granted", "test_quota_ends_it_and_the_last_use_is_the_last",
        "test_setting_the_clock_makes_it_shorter_or_nothing"}
# A stick without anything on it is read in many places, which takes an emulated one long.
OPTIONS = options(files={"/etc/sekimori/sekimorid.conf": "terminal ZEI-014\ninspect-deadline 40\n"})
MOUNT = "/run/media/tanaka/PLAIN"
LATE = 3  # seconds; the goal is 2, and 0.2 for what is idle, on a machine that does nothing else

SAID = "/run/background.out"  # by what runs on the side

background = []
pace = [3.0]  # seconds from an approval to the disk, on this machine


def setup(t):
    ready(t)
    prepare(t)
    if not session(t, TANAKA):
        login(t, TANAKA, 1)
        switch(t, TANAKA)


def teardown(t):
    while background:
        t.run(f"pkill -KILL -s {background.pop()}", check=False)
    unplug_all(t)


def stick(name):
    """A stick with a file system, not shared with other tests: it is written to."""
    def make(d):
        return d.plain(name)
    make.__module__ = __name__
    return images.get(name, make)


def wait_disk(t):
    t.wait_until(lambda: disks(t), SLOW, "the disk")


def wait_gone(t, timeout=20):
    t.wait_until(lambda: not disks(t), timeout, "no disk")


def opened(t):
    t.wait_until(lambda: run_as(t, TANAKA, "sekimorictl open --json", check=False, timeout=60).status == 0, SLOW, "the volume")
    t.wait_until(lambda: MOUNT in t.read("/proc/mounts"), what="its mount")


def uptime(record):
    return record["boot_us"] / 1e6


def start(t, command):
    """Something that tanaka does on the side."""
    background.append(t.start(f"runuser -u tanaka -- sh -c '{command}'", out=SAID))


def test_denied_stick_is_approved_by_two_read_and_taken_back_in_use(t):
    setup(t)
    since = plug_denied(t, stick("granted"))
    assert since.records("denied")[0]["reason"] == "not-registered"
    number = request(t, access="ro", seconds=1200)
    assert run_as(t, TANAKA, "cat /proc/self/loginuid").out.strip() == str(TANAKA.uid), "PAM has noted who logged in"
    assert approve(t, TANAKA, number, check=False).status != 0, "his own"
    approve(t, SUZUKI, number)
    assert approve(t, SUZUKI, number, check=False).status != 0, "the same again"
    assert not disks(t)
    start_time = time.monotonic()
    approve(t, CLERK, number)
    wait_disk(t)
    pace[0] = max(pace[0], time.monotonic() - start_time)
    print(f"      approval to disk: {time.monotonic() - start_time:.2f} s")
    allowed = since.wait("allowed")
    print(f"      in force to allowed: {uptime(allowed) - uptime(since.wait('exception-begin')):.2f} s")
    assert (allowed["reason"], allowed["access"], allowed["exception"]) == ("granted", "ro", number), allowed
    assert allowed["decided_by"].startswith("grant ")
    opened(t)
    assert t.run("dd if=/dev/zero of=/dev/sda bs=512 count=1 conv=notrunc", check=False).status != 0, "read-only for root, too"
    assert run_as(t, TANAKA, f"touch {MOUNT}/x", check=False).status != 0
    start(t, f"cd {MOUNT} && exec sleep 300")

    t.run("date -s '+20 minutes'")
    expired = since.wait("exception-expire", 40)
    wait_gone(t)
    gone = removed_at(t, since)[-1] - uptime(expired)
    print(f"      held: deadline to no disk {gone:.2f} s")
    assert gone < LATE, gone
    assert since.wait("revoked")["why"] in ("exception", "time", "clock")
    closed = t.wait_until(lambda: since.records("volume-closed") or since.records("volume-refused", reason="close-failed"),
                          20, "the volume's end")[0]
    assert ("sleep", TANAKA.uid) in [(h["program"], h["uid"]) for h in closed["holders"]], closed
    ended = look(t, number)
    assert (ended["state"], ended["used"]) == ("expired", 1), ended
    assert {"erasure", "return"} <= set(ended["due"]), ended


def test_end_takes_an_idle_medium_at_once_and_it_is_seen_erased_later(t):
    setup(t)
    since = plug_denied(t, stick("idle"), serial="IDLE")
    number = granted(t, access="rw", seconds=int(2.5 * pace[0]))
    wait_disk(t)
    expired = since.wait("exception-expire", SLOW)
    wait_gone(t)
    gone = removed_at(t, since)[-1] - uptime(expired)
    print(f"      idle: deadline to no disk {gone * 1000:.0f} ms")
    assert gone < LATE / 3, gone
    assert abs(look(t, number)["ended"] - look(t, number)["end"]) <= 1
    t.unplug("a")

    # The same stick, which begins with zeros; then one where nothing was found anywhere.
    def blank(name, dirty):
        def make(d):
            path = d.blank(name, 64 << 20)
            if dirty:
                d.patch(path, 1 << 20, b"\1" * 4096)
            return path
        make.__module__ = __name__
        return images.get(name, make)
    plug_denied(t, blank("dirty", True), serial="IDLE")
    assert "erasure" in look(t, number)["due"]
    t.unplug("a")
    plug_denied(t, blank("clean", False), serial="IDLE")
    t.wait_until(lambda: "erasure" not in look(t, number)["due"], SLOW, "the erasure seen")
    confirmed = since.wait("exception-confirm-erased")
    assert "256 places" in confirmed["note"], confirmed


def test_revoking_while_somebody_writes_ends_it_at_once(t):
    setup(t)
    since = plug_denied(t, stick("written"), serial="WRITTEN")
    number = granted(t, access="rw", seconds=600)
    wait_disk(t)
    opened(t)
    start(t, f"exec dd if=/dev/zero of={MOUNT}/big bs=64k count=900")
    try:
        t.wait_until(lambda: t.exists(f"{MOUNT}/big"), what="somebody writing")
    except AssertionError as e:
        raise AssertionError(f"{e}; dd: {t.read(SAID)!r}; {t.run(f'ls -la {MOUNT}; grep PLAIN /proc/mounts', check=False)!r}; "
                             f"{since.records()[-3:]}") from None
    time.sleep(0.5)
    step(t, SUZUKI, number, "Revoke", "s", "もう要りません")
    revoked = since.wait("exception-revoke")
    wait_gone(t)
    gone = removed_at(t, since)[-1] - uptime(revoked)
    print(f"      writing: revoked to no disk {gone:.2f} s")
    assert gone < LATE, gone
    t.wait_until(lambda: look(t, number)["written"] > 0, 10, "what was written")
    assert state(t, number) == "revoked"
    t.settle()


def test_quota_ends_it_and_the_last_use_is_the_last(t):
    setup(t)
    since = plug_denied(t, stick("quota"), serial="QUOTA")
    number = granted(t, access="rw", seconds=600, write_quota=2 << 20)
    wait_disk(t)
    opened(t)
    start(t, f"exec dd if=/dev/zero of={MOUNT}/big bs=64k count=160 oflag=dsync")
    since.wait("exception-use-up", 30)
    wait_gone(t)
    assert look(t, number)["written"] >= 2 << 20
    t.unplug("a")

    since = plug_denied(t, stick("once"), serial="ONCE")
    number = granted(t, access="ro", seconds=600, uses=1)
    wait_disk(t)
    # Neither a restart of the daemon nor somebody else at the terminal is a second use.
    t.run("systemctl restart sekimorid")
    ready(t)
    since.wait("resumed", SLOW)
    assert disks(t) and look(t, number)["used"] == 1
    logout(t, TANAKA)
    wait_gone(t)
    assert state(t, number) == "live"
    login(t, TANAKA, 1)
    switch(t, TANAKA)
    wait_disk(t)
    assert look(t, number)["used"] == 1
    since = Since(t)
    t.unplug("a")
    since.wait("exception-use-up")
    plug_denied(t, stick("once"), serial="ONCE")


def test_it_waits_for_its_device_and_for_what_was_granted(t):
    setup(t)
    plug_denied(t, stick("early"), serial="EARLY")
    number = request(t, access="ro", seconds=600, uses=1)
    approve(t, SUZUKI, number)
    t.unplug("a")
    approve(t, CLERK, number)
    assert look(t, number)["used"] == 0
    since = Since(t)
    t.plug_storage("a", stick("early"), serial="EARLY")
    since.wait("released", SLOW)
    wait_disk(t)
    assert look(t, number)["used"] == 1
    # One for encrypted media takes a plain one nowhere.
    t.unplug("a")
    plug_denied(t, stick("early"), serial="PLAIN")
    since = Since(t)
    plain = granted(t, access="ro", seconds=600, encrypted_only="true")
    assert since.wait("denied", SLOW)["reason"] == "granted-encrypted-only"
    assert not disks(t) and look(t, plain)["used"] == 0
    t.unplug("a")
    plug_denied(t, images.luks2(), serial="LUKS")
    since = Since(t)
    number = granted(t, access="ro", seconds=600, encrypted_only="true")
    wait_disk(t)
    assert since.wait("allowed")["method"] == "luks2"
    step(t, SUZUKI, number, "Revoke", "s", "終わり")
    wait_gone(t)
    assert since.wait("exception-use")["exception"] == number


def test_setting_the_clock_makes_it_shorter_or_nothing(t):
    setup(t)
    since = plug_denied(t, stick("clock"), serial="CLOCK")
    length = int(2.5 * pace[0])
    first = granted(t, access="ro", seconds=length)
    wait_disk(t)
    begun = since.wait("exception-begin")
    t.run("date -s '-1 hour'")
    expired = since.wait("exception-expire", SLOW)
    assert uptime(expired) - uptime(begun) < length + 2, "by the time that has passed, whatever the clock says"
    wait_gone(t)
    assert state(t, first) == "expired"
    t.run("date -s '+1 hour'")
    since = Since(t)
    second = granted(t, access="ro", seconds=600)
    wait_disk(t)
    t.run("date -s '+2 hours'")
    since.wait("exception-expire")
    wait_gone(t)
    t.run("date -s '-2 hours'")
    assert state(t, second) == "expired" and not disks(t), "set right again it stays over"
