# SPDX-License-Identifier: GPL-2.0-or-later
"""The tool's commands about policies: check-policy, explain, rule-for, import-usbguard, policy history and diff."""
import hashlib
import json
import os
import re
import subprocess

from harness import CTL, world

JA = {"LANG": "ja_JP.UTF-8"}
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
LOST = "5f0b7a7e-91a4-4a37-9c0e-2d8f13f9a001"
STICK = ('allow id 0951:1666 serial "AB12" name "DataTraveler 3.0" via-port "1-2" '
         'with-interface 08:06:50')

POLICY = f"""# 市役所の方針
policy shiyakusho
version 7
valid-until 2027-03-31
encryption luks2
contact "情報政策課 内線1234"
medium ZEI-0001 id 0951:1666 serial "AB12" encryption luks2 luks-uuid {UUID} access ro until 2027-01-31
medium ZEI-0002 id 0951:1666 serial "AB12" encryption luks2 luks-uuid {LOST} status lost
allow id 04f9:0042 with-interface 07:01:02 if localtime(Mon-Fri 08:30-17:15)
allow id 0781:5581 for-user "tanaka"
allow id 0781:5582 for-group "kaikei" on-terminal "mado-*"
reject id 16c0:27db
"""


def tools():
    return world(bus=False, daemon=False)


def write(w, text, name="policy"):
    path = w.directory / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def slowly(w, *args, **more):
    """For files that take a while."""
    return subprocess.run([str(a) for a in (CTL, *args)], env=w.env, capture_output=True,
                          text=True, timeout=120, **more)


# --- check-policy -----------------------------------------------------------------------------


def test_a_good_policy_is_summed_up():
    with tools() as w:
        path = write(w, POLICY)
        done = w.ctl("check-policy", path)
        assert done.returncode == 0 and done.stderr == "", done
        lines = [line.split(None, 1) for line in done.stdout.splitlines()]
        assert lines[0] == [f"{path}:", "no errors"], lines
        assert ["Policy", "shiyakusho"] in lines and ["Version", "7"] in lines, lines
        assert ["Valid", ".. - 2027-03-31T23:59:59"] in lines, lines
        assert ["Media", "2 (active 1, lost 1)"] in lines and ["Rules", "4"] in lines, lines
        assert ["Encryption", "luks2"] in lines, lines
        done = w.ctl("check-policy", path, env=JA)
        assert done.returncode == 0 and "誤りはありません" in done.stdout, done
        assert re.search(r"^規則 +4$", done.stdout, re.M), done.stdout


def test_a_good_policy_as_json():
    with tools() as w:
        path = write(w, POLICY)
        done = w.ctl("check-policy", "--json", path)
        data = json.loads(done.stdout)
        assert data.pop("size") > 0
        assert data == {"file": path, "ok": True, "errors": [], "n_errors": 0, "warnings": [],
                        "n_warnings": 0, "policy": "shiyakusho", "version": 7, "valid_from": None,
                        "valid_until": "2027-03-31T23:59:59", "media": 2,
                        "media_by_status": {"active": 1, "lent": 0, "lost": 1, "revoked": 0,
                                            "disposed": 0},
                        "rules": 4, "encryption": ["luks2"]}, data


BROKEN = """policy a b
version zero
allow id 1234
\tallow with-interface 08:06
medium M-1 id 1:2
fly
"""


def test_every_error_is_told_with_its_place():
    with tools() as w:
        path = write(w, BROKEN)
        done = w.ctl("check-policy", path)
        assert done.returncode == 1 and done.stdout == "", done
        *lines, last = done.stderr.splitlines()
        places = [re.fullmatch(re.escape(path) + r":(\d+):(\d+): error: (.+)", line).groups()
                  for line in lines]
        assert [(int(a), int(b)) for a, b, _ in places] == [(1, 10), (2, 9), (3, 10), (4, 23),
                                                            (5, 15), (6, 1)], places
        assert "expected the end of the line" in places[0][2] and "1234:abcd" in places[2][2]
        assert last == f"{path}: errors: 6"
        assert w.ctl("check-policy", path, env=JA).stderr.splitlines()[-1] == f"{path}: 誤りの数: 6"
        data = json.loads(w.ctl("check-policy", "--json", path).stdout)
        assert data["ok"] is False and "rules" not in data
        assert [(e["line"], e["column"]) for e in data["errors"]] == [
            (int(a), int(b)) for a, b, _ in places]
        assert [e["message"] for e in data["errors"]] == [p[2] for p in places]


def test_standard_input_can_be_checked():
    with tools() as w:
        done = slowly(w, "check-policy", "-", input="allow id 1:2\n")
        assert done.returncode == 1 and done.stderr.startswith("-:1:10: error: "), done
        assert slowly(w, "check-policy", "-", input="").returncode == 0


