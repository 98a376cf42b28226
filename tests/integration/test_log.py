# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl log show, follow, export: which records come out, how, and that nothing in them does harm."""
import contextlib
import csv
import io
import json
import os
import re
import resource
import stat
import subprocess
import unicodedata

from harness import BUILD, CTL, PATIENCE, Lines, wait_until, world

SEAL = BUILD / "tests" / "seal-log"
TOKYO = {"TZ": "Asia/Tokyo"}
JA = {"LANG": "ja_JP.UTF-8", "TZ": "Asia/Tokyo"}

HOSTILE = [
    'a"b,c', "two\nlines\r\n", "\x1b[31mred\x1b[0m\a", "\u202egnp.exe\u2066", "\u200binvisible\ufeff", "=cmd|'/c calc'!A0", "+1", "-1+2",
    "@SUM(A1)", "\tTAB", "'=1", "＝1", "back\\slash|pipe=equals", "\x7f\x85\u2028", "日本語 😀", " blank ", "\U000e0041tag", "</script>&amp;",
]


def record(second, kind, **members):
    return {"time": f"2026-11-{1 + second // 86400:02}T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.000001Z",
            "boot_us": second, "kind": kind, "terminal": "mado-03", **members}


def seal(directory, records, *args):
    """A log as the keeper writes it; what the tool says of it."""
    text = "".join(json.dumps(r) + "\n" for r in records)
    done = subprocess.run([SEAL, directory, "--terminal", "mado-03", *args], input=text, text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


@contextlib.contextmanager
def log_of(records, *args):
    with world(bus=False, daemon=False) as w:
        w.log = w.directory / "log"
        w.sealed = seal(w.log, records, *args)
        yield w


def log(w, command, *args, env=None):
    return w.ctl("log", command, f"--log={w.log}", *args, env={**TOKYO, **(env or {})})


def shown(w, *args):
    """The records that come out, by their numbers."""
    done = log(w, "show", "--json", *args)
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["seq"] for line in done.stdout.splitlines()]


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


DENIED = {"device": "1-2", "id": "46f4:0001", "serial": "A1", "product": "USBメモリ", "reason": "not-registered", "user": "tanaka"}
ALLOWED = {"device": "1-3", "id": "46f4:0002", "serial": "B2", "product": "Stick", "reason": "proved", "medium": "ZEI-1", "user": "sato",
           "uid": 1001}


def test_show_is_a_table_in_the_readers_time_and_language():
    with log_of([record(0, "denied", **DENIED), record(60, "allowed", **ALLOWED)]) as w:
        done = log(w, "show")
        assert done.returncode == 0 and done.stderr == "", done
        lines = done.stdout.splitlines()
        assert len(lines) == 4 and lines[0].startswith("Time "), lines
        assert not re.search(r" $", done.stdout, re.M), done.stdout
        assert re.fullmatch(r"2026-11-01 09:00:00  A device was refused\. +1-2 USBメモリ +tanaka +This medium is not registered\..*",
                            lines[2]), lines
        assert re.fullmatch(r"2026-11-01 09:01:00 .* 1-3 Stick +ZEI-1 +sato +Registered medium, encryption proved\.", lines[3]), lines
        column = width(lines[0][:lines[0].index("Why")])
        for line in lines[2:]:
            assert width(line[:re.search("This|Registered", line).start()]) == column, lines


def test_what_a_record_says_stands_there_in_words():
    records = [record(0, "refused", attempt="bind", program="/usr/bin/modprobe"), record(1, "revoked", why="others"),
               record(2, "incident", type="gate-attempt", number="7", count=3), record(3, "self-check", result="fail"),
               record(4, "denied", detail="keyslot 3 is not encrypted"), record(5, "held", why="of a newer keeper", state="held")]
    with log_of(records) as w:
        english = log(w, "show").stdout
        for words in ("the terminal's first log", "binding a driver, program: /usr/bin/modprobe", "another device went", "count: 3", "result: fault",
                      "of a newer keeper, state: held"):
            assert words in english, (words, english)
        japanese = log(w, "show", env=JA).stdout
        for value in ("/usr/bin/modprobe", "of a newer keeper", "mado-03", "LUKS"):
            japanese = japanese.replace(value, "")
        assert "鍵スロット" in japanese or "キースロット" in japanese, japanese
        assert not re.search("[A-Za-z]{3}|=", japanese), japanese


