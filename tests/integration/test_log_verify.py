# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl log verify: names what was done to a log, from outside."""
import base64
import json
import shutil
import subprocess

from harness import CTL
from test_log import log, log_of, record, seal

RECORDS = [record(i * 60, "held", device=f"1-{i}") for i in range(60)]
KINDS = ("truncated", "foreign", "bad-signature", "anchor", "removed", "no-header", "misnamed")
JA = {"LANG": "ja_JP.UTF-8"}


def lines_of(w):
    return (w.log / "events.jsonl").read_bytes().splitlines(keepends=True)


def findings(w, *args):
    done = log(w, "verify", "--json", *args)
    answer = json.loads(done.stdout)
    assert done.returncode == (0 if answer["ok"] else 1), done
    assert answer["ok"] == (answer["n_findings"] == 0 and not answer["unreadable"]), answer
    return [(f["kind"], f["from"], f["to"]) for f in answer["findings"]], answer


def altered(lines):
    lines[19] = lines[19].replace(b'"held"', b'"seat"')


def removed(lines):
    del lines[19:22]


def reordered(lines):
    lines.insert(25, lines.pop(19))


def duplicated(lines):
    lines.insert(30, lines[19])


def rubbish(lines):
    lines.insert(19, b"no record at all\n")


def cut(lines):
    lines[-1] = lines[-1][:-40]


def first_gone(lines):
    del lines[:5]


TAMPERED = [
    (altered, "altered", 20, 20), (removed, "removed", 20, 22), (reordered, "reordered", 20, 20), (duplicated, "duplicated", 20, 20),
    (rubbish, "not-a-record", None, None), (cut, "truncated", None, None), (first_gone, None, None, None),
]


def test_a_whole_log_is_told_to_be_whole():
    with log_of(RECORDS, "--checkpoint", "20", "--rotate", "25") as w:
        done = log(w, "verify")
        assert done.returncode == 0 and done.stderr == "", done
        kinds, answer = findings(w)
        # With nothing to hold it against, nobody knows what may have been cut off.
        assert f"The log is whole as far as record {answer['seq']}; what came after it cannot be known." in done.stdout, done
        anchors = w.directory / "anchors"
        anchors.write_text(json.dumps(answer), encoding="utf-8")
        done = log(w, "verify", f"--anchors={anchors}")
        assert done.returncode == 0 and "The log is whole: nothing was altered, removed or added." in done.stdout, done
        last = json.loads(lines_of(w)[-1])
        assert kinds == [] and answer["seq"] == last["seq"] == answer["records"] and answer["hash"] == last["hash"]
        assert answer["checkpoints"] >= 3 and answer["terminal"] and answer["first_seq"] == 1
        for file in w.log.glob("events-*.jsonl"):
            subprocess.run(["zstd", "-q", "--rm", file], check=True)
        assert findings(w)[0] == []
        # What came out of `log export --json` is a log that can be verified.
        out = w.directory / "exported.jsonl"
        assert log(w, "export", "--json", f"--output={out}").returncode == 0
        done = w.ctl("log", "verify", f"--log={out}")
        assert done.returncode == 0, done


def test_each_tampering_is_named_with_its_first_bad_record():
    for tamper, kind, first, last in TAMPERED:
        with log_of(RECORDS, "--checkpoint", "20") as w:
            lines = lines_of(w)
            tamper(lines)
            (w.log / "events.jsonl").write_bytes(b"".join(lines))
            kinds, answer = findings(w)
            assert kinds, tamper.__name__
            if kind:
                assert [k for k, _, _ in kinds] == [kind], (tamper.__name__, kinds)
            if first:
                assert kinds[0][1:] == (first, last) and answer["first_bad"] == first, (tamper.__name__, kinds)
            done = log(w, "verify")
            assert done.returncode == 1 and "THE LOG IS NOT WHOLE" in done.stdout and "\n  - " in done.stdout, done.stdout
            if first:
                assert f"The first bad record is number {first}." in done.stdout, done.stdout
                assert "events.jsonl:" in done.stdout.splitlines()[0], done.stdout