def test_what_cannot_be_read_says_why():
    with tools() as w:
        for path, why in ((w.directory / "none", "No such file"), (w.directory, "Is a directory"),
                          ("/dev/zero", "64 MiB")):
            done = w.ctl("check-policy", path)
            assert done.returncode == 1 and done.stdout == "", done
            assert done.stderr.startswith(f"sekimorictl: {path}: ") and why in done.stderr, done
        assert "読めません" in w.ctl("check-policy", w.directory, env=JA).stderr
        assert "\x1b" not in w.ctl("check-policy", "a\x1b[31m").stderr


def warnings(w, text, env=None):
    done = w.ctl("check-policy", "--json", write(w, text), env=env)
    assert done.returncode == 0, done
    return [(e["line"], e["column"], e["code"]) for e in json.loads(done.stdout)["warnings"]]


def test_unwise_lines_are_warned_of():
    with tools() as w:
        for text, expected in (
                ("match id 1:2\n".replace("1:2", "0001:0002"), [(1, 1, "decides-nothing")]),
                ("\n  device 0001:0002\n", [(2, 3, "decides-nothing")]),
                ("allow\n", [(1, 1, "allows-everything"), (1, 1, "storage-unproved")]),
                ('encryption luks2\nallow label "x"\n', [(2, 1, "allows-everything")]),
                ("allow id 0001:0002\n", [(1, 1, "storage-unproved")]),
                ("allow id 0001:0002 encrypted luks2\n", []),
                ("allow id 0001:0002 encrypted optional\n", []),
                ("allow id 0001:0002 with-interface 07:01:02\n", []),
                ("allow with-interface one-of { 07:01:02 }\n", [(1, 1, "storage-unproved")]),
                ("allow with-interface match-all { 07:*:* 08:06:50 }\n",
                 [(1, 1, "storage-unproved")]),
                ("allow with-interface none-of { 08:*:* }\n", []),
                ("allow with-interface none-of { 08:06:50 }\n", [(1, 1, "storage-unproved")]),
                ("allow id 0001:0002 only-interface 07:*:*\n", []),
                ("block\nallow id 0001:0002\nallow\n", [(2, 1, "never-reached")]),
                ('reject label "all"\nmatch id 0001:0002\n block\n',
                 [(2, 1, "decides-nothing"), (3, 2, "never-reached")]),
                ("block if localtime(08:30)\n", [(1, 7, "single-time")]),
                ('block label "if" if { true localtime(Mon-Fri 08:30:00) }\n',
                 [(1, 18, "single-time")]),
                ("block if localtime(Mon-Fri 08:30-17:00)\n", []),
                ("policy x\n", [(1, 1, "no-version")]),
                ("policy x\nversion 1\n", []),
                ("version 1\nvalid-until 2001-01-01\n", [(1, 1, "expired")])):
            assert warnings(w, text) == expected, (text, warnings(w, text))


def test_warnings_are_for_people_in_their_language():
    with tools() as w:
        path = write(w, "block\nallow\n")
        done = w.ctl("check-policy", path)
        assert done.returncode == 0 and re.search(r"^Warnings +1$", done.stdout, re.M), done
        assert re.fullmatch(re.escape(path) + r":2:1: warning: no rule from here on .* line 1\n",
                            done.stderr), done.stderr
        assert "ここから後の規則には届きません" in w.ctl("check-policy", path, env=JA).stderr


HOSTILE = (b"\xef\xbb\xbfpolicy \"\\x1b]0;x\\x07\xe2\x80\xae\"\n"
           b"allow name \"nul \0\"\n"
           b"allow name \"\xff\xfe\"\n"
           b"\x1b[31mfly \xe2\x80\xae\n"
           b"allow\x1b[2J\n"
           b"allow name \"\xe5\x8c\xba\n" + b"allow name \"" + b"a" * (1 << 20) + b"\"\nblock\n")


def test_hostile_content_is_named_and_shown_harmlessly():
    with tools() as w:
        path = write(w, HOSTILE)
        done = w.ctl("check-policy", path)
        assert done.returncode == 1 and not UNSAFE.search(done.stderr), done.stderr
        for place in (":2:17: error: NUL byte", ":3:13: error: not valid UTF-8", ":4:1: error: ",
                      ":5:6: error: ", ":6:12: error: the string does not end",
                      ":7:65536: error: line is longer than 64 KiB"):
            assert path + place in done.stderr, (place, done.stderr)
        assert not UNSAFE.search(w.ctl("check-policy", "--json", path).stdout)
        done = w.ctl("check-policy", write(w, HOSTILE.split(b"\n", 1)[0] + b"\nversion 1\n"))
        assert done.returncode == 1 and ":1:8: error: expected name of the policy" in done.stderr, done
        assert not UNSAFE.search(done.stdout + done.stderr)


def test_a_million_lines():
    with tools() as w:
        good = write(w, "".join(f'allow {i >> 16:04x}:{i & 0xffff:04x} encrypted luks2\n'
                                for i in range(1000000)))
        data = json.loads(slowly(w, "check-policy", "--json", good).stdout)
        assert data["ok"] and data["rules"] == 1000000 and data["warnings"] == []
        bad = write(w, "fly\n" * 100000)
        done = slowly(w, "check-policy", bad)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 100001
        data = json.loads(slowly(w, "check-policy", "--json", bad).stdout)
        assert data["n_errors"] == 100000 and len(data["errors"]) == 10000


