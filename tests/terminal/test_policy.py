# SPDX-License-Identifier: GPL-2.0-or-later
"""The policy at work: it is reloaded, refused, expires, and what it allowed ends with it."""

import re
import time

from barrier import (STICK, UUID, Bus, Since, check_daemon, disks, driver, images, medium, options, ready, records,
                     SANITIZED, unplug_all)
from policies import POLICY_FILE, newest, put, reload, use

# tests/unit/test-rule-conditions.c and test-decide-rules.c have the first two, tests/differential the third.
LONG = {"test_device_allowed_only_beside_another_ends_with_it", "test_each_interface_of_a_composite_device_has_its_own_verdict",
        "test_expired_policy_blocks_and_says_so_and_keyboards_stay", "test_first_rule_that_matches_decides_and_is_named",
        "test_header_demands_encryption_of_what_rules_allow", "test_rejected_device_is_taken_away",
        "test_reload_that_changes_nothing_leaves_a_stick_alone", "test_rules_that_usbguard_wrote_allow_what_it_meant",
        "test_storage_that_is_allowed_later_is_read_only_all_the_same", "test_window_over_midnight",
        "test_window_that_closes_ends_what_it_allowed_while_it_is_read"}
OPTIONS = options(daemon=SANITIZED)

GOOD = medium("ZEI-001", "GOOD", UUID)
STORAGE = "allow with-interface one-of { 08:*:* }"
GADGET = "/usr/lib/terminal/gadget.sh"


def teardown(t):
    unplug_all(t)
    use(t, GOOD)
    check_daemon(t)


def allowed(t, since, **match):
    record = since.wait("released", **match)
    return record, t.wait_until(lambda: disks(t), what="the disk")[0]


def no_disk(t, timeout=10):
    t.wait_until(lambda: not disks(t), timeout, "no disk")


def set_clock(t, text):
    t.run(f"date -s '{text}' > /dev/null")


# --- live effect ---

