# SPDX-License-Identifier: GPL-2.0-or-later
"""
A month at a counter of a town hall, played: records as the daemon writes them, always the same ones. People and media
are invented. As a program it writes the sealed log into a directory, to look at reports:

    tests/integration/playmonth.py /tmp/played && sekimorictl report --month 2026-10 --log /tmp/played
"""
import datetime
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile

JST = datetime.timezone(datetime.timedelta(hours=9))
YEAR, MONTH = 2026, 10
TERMINAL = "mado-03"
USERS = {"tanaka": 1001, "suzuki": 1002, "sato": 1003, "ito": 1004}
MEDIA = [f"ZEI-{n:04}" for n in range(1, 8)]
LOST = "ZEI-0009"

# What a self-check found: of checks that we know, and one that only another version has.
CHECKED = [
    {"id": "clock-synchronised", "result": "warn", "detail": "the kernel does not say so"},
    {"id": "overrides", "result": "warn", "detail": "/etc/systemd/system/sekimorid.service.d/local.conf changes ours"},
    {"id": "initramfs", "result": "unknown", "detail": "/boot/initrd.img-6.1.0-18-amd64 cannot be read: No such file or directory"},
    {"id": "clock", "result": "warn", "detail": "not <synchronised>"},
    {"id": "manifest-digest", "result": "ok", "detail": "00112233445566778899aabbccddeeff" * 2},
    {"id": "module-digest", "result": "ok", "detail": "ffeeddccbbaa99887766554433221100" * 2},
]

# What a device may call itself: markup, formulas, escape sequences, other directions, what is no text.
HOSTILE = [
    '<script>alert("1")</script>', '"><img src=x onerror=alert(1)>', "=cmd|'/c calc'!A0", "+1+1", "@SUM(A1)",
    "evil\u202egnp.exe", "\x1b[2J\x1b[31mOK", "two\nlines\ttab", "back\\slash & <b>", "'; DROP TABLE x;--",
    "日本製メモリ", "</td></tr></table>", "-->", "&lt;already&gt;", "\u200bnothing",
]