# --- explain ----------------------------------------------------------------------------------


def explain(w, device, *args, policy=POLICY, env=None):
    path = write(w, policy)
    done = w.ctl("explain", "--json", f"--policy={path}", f"--device={device}", *args, env=env)
    assert done.returncode == 0 and done.stderr == "", done
    data = json.loads(done.stdout)
    for part in (data, *data["interfaces"]):
        part["decided_by"] = part["decided_by"].replace(path + ":", "")
    return data


NOW = "--at=2026-11-20T10:00"


def test_explain_tells_what_an_inspection_would_decide():
    with tools() as w:
        before = explain(w, STICK, NOW)
        assert before == {
            "verdict": "prove", "access": None, "reason": "", "decided_by": "7",
            "reason_text": "It would be inspected, and allowed only if its encryption is proved.",
            "medium": "ZEI-0001", "method": None, "recheck": "2027-02-01T00:00:00",
            "interfaces": [{"number": 0, "class": "08:06:50", "verdict": "prove", "access": None,
                            "reason": "", "decided_by": "7"}]}, before
        proved = explain(w, STICK, NOW, f"--luks={UUID.upper()}")
        assert (proved["verdict"], proved["access"], proved["reason"], proved["medium"],
                proved["method"]) == ("allow", "ro", "proved", "ZEI-0001", "luks2"), proved
        plain = explain(w, STICK, NOW, "--luks=none")
        assert (plain["verdict"], plain["reason"]) == ("block", "not-encrypted"), plain
        lost = explain(w, STICK, NOW, f"--luks={LOST}")
        assert (lost["verdict"], lost["reason"], lost["medium"], lost["decided_by"]) == (
            "block", "medium-lost", "ZEI-0002", "8"), lost


def test_explain_follows_the_clock():
    with tools() as w:
        printer = "allow id 04f9:0042 with-interface 07:01:02"
        for at, verdict, recheck in (
                ("2026-11-20T08:29:59", "block", "2026-11-20T08:30:00"),
                ("2026-11-20T08:30", "allow", "2026-11-20T17:15:00"),
                ("2026-11-20T17:15", "block", "2026-11-23T08:30:00"),
                ("2027-04-01", "block", None)):
            data = explain(w, printer, f"--at={at}")
            assert (data["verdict"], data["recheck"]) == (verdict, recheck), (at, data)
        assert data["reason"] == "policy-expired" and data["decided_by"] == "default"
        done = w.ctl("explain", f"--policy={write(w, 'allow encrypted optional')}",
                     f"--device={STICK}")
        assert done.returncode == 0 and "allow rw" in done.stdout, done


def test_explain_follows_user_group_and_terminal():
    with tools() as w:
        one = "allow id 0781:5581 with-interface ff:00:00"
        two = "allow id 0781:5582 with-interface ff:00:00"
        for device, args, verdict, reason in (
                (one, ("--user=tanaka",), "allow", "rule-allowed"),
                (one, ("--user=suzuki",), "block", "other-user"),
                (one, (), "block", "other-user"),
                (two, ("--group=soumu", "--group=kaikei", "--terminal=mado-03"), "allow",
                 "rule-allowed"),
                (two, ("--group=soumu", "--terminal=mado-03"), "block", "other-user"),
                (two, ("--group=kaikei", "--terminal=ura-01"), "block", "other-terminal")):
            data = explain(w, device, NOW, *args)
            assert (data["verdict"], data["reason"]) == (verdict, reason), (device, args, data)


def test_explain_judges_each_interface():
    with tools() as w:
        device = ('7: block id 16c0:05dc serial "" name "鍵盤" hash "x" parent-hash "y" via-port '
                  '"2-1.4" with-interface { 03:01:01 08:06:50 07:01:02 } with-connect-type "hotplug"')
        policy = ("allow id 16c0:05dc only-interface 07:*:*\nharmless 09\n"
                  "allow id 16c0:05dc via-port \"2-1.4\" only-interface 03:01:01\n")
        data = explain(w, device, policy=policy)
        assert [(i["number"], i["class"], i["verdict"], i["decided_by"])
                for i in data["interfaces"]] == [
                    (0, "03:01:01", "allow", "3"), (1, "08:06:50", "block", "default"),
                    (2, "07:01:02", "allow", "1")], data
        data = explain(w, device, policy="block\n")
        keyboard = data["interfaces"][0]
        assert (keyboard["verdict"], keyboard["reason"], keyboard["decided_by"],
                keyboard["access"]) == ("allow", "harmless", "default", None), data
        assert data["verdict"] == "block"
        only = explain(w, "allow id 16c0:05dc with-interface 03:01:01", policy="block\n")
        assert (only["verdict"], only["reason"]) == ("allow", "harmless"), only


