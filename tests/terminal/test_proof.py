# SPDX-License-Identifier: GPL-2.0-or-later
"""What a policy demands of a proof: methods, ciphers, key derivation, the help desk's mark."""

import os
import subprocess
import tempfile

import marks
from barrier import SANITIZED, STICK, UUID, UUID_OTHER, Since, check_daemon, disks, images, medium, options, ready, unplug_all
from policies import use
from terminal import BUILD

BITLOCKER_GUID = "33221100-5544-7766-8899-aabbccddeeff"  # tests/unit/bitlocker-image.h
GOOD = medium("ZEI-001", "GOOD", UUID)
LONG = True  # minutes under emulation: run by `make test-long`
OPTIONS = options(daemon=SANITIZED, policy="policy test-terminal\nversion 1\n" + GOOD)


def teardown(t):
    unplug_all(t)
    check_daemon(t)


def small(uuid=UUID, *options):
    name = "-".join(("proof", uuid, *options)).replace("/", "-")
    return images.get(name, lambda d: d.small(name, uuid=uuid, options=options))


def verdict(t, image, serial="GOOD"):
    """Plugs, waits for what becomes of it, unplugs: the reason for or against it."""
    ready(t)
    since = Since(t)
    t.plug_storage("a", image, serial=serial)
    t.wait_until(lambda: since.records("allowed") + since.records("denied"), 20, "a verdict")
    record = (since.records("allowed") + since.records("denied"))[0]
    if record["kind"] == "denied":
        since.assert_no_disk()
    else:
        since.wait("released")
        t.wait_until(lambda: disks(t), what="the disk")
    t.unplug("a")
    since.wait("removed")
    return record["reason"]


# --- methods ---

def test_luks1_only_where_the_register_says_so(t):
    use(t, GOOD)
    assert verdict(t, images.luks1()) == "encryption-not-accepted"
    use(t, GOOD.replace("encryption luks2", "encryption luks1"))
    assert verdict(t, images.luks1()) == "proved"
    assert verdict(t, small()) == "encryption-not-accepted"


def test_bitlocker_only_where_the_register_says_so(t):
    def make(d):
        path = d.blank("bitlocker", 0)
        subprocess.run([os.path.join(BUILD, "guest/bitlocker-make"), path], check=True)
        return path
    image = images.get("bitlocker", make)
    use(t, medium("ZEI-001", "GOOD", BITLOCKER_GUID))
    assert verdict(t, image) == "encryption-not-accepted"
    use(t, medium("ZEI-001", "GOOD", BITLOCKER_GUID).replace("encryption luks2", "encryption bitlocker"))
    assert verdict(t, image) == "proved"
    use(t, GOOD.replace("encryption luks2", "encryption bitlocker"))
    assert verdict(t, image) == "other-volume"


def test_header_of_the_policy_widens_and_narrows_what_rules_let_in(t):
    rule = "allow with-interface one-of { 08:*:* }\n"
    use(t, "encryption luks2\n" + rule)
    assert verdict(t, images.plain(), serial="ANY") == "not-encrypted"
    assert verdict(t, small(), serial="ANY") == "rule-allowed"
    assert verdict(t, images.luks1(), serial="ANY") == "encryption-not-accepted"
    use(t, "encryption luks2 luks1\n" + rule)
    assert verdict(t, images.luks1(), serial="ANY") == "rule-allowed"


def test_ciphers_and_key_derivations_that_are_accepted(t):
    cbc = small(UUID, "--cipher", "aes-cbc-essiv:sha256", "--key-size", "256")
    use(t, "cipher aes-xts-plain64\n" + GOOD)
    assert verdict(t, small()) == "proved"
    assert verdict(t, cbc) == "cipher-not-accepted"
    use(t, "cipher aes-xts-plain64 aes-cbc-essiv:sha256\n" + GOOD)
    assert verdict(t, cbc) == "proved"
    use(t, "kdf argon2id\n" + GOOD)
    assert verdict(t, small()) == "kdf-not-accepted"
    use(t, "kdf argon2id pbkdf2\n" + GOOD)
    assert verdict(t, small()) == "proved"


def test_demand_that_comes_later_ends_a_release(t):
    use(t, GOOD)
    since = Since(t)
    t.plug_storage("a", small(), serial="GOOD")
    since.wait("released")
    t.wait_until(lambda: disks(t), what="the disk")
    use(t, "kdf argon2id\n" + GOOD)
    assert since.wait("revoked")["why"] == "policy"
    assert since.wait("denied")["reason"] == "kdf-not-accepted"
    t.wait_until(lambda: not disks(t), what="no disk")
    use(t, GOOD)
    t.wait_until(lambda: disks(t), what="the disk again")


