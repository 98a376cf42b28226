# SPDX-License-Identifier: GPL-2.0-or-later
"""`sekimorictl provision` on a terminal that runs: secrets that its machine alone can open, and a daemon that has taken all up."""

import json

from ground import ready

LONG = True
SECRET = "0123456789abcdef" * 2
SOURCE = "/root/provision"
CREDENTIAL = "/run/credentials/sekimori-credential@organisation.service/sekimori.organisation"


def provision(t, *args, status=0):
    done = t.run(f"sekimorictl provision {' '.join(args) or SOURCE} --json", check=False, timeout=180)
    assert done.status == status, done
    return json.loads(done.out.splitlines()[-1])


def started(t):
    return t.run("systemctl show -P ExecMainStartTimestampMonotonic sekimorid.service").out.strip()


def hand_over(t):
    t.run(f"mkdir -p {SOURCE} && cd {SOURCE} && umask 022 && "
          "printf 'sekimori-provision 1\\nterminal \"ZEI-014\"\\n' > provision.conf && cp /etc/sekimori/policy policy && "
          f"printf {SECRET} > organisation.key && chmod 600 organisation.key")


def test_secrets_reach_the_daemon_through_the_machines_own_key(t):
    ready(t)
    hand_over(t)
    first = provision(t)
    assert first["daemon"] == "restarted", first
    assert {c["what"] for c in first["changes"]} == {"settings", "credential"}, first
    assert t.read(CREDENTIAL) == SECRET
    assert SECRET not in t.read("/etc/credstore.encrypted/sekimori.organisation")
    ready(t)
    last = t.run("sekimorictl log show --kind=administration --format=json | tail -n 1").out
    assert '"Manager.ReloadPolicy"' in last and '"uid":0' in last.replace(" ", ""), last
    before = started(t)
    again = provision(t)
    assert not again["changed"] and "daemon" not in again and started(t) == before, again


def test_policy_alone_is_taken_up_without_a_restart(t):
    ready(t)
    hand_over(t)
    provision(t)
    before = started(t)
    t.run(f"echo '# revised' >> {SOURCE}/policy")
    changed = provision(t)
    assert [c["what"] for c in changed["changes"]] == ["policy"] and changed["daemon"] == "reloaded", changed
    assert started(t) == before
    digest = t.run(f"b2sum -l 256 {SOURCE}/policy").out.split()[0]
    assert digest in t.run("tail -n 1 /var/lib/sekimori/policy/index.jsonl").out


def test_secrets_put_there_in_the_clear_are_sealed_on_demand(t):
    ready(t)
    t.run("rm -rf /etc/credstore.encrypted && mkdir -p /etc/credstore && "
          f"printf {SECRET} > /etc/credstore/sekimori.organisation && chmod 600 /etc/credstore/sekimori.organisation && "
          "systemctl restart sekimorid")
    assert t.read("/run/credentials/sekimorid.service/sekimori.organisation") == SECRET
    sealed = provision(t, "--seal")
    assert sealed["daemon"] == "restarted", sealed
    assert t.read(CREDENTIAL) == SECRET
    assert t.run("ls /etc/credstore").out == ""
    assert not provision(t, "--seal")["changed"]


def secrets_check(t):
    found = json.loads(t.run("sekimorictl doctor --json", check=False, timeout=180).out)
    return next(c for c in found if c["id"] == "secrets")


def test_terminal_with_a_secret_of_another_machine_starts_with_its_keeper_and_is_mended_by_provisioning(t):
    """As with a disk in another machine: the key that sealed the credential is not this one's any more."""
    ready(t)
    hand_over(t)
    provision(t)
    t.run("rm /var/lib/systemd/credential.secret && systemd-creds setup")
    t.reboot()
    ready(t)
    unit = "sekimori-credential@organisation.service"
    assert t.run(f"systemctl show -P Result {unit}").out.strip() != "success"
    assert t.run("systemctl show -P NRestarts sekimorid.service").out.strip() == "0"
    record = json.loads(t.run("sekimorictl log show --kind=secret-unopened --format=json | tail -n 1").out)
    assert record["secret"] == "organisation", record
    check = secrets_check(t)
    assert check["result"] == "fail" and "organisation" in check["detail"] and "sekimorictl provision" in check["todo"], check
    mended = provision(t)
    assert mended["daemon"] == "restarted" and [c["what"] for c in mended["changes"]] == ["credential"], mended
    ready(t)
    assert secrets_check(t)["result"] == "ok" and t.read(CREDENTIAL) == SECRET
