# SPDX-License-Identifier: GPL-2.0-or-later
"""The help desk's register: what happens to media, who may do what when, and what survives."""
import datetime
import os
import signal
import sqlite3
import time

from desks import PATIENCE, bare_desk, desk, table, uuid
from harness import TOP

JA = {"LANG": "ja_JP.UTF-8"}


def fiscal_end(today):
    return f"{today.year + (today > datetime.date(today.year, 3, 31))}-03-31"


def today():
    return (datetime.datetime.utcnow() + datetime.timedelta(hours=9)).date()


# --- what happens to a medium -------------------------------------------------------------------


def test_a_loan_ends_with_the_fiscal_year_and_leaves_nothing_behind():
    with desk(1, until="", place="ロッカー", users="@zeimu") as d:
        said = d.ok("lend", "M-1", "--holder=税務課 田中", "--user=tanaka", "--terminals=ZEI-*", "--place=窓口",
                    "--why=申告書の受渡し")
        assert fiscal_end(today()) in said, said
        lent = d.state("M-1")
        assert (lent["status"], lent["holder"], lent["users"], lent["terminals"], lent["place"], lent["due"]) == (
            "lent", "税務課 田中", "tanaka", "ZEI-*", "窓口", fiscal_end(today())), lent
        d.ok("return", "M-1")
        back = d.state("M-1")
        assert (back["status"], back["holder"], back["users"], back["terminals"], back["place"], back["due"]) == (
            "active", "", "@zeimu", "", "ロッカー", ""), back


def test_what_was_changed_during_a_loan_stays():
    with desk(1, users="@zeimu") as d:
        d.ok("lend", "M-1", "--holder=a", "--user=tanaka")
        d.ok("change", "M-1", "--user=@kaikei")
        d.ok("return", "M-1")
        assert d.state("M-1")["users"] == "@kaikei"


def test_a_loan_stays_inside_the_term():
    with desk(2, until=lambda n: "2098-05-01" if n == 1 else "2020-03-31") as d:
        assert "ends on 2098-05-01" in d.refused("lend", "M-1", "--holder=a", "--until=2098-05-02")
        assert "is past" in d.refused("lend", "M-1", "--holder=a", "--until=2020-01-01")
        assert "2027-13-01" not in d.refused("lend", "M-1", "--holder=a", "--until=2027-13-01", status=2)
        assert "ended on 2020-03-31" in d.refused("lend", "M-2", "--holder=a")
        d.ok("change", "M-2", f"--until={today()}", "--why=延長")
        d.ok("lend", "M-2", "--holder=a")
        assert d.state("M-2")["due"] == str(today())


def test_illegal_steps_are_refused_with_what_to_do():
    with desk(5) as d:
        d.ok("lend", "M-1", "--holder=a")
        d.ok("lost", "M-2", "--why=駅で")
        d.ok("revoke", "M-3")
        d.ok("dispose", "M-4", "--why=破損")
        cases = [
            (("lend", "M-1", "--holder=b"), "take it back first"), (("found", "M-1"), "take it back first"),
            (("dispose", "M-1", "--why=x"), "take it back first"),
            (("lend", "M-2", "--holder=b"), "record that first"), (("return", "M-2"), "record that first"),
            (("lost", "M-2"), "record that first"), (("revoke", "M-2"), "record that first"),
            (("dispose", "M-2"), "--why"), (("lend", "M-3", "--holder=b"), "issued anew"),
            (("lend", "M-4", "--holder=b"), "stays so"), (("found", "M-4"), "stays so"),
            (("change", "M-4", "--note=x"), "stays so"),
            (("return", "M-5"), "not lent"), (("found", "M-5"), "not lost"), (("dispose", "M-5"), "--why"),
            (("lend", "M-9", "--holder=b"), "no medium M-9"),
        ]
        before = {n: d.history(f"M-{n}") for n in range(1, 6)}
        for args, what in cases:
            assert what in d.refused(*args), (args, d.refused(*args))
            assert d.refused(*args, env=JA) != d.refused(*args)
        assert before == {n: d.history(f"M-{n}") for n in range(1, 6)}


