# SPDX-License-Identifier: GPL-2.0-or-later
"""What another user of the terminal learns on the system bus, listening and asking as he likes: of devices all, of
somebody's files nothing."""
import contextlib
import os
import pathlib
import shutil
import subprocess

from harness import (CTL, ERROR, MANAGER, NAME, ROOT, STRICT_POLICY, VOLUME, volume, wait_until, world)
from wire import NOBODY, SIGNAL, Client, padded, string

BUS = ("/org/freedesktop/DBus", "org.freedesktop.DBus")
DBUS = "org.freedesktop.DBus"
PROPERTIES = DBUS + ".Properties"
SECRET = "滞納者一覧.xlsx"
OTHER = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
# Finds something the first time, and cannot close.
HELPER = f"""#!/bin/sh
cd $(dirname $0)
case $1 in
open) cat <&3 > /dev/null
      if mkdir again; then
          echo '{{"infected":"/{SECRET}","signature":"Eicar"}}' >&4
          echo '{{"result":"failed","reason":"infected","detail":"{SECRET}"}}' >&4; exit 1
      fi
      echo '{{"result":"open","mount":"/run/media/{SECRET}"}}' >&4 ;;
close) echo '{{"holder":"{SECRET}","pid":77,"uid":1001}}' >&4
       echo '{{"result":"failed","reason":"busy","detail":"{SECRET}"}}' >&4; exit 1 ;;
esac
"""


@contextlib.contextmanager
def terminal():
    """The bus as it is on a terminal; only root owns names there, and may become somebody else."""
    with world(policy=STRICT_POLICY) as w:
        w.tell("add 0")
        yield w


def listen(w, name, args):
    """A real client of the other user; what it has written so far is in the file."""
    path = w.directory / name
    with open(path, "wb") as out:
        w.start(OTHER + args, stdout=out, stderr=subprocess.STDOUT)
    return path


def listeners(w):
    found = [listen(w, "gdbus", ["stdbuf", "-oL", "gdbus", "monitor", "--system", "--dest", NAME]),
             listen(w, "dbus-monitor", ["dbus-monitor", "--address", w.address])]
    tool = w.directory / "sekimorictl"
    shutil.copy(CTL, tool)
    found.append(listen(w, "watch", ["stdbuf", "-oL", tool, "--json", "watch"]))
    # They are there when they hear something.
    for path in found:
        def heard(path=path):
            w.tell("attempt")
            return b"AttemptRefused" in path.read_bytes()
        wait_until(heard, f"{path.name} listening")
    return found


def heard_of(w, paths, word):
    """What each has heard once it has heard this word."""
    for path in paths:
        wait_until(lambda path=path: word in path.read_text(), f"{word} in {path.name}")
    return [path.read_text() for path in paths]


def subscribe(client, rule="type='signal'"):
    assert client.call(*BUS, "AddMatch", "s", string(rule), destination=DBUS) is None


def signals_until(client, last):
    names = []
    while last not in names:
        kind, fields = client.read.pop(0) if client.read else client.next()
        if kind == SIGNAL:
            names.append(fields[3])
    return names


def test_the_event_log_is_heard_by_root_alone():
    if os.getuid():
        return
    with terminal() as w, Client(w.socket, NOBODY) as other, Client(w.socket) as root:
        subscribe(other)
        # Not every bus lets him ask for this at all.
        other.call(*BUS, "AddMatch", "s", string("eavesdrop='true'"), destination=DBUS)
        subscribe(other, f"interface='{MANAGER}',member='Recorded'")
        assert other.call(BUS[0], DBUS + ".Monitoring", "BecomeMonitor", "asu", b"\0" * 8,
                          destination=DBUS) == ERROR + "AccessDenied"
        subscribe(root)
        paths = listeners(w)
        for client in (other, root):
            client.read.clear()
        w.tell("record 3 file")
        w.tell("deny 0 not-registered")
        assert "Recorded" not in signals_until(other, "DeviceDenied")
        assert signals_until(root, "DeviceDenied").count("Recorded") == 3
        for text in heard_of(w, paths, "DeviceDenied"):
            assert "Recorded" not in text and SECRET not in text, text


def details(w):
    data, error = w.call(volume(0), VOLUME, "Details")
    assert error is None, error
    return {name: value["data"] for name, value in data[0].items()}


def refused(w, other):
    """Whatever somebody else asks, it is not among the answers."""
    assert other.call(volume(0), VOLUME, "Details") == ERROR + "AccessDenied"
    for name in details(w):
        assert other.call(volume(0), PROPERTIES, "Get", "ss", padded(string(VOLUME), 4) + string(name)) == \
            ERROR + "UnknownProperty", name
    asked = [[volume(0), PROPERTIES + ".GetAll", f"string:{VOLUME}"], [volume(0), PROPERTIES + ".GetAll", "string:"],
             [ROOT, DBUS + ".ObjectManager.GetManagedObjects"], [volume(0), DBUS + ".Introspectable.Introspect"]]
    for args in asked:
        done = w.run(*OTHER, "dbus-send", f"--bus={w.address}", "--print-reply", f"--dest={NAME}", *args)
        assert done.returncode == 0 and "State" in done.stdout and SECRET not in done.stdout, done


def test_what_is_on_a_volume_only_its_user_and_root_are_told():
    if os.getuid():
        return
    with terminal() as w, Client(w.socket, NOBODY) as other:
        helper = pathlib.Path(w.directory / "helper")
        helper.write_text(HELPER)
        helper.chmod(0o755)
        w.tell(f"helper {helper}")
        w.tell("volume 0")
        paths = listeners(w)
        passphrase = w.directory / "passphrase"
        passphrase.write_text("関所")
        assert SECRET in w.ctl("open", f"--passphrase-file={passphrase}").stderr
        infected = details(w)
        assert infected["Infected"] == [[f"/{SECRET}", "Eicar"]] and infected["Detail"] == SECRET, infected
        refused(w, other)
        assert SECRET in w.ctl("open", f"--passphrase-file={passphrase}").stdout
        assert SECRET in w.ctl("eject").stderr
        # Somebody else sits there now; root may know it all the same.
        w.tell(f"may {NOBODY + 1}")
        opened = details(w)
        assert opened["Holders"] == [[SECRET, 77, 1001]] and opened["MountPoint"] == f"/run/media/{SECRET}", opened
        refused(w, other)
        w.tell("deny 0 not-registered")
        # The bus has told all of them of the same changes.
        texts = heard_of(w, paths, "DeviceDenied")
        assert "PropertiesChanged" in texts[0] and "WrongPassphrases" in texts[0], texts[0]
        assert not [text for text in texts if SECRET in text], texts
        # Who sits there is told.
        w.tell(f"may {NOBODY}")
        assert other.call(volume(0), VOLUME, "Details") is None
