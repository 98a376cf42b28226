# SPDX-License-Identifier: GPL-2.0-or-later
"""The desk checks a terminal's event log: with its key, and beside a second verifier made from the specification."""
import base64
import datetime
import hashlib
import json
import random
import shutil
import stat
import subprocess

from desks import PATIENCE, desk
from evidence_verifier import verify
from harness import BUILD

SEAL_LOG = BUILD / "tests" / "seal-log"
BEGIN = datetime.datetime(2026, 11, 21, 8, tzinfo=datetime.timezone.utc)


def record(i, kind="denied", **members):
    time = BEGIN + datetime.timedelta(seconds=i)
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "boot_us": 1000 * i, "kind": kind, "terminal": "madoguchi-1",
            "device": "1-2", "product": 'USB "\u202e', **members}


def seal(directory, records, *args):
    done = subprocess.run([SEAL_LOG, directory, "--terminal", "madoguchi-1", *map(str, args)],
                          input="".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def keygen(d):
    d.ok("log", "keygen", "--quick-kdf")
    return (d.path / "keys" / "desk-log.pub").read_text().strip()


def sealed_log(d, n=60, **args):
    options = [a for name, value in args.items() for a in ("--" + name.replace("_", "-"), value)]
    facts = seal(d.directory / "log", [record(i) for i in range(n)], "--checkpoint", 20, *options)
    return facts, d.directory / "log" / "events.jsonl"


def answer(d, *args, status):
    done = d.run("--json", "log", "verify", *args)
    assert done.returncode == status, done
    return json.loads(done.stdout)


def findings(d, *args):
    result = answer(d, *args, status=1)
    return [(f["kind"], f["from"], f["to"]) for f in result["findings"]]


def test_keygen_makes_a_key_once_and_only_for_its_owner():
    with desk() as d:
        public = keygen(d)
        assert len(bytes.fromhex(public)) == 32
        assert (d.path / "keys" / "desk-log.pub").read_text() == public + "\n"
        assert stat.S_IMODE((d.path / "keys" / "desk-log.sealed").stat().st_mode) == 0o600
        assert "already" in d.refused("log", "keygen", "--quick-kdf")
        assert (d.path / "keys" / "desk-log.pub").read_text() == public + "\n"


def test_a_whole_log_is_checked_with_its_keys():
    with desk() as d:
        facts, path = sealed_log(d, desk_public=keygen(d), rotate=25)
        for files in ([path.parent], sorted(path.parent.glob("events-*")) + [path]):
            result = answer(d, "--terminal-key", facts["public_hex"], "--expect-seq", facts["last_seq"], *files, status=0)
            assert result["ok"] and result["keys"] == "checked" and result["terminal"] == "madoguchi-1"
            assert result["records"] == result["macs"] == facts["last_seq"] and result["hash"] == facts["last_hash"]
        text = d.ok("log", "verify", path.parent)
        assert f"The log is whole as far as record {facts['last_seq']}; what came after it cannot be known." in text, text
        assert "The log is whole: nothing was altered" in d.ok("log", "verify", "--expect-seq", facts["last_seq"], path.parent)
        # An answer that did not arrive is none.
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run(d.command("log", "verify", "--no-key", "--json", path.parent), env=d.env, stdout=full, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 2 and b"cannot write" in done.stderr, done
            assert subprocess.run(d.command("help"), env=d.env, stdout=full, stderr=subprocess.PIPE, check=False).returncode == 1
        old = sorted(path.parent.glob("events-*"))[0]
        renamed = old.rename(old.with_name("events-20200101T000000Z-000000000001.jsonl"))
        assert findings(d, path.parent) == [("misnamed", 0, 0)]
        renamed.rename(old)
        # A terminal's key in a file of its own, and the newest file alone.
        d.write("terminal.pub", f"# madoguchi-1\n{facts['public']}\n")
        assert answer(d, "--terminal-key", d.directory / "terminal.pub", path, status=0)["first_seq"] > 1
        # Compressed, as the terminal keeps older files.
        for old in path.parent.glob("events-*"):
            subprocess.run(["zstd", "-q", "--rm", old], check=True, timeout=30)
        assert answer(d, path.parent, status=0)["macs"] == facts["last_seq"]


def test_a_log_that_is_not_sealed_to_this_desk_is_not_trusted():
    with desk() as d:
        facts, path = sealed_log(d)
        result = answer(d, path, status=1)
        assert not result["ok"] and result["keys"] == "sealed-to-nobody" and result["macs"] == 0 and not result["findings"]
        assert "CANNOT BE TRUSTED" in d.run("log", "verify", path).stdout
        assert answer(d, "--no-key", path, status=0)["ok"]
        other = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        keygen(d)
        _, path = sealed_log(d, desk_public=other)
        result = answer(d, path, status=1)
        assert result["keys"] == "sealed-to-another" and result["sealed_to"] == other


def test_what_could_not_be_checked_has_another_exit_status():
    with desk() as d:
        public = keygen(d)
        facts, path = sealed_log(d, desk_public=public)
        d.write("passphrase", "wrong\n")
        done = d.run("log", "verify", path)
        assert done.returncode == 2 and "wrong passphrase" in done.stderr and "--no-key" in done.stderr, done
        assert answer(d, "--no-key", path, status=0)["ok"]
        for args in (("nothing",), (path, "--expect-seq=x"), (path, "--terminal-key=abc"), (path, "--anchors=nothing"), (path, "--anchors=/dev/null"),
                     (path, f"--anchors={d.write('anchors', 'x')}"), (d.write("empty", ""),)):
            assert d.run("--json", "log", "verify", "--no-key", *args).returncode == 2, args


def test_a_rewritten_log_is_found_by_the_key_and_by_what_was_seen_elsewhere():
    with desk() as d:
        public = keygen(d)
        facts, path = sealed_log(d, desk_public=public)
        lines = path.read_bytes().splitlines(keepends=True)
        d.write("anchors", "".join(json.dumps({"seq": json.loads(line)["seq"], "hash": json.loads(line)["hash"]}) + "\n"
                                   for line in lines[::10]))
        assert answer(d, "--anchors", d.directory / "anchors", path, status=0)["ok"]

        # Somebody with the signing key writes record 31 and all that follow anew, with any keys.
        previous = json.loads(lines[29])["hash"]
        forged = lines[:30]
        for line in lines[30:]:
            body = line[:line.rindex(b',"mac":')].replace(b'"denied"', b'"passed"')
            hashed = body + b',"mac":"' + b"0" * 32 + b'"'
            previous = hashlib.blake2b(bytes.fromhex(previous) + hashed, digest_size=32).hexdigest()
            forged.append(hashed + b',"hash":"' + previous.encode() + b'"}\n')
        path.write_bytes(b"".join(forged))
        assert findings(d, path) == [("forged", 31, len(lines))]
        assert findings(d, "--no-key", "--anchors", d.directory / "anchors", path) == [("anchor", 31, len(lines))]
        checkpoint = next(json.loads(line)["seq"] for line in lines[30:] if b'"checkpoint"' in line)
        assert findings(d, "--no-key", path) == [("bad-signature", checkpoint, len(lines))]
        text = d.run("log", "verify", path).stdout
        assert "events.jsonl:31" in text and "THE LOG IS NOT WHOLE. The first bad record is number 31." in text
        # Its beginning alone is as it was, but not all of it.
        path.write_bytes(b"".join(lines[:30]))
        assert findings(d, "--expect-seq", facts["last_seq"], path) == [("truncated", 31, facts["last_seq"])]


def faults(text, rng):
    """Changed logs: one fault each."""
    lines = text.splitlines(keepends=True)
    for _ in range(20):
        at = rng.randrange(len(text))
        yield "byte", text[:at] + bytes([text[at] ^ 1 << rng.randrange(5)]) + text[at + 1:]
    for _ in range(5):
        i, j = sorted(rng.sample(range(len(lines)), 2))
        yield "removed", b"".join(lines[:i] + lines[i + 1:])
        yield "duplicated", b"".join(lines[:j] + [lines[i]] + lines[j:])
        yield "swapped", b"".join(lines[:i] + [lines[j]] + lines[i + 1:j] + [lines[i]] + lines[j + 1:])
        yield "cut", text[:rng.randrange(1, len(text))]


def test_two_verifiers_agree_on_good_and_on_changed_logs():
    with desk() as d:
        facts, path = sealed_log(d, desk_public=keygen(d))
        text, rng = path.read_bytes(), random.Random(5)
        key, public, last = bytes.fromhex(facts["key"]), base64.b64decode(facts["public"]), facts["last_seq"]
        options = ["--terminal-key", facts["public_hex"], "--expect-seq", last, path]
        assert verify(text, key, public, last) is None and verify(text) is None
        assert answer(d, *options, status=0)["ok"]
        for what, changed in faults(text, rng):
            path.write_bytes(changed)
            ours, theirs = findings(d, *options), verify(changed, key, public, last)
            assert len(ours) == 1 and theirs, (what, ours, theirs)
            # The other one stops where the order breaks; a record that is there too early or too late is named here.
            if what not in ("swapped", "duplicated", "cut"):
                assert ours[0][1] == theirs[0], (what, ours, theirs)


def seal_line(previous, key, seq, kind, /, **members):
    """(the record, its hash, the next key)"""
    text = json.dumps({"seq": seq, "time": f"2026-11-21T09:{seq // 60:02}:{seq % 60:02}.000000Z", "boot_us": seq, "kind": kind,
                       "terminal": "madoguchi-1", **members}, separators=(",", ":")).encode()[:-1]
    digest = hashlib.blake2b(previous + text, digest_size=32).digest()
    text += b',"mac":"' + hashlib.blake2b(digest, digest_size=16, key=key).hexdigest().encode() + b'"'
    stated = hashlib.blake2b(previous + text, digest_size=32).digest()
    return (text + b',"hash":"' + stated.hex().encode() + b'"}\n', stated,
            hashlib.blake2b(b"sekimori-log-key-1", digest_size=32, key=key).digest())


def two_logs(d, first_desk, desk_public, handed=True):
    """A log for first_desk that hands over to one for desk_public: (bytes, facts of both, number of the second's first)."""
    first, path = sealed_log(d, 20, **({"desk_public": first_desk} if first_desk else {}))
    lines, key = path.read_bytes(), bytes.fromhex(first["key"])
    for _ in range(first["last_seq"]):
        key = hashlib.blake2b(b"sekimori-log-key-1", digest_size=32, key=key).digest()
    shutil.rmtree(path.parent)
    second, path = sealed_log(d, 3, desk_public=desk_public)
    begun = json.loads(path.read_bytes().splitlines()[0])
    seq, previous = first["last_seq"], bytes.fromhex(first["last_hash"])
    if handed:
        seq += 1
        line, previous, _ = seal_line(previous, key, seq, "log-handover", next_log=second["log"], sealed_to=desk_public,
                                      sealed_hash=hashlib.blake2b(base64.b64decode(begun["sealed"]), digest_size=32).hexdigest())
        lines += line
    seq, key = seq + 1, bytes.fromhex(second["key"])
    line, stated, key = seal_line(previous, key, seq, "log-begun", why="desk-key", log=second["log"], log_first=seq,
                                  previous=previous.hex(), public=first["public"], sealed=begun["sealed"],
                                  sealed_to=desk_public)
    lines += line
    line, _, _ = seal_line(stated, key, seq + 1, "denied")
    path.write_bytes(lines + line)
    return path, first, second, seq


def test_another_desks_log_counts_only_behind_a_hand_over_and_whose_keys_were_not_checked_is_told():
    with desk() as d:
        public = keygen(d)
        # Root begins another log in the terminal's name: own keys, sealed to the desk.
        path, first, second, begun = two_logs(d, public, public, handed=False)
        keys = (bytes.fromhex(first["key"]), None, 0, {second["log"]: bytes.fromhex(second["key"])})
        d.write("header", json.dumps({"log": first["log"], "public": first["public"]}))
        assert findings(d, "--terminal-key", d.directory / "header", path) == [("begun-anew", begun, begun)]
        assert verify(path.read_bytes(), *keys) == (begun, "begun anew")

        path, first, second, begun = two_logs(d, public, public)
        keys = (bytes.fromhex(first["key"]), None, 0, {second["log"]: bytes.fromhex(second["key"])})
        assert verify(path.read_bytes(), *keys) is None
        for log in (first, second):
            d.write("header", json.dumps({"log": log["log"], "public": first["public"]}))
            result = answer(d, "--terminal-key", d.directory / "header", path, status=0)
            assert result["macs"] == result["records"] and result["unchecked"] == 0, result

        # The first log was sealed to nobody: only who knows that the second is the terminal's can tell that it was handed over to.
        path, first, second, begun = two_logs(d, None, public)
        result = answer(d, path, status=1)
        assert [(f["kind"], f["from"]) for f in result["findings"]] == [("begun-anew", begun)], result
        assert "cannot be proved" in result["findings"][0]["detail"], result
        d.write("header", json.dumps({"log": second["log"], "public": first["public"]}))
        result = answer(d, "--terminal-key", d.directory / "header", path, status=1)
        assert not result["ok"] and not result["findings"] and result["keys"] == "sealed-to-nobody", result
        assert (result["unchecked_from"], result["unchecked_to"], result["macs"]) == (1, begun - 1, 2), result
        text = d.run("log", "verify", "--terminal-key", d.directory / "header", path).stdout
        assert f"Records 1 to {begun - 1}: keys not checked." in text and "The rest of the log is whole" in text, text


def test_a_log_made_from_nothing_is_not_the_one_that_was_begun_at_set_up():
    with desk() as d:
        # Whoever knows the desk's public key can seal keys of his own to it, and root can sign.
        public = keygen(d)
        facts, path = sealed_log(d, desk_public=public)
        assert answer(d, path, status=0)["log"] == facts["log"]
        d.write("header", json.dumps({"log": facts["log"], "public": facts["public"]}))
        assert answer(d, "--terminal-key", d.directory / "header", path, status=0)["ok"]
        # The id alone can be copied into it; what was sealed cannot.
        header = {"log": facts["log"], "public": facts["public"], "sealed": json.loads(path.read_bytes().splitlines()[0])["sealed"]}
        d.write("header", json.dumps(header))
        assert answer(d, "--terminal-key", d.directory / "header", path, status=0)["ok"]
        again, path = sealed_log(d, desk_public=public, key=facts["key"])
        other = json.loads(path.read_bytes().splitlines()[0])["sealed"]
        assert other != header["sealed"]
        d.write("header", json.dumps({**header, "log": again["log"]}))
        assert findings(d, "--terminal-key", d.directory / "header", path)[0][:2] == ("foreign", 1)
        d.write("header", json.dumps({"log": "00" * 16, "public": facts["public"]}))
        assert findings(d, "--terminal-key", d.directory / "header", path)[0][:2] == ("foreign", 1)
