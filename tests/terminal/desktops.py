# SPDX-License-Identifier: GPL-2.0-or-later
"""What people have in their sessions at the virtual terminal: a session bus with a notification daemon that has no screen
(guest/notifier.c) and the agent, started as the desktop would start it; and the console they type on.

    desk = Desktop(t, TANAKA)
    desk.told("USB device blocked")
    desk.click("USB device blocked", "apply")
    typed(t, "sekimorictl request --phone")
"""

import json
import re
import shlex

from barrier import TOOLS
from sessions import enter, run_as

SLOW = 60
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=/run/user/{uid}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


class Desktop:
    def __init__(self, t, person, lang="C.UTF-8"):
        self.t, self.person = t, person
        self.said, self.mouse = f"/run/notices-{person.name}", f"/run/clicks-{person.name}"
        runtime = f"/run/user/{person.uid}"
        self.environment = (f"env HOME=/home/{person.name} USER={person.name} LANG={lang} XDG_RUNTIME_DIR={runtime} "
                            f"DBUS_SESSION_BUS_ADDRESS=unix:path={runtime}/bus PATH=/usr/local/bin:/usr/bin:/bin")
        config = f"/run/bus-{person.name}.conf"
        t.write(config, BUS.format(uid=person.uid))
        t.run(f"rm -f {self.mouse} {runtime}/bus; mkfifo {self.mouse}; chown {person.name} {self.mouse}; : > {self.said}")
        self.start(f"dbus-daemon --config-file={config} --nofork", "/dev/null")
        t.wait_until(lambda: t.exists(f"{runtime}/bus"), SLOW, "a session bus")
        # Kept open for writing, too: it goes on when nobody clicks.
        self.start(f"sh -c {shlex.quote(f'exec {TOOLS}/notifier <> {self.mouse}')}", self.said)
        self.agent = self.start(self.autostart(), f"/run/agent-{person.name}")
        t.wait_until(lambda: "org.sekimori.Agent1" in self.run("busctl --user list --no-legend").out, SLOW, "the agent")

    def autostart(self):
        """The line by which a desktop starts it."""
        return re.search("^Exec=(.*)$", self.t.read("/etc/xdg/autostart/sekimori-agent.desktop"), re.M)[1]

    def run(self, command, **more):
        return run_as(self.t, self.person, f"{self.environment} {command}", **more)

    def start(self, command, out):
        """Something that stays, as part of the session."""
        inside = f"{enter(self.t, self.person)}exec runuser -u {self.person.name} -- {self.environment} {command}"
        return self.t.start(f"sh -c {shlex.quote(inside)}", out)

    def notices(self):
        """All that was shown so far, with its number, title, body and actions."""
        lines = [line for line in self.t.read(self.said).splitlines() if line.startswith("{") and line.endswith("}")]
        return [said for said in map(json.loads, lines) if "shown" in said]

    def told(self, what, timeout=SLOW):
        """Waits for a notice whose title or text matches this; the newest."""
        def look():
            return [n for n in self.notices() if re.search(what, n["title"] + "\n" + n["body"])]
        return self.t.wait_until(look, timeout, f"{self.person.name} being told '{what}'; was told {self.notices()}")[-1]

    def click(self, notice, action):
        assert action in notice["actions"], notice
        self.t.run(f"echo {notice['shown']} {action} > {self.mouse}")


# --- the console ---------------------------------------------------------------------------------

KEYS = {" ": "spc", "-": "minus", "=": "equal", "/": "slash", ".": "dot", "\n": "ret", "*": "shift-8", "$": "shift-4",
        "~": "shift-grave_accent"}


def typed(t, text):
    """Types on the terminal's keyboard, into whatever console is in front."""
    for c in text:
        name = KEYS.get(c) or (f"shift-{c.lower()}" if c.isupper() else c)
        codes = name.split("-")
        for down, order in ((True, codes), (False, codes[::-1])):
            t.qmp("input-send-event", {"events": [{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": code}}}
                                                  for code in order]})


def screen(t, vt):
    """What stands on a text console, blanks at the ends of lines left out."""
    raw = t.read_bytes(f"/dev/vcsa{vt}")
    lines, columns = raw[0], raw[1]
    text = raw[4::2].decode("cp437")
    return "\n".join(text[columns * n:columns * (n + 1)].rstrip() for n in range(lines)).rstrip()