def test_explain_knows_reject_and_other_devices():
    with tools() as w:
        data = explain(w, "allow id 16c0:27db with-interface ff:00:00", NOW)
        assert (data["verdict"], data["reason"], data["decided_by"]) == (
            "reject", "rule-rejected", "12"), data
        policy = "allow id 0001:0002 if allowed-matches(id 0003:0004 serial \"k\")\n"
        device = "allow id 0001:0002 with-interface ff:00:00"
        data = explain(w, device, policy=policy)
        assert (data["verdict"], data["reason"]) == ("block", "conditions-not-met"), data
        data = explain(w, device, "--allowed=allow 0009:0009 with-interface 03:00:00",
                       '--allowed=allow id 0003:0004 serial "k" with-interface 0b:00:00',
                       policy=policy)
        assert data["verdict"] == "allow", data


def test_explain_shows_people_the_deciding_line():
    with tools() as w:
        path = write(w, POLICY)
        args = ("explain", f"--policy={path}", f"--device={STICK}", NOW, f"--luks={UUID}")
        text = w.ctl(*args).stdout
        assert re.search(r"^Verdict +allow ro$", text, re.M), text
        assert f"{path}:7\n" in text and f"  {POLICY.splitlines()[6]}\n" in text, text
        assert re.search(r"^Interfaces +0  08:06:50  allow ro  Registered medium", text, re.M), text
        text = w.ctl(*args, env=JA).stdout
        assert re.search(r"^判定 +許可 ro$", text, re.M), text
        assert "登録済みの媒体で、暗号化を確認しました。" in text, text
        hostile = write(w, "allow id 0001:0002 # \x1b[31m \u202e\n")
        done = w.ctl("explain", f"--policy={hostile}",
                     '--device=allow id 0001:0002 name "\\x1b[2J\\xe2\\x80\\xae" with-interface ff:00:00')
        assert done.returncode == 0 and not UNSAFE.search(done.stdout), done
        assert "# \\x1b[31m \\xe2\\x80\\xae" in done.stdout, done.stdout


def test_explain_refuses_what_is_no_device():
    with tools() as w:
        path = write(w, POLICY)
        for line, column in (("allow id 1234", 10), ("allow serial \"x\"", 1),
                             ("allow 0001:0002", 1), ("allow id 0001:* with-interface 08:06:50", 7),
                             ("allow id 0001:0002 with-interface 08:*:*", 20),
                             ("3: allow id 0001:0002 if true with-interface 08:06:50", 23),
                             ("allow 0001:0002 serial { \"a\" \"b\" } with-interface 08:06:50", 17),
                             ("fly", 1), ("", 1), ("allow\nblock", 1)):
            done = w.ctl("explain", f"--policy={path}", f"--device={line}")
            assert done.returncode == 1 and done.stdout == "", (line, done)
            assert re.match(rf"--device:1:{column}: error: ", done.stderr), (line, done.stderr)
        interfaces = " ".join(["08:06:50"] * 33)
        done = w.ctl("explain", f"--policy={path}",
                     f"--device=allow 0001:0002 with-interface {{ {interfaces} }}")
        assert done.returncode == 1 and "32" in done.stderr, done
        done = w.ctl("explain", f"--policy={write(w, BROKEN)}", f"--device={STICK}", "--json")
        assert done.returncode == 1 and done.stdout == "" and ":6:1: error: " in done.stderr, done


def test_wrong_use_of_the_policy_commands_ends_with_two():
    with tools() as w:
        for args in (("check-policy",), ("check-policy", "a", "b"), ("explain",),
                     ("explain", "x"), ("explain", "--device=x", "--at=soon"),
                     ("explain", "--device=x", "--luks=1234"), ("rule-for",),
                     ("import-usbguard",), ("import-usbguard", "a", "--json"), ("policy",),
                     ("policy", "fly"), ("policy", "diff", "a", "b", "c"),
                     ("policy", "history", "x"), ("check-policy", "--policy=a", "b"),
                     ("reload", "now"), ("help", "policy", "diff", "x")):
            done = w.ctl(*args)
            assert done.returncode == 2 and done.stdout == "" and done.stderr, (args, done)
        for command in ("check-policy FILE", "rule-for DEVICE", "policy diff [A] [B]", "reload"):
            assert f"  {command} " in w.ctl("--help").stdout, command
        assert "Usage: sekimorictl policy diff [A] [B] " in w.ctl("help", "policy", "diff").stdout


# --- import-usbguard --------------------------------------------------------------------------

