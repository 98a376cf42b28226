# SPDX-License-Identifier: GPL-2.0-or-later
"""Walks the hash chain of an event log as docs/evidence.md describes it; shares no code with what writes it."""

import hashlib
import json
import re

SEALED = re.compile(rb'(\{"seq":([1-9]\d*),.*)(,"mac":"[0-9a-f]{32}"),"hash":"([0-9a-f]{64})"\}', re.S)
LOG_DIR = "/var/log/sekimori"


def log_lines(t):
    """The lines of a guest's log, rotated files that are not compressed first, without their newlines."""
    names = sorted(name for name in t.ls(LOG_DIR) if re.fullmatch(r"events-.*\.jsonl", name))
    names += ["events.jsonl"] if t.exists(f"{LOG_DIR}/events.jsonl") else []
    lines = []
    for name in names:
        data = t.read_bytes(f"{LOG_DIR}/{name}")
        lines += [line for line in data.split(b"\n") if line]
    return lines


def walk(lines):
    """What is wrong with them, in words; [] for a whole log."""
    wrong = []
    seq, head, torn = 0, bytes(32), None
    for number, line in enumerate(lines, 1):
        found = SEALED.fullmatch(line)
        if not found:
            torn = line
            if number == len(lines):
                wrong.append(f"line {number} is cut")
            continue
        record = json.loads(line)
        if torn is not None:
            digest = hashlib.blake2b(torn, digest_size=32).hexdigest()
            if (record["kind"], record.get("torn_bytes"), record.get("torn_hash")) != ("log-recovered", len(torn), digest):
                wrong.append(f"line {number - 1} is no record, and nothing tells of it")
            torn = None
        if number == 1 and record["seq"] > 1:
            seq, head = record["seq"] - 1, bytes.fromhex(record["previous"])
        digest = hashlib.blake2b(head + found[1] + found[3], digest_size=32).hexdigest()
        if record["seq"] != seq + 1:
            wrong.append(f"line {number}: {record['seq']} follows {seq}")
        elif digest != record["hash"]:
            wrong.append(f"line {number}: record {record['seq']} is altered, or does not follow the one before")
        seq, head = record["seq"], bytes.fromhex(record["hash"])
    return wrong
