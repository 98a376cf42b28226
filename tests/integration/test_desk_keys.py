# SPDX-License-Identifier: GPL-2.0-or-later
"""The help desk's keys, the policies that it signs, and its backups."""
import base64
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time

from desks import PASSPHRASE, PATIENCE, bare_desk, check_policy, desk, table, uuid
from harness import CTL

BASE = """policy shiyakusho
# 版は窓口が付ける
version 41
valid-until 2099-03-31
encryption luks2
contact "情報課"
allow with-interface match-all { 07:*:* }
"""


def minisign(*args, passphrase=None):
    return subprocess.run(["minisign", *map(str, args)], input=(passphrase or "") + "\n", capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def verify(d, key, path, signature):
    return minisign("-V", "-p", d.path / "keys" / f"{key}.pub", "-m", path, "-x", signature).returncode == 0


# --- init ---------------------------------------------------------------------------------------


def test_init_makes_keys_that_are_the_owners_alone():
    with desk() as d:
        assert stat.S_IMODE(d.path.stat().st_mode) == 0o700
        for path in [d.database, *(d.path / "keys").glob("*.key"), d.path / "keys" / "organisation.sealed"]:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert sorted(p.name for p in (d.path / "keys").iterdir()) == [
            "media.key", "media.pub", "organisation.sealed", "policy-1.key", "policy-1.pub", "policy-2.key",
            "policy-2.pub"]
        keys = d.json("keys")
        assert [(k["key"], k["role"], k["here"]) for k in keys] == [
            ("policy-1", "policy", True), ("policy-2", "policy", True), ("media", "media", True)], keys
        assert keys[0]["name"] == "税務課 鈴木"
        assert not any(PASSPHRASE.encode() in p.read_bytes() for p in d.path.rglob("*") if p.is_file())


def test_a_desk_is_never_made_over_another():
    with desk(1) as d:
        assert "never overwritten" in d.refused("init", "--policy-signer=a")
        assert d.state("M-1")["status"] == "active"
        (d.directory / "full").mkdir()
        d.write("full/file", "x")
        assert "never overwritten" in d.refused("init", "--policy-signer=a", f"--desk={d.directory}/full")
        (d.directory / "empty").mkdir()
        d.ok("init", "--policy-signer=a", "--quick-kdf", f"--desk={d.directory}/empty/")
        assert sorted(p.name for p in d.directory.iterdir()) == sorted(["desk", "empty", "full", "in.csv", "passphrase"])


def test_init_refuses_what_terminals_would():
    with bare_desk() as d:
        for args in ((), ("--policy-signer=",), ("--policy-signer=a", "--require=2"), ("--policy-signer=a", "--require=0"),
                     ("--policy-signer=" + "あ" * 43,), ("--policy-signer=a\x1b",), ("--policy-signer=a", "--organisation=\x07"),
                     ["--policy-signer=a"] * 17):
            d.refused("init", "--quick-kdf", *args, status=2)
        d.write("passphrase", "\n")
        assert "must not be empty" in d.refused("init", "--quick-kdf", "--policy-signer=a")
        d.write("passphrase", "x" * 1024)
        assert "1023" in d.refused("init", "--quick-kdf", "--policy-signer=a")
        assert sorted(p.name for p in d.directory.iterdir()) == ["passphrase"]


def test_keys_are_protected_as_minisign_does_unless_told_otherwise():
    with bare_desk() as d:
        d.ok("init", "--policy-signer=a")
        for path in (d.path / "keys").glob("*.key"):
            record = base64.b64decode(path.read_text().splitlines()[1])
            assert len(record) == 158 and record[:6] == b"EdScB2"
            # crypto_pwhash_scryptsalsa208sha256_*_SENSITIVE
            assert int.from_bytes(record[38:46], "little") == 33554432 and int.from_bytes(record[46:54], "little") == 1 << 30
        d.write("message", "x")
        done = minisign("-S", "-s", d.path / "keys" / "policy-1.key", "-m", d.directory / "message", passphrase=PASSPHRASE)
        assert done.returncode == 0 and verify(d, "policy-1", d.directory / "message", d.directory / "message.minisig"), done


def test_what_stock_minisign_makes_signs_here_too():
    with desk(1) as d:
        os.remove(d.path / "keys" / "policy-1.key")
        done = subprocess.run(["minisign", "-G", "-p", d.directory / "m.pub", "-s", d.path / "keys" / "policy-1.key"],
                              input=f"{PASSPHRASE}\n{PASSPHRASE}\n", capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done
        os.chmod(d.path / "keys" / "policy-1.key", 0o600)
        d.policy("--sign=policy-1")
        done = minisign("-V", "-p", d.directory / "m.pub", "-m", d.directory / "policy")
        assert done.returncode == 0, done


def test_each_question_takes_a_line_of_the_passphrase_file():
    with bare_desk() as d:
        d.write("passphrase", "media-words-1\r\nsuzuki-words-2\nsato-words-3\norganisation-words-4\n")
        d.ok("init", "--quick-kdf", "--policy-signer=suzuki", "--policy-signer=sato")
        d.write("message", "x")
        for key, words in (("media", "media-words-1"), ("policy-1", "suzuki-words-2"), ("policy-2", "sato-words-3")):
            done = minisign("-S", "-s", d.path / "keys" / f"{key}.key", "-m", d.directory / "message", passphrase=words)
            assert done.returncode == 0, (key, done)
            done = minisign("-S", "-s", d.path / "keys" / f"{key}.key", "-m", d.directory / "message", passphrase="no")
            assert done.returncode != 0, key
        d.write("passphrase", "organisation-words-4")
        d.ok("organisation-key", "export", d.directory / "secret")
        assert "wrong passphrase" in d.refused("policy", f"--base={d.write('b', '')}", f"--out={d.directory}/p", "--sign=policy-1")
        done = d.run("organisation-key", "export", d.directory / "again", "--passphrase-file=-", passphrase=False,
                     input="organisation-words-4\n")
        assert done.returncode == 0, done
        assert (d.directory / "again").read_bytes() == (d.directory / "secret").read_bytes()


def test_the_organisations_secret_leaves_the_desk_only_on_demand():
    with desk() as d:
        d.ok("organisation-key", "export", d.directory / "secret")
        secret = (d.directory / "secret").read_bytes()
        assert len(secret) == 32 and stat.S_IMODE((d.directory / "secret").stat().st_mode) == 0o600
        assert not any(secret in p.read_bytes() for p in d.path.rglob("*") if p.is_file())
        db = sqlite3.connect(d.database)
        assert db.execute("SELECT value, by FROM settings WHERE name = 'organisation-key-exported'").fetchall() == [
            (f"{d.directory}/secret", "clerk")]
        db.close()


def test_keys_that_others_can_read_are_not_used():
    with desk() as d:
        os.chmod(d.path / "keys" / "policy-1.key", 0o640)
        assert "chmod 600" in d.refused("policy", f"--base={d.write('b', '')}", f"--out={d.directory}/p", "--sign=policy-1")
        key = d.path / "keys" / "policy-2.key"
        good = key.read_text()
        for bad in ("", "x", good[:-20], good.replace("\n", "\nA", 1), good + "more", good[:60] + "!" + good[61:]):
            key.write_text(bad)
            assert "damaged" in d.refused("policy", f"--base={d.directory}/b", f"--out={d.directory}/p", "--sign=policy-2"), bad
        assert not (d.directory / "p").exists()


# --- on a terminal -----------------------------------------------------------------------------------


def dialogue(d, answers, *args):
    """Runs the tool on a terminal of its own; answers each prompt. (status, what the terminal showed)."""
    pid, fd = pty.fork()
    if not pid:
        os.environ.clear()
        os.environ.update(d.env)
        command = d.command(*args, passphrase=False)
        os.execv(command[0], command)
    shown, answers = b"", list(answers)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                piece = os.read(fd, 4096)
            except OSError:
                break
            shown += piece
        elif answers and re.search(rb": $|\] $", shown) and not shown.endswith(b"\n"):
            os.write(fd, answers.pop(0))
            shown += b"|"
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_new_passphrase_is_asked_for_twice_and_never_shown():
    with bare_desk() as d:
        words = b"correct horse battery staple\n"
        status, shown = dialogue(d, [words] * 6, "init", "--quick-kdf", "--policy-signer=a")
        assert status == 0 and shown.count("again") == 3 and "horse" not in shown, shown
        status, shown = dialogue(d, [b"correct hosre\x7f\x7f\x7frse battery staple\n"], "organisation-key", "export",
                                 f"{d.directory}/secret")
        assert status == 0 and (d.directory / "secret").exists(), shown
    with bare_desk() as d:
        status, shown = dialogue(d, [b"one thing here\n", b"other thing\n"], "init", "--quick-kdf", "--policy-signer=a")
        assert status == 1 and "differ" in shown and not d.path.exists(), shown
        status, shown = dialogue(d, [b"abc\n", b"abc\n", b"\x03"], "init", "--quick-kdf", "--policy-signer=a")
        assert status == 1 and "short" in shown and "cancelled" in shown and not d.path.exists(), shown


def test_without_a_terminal_it_says_what_to_use():
    with desk() as d:
        done = d.run("organisation-key", "export", d.directory / "secret", passphrase=False, start_new_session=True)
        assert done.returncode == 1 and "--passphrase-file" in done.stderr, done


# --- policies ----------------------------------------------------------------------------------------


def test_the_policy_is_signed_and_everybody_can_verify_it():
    with desk(3, users="@zeimu,tanaka", terminals="ZEI-*", product="USBメモリ") as d:
        d.ok("lend", "M-1", "--holder=田中", "--until=2027-01-31")
        d.ok("lost", "M-2")
        made = d.policy("--sign=policy-1", "--sign=policy-2", base=BASE)
        assert made["version"] == 41 and made["media"] == 3 and made["signers"] == ["policy-1", "policy-2"], made
        for key in ("policy-1", "policy-2"):
            assert verify(d, key, d.directory / "policy", d.directory / f"policy.{key}.minisig")
            assert not verify(d, "media", d.directory / "policy", d.directory / f"policy.{key}.minisig")
        checked = check_policy(d.directory / "policy")
        assert checked["ok"] and checked["version"] == 41 and checked["rules"] == 1, checked
        assert checked["media_by_status"] == {"active": 1, "lent": 1, "lost": 1, "revoked": 0, "disposed": 0}, checked
        text = d.read("policy")
        assert text.startswith("policy shiyakusho\n# 版は窓口が付ける\nversion 41\nvalid-until"), text
        assert re.search(rf'^medium M-1 id 46f4:0001 serial "00000001" encryption luks2 luks-uuid {uuid(1)} class II '
                         r'holder \{ "@zeimu" "tanaka" \} terminals \{ "ZEI-\*" \} until 2027-01-31 status lent$', text, re.M), text
        public = [k["public_key"] for k in d.json("keys") if k["key"] == "media"][0]
        assert f'mark-key "{public}"' in text


def explained(d, n, **more):
    """What the policy says of a medium."""
    args = [f"--{key}={value}" for key, value in more.items()]
    line = f'device id 46f4:0001 serial "{n:08d}" name "USB" with-interface 08:06:50'
    done = subprocess.run([CTL, "--json", "explain", f"--policy={d.directory}/policy", f"--device={line}", *args],
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done
    return done.stdout


def test_terminals_do_with_the_policy_what_the_register_says():
    with desk(3) as d:
        d.ok("lend", "M-1", "--holder=田中", "--user=tanaka", "--terminals=ZEI-*", "--until=2027-01-31")
        d.ok("lost", "M-2")
        d.policy()
        good = {"user": "tanaka", "terminal": "ZEI-014", "at": "2027-01-31T12:00"}
        assert '"prove"' in explained(d, 1, **good)
        for change in ({"user": "suzuki"}, {"terminal": "KAI-001"}, {"at": "2027-02-01T00:00"}):
            assert '"prove"' not in explained(d, 1, **{**good, **change}), change
        assert "lost" in explained(d, 2, **good)
        assert '"prove"' in explained(d, 3, **good)


def test_versions_go_up_and_never_repeat():
    with desk(1) as d:
        assert [d.policy()["version"] for _ in range(3)] == [1, 2, 3]
        assert d.policy("--policy-version=10")["version"] == 10
        for version in ("10", "3"):
            assert "11 or more" in d.refused("policy", f"--base={d.directory}/base", f"--out={d.directory}/policy",
                                             f"--policy-version={version}")
        for version in ("0", "-1", "x", "1x", "99999999999999999999"):
            d.refused("policy", f"--base={d.directory}/base", f"--out={d.directory}/policy", f"--policy-version={version}",
                      status=2)
        assert d.policy("--policy-version=next")["version"] == 11
        makers = [d.start("--json", "policy", f"--base={d.directory}/base", f"--out={d.directory}/p{n}") for n in range(4)]
        for maker in makers:
            maker.communicate(timeout=PATIENCE)
        versions = [check_policy(d.directory / f"p{n}")["version"] for n in range(4)]
        assert sorted(versions) == [12, 13, 14, 15], versions


def test_a_policy_that_cannot_be_written_uses_up_its_version_and_says_so():
    with desk(1) as d:
        d.write("base", "policy x\n")
        said = d.refused("policy", f"--base={d.directory}/base", f"--out={d.directory}/none/policy")
        assert "used up" in said, said
        assert d.policy()["version"] == 2


def test_old_signatures_do_not_stay_beside_a_new_policy():
    with desk(1) as d:
        d.policy("--sign=policy-1", "--sign=policy-2")
        d.policy("--sign=policy-2")
        assert sorted(p.name for p in d.directory.glob("policy*")) == ["policy", "policy.minisig"]
        d.ok("policy", "sign", d.directory / "policy", "--sign=policy-1", "--comment=第2版を承認")
        assert verify(d, "policy-1", d.directory / "policy", d.directory / "policy.policy-1.minisig")
        assert "第2版を承認" in d.read("policy.policy-1.minisig")
        d.refused("policy", "sign", d.directory / "policy", "--sign=media", status=2)
        d.refused("policy", "sign", d.directory / "policy", status=2)
        assert "no policy-9" in d.refused("policy", "sign", d.directory / "policy", "--sign=policy-9")


def test_a_bad_base_is_refused_with_its_line():
    with desk(1) as d:
        for base, what in (("policy x\nfly\n", ":2:1:"), ("allow id 1\n", ":1:10:"),
                           (f'medium X-1 id 1234:5678 serial "" encryption luks2 luks-uuid {uuid(9)}\n', "take them out")):
            said = d.refused("policy", f"--base={d.write('base', base)}", f"--out={d.directory}/policy")
            assert what in said, said
        assert not (d.directory / "policy").exists()
        assert d.policy()["version"] == 1


def test_odd_names_and_serials_come_through_to_the_terminals():
    odd = ['a"b', "a\\b", "税-1", "a b", "{", "#x", "}", "medium"]
    with desk(8, number=lambda n: odd[n - 1], serial=lambda n: odd[n - 1], users=lambda n: odd[n - 1].replace(" ", "")) as d:
        made = d.policy()
        assert made["media"] == 8 and check_policy(d.directory / "policy")["media"] == 8


def test_wiped_and_entered_anew_media_do_not_stop_the_policy():
    with desk(2) as d:
        d.ok("dispose", "M-1", "--why=番号の付け替え")
        d.write("in.csv", table([["number", "id", "serial", "encryption", "luks_uuid"],
                                 ["M-9", "46f4:0001", "00000001", "luks2", uuid(1)], ["M-10", "46f4:0001", "x", "luks2", ""]]))
        d.ok("import", d.directory / "in.csv")
        made = d.policy()
        assert (made["media"], made["left_out"]) == (2, 2), made
        assert "was wiped" in d.refused("lend", "M-10", "--holder=a")


# --- backup -------------------------------------------------------------------------------------------


def test_a_backup_brings_the_whole_desk_back():
    with desk(20) as d:
        d.ok("lend", "M-1", "--holder=田中")
        d.policy("--sign=policy-1")
        before = [d.json("list"), d.history("M-1"), d.json("keys")]
        d.ok("backup", d.directory / "copy")
        assert stat.S_IMODE((d.directory / "copy").stat().st_mode) == 0o600
        content = (d.directory / "copy").read_bytes()
        assert "田中".encode() not in content and b"minisign" not in content
        assert "never overwritten" in d.refused("restore", d.directory / "copy")
        files = {p.name: p.read_bytes() for p in d.path.rglob("*") if p.is_file() and p.name != "register.db"}
        shutil.rmtree(d.path)
        d.ok("restore", d.directory / "copy")
        assert [d.json("list"), d.history("M-1"), d.json("keys")] == before
        assert {p.name: p.read_bytes() for p in d.path.rglob("*") if p.is_file() and p.name != "register.db"} == files
        assert d.policy("--sign=policy-1")["version"] == 2
        assert stat.S_IMODE(d.path.stat().st_mode) == 0o700


def test_a_backup_that_was_touched_is_refused():
    with desk(1) as d:
        d.ok("backup", d.directory / "copy")
        good = (d.directory / "copy").read_bytes()
        target = f"--desk={d.directory}/other"
        for offset in (0, 9, 13, 33, 50, 70, 95, len(good) // 2, len(good) - 1):
            bad = bytearray(good)
            bad[offset] ^= 1
            d.write("bad", bytes(bad))
            d.refused("restore", d.directory / "bad", target)
        for text in (b"", good[:50], good[:-1], good + b"x", (d.path / "keys" / "organisation.sealed").read_bytes()):
            d.write("bad", text)
            d.refused("restore", d.directory / "bad", target)
        d.write("passphrase", "another one\n")
        assert "wrong passphrase" in d.refused("restore", d.directory / "copy", target)
        assert not (d.directory / "other").exists()
        assert not list(d.directory.glob("other.*"))


def test_a_backup_is_one_moment_though_others_work():
    with desk(40) as d:
        numbers = [f"M-{n}" for n in range(1, 41)]
        stop = threading.Event()

        def work():
            while not stop.is_set():
                d.ok("lend", *numbers, "--holder=a")
                d.ok("return", *numbers)

        worker = threading.Thread(target=work)
        worker.start()
        try:
            for n in range(3):
                d.ok("backup", d.directory / f"copy{n}")
        finally:
            stop.set()
            worker.join()
        for n in range(3):
            d.ok("restore", d.directory / f"copy{n}", f"--desk={d.directory}/r{n}")
            # All forty moved together, always.
            assert len({m["events"] for m in d.json("list", f"--desk={d.directory}/r{n}")}) == 1


def test_restore_killed_leaves_nothing_by_halves():
    with desk(5) as d:
        d.ok("backup", d.directory / "copy")
        for delay in (0.1, 0.6, 1.0, 1.3):
            target = d.directory / "other"
            restoring = d.start("restore", d.directory / "copy", f"--desk={target}")
            time.sleep(delay)
            restoring.send_signal(signal.SIGKILL)
            restoring.communicate()
            if target.exists():
                assert len(d.json("list", f"--desk={target}")) == 5
                shutil.rmtree(target)


# --- what terminals get -------------------------------------------------------------------------------


def test_the_trust_file_asks_for_policy_signers_alone():
    with bare_desk() as d:
        d.init("--require=2")
        text = (d.path / "trust" / "sekimori-desk.trust").read_text(encoding="utf-8")
        assert "require 2 of policy\n" in text
        lines = re.findall(r'^key (\w+) "(RW\S+)" name "(.*)"$', text, re.M)
        assert [(role, name) for role, _, name in lines] == [
            ("policy", "税務課 鈴木"), ("policy", "情報課 佐藤"), ("media", "media of the desk")], text
        for (_, key, _), name in zip(lines, ("policy-1", "policy-2", "media")):
            assert (d.path / "keys" / f"{name}.pub").read_text().splitlines()[1] == key


def test_the_digest_of_every_policy_is_kept():
    with desk(1) as d:
        d.policy("--sign=policy-1", "--why=年度当初")
        db = sqlite3.connect(d.database)
        row = db.execute("SELECT version, by, why, digest, media, signers FROM policies").fetchall()
        db.close()
        digest = hashlib.blake2b((d.directory / "policy").read_bytes(), digest_size=32).hexdigest()
        assert row == [(1, "clerk", "年度当初", digest, 1, "policy-1")], row
