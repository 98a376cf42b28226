# SPDX-License-Identifier: GPL-2.0-or-later
"""The first start of an image that was made by the hooks of docs/provisioning.md's recipe for mmdebstrap.

`tests/image/prepare.sh recipe` makes it.
"""

import json
import re

from ground import SLOW, Since, disks, failed_checks, images, ready, unplug_all
from recipe import DOCUMENT

LONG = True
OPTIONS = {"disk": "recipe"}


def teardown(t):
    unplug_all(t)


def secrets_left():
    """The document's last look before an image leaves the workshop."""
    with open(DOCUMENT, encoding="utf-8") as f:
        return re.search(r"No secret in the image: `(ls -A [^`]+)` finds nothing", f.read()).group(1)


def test_the_image_carries_nothing_that_is_one_machines_own(t):
    ready(t)
    done = t.run(secrets_left(), check=False)
    assert done.status != 0 and not done.out and done.err.count("No such file") == len(secrets_left().split()) - 2, done
    assert not t.run("ls /var/lib/dkms/mok.* 2>/dev/null", check=False).out
    assert "DKMS module signing key" in t.run("modinfo -F signer sekimori").out, "it was built and signed in the image"
    own = t.read("/etc/machine-id").strip()
    assert re.fullmatch("[0-9a-f]{32}", own) and own != "0123456789abcdef0123456789abcdef", own


def test_the_desks_signed_policy_is_in_force_from_the_first_start_on(t):
    ready(t)
    status = json.loads(t.run("sekimorictl status --json", check=False).out)["daemon"]
    found = {name: status[name] for name in ("PolicyState", "PolicySigned", "PolicySigners")}
    assert found == {"PolicyState": "ok", "PolicySigned": True, "PolicySigners": ["suzuki"]}, status
    failed, _ = failed_checks(t)
    assert failed.keys() == {"mode"}, failed


def test_the_drill_lets_in_and_records_what_would_be_denied(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="NOBODY")
    since.wait("would-deny", SLOW, serial="NOBODY")
    t.wait_until(lambda: disks(t), SLOW, "the disk")


def test_the_terminal_enrols_with_a_key_that_is_made_there(t):
    ready(t)
    key = t.run("sekimorictl provision --enrol", timeout=SLOW).out.strip()
    assert re.fullmatch("[0-9a-f]{64}", key), key
    assert t.run("stat -c %a /var/lib/sekimori/provision/key").out.strip() == "600"
