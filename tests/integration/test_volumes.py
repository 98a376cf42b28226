# SPDX-License-Identifier: GPL-2.0-or-later
"""Volumes on D-Bus and at the command line; a shell script stands for the helper that opens them."""
import json
import os
import pty
import subprocess
import termios

from harness import CTL, VOLUME, device, next_signal, volume, wait_until, world

JA = {"LANG": "ja_JP.UTF-8"}
OPENS = """echo '{"step":"unlock"}' >&4
echo '{"result":"open","mount":"/run/media/tanaka/区役所"}' >&4"""
CLOSES = """echo '{"result":"closed"}' >&4"""
FAILS = """echo '{"result":"failed","reason":"%s","detail":"%s"}' >&4; exit 1"""
PASSPHRASE = "関所 手形"


def helper(w, opens=OPENS, closes=CLOSES):
    path = w.directory / "helper"
    path.write_text(f'#!/bin/sh\ncd {w.directory}\necho "$*" >> calls\ncase $1 in\nopen) cat <&3 > secret\n{opens}\n;;\n'
                    f"close) {closes}\n;;\nesac\n")
    path.chmod(0o755)
    return path


def prepare(w, **more):
    w.tell(f"helper {helper(w, **more)}")
    w.tell("add 0")
    w.tell("allow 0 ZEI-001")
    w.tell("volume 0")


def passphrase_file(w, text=PASSPHRASE):
    path = w.directory / "passphrase"
    path.write_text(text)
    return path


def properties(w, number=0):
    return w.get_all(volume(number), VOLUME)


def details(w, number=0):
    data, error = w.call(volume(number), VOLUME, "Details")
    assert error is None, error
    return {name: value["data"] for name, value in data[0].items()}


def error_of(w, method, number=0):
    return w.dbus_send_error(volume(number), f"{VOLUME}.{method}")


def test_open_and_eject_at_the_command_line():
    with world() as w:
        prepare(w)
        done = w.ctl("open", "ZEI-001", f"--passphrase-file={passphrase_file(w, PASSPHRASE + chr(10))}")
        assert done.returncode == 0, done.stderr
        assert done.stdout == "ZEI-001 is open at /run/media/tanaka/区役所\n"
        assert (w.directory / "secret").read_text() == PASSPHRASE
        assert PASSPHRASE not in (w.directory / "calls").read_text()
        now = properties(w)
        assert now["State"] == "open" and details(w)["MountPoint"] == "/run/media/tanaka/区役所"
        assert now["Device"] == device(0) and now["User"] == "tanaka"
        done = w.ctl("open")
        assert done.returncode == 0 and done.stdout == "All media are open already.\n"
        done = w.ctl("eject", env=JA)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "ZEI-001 を閉じました。\n抜いてかまいません。\n"
        assert properties(w)["State"] == "locked"
        done = w.ctl("--json", "eject", "1-0")
        assert done.returncode == 0 and json.loads(done.stdout)[0]["ok"] is True


def test_passphrase_is_asked_for_on_a_terminal_without_echo():
    with world() as w:
        prepare(w)
        leader, follower = pty.openpty()
        process = subprocess.Popen([CTL, "open", "0"], env=w.env, stdin=follower, stdout=follower,
                                   stderr=follower, start_new_session=True,
                                   preexec_fn=lambda: __import__("fcntl").ioctl(0, 0x540e, 0))  # TIOCSCTTY
        os.close(follower)
        seen = b""
        while b":" not in seen:
            seen += os.read(leader, 1024)
        # What is typed before the echo is off would be thrown away.
        wait_until(lambda: not termios.tcgetattr(leader)[3] & termios.ECHO, "the echo being off")
        os.write(leader, PASSPHRASE.encode() + b"\n")
        while True:
            try:
                piece = os.read(leader, 1024)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(leader)
        assert process.wait() == 0, seen.decode()
        assert "Passphrase for ZEI-001:" in seen.decode() and "is open at" in seen.decode()
        assert PASSPHRASE not in seen.decode()
        assert (w.directory / "secret").read_text() == PASSPHRASE


def test_without_a_terminal_or_a_passphrase_nothing_is_asked_of_the_daemon():
    with world() as w:
        prepare(w)
        done = w.run("setsid", "--wait", CTL, "open")
        assert done.returncode == 1 and "--passphrase-file" in done.stderr, done.stderr
        done = w.ctl("open", f"--passphrase-file={passphrase_file(w, '')}")
        assert done.returncode == 1 and "1 to 512 bytes" in done.stderr
        done = w.ctl("open", f"--passphrase-file={passphrase_file(w, 'x' * 513)}")
        assert done.returncode == 1 and "1 to 512 bytes" in done.stderr
        done = w.ctl("open", "ZEI-999", "--passphrase-file=/dev/null")
        assert done.returncode == 1 and "ZEI-999" in done.stderr
        assert not (w.directory / "calls").exists()
        assert properties(w)["State"] == "locked"


