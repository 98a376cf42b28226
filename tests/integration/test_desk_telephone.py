# SPDX-License-Identifier: GPL-2.0-or-later
"""Exceptions from the desk: by telephone (docs/telephone-code.md) and as signed files.

What terminals compute is computed here from the specification, by another language.
"""
import datetime
import hashlib
import hmac
import json
import re
import shutil
import sqlite3
import stat
import subprocess
import time

from desks import PASSPHRASE, PATIENCE, desk
from harness import TOP
from typist import Typist

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
MINUTES = [0, 15, 30, 60, 90, 120, 180, 240, 360, 480, 720, 1440, 2880, 4320, 5760, 7200]
CLASSES = ["unknown", "storage-plain", "storage-encrypted", "camera-or-phone", "network", "printer", "audio-video",
           "serial", "composite", "other"]
FINGERPRINT = "blake2b:a51c3e0f9b7d24680123456789abcdef"
# Their names' digests are the same.
TWINS = ("T-524", "T-600")


# --- the specification ------------------------------------------------------------------------------

def written(number, symbols):
    values = [number >> 5 * i & 31 for i in reversed(range(symbols))]
    text = "".join(ALPHABET[v] for v in values) + ALPHABET[number % 37]
    return "-".join(text[i:i + 4] for i in range(0, len(text), 4))


def values_of(text):
    return [ALPHABET.index(c) for c in text.replace("-", "")[:-1]]


def terminal_digest(name):
    return int.from_bytes(hashlib.blake2b(b"sekimori terminal 1" + name.encode(), digest_size=32).digest()[:2], "big")


def challenge(terminal="ZEI-014", kind="storage-plain", access="ro", minutes=0, fingerprint=FINGERPRINT, nonce=0x2345678):
    number = 1
    for width, field in ((5, CLASSES.index(kind)), (1, access == "rw"), (4, MINUTES.index(minutes)),
                         (20, int(fingerprint[8:13], 16)), (16, terminal_digest(terminal)), (26, nonce)):
        number = number << width | field
    return written(number, 15)


def answer(key, asked, access, minutes, uses=0):
    parameters = bytes([access == "rw", MINUTES.index(minutes), uses])
    mac = hmac.new(key, b"sekimori telephone answer 1" + bytes(values_of(asked)) + parameters, hashlib.sha256).digest()
    number = (parameters[0] << 4 | parameters[1]) << 2 | uses
    return written(number << 88 | int.from_bytes(mac[:11], "big"), 19)


def derived(secret, name, generation):
    prk = hmac.new(name.encode(), secret, hashlib.sha256).digest()
    return hmac.new(prk, b"sekimori terminal key 1" + generation.to_bytes(4, "big") + b"\1", hashlib.sha256).digest()


def grant_id(asked):
    return hashlib.blake2b(b"sekimori telephone grant 1" + bytes(values_of(asked)), digest_size=16).hexdigest()


def page():
    return (TOP / "docs" / "telephone-code.md").read_text(encoding="utf-8")


# --- a desk with terminals --------------------------------------------------------------------------

def add(d, *names):
    d.ok("terminal", "add", "--quick-kdf", *names)


def key_of(d, name):
    path = d.directory / "key"
    d.ok("terminal", "key", name, f"--out={path}")
    text = path.read_text(encoding="utf-8")
    return bytes.fromhex(re.search(r'^key "([0-9a-f]{64})"$', text, re.M).group(1)), text


def reply(d, *args):
    """With a reason, since in the last hours of March every answer takes one."""
    why = [] if any(a.startswith("--why") for a in args) else ["--why=様式第8号"]
    return d.json("answer", "--yes", *why, *args)


def warnings(said):
    return [w for w in said["warnings"] if "beyond" not in w]


def unanswered(d, *args):
    """What is said instead of a code."""
    done = d.run("answer", *args)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