class Player:
    """Time goes on, and everything that happens is a record."""

    def __init__(self):
        self.records = []
        self.random = random.Random(20261001)
        self.now = None
        self.booted = None
        self.device = 0

    def set(self, day, hour, minute, month=MONTH):
        self.now = datetime.datetime(YEAR, month, day, hour, minute, tzinfo=JST)

    def wait(self, seconds):
        self.now += datetime.timedelta(seconds=seconds, microseconds=self.random.randrange(999999))

    def record(self, kind, **members):
        utc = self.now.astimezone(datetime.timezone.utc)
        boot = (self.now - self.booted) // datetime.timedelta(microseconds=1)
        self.records.append({"time": utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "boot_us": boot, "kind": kind,
                             "terminal": TERMINAL, **members})
        self.wait(0)

    def boot(self, day, hour, minute, month=MONTH):
        self.set(day, hour, minute, month)
        self.booted = self.now
        self.wait(9)
        self.record("started", state="ok", policy="shiyakusho", policy_version=12, digest="0" * 64, media=9, rules=14, retention_days=1095,
                    signed=True, signers=["keiri"], version="0.1.0", backend="kmod")

    def stick(self, name, serial, fingerprint):
        self.device += 1
        return {"device": f"1-{1 + self.device % 4}", "bus": 1, "devnum": self.device % 120 + 1, "id": "0951:1666",
                "serial": serial, "manufacturer": "Example", "product": name, "fingerprint": fingerprint,
                "interfaces": "08:06:50"}

    def work_with_medium(self, user):
        medium = self.random.choice(MEDIA)
        stick = self.stick("Encrypted Stick", medium, fingerprint(medium))
        self.record("held", **stick, state="held")
        self.wait(1)
        self.record("allowed", **stick, state="allowed", reason="proved", medium=medium, method="luks2",
                    access=self.random.choice(["rw", "rw", "ro"]), verdict_us=self.random.randrange(300000, 900000))
        self.record("released", **stick, state="allowed", medium=medium)
        self.wait(self.random.randrange(5, 30))
        if self.random.random() < 0.1:
            self.record("volume-refused", **stick, medium=medium, user=user, uid=USERS[user],
                        reason="wrong-passphrase", wrong=1)
            self.wait(5)
        self.record("volume-opened", **stick, medium=medium, user=user, uid=USERS[user])
        for n in range(self.random.randrange(0, 9)):
            self.wait(self.random.randrange(2, 60))
            self.record("file", medium=medium, op="write", path=f"/月報/{n}.csv", size=self.random.randrange(10, 4000000),
                        user=user, uid=USERS[user], program="/usr/bin/soffice", pid=4000 + n)
        if self.random.random() < 0.2:
            self.record("file", medium=medium, op="delete", path="/old.csv", size=0, user=user, uid=USERS[user],
                        program="/usr/bin/nautilus", pid=4100)
        self.wait(60)
        self.record("volume-closed", **stick, medium=medium, user=user)
        self.record("removed", **stick, medium=medium)

    def refused(self, name, serial, reason, fingerprint, **more):
        stick = self.stick(name, serial, fingerprint)
        self.record("held", **stick, state="held")
        self.wait(1)
        self.record("denied", **stick, state="denied", reason=reason, decided_by="default",
                    verdict_us=self.random.randrange(200000, 2500000), **more)
        self.wait(4)
        self.record("removed", **stick)

    def incident(self, kind, *, first, last, count, **more):
        """first, last: places in self.records; what number they get is known when the log is sealed."""
        self.record("incident", number=[f"{TERMINAL}-{self.now:%Y%m%d}", first], type=kind, first_seq=[first],
                    last_seq=[last], count=count, **more)

    def day(self, day):
        self.boot(day, 8, 10 + day % 7)
        user = self.random.choice(list(USERS))
        self.record("seat", user=user, uid=USERS[user])
        self.wait(600)
        self.record("self-check", result="fail" if day == 15 else "warn" if day % 9 == 0 or day == 30 else "ok",
                    ok=18, warn=3 if day == 30 else int(day % 9 == 0), fail=1 if day == 15 else 0, unknown=int(day == 30),
                    items=CHECKED if day == 30 else [])
        for _ in range(self.random.randrange(14, 24)):
            self.wait(self.random.randrange(240, 1500))
            dice = self.random.random()
            if dice < 0.72:
                self.work_with_medium(user)
            elif dice < 0.9:
                n = self.random.randrange(6)
                self.refused(HOSTILE[n], f"PRIVATE{n}", "not-registered", fingerprint(n))
            elif dice < 0.95:
                self.refused("Telefon", "T1", "class-not-allowed", fingerprint("0xdef"))
            else:
                self.refused("Encrypted Stick", "X", "hidden-space", fingerprint("0x777"), medium="ZEI-0008")
        if day != 21:
            self.set(day, 17, 35)
            self.record("seat", user="")
            self.record("stopped")

    def play(self):
        self.boot(30, 8, 20, month=9)
        self.record("seat", user="tanaka", uid=1001)
        self.set(30, 17, 30, month=9)
        self.record("stopped")
        for day in range(1, 32):
            if datetime.date(YEAR, MONTH, day).weekday() < 5:
                self.day(day)
            special = getattr(self, f"special_{day}", None)
            if special:
                special()
        self.boot(2, 8, 15, month=11)
        self.refused("next month", "N", "not-registered", fingerprint("0x999"))
        return self.records

    def special_3(self):
        """Saturday: the terminal runs, and the keeper comes back only after an hour."""
        self.boot(3, 10, 0)
        self.wait(60)
        self.record("stopped")
        self.wait(3600)
        self.record("started", state="ok", policy="shiyakusho", policy_version=12, digest="0" * 64, media=9, rules=14, retention_days=1095,
                    signed=True, signers=["keiri"], version="0.1.0", backend="kmod")
        for name in HOSTILE:
            self.refused(name, name[::-1], "not-registered", fingerprint(name))
        self.record("refused", attempt="bind", interface="1-1:1.0", driver="usb-storage", program="<sh>", pid=77, uid=0)
        self.incident("gate-attempt", first=len(self.records) - 1, last=len(self.records) - 1, count=1, program="<sh>", uid=0,
                      cause="bind 0")
        self.record("administration", method="Manager.ReloadPolicy", user="root", uid=0, result="done")
        self.record("policy", state="ok", policy="shiyakusho", policy_version=13, digest="1" * 64, media=9, rules=15, retention_days=1095,
                    signed=True, signers=["keiri", "joho"])
        self.record("policy-refused", reason="unsigned", state="ok",
                    error="/etc/sekimori/policy is not signed, but /etc/sekimori/trust.d requires it; sign it with minisign -S -m /etc/sekimori/policy")
        self.record("policy-refused", reason="signature", error="no valid signature <of> \"anybody\"", state="ok")
        self.record("stopped")

    def special_16(self):
        """After hours a lost medium turns up, and again."""
        self.boot(16, 18, 0)
        self.record("seat", user="ito", uid=1004)
        first = len(self.records) + 1
        for n in range(3):
            self.refused("Encrypted Stick", LOST, "medium-lost", fingerprint(LOST), medium=LOST)
            if not n:
                self.incident("lost-medium", first=first, last=first, count=1, cause=LOST, medium=LOST, reason="medium-lost",
                              user="ito", fingerprint=fingerprint(LOST), product="Encrypted Stick")
        self.records.append(dict(self.records[-1], kind="incident", number=self.records[first + 2]["number"],
                                 type="lost-medium", cause=LOST, first_seq=[first], last_seq=[len(self.records) - 2],
                                 count=3, again=True))
        self.record("stopped")

    def special_24(self):
        self.boot(24, 9, 0)
        self.record("clock-set")
        self.record("files", medium="ZEI-0001", user="sato", uid=1003, count=1005, create=500, write=500, rename=2, delete=3,
                    bytes_written=123456789, first="/a.csv", last="/z.csv")
        self.exceptions()
        self.record("stopped")

    def step(self, number, event, origin, to, person="tanaka", **more):
        """A step of an exception, as daemon/exceptions-record.c has it."""
        self.record(f"exception-{event}", exception=number, grant=f"{number:032x}", person=person, person_uid=USERS[person],
                    emergency=number == 42, event=event, **{"from": origin}, to=to, at=int(self.now.timestamp()),
                    requester=person, **more)

    def exceptions(self):
        """A request with its whole life; an emergency that nobody has reported; requests denied and lapsed; one from the help desk."""
        end = int(self.now.timestamp()) + 7200
        terms = {"purpose": HOSTILE[0], "data_class": "II", "form": "8", "access": "rw", "encrypted_only": False,
                 "fingerprint": fingerprint("private"), "class": "storage-plain", "end": end, "period": 7200, "uses": 0,
                 "write_quota": 0}
        emergency = {**terms, "form": "13-2", "access": "ro", "purpose": "停電で印刷できない", "end": end - 3600}
        self.step(41, "request", "draft", "requested", by="tanaka", by_uid=1001, **terms)
        self.step(42, "emergency", "draft", "live", "ito", by="ito", by_uid=1004, **emergency)
        self.step(43, "request", "draft", "requested", "suzuki", by="suzuki", by_uid=1002, **{**terms, "purpose": "=1+1", "form": "10"})
        self.step(44, "request", "draft", "requested", "suzuki", by="suzuki", by_uid=1002, **terms)
        self.record("exception-refused", event="approve", exception=41, reason="exception-own", by="tanaka", by_uid=1001)
        self.step(41, "approve", "requested", "requested", by="sato", by_uid=1003)
        self.step(41, "approve", "requested", "approved", by="ito", by_uid=1004, **terms)
        self.step(41, "begin", "approved", "live")
        self.step(43, "deny", "requested", "denied", "suzuki", by="sato", by_uid=1003, note="貸与の媒体を使うこと")
        self.step(41, "use", "live", "live", used=1)
        self.step(42, "use", "live", "live", "ito", used=1)
        self.step(41, "written", "live", "live", bytes=2500000)
        self.record("phone-challenge", person="suzuki", by="suzuki", by_uid=1002, purpose="電話", challenge="46PJ-HRD0-2738-NKRT")
        self.record("phone-refused", reason="phone-wrong", by="suzuki", by_uid=1002)
        self.step(45, "import", "draft", "approved", "suzuki", by="suzuki", by_uid=1002, **{**terms, "medium": "ZEI-0001", "return_by": end})
        self.wait(3600)
        self.step(42, "expire", "live", "expired", "ito")
        self.wait(3600)
        self.step(44, "lapse", "requested", "lapsed", "suzuki")
        self.step(41, "expire", "live", "expired")
        self.step(41, "return", "expired", "returned", by="tanaka", by_uid=1001)
        self.step(41, "confirm-erased", "returned", "erase-confirmed", by="sato", by_uid=1003)
        self.step(41, "close", "erase-confirmed", "closed", by="sato", by_uid=1003)


