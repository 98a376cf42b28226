# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/mark.md, as another program would be written from it: its example is right, and so is what the page says of it."""
import base64
import ctypes
import hashlib
import json
import re

from harness import TOP

SODIUM = ctypes.CDLL("libsodium.so.23")
MEMBERS = ("type keyslots version number class uuid binding id_vendor id_product serial issued until signer signature").split()


def example():
    text = (TOP / "docs" / "mark.md").read_text(encoding="utf-8")
    part = text[text.index("## An example"):]
    canonical = "".join(line[4:] + "\n" for line in re.findall(r"^    (?:sekimori mark|[a-z]+) .*$", part, re.M))
    return (re.search(r"^    (RW\S+)$", part, re.M).group(1), canonical,
            re.search(r'^    (\{"type".*)$', part, re.M).group(1))


def canonical_form(mark):
    lines = ["sekimori mark 1", f"number {mark['number']}", f"class {mark['class']}", f"uuid {mark['uuid']}",
             f"binding {mark['binding']}", f"id {mark['id_vendor']}:{mark['id_product']}", f"serial {mark['serial']}",
             f"issued {mark['issued']}", f"until {mark['until']}", f"signer {mark['signer']}"]
    return "".join(line + "\n" for line in lines)


def verify(key, message, signature):
    return SODIUM.crypto_sign_verify_detached(signature, message, ctypes.c_ulonglong(len(message)), key) == 0


def test_the_example_of_the_specification_is_right():
    public, canonical, token = example()
    mark = json.loads(token)
    assert list(mark) == MEMBERS
    assert canonical_form(mark) == canonical
    record = base64.b64decode(public)
    assert record[:2] == b"Ed" and record[2:10].hex() == mark["signer"]
    assert verify(record[10:], canonical.encode(), bytes.fromhex(mark["signature"]))
    for change in ({"number": "ZEI-0002"}, {"class": 3}, {"serial": "AB"}, {"until": ""}):
        assert not verify(record[10:], canonical_form({**mark, **change}).encode(), bytes.fromhex(mark["signature"])), change


def test_the_binding_is_made_as_specified():
    mark = json.loads(example()[2])
    salt, digest = bytes(range(0x40, 0x60)), bytes(range(0x80, 0xa0))
    made = hashlib.sha256(b"sekimori-binding-1\0" + len(salt).to_bytes(4, "little") + salt + digest).hexdigest()
    assert made == mark["binding"]


def test_the_table_of_members_is_the_tokens():
    text = (TOP / "docs" / "mark.md").read_text(encoding="utf-8")
    table = text[text.index("| member |"):text.index("Hexadecimal digits are")]
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.splitlines()[2:] if line.startswith("|")]
    assert [name for row in rows for name in row] == MEMBERS


def test_the_programs_make_the_same_mark():
    # The unit test builds this mark from the same inputs by the programs' own code.
    unit = (TOP / "tests" / "unit" / "test-mark-example.c").read_text(encoding="utf-8")
    mark = json.loads(example()[2])
    # Long strings of C stand in pieces.
    unit = re.sub(r'"\s*\\?\n\s*"', "", unit)
    assert mark["signature"] in unit and mark["binding"] in unit
