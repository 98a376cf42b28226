# SPDX-License-Identifier: GPL-2.0-or-later
"""Exceptions without a network, end to end: the desk's own tool on one side, the terminal's on the other (docs/telephone-code.md)."""
import contextlib
import json
import os
import re
import shutil
import signal
import time

from desks import desk
from harness import CTL, world
from typist import Typist

TERMINAL = "mado-03"
WISH = ("--access=rw", "--for=2h", "--purpose=県税システムへの提出")


@contextlib.contextmanager
def both_sides():
    """A desk that knows the terminal, and the terminal with its key, its trust and a blocked device."""
    with desk() as d, world() as w:
        d.ok("terminal", "add", "--quick-kdf", TERMINAL)
        d.ok("terminal", "key", TERMINAL, f"--out={w.directory}/key")
        d.ok("grant", "keygen", "--quick-kdf")
        shutil.copy(d.path / "trust" / "sekimori-desk.trust", w.directory / "trust")
        begin(w)
        yield d, w


def begin(w):
    w.exceptions()
    w.tell(f"phone {w.directory}/store/telephone {w.directory}/key")
    w.tell(f"trust {w.directory}/trust")
    w.tell("add 1")
    w.tell("deny 1 not-registered")
    w.tell("class 1 storage-plain")


def answered(w, *args):
    done = w.ctl("--json", *args)
    assert done.returncode in (0, 1), done
    return json.loads(done.stdout)


def code_for(d, challenge, *terms):
    return d.json("answer", challenge, "--yes", "--why=様式第8号", *(terms or ("--access=ro", "--period=1h", "--uses=1")))


def fingerprint(w):
    return w.get_all("/org/sekimori/Sekimori1/devices/1", "org.sekimori.Sekimori1.Device")["Fingerprint"]


