# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary exceptions as people at the virtual terminal have them: asked for and approved over D-Bus with busctl, by the names
of docs/dbus.md. tanaka asks; suzuki and clerk approve."""

import json
import shlex

from barrier import Since, disks
from policies import use
from sessions import SUZUKI, TANAKA, Person, run_as

BARRIER_NAME = "org.sekimori.Sekimori1"
ROOT = "/org/sekimori/Sekimori1"
CLERK = Person("clerk", 1000, ("clerk", "plugdev"))
HEADER = "approvers 2\nexception-period 8 hours\nemergency-period 1 hours\nmay-declare-emergency \"tanaka\"\ndefault block\n"
SLOW = 60


def prepare(t, header=HEADER, more=""):
    """A policy with exceptions, and two people who approve."""
    t.run("getent group sekimori-approve || groupadd sekimori-approve; "
          "for user in suzuki clerk; do usermod -aG sekimori-approve $user; done")
    use(t, header + more)


def busctl(t, person, path, interface, method, *arguments, check=True):
    words = " ".join(shlex.quote(str(a)) for a in arguments)
    command = f"busctl --json=short call {BARRIER_NAME} {path} {BARRIER_NAME}.{interface} {method} {words}"
    result = run_as(t, person, command, check=check, elsewhere=True) if person else t.run(command, check=check)
    return json.loads(result.out)["data"] if result.status == 0 and result.out.strip() else result


def device(t):
    """Path of the one device that is storage."""
    def there():
        found = [line for line in t.run(f"busctl tree --list {BARRIER_NAME}", check=False).out.split() if "/devices/" in line]
        return [path for path in found if t.run(
            f"busctl get-property {BARRIER_NAME} {path} {BARRIER_NAME}.Device Id", check=False).out.startswith('s "46f4:')]
    return t.wait_until(there, 30, "the device")[0]


TYPES = {"device": "o", "access": "s", "seconds": "u", "uses": "u", "write-quota": "t", "purpose": "s", "encrypted-only": "b",
         "medium": "s", "until": "x", "person": "s", "data-class": "s"}


def wished(wish):
    words = [str(len(wish))]
    for key, value in wish.items():
        words += [key, TYPES[key], str(value)]
    return words


def request(t, person=TANAKA, method="Request", **wish):
    """The number of the new exception."""
    wish = {key.replace("_", "-"): value for key, value in wish.items()}
    if "medium" not in wish:
        wish.setdefault("device", device(t))
    wish.setdefault("purpose", "窓口で受け取った図面の確認")
    return busctl(t, person, ROOT, "Exceptions", method, "a{sv}", *wished(wish))[0]


def step(t, person, number, method, *arguments, check=True):
    return busctl(t, person, f"{ROOT}/requests/{number}", "Request", method, *arguments, check=check)


def approve(t, person, number, check=True):
    return step(t, person, number, "Approve", "xs", 0, "", check=check)


def granted(t, **wish):
    """Asked for by tanaka, approved by two; its number."""
    number = request(t, **wish)
    approve(t, SUZUKI, number)
    approve(t, CLERK, number)
    return number


def look(t, number):
    """An exception with what docs/dbus.md says of it."""
    members, _steps = busctl(t, None, ROOT, "Exceptions", "Get", "u", number)
    return {key: value["data"] for key, value in members.items()}


def state(t, number):
    return look(t, number)["state"]


def plug_denied(t, image, serial="ZERO", **options):
    since = Since(t)
    t.plug_storage("a", image, serial=serial, **options)
    since.wait("denied", SLOW)
    assert not disks(t)
    return since


def removed_at(t, since):
    """CLOCK_MONOTONIC seconds of the kernel's word that the disk has gone: it comes a little later than what /sys shows."""
    def gone():
        lines = t.read("/run/block-events").splitlines()[since.blocks:]
        return [line for line in lines if " remove " in f" {line} " and "/block/sd" in line and line.rstrip().endswith("(block)")]
    return [float(line.split("[")[1].split("]")[0]) for line in t.wait_until(gone, what="the kernel's word")]