def test_the_page_says_what_is_computed():
    """Its vectors, by the formulas of its text."""
    text = page()
    secret = bytes(range(32))
    keys = re.findall(r"^\| `([^`]+)` \| (\d+) \| `([0-9a-f]{64})` \|$", text, re.M)
    assert len(keys) >= 3
    for name, generation, key in keys:
        assert derived(secret, name, int(generation)).hex() == key
    rows = re.findall(r"^\| `([^`]+)` / (\d+) \| ([a-z-]+) \| (ro|rw) (\d+) \| `([0-9a-f]+)` \| `([^`]+)` \| (ro|rw) (\d+) (\d) "
                      r"\| `([^`]+)` \| `([0-9a-f]{32})` \|$", text, re.M)
    assert len(rows) >= 3
    for name, generation, kind, asked, asked_minutes, nonce, shown, access, minutes, uses, code, id in rows:
        assert challenge(name, kind, asked, int(asked_minutes), FINGERPRINT, int(nonce, 16)) == shown
        assert answer(derived(secret, name, int(generation)), shown, access, int(minutes), int(uses)) == code
        assert grant_id(shown) == id
        assert len(shown.replace("-", "")) == 16 and len(code.replace("-", "")) == 20


def test_a_call_is_answered_with_what_the_terminal_computes_and_kept():
    with desk() as d:
        add(d, "ZEI-014", "税務課-3")
        key, text = key_of(d, "ZEI-014")
        assert text.startswith('sekimori-terminal-key 1\nterminal "ZEI-014"\ngeneration 1\nkey "')
        assert stat.S_IMODE((d.directory / "key").stat().st_mode) == 0o600
        other, _ = key_of(d, "税務課-3")
        assert other != key
        asked = challenge(minutes=120)
        said = reply(d, asked, "--access=ro", "--period=2h", "--uses=2", "--why=様式第8号 12", "--by=佐藤")
        assert said["code"] == answer(key, asked, "ro", 120, 2) and said["terminal"] == "ZEI-014"
        assert said["id"] == grant_id(asked) and not said["encrypted_only"] and not warnings(said)
        encrypted = challenge("税務課-3", "storage-encrypted", nonce=1)
        spoken = encrypted.lower().replace("0", "o").replace("1", "l").replace("-", " ")
        said = reply(d, spoken, "--access=ro", "--period=8h")
        assert said["code"] == answer(other, encrypted, "ro", 480) and said["encrypted_only"]
        kept = d.json("grant", "list")
        assert [(g["kind"], g["terminal"], g["by"], g["challenge"], g["why"]) for g in kept] == [
            ("code", "ZEI-014", "佐藤", asked, "様式第8号 12"), ("code", "税務課-3", "clerk", encrypted, "様式第8号")]
        assert kept[0]["terms"]["seconds"] == 7200 and kept[0]["terms"]["fingerprint"] == "blake2b:a51c3"
        assert [g["number"] for g in d.json("grant", "list", "--terminal=税務課-3")] == [2]
        # The code itself is a secret until it is used.
        assert said["code"].encode() not in d.database.read_bytes()
        # What a person reads.
        shown = d.run("answer", "--yes", challenge(nonce=2, minutes=90), "--access=ro", "--period=15m", "--why=x")
        assert "Terminal: ZEI-014" in shown.stderr and "not encrypted" in shown.stderr
        assert "read-only, for 1 h 30 min" in shown.stderr and "blake2b:a51c3" in shown.stderr
        code = answer(key, challenge(nonce=2, minutes=90), "ro", 15)
        wide = "".join("　" if c == "-" else chr(ord(c) + 0xfee0) for c in code)
        assert wide in shown.stdout and all(f"    {group}   " in shown.stdout for group in code.split("-"))