def test_reload_revokes_a_stick_that_was_reported_lost(t):
    ready(t)
    use(t, GOOD)
    since, bus = Since(t), Bus(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    allowed(t, since)
    version = use(t, medium("ZEI-001", "GOOD", UUID, status="lost"))
    no_disk(t)
    assert since.wait("revoked")["why"] == "policy"
    record = since.wait("denied")
    assert record["reason"] == "medium-lost" and record["decided_by"] == f"{POLICY_FILE}:3", record
    assert driver(t, record["device"] + ":1.0") == ""
    bus.wait("DeviceRevoked")
    bus.wait("DeviceDenied")
    assert "PolicyChanged" in bus.text()
    bus.close()
    # Found again: the same device, still plugged, is proved anew.
    assert use(t, GOOD) == version + 1
    since.wait("released", state="allowed")
    t.wait_until(lambda: disks(t), what="the disk again")


def test_reload_that_changes_nothing_leaves_a_stick_alone(t):
    ready(t)
    use(t, GOOD)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    _, disk = allowed(t, since)
    t.run(f"exec 9< /dev/{disk}; sleep 100 <&9 & echo $! > /run/holder")
    use(t, "# moved down\n\n" + GOOD)
    time.sleep(1)
    assert disks(t) == [disk] and not since.records("revoked")
    assert t.run(f"dd if=/dev/{disk} of=/dev/null bs=4k count=1 iflag=direct", check=False).status == 0
    t.run("kill $(cat /run/holder)")


def test_bad_new_policy_leaves_the_old_one_in_force_and_says_why(t):
    ready(t)
    use(t, GOOD)
    since, bus = Since(t), Bus(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    allowed(t, since)
    put(t, GOOD + "allow wiht-interface 08:*:*\n")
    reload(t)
    record = since.wait("policy-refused")
    assert record["reason"] == "errors" and f"{POLICY_FILE}:4:7: error: " in record["error"], record
    shown = t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 "
                  "org.sekimori.Sekimori1.Manager PolicyError").out
    assert f"{POLICY_FILE}:4:7" in shown, shown
    assert "PolicyRefused" in bus.text() and disks(t)
    bus.close()
    refused = t.run("busctl call org.sekimori.Sekimori1 /org/sekimori/Sekimori1 org.sekimori.Sekimori1.Manager "
                    "ReloadPolicy", check=False)
    assert refused.status != 0 and f"{POLICY_FILE}:4:7" in refused.err, refused
    put(t, GOOD)
    t.run("busctl call org.sekimori.Sekimori1 /org/sekimori/Sekimori1 org.sekimori.Sekimori1.Manager ReloadPolicy")
    assert not since.records("revoked") and disks(t)


def test_only_root_may_reload(t):
    ready(t)
    call = ("busctl call org.sekimori.Sekimori1 /org/sekimori/Sekimori1 org.sekimori.Sekimori1.Manager ReloadPolicy")
    result = t.run(f"setpriv --reuid 1000 --regid 1000 --clear-groups {call}", check=False)
    assert result.status != 0 and "denied" in result.err.lower(), result
    t.run(call)


def test_policy_file_that_others_may_write_is_refused(t):
    ready(t)
    use(t, GOOD)
    since = Since(t)
    put(t, "allow\n")
    t.run(f"chmod 666 {POLICY_FILE}")
    reload(t)
    record = since.wait("policy-refused")
    t.run(f"chmod 644 {POLICY_FILE}")
    assert record["reason"] == "unsafe", record
    t.plug_storage("a", images.plain(), serial="NOBODY")
    since.wait("denied", reason="not-registered")


def test_roll_back_is_refused_also_after_a_restart(t):
    ready(t)
    version = use(t, GOOD + "block\n")
    old = f"policy test-terminal\nversion {version - 1}\n{GOOD}allow\n"
    since = Since(t)
    t.write(POLICY_FILE, old)
    reload(t)
    record = since.wait("policy-refused")
    assert record["reason"] == "rollback" and str(version) in record["error"], record
    # A terminal that starts with the old file keeps to what it has accepted.
    since = Since(t)
    t.run("pkill -KILL -x sekimorid; while pidof sekimorid; do sleep 0.05; done", check=False)
    t.run(f"{SANITIZED} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")
    ready(t)
    started = since.wait("started")
    assert started["state"] == "previous" and started["policy_version"] == version, started
    t.plug_storage("a", images.plain(), serial="NOBODY")
    since.wait("denied", reason="rule-blocked")
    since.assert_no_disk()
    assert newest(t) == version


def test_expired_policy_blocks_and_says_so_and_keyboards_stay(t):
    ready(t)
    set_clock(t, "2026-11-21 10:00:00")
    use(t, f"valid-until 2026-11-21T10:00:09\n{GOOD}")
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    allowed(t, since)
    t.plug("usb-kbd", "kbd")
    no_disk(t, 15)
    assert since.wait("revoked")["why"] == "time"
    since.wait("denied", reason="policy-expired")
    since.wait("passed")
    state = t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 "
                  "org.sekimori.Sekimori1.Manager PolicyState").out
    assert "expired" in state, state
    t.wait_until(lambda: "usbhid" in t.run("readlink /sys/bus/usb/devices/*/driver", check=False).out, what="keyboard")
    t.unplug("kbd")


# --- windows ---

def test_window_that_closes_ends_what_it_allowed_while_it_is_read(t):
    ready(t)
    set_clock(t, "2026-11-20 16:59:50")
    use(t, f"{STORAGE} encrypted luks2 if localtime(Mon-Fri 08:30-17:00)\n")
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="ANY")
    record, disk = allowed(t, since)
    assert record["reason"] == "rule-allowed" and record["method"] == "luks2", record
    t.run(f"(while dd if=/dev/{disk} of=/dev/null bs=64k iflag=direct 2>/run/dd.err; do :; done; date +%H:%M:%S > /run/dd.end) &")
    no_disk(t, 20)
    end = t.wait_until(lambda: t.exists("/run/dd.end") and t.read("/run/dd.end"), what="the end of reading").strip()
    assert "17:00:00" <= end <= "17:00:03", end
    assert since.wait("revoked")["why"] == "time"
    assert since.wait("denied")["reason"] == "conditions-not-met"
    # The next morning is a Saturday; on Monday it comes back by itself.
    set_clock(t, "2026-11-21 09:00:00")
    since.wait("clock-set")
    time.sleep(1)
    assert not disks(t)
    set_clock(t, "2026-11-23 09:00:00")
    t.wait_until(lambda: disks(t), 20, "the disk on Monday")