RULES = """# Office \trules

allow id 1D6B:0002 serial "0000:00:14.0" hash "jEP/" with-interface 09:00:00 with-connect-type ""   # root
  reject via-port "1-2"
allow with-interface equals { 08:*:* 08:*:* }
allow with-interface equals { 07:01:02 ff:00:00 }
block with-interface one-of { 03:00:01 03:01:01 }
allow id match-all { 1234:* } with-interface ff:00:00 if localtime(08:00-17:00)
block 1234:5678 if one-of { rule-applied(10m) random(0.5) !allowed-matches(id 0001:000A name "#") }
match id 1234:5678
block if { rule-applied random }
allow name "\\xe5\\x8c\\xba\\x1b[0m" with-interface 07:01:02 # 区

"""
DIFFERENCES = [(3, 10, "id-case"), (3, 42, "hash"), (3, 78, "connect-type"), (4, 3, "reject"),
               (5, 1, "storage-unproved"), (5, 7, "equals"), (7, 7, "harmless"),
               (8, 7, "id-match-all"), (8, 55, "localtime"), (9, 79, "id-case"),
               (9, 17, "duration"), (9, 17, "random"), (10, 1, "target"), (11, 7, "random")]


def test_a_usbguard_file_becomes_a_policy():
    with tools() as w:
        path = write(w, RULES, "rules.conf")
        done = w.ctl("import-usbguard", path)
        assert done.returncode == 0, done
        policy = done.stdout
        assert policy.startswith("# import[header]: ") and "# Office \trules\n\n" in policy
        assert 'with-connect-type "" # root\n' in policy, policy
        assert '\nallow with-interface { 08:*:* 08:*:* }\n' in policy, policy
        assert '\nallow name "区\\x1b[0m" with-interface 07:01:02 # 区\n\n' in policy, policy
        told = [re.fullmatch(re.escape(path) + r":(\d+):(\d+): warning: (.+)", line).groups()
                for line in done.stderr.splitlines()]
        assert [(int(a), int(b)) for a, b, _ in told] == [d[:2] for d in DIFFERENCES], told
        comments = re.findall(r"^# import\[(.+)\]: (.+)$", policy, re.M)[1:]
        assert comments == [(d[2], t[2]) for d, t in zip(DIFFERENCES, told)], comments
        # Each comment stands above its rule.
        assert re.search(r"# import\[reject\]: .*\nreject via-port \"1-2\"\n", policy), policy


def test_importing_twice_gives_the_same_and_passes_the_check():
    with tools() as w:
        once = w.ctl("import-usbguard", write(w, RULES)).stdout
        again = write(w, once)
        assert w.ctl("import-usbguard", again).stdout == once
        assert w.ctl("import-usbguard", again, env=JA).stdout == once
        assert w.ctl("check-policy", again).returncode == 0
        japanese = w.ctl("import-usbguard", write(w, RULES), env=JA)
        assert "現地時刻" in japanese.stdout and "現地時刻" in japanese.stderr
        again = write(w, japanese.stdout)
        assert w.ctl("import-usbguard", again).stdout == japanese.stdout


def test_an_import_with_errors_writes_nothing():
    with tools() as w:
        path = write(w, "allow\npolicy x\nallow id zz\nmedium M\nallow encrypted\n")
        done = w.ctl("import-usbguard", path)
        assert done.returncode == 1 and done.stdout == "", done
        for place in (":2:1: error: ", ":3:10: error: ", ":4:1: error: ", ":5:16: error: "):
            assert path + place in done.stderr, done.stderr
        assert done.stderr.endswith(f"{path}: errors: 4\n")
        assert w.ctl("import-usbguard", w.directory / "none").returncode == 1
        # What grows beyond the longest line of a policy is told too.
        done = w.ctl("import-usbguard", write(w, 'allow name "' + "\x1b" * 20000 + '"\n'))
        assert done.returncode == 1 and done.stdout == "" and "64 KiB" in done.stderr, done


def test_an_import_keeps_hostile_text_harmless():
    with tools() as w:
        text = ('# \x1b]0;owned\x07 \u202e\r\nallow 0001:0002 if allowed-matches(name "a\x1b\u202eb") '
                '# \x1b[31m\\\n')
        done = w.ctl("import-usbguard", write(w, text))
        assert done.returncode == 0 and not UNSAFE.search(done.stdout + done.stderr), done
        assert "# \\x1b]0;owned\\x07 \\xe2\\x80\\xae\n" in done.stdout, done.stdout
        once = write(w, done.stdout)
        assert w.ctl("import-usbguard", once).stdout == done.stdout


# --- rule-for ---------------------------------------------------------------------------------


def descriptors(vendor, product, triples, usb=0x0200):
    """A device descriptor and one configuration; triples are (number, class, subclass, protocol)."""
    def u16(value):
        return value.to_bytes(2, "little")
    settings = b"".join(bytes((9, 4, number, at, 0, cls, sub, proto, 0))
                        for at, (number, cls, sub, proto) in enumerate(triples))
    count = len({t[0] for t in triples})
    return (bytes((18, 1)) + u16(usb) + bytes((0, 0, 0, 64)) + u16(vendor) + u16(product) +
            u16(0x0110) + bytes((1, 2, 3, 1)) + bytes((9, 2)) + u16(9 + len(settings)) +
            bytes((count, 1, 0, 0x80, 50)) + settings)