def test_the_table_is_cut_to_the_screen_and_the_colours_are_only_ours():
    import pty
    import fcntl
    import struct
    import termios
    names = [record(i, "denied", **{**DENIED, "product": name, "detail": name}) for i, name in enumerate(HOSTILE)]
    with log_of(names) as w:
        for columns in (60, 80, 200):
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
            w.env["PAGER"] = "cat"
            process = w.start([CTL, "log", "show", f"--log={w.log}"], stdout=slave, stdin=slave)
            os.close(slave)
            text = b""
            with contextlib.suppress(OSError):
                while piece := os.read(master, 65536):
                    text += piece
            os.close(master)
            assert process.wait() == 0
            lines = text.decode().replace("\r\n", "\n").splitlines()
            body = [re.sub(r"\x1b\[(33|0)m", "", line) for line in lines if "2026-11-01" in line]
            assert len(body) == len(names) + 1, lines
            for line in body:
                assert width(line) <= columns or columns < 80, (columns, line)
                assert not re.search("[\x00-\x1f\x7f-\x9f\u200b\u202e\u2066\u2028]", line), line


def test_filters_choose_records():
    records = [record(0, "started", version="0.1.0"), record(3600, "denied", **DENIED), record(7200, "allowed", **ALLOWED),
               record(86400, "released", **ALLOWED), record(90000, "denied", **{**DENIED, "user": "kato", "terminal": "mado-04"}),
               record(100000, "seat", user="", uid=0)]
    with log_of(records) as w:
        by_kind = {name: [i + 2 for i, r in enumerate(records) if r["kind"] == name] for name in ("denied", "allowed", "released")}
        assert shown(w) == list(range(1, 8))
        assert shown(w, "--kind=denied") == by_kind["denied"]
        assert shown(w, "--kind=denied,allowed", "--kind", "released") == sorted(sum(by_kind.values(), []))
        assert shown(w, "--verdict=allow") == [4, 5] and shown(w, "--verdict=block") == [3, 6]
        assert shown(w, "--person=tanaka") == [3] and shown(w, "--person=1001") == [4, 5] and shown(w, "--person=tana") == []
        assert shown(w, "--medium=ZEI-1") == [4, 5] and shown(w, "--device=A1") == [3, 6] and shown(w, "--device=1-3") == [4, 5]
        assert shown(w, "--terminal=mado-04") == [6] and shown(w, "--reason=not-registered") == [3, 6]
        # Tokyo's 2 November begins at 15:00 of the 1st.
        assert shown(w, "--until=2026-11-01", "--kind=denied,allowed,released") == [3, 4]
        assert shown(w, "--since=2026-11-02", "--kind=denied,allowed,released") == [5, 6]
        assert shown(w, "--since=2026-11-01T10:00", "--until=2026-11-01T10:00") == [3]
        assert shown(w, "--since=-1d") == []
        done = log(w, "show", "--person=nobody")
        assert done.returncode == 0 and done.stdout == "" and done.stderr == "No record matches.\n", done


def test_an_unknown_kind_is_told_and_wrong_values_are_usage_errors():
    with log_of([record(0, "held")]) as w:
        done = log(w, "show", "--kind=helt")
        assert done.returncode == 0 and "'helt'" in done.stderr, done
        for args in (["--since=soon"], ["--until=2026-02-30"], ["--verdict=maybe"], ["--format=xml"], ["--json", "--format=csv"],
                     ["--since=2026-11-02", "--until=2026-11-01"], ["--kind=" + ",".join(["held"] * 65)]):
            done = log(w, "show", *args)
            assert done.returncode == 2 and done.stdout == "" and done.stderr, (args, done)
        assert log(w, "follow", "--log=/tmp").returncode == 2