def test_window_over_midnight(t):
    ready(t)
    set_clock(t, "2026-11-20 23:59:53")
    use(t, f"{STORAGE} if localtime(22:00-24:00)\n{STORAGE} access ro if localtime(22:00-00:01)\n")
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="NIGHT")
    allowed(t, since, access="rw")
    since.wait("revoked", timeout=20)
    allowed(t, since, access="ro")
    set_clock(t, "2026-11-21 00:00:57")
    no_disk(t, 15)


def test_clock_set_back_before_the_window_ends_it_too(t):
    ready(t)
    set_clock(t, "2026-11-20 12:00:00")
    use(t, f"{STORAGE} from 2026-11-20T11:00 until 2026-11-20T13:00\n")
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="TERM")
    allowed(t, since)
    set_clock(t, "2026-11-20 10:00:00")
    since.wait("clock-set")
    no_disk(t)
    assert since.wait("revoked")["why"] == "clock"
    assert since.wait("denied")["reason"] == "outside-term"


# --- rules ---

def test_read_only_rule_makes_a_disk_that_root_cannot_write(t):
    ready(t)
    use(t, f"{STORAGE} access ro\n")
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="READ")
    record, disk = allowed(t, since)
    assert record["access"] == "ro", record
    t.wait_until(lambda: t.run(f"blockdev --getro /dev/{disk}").out.strip() == "1", what="read-only")
    result = t.run(f"dd if=/dev/zero of=/dev/{disk} bs=512 count=1 oflag=direct", check=False)
    assert result.status != 0, result
    assert t.run(f"dd if=/dev/{disk} of=/dev/null bs=512 count=1 iflag=direct", check=False).status == 0


def test_first_rule_that_matches_decides_and_is_named(t):
    ready(t)
    use(t, f'block serial "B"\nallow id {STICK} serial one-of {{ "A" "B" }}\nblock\n')
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="A")
    record, _ = allowed(t, since, serial="A")
    assert record["decided_by"] == f"{POLICY_FILE}:4", record
    t.plug_storage("b", images.plain(), serial="B")
    assert since.wait("denied", serial="B")["decided_by"] == f"{POLICY_FILE}:3"
    t.plug_storage("c", images.plain(), serial="C")
    assert since.wait("denied", serial="C")["decided_by"] == f"{POLICY_FILE}:5"


def test_encrypted_read_write_others_read_only(t):
    ready(t)
    use(t, f"{STORAGE} encrypted luks2\n{STORAGE} access ro\n")
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="E")
    t.plug_storage("b", images.plain(), serial="P")
    assert since.wait("released", serial="E")["access"] == "rw"
    assert since.wait("released", serial="P")["access"] == "ro"


def test_header_demands_encryption_of_what_rules_allow(t):
    ready(t)
    use(t, f"encryption luks2\n{STORAGE}\n")
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="P")
    assert since.wait("denied", serial="P")["reason"] == "not-encrypted"
    since.assert_no_disk()
    t.plug_storage("b", images.luks2(), serial="E")
    allowed(t, since, serial="E")


def test_rejected_device_is_taken_away(t):
    ready(t)
    use(t, 'reject serial "R"\n')
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="R")
    record = since.wait("denied", serial="R")
    assert record["reason"] == "rule-rejected", record
    t.wait_until(lambda: not t.exists(f"/sys/bus/usb/devices/{record['device']}"), what="gone from the bus")
    since.wait("removed", serial="R")
    since.assert_no_disk()