def fingerprint(thing):
    return "blake2b:" + hashlib.blake2b(str(thing).encode(), digest_size=16).hexdigest()


def records():
    return Player().play()


def run_seal(tool, directory, lines, rotate):
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in lines)
    done = subprocess.run([str(tool), str(directory), "--rotate", str(rotate), "--checkpoint", "200", "--terminal", TERMINAL],
                          input=text.encode(), capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def read(directory):
    """The records of a sealed log, in order."""
    files = sorted(p for p in pathlib.Path(directory).iterdir() if p.name.endswith("Z.jsonl") or "Z-" in p.name)
    text = "".join(p.read_text() for p in [*files, pathlib.Path(directory) / "events.jsonl"])
    return [json.loads(line) for line in text.splitlines()]


def seal(tool, directory, lines, rotate=700):
    """Twice: the first shows which number each record gets, which incidents tell of."""
    with tempfile.TemporaryDirectory() as first:
        run_seal(tool, first, lines, rotate)
        seqs = [r["seq"] for r in read(first) if r["kind"] != "checkpoint" and not r["kind"].startswith("log-")]
    assert len(seqs) == len(lines)
    told = []
    for line in lines:
        line = dict(line)
        if line["kind"] == "incident":
            line["number"] = f"{line['number'][0]}-{seqs[line['number'][1]]}"
            for key in ("first_seq", "last_seq"):
                line[key] = seqs[line[key][0]]
        told.append(line)
    return run_seal(tool, directory, told, rotate)


if __name__ == "__main__":
    TOP = pathlib.Path(__file__).resolve().parent.parent.parent
    seal(TOP / "build/tests/seal-log", sys.argv[1], records())