def test_a_code_that_was_misheard_or_is_not_ours_gets_no_answer():
    with desk() as d:
        add(d, "ZEI-014")
        good = challenge()
        terms = ("--access=ro", "--period=1h", "--yes", "--why=x")
        wrong = good[:-1] + ("0" if good[-1] != "0" else "1")
        assert "misheard" in unanswered(d, wrong, *terms)
        swapped = good[:6] + good[7] + good[6] + good[8:]
        assert swapped == good or "misheard" in unanswered(d, swapped, *terms)
        assert "too short" in unanswered(d, good[:-1], *terms)
        assert "no code has" in unanswered(d, "!" + good[1:], *terms)
        later = written(2 << 72, 15)
        assert "later version" in unanswered(d, later, *terms)
        assert "does not know" in unanswered(d, written((1 << 5 | 31) << 67, 15), *terms)
        assert "no terminal" in unanswered(d, challenge("ZEI-015"), *terms)
        assert "not made by" in unanswered(d, good, "--terminal=ZEI-015", *terms)
        assert "--yes" in unanswered(d, good, "--access=ro", "--period=1h", "--why=x")
        assert "give --access" in unanswered(d, good, "--period=1h")
        assert "give --period" in unanswered(d, good, "--access=ro")
        assert "give CODE" in unanswered(d, "--access=ro", "--period=1h")
        d.refused("answer", good, "--access=ro", "--period=7h", status=2)
        d.refused("answer", good, "--access=ro", "--period=1h", "--uses=4", status=2)
        d.write("passphrase", "another\n")
        assert "wrong passphrase" in unanswered(d, good, *terms)
        d.write("passphrase", PASSPHRASE + "\n")
        assert d.json("grant", "list") == []


def test_nobody_hears_a_code_that_the_register_does_not_know():
    with desk() as d:
        add(d, "ZEI-014")
        d.ok("grant", "keygen", "--quick-kdf")
        db = sqlite3.connect(d.database)
        db.execute("CREATE TRIGGER full BEFORE INSERT ON grants BEGIN SELECT raise(ABORT, 'no room'); END")
        db.close()
        assert "no room" in unanswered(d, challenge(), "--access=ro", "--period=1h", "--yes", "--why=x")
        path = d.directory / "g"
        assert "no room" in d.refused("grant", path, "--terminal=ZEI-014", "--user=tanaka", "--why=x",
                                      f"--until={future(3)}", f"--device={FINGERPRINT}", "--kind=storage-plain")
        assert not path.exists() and not (d.directory / "g.minisig").exists()
        # Nor is a terminal's key handed out.
        db = sqlite3.connect(d.database)
        db.execute("CREATE TRIGGER full2 BEFORE INSERT ON terminals BEGIN SELECT raise(ABORT, 'no room'); END")
        db.close()
        assert "no room" in d.refused("terminal", "key", "ZEI-014", f"--out={d.directory}/key")
        assert not (d.directory / "key").exists()


def test_terminals_whose_names_share_a_digest_are_told_apart():
    with desk() as d:
        assert terminal_digest(TWINS[0]) == terminal_digest(TWINS[1])
        add(d, *TWINS, "ZEI-014")
        asked = challenge(TWINS[1])
        said = unanswered(d, asked, "--access=ro", "--period=1h", "--yes")
        assert all(f"Terminal: {name}" in said for name in TWINS) and "ZEI-014" not in said
        assert "give --terminal" in said
        for name in TWINS:
            said = reply(d, asked, f"--terminal={name}", "--access=ro", "--period=1h", "--why=x")
            assert said["code"] == answer(key_of(d, name)[0], asked, "ro", 60)
        assert len({g["id"] for g in d.json("grant", "list")}) == 1


def test_keys_that_were_renewed_or_removed_are_worth_nothing():
    with desk() as d:
        add(d, "ZEI-014")
        first, _ = key_of(d, "ZEI-014")
        d.ok("terminal", "renew", "ZEI-014", "--why=端末の入替え")
        listed = d.json("terminal", "list")[0]
        assert listed["generation"] == 2 and listed["exported"] == ""
        second, text = key_of(d, "ZEI-014")
        assert second != first and "generation 2\n" in text
        asked = challenge()
        assert reply(d, asked, "--access=ro", "--period=1h")["code"] == answer(second, asked, "ro", 60)
        d.ok("terminal", "remove", "ZEI-014")
        assert d.json("terminal", "list")[0]["removed"] and "ZEI-014" not in d.ok("terminal", "list")
        assert "no terminal" in unanswered(d, challenge(nonce=2), "--access=ro", "--period=1h", "--yes")
        assert "no terminal" in d.refused("terminal", "key", "ZEI-014", f"--out={d.directory}/key")
        assert "no terminal" in d.refused("terminal", "renew", "ZEI-014")
        d.ok("terminal", "add", "ZEI-014")
        third, _ = key_of(d, "ZEI-014")
        assert len({first, second, third}) == 3
        # All or nothing, and nothing twice.
        assert "already" in d.refused("terminal", "add", "ZEI-020", "ZEI-014")
        assert [t["terminal"] for t in d.json("terminal", "list")] == ["ZEI-014"]
        d.refused("terminal", "add", "a\nb", status=2)
        d.refused("terminal", "add", "x" * 128, status=2)