def test_wrong_passphrase_is_told_and_the_next_has_to_wait():
    with world() as w:
        prepare(w, opens=FAILS % ("wrong-passphrase", ""))
        done = w.ctl("open", f"--passphrase-file={passphrase_file(w)}")
        assert done.returncode == 1 and done.stderr == "ZEI-001 was not opened: The passphrase is wrong.\n"
        done = w.ctl("--json", "open", f"--passphrase-file={passphrase_file(w)}")
        assert done.returncode == 1
        result = json.loads(done.stdout)[0]
        assert result["ok"] is False and result["reason"] == "passphrase-wait", result
        assert properties(w)["WrongPassphrases"] == 1


def test_infected_files_are_named_and_safe_to_print():
    with world() as w:
        prepare(w, opens='echo \'{"step":"scan","done":0,"total":2}\' >&4\n'
                'echo \'{"infected":"d/\\u001b[2J.doc","signature":"Eicar"}\' >&4\n' + FAILS % ("infected", ""))
        lines = w.monitor()
        done = w.ctl("open", f"--passphrase-file={passphrase_file(w)}")
        assert done.returncode == 1 and "  infected: d/\\x1B[2J.doc (Eicar)\n" in done.stderr, done.stderr
        assert "virus scanner found" in done.stderr
        states = []
        while "failed" not in states:
            states.append(next_signal(lines, "PropertiesChanged")["payload"]["data"][1]["State"]["data"])
        assert states == ["opening", "scanning", "failed"], states
        assert details(w)["Infected"] == [["d/\x1b[2J.doc", "Eicar"]]


def test_a_volume_in_use_names_who_uses_it():
    with world() as w:
        prepare(w, closes='echo \'{"holder":"soffice","pid":77,"uid":1001}\' >&4\n' + FAILS % ("busy", ""))
        w.ctl("open", f"--passphrase-file={passphrase_file(w)}")
        done = w.ctl("eject")
        assert done.returncode == 1 and done.stdout == "", done.stdout
        assert "in use by soffice (77)" in done.stderr and "Do not unplug it yet." in done.stderr
        assert properties(w)["State"] == "open" and details(w)["Holders"] == [["soffice", 77, 1001]]


def test_only_who_sits_there_may():
    with world() as w:
        prepare(w)
        w.tell("may 4242")
        done = w.ctl("open", f"--passphrase-file={passphrase_file(w)}")
        assert done.returncode == 1 and "root" in done.stderr, done.stderr
        for method in ("OpenWithOrganisationKey", "Close", "Eject"):
            assert error_of(w, method) == "org.freedesktop.DBus.Error.AccessDenied", method
        assert not (w.directory / "calls").exists()


def test_errors_have_names():
    with world() as w:
        prepare(w)
        assert error_of(w, "OpenWithOrganisationKey") == "org.sekimori.Sekimori1.Error.Failed"
        assert error_of(w, "Open") == "org.freedesktop.DBus.Error.InvalidArgs"
        assert error_of(w, "Close", 7) == "org.freedesktop.DBus.Error.UnknownObject"
        assert error_of(w, "Shut") == "org.freedesktop.DBus.Error.UnknownMethod"
        assert error_of(w, "Close") is None


def test_the_volume_goes_while_it_is_being_opened():
    with world() as w:
        prepare(w, opens="exec sleep 100")
        process = w.start([CTL, "open", f"--passphrase-file={passphrase_file(w)}"],
                          stderr=subprocess.PIPE)
        wait_until(lambda: properties(w)["State"] == "opening", "the opening")
        assert error_of(w, "Close") == "org.sekimori.Sekimori1.Error.InTransition"
        w.tell("volume-gone 0")
        assert process.wait() == 1
        assert "ended before it was done" in process.stderr.read().decode()
        process.stderr.close()
        wait_until(lambda: "--force" in (w.directory / "calls").read_text(), "the closing by force")


def test_the_bus_goes_while_it_is_being_opened():
    with world() as w:
        prepare(w, opens="sleep 1; " + OPENS)
        process = w.start([CTL, "open", f"--passphrase-file={passphrase_file(w)}"],
                          stderr=subprocess.DEVNULL)
        wait_until(lambda: properties(w)["State"] == "opening", "the opening")
        w.bus_stop()
        assert process.wait() == 1, process.returncode
        w.bus_start()
        wait_until(w.connected, "the daemon back on the bus")
        wait_until(lambda: properties(w)["State"] == "open", "the volume, opened all the same")


def test_many_calls_at_once_are_all_answered():
    with world() as w:
        prepare(w, closes="sleep 0.2; " + CLOSES)
        w.ctl("open", f"--passphrase-file={passphrase_file(w)}")
        senders = [w.start(["busctl", f"--address={w.address}", "--timeout=30", "call", "org.sekimori.Sekimori1",
                            volume(0), VOLUME, "Close"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                   for _ in range(20)]
        done = [sender.wait() for sender in senders]
        # One closes it; who comes meanwhile is told so, who comes after finds it closed.
        assert 0 in done and properties(w)["State"] == "locked", done
        assert (w.directory / "calls").read_text().count("close") == 1
