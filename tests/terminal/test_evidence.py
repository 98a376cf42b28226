# SPDX-License-Identifier: GPL-2.0-or-later
"""The event log in the terminal as Debian boots it: killed writers, a full disk, root who spoils it; journal and audit."""

import json
import os
import time

from barrier import LOG, Bus, Since, daemon_pid, disks, images, ready, records, unplug_all
from logwalk import log_lines, walk
from sessions import options
from terminal import TOP

# journald may have its own mind about auditing, and turns it off where it was built so.
LONG = {"test_a_clock_that_goes_back_is_a_record", "test_a_full_disk_blocks_and_the_log_recovers_by_itself",
        "test_a_log_directory_that_was_removed_is_made_again_without_anybodys_doing",
        "test_a_log_that_was_made_anew_with_its_keys_is_not_the_one_that_the_journal_knows",
        "test_killed_under_load_it_leaves_a_whole_chain"}
OPTIONS = options(cmdline="audit=1 audit_backlog_limit=8192", files={"/etc/systemd/journald.conf.d/audit.conf": "[Journal]\nAudit=yes\n"})
SLOW = 30


def teardown(t):
    unplug_all(t)


def restart(t, action="restart"):
    t.run(f"systemctl {action} sekimorid", timeout=SLOW)
    if action != "stop":
        ready(t)


def journal(t, kind):
    out = t.run(f"journalctl -q --no-pager -o json SEKIMORI_KIND={kind}").out
    return [json.loads(line) for line in out.splitlines()]


def test_a_log_is_begun_with_its_keys_and_a_signed_checkpoint(t):
    ready(t)
    found = records(t)
    assert found[0]["kind"] == "log-begun" and found[0]["why"] == "first", found[0]
    assert found[0]["sealed_to"] == "" and len(found[0]["public"]) == 44, found[0]
    point = next(r for r in found if r["kind"] == "checkpoint")
    before = next(r for r in found if r["seq"] == point["at"])
    assert point["head"] == before["hash"] and point["log"] == found[0]["log"], (point, before)
    assert all(isinstance(r["sync"], bool) for r in found), found[0]
    assert walk(log_lines(t)) == []
    modes = t.run("stat -c '%a %n' /var/lib/sekimori/log /var/lib/sekimori/log/terminal.key "
                  "/var/lib/sekimori/log/state /var/log/sekimori/events.jsonl").out.split()[::2]
    assert modes == ["700", "600", "600", "640"], modes
    anchor = journal(t, "checkpoint")[0]
    assert (anchor["SEKIMORI_AT"], anchor["SEKIMORI_HEAD"]) == (str(point["at"]), point["head"]), anchor
    assert anchor["SEKIMORI_SIGNATURE"] == point["signature"]
    # Nobody else may read the keys; the service's log says that no desk can check them yet.
    assert "sealed to nobody" in t.run("journalctl -q --no-pager -o cat -u sekimorid").out


def test_a_verdict_is_in_journal_and_audit_with_hostile_names_made_safe(t):
    # Without auditd the kernel prints what it audits, and not all of it when that is much.
    t.write("/proc/sys/kernel/printk_ratelimit", "0")
    since = Since(t)
    bus = Bus(t)
    t.plug_storage("a", images.plain(), serial="NO\"BODY")
    denied = since.wait("denied")
    bus.wait("DeviceDenied")
    t.wait_until(lambda: denied["hash"] in bus.text(), what="the record's hash in its signal")
    entry = t.wait_until(lambda: journal(t, "denied"), what="a journal entry")[-1]
    assert (entry["SEKIMORI_SEQ"], entry["SEKIMORI_HASH"]) == (str(denied["seq"]), denied["hash"]), entry
    assert entry["SEKIMORI_REASON"] == "not-registered" and entry["PRIORITY"] == "4", entry
    assert entry["MESSAGE"].startswith("A device was refused (device ") and "not-registered" in entry["MESSAGE"]
    assert entry["SEKIMORI_SERIAL"] == denied["serial"]
    kernel = t.wait_until(lambda: [line for line in t.dmesg().splitlines()
                                   if "type=1137" in line and 'op="denied"' in line],
                          what=f"an audit record; {t.run('dmesg | grep -i audit | tail -5', check=False).out}")
    assert f"seq=\"{denied['seq']}\"" in kernel[-1] and "res=failed" in kernel[-1], (kernel, denied)
    # A quote in a serial number would end audit's quotes: such a value is written in hexadecimal.
    assert f"serial={denied['serial'].encode().hex().upper()}" in kernel[-1], kernel[-1]
    bus.close()