def test_a_desk_that_lost_its_secret_makes_no_other():
    with desk() as d:
        add(d, "ZEI-014")
        key, _ = key_of(d, "ZEI-014")
        d.ok("backup", d.directory / "saved")
        (d.path / "keys" / "telephone.sealed").unlink()
        assert "restore it from a backup" in d.refused("terminal", "add", "ZEI-015")
        shutil.rmtree(d.path)
        d.ok("restore", d.directory / "saved")
        assert key_of(d, "ZEI-014")[0] == key


def test_the_desk_warns_of_what_it_would_not_allow_and_takes_a_reason():
    with desk(2, serial=lambda i: f"{i:08d}", fingerprint=FINGERPRINT) as d:
        add(d, "ZEI-014")
        d.ok("lost", "M-1", "--why=所在不明")

        def warned(nonce, *args, **asked):
            code = challenge(nonce=nonce, fingerprint=asked.pop("fingerprint", "blake2b:" + "0" * 32), **asked)
            said = unanswered(d, code, "--yes", *args)
            assert "give --why" in said
            again = reply(d, code, *args, "--why=課長承認")
            assert again["code"] and warnings(again)
            return said

        assert "read-only" in warned(1, "--access=rw", "--period=1h")
        assert "unencrypted" in warned(2, "--access=rw", "--period=1h")
        assert "at most 8 h" in warned(3, "--access=ro", "--period=12h")
        said = warned(4, "--access=ro", "--period=1h", kind="network")
        assert "(network)" in said and "3 exceptions were granted to ZEI-014" in said
        said = warned(5, "--access=ro", "--period=1h", fingerprint=FINGERPRINT)
        assert "M-1, which was reported lost" in said and "In the register: M-2" in said
        code = challenge(nonce=5, fingerprint=FINGERPRINT)
        assert "was answered already" in unanswered(d, code, "--access=ro", "--period=1h", "--yes")
        assert [g["why"] for g in d.json("grant", "list")] == ["課長承認"] * 5
        rules = d.json("answer", "rules", "--kind=network", "--kind=printer", "--access=rw", "--period=3d")
        assert rules == {"kinds": ["network", "printer"], "access": "rw", "seconds": 259200}
        d.ok("terminal", "add", "ZEI-016")
        assert not warnings(reply(d, challenge("ZEI-016", "network", fingerprint="blake2b:" + "1" * 32), "--access=rw",
                                  "--period=3d"))
        d.refused("answer", "rules", "--kind=stick", status=2)
        assert d.json("answer", "rules") == rules


def test_what_is_lost_is_not_hidden_behind_media_that_are_not():
    # A series without serial numbers: all of one fingerprint.
    with desk(30, serial=lambda i: f"{i:08d}", fingerprint=FINGERPRINT) as d:
        add(d, "ZEI-014")
        d.ok("lost", "M-29", "--why=所在不明")
        d.ok("revoke", "M-12", "--why=返却されず")
        asked = ("--access=ro", "--period=1h", "--yes")
        said = unanswered(d, challenge(), *asked)
        assert "M-29, which was reported lost" in said and "M-12, which was revoked" in said and "give --why" in said
        assert said.count("In the register:") == 9 and "In the register: and 22 more" in said
        lost = [f"M-{i}" for i in range(1, 11)]
        for number in lost:
            d.ok("lost", number, "--why=所在不明")
        said = unanswered(d, challenge(), *asked)
        assert sum(f"{number}, which was reported lost" in said for number in lost) == 8 and "4 more that were lost" in said