def test_a_foreign_file_and_a_wrong_key_are_named():
    with log_of(RECORDS, "--checkpoint", "20") as w:
        other = seal(w.directory / "other", RECORDS, "--checkpoint", "20")
        lines = lines_of(w)
        stranger = (w.directory / "other/events.jsonl").read_bytes().splitlines(keepends=True)
        (w.log / "events.jsonl").write_bytes(b"".join(lines[:30] + stranger[30:31] + lines[31:]))
        assert {k for k, _, _ in findings(w)[0]} <= {"foreign", "altered", "removed"} and findings(w)[0]
        (w.log / "events.jsonl").write_bytes(b"".join(lines))
        own = base64.b64decode(w.sealed["public"]).hex()
        kinds, answer = findings(w, f"--terminal-key={own}")
        assert kinds == [] and answer["terminal_key_known"] is True
        key = w.directory / "terminal.pub"
        key.write_text(f"# this terminal\n{own}\n", encoding="ascii")
        assert findings(w, f"--terminal-key={key}")[0] == []
        assert findings(w, f"--terminal-key={w.sealed['public']}")[0] == []
        key.write_text(json.dumps({"log": w.sealed["log"], "public": w.sealed["public"]}), encoding="ascii")
        assert findings(w, f"--terminal-key={key}")[0] == []
        kinds, _ = findings(w, f"--terminal-key={base64.b64decode(other['public']).hex()}")
        assert {k for k, _, _ in kinds} <= {"foreign", "bad-signature"} and kinds[0][1] == 1, kinds
        key.write_text("# nothing but a comment\n", encoding="ascii")
        for wrong in (own[:-1], own + "0", str(w.directory / "nothing"), str(key), str(w.log)):
            assert log(w, "verify", f"--terminal-key={wrong}").returncode == 2


def test_anchors_uncover_what_was_cut_off_or_written_anew():
    with log_of(RECORDS, "--checkpoint", "20") as w:
        lines = lines_of(w)
        _, answer = findings(w)
        anchors = w.directory / "anchors"
        middle = json.loads(lines[29])
        anchors.write_text(json.dumps({"seq": middle["seq"], "hash": middle["hash"]}) + "\n\n" + json.dumps(answer) + "\n", encoding="utf-8")
        kinds, answer = findings(w, f"--anchors={anchors}")
        assert kinds == [] and answer["anchors_file"] == 2, kinds
        # Cut off at a checkpoint: nothing in the file shows it.
        newest = max(i for i, line in enumerate(lines[:-1]) if b'"kind":"checkpoint"' in line)
        (w.log / "events.jsonl").write_bytes(b"".join(lines[:newest + 1]))
        assert findings(w)[0] == []
        kinds, _ = findings(w, f"--anchors={anchors}")
        assert [k for k, _, _ in kinds] == ["truncated"], kinds
        # Another log with the same numbers.
        shutil.rmtree(w.log)
        seal(w.log, RECORDS, "--checkpoint", "20")
        assert findings(w)[0] == []
        kinds, answer = findings(w, f"--anchors={anchors}")
        assert "anchor" in {k for k, _, _ in kinds} and answer["first_bad"] in (1, 30), kinds
        for nothing in ("/dev/null", w.directory / "blank"):
            (w.directory / "blank").write_text("\n \n", encoding="ascii")
            done = log(w, "verify", f"--anchors={nothing}")
            assert done.returncode == 1 and "no record in it to hold the log against" in done.stderr and done.stdout == "", done
        for text, where in (('{"seq":1}\n', ":1:"), ('\n{"seq":"1","hash":"00"}\n', ":2:"), ("x\n", ":1:")):
            anchors.write_text(text, encoding="ascii")
            done = log(w, "verify", f"--anchors={anchors}")
            assert done.returncode == 1 and where in done.stderr and done.stdout == "", done


def test_files_that_cannot_be_read_are_no_success():
    with log_of(RECORDS, "--rotate", "20") as w:
        first = sorted(w.log.glob("events-*.jsonl"))[0]
        subprocess.run(["zstd", "-q", "--rm", first], check=True)
        packed = first.with_name(first.name + ".zst")
        packed.write_bytes(packed.read_bytes()[:-20])
        done = log(w, "verify", "--json")
        answer = json.loads(done.stdout)
        assert done.returncode == 1 and answer["ok"] is False and answer["unreadable"][0]["file"] == packed.name, answer
        (w.log / "events.jsonl").write_bytes(b"")
        for file in w.log.glob("events-*"):
            file.unlink()
        done = log(w, "verify")
        assert done.returncode == 1 and "no record in it" in done.stdout, done


def journal_of(directory, entries):
    """A journal file as journald writes it, from the export format."""
    text = "".join("".join(f"{key}={value}\n" for key, value in entry.items()) + "\n" for entry in entries)
    directory.mkdir(parents=True)
    subprocess.run(["/lib/systemd/systemd-journal-remote", "--output", directory / "system.journal", "-"], input=text.encode(), check=True, capture_output=True)


