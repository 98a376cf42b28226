# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent in a user's session: a real notification daemon (dunst) on a screen that nobody sees (Xvfb), zenity's forms and a
pinentry filled in by xdotool. What is on the screen is asked of dunst; what was asked for, of the daemon's engine."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from harness import (BUILD, EXCEPTIONS, PATIENCE, REQUEST, ROOT, Lines, Polkit, device, request, wait_until, wish, world)

AGENT = BUILD / "san" / "sekimori-agent"
SHOTS = BUILD / "screenshots"
ME = "tanaka"  # who sits at the fake daemon's terminal
APPROVER = 2   # a user that every Debian has
ASKER = 1
OTHER = 7

DUNSTRC = """[global]
font = VL Gothic 11
width = 420
height = 300
offset = 10x10
origin = top-right
markup = full
format = "<b>%s</b>\\n%b"
history_length = 200
notification_limit = 20
sort = no
icon_position = off
"""

SESSION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""


class Session:
    """A user's session beside a World: a screen, a bus, a notification daemon, the agent."""

    def __init__(self, w, lang="ja_JP.UTF-8"):
        self.w = w
        read, write = os.pipe()
        w.start(["Xvfb", "-screen", "0", "900x720x24", "-nolisten", "tcp", "-displayfd", write], pass_fds=[write],
                stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as display:
            number = display.readline().strip()
        address = f"unix:path={w.directory}/session"
        config = w.directory / "session.conf"
        config.write_text(SESSION.format(address=address))
        self.bus_start()
        w.env.update(DISPLAY=f":{number}", DBUS_SESSION_BUS_ADDRESS=address, LANG=lang, HOME=str(w.directory),
                     NO_AT_BRIDGE="1", GTK_THEME="Adwaita", XDG_RUNTIME_DIR=str(w.directory))
        self.dunst = None
        self.agent = None

    def bus_start(self):
        self.bus = self.w.start(["dbus-daemon", f"--config-file={self.w.directory}/session.conf", "--nofork", "--print-address"],
                                stdout=subprocess.PIPE)
        Lines(self.bus).next()

    def dunst_start(self):
        config = self.w.directory / "dunstrc"
        config.write_text(DUNSTRC)
        self.dunst = self.w.start(["dunst", "-conf", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.dunstctl("is-paused") == "false", "dunst being there")

    def agent_start(self, **more):
        with open(self.w.directory / "agent", "ab") as said:
            self.agent = self.w.start([AGENT, "--user", ME], stderr=said, **more)
        wait_until(lambda: "org.sekimori.Agent1" in self.w.run("busctl", "--user", "list", "--no-legend").stdout,
                   "the agent being there")

    def agent_stop(self):
        self.agent.send_signal(signal.SIGTERM)
        status = self.agent.wait(PATIENCE)
        said = (self.w.directory / "agent").read_text(errors="replace")
        assert status == 0, f"the agent ended with {status}:\n{said}"
        return said

    def turns(self):
        """How often the agent has waited for something."""
        status = pathlib.Path(f"/proc/{self.agent.pid}/status").read_text(encoding="ascii")
        return re.search(r"^voluntary_ctxt_switches:\t(\d+)", status, re.M)[1]

    def dunstctl(self, *args):
        return self.w.run("dunstctl", *args).stdout.strip()

    def shown(self):
        return int(self.dunstctl("count", "displayed") or 0)

    def texts(self):
        """Titles and bodies of everything that dunst shows or has shown: closes what is there."""
        self.dunstctl("close-all")
        history = json.loads(self.dunstctl("history"))["data"][0]
        self.dunstctl("history-clear")
        return [re.sub("<[^>]*>", "", row["summary"]["data"]) + "\n" + row["body"]["data"] for row in history]

    def told(self, what, close=True):
        """Waits until something on the screen says so, and takes all off it."""
        seen = []

        def look():
            if self.shown():
                seen.extend(self.texts())
            return [text for text in seen if what in text]
        found = wait_until(look, f"a notice of {what}; there were {seen}")
        return found[0]

    def wait_shown(self, count=1):
        wait_until(lambda: self.shown() >= count, f"{count} notices")

    def window(self, name, other=None):
        """other: the process (of()) of one of that name that is about to go; the next one's may get its number."""
        def look():
            found = self.w.run("xdotool", "search", "--onlyvisible", "--name", name).stdout.split()
            return [window for window in found if not other or self.of(window) not in ("", other)]
        return wait_until(look, f"a window named {name}")[0]

    def of(self, window):
        return self.w.run("xdotool", "getwindowpid", window).stdout.strip()

    def type(self, window, *keys, text=None):
        self.w.run("xdotool", "windowfocus", "--sync", window)
        if text:
            self.w.run("xdotool", "type", "--delay", "5", text)
        for key in keys:
            self.w.run("xdotool", "key", key)

    def shoot(self, name):
        """For who wants to see it; nothing is concluded from it."""
        if not os.environ.get("SEKIMORI_PICTURES"):
            return
        SHOTS.mkdir(exist_ok=True)
        time.sleep(0.2)
        self.w.run("import", "-window", "root", SHOTS / f"{name}.png")


@contextlib.contextmanager
def session(dunst=True, lang="ja_JP.UTF-8", statements=("approvers 1", "exception-period 8 hours"), **more):
    with world(**more) as w:
        s = Session(w, lang)
        w.polkit = w.polkit or Polkit(w)
        w.tell("add 0")
        w.tell("product 0 USB Flash Disk")
        if statements:
            w.exceptions(*statements)
        if dunst:
            s.dunst_start()
        s.agent_start()
        yield w, s
        if s.agent.poll() is None:
            s.agent_stop()


def as_user(uid):
    return {"user": uid, "group": uid, "extra_groups": [], "cwd": "/"}


def exceptions(w):
    data, error = w.call(ROOT, EXCEPTIONS, "List", "a{sv}", "0")
    assert error is None, error
    return [{key: value["data"] for key, value in row.items()} for row in data[0]]


def ask(w, user, **more):
    members = {"device": device(0), "purpose": "転出証明書の画像", "seconds": 3600, **more}
    data, error = w.call(ROOT, EXCEPTIONS, "Request", "a{sv}", *wish(**members), **as_user(user))
    assert error is None, error
    return data[0]


def step(w, user, number, member, *args):
    _, error = w.call(request(number), REQUEST, member, *args, **as_user(user))
    assert error is None, error


def test_blocked_device_is_applied_for_by_a_form_and_its_exception_is_told_to_its_end():
    if os.getuid():
        # Only root can become the others who ask and approve.
        return
    with session() as (w, s):
        w.tell("deny 0 not-registered")
        s.wait_shown()
        s.shoot("agent-blocked")
        s.dunstctl("action", "0")
        window = s.window("一時的な例外の申請")
        # What is wrong brings it again, with the rest kept. The button comes before the first field, where the round of fields ends.
        first = s.of(window)
        s.type(window, "shift+Tab", "shift+Tab", "shift+Tab", text="tax certificate photos")
        s.type(window, "Tab", "Tab", "space", text="2020-01-01")
        window = s.window("一時的な例外の申請", other=first)
        s.shoot("agent-form")
        s.type(window, "Tab", "space", "Down", "Down", "Return", "shift+Tab", "shift+Tab", "space")
        asked = wait_until(lambda: exceptions(w), "the request")[0]
        assert asked["purpose"] == "tax certificate photos" and asked["state"] == "requested", asked
        assert asked["period"] == 7200 and asked["access"] in ("ro", "rw") and asked["fingerprint"], asked
        assert "申請 1 は" in s.told("承認待ちです")
        step(w, APPROVER, 1, "Approve", "xs", "0", "")
        approved = s.told("申請 1 が承認されました")
        assert "まで使えます" in approved, approved
        # A later one of somebody else's for the same device, with another end, is not this user's.
        step(w, APPROVER, ask(w, ASKER, seconds=1800), "Approve", "xs", "0", "")
        w.tell(f"granted 0 {exceptions(w)[0]['id']}")
        released = s.told("USB 機器が使えるようになりました")
        assert "読み取り専用" in released and "残り2時間" in released, released
        w.tell("clock +6310")
        ending = s.told("例外 1 は、あと15分で終了します")
        assert "作業を保存" in ending, ending
        w.tell("clock +600")
        s.wait_shown()
        s.dunstctl("action", "0")
        window = s.window("例外 1 の延長")
        s.type(window, "shift+Tab", "space")
        until = wait_until(lambda: exceptions(w)[0]["extend-until"], "the extension")
        assert until == exceptions(w)[0]["end"] + 7200, (until, exceptions(w))
        w.tell("clock +400")
        ended = s.told("例外 1 は終了しました")
        assert "あと" not in ended, ended


def test_approver_sees_all_of_a_request_before_one_word_is_said():
    if os.getuid():
        # Only root can become the others who ask and approve.
        return
    with session() as (w, s):
        number = ask(w, ASKER, purpose="<b>Urgent</b> & 写真", seconds=1800)
        s.wait_shown()
        s.dunstctl("action", "0")
        window = s.window("申請 1 の承認")
        s.shoot("agent-approve")
        assert exceptions(w)[0]["state"] == "requested", "a click alone approves nothing"
        s.type(window, "shift+Tab", "space")
        wait_until(lambda: exceptions(w)[0]["state"] == "live", "the approval")
        assert exceptions(w)[0]["approvers"] == ["root"], exceptions(w)
        waiting = "".join(s.texts())
        assert "申請 1 が承認を待っています" in waiting and "&lt;b&gt;Urgent&lt;/b&gt; &amp; 写真" in waiting, waiting
        # Its extension is news to who approved it. What is cancelled leaves nothing, and what somebody else decides goes from the
        # screen by itself.
        until = exceptions(w)[0]["end"] + 600
        step(w, ASKER, number, "Extend", "xs", str(until), "")
        s.wait_shown()
        s.dunstctl("action", "0")
        window = s.window("申請 1 の承認")
        s.type(window, "Escape")
        wait_until(lambda: not w.run("xdotool", "search", "--name", "申請 1 の承認").stdout, "the form being closed")
        assert exceptions(w)[0]["extend-until"] == until and number == 1
        step(w, APPROVER, number, "Deny", "xs", str(until), "別の媒体で")
        wait_until(lambda: not s.shown(), "what is decided going from the screen")
        # Many at once are one notice.
        s.agent_stop()
        for _ in range(4):
            ask(w, ASKER)
        s.agent_start()
        assert "4件の申請が承認を待っています" in s.told("件の申請")
        # Who may not see others' requests is not told of them, and is not asked for a password to see them.
        s.agent_stop()
        w.polkit.say("no")
        w.polkit.asked.clear()
        s.agent_start(**as_user(OTHER))
        wait_until(lambda: w.polkit.say("no") or any("view-exceptions" in line for line in w.polkit.asked), "polkit being asked")
        time.sleep(0.3)
        assert not s.shown() and all(line.endswith(" 0") for line in w.polkit.asked), w.polkit.asked


def test_hostile_device_name_is_neither_markup_nor_a_flood():
    with session(statements=()) as (w, s):
        w.tell("add 1")
        w.tell("product 1 <b>Ask:</b> <img src='/etc/hostname'/>&amp;")
        for n in range(100):
            w.tell(f"deny 1 {'not-registered' if n % 2 else 'class-not-allowed'}")
        w.tell("add 2")
        w.tell("deny 2 medium-lost")
        s.wait_shown(2)
        time.sleep(1.2)
        assert s.shown() == 2, "one notice per port"
        s.shoot("agent-hostile")
        texts = s.texts()
        hostile, = [text for text in texts if "Ask:" in text]
        assert "&lt;b&gt;Ask:&lt;/b&gt; &lt;img src=" in hostile and "&amp;amp;" in hostile, hostile
        lost, = [text for text in texts if "紛失" in text]
        assert "\x1b" not in lost and "\\x1B[2J" in lost and "\\u{202E}" in lost, lost


def test_locked_medium_is_opened_by_pinentry():
    with session(statements=()) as (w, s):
        helper = w.directory / "helper"
        helper.write_text(f'#!/bin/sh\ncat <&3 > {w.directory}/secret\n'
                          """echo '{"step":"unlock"}' >&4\necho '{"result":"open","mount":"/run/media/tanaka/kuyakusho"}' >&4\n""")
        helper.chmod(0o755)
        w.tell(f"helper {helper}")
        w.tell("allow 0 ZEI-001")
        w.tell("volume 0")
        s.wait_shown()
        s.dunstctl("action", "0")
        window = s.window("せきもり")
        s.shoot("agent-passphrase")
        s.type(window, "Return", text="50% hikari")
        opened = s.told("媒体を開きました")
        assert "/run/media/tanaka/kuyakusho" in opened, opened
        assert (w.directory / "secret").read_text() == "50% hikari"


def test_nothing_is_lost_but_time_when_notification_daemon_and_barrier_come_late():
    with session(dunst=False, statements=(), lang="C.UTF-8") as (w, s):
        w.tell("deny 0 not-registered")
        second = w.run(AGENT, "--user", ME)
        assert second.returncode == 0 and "already" in second.stderr, second
        s.dunst_start()
        assert "USB Flash Disk" in s.told("USB device blocked")
        w.daemon_stop()
        s.dunst.kill()
        s.dunst.wait()
        w.daemon_start()
        w.tell("add 3")
        s.dunst_start()
        # It reads who sits here anew first.
        time.sleep(0.2)
        w.tell("deny 3 medium-revoked")
        assert "has been withdrawn" in s.told("USB device blocked")
        # Signals that are not the daemon's are nobody's.
        w.run("busctl", f"--address={w.address}", "emit", ROOT, "org.sekimori.Sekimori1.Manager", "DeviceDenied", "oa{sv}", device(3),
              "2", "reason", "s", "not-registered", "device", "s", "9-9")
        time.sleep(0.3)
        assert not s.shown()
        w.tell("flood 1000")
        wait_until(lambda: s.turns() == (time.sleep(0.4), s.turns())[1], "rest: nothing wakes it up while nothing happens")
        w.bus_stop()
        time.sleep(0.3)
        assert s.agent.poll() is None, "the system bus is gone, and comes again"
        # With its bus the session is over; what comes there is another one.
        s.bus.kill()
        s.bus.wait()
        (w.directory / "session").unlink(missing_ok=True)
        s.bus_start()
        assert s.agent.wait(PATIENCE) == 0


def test_without_zenity_a_terminal_asks():
    """Each argument by itself, whatever a shell would make of it."""
    with session(statements=()) as (w, s):
        s.agent_stop()
        programs = w.directory / "programs"
        programs.mkdir()
        path = w.env["PATH"]
        for name, does in (("x-terminal-emulator", 'shift; exec "$@" < /dev/null'),
                           ("sekimorictl", f'for word; do echo "<$word>"; done > {w.directory}/called; mv {w.directory}/called {w.directory}/asked')):
            (programs / name).write_text(f"#!/bin/sh\nPATH={programs}:{path}\n{does}\n")
            (programs / name).chmod(0o755)
        w.env["PATH"] = str(programs)
        s.agent = w.start([AGENT, "--user", ME])
        w.env["PATH"] = path
        w.tell("deny 0 not-registered")
        s.wait_shown()
        s.dunstctl("action", "0")
        wait_until((w.directory / "asked").exists, "sekimorictl being called")
        assert (w.directory / "asked").read_text() == "<request>\n<1-0>\n"