def test_periods_are_taken_as_people_type_them():
    with desk() as d:
        for text, seconds in (("15m", 900), ("30min", 1800), ("30分", 1800), ("2h", 7200), ("２時間", 7200),
                              ("8 時間", 28800), ("90m", 5400), ("5d", 432000), ("1日", 86400), ("３日間", 259200),
                              ("24h", 86400), ("1440m", 86400)):
            assert d.json("answer", "rules", f"--period={text}")["seconds"] == seconds, text
        for text in ("", "0", "-1", "1.5h", "h", "7h", "6d", "2hh", "2h ", " 2h", "99999999999999999999h", "2", "１", "２時"):
            done = d.run("answer", "rules", f"--period={text}")
            assert done.returncode == 2, text
        # Nobody changed it by looking.
        assert d.json("answer", "rules")["seconds"] == 86400


def test_a_grant_does_not_silently_reach_beyond_the_fiscal_year():
    with desk() as d:
        add(d, "ZEI-014")
        # 5 days from today: only near 31 March is there anything to say.
        said = reply(d, challenge(), "--access=ro", "--period=5d", "--why=x")
        beyond = time.strftime("%m-%d", time.localtime(time.time() + 5 * 86400))
        assert any("beyond" in w for w in said["warnings"]) == ("03-31" < beyond < "04-06")


def clerk_at(d, *args):
    """Somebody at the desk's terminal."""
    return Typist(d.command(*args), d.env, PATIENCE)


def test_a_clerk_is_led_through_a_call():
    with desk() as d:
        add(d, *TWINS)
        asked = challenge(TWINS[0])
        clerk = clerk_at(d, "answer")
        clerk.expect("Code that the terminal shows")
        clerk.type(asked[:-1])
        clerk.expect("too short")
        clerk.expect("Code that the terminal shows")
        clerk.type(asked.lower())
        clerk.expect("Which one is it?")
        clerk.type("ZEI-014")
        clerk.expect("none of them")
        clerk.type(TWINS[0])
        clerk.expect("[ro]")
        clerk.type("write")
        clerk.expect("[ro]")
        clerk.type("rw")
        clerk.expect("[2h]")
        clerk.type("7h")
        clerk.expect("one of these")
        clerk.type("")
        clerk.expect("all the same: why")
        clerk.type("")
        clerk.expect("all the same: why")
        clerk.type("情報課長の承認")
        clerk.expect("Grant reading and writing for 2 h on terminal T-524? [yes/no]")
        clerk.type("yes")
        assert clerk.end() == 0
        code = answer(key_of(d, TWINS[0])[0], asked, "rw", 120)
        assert all(f"    {group}   " in clerk.seen for group in code.split("-"))
        assert d.json("grant", "list")[0]["why"] == "情報課長の承認"
        clerk = clerk_at(d, "answer", challenge(TWINS[0], nonce=3), f"--terminal={TWINS[0]}", "--access=ro", "--why=x")
        clerk.expect("[2h]")
        clerk.type("30m")
        clerk.expect("[yes/no]")
        clerk.type("no")
        assert clerk.end() == 1 and "nothing was granted" in clerk.seen
        assert len(d.json("grant", "list")) == 1


# --- grant files ------------------------------------------------------------------------------------

def future(days):
    return time.strftime("%Y-%m-%d", time.localtime(time.time() + days * 86400))


