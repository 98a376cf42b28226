# SPDX-License-Identifier: GPL-2.0-or-later
"""What sekimorid.service does with a medium beyond its holder's passphrase: the organisation's key as a credential, and
the scan before it is shown, by a real clamd."""

import json
import re

from barrier import UUID_2, Bus, Since, images
from policies import use
from sessions import TANAKA, login, options
from test_volumes import EICAR, organisation_passphrase, start_clamd
from test_volumes_session import MEDIA, SLOW, ctl, is_mounted, mappings, plug, property, secret, teardown, volume

LONG = True
OPTIONS = options(files={"/etc/sekimori/sekimorid.conf": "terminal ZEI-014\nscanner /run/clamd/ctl\n"})

# As `sekimori-desk organisation-key export` writes it.
SECRET = bytes(range(32))
CREDENTIAL = "/etc/credstore/sekimori.organisation"
FILES = 30

__all__ = ["teardown"]


def organisation_image():
    return images.get("organisation", lambda d: d.luks2("organisation", uuid=UUID_2,
                                                        passphrase=organisation_passphrase(SECRET, UUID_2)))


def restart(t):
    t.run("systemctl restart sekimorid")
    state = t.run("systemctl show sekimorid -p ActiveState --value").out.strip()
    assert state == "active", state
    volume(t)


def test_organisation_key_comes_as_a_credential(t):
    login(t, TANAKA, 1)
    t.run(f"mkdir -p -m 700 {CREDENTIAL.rsplit('/', 1)[0]}; rm -f {CREDENTIAL}")
    since = plug(t, organisation_image(), "GOOD2", organisation_passphrase(SECRET, UUID_2))
    refused = ctl(t, TANAKA, "open --json --organisation", check=False)
    assert refused.status != 0 and '"no-organisation-key"' in refused.out.replace(" ", "").replace('\\', ""), refused
    refused = ctl(t, TANAKA, "open --organisation", check=False)
    assert "This terminal does not have the organisation's key" in refused.err, refused

    for content, reason in ((SECRET[:31], "no-passphrase"), (SECRET[::-1], "wrong-passphrase")):
        t.write(CREDENTIAL, content)
        t.run(f"chmod 600 {CREDENTIAL}")
        restart(t)
        refused = ctl(t, TANAKA, "open --json --organisation", check=False)
        assert refused.status != 0 and reason in refused.out, refused
    assert property(t, "WrongPassphrases") == "u 0", "the terminal's own key does not make its user wait"

    t.write(CREDENTIAL, SECRET)
    restart(t)
    opened, = json.loads(ctl(t, TANAKA, "open --json --organisation").out)
    assert opened["mount_point"] == "/run/media/tanaka/ZEI-005", opened
    assert since.records("volume-opened")[0]["user"] == "tanaka"
    assert t.run(f"runuser -u tanaka -- sh -c 'cat {CREDENTIAL} /run/credentials/sekimori*/* /run/sekimori/secrets/*/*'",
                 check=False).out == ""
    ctl(t, TANAKA, "eject")


def test_organisation_key_can_be_sealed_to_the_machine(t):
    """As docs/man/sekimorid.8.md describes it: encrypted by systemd-creds; it counts before what lies there in the clear."""
    login(t, TANAKA, 1)
    t.run("mkdir -p /etc/credstore.encrypted")
    t.write(CREDENTIAL, SECRET[::-1])
    t.write("/run/organisation", SECRET)
    t.run("systemd-creds --with-key=host --name=sekimori.organisation encrypt /run/organisation "
          "/etc/credstore.encrypted/sekimori.organisation; rm /run/organisation")
    plug(t, organisation_image(), "GOOD2", organisation_passphrase(SECRET, UUID_2))
    restart(t)
    ctl(t, TANAKA, "open --organisation")
    ctl(t, TANAKA, "eject")
    # Only the daemon is shown it, and it is kept where nothing is swapped.
    assert t.run("findmnt -n -o FSTYPE /run/credentials/sekimori-credential@organisation.service").out.strip() == "ramfs"
    assert t.run("ls /run/sekimori/secrets/organisation").out == ""
    t.run(f"rm -r /etc/credstore.encrypted/* {CREDENTIAL}; systemctl restart sekimorid")


