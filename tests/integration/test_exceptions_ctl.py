# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl and exceptions: the real engine behind a fake daemon, asked by several users."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import termios
import time
import unicodedata

from harness import BUILD, CTL, PATIENCE, Polkit, world

JA = {"LANG": "ja_JP.UTF-8"}
# Three people who are on every system: who asks, and two who approve.
ASKS, FIRST, SECOND = "daemon", "bin", "sys"
PROSE = re.compile(r"\b[a-z]{3,} [a-z]{3,}\b")
JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")


@contextlib.contextmanager
def office(*statements, approvers=1):
    """A terminal with a blocked stick, at port 1-0, and a policy that lets exceptions be."""
    with world() as w:
        w.polkit = w.polkit or Polkit(w)
        w.tell("add 0")
        w.tell("class 0 storage-plain")
        w.tell("deny 0 not-registered")
        w.exceptions(f"approvers {approvers}", "emergency-period 4 hours", 'may-declare-emergency "daemon"', *statements)
        yield w


def ctl(w, user, *args, env=None):
    return w.run(CTL, *args, user=user, extra_groups=[], env={"TZ": "JST-9", **(env or {})})


def good(w, user, *args, env=None):
    done = ctl(w, user, *args, env=env)
    assert done.returncode == 0, (args, done)
    return done.stdout


def refused(w, user, *args, env=None):
    done = ctl(w, user, *args, env=env)
    assert done.returncode == 1 and not done.stdout, (args, done)
    return done.stderr


def shown(w, number, user="root"):
    return json.loads(good(w, user, "exception", "show", str(number), "--json"))["exception"]


def ask(w, user=ASKS, *more):
    answer = json.loads(good(w, user, "--json", "request", "--purpose=申告書の受渡し", "--for=2h", *more))
    assert answer["ok"] is True and answer["exception"]["number"] == answer["number"]
    return answer["number"]


class Person:
    """Somebody at a terminal: types lines, and sees everything on one screen."""

    def __init__(self, w, user, *args, env=None, ahead=""):
        master, slave = pty.openpty()
        os.fchmod(slave, 0o666)
        os.write(master, ahead.encode())
        self.master, self.screen = master, ""
        self.process = subprocess.Popen([CTL, *args], stdin=slave, stdout=slave, stderr=slave, user=user, extra_groups=[],
                                        env={**w.env, "TZ": "JST-9", "PAGER": "", **(env or {})}, start_new_session=True,
                                        preexec_fn=self.sits_down)
        os.close(slave)

    @staticmethod
    def sits_down():
        # Who starts the tests in the background has a shell that ignores it, for all that comes of it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def sees(self, text):
        """Waits for it, and takes it and all before it off the screen."""
        end = time.monotonic() + PATIENCE
        while text not in self.screen:
            assert time.monotonic() < end, (text, self.screen)
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.screen += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
                except OSError:
                    assert text in self.screen, (text, self.screen)
        before, self.screen = self.screen.split(text, 1)
        return before

    def types(self, text):
        os.write(self.master, text.encode())

    def answers(self, question, answer):
        before = self.sees(question)
        self.sees(": ")
        self.types(answer + "\n")
        return before

    def ends(self):
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.screen += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
        with contextlib.suppress(OSError):
            while select.select([self.master], [], [], 0)[0]:
                self.screen += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
        os.close(self.master)
        return self.process.wait(PATIENCE)


# --- asking ----------------------------------------------------------------------------------------