def test_a_grant_file_is_signed_so_that_minisign_and_terminals_know_it():
    with desk() as d:
        args = ("--terminal=ZEI-014", "--user=tanaka", f"--until={future(3)}", "--why=申告書の受渡し",
                f"--device={FINGERPRINT}", "--kind=storage-plain")
        path = d.directory / "g"
        assert "grant keygen" in d.refused("grant", path, *args)
        d.ok("grant", "keygen", "--quick-kdf")
        assert "already" in d.refused("grant", "keygen", "--quick-kdf")
        trust = (d.path / "trust" / "sekimori-desk.trust").read_text(encoding="utf-8")
        public = re.search(r'^key grant "(RW\S+)"', trust, re.M).group(1)
        assert "require 1 of policy\n" in trust
        said = d.json("grant", path, *args, "--access=rw", "--write-quota=200MiB", "--uses=2",
                      "--period=90m", "--class=II", "--form=13-1", f"--return-by={future(9)}")
        text = path.read_text(encoding="utf-8")
        assert subprocess.run(["minisign", "-V", "-P", public, "-m", path], capture_output=True, check=False).returncode == 0
        assert re.fullmatch(r'sekimori-grant 1\nid "[0-9a-f]{32}"\nterminal "ZEI-014"\ndevice "' + FINGERPRINT +
                            r'"\nclass storage-plain\nperson "tanaka"\naccess rw\nencrypted-only no\n'
                            r'not-before 20\S+Z\nnot-after 20\S+T14:59:59Z\nseconds 5400\nuses 2\nwrite-quota 209715200\n'
                            r'purpose "申告書の受渡し"\ndata-class II\nform 13-1\nreturn-by 20\S+T14:59:59Z\n', text), text
        kept = d.json("grant", "list")
        assert len(kept) == 1 and kept[0]["kind"] == "file" and kept[0]["id"] == said["id"] in text
        # Each has an id of its own.
        assert d.json("grant", path, *args)["id"] != said["id"]


def test_a_medium_of_the_register_is_granted_by_its_mark_unless_it_is_gone():
    mark = json.dumps({"type": "sekimori"})
    with desk(3, fingerprint=FINGERPRINT) as d:
        d.ok("grant", "keygen", "--quick-kdf")
        args = ("--terminal=ZEI-014", "--user=tanaka", f"--until={future(3)}T17:15", "--why=x")
        assert "bears no mark" in d.refused("grant", d.directory / "g", "--number=M-1", *args)
        db = sqlite3.connect(d.database)
        db.execute("INSERT INTO events (medium, sequence, kind, time, by, status, mark)"
                   " SELECT medium, 2, 'changed', '2026-11-21T00:00:00Z', 'x', 'active', ? FROM media", (mark,))
        db.commit()
        db.close()
        d.ok("grant", d.directory / "g", "--number=M-1", *args)
        text = d.read("g")
        assert 'medium "M-1"\nclass storage-encrypted\n' in text and "encrypted-only yes\n" in text
        assert "T08:15:59Z\n" in text and "\ndevice" not in text, text
        d.ok("lost", "M-2", "--why=x")
        d.ok("revoke", "M-3", "--why=x")
        for number, word in (("M-2", "lost"), ("M-3", "revoked"), ("M-4", "no medium")):
            assert word in d.refused("grant", d.directory / "h", f"--number={number}", *args).lower()
        assert not (d.directory / "h").exists() and len(d.json("grant", "list")) == 1


def test_a_return_date_in_the_next_fiscal_year_is_warned_of():
    with desk() as d:
        d.ok("grant", "keygen", "--quick-kdf")
        begin = time.localtime(time.time() + 3 * 86400)
        year = begin.tm_year + ((begin.tm_mon, begin.tm_mday) > (3, 31))
        args = ("--terminal=ZEI-014", "--user=tanaka", f"--from={future(3)}", f"--until={future(3)}", "--why=x",
                f"--device={FINGERPRINT}", "--kind=storage-plain")
        for n, (date, beyond) in enumerate(((f"{year}-03-31", False), (f"{year}-04-01", True))):
            done = d.run("grant", d.directory / f"g{n}", *args, f"--return-by={date}")
            assert done.returncode == 0 and (f"--return-by lies beyond {year}-03-31" in done.stderr) == beyond, done