class Terminal:
    """A terminal's files below --root, as the keeper lays them down, and what its journal has seen."""

    def __init__(self, w):
        from harness import TOP
        self.w, self.root = w, w.directory / "root"
        self.log = self.root / "var/log/sekimori"
        self.current = self.log / "events.jsonl"
        self.header = self.root / "var/lib/sekimori/log/header"
        self.header.parent.mkdir(parents=True)
        self.log.parent.mkdir()
        w.log.rename(self.log)
        self.lay_header(w.sealed)
        source = (TOP / "userspace/core/eventkind.c").read_text(encoding="utf-8")
        self.message_id = source.split('"checkpoint", "')[1][:32]

    def lay_header(self, sealed):
        self.header.write_text(json.dumps({"public": sealed["public"], "log": sealed["log"]}), encoding="ascii")

    def entry(self, number, seq, digest, uid="0"):
        return {"__REALTIME_TIMESTAMP": 1793500000000000 + number, "__MONOTONIC_TIMESTAMP": 1000 + number,
                "_BOOT_ID": "0123456789abcdef0123456789abcdef", "_UID": uid, "MESSAGE_ID": self.message_id, "MESSAGE": "checkpoint",
                "SEKIMORI_SEQ": seq, "SEKIMORI_HASH": digest}

    def see(self, points, more=()):
        journal_of(self.root / "var/log/journal", [self.entry(i, p["seq"], p["hash"]) for i, p in enumerate(points)] + list(more))

    def verify(self):
        return json.loads(self.w.ctl("log", "verify", "--json", f"--root={self.root}").stdout)

    def told(self, *options):
        """Kinds of findings in a report of the month, after all that verify a log agreed on whether there are any."""
        report = self.w.ctl("report", "--month=2026-11", "--format=csv", f"--root={self.root}", *options)
        sheet = self.w.ctl("incident", "export", "7", f"--root={self.root}", *options)
        listed = self.w.ctl("incident", "list", f"--root={self.root}", *options)
        assert sheet.returncode == listed.returncode == 0, (sheet, listed)
        warned = {"sekimorictl log verify" in done.stderr for done in (report, sheet, listed)}
        assert len(warned) == 1, (report.stderr, sheet.stderr, listed.stderr)
        kinds = {word for word in KINDS if word in report.stdout}
        assert bool(kinds) == warned.pop() == report.returncode, (kinds, report)
        return kinds, sheet.stdout


def test_this_terminals_key_and_journal_are_used():
    """As root does it: no option, everything where the keeper puts it (below --root)."""
    with log_of(RECORDS, "--checkpoint", "20") as w:
        t = Terminal(w)
        root, current, answer = t.root, t.current, t.verify
        state = t.header.parent
        lines = current.read_bytes().splitlines(keepends=True)
        points = [json.loads(line) for line in lines if b'"kind":"checkpoint"' in line]
        t.see(points, [t.entry(90, 9999, "0" * 64, uid="1000"), {**t.entry(91, 8888, "0" * 64), "SEKIMORI_LOST": "1"}])
        good = answer()
        assert good["ok"] and good["terminal_key_known"] and good["anchors_journal"] == len(points), good
        assert good["expected_seq"] == points[-1]["seq"], good
        current.write_bytes(b"".join(lines[:points[-2]["seq"]]))
        bad = answer()
        assert [f["kind"] for f in bad["findings"]] == ["truncated"], bad
        # Root begins a new log with the terminal's old numbers.
        shutil.rmtree(root / "var/log/sekimori")
        seal(root / "var/log/sekimori", RECORDS, "--checkpoint", "20")
        assert {f["kind"] for f in answer()["findings"]} & {"foreign", "bad-signature"}
        # As if root had the signing key too: only the log's id is another.
        other = json.loads((root / "var/log/sekimori/events.jsonl").read_bytes().splitlines()[0])
        (state / "header").write_text(json.dumps({"public": other["public"], "log": w.sealed["log"]}), encoding="ascii")
        assert "foreign" in {f["kind"] for f in answer()["findings"]}
        (state / "header").write_text(json.dumps({"public": other["public"], "log": other["log"]}), encoding="ascii")
        assert "foreign" not in {f["kind"] for f in answer()["findings"]}
        (state / "header").unlink()
        assert "anchor" in {f["kind"] for f in answer()["findings"]}


