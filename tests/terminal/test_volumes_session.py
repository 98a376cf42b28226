# SPDX-License-Identifier: GPL-2.0-or-later
"""A medium in the hands of the person who sits at the terminal: opened and closed through D-Bus by his own
sekimorictl, behind the sandbox of sekimorid.service, and closed when his session goes."""

import json
import time

from barrier import POLICY, Since, daemon_pid, disks, images, ready, unplug_all
from policies import use
from sessions import SUZUKI, TANAKA, active, login, logout, logout_all, options, run_as, session, switch

LONG = {"test_kept_at_a_switch_but_not_after_the_log_out", "test_kept_at_the_log_out_where_the_policy_says_so",
        "test_locked_screen_closes_it_where_the_policy_says_so", "test_locked_screen_leaves_it_open_otherwise",
        "test_log_out_in_the_background_closes_what_a_switch_has_kept",
        "test_log_out_while_no_daemon_runs_closes_it_with_the_next_one", "test_restarted_daemon_finds_it_open_and_can_eject_it",
        "test_switch_closes_it", "test_wrong_passphrases_are_recorded_and_delay_the_next"}
OPTIONS = options()
SLOW = 60
MOUNT = "/run/media/tanaka/ZEI-001"
SECRETS = "/run/secrets"
MEDIA = POLICY.split("default block\n")[1]

filled = []


def teardown(t):
    unplug_all(t)
    t.wait_until(lambda: not mappings(t), SLOW, "no mapping")
    logout_all(t)
    assert t.ls("/run/media") == [] and t.ls("/run/sekimori/volumes") == []
    use(t, "default block\n" + MEDIA)


def mappings(t):
    return [name for name in t.ls("/dev/mapper") if name != "control"]


def is_mounted(t):
    return MOUNT in t.read("/proc/mounts")


def volume(t):
    """The D-Bus path of the volume that is offered."""
    def there():
        return [line.split()[-1] for line in t.run("busctl tree --list org.sekimori.Sekimori1", check=False).out.splitlines()
                if "/volumes/" in line]
    return t.wait_until(there, 30, "a volume")[0]


def property(t, name):
    return t.run(f"busctl get-property org.sekimori.Sekimori1 {volume(t)} org.sekimori.Sekimori1.Volume {name}").out.strip()


def ctl(t, person, arguments, check=True):
    return run_as(t, person, f"sekimorictl {arguments}", check=check, timeout=120)


def call(t, person, method):
    """What D-Bus answers to somebody who calls it without our tools."""
    return run_as(t, person, f"busctl call org.sekimori.Sekimori1 {volume(t)} org.sekimori.Sekimori1.Volume {method}",
                  check=False)


def secret(t, person, text="sekimori"):
    """A file with a passphrase that only he can read."""
    path = f"{SECRETS}-{person.name}"
    t.write(path, text)
    t.run(f"chown {person.name} {path}; chmod 400 {path}")
    return path


def plug(t, image=None, serial="GOOD", passphrase="sekimori"):
    """A registered stick, released; given a file system by root the first time."""
    image = image or images.luks2()
    ready(t)
    since = Since(t)
    t.plug_storage("a", image, serial=serial)
    since.wait("released", timeout=SLOW)
    t.wait_until(lambda: disks(t), what="the disk")
    volume(t)
    if image not in filled:
        t.write("/run/passphrase", passphrase)
        t.run("cryptsetup open --key-file /run/passphrase /dev/sda filling && mkfs.vfat -n TESUTO /dev/mapper/filling && "
              "cryptsetup close filling", timeout=SLOW)
        filled.append(image)
    return since


def opened(t, person=TANAKA):
    """Plugged in, and opened by somebody who is logged in; where it is."""
    since = plug(t)
    opened, = json.loads(ctl(t, person, f"open --json --passphrase-file {secret(t, person)}").out)
    assert opened["mount_point"] == f"/run/media/{person.name}/ZEI-001", opened
    return since


def wait_closed(t, since):
    record = since.wait("volume-closed", SLOW)
    t.wait_until(lambda: not is_mounted(t) and not mappings(t), SLOW, "nothing open")
    assert record["user"] == "tanaka", record
    assert property(t, "State") == 's "locked"'


