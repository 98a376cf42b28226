# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks made from docs/mark.md alone, with openssl and cryptsetup: a second writer of the format."""

import base64
import hashlib
import json
import os
import struct
import subprocess

from luks import Header

PKCS8_ED25519 = bytes.fromhex("302e020100300506032b657004220420")  # RFC 8410, section 7


class Signer:
    def __init__(self, directory, name):
        self.id = hashlib.sha256(name.encode()).digest()[:8]
        self.key = os.path.join(directory, name + ".key")
        with open(self.key, "wb") as f:
            f.write(PKCS8_ED25519 + hashlib.sha256(b"seed " + name.encode()).digest())
        public = subprocess.run(["openssl", "pkey", "-inform", "DER", "-in", self.key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout[-32:]
        self.public = base64.b64encode(b"Ed" + self.id + public).decode()

    def sign(self, text):
        path = self.key + ".text"
        with open(path, "wb") as f:
            f.write(text)
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", self.key,
                               "-in", path], check=True, capture_output=True).stdout


def binding(image, offset=0):
    meta = Header(image, offset).meta()
    digest = meta["digests"]["0"]
    salt = base64.b64decode(digest["salt"])
    return hashlib.sha256(b"sekimori-binding-1\0" + struct.pack("<I", len(salt)) + salt
                          + base64.b64decode(digest["digest"])).hexdigest()


def mark(signer, image, number, serial, ids="46f4:0001", uuid=None, **more):
    """The token of a right mark; members given by name replace what it signs."""
    vendor, product = ids.split(":")
    uuid = uuid or subprocess.run(["/sbin/cryptsetup", "luksUUID", image], check=True, capture_output=True,
                                  text=True).stdout.strip()
    token = {"type": "sekimori", "keyslots": [], "version": 1, "number": number, "class": 2, "uuid": uuid,
             "binding": binding(image), "id_vendor": vendor, "id_product": product, "serial": serial,
             "issued": "2020-04-01", "until": "2099-03-31", "signer": signer.id.hex(), **more}
    text = ("sekimori mark 1\n"
            f"number {token['number']}\nclass {token['class']}\nuuid {token['uuid']}\nbinding {token['binding']}\n"
            f"id {token['id_vendor']}:{token['id_product']}\nserial {token['serial']}\nissued {token['issued']}\n"
            f"until {token['until']}\nsigner {token['signer']}\n")
    return {**token, "signature": signer.sign(text.encode()).hex()}


def put(image, token):
    """cryptsetup itself writes it into the header."""
    subprocess.run(["/sbin/cryptsetup", "token", "import", "--json-file", "-", image], check=True,
                   input=json.dumps(token).encode(), capture_output=True)
    return image