def test_the_catalogue_explains_in_english_and_japanese(t):
    t.run("journalctl --update-catalog")
    shown = t.run("journalctl -q --no-pager -x SEKIMORI_KIND=started | cat").out
    assert "Subject: The barrier's keeper has started" in shown and "what was held stayed held" in shown, shown
    # No Japanese locale is installed here: its catalogue takes the English one's place for once.
    with open(os.path.join(TOP, "packaging/sekimori.ja.catalog"), encoding="utf-8") as f:
        t.run("mkdir -p /usr/local/lib/systemd/catalog")
        t.write("/usr/local/lib/systemd/catalog/sekimori.catalog", f.read())
    t.run("journalctl --update-catalog")
    shown = t.run("LC_ALL=C.UTF-8 journalctl -q --no-pager -x SEKIMORI_KIND=started | cat").out
    assert "Subject: 関門の常駐プログラムが起動しました" in shown, shown
    t.run("rm /usr/local/lib/systemd/catalog/sekimori.catalog; journalctl --update-catalog")


def test_killed_under_load_it_leaves_a_whole_chain(t):
    for step in range(4):
        since = Since(t)
        t.plug_storage("a", images.plain(), serial="PLAIN")
        t.plug_storage("b", images.luks2(), serial="GOOD")
        time.sleep(0.2 * step)
        t.run("pkill -KILL -x sekimorid")
        t.wait_until(lambda: daemon_pid(t), SLOW, "the next daemon")
        since.wait("started", SLOW)
        t.unplug("a")
        t.unplug("b")
    ready(t)
    assert walk(log_lines(t)) == []
    # A line that the power cut is told of by the next record.
    restart(t, "stop")
    last = records(t)[-1]["seq"]
    t.run(f"printf '{{\"seq\":99,\"ki' >> {LOG}")
    restart(t, "start")
    told = next(r for r in map(json.loads, t.read(LOG).split('{"seq":99,"ki\n')[1].splitlines()))
    assert (told["kind"], told["seq"], told["torn_bytes"]) == ("log-recovered", last + 1, 13), told
    assert walk(log_lines(t)) == []


def test_a_clock_that_goes_back_is_a_record(t):
    restart(t, "stop")
    t.run("date -s '-1 hour'")
    restart(t, "start")
    since = records(t)[-6:]
    told = [r for r in since if r["kind"] == "clock-reversed"]
    assert told and told[0]["earlier_than"] > told[0]["time"], since
    t.run("date -s '+1 hour'")


KEYS = "/var/lib/sekimori/log"

# What root does, what the log says then, what `log verify` finds: kinds with the first record of each, counted from the newest
# one before the deed (None: it is 1).
SPOILING = [
    ("sed -i '$ s/\"kind\":\"/\"kind\":\"x/' {log}", "log-damaged", [("altered", 0)]),
    ("sed -i '$ d' {log}", "log-damaged", [("removed", 0)]),
    ("truncate -s -20 {log}", "log-damaged", [("altered", 0)]),
    ("rm {log}", "log-continued", [("removed", None), ("removed", None)]),
    # No header is left that would say whose log it is.
    ("rm {log}; echo '{{\"seq\":1}}' > {log}; chmod 640 {log}", "log-damaged",
     [("altered", 0), ("removed", None), ("foreign", -1)]),
]


def verify(t):
    """The answer of log verify, and its findings as (kind, first record)."""
    done = t.run("sekimorictl --json log verify", check=False)
    answer = json.loads(done.out)
    assert done.status == (0 if answer["ok"] else 1), done
    return answer, [(f["kind"], f["from"]) for f in answer["findings"]]


def fresh(t):
    """A log of its own, so that one damage does not hide another; and a journal that knows no other."""
    restart(t, "stop")
    t.run(f"rm -rf /var/log/sekimori/* {KEYS}; journalctl --sync; sleep 1.1; journalctl --rotate --vacuum-time=1s 2>&1")
    restart(t, "start")
    answer, found = verify(t)
    assert answer["ok"] and not found and answer["anchors_journal"] >= 1, answer


def spoil(t, command, kind, expected, running):
    fresh(t)
    if not running:
        restart(t, "stop")
    bus = Bus(t)
    last = json.loads(log_lines(t)[-1])["seq"]
    t.run(command.format(log=LOG))
    if running:
        t.plug_storage("a", images.plain(), serial="PLAIN")
    else:
        restart(t, "start")
    said = t.wait_until(lambda: [json.loads(line) for line in log_lines(t) if b'"kind":"%s"' % kind.encode() in line],
                        what=f"{kind} after {command}")[0]
    assert said["seq"] == last + 1, (command, said, last)
    entry = journal(t, kind)[-1]
    assert entry["PRIORITY"] == "3" and entry["SEKIMORI_HASH"] == said["hash"], entry
    # Also what was found before there was a bus.
    t.wait_until(lambda: "member=LogDamaged" in bus.text(), what=f"the signal LogDamaged; {bus.text()[-2000:]}")
    assert said["hash"] in bus.text()
    state = t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 "
                  "org.sekimori.Sekimori1.Manager LogDamage").out
    assert state.strip() == f's "{kind} {said["seq"]}"', state
    bus.close()
    incident = t.wait_until(lambda: [r for r in records(t) if r.get("kind") == "incident"], what="the incident")[0]
    assert (incident["type"], incident["first_seq"]) == ("log-damage", said["seq"]), incident
    if running:
        t.unplug("a")
    answer, found = verify(t)
    wanted = [(what, 1 if back is None else last - back) for what, back in expected]
    return [] if found == wanted else [(command, found, wanted, answer)]


