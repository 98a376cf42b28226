# SPDX-License-Identifier: GPL-2.0-or-later
"""A private bus, the fake daemon on it, and real clients to ask them with."""
import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
CTL = BUILD / "sekimorictl"
FAKE = BUILD / "integration" / "fake-daemon"
FAKE_POLKIT = BUILD / "integration" / "fake-polkit"

NAME = "org.sekimori.Sekimori1"
ROOT = "/org/sekimori/Sekimori1"
MANAGER = NAME + ".Manager"
DEVICE = NAME + ".Device"
VOLUME = NAME + ".Volume"
MEDIUM = NAME + ".Medium"
EXCEPTIONS = NAME + ".Exceptions"
REQUEST = NAME + ".Request"
GRANT = NAME + ".Grant"
ERROR = "org.freedesktop.DBus.Error."

# Seconds. It ends only what would hang: a machine that is busy with other tests takes its time.
PATIENCE = 60.0

OPEN_POLICY = """
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
  <limit name="max_replies_per_connection">100000</limit>
"""

# As the system bus of Debian, with our own file.
STRICT_POLICY = f"""
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/>
    <allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>{TOP}/policy/org.sekimori.Sekimori1.conf</include>
"""


def device(number):
    return f"{ROOT}/devices/{number}"


def volume(number):
    return f"{ROOT}/volumes/{number}"


def medium(number):
    return f"{ROOT}/media/{number}"


def request(number):
    return f"{ROOT}/requests/{number}"


def grant(number):
    return f"{ROOT}/grants/{number}"


def wish(**members):
    """a{sv} for busctl: purpose="…", access="rw", seconds=3600, write_quota=…; a device is a path."""
    types = {"device": "o", "encrypted_only": "b", "seconds": "u", "uses": "u", "until": "x", "begin": "x", "return_by": "x",
             "write_quota": "t"}
    words = [str(len(members))]
    for name, value in members.items():
        words += [name.replace("_", "-"), types.get(name, "s"), str(value).lower() if isinstance(value, bool) else str(value)]
    return words


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("in vain: " + what)


class Lines:
    """Lines of a process, read with a deadline."""

    def __init__(self, process):
        self.fd = process.stdout.fileno()
        self.buffer = b""

    def next(self, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"no line within {seconds} s; so far {self.buffer!r}")
            piece = os.read(self.fd, 65536)
            if not piece:
                raise AssertionError(f"end of output; rest {self.buffer!r}")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode()

    def until(self, condition, seconds=PATIENCE):
        while True:
            line = self.next(seconds)
            if condition(line):
                return line