def other(code):
    """Another code that is one in form: two symbols of it, and the check symbol by which it still fits."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
    values = [alphabet.index(c) for c in code.replace("-", "")[:-1]]
    values[10] ^= 1
    number = 0
    for value in values:
        number = number << 5 | value
    text = "".join(alphabet[v] for v in values) + alphabet[number % 37]
    return "-".join(text[i:i + 4] for i in range(0, len(text), 4))


def test_a_device_is_granted_by_telephone_once_and_as_the_desk_said():
    with both_sides() as (d, w):
        asked = answered(w, "request", "--phone", *WISH)
        assert asked["ok"] and asked["valid-seconds"] == 3600 and len(asked["challenge"].replace("-", "")) == 16
        said = code_for(d, asked["challenge"])
        assert said["terminal"] == TERMINAL
        assert answered(w, "answer", other(said["code"]))["reason"] == "phone-wrong"
        assert answered(w, "answer", said["code"])["reason"] == "phone-wait"
        # The request and the count of wrong codes outlive the keeper.
        w.daemon_stop()
        w.daemon_start()
        begin(w)
        w.tell("clock +8")
        misheard = said["code"][:-1] + ("0" if said["code"][-1] != "0" else "1")
        assert answered(w, "answer", misheard)["reason"] == "phone-misheard"
        taken = answered(w, "answer", *said["code"].lower().replace("0", "o").split("-"))["exception"]
        assert taken["id"] == said["id"] and taken["access"] == "ro" and taken["uses"] == 1
        assert taken["end"] - taken["begin"] == 3600 and taken["purpose"] == "県税システムへの提出"
        assert taken["fingerprint"] == fingerprint(w) and taken["state"] in ("approved", "live")
        assert answered(w, "answer", said["code"])["reason"] == "phone-used"
        w.daemon_stop()
        w.daemon_start()
        begin(w)
        assert answered(w, "answer", said["code"])["reason"] == "phone-used"
        # A new request is another one, and its hour ends.
        asked = answered(w, "request", "--phone", *WISH)
        late = code_for(d, asked["challenge"])["code"]
        w.tell("clock +3700")
        assert answered(w, "answer", late)["reason"] == "phone-expired"


def test_what_a_code_cannot_carry_is_said_before_the_call():
    with both_sides() as (d, w):
        for args, words in ((("--until=tomorrow",), "give --for"), (("--for=7h",), "one of 15m"), (("--medium=M-1", "--for=1h"), "plug it in"),
                            (("--for=1h",), "--purpose"), (("--purpose=x",), "--for")):
            done = w.ctl("request", "--phone", *args)
            assert done.returncode == 2 and words in done.stderr and not done.stdout, (args, done)
        done = w.ctl("answer")
        assert done.returncode == 2 and "give the code" in done.stderr
        assert answered(w, "answer", "5FTR-29QG-401Y-TR05-M5S5")["reason"] == "phone-none"
        assert answered(w, "answer", "x" * 2000)["reason"] == "phone-misheard"
        for _ in range(5):
            assert answered(w, "request", "--phone", *WISH)["ok"]
        assert answered(w, "request", "--phone", *WISH)["reason"] == "phone-many"
        os.chmod(w.directory / "key", 0o644)
        assert answered(w, "request", "--phone", *WISH)["reason"] == "phone-no-key"


def test_a_grant_file_is_taken_in_once_and_only_as_the_desk_signed_it():
    with both_sides() as (d, w):
        path = d.directory / "grant"

        def write(name, terminal=TERMINAL):
            until = time.strftime("%Y-%m-%d", time.localtime(time.time() + 3 * 86400))
            d.ok("grant", d.directory / name, f"--terminal={terminal}", "--user=tanaka", "--why=様式第8号 12", f"--until={until}",
                 f"--device={fingerprint(w)}", "--kind=storage-plain", "--access=rw")

        def refused(name, code):
            said = answered(w, "grant", "import", d.directory / name)
            assert not said["ok"] and said["reason"] == code, said

        write("grant")
        text = path.read_text(encoding="utf-8")
        for name, changed in (("wider", text.replace("person \"tanaka\"", "person \"suzuki\"")), ("longer", text + "# x\n")):
            d.write(name, changed)
            shutil.copy(f"{path}.minisig", d.directory / f"{name}.minisig")
            refused(name, "grant-altered")
        write("foreign", "ZEI-015")
        refused("foreign", "grant-other-terminal")
        d.write("bare", text)
        done = w.ctl("grant", "import", d.directory / "bare")
        assert done.returncode == 1 and "FILE.minisig: bring both" in done.stderr
        d.write("long", "#" * 16385)
        d.write("long.minisig", "x")
        assert "too long" in w.ctl("grant", "import", d.directory / "long").stderr
        d.write("binary", b"\xff\xfe")
        assert "no text" in w.ctl("grant", "import", d.directory / "binary").stderr
        taken = answered(w, "grant", "import", path)["exception"]
        assert taken["person"] == "tanaka" and taken["access"] == "rw" and taken["fingerprint"] == fingerprint(w)
        refused("grant", "grant-used")
        w.daemon_stop()
        w.daemon_start()
        begin(w)
        refused("grant", "grant-used")
        # Whom this terminal does not trust, it does not hear.
        write("second")
        trust = re.sub(r"^key grant .*$", "", (w.directory / "trust").read_text(encoding="utf-8"), flags=re.M)
        (w.directory / "trust").write_text(trust, encoding="utf-8")
        w.tell(f"trust {w.directory}/trust")
        refused("second", "grant-unknown-key")
        assert len(answered(w, "requests", "--all")) == 1


def person_at(w, *args):
    """Somebody at the terminal, in Japanese."""
    return Typist([CTL, *args], dict(w.env, LANG="ja_JP.UTF-8"))


def test_a_person_at_the_terminal_is_led_through_the_call():
    with both_sides() as (d, w):
        person = person_at(w, "request", "--phone", "--access=ro", "--purpose=県への提出", "--for=90m")
        person.expect("電話で申請しますか")
        person.type("はい")
        shown = person.expect("ヘルプデスクの回答コード: ")
        challenge = re.search(r"^    (\S{4}-\S{4}-\S{4}-\S{4})\s*$", shown, re.M).group(1)
        code = code_for(d, challenge)["code"]
        # Neither way out says that nothing was done: the request is there.
        for key, status in (("\x03", -signal.SIGINT), ("\x04", 1)):
            person.seen = ""
            os.write(person.fd, key.encode())
            left = person.expect("sekimorictl answer")
            assert "何も" not in left and person.end() == status, left
            person = person_at(w, "answer")
            person.expect("ヘルプデスクの回答コード: ")
        person.type(code[:-2])
        person.expect("4文字ずつ読み合わせてください")
        person.expect("ヘルプデスクの回答コード: ")
        person.type(other(code))
        person.expect("1秒後に入力できます")
        person.expect("ヘルプデスクの回答コード: ")
        wide = "　".join("".join(chr(ord(c) + 0xfee0) for c in group) for group in code.split("-"))
        person.type(wide)
        person.expect("まで許可されました（読み取り")
        assert person.end() == 0
        # Where nothing was said, it asks; and interrupted, it asked for nothing.
        before = (w.directory / "store" / "telephone").read_bytes()
        person = person_at(w, "request", "--phone")
        person.expect("使用目的")
        person.type("提出のため")
        for question in ("読み書きするなら", "使用者", "情報の重要性分類", "様式の番号", "返却期限"):
            person.expect(question)
            person.type("")
        person.expect("期間（15m, 30m")
        person.type("7h")
        person.expect("次のいずれかだけ")
        os.write(person.fd, b"\x03")
        assert person.end() != 0
        assert (w.directory / "store" / "telephone").read_bytes() == before
