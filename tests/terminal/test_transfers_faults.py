# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever watches an open volume dies, cannot begin, or loses the medium: nothing goes on unseen, and what was not seen is
a record."""

from barrier import UUID, Since
from policies import use
from sessions import TANAKA, options
from test_transfers import do, eject, opened, watchers
from test_volumes_session import MEDIA, SLOW, ctl, mappings, property, secret, teardown

LONG = True  # minutes under emulation: run by `make test-long`
OPTIONS = options()
HELPER = "/usr/libexec/sekimori/sekimori-transfer"

__all__ = ["teardown"]


def test_a_watcher_that_dies_is_replaced_and_the_gap_is_a_record(t):
    since, where = opened(t, "vfat")
    for restart, detail in ((f"kill -9 {watchers(t)[0]}", "sekimori-transfer died of signal 9"),
                            ("systemctl restart sekimorid", "the volume was open while no daemon was there")):
        gap = Since(t)
        old = watchers(t)
        t.run(restart, timeout=SLOW)
        record = gap.wait("transfers-unwatched", SLOW)
        assert (record["detail"], record["user"], record["volume"]) == (detail, "tanaka", UUID), record
        t.wait_until(lambda: watchers(t) and watchers(t) != old, SLOW, "another watcher")
        assert gap.wait("transfers-watched", SLOW)["seq"] > record["seq"]
        do(t, where, "printf 1234 > again; rm again")
        gap.wait("file", op="delete", path="again")
        assert property(t, "State") == 's "open"'
    # One that dies whenever it is started is no watcher.
    for _ in range(4):
        pids = t.wait_until(lambda: watchers(t) or not mappings(t), SLOW, "a watcher, or the end") and watchers(t)
        if pids:
            t.run(f"kill -9 {' '.join(pids)}", check=False)
            t.wait_until(lambda: watchers(t) != pids, SLOW, "it is gone")
    record = since.wait("volume-refused", SLOW)
    assert record["reason"] == "transfers-unwatched", record
    t.wait_until(lambda: not mappings(t), SLOW, "closed")
    assert since.wait("volume-closed")["user"] == "tanaka"
    assert property(t, "State") == 's "failed"' and property(t, "Error") == 's "transfers-unwatched"'


def test_a_volume_that_cannot_be_watched_is_not_opened(t):
    since, where = opened(t, "vfat")
    eject(t, since)
    since = Since(t)
    t.run(f"mv {HELPER} {HELPER}.away")
    for stand_in in ("", f"cp /bin/false {HELPER}", f"printf '#!/bin/sh\necho allowed >&4; sleep 9\n' > {HELPER}; chmod 755 {HELPER}"):
        t.run(stand_in or "true")
        refused = ctl(t, TANAKA, f"open --json --passphrase-file {secret(t, TANAKA)}", check=False)
        assert refused.status != 0 and "transfers-unwatched" in refused.out, refused
        t.wait_until(lambda: not mappings(t), SLOW, "nothing is left open")
        assert not t.exists(where)
    t.run(f"mv {HELPER}.away {HELPER}")
    assert {r["reason"] for r in since.records("volume-refused")} == {"transfers-unwatched"}
    assert not since.records("volume-opened")
    # Where the policy does not ask for it nobody watches.
    use(t, "transfers off\ndefault block\n" + MEDIA)
    ctl(t, TANAKA, f"open --passphrase-file {secret(t, TANAKA)}")
    assert since.records("volume-opened")[0]["transfers"] == "off" and not watchers(t)
    eject(t, since)


def test_what_was_written_before_it_was_pulled_out_is_told(t):
    since, where = opened(t, "vfat")
    t.run(f"cd {where} && runuser -u tanaka -- sh -c 'printf 12 > first; exec dd if=/dev/zero of=second bs=64k' "
          ">/dev/null 2>&1 &")
    since.wait("file", op="create", path="second")
    t.unplug("a")
    since.wait("volume-closed", SLOW)
    t.wait_until(lambda: not watchers(t) and not mappings(t), SLOW, "no watcher, no mapping")
    written = since.records("file", op="write", path="first")
    assert written and written[0]["size"] == 2, since.records()