def test_a_request_is_made_of_answers():
    with office(approvers=2) as w:
        person = Person(w, ASKS, "request")
        person.sees("QEMU USB HARDDRIVE, port 1-0")
        person.sees("This medium is not registered.")
        person.answers("What is it needed for", "")
        person.sees("A purpose is needed")
        person.answers("What is it needed for", "  申告書の受渡し　")
        person.answers("ro to read only", "write")
        person.sees("'write' is no kind of access")
        person.answers("ro to read only", "rw")
        person.answers("at most 7 days", "30")
        person.sees("'30' says no unit: 30m is 30 minutes, 30h is 30 hours")
        person.answers("at most 7 days", "2020-01-01")
        person.sees("'2020-01-01' has passed already")
        person.answers("at most 7 days", "soon")
        person.sees("'soon' is no period")
        person.answers("at most 7 days", "8d")
        person.sees("longer than the policy")
        person.answers("at most 7 days", "２時間")
        person.answers("Whom it is for", "")
        person.answers("Class of the data", "IV")
        person.sees("'IV' is no class of data")
        person.answers("Class of the data", "II")
        forms = person.answers("Its number, or nothing", "8")
        assert "13-1" in forms and "a medium that was not issued" in forms
        person.answers("When the medium is to be back", "yesterday")
        person.sees("'yesterday' is no time")
        person.answers("When the medium is to be back", "tomorrow")
        whole = person.answers("Send this request? [Y/n]", "")
        for row in (r"Device +QEMU USB HARDDRIVE, port 1-0", r"Access +reading and writing", r"Period +2 h",
                    r"Purpose +申告書の受渡し", r"Class of data +II", r"Form +8 \(", r"Back by +20\d\d-\d\d-\d\d 23:59"):
            assert re.search(row + "$" if "Form" not in row else row, whole, re.M), (row, whole)
        person.sees("Request 1 was sent.")
        person.sees("two other people")
        person.sees("情報政策課 内線1234")
        assert person.ends() == 0
        made = shown(w, 1)
        assert (made["state"], made["access"], made["period"], made["purpose"], made["person"], made["data-class"],
                made["form"]) == ("requested", "rw", 7200, "申告書の受渡し", "daemon", "II", "8")
        assert made["return-by"] > made["requested"]


def test_the_questions_are_japanese_and_every_default_is_one_key():
    with office() as w:
        person = Person(w, ASKS, "request", env=JA)
        person.answers("使用目的", "印刷")
        for question in ("rw", "期間", "使用者", "情報の重要性分類", "様式の番号", "媒体の返却期限", "申請しますか"):
            before = person.answers(question, "")
            for line in before.splitlines():
                assert JAPANESE.search(line) or not PROSE.search(line), line
        person.sees("申請 1 を送りました。")
        assert person.ends() == 0
        made = shown(w, 1)
        assert (made["access"], made["period"], made["form"]) == ("ro", 7200, "")


def test_an_interrupt_and_a_no_leave_nothing_behind():
    with office() as w:
        person = Person(w, ASKS, "request")
        person.sees("What is it needed for")
        person.types("\x03")
        person.sees("Interrupted: nothing was done.")
        assert person.ends() == -signal.SIGINT
        person = Person(w, ASKS, "request", "--purpose=x", "--for=1h")
        person.answers("Send this request?", "perhaps")
        person.answers("Send this request?", "n")
        person.sees("Nothing was sent.")
        assert person.ends() == 1
        person = Person(w, ASKS, "request")
        person.sees("What is it needed for")
        person.types("\x04")
        person.sees("nothing was answered: nothing was done")
        assert person.ends() == 1
        assert json.loads(good(w, "root", "requests", "--all", "--json")) == []