def test_user_opens_a_medium_for_himself_alone(t):
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    since = opened(t)
    # In the mount namespace that everybody has, not in the daemon's alone.
    assert t.run(f"nsenter -t 1 -m findmnt -no SOURCE {MOUNT}").out.startswith("/dev/mapper/sekimori-sda")
    assert t.run(f"readlink /proc/{daemon_pid(t)}/ns/mnt /proc/1/ns/mnt | sort -u | wc -l").out.strip() == "2"
    assert t.run(f"stat -c '%U %a' {MOUNT}").out.split() == ["tanaka", "700"]
    t.run(f"runuser -u tanaka -- sh -c 'echo 住民票 > {MOUNT}/x'")
    for command in (f"ls {MOUNT}", f"cat {MOUNT}/x", f"touch {MOUNT}/y"):
        assert t.run(f"runuser -u suzuki -- {command}", check=False).status != 0, command
    record, = since.records("volume-opened")
    assert (record["user"], record["uid"], record["serial"]) == ("tanaka", 1001, "GOOD"), record

    for method in ("Close", "Eject"):
        refused = call(t, SUZUKI, method)
        assert refused.status != 0 and "Access denied" in refused.err, refused
    assert is_mounted(t), "suzuki cannot end it"
    ctl(t, TANAKA, "eject")
    wait_closed(t, since)

    for arguments in (f"open --passphrase-file {secret(t, SUZUKI)}", "open --organisation"):
        refused = ctl(t, SUZUKI, arguments, check=False)
        assert refused.status != 0 and "Only who sits at the terminal" in refused.err, refused
    assert not mappings(t) and len(since.records("volume-opening")) == 1


def test_log_out_closes_it(t):
    login(t, TANAKA, 1)
    since = opened(t)
    logout(t, TANAKA)
    wait_closed(t, since)


def test_switch_closes_it(t):
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    since = opened(t)
    switch(t, SUZUKI)
    wait_closed(t, since)


def test_kept_at_a_switch_but_not_after_the_log_out(t):
    ready(t)
    use(t, "at-switch keep\ndefault block\n" + MEDIA)
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    since = opened(t)
    switch(t, SUZUKI)
    since.wait("seat", user="suzuki")
    assert call(t, TANAKA, "Close").status != 0 and is_mounted(t), "it stays as it is while suzuki sits here"
    assert t.run(f"runuser -u suzuki -- ls {MOUNT}", check=False).status != 0
    switch(t, TANAKA)
    since.wait("seat", user="tanaka")
    t.run(f"runuser -u tanaka -- touch {MOUNT}/kept")
    assert not since.records("volume-closed")
    logout(t, TANAKA)
    wait_closed(t, since)


def test_log_out_in_the_background_closes_what_a_switch_has_kept(t):
    ready(t)
    use(t, "at-switch keep\ndefault block\n" + MEDIA)
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    since = opened(t)
    switch(t, SUZUKI)
    since.wait("seat", user="suzuki")
    logout(t, TANAKA)
    assert active(t) == "suzuki"
    wait_closed(t, since)


def test_kept_at_the_log_out_where_the_policy_says_so(t):
    ready(t)
    use(t, "at-logout keep\ndefault block\n" + MEDIA)
    login(t, TANAKA, 1)
    since = opened(t)
    logout(t, TANAKA)
    since.wait("seat", user="")
    login(t, TANAKA, 1)
    since.wait("seat", user="tanaka")
    assert is_mounted(t) and not since.records("volume-closed")
    ctl(t, TANAKA, "eject")
    wait_closed(t, since)


def test_restarted_daemon_finds_it_open_and_can_eject_it(t):
    login(t, TANAKA, 1)
    since = opened(t)
    t.run(f"runuser -u tanaka -- sh -c 'echo x > {MOUNT}/x'")
    for stop in ("systemctl restart sekimorid", "systemctl kill --signal=SIGKILL sekimorid"):
        before = daemon_pid(t)
        t.run(stop)
        t.wait_until(lambda: daemon_pid(t) not in ("", before), what="another daemon")
        ready(t)
        volume(t)
        assert (property(t, "State"), property(t, "User")) == ('s "open"', 's "tanaka"'), stop
        assert t.run(f"runuser -u tanaka -- cat {MOUNT}/x").out == "x\n"
    ctl(t, TANAKA, "eject")
    wait_closed(t, since)