def mock_device(path, devnum, vendor, product, triples, attributes):
    name = path.rsplit("/", 1)[1]
    lines = [f"P: {path}", f"N: bus/usb/001/{devnum:03}", "E: SUBSYSTEM=usb", "E: DEVTYPE=usb_device",
             "A: authorized=1\\n", "A: busnum=1\\n", f"A: devnum={devnum}\\n",
             f"A: idVendor={vendor:04x}\\n", f"A: idProduct={product:04x}\\n",
             "A: bcdDevice=0110\\n", "A: bConfigurationValue=1\\n"]
    lines += [f"A: {key}=" + value.replace("\\", "\\\\") + "\\n"
              for key, value in attributes.items()]
    lines += ["H: descriptors=" + descriptors(vendor, product, triples).hex().upper(), ""]
    for number in dict.fromkeys(t[0] for t in triples):
        _, cls, sub, proto = next(t for t in triples if t[0] == number)
        lines += [f"P: {path}/{name}:1.{number}", "E: SUBSYSTEM=usb", "E: DEVTYPE=usb_interface",
                  f"A: bInterfaceNumber={number:02x}\\n", f"A: bInterfaceClass={cls:02x}\\n",
                  f"A: bInterfaceSubClass={sub:02x}\\n", f"A: bInterfaceProtocol={proto:02x}\\n", ""]
    return "\n".join(lines) + "\n"


HOST = "/devices/pci0000:00/0000:00:14.0"
HUB = f"{HOST}/usb1"
PLUG = {"port/connect_type": "hotplug"}
DEVICES = {
    "usb1": mock_device(HUB, 1, 0x1d6b, 0x0002, [(0, 9, 0, 0)],
                        {"product": "xHCI Host Controller", "manufacturer": "Linux",
                         "serial": "0000:00:14.0"}),
    "1-2": mock_device(f"{HUB}/1-2", 4, 0x0951, 0x1666, [(0, 8, 6, 80)],
                       {"product": "DataTraveler 3.0", "manufacturer": "Kingston",
                        "serial": "E0D55EA573F2", **PLUG}),
    "1-3": mock_device(f"{HUB}/1-3", 5, 0x05e3, 0x0608, [(0, 9, 0, 1), (0, 9, 0, 2)],
                       {"product": "Hub", **PLUG}),
    "1-3.1": mock_device(f"{HUB}/1-3/1-3.1", 6, 0x16c0, 0x05dc,
                         [(0, 3, 1, 1), (1, 8, 6, 80), (1, 8, 6, 98), (2, 255, 0, 0)],
                         {"product": "区 \"q\" \\ 'x' \u202e", "manufacturer": "せき",
                          "serial": "#)\"", "port/connect_type": "unknown"}),
    "1-4": mock_device(f"{HUB}/1-4", 7, 0x0951, 0x1666, [(0, 7, 1, 2)], dict(PLUG)),
}
MOCK = (f"P: {HOST}\nE: SUBSYSTEM=pci\nE: DRIVER=xhci_hcd\nA: class=0x0c0330\\n\n\n" +
        "\n".join(DEVICES.values()))


def mocked(w, *args):
    """Runs a program that sees the made-up devices."""
    return w.run("umockdev-run", "-d", write(w, MOCK, "devices.umockdev"), "--", *args)


def test_the_usbguard_form_is_what_usbguard_writes():
    with tools() as w:
        theirs = mocked(w, "usbguard", "generate-policy").stdout.splitlines()
        ours = [mocked(w, CTL, "rule-for", "--usbguard", name).stdout.rstrip("\n")
                for name in DEVICES]
        assert len(theirs) == len(DEVICES) and sorted(ours) == sorted(theirs), (ours, theirs)


def test_a_proposal_for_a_stick_has_a_medium_and_a_rule():
    with tools() as w:
        done = mocked(w, CTL, "rule-for", "1-2")
        assert done.returncode == 0 and done.stderr == "", done
        assert re.search(r'^# medium NUMBER id 0951:1666 serial "E0D55EA573F2" fingerprint '
                         r'"blake2b:[0-9a-f]{32}" encryption luks2 luks-uuid UUID$',
                         done.stdout, re.M), done.stdout
        assert re.search(r'^allow id 0951:1666 serial "E0D55EA573F2" name "DataTraveler 3.0" hash '
                         r'"\S{44}" with-interface 08:06:50 fingerprint "blake2b:[0-9a-f]{32}" '
                         r'encrypted luks2$', done.stdout, re.M), done.stdout
        # With the number and the UUID filled in it is a policy.
        text = done.stdout.replace("# medium NUMBER", "medium M-1").replace("UUID\n", f"{UUID}\n")
        data = json.loads(w.ctl("check-policy", "--json", write(w, text)).stdout)
        assert data["ok"] and data["media"] == 1 and data["rules"] == 1, data
        assert "管理番号" in w.run("umockdev-run", "-d", str(w.directory / "devices.umockdev"), "--",
                               CTL, "rule-for", "1-2", env=JA).stdout


