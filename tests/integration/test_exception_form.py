# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl exception form: a real exception, asked for, approved and done, on paper."""
import contextlib
import csv
import io
import os
import re
import stat

from harness import CTL, EXCEPTIONS, REQUEST, ROOT, STRICT_POLICY, Polkit, device, request, wish, world

JA = {"LANG": "ja_JP.UTF-8"}
# Users that every Debian has: who asks, who approves, somebody else.
ASKER, APPROVER, OTHER = 1, 2, 7
HOSTILE = "申告書 <script>alert(1)</script> ﹤ =1+1"


def as_user(user):
    return {"user": user, "group": user, "extra_groups": [], "cwd": "/"}


@contextlib.contextmanager
def office(*statements):
    """A terminal where a request for a stick waits as number 1."""
    policy = STRICT_POLICY.replace("</policy>", '<allow own="org.freedesktop.PolicyKit1"/>'
                                   '<allow send_destination="org.freedesktop.PolicyKit1"/></policy>', 1)
    with world(policy=policy) as w:
        w.polkit = Polkit(w, "yes")
        w.tell("add 0")
        w.exceptions(*statements)
        w.done = lambda user, path, interface, member, *args: w.call(path, interface, member, *args, **as_user(user))
        answer, error = w.done(ASKER, ROOT, EXCEPTIONS, "Request", "a{sv}",
                               *wish(device=device(0), purpose=HOSTILE, seconds=3600, access="rw", form="8", data_class="II"))
        assert not error and answer[0] == 1, (answer, error)
        yield w


def fields(text):
    """The sheet's fields: {id: content}; and the steps' events."""
    rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")) if len(row) == 5]
    return ({row[1]: row[4] for row in rows if row[0] in ("application", "outcome")},
            [row[4] for row in rows if row[0] == "steps" and row[3] == "event"])


def form(w, *args, user=0, env=None):
    more = as_user(user) if user else {}
    return w.run(CTL, "exception", "form", "1", *args, env=env or {}, **more)


def test_application_and_outcome_are_those_of_the_exception():
    with office() as w:
        sheet, steps = fields(form(w, "--format=csv").stdout)
        assert (sheet["number"], sheet["state"], sheet["access"]) == ("1", "requested", "rw"), sheet
        assert sheet["requester"] == sheet["person"] == "daemon" and sheet["data-class"] == "II", sheet
        assert sheet["purpose"] == HOSTILE and sheet["approver-1"] == "" and steps == ["request"], (sheet, steps)
        assert not w.done(APPROVER, request(1), REQUEST, "Approve", "xs", "0", "")[1]
        w.tell("use 1")
        w.tell("written 1 1234567")
        w.tell("unused 1")
        assert not w.done(ASKER, request(1), REQUEST, "Return", "s", "")[1]
        assert not w.done(APPROVER, request(1), REQUEST, "ConfirmErased", "s", "空であることを確認")[1]
        sheet, steps = fields(form(w, "--format=csv").stdout)
        assert (sheet["state"], sheet["approver-1"], sheet["used"], sheet["written"], sheet["erased-by"]) == (
            "erase-confirmed", "bin", "1", "1234567", "bin"), sheet
        assert steps == ["request", "approve", "begin", "use", "written", "return", "confirm-erased"], steps
        # One's own needs nobody's leave; others' do.
        w.polkit.stop()
        assert fields(form(w, "--format=csv", user=ASKER).stdout)[0]["number"] == "1"
        refused = form(w, user=OTHER)
        assert refused.returncode == 1 and not refused.stdout and refused.stderr, refused


def test_the_page_is_whole_and_private_and_holds_no_markup_of_others():
    with office() as w:
        page = form(w, env=JA).stdout
        assert page.startswith("<!DOCTYPE html>") and "様式第8号用" in page and "情報セキュリティ管理者" in page, page[:500]
        assert "<script" not in page and "&lt;script&gt;" in page and "default-src 'none'" in page
        assert page.count('class="blank') >= 8, "room for handwriting and stamps"
        assert not re.search(r"https?:|url\(|@import", page)
        out = w.directory / "sheet.html"
        assert form(w, f"--output={out}", env=JA).returncode == 0 and out.read_text() == page
        assert stat.S_IMODE(os.stat(out).st_mode) == 0o600
        assert form(w, f"--output={out}").returncode == 1, "overwrites nothing"
        assert "Signatures and stamps" in form(w, "--format=text").stdout


def test_an_emergency_has_its_own_form():
    with office("emergency-period 4 hours", 'may-declare-emergency "root"') as w:
        number = w.call(ROOT, EXCEPTIONS, "DeclareEmergency", "a{sv}", *wish(medium="ZEI-0001", purpose="停電", seconds=3600))[0][0]
        assert not w.call(request(number), REQUEST, "Report", "s", "10時に復旧した")[1]
        sheet, _ = fields(w.run(CTL, "exception", "form", str(number), "--format=csv").stdout)
        assert (sheet["approver-1"], sheet["report"], sheet["unavoidable"]) == ("(emergency)", "10時に復旧した", ""), sheet


def test_what_is_wrong_is_said():
    with office() as w:
        for args, status in ((["2"], 1), (["x"], 2), (["0"], 2), ([], 2), (["1", "2"], 2), (["1", "--format=pdf"], 2)):
            done = w.run(CTL, "exception", "form", *args)
            assert done.returncode == status and done.stderr and not done.stdout, (args, done)
        w.daemon_stop()
        done = w.run(CTL, "exception", "form", "1", env=JA)
        assert done.returncode == 1 and re.search("[ぁ-ん]", done.stderr), done