def test_what_root_does_to_the_log_is_named(t):
    wrong = [w for what in SPOILING for w in spoil(t, *what, running=False)]
    wrong += spoil(t, *SPOILING[2], running=True)
    assert not wrong, wrong


def test_a_log_that_was_made_anew_with_its_keys_is_not_the_one_that_the_journal_knows(t):
    fresh(t)
    restart(t, "stop")
    anchor = int(journal(t, "checkpoint")[-1]["SEKIMORI_SEQ"])
    t.run(f"rm -rf /var/log/sekimori/* {KEYS}")
    restart(t, "start")
    for _ in range(3):
        if records(t)[-1]["seq"] > anchor:
            break
        restart(t)
    answer, found = verify(t)
    assert not answer["ok"] and {kind for kind, _ in found} == {"anchor"}, answer
    assert found[0][1] <= anchor, (found, anchor)
    fresh(t)


def test_a_log_directory_that_was_removed_is_made_again_without_anybodys_doing(t):
    pid = daemon_pid(t)
    last = records(t)[-1]["seq"]
    t.run("rm -rf /var/log/sekimori")
    t.plug_storage("a", images.luks2(), serial="GOOD")
    t.wait_until(lambda: disks(t), 90, "the medium, let in once the log can be written")
    assert daemon_pid(t) != pid and t.run("stat -c '%a %U' /var/log/sekimori").out.split() == ["750", "root"]
    first = records(t)[0]
    assert (first["kind"], first["why"], first["seq"]) == ("log-continued", "file-missing", last + 1), first
    assert "so that systemd makes it anew" in t.run("journalctl -q --no-pager -o cat -p err -u sekimorid").out
    assert verify(t)[1][0] == ("removed", 1)
    fresh(t)


def log_state(t):
    return t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 "
                 "org.sekimori.Sekimori1.Manager LogState").out


def test_a_full_disk_blocks_and_the_log_recovers_by_itself(t):
    restart(t, "stop")
    t.run("rm -rf /var/log/sekimori/* /var/lib/sekimori/log; "
          "mount -t tmpfs -o size=64k,mode=750 full /var/log/sekimori")
    restart(t, "start")
    t.wait_until(lambda: log_state(t) == 's "disk nearly full: less than 64 MiB left"\n', what="a warning before it is full")
    bus = Bus(t)
    t.run("dd if=/dev/zero of=/var/log/sekimori/filler bs=1k count=64 2>/dev/null", check=False)
    t.run("yes x 2>/dev/null | head -c 4096 >> /var/log/sekimori/filler", check=False)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    t.wait_until(lambda: "log-unwritable" in bus.text() or len(bus.members()) > 6 or disks(t), SLOW,
                 f"an answer; {bus.text()[-500:]}")
    # The last page may still take a record or two: then it comes later.
    for _ in range(20):
        if "log-unwritable" in bus.text():
            break
        t.unplug("a")
        t.plug_storage("a", images.luks2(), serial="GOOD")
        time.sleep(1.5)
    assert "log-unwritable" in bus.text() and not disks(t), bus.text()[-2000:]
    state = log_state(t)
    assert state.strip() == 's "cannot be written: No space left on device"', state
    assert "nothing is let through" in t.run("journalctl -q --no-pager -o cat -p err -u sekimorid").out

    t.run("rm /var/log/sekimori/filler")
    t.wait_until(lambda: disks(t), SLOW, "the medium that was refused, let in without anybody's doing")
    told = [r for r in records(t) if r["kind"] == "log-recovered"]
    assert told and told[-1]["lost"] >= 1 and told[-1]["error"] == "No space left on device", told
    assert walk(log_lines(t)) == []
    lost = [e for e in journal(t, "denied") if e.get("SEKIMORI_LOST") == "1"]
    assert lost and "SEKIMORI_SEQ" not in lost[-1], "the journal has what the log could not take"
    bus.close()
    unplug_all(t)
    restart(t, "stop")
    t.run("umount /var/log/sekimori; rm -rf /var/lib/sekimori/log")
    restart(t, "start")