def test_a_proposal_passes_the_check_and_matches_its_device():
    with tools() as w:
        for name in DEVICES:
            data = json.loads(mocked(w, CTL, "rule-for", "--json", name).stdout)
            policy = write(w, data["rule"] + "\n")
            done = w.ctl("check-policy", policy)
            assert done.returncode == 0, (data, done)
            assert not UNSAFE.search(done.stdout + data["rule"] + data["usbguard"])
            device = data["usbguard"] + f' fingerprint "{data["fingerprint"]}"'
            answer = explain(w, device, f"--luks={UUID}", policy="harmless 0b\n" + data["rule"])
            storage = data["medium"] is not None
            assert storage == (name in ("1-2", "1-3.1")), data
            if name != "1-3.1":
                assert answer["verdict"] == "allow" and answer["decided_by"] == "2", (data, answer)
        assert "せき 区 \"q\" \\\\ 'x' \\u{202E}\n" in mocked(w, CTL, "rule-for", "1-3.1").stdout


def test_a_device_without_a_serial_is_warned_of():
    with tools() as w:
        done = mocked(w, CTL, "rule-for", "1-4")
        assert done.returncode == 0 and "no serial number" in done.stderr, done
        assert 'allow id 0951:1666 serial "" name ""' in done.stdout and "medium" not in done.stdout
        assert ' via-port "1-4" ' in mocked(w, CTL, "rule-for", "--usbguard", "1-4").stdout


def test_a_device_is_found_by_its_id_or_refused():
    with tools() as w:
        done = mocked(w, CTL, "rule-for", "16C0:05dc")
        assert done.returncode == 0 and done.stdout.startswith("# 1-3.1  16c0:05dc  "), done
        done = mocked(w, CTL, "rule-for", "0951:1666")
        assert done.returncode == 1 and done.stderr.endswith("1-2 1-4\n"), done
        for what in ("1-9", "dead:beef", "1-2:1.0", "../1-2", "a\x1b", ""):
            done = mocked(w, CTL, "rule-for", what)
            assert done.returncode == 1 and done.stdout == "" and "\x1b" not in done.stderr, done


def test_a_device_is_found_by_its_number_in_the_list():
    with world() as w:
        w.tell("add 2")
        w.tell("deny 2 not-registered")
        assert w.ctl("list").stdout.splitlines()[1].split()[:2] == ["2", "1-2"]
        assert mocked(w, CTL, "rule-for", "2").stdout.startswith("# 1-2  0951:1666")
        assert mocked(w, CTL, "rule-for", "3").returncode == 1


# --- policy diff and history ------------------------------------------------------------------

CHANGED = POLICY.replace("version 7", "version 8").replace("contact", "# contact").replace(
    "access ro", 'access rw holder { "tanaka" "@kaikei" }').replace(
        "medium ZEI-0002", "medium ZEI-0003")


def reordered(text):
    lines = text.splitlines()
    lines[8:] = [lines[11], lines[8], lines[9].replace("tanaka", "suzuki"), lines[10] + " # same"]
    return "\n".join(lines) + "\n"


def test_a_diff_is_about_what_is_meant():
    with tools() as w:
        a, b = write(w, POLICY, "a"), write(w, reordered(CHANGED), "b")
        done = w.ctl("policy", "diff", "--json", a, b)
        assert done.returncode == 0 and done.stderr == "", done
        data = json.loads(done.stdout)
        assert data["a"] == {"file": a, "policy": "shiyakusho", "version": 7} and not data["same"]
        assert data["header"] == [
            {"field": "version", "a": "7", "b": "8"},
            {"field": "contact", "a": '"情報政策課 内線1234"', "b": None}], data["header"]
        assert [m["number"] for m in data["media"]["added"]] == ["ZEI-0003"]
        assert [m["number"] for m in data["media"]["removed"]] == ["ZEI-0002"]
        assert data["media"]["changed"] == [
            {"number": "ZEI-0001", "line_a": 7, "line_b": 7,
             "changes": [{"attribute": "access", "a": "ro", "b": "rw"},
                         {"attribute": "holder", "a": None, "b": '{ "@kaikei" "tanaka" }'}]}]
        assert data["rules"]["moved"] == [{"line_a": 12, "line_b": 9, "rule": "reject id 16c0:27db"}]
        assert [r["rule"] for r in data["rules"]["added"]] == [
            'allow id 0781:5581 for-user "suzuki"']
        assert [r["line"] for r in data["rules"]["removed"]] == [10]
        text = w.ctl("policy", "diff", a, b).stdout
        assert text.splitlines()[:3] == ["Header", "  ~ version: 7 -> 8",
                                         '  ~ contact: "情報政策課 内線1234" -> -'], text
        assert "  > 12 -> 9: reject id 16c0:27db" in text.splitlines(), text
        assert w.ctl("policy", "diff", a, b, env=JA).stdout.startswith("ヘッダー\n")