def test_an_export_as_json_is_the_log_byte_for_byte():
    records = [record(i, "denied", **{**DENIED, "product": name}) for i, name in enumerate(HOSTILE)]
    with log_of(records, "--checkpoint", "5") as w:
        done = log(w, "export", "--json")
        assert done.returncode == 0 and done.stdout == (w.log / "events.jsonl").read_text(encoding="utf-8")
        back = [json.loads(line) for line in done.stdout.splitlines()]
        assert [r["product"] for r in back if r["kind"] == "denied"] == HOSTILE


def unescape(text):
    """core/text.h, back to what it was."""
    def one(match):
        body = match[1]
        return "\\" if body == "\\" else chr(int(body[1:].strip("{}"), 16))
    return re.sub(r"\\(\\|x[0-9A-F]{2}|u\{[0-9A-F]+\})", one, text)


def test_an_export_as_csv_harms_nobody_and_can_be_read_back():
    records = [record(i, "denied", **{**DENIED, "product": name, "odd": name}) for i, name in enumerate(HOSTILE)]
    with log_of(records) as w:
        done = subprocess.run([CTL, "log", "export", f"--log={w.log}", "--kind=denied"], capture_output=True, check=True)
        assert done.stdout.startswith(b"\xef\xbb\xbf") and done.stdout.count(b"\r\n") == done.stdout.count(b"\n") == 1 + len(HOSTILE)
        text = done.stdout.decode("utf-8-sig")
        assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202e\u2066\u2028\ufeff\U000e0041]", text)
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        for row, name in zip(rows, HOSTILE, strict=True):
            for cell in row.values():
                assert not cell.startswith(("=", "+", "-", "@", "＝", "\t", "\r")), row
            product = row["product"]
            guarded = product.startswith("'")
            assert unescape(product[1:] if guarded else product) == name, (product, name)
            assert json.loads(unescape(row["more"]))["odd"] == name
            assert row["reason"] == "not-registered" and row["user"] == "tanaka"


def cef_parse(line):
    """Header and extension of a CEF line, unescaped: a reader written from the format's description."""
    head, rest = [], line
    for _ in range(7):
        match = re.match(r"((?:[^|\\]|\\.)*)\|", rest)
        head.append(re.sub(r"\\(.)", r"\1", match[1]))
        rest = rest[match.end():]
    pairs = re.findall(r"(\w+)=((?:[^=\\]|\\.)*)(?= \w+=|$)", rest)
    return head, {key: re.sub(r"\\(.)", r"\1", value) for key, value in pairs}


def test_an_export_as_cef_is_escaped_and_can_be_read_back():
    records = [record(i, "denied", **{**DENIED, "product": name}) for i, name in enumerate(HOSTILE)]
    records.append(record(99, "made|up\\kind=x", detail="a=b"))
    with log_of(records) as w:
        lines = log(w, "export", "--format=cef").stdout.splitlines()[1:]
        for line, name in zip(lines, HOSTILE):
            head, extension = cef_parse(line)
            assert head == ["CEF:0", "Sekimori", "sekimorid", head[3], "denied", "A device was refused.", "6"], head
            assert unescape(extension["cs4"]) == name and extension["cs4Label"] == "product", (line, name)
            assert extension["act"] == "block" and extension["suser"] == "tanaka" and extension["dvchost"] == "mado-03"
            assert not re.search("[\x00-\x1f\x7f-\x9f\u202e\u2066\u2028]", line), line
        assert cef_parse(lines[0])[1]["rt"] == "1793491200000"
        head, extension = cef_parse(lines[len(HOSTILE)])
        assert unescape(head[4]) == "made|up\\kind=x" and extension["msg"] == "a=b", lines[-1]