def test_without_a_terminal_what_is_missing_or_wrong_is_named():
    whole = ("--purpose=x", "--for=2h")
    wrong = (
        (("--for=2h",), "--purpose"), (("--purpose=x",), "--for or --until"),
        ((*whole, "--access=write"), "--access: 'write' is no kind of access"),
        (("--purpose=x", "--for=soon"), "--for: 'soon' is no period"), (("--purpose=x", "--for=400d"), "--for: '400d'"),
        (("--purpose=x", "--for=0m"), "--for: '0m'"), (("--purpose=x", "--for="), "--for: '' is empty"),
        ((*whole, "--until=17:15x"), "--until: '17:15x' is no time"),
        (("--purpose=x", "--until=2020-01-01"), "'2020-01-01' has passed already"),
        (("--purpose=x", "--for=30"), "--for: '30' says no unit: 30m"), ((*whole, "--form=13-2"), "form of emergencies only"),
        ((*whole, "--until=tomorrow"), "--for and --until"), ((*whole, "--uses=0"), "--uses: '0'"),
        ((*whole, "--uses=1001"), "--uses: '1001'"), ((*whole, "--uses=-1"), "--uses: '-1'"),
        ((*whole, "--quota=5X", "--access=rw"), "--quota: '5X'"), ((*whole, "--quota=5M"), "--access=rw"),
        ((*whole, "--data-class=IV"), "--data-class: 'IV'"), ((*whole, "--form=9"), "--form: '9'"),
        ((*whole, "--return-by=never"), "--return-by: 'never'"),
        (("--for=2h", "--purpose=" + "x" * 512), "--purpose: "), (("--for=2h", "--purpose=a\nb"), "cannot be seen"),
        (("--for=2h", "--purpose=\u202ex"), "cannot be seen"), ((*whole, "--person=" + "x" * 128), "--person: "),
        (("--purpose=x", "--from=tomorrow", "--until=today"), "is before --from"),
        (("0", "--device=0", *whole), "twice"), (("0", "--medium=ZEI-1", *whole), "not both"),
        ((*whole, "--all"), "does not take --all"), (("1", "2", *whole), "usage"),
    )
    with office() as w:
        for args, said in wrong:
            done = ctl(w, ASKS, "request", *args)
            assert done.returncode == 2 and said in done.stderr and not done.stdout, (args, done)
            done = ctl(w, ASKS, "request", *args, env=JA)
            assert done.returncode == 2 and JAPANESE.search(done.stderr), (args, done)
        assert "no such device is plugged in: 7" in refused(w, ASKS, "request", "7", *whole)
        w.tell("add 1")
        w.tell("deny 1 class-not-allowed")
        said = refused(w, ASKS, "request", *whole)
        assert "name one by its port" in said and "1-0  QEMU" in said and "1-1  区役所の媒体" in said
        w.tell("remove 0")
        w.tell("remove 1")
        assert "no blocked device is plugged in" in refused(w, ASKS, "request", *whole)
        assert json.loads(good(w, "root", "requests", "--all", "--json")) == []


def test_every_option_arrives():
    with office() as w:
        number = ask(w, ASKS, "1-0", "--access=rw", "--encrypted-only", "--uses=3", "--quota=500M", "--data-class=III",
                     "--form=13-1", "--person=games", "--return-by=tomorrow")
        made = shown(w, number)
        assert (made["access"], made["encrypted-only"], made["uses"], made["write-quota"], made["data-class"], made["form"],
                made["person"], made["requester"], made["class"]) == (
            "rw", True, 3, 500 << 20, "III", "13-1", "games", "daemon", "storage-plain")
        # Local time: the end of tomorrow in Japan.
        assert (made["return-by"] + 1 + 9 * 3600) % 86400 == 0
        until = json.loads(good(w, ASKS, "--json", "request", "--medium=ZEI-0001", "--purpose=x", "--until=tomorrow"))
        assert until["exception"]["end"] == made["return-by"] and until["exception"]["medium"] == "ZEI-0001"


# --- answering ---------------------------------------------------------------------------------------

def test_an_approver_sees_the_whole_before_he_says_yes():
    with office(approvers=2) as w:
        ask(w, ASKS, "--access=rw", "--form=8")
        done = ctl(w, FIRST, "approve", "1")
        assert done.returncode == 2 and "--yes" in done.stderr
        person = Person(w, FIRST, "approve", "1")
        whole = person.answers("Approve this? [y/N]", "")
        for words in ("USB memory or disk, not encrypted", "QEMU USB HARDDRIVE, port 1-0", "For                     daemon",
                      "reading and writing", "申告書の受渡し", "2 h", "8 (a medium that was not issued)"):
            assert words in whole, (words, whole)
        person.sees("Nothing was done.")
        assert person.ends() == 1 and shown(w, 1)["approvers"] == []
        person = Person(w, FIRST, "approve", "1", env=JA)
        person.answers("これを承認しますか", "はい")
        person.sees("もう一人の承認が必要です。")
        assert person.ends() == 0
        assert "Somebody else must do this" in refused(w, ASKS, "approve", "1", "--yes")
        assert "You have approved it already" in refused(w, FIRST, "approve", "1", "--yes")
        assert re.match(r"1: in force, until 20\d\d-\d\d-\d\d \d\d:\d\d\n$", good(w, SECOND, "approve", "1", "--yes"))


