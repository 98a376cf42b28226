# SPDX-License-Identifier: GPL-2.0-or-later
"""A help desk of a test's own, and its tool as clerks and scripts call it."""
import contextlib
import csv
import io
import json
import os
import pathlib
import subprocess
import tempfile

from harness import BUILD, CTL

# With AddressSanitizer, UBSan and leak detection.
DESK = BUILD / "san" / "sekimori-desk"
PASSPHRASE = "four unrelated words here"
PATIENCE = 240 # a key is derived with 1 GiB of memory, on a machine that is busy


def uuid(n):
    return f"{n:08x}-0000-4000-8000-{n:012x}"


class Desk:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "desk"
        self.database = self.path / "register.db"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "SEKIMORI"))}
        self.env.update(LANG="C.UTF-8", SEKIMORI_DESK=str(self.path), TZ="Asia/Tokyo",
                        ASAN_OPTIONS="quarantine_size_mb=1")
        self.write("passphrase", PASSPHRASE + "\n")

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, name):
        return (self.directory / name).read_text(encoding="utf-8")

    def command(self, *args, passphrase=True):
        more = [f"--passphrase-file={self.directory}/passphrase"] if passphrase else []
        who = [] if any(str(a).startswith("--by") for a in args) else ["--by=clerk"]
        return [str(DESK), *who, *more, *map(str, args)]

    def start(self, *args, **more):
        return subprocess.Popen(self.command(*args), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, **more)

    def run(self, *args, passphrase=True, env=None, **more):
        more.setdefault("stdin", None if "input" in more else subprocess.DEVNULL)
        done = subprocess.run(self.command(*args, passphrase=passphrase), env=dict(self.env, **(env or {})),
                              capture_output=True, text=True, timeout=PATIENCE, check=False, **more)
        assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
        assert done.returncode in (0, 1, 2), done
        return done

    def ok(self, *args, **more):
        done = self.run(*args, **more)
        assert done.returncode == 0, done
        return done.stdout

    def refused(self, *args, status=1, **more):
        """What it says; nothing of it on standard output."""
        done = self.run(*args, **more)
        assert done.returncode == status and done.stderr.startswith("sekimori-desk: "), done
        return done.stderr

    def json(self, *args, **more):
        return json.loads(self.ok("--json", *args, **more))

    def init(self, *args):
        return self.ok("init", "--quick-kdf", "--policy-signer=税務課 鈴木", "--policy-signer=情報課 佐藤",
                       "--organisation=みどり市", "--return-to=情報課 内線1234", *args)

    def import_media(self, n, first=1, **fields):
        """Media M-1 … with the fields given, each a value or a function of the number."""
        columns = {"number": lambda i: f"M-{i}", "id": "46f4:0001", "serial": lambda i: f"{i:08d}",
                   "encryption": "luks2", "luks_uuid": uuid, "class": "II", "until": "2027-03-31", **fields}
        self.write("in.csv", table([list(columns)] + [
            [value(i) if callable(value) else value for value in columns.values()] for i in range(first, first + n)]))
        return self.ok("import", self.directory / "in.csv")

    def state(self, number):
        return self.json("show", number)

    def history(self, number):
        return self.json("history", number)

    def policy(self, *args, base="policy test\nencryption luks2\n"):
        self.write("base", base)
        return self.json("policy", f"--base={self.directory}/base", f"--out={self.directory}/policy", *args)


def table(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def check_policy(path):
    """What sekimorictl makes of it."""
    done = subprocess.run([CTL, "--json", "check-policy", path], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    return json.loads(done.stdout)


@contextlib.contextmanager
def bare_desk():
    with tempfile.TemporaryDirectory(prefix="sekimori-desk-") as directory:
        yield Desk(directory)


@contextlib.contextmanager
def desk(media=0, **fields):
    with bare_desk() as d:
        d.init()
        if media:
            d.import_media(media, **fields)
        yield d