def test_an_export_as_cef_names_the_road_and_the_secret():
    records = [record(0, "road-closed", road="sr_mod"), record(1, "secret-unopened", secret="telephone"), record(2, "denied", **DENIED)]
    with log_of(records) as w:
        road, secret, device = (cef_parse(line)[1] for line in log(w, "export", "--format=cef").stdout.splitlines()[-3:])
        assert (road["deviceInboundInterface"], road["cat"], road["act"]) == ("sr_mod", "road", "block"), road
        assert (secret["msg"], secret["cat"]) == ("telephone", "usb") and "deviceInboundInterface" not in secret, secret
        assert device["deviceInboundInterface"] == DENIED["device"] and device["cat"] == "usb", device


def test_bytes_that_are_not_utf8_are_shown_as_such():
    with log_of([record(0, "held")]) as w:
        with open(w.log / "events.jsonl", "ab") as f:
            f.write(b'{"seq":9,"kind":"held","device":"1-1","product":"bad\xff\xc0\xaf"}\n\xff\xfe no record\n\x00\n{"kind":\n')
        for command in (["show"], ["export"]):
            done = subprocess.run([CTL, "log", *command, f"--log={w.log}"], capture_output=True, check=True)
            assert rb"bad\xFF\xC0\xAF" in done.stdout and b"\xff" not in done.stdout and done.stdout.count(b"\n") == 4, done.stdout
        assert json.loads(log(w, "show", "--json").stdout.splitlines()[-1])["product"] == "bad\ufffd\ufffd\ufffd"


