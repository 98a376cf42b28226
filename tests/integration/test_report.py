# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl report and incident, over a played month whose figures are reckoned here a second time, from the log itself."""
import collections
import csv
import datetime
import html.parser
import io
import json
import os
import pathlib
import re
import resource
import subprocess
import tempfile

import playmonth
from harness import BUILD, CTL, TOP

JA = {"LANG": "ja_JP.UTF-8"}
ZONE = {"TZ": "JST-9"}
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
VOID = {"meta", "rect", "line", "img", "br"}


def ctl(*args, env=None, status=0, timeout=60):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LC_")}
    environment.update(LANG="C.UTF-8", **ZONE)
    environment.update(env or {})
    done = subprocess.run([str(a) for a in (CTL, *args)], env=environment, capture_output=True, timeout=timeout, check=False)
    assert done.returncode == status, (args, done.returncode, done.stderr.decode())
    return done.stdout.decode() if status == 0 or (args[0] == "report" and status == 1) else done.stderr.decode()


class Month:
    """The played month, sealed once for all tests."""
    directory = None

    @classmethod
    def log(cls):
        if not cls.directory:
            cls.holder = tempfile.TemporaryDirectory()
            cls.directory = cls.holder.name + "/log"
            playmonth.seal(BUILD / "tests" / "seal-log", cls.directory, playmonth.records())
        return cls.directory

    @classmethod
    def records(cls):
        """Those of October, local time, and what stood before."""
        inside, before = [], []
        for record in playmonth.read(cls.log()):
            local = datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00")).astimezone(playmonth.JST)
            record["local"] = local
            (inside if (local.year, local.month) == (2026, 10) else before).append(record)
        return inside, before


def report(*args, env=None):
    return ctl("report", "--month", "2026-10", "--log", Month.log(), *args, env=env)


def figures(text):
    """The long table as {(section, key, detail, item): value}."""
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")))
    assert rows[0] == ["section", "key", "detail", "item", "value"]
    table = {tuple(row[:4]): row[4] for row in rows[1:]}
    assert len(table) == len(rows) - 1, "a figure stands there twice"
    return table


def unguard(cell):
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in "=+-@\t\r'＝＋－＠" else cell


def unescape(text):
    """Back from what stands for characters that are not shown."""
    def one(match):
        word = match.group(0)
        if word == "\\\\":
            return "\\"
        return chr(int(word[3:-1] if word[1] == "u" else word[2:], 16))
    return re.sub(r"\\\\|\\u\{[0-9A-F]+\}|\\x[0-9A-F]{2}", one, text)