class Polkit:
    """What answers in polkit's place: yes, no, challenge, error, nonsense, hold, next, "refuse ACTION" (fake-polkit.c);
    quiet: it does not tell what it is asked, for floods."""

    def __init__(self, w, answer="yes"):
        self.process = w.start([FAKE_POLKIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = Lines(self.process)
        assert self.lines.next() == "here"
        self.asked = []
        self.say(answer)

    def say(self, answer):
        self.process.stdin.write(answer.encode() + b"\n")
        self.process.stdin.flush()
        self.asked += iter(self.lines.next, "ok")

    def wait(self, line, count=1):
        """Until it has been told so, as often; these are taken out of `asked`."""
        while self.asked.count(line) < count:
            self.asked.append(self.lines.next())
        self.asked = [other for other in self.asked if other != line]

    def stop(self):
        self.process.kill()
        self.process.wait()


class World:
    """One test's bus, fake daemon and clients; everything ends with it."""

    def __init__(self, directory, policy):
        self.directory = pathlib.Path(directory)
        os.chmod(directory, 0o755)
        self.socket = self.directory / "bus"
        self.address = f"unix:path={self.socket}"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("LC_")}
        self.env.update(DBUS_SYSTEM_BUS_ADDRESS=self.address, LANG="C.UTF-8", TERM="xterm",
                        ASAN_OPTIONS="quarantine_size_mb=1")
        self.env.pop("NO_COLOR", None)
        self.processes = []
        self.config = self.directory / "bus.conf"
        self.config.write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" '
            '"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
            f"<busconfig><listen>{self.address}</listen><auth>EXTERNAL</auth>{policy}</busconfig>\n")
        self.bus = None
        self.daemon = None
        self.polkit = None

    def start(self, args, **more):
        process = subprocess.Popen([str(a) for a in args], env=self.env, **more)
        self.processes.append(process)
        return process

    def bus_start(self):
        self.bus = self.start(["dbus-daemon", f"--config-file={self.config}", "--nofork",
                               "--print-address"], stdout=subprocess.PIPE,
                              stderr=open(self.directory / "bus-stderr", "ab"))
        Lines(self.bus).next()

    def bus_stop(self):
        self.bus.kill()
        self.bus.wait()
        (self.directory / "bus").unlink(missing_ok=True)

    def daemon_start(self, wait=True):
        self.daemon = self.start([FAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=open(self.directory / "stderr", "ab"))
        self.answers = Lines(self.daemon)
        if wait:
            wait_until(self.connected, "the daemon owning its name")

    def connected(self):
        return self.tell("connected") == ["1"]

    def exceptions(self, *statements):
        """The engine of exceptions, by a policy of these statements; the store stays for the next daemon."""
        policy = self.directory / "exceptions-policy"
        policy.write_text("\n".join(["policy test", "version 1", *statements, "default block"]) + "\n")
        self.tell(f"exceptions {self.directory}/store/exceptions.db {policy}")

    def tell(self, command):
        """A command to the fake daemon; the lines before its "ok"."""
        self.daemon.stdin.write(command.encode() + b"\n")
        self.daemon.stdin.flush()
        lines = []
        while True:
            line = self.answers.next()
            if line == "ok":
                return lines
            if line.startswith("error"):
                raise RuntimeError(line)
            lines.append(line)

    def daemon_stop(self):
        """Ends it and looks at how: a leak or a bad access shows here."""
        if self.daemon.poll() is None:
            self.daemon.stdin.close()
        status = self.daemon.wait(PATIENCE)
        said = (self.directory / "stderr").read_text(errors="replace")
        assert status == 0, f"the daemon ended with {status}:\n{said}"
        self.daemon = None

    def run(self, *args, **more):
        env = dict(self.env, **more.pop("env", {}))
        return subprocess.run([str(a) for a in args], env=env, capture_output=True, text=True,
                              timeout=PATIENCE, **more)

    def ctl(self, *args, env=None):
        return self.run(CTL, *args, env=env or {})

    def ctl_follow(self, *args, env=None):
        self.env.update(env or {})
        process = self.start([CTL, *args], stdout=subprocess.PIPE)
        return process, Lines(process)

    def ctl_watch(self, *args, env=None):
        """`sekimorictl watch` that hears already what happens next."""
        process, lines = self.ctl_follow("watch", *args, env=env)
        wait_until(lambda: "NameOwnerChanged" in self.matches(self.unique_name(process.pid)), "watch listening")
        return process, lines

    def unique_name(self, pid):
        done = self.run("busctl", f"--address={self.address}", "list", "--no-legend", "--unique")
        for cells in map(str.split, done.stdout.splitlines()):
            if len(cells) > 1 and cells[1] == str(pid):
                return cells[0]
        return None

    def matches(self, unique):
        """What the bus passes on to that connection, as one text."""
        done = self.run("busctl", f"--address={self.address}", "--json=short", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                        "org.freedesktop.DBus.Debug.Stats", "GetAllMatchRules")
        assert done.returncode == 0, done
        return " ".join(json.loads(done.stdout)["data"][0].get(unique, []))

    def call(self, path, interface, member, *args, **more):
        """busctl as a client: (data, None) or (None, error text)."""
        done = self.run("busctl", f"--address={self.address}", "--json=short", "call", NAME, path,
                        interface, member, *args, **more)
        if done.returncode:
            return None, done.stderr.strip()
        text = done.stdout.strip()
        return (json.loads(text)["data"] if text else None), None

    def get_all(self, path, interface):
        data, error = self.call(path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)
        assert error is None, error
        return {name: value["data"] for name, value in data[0].items()}

    def dbus_send_error(self, path, method, *args):
        """Name of the error that dbus-send gets, or None."""
        done = self.run("dbus-send", f"--bus={self.address}", "--print-reply", f"--dest={NAME}",
                        path, method, *args)
        if done.returncode == 0:
            return None
        return done.stderr.split()[1].rstrip(":")

    def monitor(self):
        """Messages on the bus as busctl shows them."""
        process = self.start(["busctl", f"--address={self.address}", "--json=short", "monitor",
                              NAME], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = Lines(process)
        # It is there when it sees something.
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.call(ROOT, "org.freedesktop.DBus.Peer", "Ping")
            if select.select([lines.fd], [], [], 0.05)[0]:
                return lines
        raise AssertionError("busctl monitor shows nothing")

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()


def next_signal(lines, member):
    """The next signal of that name from a monitor, skipping everything else."""
    while True:
        message = json.loads(lines.next())
        if message.get("type") == "signal" and message.get("member") == member:
            return message


@contextlib.contextmanager
def world(bus=True, daemon=True, policy=OPEN_POLICY):
    with tempfile.TemporaryDirectory(prefix="sekimori-") as directory:
        w = World(directory, policy)
        try:
            if bus:
                w.bus_start()
            if daemon:
                w.daemon_start(wait=bus)
            if bus and daemon and os.getuid():
                # Root needs none.
                w.polkit = Polkit(w)
            yield w
            if w.daemon:
                w.daemon_stop()
        finally:
            w.end()