def test_a_revoked_one_that_was_lost_comes_back_revoked():
    with desk(1) as d:
        for step in ("revoke", "lost", "found"):
            d.ok(step, "M-1")
        assert d.state("M-1")["status"] == "revoked"
        d.ok("return", "M-1")
        assert d.state("M-1")["status"] == "revoked"


def test_several_at_once_all_or_none():
    with desk(3) as d:
        d.ok("lost", "M-3")
        said = d.refused("lend", "M-1", "M-2", "M-3", "--holder=a")
        assert "nothing was changed" in said, said
        assert [d.state(f"M-{n}")["status"] for n in (1, 2, 3)] == ["active", "active", "lost"]
        assert [m["status"] for m in d.json("lend", "M-1", "M-2", "--holder=a")] == ["lent", "lent"]


def test_history_says_who_when_and_why():
    with desk(1) as d:
        d.ok("lend", "M-1", "--holder=田中", "--why=様式第2号 8-15")
        d.ok("lost", "M-1", "--by=係長 高橋", "--why=庁舎内で所在不明")
        events = d.history("M-1")
        assert [(e["sequence"], e["kind"], e["by"], e["why"], e["status"]) for e in events] == [
            (1, "imported", "clerk", None, "active"), (2, "lent", "clerk", "様式第2号 8-15", "lent"),
            (3, "lost", "係長 高橋", "庁舎内で所在不明", "lost")], events
        assert events[1]["sets"]["holder"] == "田中"
        now = datetime.datetime.utcnow()
        for event in events:
            moment = datetime.datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%SZ")
            assert abs((now - moment).total_seconds()) < 120, event
        shown = d.ok("history", "M-1", env=JA)
        assert "紛失" in shown and "係長 高橋" in shown


def test_values_that_would_lie_are_refused():
    with desk(1) as d:
        for option in ("--holder=a\x1b[2J", "--holder=\u202eabc", "--place=a\nb", "--user=a b", "--user=,", "--user=a,,b"):
            done = d.run("lend", "M-1", *(["--holder=x"] if not option.startswith("--holder") else []), option)
            assert done.returncode == 1 and "expected" in done.stderr and "\x1b" not in done.stderr, (option, done)
        assert "--why" in d.refused("lost", "M-1", "--why=\x07", status=2)
        assert "--by" in d.refused("lost", "M-1", "--by=", status=2)
        assert d.state("M-1")["status"] == "active"


# --- nothing is overwritten -----------------------------------------------------------------------


def test_not_even_other_programs_can_change_the_register():
    with desk(1) as d:
        d.ok("lend", "M-1", "--holder=a")
        db = sqlite3.connect(d.database)
        statements = [
            "UPDATE events SET holder = 'nobody'", "DELETE FROM events", "UPDATE media SET number = 'X'",
            "DELETE FROM media", "INSERT OR REPLACE INTO events (medium, sequence, kind, time, by, status) "
            "VALUES (1, 2, 'returned', '2020-01-01T00:00:00Z', 'x', 'active')",
            "INSERT INTO events (medium, sequence, kind, time, by, status) "
            "VALUES (1, 9, 'returned', '2020-01-01T00:00:00Z', 'x', 'active')",
            "INSERT OR REPLACE INTO media VALUES (1, 'M-1', '', '', '', '')", "DELETE FROM settings",
            "UPDATE signers SET public_key = ''", "DELETE FROM policies; DELETE FROM sightings",
        ]
        for statement in statements[:9]:
            try:
                db.execute(statement)
            except sqlite3.IntegrityError as error:
                assert "register" in str(error), error
            else:
                raise AssertionError(statement)
        db.close()
        assert d.state("M-1")["holder"] == "a"


def test_a_forged_history_is_noticed():
    with desk(2) as d:
        db = sqlite3.connect(d.database)
        # Legal for SQLite, but nobody finds what was not lost.
        db.execute("INSERT INTO events (medium, sequence, kind, time, by, status) "
                   "VALUES (1, 2, 'found', '2026-01-01T00:00:00Z', 'x', 'active')")
        db.commit()
        db.close()
        assert "damaged" in d.refused("list")
        assert "damaged" in d.refused("show", "M-1")
        assert d.state("M-2")["status"] == "active"