class Page(html.parser.HTMLParser):
    """Elements, attributes and the texts of table cells; counts what is left open."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.cells, self.open, self.style = collections.Counter(), [], [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag in ("td", "th", "p", "h1"):
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "p", "h1"):
            self.cells[-1] += data
        if self.open and self.open[-1] == "style":
            self.style += data


def test_the_figures_are_those_of_the_log():
    inside, _ = Month.records()
    table = figures(report("--format", "csv"))
    kinds = collections.Counter(r["kind"] for r in inside)

    def value(section, key, item, detail=""):
        return table[section, key, detail, item]

    assert len(inside) > 3000
    assert value("summary", "records", "value") == str(len(inside))
    for key, number in {"attaches": kinds["held"], "allowed": kinds["allowed"], "denied": kinds["denied"], "attempts": 1,
                        "self-checks": kinds["self-check"], "starts": kinds["started"], "incidents": 2,
                        "missing-numbers": 0}.items():
        assert value("summary", key, "value") == str(number), key
    assert value("summary", "verification", "value") == "ok"

    reasons = collections.Counter(r["reason"] for r in inside if r["kind"] == "denied")
    assert {key[1]: int(v) for key, v in table.items() if key[0] == "denials" and key[3] == "count"} == dict(reasons)

    days, hours = collections.Counter(), collections.Counter()
    for r in inside:
        if r["kind"] in ("held", "denied"):
            days[f"{r['local']:%Y-%m-%d}", r["kind"]] += 1
            hours[str(r["local"].hour), r["kind"]] += 1
    for n in range(1, 32):
        day = f"2026-10-{n:02}"
        assert value("days", day, "attaches") == str(days[day, "held"])
        assert value("days", day, "denied") == str(days[day, "denied"])
    for hour in range(8, 19):
        assert value("hours", str(hour), "attaches") == str(hours[str(hour), "held"])

    assert value("self-check-items", "clock", "detail") == "not <synchronised>"
    checks = collections.Counter(r["result"] for r in inside if r["kind"] == "self-check")
    for word in ("ok", "warn", "fail"):
        assert sum(int(v) for k, v in table.items() if k[0] == "days" and k[3] == f"check-{word}") == checks[word]


def test_media_and_transfers_are_counted_by_medium_and_person():
    inside, before = Month.records()
    seated, use, files = "", collections.Counter(), collections.Counter()
    for r in sorted(before + inside, key=lambda r: r["seq"]):
        if r["kind"] == "seat":
            seated = r["user"]
        who = r.get("user") or seated
        if r["local"].month != 10:
            continue
        if r["kind"] in ("allowed", "denied") and "medium" in r:
            use[r["medium"], who, r["kind"]] += 1
        if r["kind"] == "file" and r["op"] == "write":
            files[who, r["medium"], "files"] += 1
            files[who, r["medium"], "bytes"] += r["size"]
        if r["kind"] == "files":
            files[who, r["medium"], "files"] += r["write"]
            files[who, r["medium"], "bytes"] += r["bytes_written"]
    table = figures(report("--format", "csv"))
    media = {(k[1], k[2], k[3]): int(v) for k, v in table.items() if k[0] == "media" and k[3] in ("allowed", "denied")}
    assert {k: v for k, v in media.items() if v} == dict(use)
    moved = {(k[1], k[2], k[3]): int(v) for k, v in table.items() if k[0] == "transfers" and k[3] in ("files", "bytes")}
    assert {k: v for k, v in moved.items() if v} == {k: v for k, v in files.items() if v}
    assert table["summary", "files", "", "value"] == str(sum(v for k, v in files.items() if k[2] == "files"))


def test_times_without_the_keeper_are_told_and_those_that_matter_listed():
    inside, before = Month.records()
    table = figures(report("--format", "csv"))
    stopped, unwatched = None, 0.0
    for r in sorted(before + inside, key=lambda r: r["seq"]):
        if r["kind"] == "started" and stopped and r["local"].month == 10:
            unwatched += min((r["local"] - stopped).total_seconds(), r["boot_us"] / 1e6)
        if r["kind"] != "checkpoint" and not r["kind"].startswith("log-"):
            stopped = r["local"]
    # The gap that reaches into November: the terminal was switched on after the month's end.
    assert abs(int(table["summary", "unwatched", "", "value"]) - unwatched) < 2
    ends = {k[1]: v for k, v in table.items() if k[0] == "time-gaps" and k[3] == "end"}
    assert len(ends) == 2 and sorted(ends.values()) == ["lost", "stopped"]
    lost = next(k for k, v in ends.items() if v == "lost")
    assert lost.startswith("2026-10-21 ")


def test_names_come_back_from_html_and_csv_and_break_out_of_neither():
    inside, _ = Month.records()
    names = {r["product"] for r in inside if r["kind"] == "denied"}
    assert set(playmonth.HOSTILE) <= names
    text = report("--format", "html", env=JA)
    assert not UNSAFE.search(text)
    page = Page(text)
    shown = {unescape(cell) for cell in page.cells}
    assert set(playmonth.HOSTILE) <= shown, set(playmonth.HOSTILE) - shown
    assert not set(page.tags) & {"script", "img", "iframe", "object", "link", "form", "input", "a", "b"}
    assert not [a for a in page.attributes if a[1].startswith("on") or a[1] in ("href", "src", "style")]

    cells = {(k[3], unescape(unguard(v))) for k, v in figures(report("--format", "csv")).items() if k[0] == "refused-devices"}
    assert {("name", name) for name in playmonth.HOSTILE} <= cells
    for row in csv.reader(io.StringIO(report("--format", "csv").lstrip("\ufeff"), newline="")):
        assert not any(cell[:1] in ("=", "+", "-", "@") for cell in row), row
    plain = report(env=JA)
    assert not UNSAFE.search(plain)
    pieces = {unescape(piece) for line in plain.splitlines() for piece in re.split(r": |  +", line.strip())}
    assert set(playmonth.HOSTILE) <= pieces, set(playmonth.HOSTILE) - pieces


def test_the_page_needs_nothing_from_elsewhere_and_says_its_language():
    import base64
    import hashlib
    for env, language in ((JA, "ja"), ({}, "en")):
        text = report("--format", "html", env=env)
        page = Page(text)
        assert ("html", "lang", language) in page.attributes
        policy = next(v for t, n, v in page.attributes if n == "content" and "default-src" in v)
        digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
        assert "http:" not in text and "https:" not in text and "@import" not in text and "url(" not in text
        # Every chart has its table beside it.
        for section in re.findall(r"<section.*?</section>", text, re.S):
            assert "<svg" not in section or "<table" in section
        assert page.tags["svg"] == 4


def test_it_is_japanese_where_the_reader_is():
    text = report(env=JA)
    assert "月次報告 2026年10月" in text and "登録されていない媒体です。" in text
    for english in ("ReloadPolicy", "rotated", "changes ours", "cannot be read", "No such file", "requires it", "the kernel", "bind", "done",
                    "kmod", "manifest-digest", "module-digest", "clock-synchronised"):
        assert english not in text, english
    for words in ("ポリシーの再読み込み", "時計が同期していること", "正常", "異常", "未確認", "001122", "モジュールのダイジェスト：ffeedd"):
        assert words in text, words
    assert "暗号化" in report("--compliance", env=JA) and "Evidence" not in report("--compliance", env=JA)


def test_exceptions_are_counted_and_each_has_its_line():
    table = figures(report("--format", "csv"))

    def value(section, key, item):
        return table[section, key, "", item]

    for key, number in {"asked": 3, "approved": 1, "approved-by-two": 1, "denied": 1, "lapsed": 1, "imported": 1, "emergencies": 1, "reports": 0,
                        "uses": 2, "expired": 2, "returned": 1, "erased": 1, "closed": 1, "refused": 1, "phone-asked": 1, "phone-refused": 1,
                        "unreported-at-end": 1, "overdue-at-end": 1, "waiting-at-end": 0}.items():
        assert value("exceptions", key, "value") == str(number), key
    assert value("summary", "emergencies", "value") == value("summary", "exceptions-overdue", "value") == "1"
    lines = {k[1]: {} for k in table if k[0] == "exception-list"}
    for (section, key, _, item), cell in table.items():
        if section == "exception-list":
            lines[key][item] = cell
    assert sorted(lines) == ["41", "42", "43", "44", "45"]
    assert {item: lines["41"][item] for item in ("state", "person", "access", "form", "approvers", "uses", "written", "owed")} == {
        "state": "closed", "person": "tanaka", "access": "rw", "form": "8", "approvers": "sato, ito", "uses": "1", "written": "2500000", "owed": ""}
    assert lines["41"]["purpose"] == playmonth.HOSTILE[0] and lines["43"]["purpose"] == "'=1+1"
    assert lines["42"]["approvers"] == "(emergency)" and lines["42"]["owed"] == "report return erasure overdue"
    assert lines["45"]["approvers"] == "(desk)" and lines["45"]["object"] == "ZEI-0001"
    begin, end = (datetime.datetime.fromisoformat(lines["41"][item]) for item in ("begin", "end"))
    assert datetime.timedelta(hours=2) <= end - begin < datetime.timedelta(hours=2, minutes=1)
    assert (value("exception-people", "tanaka", "asked"), value("exception-people", "tanaka", "written")) == ("1", "2500000")
    assert value("exception-people", "ito", "emergencies") == value("exception-forms", "13-2", "emergencies") == "1"
    assert value("exception-forms", "10", "denied") == "1"

    japanese = report(env=JA)
    for words in ("停電で印刷できない", "承認なし（緊急）", "報告書, 返却, 消去の確認 （期限超過）", "様式第8号（支給以外の機器等の利用）"):
        assert words in japanese, words
    page = Page(report("--format", "html", env=JA))
    assert playmonth.HOSTILE[0] in page.cells and "貸与の媒体を使うこと" not in page.cells


def test_rules_on_exceptions_are_judged_by_what_was_recorded():
    rules = figures(report("--compliance", "--format", "csv"))
    verdicts = {key[1]: value for key, value in rules.items() if key[3] == "verdict"}
    assert {id: verdicts[id] for id in ("R07", "R08", "R09", "R18", "R20", "R28")} == {
        "R07": "shown", "R08": "not-shown", "R09": "partly", "R18": "partly", "R20": "not-shown", "R28": "not-shown"}, verdicts
    with tempfile.TemporaryDirectory() as directory:
        def step(day, event, origin, to, **more):
            return (day, f"exception-{event}", {"exception": 1, "person": "sato", "from": origin, "to": to, **more})
        lines = records_of(("10-01T08:00", "started", STARTED),
                           step("10-01T09:00", "emergency", "draft", "live", emergency=True, **{"class": "storage-plain"}),
                           step("10-01T09:01", "use", "live", "live"), step("10-01T10:00", "expire", "live", "expired"),
                           step("10-01T11:00", "report", "expired", "expired"), step("10-01T12:00", "return", "expired", "returned"),
                           step("10-01T12:30", "confirm-erased", "returned", "erase-confirmed"))
        log = sealed(directory + "/log", lines)
        rules = figures(ctl("report", "--compliance", "--month", "2026-10", "--log", log, "--format", "csv"))
        verdicts = {key[1]: value for key, value in rules.items() if key[3] == "verdict"}
        assert (verdicts["R08"], verdicts["R20"], verdicts["R28"]) == ("shown", "shown", "desk"), verdicts


def test_the_log_shows_exceptions_in_words_and_finds_their_people():
    def show(*args, env=None):
        return ctl("log", "show", "--log", Month.log(), *args, env=env)
    lines = show("--kind", "exception-request,exception-deny", env={"COLUMNS": "400"}).splitlines()
    assert len(lines) == 5 and "exception: 43, for: suzuki, purpose: =1+1, form: 10, until: 2026-10-24 11:" in lines[2], lines
    assert "note: 貸与の媒体を使うこと" in lines[4] and "now: denied" in lines[4], lines
    japanese = show("--kind", "exception-deny", env={**JA, "COLUMNS": "400"})
    assert "例外: 43" in japanese and "状態: 却下" in japanese, japanese
    # Approver, requester, person.
    kinds = [json.loads(line)["kind"] for line in show("--person", "sato", "--since", "2026-10-24", "--until", "2026-10-24", "--json").splitlines()]
    assert kinds.count("exception-approve") == 1 and "exception-deny" in kinds and "exception-request" not in kinds, kinds
    kinds = [json.loads(line)["kind"] for line in show("--person", "ito", "--since", "2026-10-24", "--until", "2026-10-24", "--json").splitlines()]
    assert {"exception-emergency", "exception-expire", "exception-approve"} <= set(kinds), kinds
    rows = list(csv.DictReader(io.StringIO(show("--kind", "exception-deny", "--format=csv").lstrip("\ufeff"), newline="")))
    assert [(r["exception"], r["person"], r["by"], r["note"]) for r in rows] == [("43", "suzuki", "sato", "貸与の媒体を使うこと")], rows
    cef = show("--kind", "exception-deny", "--format=cef")
    assert "suser=sato suid=1003 duser=suzuki duid=1002 cn1Label=exception cn1=43 " in cef and "msg=貸与の媒体を使うこと" in cef, cef
    refused = show("--kind", "exception-refused", env={"COLUMNS": "400"})
    assert "exception: 41" in refused and "Somebody else must do this" in refused, refused


def test_a_tampered_log_is_named_in_the_report():
    with tempfile.TemporaryDirectory() as directory:
        for path in pathlib.Path(Month.log()).iterdir():
            (pathlib.Path(directory) / path.name).write_bytes(path.read_bytes())
        path = pathlib.Path(directory) / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True)
        victim = next(i for i, line in enumerate(lines) if '"kind":"allowed"' in line)
        seq = json.loads(lines[victim])["seq"]
        removed = lines[:victim] + lines[victim + 1:]
        path.write_text("".join(removed))
        table = figures(ctl("report", "--month", "2026-10", "--log", directory, "--format", "csv", status=1))
        assert table["summary", "verification", "", "value"] == "findings"
        assert table["summary", "missing-numbers", "", "value"] == "1"
        assert table["verification", "removed", "", "from"] == str(seq)
        rules = figures(ctl("report", "--compliance", "--month", "2026-10", "--log", directory, "--format", "csv", status=1))
        verdicts = {key[1]: value for key, value in rules.items() if key[3] == "verdict"}
        assert verdicts["R11"] == "not-shown" and "shown" not in verdicts.values(), verdicts


def test_the_rules_stand_in_the_documentation_as_in_the_report():
    rules = figures(report("--compliance", "--format", "csv"))
    documented = {}
    for line in (TOP / "docs" / "compliance.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if re.fullmatch(r"R\d\d", cells[0].strip()):
            documented[cells[0].strip()] = tuple(cells[1:3])
    reported = {key[1]: (value, rules["compliance", key[1], "", "does"]) for key, value in rules.items() if key[3] == "asks"}
    assert reported == documented and len(reported) == 34
    assert rules["compliance", "R16", "", "verdict"] == "desk"
    assert rules["compliance", "R11", "", "verdict"] == "shown"
    assert rules["compliance", "R24", "", "verdict"] == "partly"


def records_of(*rows, terminal="mado-03"):
    """(day of 2026, kind, members) as lines for the sealer."""
    return "".join(json.dumps({"time": f"2026-{day}:00.000000Z", "kind": kind, "terminal": terminal, **members}) + "\n"
                   for day, kind, members in rows)


def sealed(directory, lines, *options, terminal="mado-03"):
    subprocess.run([str(BUILD / "tests" / "seal-log"), str(directory), "--terminal", terminal, *options], input=lines.encode(),
                   check=True, capture_output=True, timeout=60)
    return directory


STARTED = {"state": "ok", "policy": "shiyakusho", "policy_version": 3, "media": 5, "signed": True, "signers": ["a", "b"], "backend": "kmod"}
CHECKED = {"result": "ok", "ok": 40, "warn": 0, "fail": 0, "unknown": 0, "items": []}


def test_what_was_told_long_before_the_month_still_counts():
    with tempfile.TemporaryDirectory() as directory:
        lines = records_of(("06-01T08:00", "started", STARTED), ("10-05T08:00", "self-check", CHECKED), ("10-06T08:00", "held", {}))
        log = sealed(directory + "/log", lines)
        rules = figures(ctl("report", "--compliance", "--month", "2026-10", "--log", log, "--format", "csv"))
        verdicts = {key[1]: value for key, value in rules.items() if key[3] == "verdict"}
        assert (verdicts["R01"], verdicts["R27"], verdicts["R02"], verdicts["R10"]) == ("shown", "shown", "partly", "partly"), verdicts


def test_what_the_policy_asks_to_be_kept_is_held_against_the_log():
    for days, rotate, verdict in ((0, (), "partly"), (100, (), "shown"), (100, ("--rotate", "1"), "shown"), (1000, ("--rotate", "1"), "partly")):
        with tempfile.TemporaryDirectory() as directory:
            started = {**STARTED, "retention_days": days}
            lines = records_of(("01-01T08:00", "held", {}), ("02-01T08:00", "started", started), ("10-06T08:00", "held", {}))
            log = sealed(directory + "/log", lines.replace('"2026-01', '"2025-01').replace('"2026-02', '"2025-02'), *rotate)
            # Without the oldest file: given one by one nobody can tell whether older ones are missing.
            files = [*sorted(pathlib.Path(log).glob("events-*"))[1:], pathlib.Path(log) / "events.jsonl"]
            rules = figures(ctl("report", "--compliance", "--month", "2026-10", *[f"--log={file}" for file in files], "--format", "csv"))
            assert rules["compliance", "R10", "", "verdict"] == verdict, (days, rotate, rules["compliance", "R10", "", "evidence"])


def test_a_report_is_of_one_terminal():
    with tempfile.TemporaryDirectory() as directory:
        lines = records_of(("10-01T08:00", "held", {}))
        one, other = sealed(directory + "/a", lines), sealed(directory + "/b", lines.replace("mado-03", "mado-04"), terminal="mado-04")
        for options in ((), ("--compliance",)):
            said = ctl("report", "--month", "2026-10", "--log", one, "--log", other, *options, status=2)
            assert "mado-03, mado-04" in said, said


def test_who_only_reads_is_listed_and_rows_left_out_are_counted():
    with tempfile.TemporaryDirectory() as directory:
        rows = [("10-01T08:00", "file", {"medium": f"W-{i:03}", "user": "sato", "op": "write", "size": 1000, "path": "/x"}) for i in range(60)]
        rows += [("10-02T08:00", "file", {"medium": "R-001", "user": "ito", "op": "read", "size": 10 ** 9, "path": "/x"})] * 3
        rows += [("10-03T08:00", "denied", {"medium": f"D-{i:03}", "reason": "not-encrypted"}) for i in range(60)]
        log = sealed(directory + "/log", records_of(*rows))
        table = figures(ctl("report", "--month", "2026-10", "--log", log, "--format", "csv"))
        assert table["transfers", "ito", "R-001", "reads"] == "3"
        assert sum(key[0] == "transfers" and key[3] == "files" for key in table) == 50
        assert sum(key[0] == "media" and key[3] == "denied" for key in table) == 50
        text = ctl("report", "--month", "2026-10", "--log", log)
        assert "11 more are left out, used 11 times together" in text and "10 more are left out, used 10 times together" in text, text


def test_a_drill_is_counted_by_what_would_have_been_refused():
    with tempfile.TemporaryDirectory() as directory:
        device = {"id": "0951:1666", "serial": "S1", "product": "Stick", "fingerprint": "blake2b:" + "ab" * 16, "drill": True}
        rows = [("10-01T08:00", "would-deny", {**device, "reason": "not-registered"})] * 3
        rows += [("10-02T08:00", "would-deny", {**device, "reason": "class-not-allowed"})]
        log = sealed(directory + "/log", records_of(*rows))
        table = figures(ctl("report", "--month", "2026-10", "--log", log, "--format", "csv"))
        assert table["summary", "would-deny", "", "value"] == "4" and table["summary", "denied", "", "value"] == "0"
        assert table["would-deny", "not-registered", "", "count"] == "3"
        assert [v for k, v in table.items() if k[0] == "would-deny-devices" and k[3] == "count"] == ["4"]
        assert "nothing was blocked meanwhile" in ctl("report", "--month", "2026-10", "--log", log)
        rules = ctl("report", "--compliance", "--month", "2026-10", "--log", log)
        assert "Drill mode in this month: nothing was blocked meanwhile. Would have been refused: 4" in rules, rules
        shown = ctl("log", "show", "--log", log, "--verdict", "would-block", "--reason", "class-not-allowed", "--json")
        assert len(shown.splitlines()) == 1, shown


def test_roads_other_than_usb_are_counted_apart_from_devices():
    with tempfile.TemporaryDirectory() as directory:
        rows = [("10-01T07:59", "seat", {"user": "sato", "uid": 1001}),
                ("10-01T08:00", "road-closed", {"road": "firewire_ohci"}),
                ("10-02T08:00", "road-closed", {"road": "sr_mod"}),
                ("10-03T08:00", "road-would-close", {"road": "sr_mod", "drill": True}),
                ("10-04T08:00", "road-would-close", {"road": "mmc0", "drill": True})]
        log = sealed(directory + "/log", records_of(*rows))
        table = figures(ctl("report", "--month", "2026-10", "--log", log, "--format", "csv"))
        assert table["summary", "roads", "", "value"] == "3"
        assert table["summary", "denied", "", "value"] == table["summary", "would-deny", "", "value"] == "0"
        assert {k[1]: (table[k], table["roads", k[1], "", "drill"]) for k in table if k[0] == "roads" and k[3] == "count"} == {
            "firewire_ohci": ("1", "0"), "sr_mod": ("2", "1"), "mmc0": ("1", "1")}
        assert not any(k[0] in ("denials", "refused-devices", "would-deny", "would-deny-devices", "media") for k in table), table
        assert {v for k, v in table.items() if k[0] in ("days", "hours") and k[3] == "denied"} == {"0"}
        assert "sato" not in ctl("report", "--month", "2026-10", "--log", log)
        rules = ctl("report", "--compliance", "--month", "2026-10", "--log", log)
        assert "refused: 0" in rules and "Refusals recorded with device, person, time and reason: 0." in rules, rules
        shown = ctl("log", "show", "--log", log, "--verdict", "would-block")
        assert "sr_mod" in shown and "mmc0" in shown and "A drill opens a road other than " in shown, shown
        shown = ctl("log", "show", "--log", log, "--verdict", "block")
        assert "firewire_ohci" in shown and "A road other than USB is closed." in shown, shown


def test_what_the_barrier_missed_is_told():
    with tempfile.TemporaryDirectory() as directory:
        rows = [("10-01T08:00", "overflow", {"count": 7}), ("10-01T08:01", "missed", {}), ("10-01T08:02", "kept", {}),
                ("10-01T08:03", "kept", {}), ("10-01T08:04", "stopped", {})]
        table = figures(ctl("report", "--month", "2026-10", "--log", sealed(directory + "/log", records_of(*rows)), "--format", "csv"))
        found = {key: table["summary", key, "", "value"] for key in ("lost-events", "missed", "kept", "stops")}
        assert found == {"lost-events": "7", "missed": "1", "kept": "2", "stops": "1"}, found


def test_last_is_the_month_before_this_one():
    now = datetime.datetime.now(playmonth.JST)
    before = now.replace(day=1) - datetime.timedelta(days=1)
    assert f"monthly report {before:%Y-%m}" in ctl("report", "--month", "last", "--log", Month.log())


def test_an_incident_that_began_before_is_not_listed_as_a_new_one():
    with tempfile.TemporaryDirectory() as directory:
        incident = {"number": "mado-03-20261009-1", "type": "tampering", "cause": "x", "first_seq": 1, "last_seq": 1, "count": 1}
        lines = records_of(("10-09T14:30", "incident", incident), ("10-09T15:31", "incident", {**incident, "count": 4, "again": True}))
        log = sealed(directory + "/log", lines)
        assert json.loads(ctl("--json", "incident", "list", "--since", "2026-10-10", "--log", log)) == []
        listed = json.loads(ctl("--json", "incident", "list", "--since", "2026-10-09", "--log", log))
        assert [(i["number"], i["count"]) for i in listed] == [(incident["number"], 4)], listed


def test_a_month_without_records_claims_nothing():
    rules = figures(ctl("report", "--compliance", "--month", "2025-01", "--log", Month.log(), "--format", "csv"))
    verdicts = {key[1]: value for key, value in rules.items() if key[3] == "verdict"}
    assert verdicts["R02"] == "not-shown"
    assert verdicts["R01"] == "not-shown" and verdicts["R04"] == "not-shown" and verdicts["R24"] == "not-shown"
    text = ctl("report", "--month", "2025-01", "--log", Month.log())
    assert "The log has no records of this month." in text


def test_an_incident_is_listed_shown_and_written_on_its_sheet():
    listed = json.loads(ctl("--json", "incident", "list", "--log", Month.log()))
    assert [i["type"] for i in listed] == ["gate-attempt", "lost-medium"]
    lost = listed[1]
    assert lost["count"] == 3 and lost["medium"] == playmonth.LOST and lost["user"] == "ito"
    inside, _ = Month.records()
    denied = [r["seq"] for r in inside if r["kind"] == "denied" and r.get("medium") == playmonth.LOST]
    assert (lost["first_seq"], lost["last_seq"]) == (denied[0], denied[-1])
    number = lost["number"]
    for word in (number, number.rsplit("-", 1)[1]):
        assert number in ctl("incident", "show", word, "--log", Month.log())
    with tempfile.TemporaryDirectory() as directory:
        sheet = pathlib.Path(directory) / "sheet.html"
        ctl("incident", "export", number, "--log", Month.log(), "--format", "html", "--output", sheet, env=JA)
        assert sheet.stat().st_mode & 0o777 == 0o600
        page = Page(sheet.read_text())
        for field in ("発生日時", "場所（庁舎・部屋・所属）", "事象", "現時点の被害・影響", "再発防止策", "応急措置"):
            assert field in page.cells, field
        # The register of media says "content" and "number" of other things.
        assert {"内容", "番号"} <= set(page.cells) and not {"情報の名称", "管理番号"} & set(page.cells)
        # What people must fill in is there, and empty.
        assert page.cells[page.cells.index("現時点の被害・影響") + 1] == ""
        assert all(str(seq) in page.cells for seq in denied)
        assert "nothing is overwritten" in ctl("incident", "export", number, "--log", Month.log(), "--output", sheet, status=1).lower()
    assert "there is no incident" in ctl("incident", "show", "4711", "--log", Month.log(), status=1)
    assert json.loads(ctl("--json", "incident", "list", "--since", "2026-10-10", "--log", Month.log()))[0]["number"] == number


def test_what_is_no_month_or_format_is_said():
    assert "expected YYYY-MM" in ctl("report", "--month", "2026-13", "--log", Month.log(), status=2)
    assert "text, html and csv" in ctl("report", "--format", "pdf", "--log", Month.log(), status=2)


def test_a_large_month_is_read_in_flat_memory():
    """300,000 records, each of a device of another name: 130 MB of log, in an address space of 48 MB."""
    base = datetime.datetime(2026, 10, 1, tzinfo=datetime.timezone.utc)
    n = 300000
    with tempfile.TemporaryDirectory() as directory:
        with subprocess.Popen([str(BUILD / "tests" / "seal-log"), directory], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              text=True) as sealer:
            for i in range(n):
                when = base + datetime.timedelta(seconds=i * 8)
                sealer.stdin.write(f'{{"time":"{when:%Y-%m-%dT%H:%M:%S}.000000Z","kind":"denied","id":"0951:1666","serial":"S{i}",'
                                   f'"product":"Stick {i}","fingerprint":"blake2b:{i:032x}","reason":"not-registered"}}\n')
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(["sh", "-c", 'ulimit -v 49152; exec "$@"', "sh", str(CTL), "report", "--month", "2026-10", "--log",
                               directory, "--format", "csv"], env=dict(os.environ, **ZONE), capture_output=True, text=True,
                              timeout=60, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout)["denials", "not-registered", "", "count"] == str(n)
    # Of the processor: others may be busy.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 20, (before, after)