def test_an_extension_is_approved_as_it_was_seen():
    with office() as w:
        ask(w)
        good(w, FIRST, "approve", "1", "--yes")
        end = shown(w, 1)["end"]
        assert "waits for approval" in good(w, ASKS, "extend", "1", "--for=3h", "--note=まだ終わらない")
        person = Person(w, FIRST, "approve", "1")
        assert "Extension asked for, to" in person.sees("Approve this?")
        # Meanwhile he asks for more than was seen.
        good(w, ASKS, "extend", "1", "--for=5h")
        person.types("y\n")
        person.sees("Another extension is asked for now than the one you saw")
        assert person.ends() == 1 and shown(w, 1)["end"] == end
        good(w, FIRST, "approve", "1", "--yes")
        assert shown(w, 1)["end"] - end in range(3 * 3600 - 60, 3 * 3600 + 60)


def test_a_denial_is_final_so_it_is_seen_and_confirmed_before():
    with office() as w:
        ask(w)
        for args, said in ((("deny", "1"), "give --note"), (("deny", "1", "--yes"), "give --note"),
                           (("deny", "1", "--note=足りない"), "give --yes"), (("deny", "1", "--note=a\u202eb"), "cannot be seen")):
            done = ctl(w, FIRST, *args)
            assert done.returncode == 2 and said in done.stderr, (args, done)
        person = Person(w, FIRST, "deny", "1", "--note=足りない")
        assert "申告書の受渡し" in person.answers("Deny this? [y/N]", "")
        person.sees("Nothing was done.")
        assert person.ends() == 1 and shown(w, 1)["state"] == "requested"
        person = Person(w, FIRST, "deny", "1")
        person.answers("Deny this?", "y")
        person.answers("Why", "")
        person.answers("Why", "足りない")
        person.sees("1: denied")
        assert person.ends() == 0 and shown(w, 1)["state"] == "denied"


def test_what_was_typed_ahead_confirms_nothing():
    with office() as w:
        ask(w)
        person = Person(w, FIRST, "approve", "1", ahead="y\ny\n")
        person.answers("Approve this?", "n")
        person.sees("Nothing was done.")
        assert person.ends() == 1 and shown(w, 1)["state"] == "requested"


def test_each_step_has_its_command_and_its_history():
    with office() as w:
        ask(w)
        assert good(w, FIRST, "deny", "1", "--yes", "--note=足りない") == "1: denied\n"
        ask(w)
        assert good(w, ASKS, "withdraw", "2") == "2: closed\n"
        ask(w)
        good(w, FIRST, "approve", "3", "--yes")
        w.tell("use 3")
        assert good(w, FIRST, "revoke", "3", "--yes", "--note=別件").startswith("3: revoked")
        assert "Nobody has confirmed that its data is erased" in refused(w, FIRST, "exception", "close", "3", "--yes")
        assert good(w, ASKS, "return", "3").startswith("3: returned")
        assert good(w, FIRST, "exception", "confirm", "3", "--yes").startswith("3: erasure confirmed")
        assert good(w, FIRST, "exception", "close", "3") == "3: closed\n"
        text = good(w, ASKS, "exception", "show", "3")
        steps = text.split("What happened\n")[1].splitlines()
        assert re.match(r"  20\d\d-\d\d-\d\d \d\d:\d\d  was requested \(by daemon", steps[0]), steps
        for words in ("was given an approval (by bin", "came into force", "let the device in", "was revoked (by bin",
                      "      別件", "the medium was returned (by daemon", "the erasure was confirmed (by bin", "was closed"):
            assert any(words in step for step in steps), (words, steps)
        ours = good(w, ASKS, "exception", "show", "3", env=JA)
        for line in ours.splitlines():
            assert JAPANESE.search(line) or not PROSE.search(line), line
        # Nobody else's business.
        w.polkit.say("no")
        assert "not authorised" in refused(w, SECOND, "exception", "show", "3")


def test_an_emergency_is_flagged_until_its_report_is_filed():
    with office() as w:
        done = ctl(w, ASKS, "emergency", "--purpose=停電", "--for=1h", "--form=8")
        assert done.returncode == 2 and "'8' is not the form of an emergency" in done.stderr, done
        assert "Emergency 1 is in force for 1 h." in good(w, ASKS, "emergency", "--purpose=停電", "--for=1h")
        made = shown(w, 1)
        assert (made["emergency"], made["state"], made["form"], made["access"]) == (True, "live", "13-2", "ro")
        assert "EMERGENCY, report due" in good(w, ASKS, "requests")
        assert "未提出" in refused(w, ASKS, "emergency", "--purpose=また", env=JA)
        assert "do not have the right" in refused(w, FIRST, "emergency", "--purpose=x")
        person = Person(w, ASKS, "exception", "report", "1")
        person.answers("The report", "停電のため窓口で使用、課長へ報告済み")
        assert person.ends() == 0 and "1: in force" in person.screen
        assert "report" not in shown(w, 1)["due"]
        assert "filed already" in refused(w, ASKS, "exception", "report", "1", "--note=x")
        done = ctl(w, ASKS, "exception", "report", "1", "--note=" + "x" * 2048)
        assert done.returncode == 2 and "2047" in done.stderr