def test_each_interface_of_a_composite_device_has_its_own_verdict(t):
    ready(t)
    use(t, "allow only-interface { 08:*:* }\n")
    since = Since(t)
    t.run("truncate -s 8M /run/gadget.img")
    t.run(f"{GADGET} up gadget id=1d6b:0104 serial=G1 keyboard storage=/run/gadget.img network")
    record = since.wait("released")
    verdicts = {v["class"][:2]: v["verdict"] for v in record["verdicts"]}
    assert verdicts["08"] == "allow" and "allow" not in {v for c, v in verdicts.items() if c != "08"}, record
    name = record["device"]
    t.wait_until(lambda: disks(t), what="the disk")
    bound = {c.split(":")[-1]: driver(t, f"{name}:{c.split(':')[-1]}") for c in t.ls("/sys/bus/usb/devices")
             if c.startswith(name + ":")}
    assert "usb-storage" in bound.values() and "usbhid" in bound.values(), bound
    assert not {"cdc_ether", "cdc_ncm", "cdc_eem", "rndis_host"} & set(bound.values()), bound


def test_storage_that_is_allowed_later_is_read_only_all_the_same(t):
    ready(t)
    set_clock(t, "2026-11-20 08:59:00")
    use(t, "allow only-interface ff:*:*\nallow access ro only-interface 08:*:* if localtime(09:00-17:00)\n")
    since = Since(t)
    t.run("truncate -s 8M /run/gadget.img")
    t.run(f"{GADGET} up gadget id=1d6b:0104 serial=G2 vendor storage=/run/gadget.img")
    assert since.wait("released")["access"] == "rw"
    assert not disks(t)
    set_clock(t, "2026-11-20 09:00:01")
    disk = t.wait_until(lambda: disks(t), what="the disk")[0]
    t.wait_until(lambda: t.run(f"blockdev --getro /dev/{disk}").out.strip() == "1", what="read-only")
    assert since.records("released")[-1]["access"] == "ro"


def test_device_allowed_only_beside_another_ends_with_it(t):
    ready(t)
    use(t, f'allow serial "KEY"\n{STORAGE} if allowed-matches(serial "KEY")\n')
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="GUEST")
    assert since.wait("denied", serial="GUEST")["reason"] == "conditions-not-met"
    t.plug_storage("b", images.plain(), serial="KEY")
    since.wait("released", serial="KEY")
    since.wait("released", serial="GUEST")
    # A new daemon hears of the older device first, and asks nothing before it knows both.
    t.run("pkill -KILL -x sekimorid; while pidof sekimorid; do sleep 0.05; done", check=False)
    t.run(f"{SANITIZED} >> /run/sekimorid.out 2>&1 < /dev/null & echo $! > /run/sekimorid.pid")
    since.wait("resumed", serial="KEY")
    since.wait("resumed", serial="GUEST")
    assert not since.records("revoked")
    t.wait_until(lambda: len(disks(t)) == 2, what="both disks")
    t.unplug("b")
    assert since.wait("revoked", serial="GUEST")["why"] == "others"
    no_disk(t)


def test_keyboards_that_the_policy_guards_go_by_its_rules(t):
    ready(t)
    use(t, 'harmless 09 0b\nallow id 0627:0001\n')
    since = Since(t)
    t.plug("usb-kbd", "kbd")
    record = since.wait("released")
    assert record["reason"] == "rule-allowed" and driver(t, record["device"] + ":1.0") == "usbhid", record
    use(t, GOOD)  # says nothing of classes: a keyboard is harmless again, as far as the policy goes
    time.sleep(0.5)
    assert driver(t, record["device"] + ":1.0") == "usbhid"
    t.unplug("kbd")


# --- from USBGuard ---

def test_rules_that_usbguard_wrote_allow_what_it_meant(t):
    ready(t)
    use(t, "allow\n")
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="MINE", port="2")
    allowed(t, since)
    rules = t.run("usbguard generate-policy --with-ports").out
    line = [r for r in rules.splitlines() if 'serial "MINE"' in r][0]
    assert re.search(r'hash "[^"]{44}"', line) and "parent-hash" in line and "via-port" in line, line
    t.unplug("a")
    # As it stands: no header, as a rules.conf is. The versions begin anew for it.
    use(t, rules)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="MINE", port="2")
    record, _ = allowed(t, since)
    assert record["reason"] == "rule-allowed", record
    t.plug_storage("b", images.plain(), serial="OTHER", port="3")
    since.wait("denied", serial="OTHER")