def test_an_export_to_a_file_is_private_and_overwrites_nothing():
    with log_of([record(0, "denied", **DENIED)]) as w:
        out = w.directory / "out.csv"
        done = log(w, "export", f"--output={out}")
        assert done.returncode == 0 and done.stdout == "" and done.stderr == "2 records\n", done
        assert stat.S_IMODE(out.stat().st_mode) == 0o600 and b"not-registered" in out.read_bytes()
        before = out.read_bytes()
        done = log(w, "export", "--json", f"--output={out}")
        assert done.returncode == 1 and "there already" in done.stderr and out.read_bytes() == before, done
        (w.directory / "link").symlink_to(w.directory / "elsewhere")
        assert log(w, "export", f"--output={w.directory}/link").returncode == 1
        assert not (w.directory / "elsewhere").exists()
        done = log(w, "export", "--output=/dev/full/x")
        assert done.returncode == 1 and done.stderr.startswith("sekimorictl: /dev/full/x: "), done
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([CTL, "log", "export", f"--log={w.log}"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1 and "cannot write" in done.stderr, done


def test_rotated_and_compressed_files_are_one_log():
    records = [record(i * 3600, "held", device=f"1-{i}") for i in range(50)]
    with log_of(records, "--rotate", "10") as w:
        whole = shown(w)
        files = sorted(w.log.glob("events-*.jsonl"))
        assert len(files) == 4 and whole == list(range(1, len(whole) + 1)), (files, whole)
        lost = files[0].read_text(encoding="utf-8").count("\n")
        for file in files[:2]:
            subprocess.run(["zstd", "-q", "--rm", file], check=True)
        assert shown(w) == whole
        assert shown(w, "--since=2026-11-02T20:00") == [s for s in whole if s in shown(w, "--since=2026-11-02T20:00")] != whole
        # One of them is damaged: told, and the rest is there.
        packed = sorted(w.log.glob("*.zst"))[0]
        packed.write_bytes(packed.read_bytes()[:-9])
        done = log(w, "show", "--json")
        rest = [json.loads(line)["seq"] for line in done.stdout.splitlines()]
        assert done.returncode == 1 and packed.name in done.stderr and "damaged" in done.stderr, done.stderr
        assert rest[-1] == whole[-1] and set(whole[lost:]) <= set(rest)
        # Single files, in the order given.
        done = w.ctl("log", "show", "--json", f"--log={files[3]}", f"--log={files[2]}")
        order = [json.loads(line)["seq"] for line in done.stdout.splitlines()]
        assert order[0] > order[-1] and set(order) < set(whole), order


def test_follow_shows_the_newest_and_goes_on_over_rotation():
    with log_of([record(i, "held", device=f"1-{i}") for i in range(40)]) as w:
        current = w.log / "events.jsonl"
        process, lines = w.ctl_follow("log", "follow", "--json", f"--log={w.log}", "--count=4", "--kind=held,denied")
        first = [json.loads(lines.next())["seq"] for _ in range(10)]
        assert first == list(range(32, 42)), first

        def write(seq, kind, end="\n"):
            with open(current, "a", encoding="utf-8") as f:
                f.write(json.dumps({"seq": seq, "time": "2026-11-21T00:00:00.000000Z", "kind": kind}, separators=(",", ":")) + end)
        write(42, "held")
        assert json.loads(lines.next())["seq"] == 42
        write(43, "seat")
        write(44, "denied", end="")
        current.rename(w.log / "events-20261101T000000Z-000000000001.jsonl")
        with open(w.log / "events-20261101T000000Z-000000000001.jsonl", "a", encoding="ascii") as f:
            f.write("\n")
        write(45, "held")
        assert [json.loads(lines.next())["seq"] for _ in range(2)] == [44, 45]
        assert process.poll() is None
        write(46, "held")
        assert json.loads(lines.next())["seq"] == 46
        wait_until(lambda: process.poll() == 0, "the end after four new records")


def test_follow_goes_on_once_the_directory_can_be_listed_again():
    with log_of([record(i, "held") for i in range(3)]) as w:
        current = w.log / "events.jsonl"
        errors = w.directory / "errors"
        with open(errors, "wb") as stderr:
            process = w.start([CTL, "log", "follow", "--json", "--count=1", f"--log={w.log}"], stdout=subprocess.PIPE, stderr=stderr)
        lines = Lines(process)
        for _ in range(4):
            lines.next()
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        current.rename(w.log / "events-20261101T000000Z-000000000001.jsonl")
        current.write_text('{"seq":5,"time":"2026-11-21T00:00:00.000000Z","kind":"held"}\n', encoding="ascii")
        wait_until(lambda: b"Too many open files" in errors.read_bytes(), "the error")
        (w.log / "stir").write_bytes(b"")
        (w.log / "again").write_bytes(b"")
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
        assert json.loads(lines.next())["seq"] == 5
        wait_until(lambda: process.poll() == 0, "the end")
        assert errors.read_bytes().count(b"Too many open files") == 1, errors.read_bytes()


def test_follow_ends_when_nobody_reads():
    with log_of([record(0, "held")]) as w:
        process = w.start([CTL, "log", "follow", f"--log={w.log}"], stdout=subprocess.PIPE)
        Lines(process).next()
        process.stdout.close()
        wait_until(lambda: process.poll() is not None, "the end")


def test_who_may_not_read_is_told_what_to_do():
    if os.geteuid() != 0:
        return
    with log_of([record(0, "held")]) as w:
        root = w.directory / "root"
        (root / "var/log").mkdir(parents=True)
        w.log.rename(root / "var/log/sekimori")
        for path in (root, root / "var", root / "var/log"):
            path.chmod(0o755)
        (root / "var/log/sekimori").chmod(0o750)
        for command in ("show", "export", "follow", "verify"):
            done = subprocess.run([CTL, "log", command, f"--root={root}"], user=65534, group=65534, extra_groups=[], capture_output=True,
                                  text=True, check=False, timeout=PATIENCE)
            assert done.returncode == 1 and "Permission denied" in done.stderr and "root only: use sudo" in done.stderr, done
        assert w.ctl("log", "show", f"--root={root}").stdout.count("\n") == 3
        done = w.ctl("log", "show", f"--root={w.directory}/nothing")
        assert done.returncode == 1 and "no event log on this terminal" in done.stderr, done