def test_report_and_incident_hold_the_log_against_the_same():
    """A log that was cut or made anew is named by all that rest on one, also where only older files were touched."""
    records = [record(0, "held"), record(1, "incident", number="mado-03-2026-11-01-7", type="tampering", cause="x", first_seq=1, last_seq=2, count=1)]
    records += [record(i * 86400, "held", device=f"1-{i}") for i in range(1, 28)]
    records = [{**r, "time": r["time"].replace("2026-11", "2026-09")} for r in records[2:]] + records
    with log_of(records, "--checkpoint", "5", "--rotate", "10") as w:
        t = Terminal(w)
        files = sorted(t.log.glob("events-*")) + [t.current]
        texts = {file: file.read_bytes() for file in files}
        points = [json.loads(line) for file in files for line in texts[file].splitlines() if b'"kind":"checkpoint"' in line]
        t.see(points)
        kinds, good = t.told()
        assert kinds == set() and t.verify()["ok"], kinds
        # The newest file is cut at a checkpoint.
        lines = texts[t.current].splitlines(keepends=True)
        newest = max(i for i, line in enumerate(lines[:-1]) if b'"kind":"checkpoint"' in line)
        t.current.write_bytes(b"".join(lines[:newest + 1]))
        kinds, bad = t.told()
        assert kinds == {"truncated"} and bad != good, kinds
        t.current.write_bytes(texts[t.current])
        # A file of two months ago, which the report does not count.
        files[0].unlink()
        assert t.told()[0] == {"removed"}
        files[0].write_bytes(texts[files[0]])
        # All of it anew, in the same numbers.
        shutil.rmtree(t.log)
        other = seal(t.log, records, "--checkpoint", "5", "--rotate", "10")
        assert t.told()[0] & {"foreign", "bad-signature"}
        # A copy is held against what is given, and not against this terminal.
        log = f"--log={t.log}"
        key = base64.b64decode(w.sealed["public"]).hex()
        assert t.told(log)[0] == set() and t.told(log, f"--terminal-key={key}")[0]
        assert t.told(log, f"--terminal-key={other['public']}")[0] == set()
        anchors = w.directory / "anchors"
        anchors.write_text(json.dumps({"seq": points[1]["seq"], "hash": points[1]["hash"]}), encoding="ascii")
        assert t.told(log, f"--anchors={anchors}")[0] == {"anchor"}
        done = w.ctl("report", log, "--terminal-key=nothing")
        assert done.returncode == 2 and done.stdout == "", done


def test_an_own_log_without_its_traces_is_not_whole():
    """Somebody removes the records, and with them what would tell of it."""
    with log_of(RECORDS, "--checkpoint", "20", "--rotate", "25") as w:
        t = Terminal(w)
        good = t.verify()
        assert good["ok"] and good["anchors_journal"] == 0, good
        last = json.loads(t.current.read_bytes().splitlines()[0])["seq"]
        held = t.header.read_bytes()

        def kinds():
            answer = t.verify()
            assert answer["ok"] is False and answer["n_findings"] == len(answer["findings"]), answer
            return [(f["kind"], f["from"], f["file"]) for f in answer["findings"]]
        text = t.current.read_bytes()
        t.current.write_bytes(b"")
        assert kinds() == [("truncated", last, "events.jsonl")]
        t.header.unlink()
        assert kinds() == [("truncated", last, "events.jsonl"), ("no-header", 0, "/var/lib/sekimori/log/header")]
        done = w.ctl("log", "verify", f"--root={t.root}")
        assert done.returncode == 1 and "THE LOG IS NOT WHOLE" in done.stdout and "whole as far" not in done.stdout, done
        t.current.unlink()
        assert kinds() == [("truncated", last, ""), ("no-header", 0, "/var/lib/sekimori/log/header")]
        t.current.write_bytes(text)
        assert kinds() == [("no-header", 0, "/var/lib/sekimori/log/header")]
        assert w.ctl("log", "verify", f"--root={t.root}", f"--terminal-key={w.sealed['public']}").returncode == 0
        t.header.write_bytes(held)
        assert t.verify()["ok"]


def test_a_file_whose_name_contradicts_its_first_record_is_named():
    with log_of(RECORDS, "--checkpoint", "20", "--rotate", "25") as w:
        assert findings(w)[0] == []
        first = sorted(w.log.glob("events-*.jsonl"))[0]
        for name in ("events-20200101T000000Z-000000000001.jsonl", first.name.replace("000000000001", "000000000002")):
            renamed = first.rename(w.log / name)
            kinds, answer = findings(w)
            assert kinds == [("misnamed", 0, 0)] and answer["findings"][0]["file"] == name, answer
            done = log(w, "verify")
            assert name in done.stdout.splitlines()[0] and "somebody has renamed it" in done.stdout, done
            # Nor does the name hide anything.
            seen = log(w, "show", "--json", "--since=2026-11-01", "--kind=held").stdout.count("\n")
            assert seen == len(RECORDS), seen
            renamed.rename(first)


def test_an_answer_that_did_not_arrive_is_no_success():
    with log_of([*RECORDS, record(9999, "incident", number="mado-03-2026-11-01-7", type="tampering", cause="x")]) as w:
        for args in (["log", "verify"], ["log", "verify", "--json"], ["log", "show", "--json"], ["incident", "list"], ["incident", "list", "--json"],
                     ["incident", "export", "7"], ["report"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([CTL, *args, f"--log={w.log}"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            assert done.returncode == 1 and "No space left on device" in done.stderr, (args, done)
            assert done.stderr.count("No space") == 1, (args, done)
        for args in (["--help"], ["--version"]):
            with open("/dev/full", "w", encoding="ascii") as full:
                assert subprocess.run([CTL, *args], stdout=full, stderr=subprocess.PIPE, check=False).returncode == 1, args