# --- looking -----------------------------------------------------------------------------------------

def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def test_the_table_shows_what_matters_first_and_stands_straight():
    with office("exception-requests 50 100") as w:
        for _ in range(4):
            ask(w)
        good(w, FIRST, "deny", "1", "--yes", "--note=x")
        good(w, FIRST, "approve", "3", "--yes")
        table = good(w, "root", "requests", "--all").splitlines()
        assert [row.split()[0] for row in table] == ["NO", "3", "2", "4", "1"]
        assert "in force" in table[1] and re.search(r"(2 h|1 h 59 min) left", table[1])
        assert [row.split()[0] for row in good(w, "root", "requests").splitlines()] == ["NO", "3", "2", "4"]
        assert [row.split()[0] for row in good(w, "root", "requests", "--state=denied,live").splitlines()] == ["NO", "3", "1"]
        assert good(w, "root", "requests", "--person=games") == "No exception is waiting, in force, or owes anything.\n"
        assert good(w, "root", "requests", "--due").startswith("No exception")
        rows = good(w, "root", "requests", env=JA).splitlines()
        place = columns(rows[0][:rows[0].index("アクセス")])
        for row in rows[1:]:
            assert columns(row[:row.index("  ro  ") + 2]) == place, rows
        assert "\x1b" not in "".join(rows)
        done = ctl(w, "root", "requests", "--state=open")
        assert done.returncode == 2 and "'open' is no state" in done.stderr
        # On a terminal in colour, unless somebody does not want that.
        person = Person(w, "root", "requests")
        assert person.ends() == 0 and "\x1b[32min force\x1b[0m" in person.screen, person.screen
        person = Person(w, "root", "requests", env={"NO_COLOR": "1"})
        assert person.ends() == 0 and "\x1b" not in person.screen
        # Who may not see others' sees his own, and is told.
        w.polkit.say("no")
        done = ctl(w, ASKS, "requests", "--all")
        assert done.returncode == 0 and len(done.stdout.splitlines()) == 5 and "These are your own" in done.stderr
        assert "not authorised" in refused(w, ASKS, "requests", "--person=games")
        done = ctl(w, SECOND, "requests", "--all")
        assert done.returncode == 0 and done.stdout == "There are no exceptions.\n"


def test_json_is_what_the_daemon_says():
    with office() as w:
        ask(w)
        listed = json.loads(good(w, "root", "requests", "--json"))
        assert len(listed) == 1 and listed[0]["state"] == "requested" and listed[0]["approvals-needed"] == 1
        whole = json.loads(good(w, ASKS, "exception", "show", "1", "--json"))
        assert whole["exception"].keys() == listed[0].keys()
        assert [step["event"] for step in whole["steps"]] == ["request"] and whole["steps"][0]["who"] == "daemon"
        done = json.loads(good(w, FIRST, "approve", "1", "--yes", "--json"))
        assert done["ok"] is True and done["number"] == 1 and done["exception"]["state"] == "live"
        no = ctl(w, FIRST, "exception", "close", "1", "--json")
        answer = json.loads(no.stdout)
        assert no.returncode == 1 and answer["ok"] is False and answer["reason"] == "exception-live", answer