def test_daemon_runs_without_a_secret_that_cannot_be_opened_and_says_so(t):
    login(t, TANAKA, 1)
    plug(t, organisation_image(), "GOOD2", organisation_passphrase(SECRET, UUID_2))
    t.run("mkdir -p /etc/credstore.encrypted; systemd-creds --with-key=host --name=sekimori.other encrypt /etc/hostname "
          "/etc/credstore.encrypted/sekimori.organisation; systemd-creds --with-key=host --name=sekimori.telephone encrypt "
          "/etc/hostname /etc/credstore.encrypted/sekimori.telephone")
    since = Since(t)
    restart(t)
    record, = since.records("secret-unopened")
    assert record["secret"] == "organisation", record
    refused = ctl(t, TANAKA, "open --json --organisation", check=False)
    assert refused.status != 0 and '"organisation-key-unopened"' in refused.out.replace(" ", "").replace("\\", ""), refused
    check, = (c for c in json.loads(t.run("sekimorictl doctor --json", check=False).out) if c["id"] == "secrets")
    assert check["result"] == "fail" and "organisation" in check["detail"] and "telephone" not in check["detail"], check
    # It was tried once, and nothing restarts by itself.
    started = t.run("systemctl show sekimorid -p NRestarts --value").out.strip()
    assert started == "0" and "organisation" in t.run("systemctl list-units --failed --no-legend").out
    t.run("rm -r /etc/credstore.encrypted; systemctl reset-failed")
    since = Since(t)
    restart(t)
    assert not since.records("secret-unopened")


def fill(t, commands):
    t.run("cryptsetup open --key-file /run/passphrase /dev/sda filling && mount /dev/mapper/filling /mnt && "
          f"(cd /mnt && {commands}); umount /mnt && cryptsetup close filling", timeout=SLOW)


def progress(bus):
    """(done, total) as the property has gone, without repetitions."""
    found = re.findall(r'string "Progress"\s+variant\s+struct \{\s+uint64 (\d+)\s+uint64 (\d+)', bus.text())
    pairs = [(int(done), int(total)) for done, total in found]
    return [pair for n, pair in enumerate(pairs) if not n or pairs[n - 1] != pair]


def test_clean_medium_is_scanned_before_it_is_shown(t):
    start_clamd(t)
    login(t, TANAKA, 1)
    since = plug(t)
    t.write("/run/passphrase", "sekimori")
    fill(t, f"for i in $(seq {FILES}); do echo $i > $i; done")
    use(t, "scan yes\ndefault block\n" + MEDIA)
    bus = Bus(t)
    ctl(t, TANAKA, f"open --passphrase-file {secret(t, TANAKA)}")
    assert is_mounted(t) and since.records("volume-opened")
    t.wait_until(lambda: progress(bus)[-1:] == [(FILES, FILES)], what=f"all files scanned; there is {progress(bus)}")
    assert progress(bus)[0] == (0, 0), progress(bus)
    states = re.findall(r'string "State"\s+variant\s+string "(\w+)"', bus.text())
    assert [s for n, s in enumerate(states) if not n or states[n - 1] != s] == ["opening", "scanning", "open"], states
    bus.close()
    ctl(t, TANAKA, "eject")


def test_infected_medium_is_withheld_and_its_files_are_named(t):
    start_clamd(t)
    login(t, TANAKA, 1)
    since = plug(t)
    t.write("/run/passphrase", "sekimori")
    t.write("/run/eicar", EICAR)
    fill(t, "cp /run/eicar 請求書.doc; rm /run/eicar")
    use(t, "scan yes\ndefault block\n" + MEDIA)
    refused = ctl(t, TANAKA, f"open --passphrase-file {secret(t, TANAKA)}", check=False)
    assert refused.status != 0 and "請求書.doc" in refused.err, refused
    assert not is_mounted(t) and not mappings(t) and t.ls("/run/media") == []
    record, = since.records("volume-refused")
    assert record["reason"] == "infected" and not since.records("volume-opened"), record
    assert record["infected"] == [{"path": "請求書.doc", "signature": "Sekimori.Test.EICAR.UNOFFICIAL"}], record
    assert property(t, "State") == 's "failed"' and property(t, "Error") == 's "infected"'


def test_medium_is_withheld_while_no_scanner_answers(t):
    login(t, TANAKA, 1)
    since = plug(t)
    use(t, "scan yes\ndefault block\n" + MEDIA)
    t.run("mv /run/clamd/ctl /run/clamd/away", check=False)
    refused = ctl(t, TANAKA, f"open --json --passphrase-file {secret(t, TANAKA)}", check=False)
    t.run("mv /run/clamd/away /run/clamd/ctl", check=False)
    assert refused.status != 0 and not is_mounted(t)
    assert since.records("volume-refused")[0]["reason"] == "scan-failed"
