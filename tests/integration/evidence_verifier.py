# SPDX-License-Identifier: GPL-2.0-or-later
"""A second verifier of the event log, written from docs/evidence.md alone: BLAKE2b of Python, Ed25519 of openssl.

It names the first record that is wrong and does not try to say what happened."""
import base64
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile

# DER of an Ed25519 SubjectPublicKeyInfo (RFC 8410, 4) up to the key.
ED25519 = bytes.fromhex("302a300506032b6570032100")
LINE = re.compile(rb'(\{"seq":([1-9][0-9]*)(?:,.*)?),"mac":"([0-9a-f]{32})","hash":"([0-9a-f]{64})"\}', re.S)


def blake2b(data, size=32, key=b""):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


def signature_is_right(public, message, signature):
    with tempfile.TemporaryDirectory(prefix="sekimori-openssl-") as directory:
        d = pathlib.Path(directory)
        (d / "key").write_bytes(ED25519 + public)
        (d / "message").write_bytes(message)
        (d / "signature").write_bytes(signature)
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", d / "key", "-keyform", "DER",
                               "-rawin", "-in", d / "message", "-sigfile", d / "signature"],
                              capture_output=True, check=False, timeout=30)
        return done.returncode == 0


def handed_over(handover, record, previous):
    """Was the record before a log-handover, whose MAC was checked, to exactly the log that is begun here?"""
    sealed = base64.b64decode(record["sealed"])
    return (record["kind"] == "log-begun" and record["why"] == "desk-key"
            and handover == (previous, record["log"], blake2b(sealed).hex()))


def verify(text, first_key=None, public=None, expected=0, later_keys=None):
    """(number of the first bad record, why), or None. text: the bytes of all files, in order; first_key: of the first log,
    later_keys: by id, of those that it hands over to."""
    previous, seq, key, log, last_time, torn = bytes(32), 0, None, None, "", []
    handover = None
    excused = clock = False  # the clock was set beside here
    reversed_at = None
    if text and not text.endswith(b"\n"):
        return text.count(b"\n") + 1, "cut"
    for line in text.split(b"\n")[:-1]:
        match = LINE.fullmatch(line)
        if not match:
            torn.append(line)
            continue
        body, number, mac, stated = match[1], int(match[2]), bytes.fromhex(match[3].decode()), bytes.fromhex(match[4].decode())
        try:
            record = json.loads(line)
        except ValueError:
            return seq + 1, "no JSON"
        header = record.get("kind") in ("log-begun", "log-continued")
        if header and not seq and number > 1:
            previous, seq = bytes.fromhex(record["previous"]), number - 1
        if number != seq + 1:
            return seq + 1, "number"
        hashed = line[:line.rindex(b',"hash":')]
        if blake2b(previous + hashed) != stated:
            return number, "hash"
        if header:
            if record["previous"] != previous.hex():
                return number, "previous"
            if record["log"] != log:
                if log is not None and not handed_over(handover, record, previous):
                    return number, "begun anew"
                key = first_key if log is None else (later_keys or {}).get(record["log"])
                log, at = record["log"], record["log_first"]
                for _ in range(at, number):
                    key = key and blake2b(b"sekimori-log-key-1", key=key)
                if public and base64.b64decode(record["public"]) != public:
                    return number, "public key"
                public = base64.b64decode(record["public"])
        if key:
            if blake2b(blake2b(previous + body), 16, key) != mac:
                return number, "mac"
            if record["kind"] == "log-handover":
                handover = (stated, record["next_log"], record["sealed_hash"])
            key = blake2b(b"sekimori-log-key-1", key=key)
        if torn and not (record["kind"] == "log-recovered" and record.get("torn_bytes") == len(b"\n".join(torn))
                         and record.get("torn_hash") == blake2b(b"\n".join(torn)).hex()):
            return number, "a line that is no record"
        if not torn and record["kind"] == "log-recovered" and record.get("torn_bytes"):
            return number, "the cut line is gone"
        torn = []
        if record["kind"] == "checkpoint":
            message = (b"sekimori-log-checkpoint-1\0" + bytes.fromhex(record["log"]) + record["at"].to_bytes(8, "little")
                       + bytes.fromhex(record["head"]))
            if (record["log"] != log or record["at"] != seq or record["head"] != previous.hex()
                    or not signature_is_right(public, message, base64.b64decode(record["signature"]))):
                return number, "signature"
        clock = record["kind"] in ("clock-set", "clock-reversed")
        if reversed_at and not clock:
            return reversed_at, "clock"
        reversed_at = number if record["time"] < last_time and not clock and not excused else None
        excused, last_time, previous, seq = clock, record["time"], stated, number
    if reversed_at:
        return reversed_at, "clock"
    if torn:
        return seq + 1, "a line that is no record"
    if seq < expected:
        return seq + 1, "truncated"
    return None