def test_status_and_watch_tell_of_exceptions():
    with office() as w:
        process, lines = w.ctl_watch("--json", "--count=4")
        ask(w)
        good(w, FIRST, "approve", "1", "--yes")
        seen = [json.loads(lines.next()) for _ in range(3)]
        assert [(e["event"], e["number"], e["step"], e["state"]) for e in seen] == [
            ("Stepped", 1, "request", "requested"), ("Stepped", 1, "approve", "approved"), ("Stepped", 1, "begin", "live")]
        w.tell("clock +6400")
        warned = json.loads(lines.next())
        assert warned["event"] == "Warned" and warned["number"] == 1 and 0 < warned["seconds"] <= 900
        assert process.wait(PATIENCE) == 0
        text = w.ctl("status").stdout
        assert re.search(r"^Exceptions +0 waiting for approval, 1 approved or in force$", text, re.M), text
        assert re.search(r"^ +1  00112  daemon  read only  1\d min left$", text, re.M), text
        status = json.loads(w.ctl("status", "--json").stdout)
        assert status["exceptions"]["Live"] == 1 and status["exceptions"]["Grants"][0]["Number"] == 1
        process, lines = w.ctl_watch("--count=1", env=JA)
        w.tell("clock +1000")
        line = lines.next()
        assert re.search(r"例外 +1  .*終了", line), line


def test_a_daemon_that_is_away_or_cannot_keep_exceptions_says_what_to_do():
    asking = ("request", "--purpose=x", "--for=1h")
    with world(daemon=False) as w:
        for args in (asking, ("requests",), ("approve", "1", "--yes"), ("exception", "show", "1"), ("emergency", "--purpose=x")):
            done = w.ctl(*args)
            assert done.returncode == 1 and "'sekimorictl status'" in done.stderr and not done.stdout, done
            assert "常駐プログラム" in w.ctl(*args, env=JA).stderr
    with world() as w:
        (w.directory / "store").mkdir(mode=0o700)
        (w.directory / "store" / "exceptions.db").write_bytes(b"no database" * 1000)
        (w.directory / "store" / "exceptions.db").chmod(0o600)
        w.tell("add 0")
        w.tell("deny 0 not-registered")
        w.exceptions("approvers 1")
        for args in (asking, ("requests",), ("approve", "1", "--yes"), ("exception", "show", "1")):
            done = w.ctl(*args)
            assert done.returncode == 1 and "'sekimorictl doctor'" in done.stderr and not done.stdout, (args, done)
        row = re.search(r"^例外 +(.+)$", w.ctl("status", env=JA).stdout, re.M).group(1)
        assert JAPANESE.search(row) and "件" not in row, row


# How many there are in the store. Pages are of 200; 10000 here makes the test that of a terminal of many years, and takes a minute.
MANY = int(os.environ.get("SEKIMORI_TEST_EXCEPTIONS", "1001"))


def test_many_pages_of_requests_are_one_list():
    # On a disk that is none: the store waits for it after each step.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory, world() as w:
        policy = w.directory / "policy"
        policy.write_text("policy test\nversion 1\ndefault block\n")
        subprocess.run([BUILD / "tests" / "fill-exceptions", f"{memory}/exceptions.db", "mado-03", str(MANY), "3"], check=True)
        w.tell(f"exceptions {memory}/exceptions.db {policy}")
        listed = json.loads(w.ctl("requests", "--all", "--json").stdout)
        assert sorted(e["number"] for e in listed) == list(range(1, MANY + 1))
        # Those that wait, by age, and then the newest.
        table = w.ctl("requests", "--all").stdout.splitlines()
        assert [row.split()[0] for row in table[:6]] == ["NO", *map(str, (MANY - 2, MANY - 1, MANY, MANY - 3, MANY - 4))]
        assert len(table) == MANY + 1 and re.match(r"1 +denied +user1 ", table[-1]), table[-1]
        assert len(w.ctl("requests").stdout.splitlines()) == 4
        one = json.loads(w.ctl("requests", "--all", "--person=user500", "--json").stdout)
        assert [e["number"] for e in one] == [500]
        assert "3 waiting for approval" in w.ctl("status").stdout


def test_numbers_that_are_none_are_refused():
    with office() as w:
        for number in ("0", "x", "1x", "-1", "4294967296", "99999999999999999999", "", "1 2"):
            done = ctl(w, ASKS, "withdraw", "--", number)
            assert done.returncode == 2 and "is no number of an exception" in done.stderr, (number, done)
        for command in (("approve",), ("deny", "--note=x"), ("revoke",), ("exception", "close")):
            said = refused(w, FIRST, *command, "4294967295", "--yes")
            assert "There is no such exception" in said and "requests --all" in said, (command, said)
        ask(w)
        assert good(w, ASKS, "withdraw", "#１") == "1: closed\n"
