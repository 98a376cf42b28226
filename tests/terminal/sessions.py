# SPDX-License-Identifier: GPL-2.0-or-later
"""People at the virtual terminal: logged in on the text consoles of seat0 by agetty, login and PAM,
looked at with loginctl. For Terminals with init="systemd".

    login(t, TANAKA, 1); login(t, SUZUKI, 2)
    switch(t, TANAKA)
    logout(t, TANAKA)
"""

import shlex
from typing import NamedTuple

import barrier


class Person(NamedTuple):
    name: str
    uid: int
    groups: tuple


TANAKA = Person("tanaka", 1001, ("tanaka", "zeimu"))
SUZUKI = Person("suzuki", 1002, ("suzuki", "jumin"))
SLOW = 30  # a login starts the user's own systemd


def options(**more):
    """barrier.options() with systemd as process 1, sekimorid.service enabled."""
    return barrier.options(init="systemd", **more)


def service_log(t, unit="sekimorid"):
    return t.run(f"journalctl --no-pager -q -o cat -u {unit}").out


def sessions(t):
    """[{"Id", "Name", "VTNr", "Class", "State", ...}] as logind shows them."""
    script = ("for s in $(loginctl list-sessions --no-legend | awk '{print $1}'); do "
              "loginctl show-session $s -p Id -p Name -p VTNr -p Class -p State -p Remote -p Seat -p Type -p Leader 2>/dev/null "
              "&& echo; done; true")
    return [dict(line.split("=", 1) for line in part.splitlines())
            for part in t.run(script).out.split("\n\n") if part.strip()]


def session(t, person):
    """The session of somebody, or None."""
    return next((s for s in sessions(t) if s["Name"] == person.name and s["Class"] == "user"), None)


def active(t):
    """The name of who has the active session of seat0, whatever its class; "" for nobody."""
    out = t.run("s=$(loginctl show-seat seat0 -p ActiveSession --value) && [ -z \"$s\" ] || "
                "loginctl show-session \"$s\" -p Name --value", check=False).out
    return out.strip()


def login(t, person, vt):
    """Logs somebody in on /dev/tty<vt>, without switching to it."""
    t.run(f"mkdir -p /run/terminal && echo WHO={person.name} > /run/terminal/login-tty{vt} && "
          f"systemctl restart getty@tty{vt}.service", timeout=SLOW)

    def there():
        found = session(t, person)
        return found and found["VTNr"] == str(vt) and found["State"] in ("active", "online")
    t.wait_until(there, SLOW, f"session of {person.name} on tty{vt}")


def switch_vt(t, vt):
    t.run(f"chvt {vt}")


def switch(t, person):
    """Brings somebody's console to the front."""
    switch_vt(t, session(t, person)["VTNr"])
    t.wait_until(lambda: active(t) == person.name, SLOW, f"{person.name} active; there is {active(t)!r}")


def enter(t, person):
    """Shell words that make the shell part of somebody's session if he has one, and him logged in as PAM has it there: polkit asks
    logind which session a process is of, the daemon asks audit who logged in."""
    found = session(t, person)
    if not found:
        return ""
    return f"echo $$ > /sys/fs/cgroup/user.slice/user-{person.uid}.slice/session-{found['Id']}.scope/cgroup.procs; " \
           f"echo $(cat /proc/{found['Leader']}/loginuid) > /proc/self/loginuid; "


def run_as(t, person, command, check=True, timeout=30, elsewhere=False):
    """Runs a command as somebody, as part of his session if he has one; without one, nobody is logged in, but elsewhere (over the
    network, say), in no session of this terminal."""
    words = enter(t, person)
    if elsewhere and not words:
        words = f"echo {person.uid} > /proc/self/loginuid; "
    return t.run(f"sh -c {shlex.quote(f'{words}exec runuser -u {person.name} -- {command}')}", check=check, timeout=timeout)


def logout(t, person):
    """Ends somebody's shell, as closing the line does; login and PAM then end the session."""
    vt = session(t, person)["VTNr"]
    t.run(f"pkill -HUP -u {person.name} -t tty{vt}")
    t.wait_until(lambda: session(t, person) is None, SLOW, f"no session of {person.name}; there is {sessions(t)}")


def logout_all(t):
    """For a teardown: nobody is logged in, tty1 is in front."""
    t.run("for user in $(loginctl list-users --no-legend | awk '{print $2}'); do loginctl terminate-user $user; done; chvt 1", check=False)
    t.wait_until(lambda: not sessions(t), SLOW, f"no sessions; there is {sessions(t)}")