def test_a_damaged_file_is_refused_and_not_touched():
    with desk(200) as d:
        good = d.database.read_bytes()
        for page in range(len(good) // 4096):
            bad = bytearray(good)
            bad[page * 4096:page * 4096 + 100] = b"\xff" * 100
            d.database.write_bytes(bad)
            assert "damaged" in d.refused("lend", "M-1", "--holder=a"), page
            assert d.database.read_bytes() == bytes(bad), page
        d.database.write_bytes(good)
        db = sqlite3.connect(d.database)
        db.execute("PRAGMA user_version = 3")
        db.close()
        assert "later version" in d.refused("list")


def test_a_desk_that_others_can_read_is_not_used():
    with desk() as d:
        os.chmod(d.path, 0o755)
        assert "chmod 700" in d.refused("list")
    with bare_desk() as d:
        assert "no desk" in d.refused("list")


# --- two at once, and killed -----------------------------------------------------------------------


def test_two_desks_lend_the_same_medium_and_exactly_one_wins():
    with desk(8) as d:
        for n in range(1, 9):
            both = [d.start("lend", f"M-{n}", f"--holder={who}") for who in ("one", "two")]
            said = [p.communicate(timeout=PATIENCE) for p in both]
            assert sorted(p.returncode for p in both) == [0, 1], said
            winner = "one" if both[0].returncode == 0 else "two"
            assert d.state(f"M-{n}")["holder"] == winner
            assert len(d.history(f"M-{n}")) == 2
            assert "take it back first" in said[winner == "one"][1], said


def test_a_desk_waits_while_another_changes_the_register():
    with desk(1) as d:
        db = sqlite3.connect(d.database, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        waiting = d.start("lend", "M-1", "--holder=a")
        time.sleep(0.7)
        assert waiting.poll() is None
        db.execute("COMMIT")
        db.close()
        assert waiting.wait(PATIENCE) == 0, waiting.stderr.read()
        waiting.communicate()


def test_killed_at_any_moment_it_is_done_or_not_done():
    with desk(300) as d:
        numbers = [f"M-{n}" for n in range(1, 301)]
        start = time.monotonic()
        d.ok("lend", *numbers, "--holder=a")
        length = time.monotonic() - start
        seen = set()
        for i in range(12):
            step = "return" if len(d.json("list", "--status=lent")) else "lend"
            before = {m["number"]: m["events"] for m in d.json("list")}
            killed = d.start(step, *numbers, *(["--holder=a"] if step == "lend" else []))
            time.sleep(length * (i + 1) / 12)
            killed.send_signal(signal.SIGKILL)
            killed.communicate()
            after = {m["number"]: m["events"] for m in d.json("list")}
            more = {after[n] - before[n] for n in numbers}
            assert more in ({0}, {1}), (i, more)
            seen |= more
        assert 0 in seen, "no kill came in time"


def test_init_killed_leaves_no_desk_by_halves():
    for delay in (0.02, 0.05, 0.1, 0.15, 0.2):
        with bare_desk() as d:
            making = d.start("init", "--quick-kdf", "--policy-signer=a")
            time.sleep(delay)
            making.kill()
            making.communicate()
            if d.path.exists():
                assert d.json("list") == []
            else:
                d.init()


# --- list ------------------------------------------------------------------------------------------


def test_list_filters():
    with desk(4, **{"class": lambda n: ("I", "II", "III", "II")[n - 1]}) as d:
        d.ok("lend", "M-1", "--holder=税務課 田中")
        d.ok("lend", "M-2", "--holder=会計課 山本")
        d.ok("lost", "M-3")

        def numbers(*args):
            return [m["number"] for m in d.json("list", *args)]

        assert numbers() == ["M-1", "M-2", "M-3", "M-4"]
        assert numbers("--status=lent") == ["M-1", "M-2"]
        assert numbers("--status=lent", "--status=lost") == ["M-1", "M-2", "M-3"]
        assert numbers("--holder=田中") == ["M-1"]
        assert numbers("--class=II") == ["M-2", "M-4"]
        assert numbers("--overdue") == []
        assert "--status" in d.refused("list", "--status=gone", status=2)
        db = sqlite3.connect(d.database)
        db.execute("INSERT INTO events (medium, sequence, kind, time, by, status, due) "
                   "VALUES (1, 3, 'changed', '2026-01-01T00:00:00Z', 'x', 'lent', '2026-01-01')")
        db.commit()
        db.close()
        assert numbers("--overdue") == ["M-1"]
        assert "期限超過" in d.ok("list", "--overdue", env=JA)


def width(text):
    return sum(2 if ord(c) > 0x1100 else 1 for c in text)


def test_columns_stand_under_each_other_in_japanese():
    with desk(12, product="USBメモリ", place=lambda n: "税務課" * (n % 3)) as d:
        d.ok("lend", "M-2", "--holder=田中", "--until=2027-01-31")
        lines = d.ok("list", env=JA).splitlines()
        assert [line.split()[0] for line in lines[1:4]] == ["M-1", "M-2", "M-3"] and lines[10].startswith("M-10"), lines
        for title, value in (("製品名", "USBメモリ"), ("有効期限", "2027-03-31")):
            column = width(lines[0][:lines[0].index(title)])
            for line in lines[1:-1]:
                assert width(line[:line.index(value)]) == column, line


# --- CSV -------------------------------------------------------------------------------------------

NASTY = ["=1+1", "+81-3-1234", "-5", "@cmd", "'", "'x", 'say "x", please', "税務課、鍵付き", "＝SUM", "a;b"]


def test_the_register_makes_a_round_trip_through_csv():
    with desk(10, note=lambda n: NASTY[n - 1], place="税務課", serial=lambda n: "=cmd|x" if n == 1 else f"{n:012d}") as d:
        d.ok("lend", "M-1", "M-2", "--holder=@田中", "--user=@zeimu,tanaka", "--until=2027-02-01")
        d.ok("lost", "M-2", "--why=x")
        d.ok("revoke", "M-3")
        d.ok("dispose", "M-4", "--why=x")
        for lang in ("ja", "en"):
            d.ok("export", d.directory / "one.csv", f"--lang={lang}")
            d.ok("init", "--quick-kdf", "--policy-signer=a", f"--desk={d.directory}/{lang}")
            d.ok("import", d.directory / "one.csv", f"--desk={d.directory}/{lang}")
            d.ok("export", d.directory / "two.csv", f"--lang={lang}", f"--desk={d.directory}/{lang}")
            one, two = ((d.directory / name).read_bytes() for name in ("one.csv", "two.csv"))
            assert one == two and one.startswith(b"\xef\xbb\xbf") and one.endswith(b"\r\n")
            assert one.replace(b"\r\n", b"").count(b"\n") == 0
            again = d.json("list", f"--desk={d.directory}/{lang}")
            keep = [k for k in again[0] if k not in ("entered", "changed", "events")]
            assert [{k: m[k] for k in keep} for m in again] == [{k: m[k] for k in keep} for m in d.json("list")]
        assert d.json("import", d.directory / "one.csv") == {"entered": 0, "known": 10}


def test_no_cell_of_an_export_is_a_formula():
    with desk(10, note=lambda n: NASTY[n - 1], holder=lambda n: NASTY[n - 1], status="lent") as d:
        d.ok("export", d.directory / "out.csv")
        for line in d.read("out.csv").lstrip("\ufeff").splitlines():
            for cell in line.replace('"', "").split(","):
                assert cell[:1] not in "=+-@＝＋－＠\t\r" or not cell, line


def test_import_tells_every_error_with_its_line_and_changes_nothing():
    rows = [
        ["管理番号", "USB ID", "製造番号", "暗号化", "ボリューム (LUKS UUID)", "分類", "有効期限"],
        ["A-1", "46f4:0001", "1", "luks2", uuid(1), "II", "2027/3/31"],
        ["A-1", "46f4:0001", "2", "luks2", uuid(2), "II", ""],
        ["A-3", "46F4:0001", "3", "luks2", uuid(3), "II", ""],
        ["A-4", "46f4:0001", "4", "rot13", uuid(4), "II", ""],
        ["A-5", "46f4:0001", "5", "luks2", uuid(1), "II", ""],
        ["", "46f4:0001", "6", "luks2", uuid(6), "II", ""],
        ["A-7", "46f4:0001", "7", "luks2", uuid(7), "IV", ""],
        ["A-8", "46f4:0001", "8\x1b", "luks2", uuid(8), "I", ""],
        ["A-9", "46f4:0001", "9", "luks2", uuid(9), "I", "2027-02-30"],
    ]
    with desk() as d:
        path = d.write("in.csv", table(rows))
        said = d.refused("import", path).splitlines()
        assert [line.split(":")[2].strip() for line in said[:-1]] == ["3", "4", "5", "6", "7", "8", "9", "10"], said
        assert "taken" in said[0] and "A-1 already" in said[3] and said[-1].endswith("nothing was changed"), said
        assert not any("\x1b" in line for line in said)
        assert d.json("list") == []
        d.write("in.csv", table(rows[:2]))
        d.ok("import", path)
        assert d.state("A-1")["until"] == "2027-03-31"


def test_tables_that_are_none_are_refused():
    with desk() as d:
        cases = [
            (b"", "empty"), ("管理番号\n".encode("cp932") + b"\x8a\xc7", "UTF-8"), (b"number,colour\n", "colour"),
            (b"number,number\n", "two columns"), (b"number\nM-1\n", "needed"),
            (b'number,id,serial,encryption\n"M-1,1234:5678,x,hardware\n', "quote"),
            (b"number,id,serial,encryption\nM-1,1234:5678,x,hardware,more\n", "more cells"),
        ]
        for text, what in cases:
            assert what in d.refused("import", d.write("in.csv", text)), text
        assert "cannot be read" in d.refused("import", d.directory / "none.csv")


def test_a_volume_belongs_to_one_medium_in_use():
    with desk(1) as d:
        header = ["number", "id", "serial", "encryption", "luks_uuid"]
        path = d.write("again.csv", table([header, ["M-2", "46f4:0001", "2", "luks2", uuid(1)]]))
        assert "M-1 already" in d.refused("import", path)
        d.ok("dispose", "M-1", "--why=番号を付け替え")
        d.ok("import", path)


# --- the command line -------------------------------------------------------------------------------


def test_usage_errors_are_told_apart():
    with desk(1) as d:
        for args in ((), ("lnd",), ("lend",), ("lend", "M-1"), ("list", "x"), ("list", "--holder"), ("list", "--csv", "--json"),
                     ("policy",), ("policy", "sgn"), ("change", "M-1"), ("list", "--lang=fr"), ("show", "M-1", "--until=x"),
                     ("list", "--class=I", "--class=II")):
            assert d.run(*args).returncode == 2, args


def test_help_is_there_for_every_command_in_both_languages():
    with bare_desk() as d:
        for lang in ("en", "ja"):
            text = d.ok("help", f"--lang={lang}")
            commands = [line.split("  ")[1] for line in text.split("\n\n")[1].splitlines()[1:]]
            assert len(commands) >= 24, commands
            for command in commands[:-1] if lang == "ja" else commands[:3]:
                words = [w for w in command.split() if w.islower() and w.isascii() or "-" in w and w[0].islower()]
                page = d.ok("help", *words, f"--lang={lang}")
                assert page.splitlines()[0].split("sekimori-desk ")[1].startswith(" ".join(words)), page
                assert len(page.splitlines()[2]) > 2


def test_the_manual_knows_every_command_and_option():
    page = (TOP / "docs" / "man" / "sekimori-desk.1.md").read_text(encoding="utf-8")
    own = ("no-color", "help", "version")
    # The device's side has its options in the tool's own help.
    with bare_desk() as d:
        text = d.ok("help")
        for line in text.split("\n\n")[1].splitlines()[1:]:
            name = line.split("  ")[1].split(" NUMBER")[0].split(" NAME")[0].split(" FILE")[0].split(" DEVICE")[0].split(" [")[0].split(" COMMAND")[0].split(" TERMINAL")[0]
            assert f"`{name}`" in page, name
            if name in ("issue", "enrol", "wipe", "inspect", "recovery", "help"):
                continue
            for option in d.ok("help", *name.split()).splitlines():
                if option.startswith("  --"):
                    option = option.split("=")[0].split()[0][2:]
                    assert option in own or f"--{option}" in page, (name, option)