# --- the mark ---

KEYS = tempfile.TemporaryDirectory()
DESK, STRANGER = (marks.Signer(KEYS.name, name) for name in ("desk", "stranger"))
REQUIRED = f'mark required\nmark-key "{DESK.public}"\n'


def marked(name, signer=DESK, forge=None, serial="GOOD", number="ZEI-001", **more):
    """The register's volume with a mark made for it, but for what is said."""
    def make(d):
        path = d.copy(name, small())
        token = marks.mark(signer, path, number, serial, STICK, **more)
        return marks.put(path, {**token, **(forge or {})})
    return images.get("marked-" + name, make)


def test_mark_lets_in_what_it_was_made_for_and_nothing_else(t):
    use(t, REQUIRED + GOOD)
    other = images.get("marked-moved", lambda d: marks.put(
        d.copy("moved", small(UUID_OTHER)), marks.mark(DESK, small(), "ZEI-001", "GOOD", STICK)))
    twice = images.get("marked-twice", lambda d: marks.put(
        d.copy("twice", marked("right")), marks.mark(DESK, small(), "ZEI-001", "GOOD", STICK)))
    cases = [
        ("right", marked("right"), "proved"),
        ("missing", small(), "mark-missing"),
        ("by a stranger", marked("stranger", signer=STRANGER), "mark-unsigned"),
        ("altered", marked("altered", forge={"class": 3}), "mark-forged"),
        ("signed by a stranger in the desk's name",
         marked("posing", signer=STRANGER, forge={"signer": DESK.id.hex()}), "mark-forged"),
        ("for another device", marked("device", serial="OTHER"), "mark-other-device"),
        ("for another model", marked("model", id_product="0002"), "mark-other-device"),
        ("for another volume key", marked("key", binding="5a" * 32), "mark-other-volume"),
        ("for another number", marked("number", number="ZEI-999"), "mark-other-number"),
        ("over", marked("over", until="2021-03-31"), "mark-expired"),
        ("not begun", marked("early", issued="2098-04-01"), "mark-expired"),
        ("malformed", marked("malformed", forge={"more": 1}), "header-damaged"),
        ("two of them", twice, "header-damaged"),
    ]
    wrong = [(what, found, reason) for what, image, reason in cases
             if (found := verdict(t, image)) != reason]
    use(t, REQUIRED + medium("ZEI-001", "GOOD", UUID_OTHER))
    if (found := verdict(t, other)) != "mark-other-volume":
        wrong.append(("moved to another volume", found))
    assert not wrong, wrong


def test_copy_of_a_whole_medium_on_another_stick_is_told_by_its_mark(t):
    """Also where a rule lets in everything that is encrypted."""
    use(t, REQUIRED + "encryption luks2\nallow with-interface one-of { 08:*:* }\n")
    assert verdict(t, marked("right")) == "rule-allowed"
    assert verdict(t, marked("right"), serial="COPY") == "mark-other-device"
    use(t, REQUIRED + GOOD)
    assert verdict(t, marked("right"), serial="COPY") == "not-registered"


def test_mark_that_is_not_demanded_must_be_right_where_it_is(t):
    use(t, f'mark-key "{DESK.public}"\n' + GOOD)
    assert verdict(t, small()) == "proved"
    assert verdict(t, marked("device", serial="OTHER")) == "mark-other-device"
    use(t, "mark required\n" + GOOD)
    assert verdict(t, marked("right")) == "mark-unsigned"
    use(t, GOOD)
    assert verdict(t, marked("device", serial="OTHER")) == "proved"


def test_mark_ends_by_the_clock_alone(t):
    use(t, REQUIRED + GOOD)
    since = Since(t)
    today = t.run("date +%F").out.strip()
    t.plug_storage("a", marked("today", until=today), serial="GOOD")
    since.wait("released")
    t.wait_until(lambda: disks(t), what="the disk")
    now = int(t.run("date +%s").out)
    try:
        t.run(f"date -s '{today} 23:59:58' > /dev/null")
        assert since.wait("denied", timeout=15)["reason"] == "mark-expired"
        t.wait_until(lambda: not disks(t), what="no disk")
    finally:
        t.run(f"date -s @{now + 20} > /dev/null")
