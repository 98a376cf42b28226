# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary exceptions on D-Bus, by the real engine and store: several users of a terminal ask, approve, look, and try what they may
not. Only root can become them."""
import contextlib
import json
import os
import subprocess
import time

from harness import (ERROR, EXCEPTIONS, GRANT, NAME, REQUEST, ROOT, STRICT_POLICY, Polkit, device, grant, next_signal, request,
                     wait_until, wish, world)

# Users that every Debian has, so that they have names: who asks, who approves, somebody else.
ASKER, FIRST, SECOND, OTHER = 1, 2, 3, 7
NAMES = {ASKER: "daemon", FIRST: "bin", SECOND: "sys", OTHER: "lp"}
PURPOSE = "転出証明書の画像を区役所へ"
TWO = ("approvers 2",)
REFUSED = f"{NAME}.Error.Refused"


@contextlib.contextmanager
def terminal(*statements, policy=STRICT_POLICY, polkit="yes"):
    with world(policy=policy.replace("</policy>", '<allow own="org.freedesktop.PolicyKit1"/>'
                                     '<allow send_destination="org.freedesktop.PolicyKit1"/></policy>', 1)) as w:
        w.polkit = Polkit(w, polkit)
        w.tell("add 0")
        w.exceptions(*statements)
        yield w


def becoming(user, login=4294967295):
    """Words before a command that make it this user's, logged in as that one: nobody, as for a service. Whoever runs the tests has
    logged in, and would be one person with many names."""
    return ["sh", "-c", f'{{ echo {login} > /proc/self/loginuid; }} 2> /dev/null; exec setpriv --reuid={user} --regid={user} --clear-groups "$@"', "become"]


def call(w, user, path, interface, member, *args):
    """(answer, None) or (None, (name of the error, its message))."""
    done = w.run(*becoming(user), "gdbus", "call", "--system", "--dest", NAME, "--object-path", path, "--method",
                 f"{interface}.{member}", *args)
    if done.returncode == 0:
        return done.stdout.strip(), None
    text = done.stderr.strip().removeprefix("Error: GDBus.Error:").split("\n(According to introspection")[0]
    name, _, message = text.partition(": ")
    return None, (name, message)


def variant(members):
    types = {"device": "objectpath ", "seconds": "uint32 ", "uses": "uint32 ", "until": "int64 ", "begin": "int64 ", "limit": "uint32 ",
             "after": "uint32 ", "return-by": "int64 ", "write-quota": "uint64 "}
    rows = [f"'{name}': <{types.get(name, '')}{str(value).lower() if isinstance(value, bool) else repr(value)}>" for name, value in members.items()]
    return "{" + ", ".join(rows) + "}" if rows else "@a{sv} {}"


def ask(w, user, member="Request", **members):
    wanted = {"device": device(0), "purpose": PURPOSE, "seconds": 3600}
    wanted.update({name.replace("_", "-"): value for name, value in members.items()})
    wanted = {name: value for name, value in wanted.items() if value is not None}
    return call(w, user, ROOT, EXCEPTIONS, member, variant(wanted))


def asked(w, user, **more):
    """The number of the exception that was asked for."""
    answer, error = ask(w, user, **more)
    assert error is None, error
    return int(answer.split("uint32 ")[1].split(",")[0])


def step(w, user, number, member, *args):
    """None, or the code with which it was refused."""
    answer, error = call(w, user, request(number), REQUEST, member, *args)
    if error is None:
        assert answer == "()", answer
        return None
    assert error[0] == REFUSED, error
    code, _, sentence = error[1].partition(": ")
    assert sentence, error
    return code


def approve(w, user, number):
    return step(w, user, number, "Approve", "0", "")


def of(w, number):
    """The exception and its steps, as root sees them."""
    data, error = w.call(ROOT, EXCEPTIONS, "Get", "u", str(number))
    assert error is None, error
    flat = [{name: value["data"] for name, value in entry.items()} for entry in [data[0], *data[1]]]
    return flat[0], flat[1:]


def test_two_others_approve_and_every_step_says_who():
    if os.getuid():
        return
    with terminal(*TWO) as w:
        number = asked(w, ASKER)
        assert approve(w, ASKER, number) == "exception-own"
        assert approve(w, FIRST, number) is None
        assert approve(w, FIRST, number) == "exception-approved-twice"
        assert w.get_all(request(number), REQUEST)["Approvals"] == 1
        assert w.call(grant(number), "org.freedesktop.DBus.Properties", "GetAll", "s", GRANT)[1]
        assert approve(w, SECOND, number) is None
        assert approve(w, OTHER, number) == "exception-no-extension"
        exception, steps = of(w, number)
        assert exception["state"] == "live" and exception["approvers"] == ["bin", "sys"] and exception["person"] == "daemon"
        assert exception["purpose"] == PURPOSE and exception["approvals-needed"] == 2 and exception["access"] == "ro"
        assert exception["terminal"] == "mado-03" and exception["class"] == "storage-plain" and exception["uid"] == ASKER
        assert 3590 < exception["seconds-left"] <= 3600 and exception["end"] - exception["begin"] == 3600
        assert [(s["event"], s["who"], s["to"]) for s in steps] == [
            ("request", "daemon", "requested"), ("approve", "bin", "requested"), ("approve", "sys", "approved"), ("begin", "", "live")]
        shown = w.get_all(grant(number), GRANT)
        assert shown["Live"] and shown["Request"] == request(number) and 3590 < shown["SecondsLeft"] <= 3600
        assert shown["Device"] == exception["fingerprint"] == "blake2b:00112233445566778899aabbccddeeff"
        w.tell(f"records {w.directory}/records")
        assert approve(w, ASKER, number) is not None
        # A rule that refuses is a refusal in the record, too.
        deeds = [json.loads(line) for line in (w.directory / "records").read_text().splitlines()]
        deed, = [d for d in deeds if d["kind"] == "administration"]
        assert deed["result"] == "refused" and deed["uid"] == ASKER, deed


def test_for_somebody_else_neither_of_the_two_may_approve():
    if os.getuid():
        return
    with terminal() as w:
        number = asked(w, ASKER, person="bin")
        assert approve(w, ASKER, number) == "exception-own" and approve(w, FIRST, number) == "exception-own"
        for user in (ASKER, FIRST):
            assert f"'number': <uint32 {number}>" in call(w, user, ROOT, EXCEPTIONS, "GetOwn", str(number))[0]
        assert approve(w, SECOND, number) is None
        answer, error = ask(w, ASKER, person="nobody-of-that-name")
        assert answer is None and error == (ERROR + "InvalidArgs", "wish: 'person' is no user of this terminal"), error


def test_get_says_whether_the_caller_may_approve_it_now():
    """Not the desk nor the auditors, who see it; not whose it is, nor whoever has approved it; and nobody is asked for a password."""
    if os.getuid():
        return
    asks = "check org.sekimori.approve-exception 0"
    with terminal(*TWO, 'may-approve "daemon" "bin" "sys"') as w:
        number = asked(w, ASKER)

        def may(user):
            answer, error = call(w, user, ROOT, EXCEPTIONS, "Get", str(number))
            assert error is None and answer.count("'may-approve'") == 1, (answer, error)
            return "'may-approve': <true>" in answer

        w.polkit.asked.clear()
        assert not may(ASKER) and not may(OTHER)
        w.polkit.say("yes")
        assert asks not in w.polkit.asked, "polkit is asked only if all else lets him"
        assert may(FIRST) and may(SECOND)
        w.polkit.say("refuse org.sekimori.approve-exception")
        assert asks in w.polkit.asked and not may(SECOND)
        w.polkit.say("refuse nothing")
        assert approve(w, FIRST, number) is None and not may(FIRST) and may(SECOND)
        assert approve(w, SECOND, number) is None and not may(SECOND)
        until = of(w, number)[0]["end"] + 600
        assert step(w, ASKER, number, "Extend", f"int64 {until}", "") is None
        # Who approved the request may approve its extension; once.
        assert may(FIRST) and not may(ASKER)
        assert step(w, FIRST, number, "Approve", f"int64 {until}", "") is None and not may(FIRST) and may(SECOND)
        for user, member, args in ((ASKER, "GetOwn", (str(number),)), (FIRST, "List", ("@a{sv} {}",))):
            assert "may-approve" not in call(w, user, ROOT, EXCEPTIONS, member, *args)[0]
        # One that is asked about while polkit is silent is told as it is then.
        w.polkit.say("hold")
        held = w.start([*becoming(SECOND), "gdbus", "call", "--system", "--dest", NAME, "--object-path", ROOT, "--method", f"{EXCEPTIONS}.Get",
                        str(number)], stdout=subprocess.PIPE)
        w.polkit.asked.clear()
        w.polkit.wait("check org.sekimori.view-exceptions 0")
        w.polkit.say("next")
        w.polkit.wait(asks)
        w.tell("clock +4000")
        w.polkit.say("yes")
        answer = held.communicate(timeout=8)[0].decode()
        assert "'may-approve': <false>" in answer and "'state': <'expired'>" in answer, answer


def test_who_logged_in_is_who_he_is_whatever_he_becomes():
    """Two users by one login are one person, and so is root by sudo."""
    if os.getuid() or subprocess.run(["sh", "-c", f"echo {ASKER} > /proc/self/loginuid"], stderr=subprocess.DEVNULL, check=False).returncode:
        # Containers may not.
        return
    with terminal() as w:
        number = asked(w, ASKER)

        for user in (FIRST, 0):
            done = w.run(*becoming(user, ASKER), "busctl", f"--address={w.address}", "call", NAME, request(number), REQUEST, "Approve",
                         "xs", "0", "")
            assert "exception-own: " in done.stderr, done
        assert of(w, number)[0]["approvers"] == []
        # And one whom nobody knows is nobody, not the user that he has become.
        for where, args in (((ROOT, EXCEPTIONS, "Request"), ("a{sv}", *wish(device=device(0), purpose="x", seconds=60))),
                            ((ROOT, EXCEPTIONS, "ListOwn"), ("a{sv}", "0")), ((ROOT, EXCEPTIONS, "GetOwn"), ("u", str(number))),
                            ((request(number), REQUEST, "Approve"), ("xs", "0", ""))):
            done = w.run(*becoming(FIRST, 4000000000), "busctl", f"--address={w.address}", "call", NAME, *where, *args)
            assert "exception-unknown-person: " in done.stderr, (where, done)
        assert approve(w, FIRST, number) is None


def test_lists_of_the_policy_hold_whatever_polkit_says():
    if os.getuid():
        return
    with terminal('may-approve "sys" "@lp"', 'may-ask "daemon"', "emergency-period 4 hours", 'may-declare-emergency "@sys"') as w:
        assert ask(w, FIRST)[1][1].startswith("exception-role: ")
        number = asked(w, ASKER)
        assert approve(w, FIRST, number) == "exception-role"
        assert ask(w, ASKER, "DeclareEmergency", seconds=None)[1][1].startswith("exception-role: ")
        # By the group that the user database says he is in.
        assert approve(w, OTHER, number) is None
        assert step(w, SECOND, number, "Revoke", "遅い") is None
        emergency = asked(w, SECOND, member="DeclareEmergency", seconds=None)
        exception, _ = of(w, emergency)
        assert exception["state"] == "live" and exception["emergency"] and exception["due"] == ["report"], exception
        assert exception["end"] - exception["begin"] == 4 * 3600 and exception["approvals-needed"] == 0
        assert w.get_all(ROOT, EXCEPTIONS)["Unreported"] == 1
        assert step(w, SECOND, emergency, "Report", "") == "exception-note"
        assert step(w, SECOND, emergency, "Report", "停電のため住民票を印刷した") is None
        assert w.get_all(ROOT, EXCEPTIONS)["Unreported"] == 0
    # Unsaid, emergencies are nobody's.
    with terminal("emergency-period 4 hours") as w:
        assert ask(w, ASKER, "DeclareEmergency", seconds=None)[1][1].startswith("exception-role: ")


def test_polkit_s_no_is_a_no_and_the_seat_is_asked_first():
    if os.getuid():
        return
    with terminal(polkit="no") as w:
        for member, args in (("Request", ("{'purpose': <'x'>}",)), ("List", ("@a{sv} {}",)), ("Get", ("1",))):
            _, error = call(w, ASKER, ROOT, EXCEPTIONS, member, *args)
            assert error[0] == ERROR + "AccessDenied" and error[1].startswith("not-authorised"), (member, error)
        w.tell(f"may {OTHER}")
        w.polkit.say("yes")
        w.polkit.asked.clear()
        for member, args in (("AnswerPhone", ("ABCD",)), ("ImportGrant", ("text", "signature"))):
            _, error = call(w, ASKER, ROOT, EXCEPTIONS, member, *args)
            assert error[0] == ERROR + "AccessDenied" and error[1].startswith("not-at-seat"), (member, error)
        w.polkit.say("yes")
        assert w.polkit.asked == [], "somebody was asked for a password in vain"
        _, error = call(w, OTHER, ROOT, EXCEPTIONS, "ImportGrant", "text", "signature")
        assert error[0] == REFUSED and error[1].startswith("grant-no-trust: "), error
        for member, args in (("AnswerPhone", ("ABCD",)), ("RequestByPhone", (variant({"purpose": "x"}),))):
            _, error = call(w, OTHER, ROOT, EXCEPTIONS, member, *args)
            assert error[0] == REFUSED and error[1].startswith("phone-no-key: "), (member, error)


def test_other_people_s_exceptions_are_not_there():
    if os.getuid():
        return
    with terminal() as w:
        number = asked(w, ASKER)
        asked(w, FIRST)
        for user, who in ((FIRST, number), (OTHER, 1), (OTHER, 99), (OTHER, 0)):
            assert call(w, user, ROOT, EXCEPTIONS, "GetOwn", str(who))[1] == \
                (f"{NAME}.Error.NotFound", "There is no such exception")
        own, error = call(w, ASKER, ROOT, EXCEPTIONS, "ListOwn", "@a{sv} {}")
        assert error is None and own.count("'number'") == 1 and PURPOSE in own
        assert call(w, OTHER, ROOT, EXCEPTIONS, "ListOwn", "@a{sv} {}")[0] == "(@aa{sv} [],)"
        _, error = call(w, OTHER, ROOT, EXCEPTIONS, "ListOwn", variant({"person": "daemon"}))
        assert error[0] == ERROR + "InvalidArgs" and "'person'" in error[1]
        assert call(w, OTHER, ROOT, EXCEPTIONS, "List", "@a{sv} {}")[0].count("'number'") == 2


def test_signals_and_properties_tell_no_purpose():
    if os.getuid():
        return
    with terminal("approvers 1") as w:
        heard = w.directory / "heard"
        with open(heard, "wb") as out:
            w.start([*becoming(OTHER), "gdbus", "monitor", "--system", "--dest", NAME], stdout=out)

        def hears():
            w.tell("attempt")
            return b"AttemptRefused" in heard.read_bytes()

        wait_until(hears, "the other user listening")
        number = asked(w, ASKER)
        approve(w, FIRST, number)
        w.tell(f"use {number}")
        w.tell("clock +2820")
        w.tell("clock +600")
        w.tell("clock +600")
        assert step(w, ASKER, number, "Return", "机に返した") is None
        assert step(w, ASKER, number, "ConfirmErased", "") == "exception-own"
        assert step(w, FIRST, number, "ConfirmErased", "空にした") is None
        assert step(w, FIRST, number, "Close", "") is None
        wait_until(lambda: "'close', 'closed'" in heard.read_text(), "the last step")
        text = heard.read_text()
        steps = [line.split("Stepped (")[1] for line in text.splitlines() if ".Stepped (" in line]
        assert steps == [f"uint32 {number}, {words})" for words in (
            "'request', 'requested'", "'approve', 'approved'", "'begin', 'live'", "'use', 'live'", "'expire', 'expired'",
            "'return', 'returned'", "'confirm-erased', 'erase-confirmed'", "'close', 'closed'")], steps
        warned = [line.split("Warned (")[1] for line in text.splitlines() if ".Warned (" in line]
        assert len(warned) == 2 and all(line.startswith(f"uint32 {number}, uint32 ") for line in warned), warned
        left = [int(line.rsplit(" ", 1)[1].rstrip(")")) for line in warned]
        assert 300 < left[0] <= 900 and 0 < left[1] <= 300, left
        tree, _ = call(w, OTHER, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        for secret in (PURPOSE, "机に返した", "空にした"):
            assert secret not in text and secret not in tree
        assert request(number) not in tree and grant(number) not in tree, "what is closed has no object"
        assert of(w, number)[0]["state"] == "closed"


def test_a_flood_of_one_user_leaves_the_others_room():
    if os.getuid():
        return
    with terminal("exception-requests 3 5") as w:
        for _ in range(3):
            asked(w, ASKER)
        assert ask(w, ASKER)[1][1].startswith("exception-many-waiting: ")
        assert step(w, ASKER, 1, "Withdraw", "不要になった") is None
        asked(w, ASKER)
        assert step(w, ASKER, 2, "Withdraw", "") is None
        asked(w, ASKER)
        assert step(w, ASKER, 3, "Withdraw", "") is None
        assert ask(w, ASKER)[1][1].startswith("exception-many-today: ")
        asked(w, FIRST)
        assert w.get_all(ROOT, EXCEPTIONS)["Waiting"] == 3


def race(w, rows):
    """Codes of steps that are taken at once, None for what was done."""
    started = [w.start([*becoming(user), "gdbus", "call", "--system", "--dest", NAME, "--object-path", request(number), "--method",
                        f"{REQUEST}.{member}", *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
               for user, number, member, *args in rows]
    ended = [process.communicate(timeout=8)[1].decode() for process in started]
    return [text.split("Refused: ")[1].split(":")[0] if text else None for text in ended]


def test_of_steps_at_once_the_later_meets_what_the_first_one_left():
    if os.getuid():
        return
    with terminal("approvers 1") as w:
        for _ in range(3):
            number = asked(w, ASKER)
            codes = race(w, [(user, number, "Approve", "0", "") for user in (FIRST, SECOND)])
            assert sorted(codes, key=str) == [None, "exception-no-extension"] or sorted(codes, key=str) == \
                [None, "exception-approved"], codes
            exception, steps = of(w, number)
            assert exception["state"] == "live" and [s["event"] for s in steps] == ["request", "approve", "begin"]
            until = exception["end"] + 600
            assert step(w, ASKER, number, "Extend", f"int64 {until}", "会議が延びた") is None
            approved, revoked = race(w, [(FIRST, number, "Approve", f"int64 {until}", ""), (SECOND, number, "Revoke", "紛失の届出")])
            exception, steps = of(w, number)
            assert exception["state"] == "revoked" and revoked is None and approved in (None, "exception-ended"), (approved, revoked)
            assert [s["event"] for s in steps][-1] == "revoke" and exception["seconds-left"] == 0
            assert (exception["end"] == until) == (approved is None), "an approval that was refused has moved the end"
            # Never used: nothing is owed, and it can be closed.
            assert step(w, FIRST, number, "Close", "") is None


def test_an_approval_that_waits_for_polkit_meets_what_is_there_then():
    if os.getuid():
        return
    with terminal("exception-lapse 1 hours") as w:
        first, second = asked(w, ASKER), asked(w, ASKER)
        w.polkit.asked.clear()
        w.polkit.say("hold")
        held = [w.start([*becoming(FIRST), "busctl", f"--address={w.address}", "call", NAME, request(number), REQUEST, "Approve", "xs", "0",
                         ""], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for number in (first, second)]
        w.polkit.wait("check org.sekimori.approve-exception 1", 2)
        w.tell("clock +3601")
        w.polkit.say("yes")
        for process in held:
            assert "The object has gone" in process.communicate(timeout=8)[1].decode()
        for number in (first, second):
            exception, steps = of(w, number)
            assert exception["state"] == "lapsed" and [s["event"] for s in steps] == ["request", "lapse"], steps


def test_bad_wishes_are_named_and_leave_nothing():
    if os.getuid():
        return
    plain = {"device": device(0), "purpose": "x", "seconds": 60}
    kinds = {"device": "o", "medium": "s", "access": "s", "encrypted-only": "b", "seconds": "u", "until": "x", "begin": "x", "uses": "u",
             "write-quota": "t", "purpose": "s", "data-class": "s", "form": "s", "return-by": "x", "person": "s"}
    bad = [(name, f"{{'{name}': <{'int32 1' if kind != 'x' else 'uint64 1'}>}}", f"'{name}' is of type '{kind}'")
           for name, kind in kinds.items()]
    bad += [(name, f"{{'{name}': <'a\\u001b[2J'>}}", f"'{name}' holds characters") for name in ("medium", "purpose", "person", "form")]
    bad += [(name, f"{{'{name}': <'{'長' * 3000}'>}}", f"'{name}' is too long") for name in ("medium", "purpose", "person")]
    bad += [("purpose", "{'purpose': <'two\\nlines'>}", "'purpose' holds"), ("purpose", "{'purpose': <''>}", "'purpose' is empty"),
            ("until", "{'until': <int64 -1>}", "'until' is no time"), ("begin", f"{{'begin': <int64 {2**62}>}}", "'begin' is no time"),
            ("access", "{'access': <'rwx'>}", "'access' is 'ro' or 'rw'"), ("new", "{'colour': <'red'>}", "no member 'colour'"),
            ("odd", "{'\\u001b]0;x': <1>}", "a member that nobody knows"), ("nested", "{'purpose': <<'x'>>}", "'purpose' is of type"),
            ("absent", f"{{'device': <objectpath '{device(63)}'>}}", "'device' is no device"),
            ("root", f"{{'device': <objectpath '{ROOT}'>}}", "'device' is no device"),
            ("both", f"{{'device': <objectpath '{device(0)}'>, 'medium': <'ZEI-1'>}}", "exclude each other"),
            ("twice", "{'seconds': <uint32 60>, 'until': <int64 9999999999>}", "exclude each other")]
    with terminal() as w:
        for _, text, why in bad:
            _, error = call(w, ASKER, ROOT, EXCEPTIONS, "Request", text)
            assert error and error[0] == ERROR + "InvalidArgs" and error[1].startswith("wish: ") and why in error[1], (text[:60], error)
        # More than a call may hold.
        _, error = call(w, ASKER, ROOT, EXCEPTIONS, "Request", f"{{'purpose': <'{'x' * 40000}'>}}")
        assert error[0] == ERROR + "LimitsExceeded", error
        # The same member twice, which gdbus does not write.
        _, error = w.call(ROOT, EXCEPTIONS, "Request", "a{sv}", "2", "purpose", "s", "a", "purpose", "s", "b")
        assert "stands there twice" in error, error
        for without in ("device", "purpose", "seconds"):
            _, error = call(w, ASKER, ROOT, EXCEPTIONS, "Request", variant({k: v for k, v in plain.items() if k != without}))
            assert error[0] == REFUSED and error[1].startswith(("exception-incomplete: ", "exception-period: ")), (without, error)
        for note in ("a\nb", "\u202e", "x" * 3000):
            assert step(w, FIRST, asked(w, ASKER), "Deny", "0", note) == "exception-note"
            assert step(w, ASKER, of_newest(w), "Withdraw", "") is None
        data, error = w.call(ROOT, EXCEPTIONS, "List", "a{sv}", "0")
        assert error is None and [e["state"]["data"] for e in data[0]] == ["closed"] * 3


def of_newest(w):
    data, _ = w.call(ROOT, EXCEPTIONS, "List", "a{sv}", "0")
    return data[0][-1]["number"]["data"]


def test_a_daemon_that_is_killed_finds_all_of_it_again():
    if os.getuid():
        return
    with terminal(*TWO) as w:
        number = asked(w, ASKER)
        asked(w, FIRST)
        approve(w, FIRST, number)
        before = of(w, number)
        w.daemon.kill()
        w.daemon.wait()
        w.daemon_start()
        assert w.get_all(ROOT, EXCEPTIONS)["State"] != "ok" and ask(w, ASKER)[1][1].startswith("exception-store: ")
        w.exceptions(*TWO)
        assert w.get_all(ROOT, EXCEPTIONS)["State"] == "ok" and w.get_all(ROOT, EXCEPTIONS)["Waiting"] == 2
        assert of(w, number) == before
        assert w.get_all(request(number), REQUEST)["Approvals"] == 1
        # What was approved stays so, and by whom.
        assert approve(w, FIRST, number) == "exception-approved-twice" and approve(w, SECOND, number) is None
        monitor = w.monitor()
        assert step(w, SECOND, number, "Revoke", "終わり") is None
        assert next_signal(monitor, "Stepped")["payload"]["data"] == [number, "revoke", "revoked"]
        w.daemon.kill()
        w.daemon.wait()
        w.daemon_start()
        w.exceptions(*TWO)
        assert w.get_all(request(number), REQUEST)["State"] == "revoked" and w.get_all(ROOT, EXCEPTIONS)["Live"] == 0


def test_lists_come_in_pages_and_by_what_was_asked_for():
    if os.getuid():
        return
    with terminal("exception-requests 1000 1000") as w:
        for n in range(6):
            asked(w, ASKER if n % 2 else FIRST)
        approve(w, SECOND, 2)

        def numbers(user=0, member="List", **members):
            answer, error = call(w, user, ROOT, EXCEPTIONS, member, variant(members))
            assert error is None, error
            return [int(piece.split(">")[0]) for piece in answer.split("'number': <uint32 ")[1:]]

        assert numbers() == [1, 2, 3, 4, 5, 6]
        assert numbers(limit=2) == [1, 2] and numbers(limit=2, after=2) == [3, 4] and numbers(after=6) == []
        assert numbers(states=["live"]) == [2] and numbers(states=["requested", "live"], limit=9000) == [1, 2, 3, 4, 5, 6]
        assert numbers(person="daemon") == [2, 4, 6] and numbers(ASKER, "ListOwn", after=2) == [4, 6]
        assert numbers(due=True) == []
        now = int(time.time())
        assert numbers(**{"until": now - 60}) == [] and len(numbers(**{"until": now + 60})) == 6
        for text, why in (("{'states': <['alive']>}", "'states' has a word"), ("{'limit': <'all'>}", "'limit' is of type 'u'"),
                          ("{'sort': <'name'>}", "no member 'sort'")):
            _, error = call(w, 0, ROOT, EXCEPTIONS, "List", text)
            assert error[0] == ERROR + "InvalidArgs" and error[1].startswith("filter: ") and why in error[1], error


def test_of_very_many_steps_the_newest_come_and_those_of_people():
    if os.getuid():
        return
    with terminal() as w:
        number = asked(w, ASKER)
        assert approve(w, FIRST, number) is None
        w.tell(f"use {number}")
        for _ in range(230):
            w.tell(f"written {number} 1")
        exception, steps = of(w, number)
        assert exception["steps"] == 234 and exception["written"] == 230, exception
        assert [s["step"] for s in steps] == [1, 2, 3, *range(35, 235)]
        own, _ = call(w, ASKER, ROOT, EXCEPTIONS, "GetOwn", str(number))
        assert own.count("'event': <'written'>") == 200 and "'event': <'request'>" in own
        shown = w.ctl("exception", "show", str(number)).stdout
        assert "203 of 234 steps are listed" in shown, shown[-2000:]
        for _ in range(59):
            w.tell(f"use {number}")
        assert of(w, number)[0]["used"] == 60
        with contextlib.suppress(RuntimeError):
            w.tell(f"use {number}")
        assert of(w, number)[0]["used"] == 60


def test_another_policy_is_announced_and_takes_nothing_that_was_granted():
    if os.getuid():
        return
    with terminal("approvers 1") as w:
        number = asked(w, ASKER)
        assert approve(w, FIRST, number) is None
        lines = w.monitor()
        policy = w.directory / "other-policy"
        policy.write_text("policy test\nversion 2\napprovers 2\nexception-period 2 hours\nemergency-period 30 minutes\ndefault block\n")
        w.tell(f"exceptions-policy {policy}")
        message = next_signal(lines, "PropertiesChanged")
        interface, values, _ = message["payload"]["data"]
        assert message["path"] == ROOT and interface == EXCEPTIONS, message
        assert {name: values[name]["data"] for name in ("Approvers", "PeriodSeconds", "EmergencySeconds", "Live")} == \
            {"Approvers": 2, "PeriodSeconds": 7200, "EmergencySeconds": 1800, "Live": 1}
        # Nothing else has changed.
        w.tell("attempt")
        assert json.loads(lines.until(lambda line: '"type":"signal"' in line))["member"] == "AttemptRefused"
        assert w.get_all(grant(number), GRANT)["Live"]
        assert ask(w, ASKER, seconds=7201)[1][1].startswith("exception-too-long: ")
