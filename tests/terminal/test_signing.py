# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal with trust keys: policies signed on the desk's machine by the stock minisign, and what is not."""

import json
import os
import subprocess
import tempfile

from barrier import SANITIZED, UUID, Since, check_daemon, daemon_pid, disks, images, medium, options, ready, unplug_all
from policies import POLICY_FILE, reload
from terminal import Terminal

GOOD = medium("ZEI-001", "GOOD", UUID)
STATE = "/var/lib/sekimori/policy"


class Signer:
    def __init__(self, directory, name):
        self.name, self.key = name, os.path.join(directory, name + ".key")
        public = os.path.join(directory, name + ".pub")
        subprocess.run(["minisign", "-G", "-W", "-f", "-p", public, "-s", self.key], check=True, capture_output=True)
        with open(public, encoding="utf-8") as f:
            self.public = f.read().splitlines()[1]

    def sign(self, text):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "policy")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            subprocess.run(["minisign", "-S", "-s", self.key, "-m", path, "-t", f"{self.name}: checked"], check=True,
                           capture_output=True, input=b"")
            with open(path + ".minisig", encoding="utf-8") as f:
                return f.read()


KEYS = tempfile.TemporaryDirectory()
HAYASHI, MORI, STRANGER = (Signer(KEYS.name, name) for name in ("hayashi", "mori", "stranger"))
TRUST = (f'require 1 of security\nrequire 1 of system\nkey security "{HAYASHI.public}" name "林（情報管理）"\n'
         f'key system "{MORI.public}" name "森（システム管理）"\n')


def policy(version, body=GOOD):
    return f"policy signed-terminal\nversion {version}\n{body}"


def signed(version, body=GOOD, signers=(HAYASHI, MORI)):
    """Files of a policy and its signatures."""
    text = policy(version, body)
    return {POLICY_FILE: text, **{f"{POLICY_FILE}.{s.name}.minisig": s.sign(text) for s in signers}}


OPTIONS = options(daemon=SANITIZED, files={"/etc/sekimori/trust.d/desk.trust": TRUST, **signed(1)})


def put(t, files):
    t.run(f"rm -f {POLICY_FILE}.*minisig")
    for path, text in files.items():
        t.write(path, text)


def teardown(t):
    unplug_all(t)
    check_daemon(t)


def refused(t, files, reason):
    since = Since(t)
    put(t, files)
    reload(t)
    record = since.wait("policy-refused")
    assert record["reason"] == reason, record
    return record


def property_of(t, name):
    return json.loads(t.run("busctl --json=short get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 "
                            f"org.sekimori.Sekimori1.Manager {name}").out)["data"]


def version_in_force(t):
    return int(property_of(t, "PolicyVersion"))


def test_policy_signed_by_both_roles_is_in_force_and_says_by_whom(t):
    ready(t)
    assert property_of(t, "PolicySigned") is True
    assert sorted(property_of(t, "PolicySigners")) == sorted(["森（システム管理）", "林（情報管理）"])
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    assert t.run("sekimorictl policy history", check=False).out.count("林（情報管理）") == 1


def test_what_is_not_signed_as_required_is_refused(t):
    ready(t)
    before = version_in_force(t)
    refused(t, {POLICY_FILE: policy(90, "allow\n")}, "unsigned")
    record = refused(t, signed(90, "allow\n", (HAYASHI,)), "signatures")
    assert "system" in record["error"], record
    refused(t, signed(90, "allow\n", (HAYASHI, STRANGER)), "signatures")
    # One key cannot stand for two.
    twice = signed(90, "allow\n", (HAYASHI,))
    twice[f"{POLICY_FILE}.again.minisig"] = twice[f"{POLICY_FILE}.hayashi.minisig"]
    refused(t, twice, "signatures")
    altered = signed(90)
    altered[POLICY_FILE] += "allow\n"
    refused(t, altered, "signatures")
    assert version_in_force(t) == before


def test_a_new_version_is_taken_and_an_old_one_never_again(t):
    ready(t)
    start = version_in_force(t)
    old = signed(start)
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    since.wait("released")
    put(t, signed(start + 1, medium("ZEI-001", "GOOD", UUID, status="revoked")))
    reload(t)
    since.wait("denied", reason="medium-revoked")
    t.wait_until(lambda: not disks(t), what="no disk")
    refused(t, old, "rollback")
    refused(t, signed(start + 1, GOOD), "same-version")
    assert version_in_force(t) == start + 1


def test_neither_a_missing_key_nor_a_reboot_makes_a_way_back(t):
    ready(t)
    version = version_in_force(t)
    put(t, {POLICY_FILE: policy(version + 1, "allow\n")})
    t.run("mv /etc/sekimori/trust.d/desk.trust /run/")
    since = Since(t)
    reload(t)
    assert since.wait("policy-refused")["reason"] == "trust-lost"
    t.run("mv /run/desk.trust /etc/sekimori/trust.d/")
    # What is on the disk goes on to the next boot; the policy file there is an old one.
    state = {path: (0o644, t.read_bytes(path)) for path in t.run(f"find {STATE} -type f").out.split()}
    with Terminal(name="signing", **options(files={"/etc/sekimori/trust.d/desk.trust": TRUST, **state, **signed(1)})) as next_boot:
        ready(next_boot)
        assert version_in_force(next_boot) == version
        assert property_of(next_boot, "PolicyState") == "previous"
        assert property_of(next_boot, "PolicySigned") is True
        assert daemon_pid(next_boot)