def test_what_is_only_written_otherwise_is_no_difference():
    with tools() as w:
        other = re.sub(r"#.*", "", POLICY).replace("allow id 04f9:0042", "allow   04F9:0042").replace(
            UUID, UUID.upper()) + "\n# end\n"
        a, b = write(w, POLICY, "a"), write(w, other, "b")
        done = w.ctl("policy", "diff", a, b)
        assert done.returncode == 0 and done.stdout == "The two policies say the same.\n", done
        assert json.loads(w.ctl("policy", "diff", "--json", a, b).stdout)["same"] is True
        assert w.ctl("policy", "diff", f"--policy={b}", a, env=JA).stdout == (
            "二つのポリシーの内容は同じです。\n")


def test_terms_of_one_number_are_told_apart():
    with tools() as w:
        line = f'medium L id 0001:0002 serial "" encryption luks2 luks-uuid {UUID} '
        april = line + "from 2026-04-01 until 2026-04-30\n"
        may = line + "from 2026-05-01 until 2026-05-31\n"
        a, b = write(w, april + may, "a"), write(w, may.replace("-31", "-30"), "b")
        data = json.loads(w.ctl("policy", "diff", "--json", a, b).stdout)["media"]
        assert [c["changes"] for c in data["changed"]] == [
            [{"attribute": "until", "a": "2026-05-31T23:59:59", "b": "2026-05-30T23:59:59"}]], data
        assert [m["line"] for m in data["removed"]] == [1] and not data["added"]


def test_a_bad_side_is_told():
    with tools() as w:
        good, bad = write(w, POLICY, "a"), write(w, BROKEN, "b")
        done = w.ctl("policy", "diff", good, bad)
        assert done.returncode == 1 and done.stdout == "" and f"{bad}:6:1: error" in done.stderr
        assert w.ctl("policy", "diff", good, w.directory / "none").returncode == 1


def digest(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def history(w, *policies):
    """What the daemon keeps, as system/policyhistory.h says; signed by somebody hostile, unless the last."""
    directory = w.directory / "state"
    directory.mkdir(mode=0o755)
    with open(directory / "index.jsonl", "w", encoding="utf-8") as index:
        for n, text in enumerate(policies, 1):
            (directory / f"{n}.policy").write_text(text)
            signed = n < len(policies)
            index.write(json.dumps({
                "n": n, "accepted_at": f"2026-11-0{n}T01:02:03Z", "id": "shiyakusho", "version": n,
                "digest": digest(text.encode()), "signed": signed, "signatures": int(signed),
                "signers": ["情報管理者 \x1b[31m"] if signed else []}) + "\n")
    last = digest(policies[-1].encode())
    floor = (f"sekimori-floor 1\nentry {len(policies)}\nversion {len(policies)}\nsigned no\n"
             f"digest {last}\nseal {last}\nsignatures 0\n").encode()
    (directory / "floor").write_bytes(floor + f"sum {digest(floor)}\n".encode())
    for path in directory.iterdir():
        os.chmod(path, 0o644)
    return f"--state={directory}"


def test_the_history_is_listed():
    with tools() as w:
        state = history(w, POLICY, CHANGED)
        done = w.ctl("policy", "history", state)
        assert done.returncode == 0 and done.stderr == "", done
        lines = done.stdout.splitlines()
        assert lines[0].split() == ["NO", "ACCEPTED", "(UTC)", "Policy", "Version", "SIGNED", "BY"]
        assert re.fullmatch(r"1 +2026-11-01T01:02:03Z +shiyakusho +1 +情報管理者 \\x1B\[31m",
                            lines[1]), lines
        assert lines[2].endswith("(unsigned)") and len(lines) == 3, lines
        assert "（署名なし）" in w.ctl("policy", "history", state, env=JA).stdout
        data = json.loads(w.ctl("policy", "history", "--json", state).stdout)
        assert [(e["n"], e["version"], e["signed"]) for e in data] == [(1, 1, True), (2, 2, False)]
        assert data[0]["file"] == str(w.directory / "state/1.policy")


def test_entries_of_the_history_are_compared_by_number():
    with tools() as w:
        state = history(w, POLICY, CHANGED, POLICY)
        for args, versions in ((("1", "2"), ("7", "8")), ((), ("8", "7"))):
            data = json.loads(w.ctl("policy", "diff", "--json", state, *args).stdout)
            assert data["header"][0] == {"field": "version", "a": versions[0], "b": versions[1]}
        now = write(w, CHANGED)
        data = json.loads(w.ctl("policy", "diff", "--json", state, f"--policy={now}", "2").stdout)
        assert data["same"] is True and data["b"]["file"] == now, data
        assert w.ctl("policy", "diff", state, "9", "1").returncode == 1


def test_no_history_is_no_failure_but_a_foreign_one_is():
    with tools() as w:
        none = f"--state={w.directory / 'none'}"
        done = w.ctl("policy", "history", none)
        assert done.returncode == 0 and done.stdout == "No policy has been accepted yet.\n", done
        assert json.loads(w.ctl("policy", "history", "--json", none).stdout) == []
        assert w.ctl("policy", "diff", none).returncode == 1
        state = history(w, POLICY)
        os.chmod(w.directory / "state", 0o777)
        done = w.ctl("policy", "history", state)
        assert done.returncode == 1 and "not believed" in done.stderr, done