def test_a_grant_that_terminals_would_refuse_is_not_written():
    with desk() as d:
        d.ok("grant", "keygen", "--quick-kdf")
        path = d.directory / "g"
        good = {"--terminal": "ZEI-014", "--user": "tanaka", "--until": future(3), "--why": "x", "--device": FINGERPRINT,
                "--kind": "storage-plain"}
        bad = ({"--terminal": None}, {"--terminal": ""}, {"--user": None}, {"--user": "a,b"}, {"--user": "@soumu"},
               {"--until": None}, {"--until": "soon"}, {"--until": "2020-01-01"}, {"--until": future(800)},
               {"--why": None}, {"--why": "x" * 600}, {"--device": None}, {"--device": "blake2b:1"},
               {"--number": "M-1"}, {"--kind": "stick"}, {"--kind": "unknown"}, {"--access": "wr"}, {"--write-quota": "1MiB"}, {"--uses": "0"},
               {"--uses": "1001"}, {"--period": "0"}, {"--period": "1y"}, {"--class": "IV"}, {"--form": "9"}, {"--form": "13-2"},
               {"--return-by": "x"}, {"--from": future(5)}, {"--comment": "a\nb"})
        for change in bad:
            args = [f"{k}={v}" for k, v in {**good, **change}.items() if v is not None]
            done = d.run("grant", path, *args)
            assert done.returncode in (1, 2) and done.stderr and not path.exists(), change
        assert d.json("grant", "list") == []


def test_a_grant_for_any_kind_of_device_is_one_that_the_clerk_has_spelled_out():
    with desk() as d:
        d.ok("grant", "keygen", "--quick-kdf")
        path = d.directory / "g"
        args = ("grant", path, "--terminal=ZEI-014", "--user=tanaka", "--why=x", f"--until={future(3)}", f"--device={FINGERPRINT}")
        assert "--kind" in d.refused(*args, status=2)
        d.refused(*args, "--kind=storage-plain", "--kind=network", status=2)
        assert "--yes" in d.refused(*args, "--kind=any")
        assert not path.exists() and d.json("grant", "list") == []
        for word, status in (("no", 1), ("yes", 0)):
            clerk = clerk_at(d, *args, "--kind=any")
            clerk.expect("whatever it turns out to be")
            clerk.type(word)
            assert clerk.end() == status and path.exists() == (status == 0), clerk.seen
        assert "\nclass unknown\n" in d.read("g")
        assert "\nclass network\n" in (d.ok(*args, "--kind=network"), d.read("g"))[1]


def test_the_fiscal_year_of_a_grant_is_the_one_that_it_begins_in():
    with desk() as d:
        d.ok("grant", "keygen", "--quick-kdf")
        today = datetime.date.today()
        march = datetime.date(today.year + (today > datetime.date(today.year, 3, 31)), 3, 31)

        def said(begin, days, *more):
            first = begin if isinstance(begin, datetime.date) else march + datetime.timedelta(begin)
            done = d.run("grant", d.directory / "g", "--terminal=ZEI-014", "--user=tanaka", "--why=x", f"--device={FINGERPRINT}",
                         "--kind=storage-plain", f"--from={first}", f"--until={march + datetime.timedelta(days)}", *more)
            assert done.returncode == 0, done.stderr
            return done.stderr

        assert "beyond" not in said(2, 5, f"--return-by={march + datetime.timedelta(9)}")
        assert f"beyond {march}" in said(0, 1)
        assert f"beyond {march.replace(year=march.year + 1)}" in said(200, 400)
        # What began before today begins when a terminal takes it in.
        if march > today + datetime.timedelta(1):
            assert "beyond" not in said(today - datetime.timedelta(1), -1)


# --- the register -----------------------------------------------------------------------------------

def test_what_was_granted_stays_and_an_old_register_is_brought_up():
    with desk(2) as d:
        db = sqlite3.connect(d.database)
        for table in ("terminals", "grants"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
        db.commit()
        db.close()
        assert len(d.json("list")) == 2
        add(d, "ZEI-014")
        reply(d, challenge(), "--access=ro", "--period=1h")
        db = sqlite3.connect(d.database)
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        for change in ("UPDATE grants SET by = 'x'", "DELETE FROM grants", "UPDATE terminals SET generation = 9",
                       "DELETE FROM terminals",
                       "INSERT OR REPLACE INTO grants SELECT number, kind, id, time, 'x', why, terminal, challenge, terms"
                       " FROM grants",
                       "INSERT OR REPLACE INTO terminals SELECT terminal, sequence, kind, 9, time, by, why FROM terminals"):
            try:
                db.execute(change)
                raise AssertionError(change)
            except sqlite3.Error as error:
                assert "nothing in the register is ever" in str(error)
        db.close()