def test_log_out_while_no_daemon_runs_closes_it_with_the_next_one(t):
    login(t, TANAKA, 1)
    since = opened(t)
    t.run("systemctl stop sekimorid")
    logout(t, TANAKA)
    assert is_mounted(t)
    t.run("systemctl start sekimorid")
    wait_closed(t, since)


def test_wrong_passphrases_are_recorded_and_delay_the_next(t):
    login(t, TANAKA, 1)
    since = plug(t)
    wrong, right = secret(t, TANAKA, "wrong"), f"{SECRETS}-right"
    t.run(f"cp -a {wrong} {right}")
    t.write(right, "sekimori")
    for n in range(1, 4):
        def tried():
            refused = ctl(t, TANAKA, f"open --json --passphrase-file {wrong}", check=False)
            assert refused.status != 0, refused
            return len(since.records("volume-refused")) == n
        t.wait_until(tried, SLOW, f"wrong passphrase number {n} to be tried")
    records = since.records("volume-refused")
    assert [(r["reason"], r["wrong"], r["user"]) for r in records] == \
        [("wrong-passphrase", n, "tanaka") for n in (1, 2, 3)], records
    # The third is followed by four seconds in which not even the right one is tried.
    refused = ctl(t, TANAKA, f"open --json --passphrase-file {right}", check=False)
    assert refused.status != 0 and "passphrase-wait" in refused.out, refused
    assert len(since.records("volume-opening")) == 3
    t.wait_until(lambda: ctl(t, TANAKA, f"open --passphrase-file {right}", check=False).status == 0, SLOW, "the right one")
    assert is_mounted(t) and property(t, "WrongPassphrases") == "u 0"


def locked_hint(t, person, locked):
    """As his desktop tells logind when its lock screen comes or goes."""
    path = t.run(f"busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager GetSession s "
                 f"{session(t, person)['Id']}").out.split('"')[1]
    t.run(f"runuser -u {person.name} -- busctl call org.freedesktop.login1 {path} org.freedesktop.login1.Session "
          f"SetLockedHint b {locked}")
    return path


def forge(t, person, path):
    """The same signal, sent by somebody else: to all who listen, and straight to the daemon."""
    for to in ("", "--dest=org.sekimori.Sekimori1"):
        t.run(f"runuser -u {person.name} -- dbus-send --system {to} --type=signal {path} "
              "org.freedesktop.DBus.Properties.PropertiesChanged string:org.freedesktop.login1.Session "
              "dict:string:boolean:LockedHint,true array:string:LockedHint")


def answers(t):
    """The daemon has dealt with all that came before."""
    ready(t)
    time.sleep(1)
    ready(t)


def test_locked_screen_closes_it_where_the_policy_says_so(t):
    ready(t)
    use(t, "at-lock close\ndefault block\n" + MEDIA)
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    since = opened(t)
    # What is neither logind's word nor of the session in front is nothing.
    path = locked_hint(t, TANAKA, "false")
    for person in (SUZUKI, TANAKA):
        forge(t, person, path)
    locked_hint(t, SUZUKI, "true")
    answers(t)
    assert is_mounted(t) and not since.records("volume-closed")
    locked_hint(t, TANAKA, "true")
    wait_closed(t, since)
    locked_hint(t, TANAKA, "false")
    ctl(t, TANAKA, f"open --passphrase-file {secret(t, TANAKA)}")
    # Once more, by a daemon that was not there at the first time.
    t.run("systemctl restart sekimorid")
    ready(t)
    volume(t)
    assert is_mounted(t)
    since = Since(t)
    locked_hint(t, TANAKA, "true")
    wait_closed(t, since)


def test_locked_screen_leaves_it_open_otherwise(t):
    login(t, TANAKA, 1)
    since = opened(t)
    locked_hint(t, TANAKA, "true")
    answers(t)
    assert is_mounted(t) and not since.records("volume-closed")
    t.run(f"runuser -u tanaka -- touch {MOUNT}/x")
