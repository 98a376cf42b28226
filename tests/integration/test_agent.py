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

from harness import (BUILD, EXCEPTIONS, REQUEST, ROOT, Lines, device, request, wait_until, wish, world)

AGENT = BUILD / "san" / "sekimori-agent"
SHOTS = BUILD / "screenshots"
ME = "tanaka"  # who sits at the fake daemon's terminal
APPROVER = 2   # a user that every Debian has
ASKER = 1

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
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
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
        bus = w.start(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE)
        Lines(bus).next()
        w.env.update(DISPLAY=f":{number}", DBUS_SESSION_BUS_ADDRESS=address, LANG=lang, HOME=str(w.directory),
                     NO_AT_BRIDGE="1", GTK_THEME="Adwaita", XDG_RUNTIME_DIR=str(w.directory))
        self.dunst = None
        self.agent = None

    def dunst_start(self):
        config = self.w.directory / "dunstrc"
        config.write_text(DUNSTRC)
        self.dunst = self.w.start(["dunst", "-conf", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.dunstctl("is-paused") == "false", "dunst being there")

    def agent_start(self, *args):
        with open(self.w.directory / "agent", "ab") as said:
            self.agent = self.w.start([AGENT, "--user", ME, *args], stderr=said)
        wait_until(lambda: "org.sekimori.Agent1" in self.w.run("busctl", "--user", "list", "--no-legend").stdout,
                   "the agent being there")

    def agent_stop(self):
        self.agent.send_signal(signal.SIGTERM)
        status = self.agent.wait(8)
        said = (self.w.directory / "agent").read_text(errors="replace")
        assert status == 0, f"the agent ended with {status}:\n{said}"
        return said

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

    def window(self, name):
        return wait_until(lambda: self.w.run("xdotool", "search", "--onlyvisible", "--name", name).stdout.split(),
                          f"a window named {name}")[0]

    def type(self, window, *keys, text=None):
        self.w.run("xdotool", "windowfocus", "--sync", window)
        if text:
            self.w.run("xdotool", "type", "--delay", "5", text)
        for key in keys:
            self.w.run("xdotool", "key", key)

    def shoot(self, name):
        SHOTS.mkdir(exist_ok=True)
        time.sleep(0.3)
        self.w.run("import", "-window", "root", SHOTS / f"{name}.png")


@contextlib.contextmanager
def session(dunst=True, lang="ja_JP.UTF-8", statements=("approvers 1", "exception-period 8 hours"), **more):
    with world(**more) as w:
        s = Session(w, lang)
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
    def forget_login():
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/loginuid").write_text("4294967295", encoding="ascii")
    return {"user": uid, "group": uid, "extra_groups": [], "preexec_fn": forget_login, "cwd": "/"}


def exceptions(w):
    data, error = w.call(ROOT, EXCEPTIONS, "List", "a{sv}", "0")
    assert error is None, error
    return [{key: value["data"] for key, value in row.items()} for row in data[0]]


def test_blocked_device_is_applied_for_by_a_form_and_its_exception_is_told_to_its_end():
    with session() as (w, s):
        w.tell("deny 0 not-registered")
        s.wait_shown()
        s.shoot("agent-blocked")
        s.dunstctl("action", "0")
        window = s.window("一時的な例外の申請")
        s.shoot("agent-form")
        s.type(window, "Tab", "space", "Down", "Down", "Return", text="tax certificate photos")
        s.shoot("agent-form-filled")
        s.type(window, "shift+Tab", "shift+Tab", "space")
        asked = wait_until(lambda: exceptions(w), "the request")[0]
        assert asked["purpose"] == "tax certificate photos" and asked["seconds-left"] == 0, asked
        assert asked["state"] == "requested" and asked["period"] == 7200, asked
        blocked = s.told("承認待ちです")
        assert "申請 1" in blocked, blocked
