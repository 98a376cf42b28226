# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimori-open by hand: neither module nor daemon, sticks are released by hand. What it does is looked at in
/proc, in sysfs and through the eyes of the user."""

import hmac
import json
import shlex

from barrier import STAGE, STICK
from disks import Disks

LONG = {"test_a_killed_helper_is_cleaned_up_after", "test_a_volume_without_an_accepted_file_system_is_closed_again",
        "test_busy_volume_names_its_holders_and_is_closed_by_force", "test_clean_volume_is_scanned_and_shown",
        "test_exfat_is_opened_for_its_user_alone_and_closed_without_a_trace",
        "test_ext4_with_content_keeps_its_owners_and_its_links_lead_nowhere", "test_fat_and_ext4_belong_to_the_user",
        "test_luks1_opens_too", "test_unplugged_while_it_is_written"}
OPTIONS = {"stages": [STAGE]}

DISKS = Disks()
OPEN = "/usr/libexec/sekimori/sekimori-open"
TANAKA = "setpriv --reuid 1001 --regid 1001 --clear-groups"
SUZUKI = "setpriv --reuid 1002 --regid 1002 --clear-groups"
MAPPING = "sekimori-test"
MAPPER = "/dev/mapper/" + MAPPING
PASSPHRASE = "関所手形 0001"
# Put together here, so that this file is not the thing itself.
EICAR = "".join(["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE", "!$H+H*"])
KINDS = {"vfat": "mkfs.vfat -n", "exfat": "mkfs.exfat -L", "ext4": "mkfs.ext4 -q -L"}

images = {}


def teardown(t):
    t.run("pkill sleep", check=False)
    close(t, force=True)
    for id in list(t.drives):
        t.unplug(id)
    assert mappings(t) == [], "a mapping is left behind"
    t.run("umount /mnt", check=False)


def mappings(t):
    return [name for name in t.ls("/dev/mapper") if name != "control"] + [
        line for line in t.run("dmsetup ls").out.splitlines() if line != "No devices found"]


def uuid(number):
    return f"5c6a0d0e-2f4b-4c7e-9a55-0000000000{number:02x}"


def image(t, name, kind, number, fill="", method="luks2"):
    """A stick encrypted here and given a file system in the guest, once."""
    if name not in images:
        make = getattr(DISKS, method)
        images[name] = make(name, uuid=uuid(number), passphrase=PASSPHRASE)
        disk = plug(t, name)
        t.write("/run/passphrase", PASSPHRASE)
        t.run(f"cryptsetup open --key-file /run/passphrase {disk} filling", timeout=60)
        if kind:
            t.run(f"{KINDS[kind]} {name.upper()} /dev/mapper/filling", timeout=60)
        if fill:
            t.run(f"mount /dev/mapper/filling /mnt && cd /mnt && {fill}\ncd / && umount /mnt", timeout=60)
        t.run("cryptsetup close filling")
        t.unplug(name)
    return images[name]


def clean_image(t):
    return image(t, "clean", "vfat", 7, "mkdir -p a/b; for i in $(seq 30); do echo $i > a/b/$i; done")


def plug(t, name, **options):
    t.plug_storage(name, images[name], serial=name.upper(), **options)
    stick = t.find_usb(STICK)
    t.settle()
    # The second layer holds it; released by hand it stays root's alone.
    t.write(f"/sys/bus/usb/devices/{stick}:1.0/authorized", "1")
    t.write("/sys/bus/usb/drivers_probe", f"{stick}:1.0")
    t.wait_until(lambda: t.exists("/sys/block/sda"), what="the disk")
    t.settle()
    return "/dev/sda"


def answers(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def helper(t, arguments, secret=PASSPHRASE, timeout=60):
    """Runs the helper as the daemon does; its lines, the last one being the result."""
    if isinstance(secret, str):
        secret = secret.encode()
    t.write("/run/secret", secret)
    result = t.run(f"{OPEN} {arguments} 3< /run/secret 4>&1 > /run/stdout", check=False, timeout=timeout)
    lines = answers(result.out)
    assert lines, result
    assert (result.status == 0) == (lines[-1]["result"] in ("open", "closed")), result
    return lines


def open_volume(t, number, node="/dev/sda", more="", method="luks2", **options):
    return helper(t, f"open --node {node} --mapping {MAPPING} --method {method} --uuid {uuid(number)} "
                  f"--uid 1001 --gid 1001 --user tanaka {more}", **options)


def close(t, force=False):
    return helper(t, f"close --mapping {MAPPING}" + (" --force" if force else ""), timeout=120)


def mount_of(t, path):
    """Options of the mount and of the file system at this place, as sets; None if there is none."""
    for line in t.read("/proc/self/mountinfo").splitlines():
        left, right = line.split(" - ")
        if left.split()[4] == path.replace(" ", "\\040"):
            return set(left.split()[5].split(",")), set(right.split()[2].split(",")), right.split()[0]
    return None


def assert_closed(t):
    assert mappings(t) == []
    assert "sekimori-test" not in t.read("/proc/mounts")
    assert t.ls("/run/sekimori/volumes") == []
    assert t.ls("/run/media") == []


def failed(lines, reason):
    assert lines[-1]["result"] == "failed" and lines[-1]["reason"] == reason, lines


def test_exfat_is_opened_for_its_user_alone_and_closed_without_a_trace(t):
    image(t, "exfat", "exfat", 1)
    plug(t, "exfat")
    lines = open_volume(t, 1)
    assert lines[-1] == {"result": "open", "mapping": MAPPING, "mount": "/run/media/tanaka/EXFAT",
                         "filesystem_label": "EXFAT"}, lines
    assert [line["step"] for line in lines[:-1]] == ["unlock", "mount"]
    options, _, kind = mount_of(t, "/run/media/tanaka/EXFAT")
    assert {"nosuid", "nodev", "noexec", "nosymfollow", "rw"} <= options and kind == "exfat", options
    assert t.run("stat -c '%u:%g %a' /run/media /run/media/tanaka /run/media/tanaka/EXFAT").out.split() == \
        ["0:0", "755", "0:1001", "750", "1001:1001", "700"]
    assert t.run(f"stat -Lc '%U:%G %a' {MAPPER}").out == "root:root 600\n"
    t.run(f"{TANAKA} sh -c 'cp /bin/true /run/media/tanaka/EXFAT/program; echo 資料 > /run/media/tanaka/EXFAT/資料.txt'")
    assert t.run(f"{TANAKA} cat /run/media/tanaka/EXFAT/資料.txt").out == "資料\n"
    assert t.run(f"{TANAKA} /run/media/tanaka/EXFAT/program", check=False).status == 126
    for command in ("ls /run/media/tanaka", "ls /run/media/tanaka/EXFAT", "cat /dev/mapper/sekimori-test"):
        assert t.run(f"{SUZUKI} {command}", check=False).status != 0, command
    assert close(t)[-1] == {"result": "closed", "forced": False}
    assert_closed(t)
    assert close(t)[-1] == {"result": "closed", "forced": False}, "closing twice is no failure"


def test_fat_and_ext4_belong_to_the_user(t):
    for number, kind in ((2, "vfat"), (3, "ext4")):
        image(t, kind, kind, number)
        plug(t, kind)
        mount = open_volume(t, number)[-1]["mount"]
        t.run(f"{TANAKA} sh -c 'echo x > {mount}/x'")
        assert t.run(f"stat -c %u {mount} {mount}/x").out.split() == ["1001", "1001"]
        close(t)
        assert_closed(t)
        t.unplug(kind)


def test_ext4_with_content_keeps_its_owners_and_its_links_lead_nowhere(t):
    image(t, "owned", "ext4", 4, "mkdir d; echo y > y; chmod 644 y; ln -s /etc/passwd link; cp /bin/sh suid; chmod 4755 suid")
    plug(t, "owned")
    mount = open_volume(t, 4)[-1]["mount"]
    assert t.run(f"stat -c %u {mount}").out.strip() == "0"
    assert t.run(f"{TANAKA} cat {mount}/y").out == "y\n"
    assert t.run(f"{TANAKA} sh -c 'echo x > {mount}/x'", check=False).status != 0
    assert t.run(f"cat {mount}/link", check=False).status != 0


def test_read_only_cannot_be_written_even_by_root(t):
    image(t, "ext4", "ext4", 3)
    plug(t, "ext4")
    mount = open_volume(t, 3, more="--read-only")[-1]["mount"]
    options, super_options, _ = mount_of(t, mount)
    assert "ro" in options and "ro" in super_options
    assert t.run(f"touch {mount}/x", check=False).status != 0
    assert t.run(f"mount -o remount,rw {mount}", check=False).status != 0
    for node in ("/dev/sda", MAPPER):
        before = t.run(f"sha256sum {node}", timeout=60).out
        assert t.run(f"dd if=/dev/urandom of={node} bs=4096 count=1 seek=2000 conv=notrunc,fsync",
                     check=False).status != 0, node
        assert t.run(f"sha256sum {node}", timeout=60).out == before
    close(t)
    assert_closed(t)


def test_wrong_passphrase_leaves_nothing(t):
    image(t, "exfat", "exfat", 1)
    plug(t, "exfat")
    failed(open_volume(t, 1, secret="wrong"), "wrong-passphrase")
    assert_closed(t)
    failed(open_volume(t, 1, secret=""), "no-passphrase")
    failed(open_volume(t, 1, secret=b"x" * 513), "no-passphrase")
    failed(open_volume(t, 2), "other-volume")
    assert_closed(t)
    assert open_volume(t, 1)[-1]["result"] == "open"
    failed(open_volume(t, 1), "open-already")
    assert mount_of(t, "/run/media/tanaka/EXFAT"), "the open one stays"


def test_luks1_opens_too(t):
    image(t, "luks1", "vfat", 5, method="luks1")
    plug(t, "luks1")
    failed(open_volume(t, 5), "other-volume")
    assert open_volume(t, 5, method="luks1")[-1]["result"] == "open"


def organisation_passphrase(secret, volume):
    """RFC 5869 by hand, as core/orgkey.h describes the key."""
    prk = hmac.digest(volume.encode(), secret, "sha256")
    return hmac.digest(prk, b"sekimori medium key 1\x01", "sha256").hex()


def test_organisation_key_is_derived_for_each_volume(t):
    secret = bytes(range(32))
    images["organisation"] = DISKS.luks2("organisation", uuid=uuid(10),
                                         passphrase=organisation_passphrase(secret, uuid(10)))
    plug(t, "organisation")
    # It holds no file system: the step after unlocking says so.
    failed(open_volume(t, 10, more="--organisation", secret=secret), "no-filesystem")
    failed(open_volume(t, 10, more="--organisation", secret=secret[::-1]), "wrong-passphrase")
    failed(open_volume(t, 10, more="--organisation", secret=secret[:31]), "no-passphrase")
    assert_closed(t)


def test_a_plain_volume_is_mounted_and_closed_by_its_place(t):
    images["plain"] = DISKS.plain("plain")
    plug(t, "plain")
    lines = helper(t, f"open --node /dev/sda1 --mapping {MAPPING} --method plain --uid 1001 --gid 1001 --user tanaka "
                   "--read-only")
    assert lines[-1]["mount"] == "/run/media/tanaka/PLAIN", lines
    assert "ro" in mount_of(t, "/run/media/tanaka/PLAIN")[1]
    t.run("mount --bind /run/media/tanaka/PLAIN /mnt")
    assert close(t)[-1] == {"result": "closed", "forced": False}
    assert mount_of(t, "/mnt") is None, "the other place is gone too"
    assert_closed(t)


def test_a_volume_without_an_accepted_file_system_is_closed_again(t):
    image(t, "empty", None, 6)
    plug(t, "empty")
    failed(open_volume(t, 6), "no-filesystem")
    assert_closed(t)
    t.write("/run/passphrase", PASSPHRASE)
    t.run("cryptsetup open --key-file /run/passphrase /dev/sda filling && mkfs.ext2 -q /dev/mapper/filling && "
          "cryptsetup close filling", timeout=60)
    failed(open_volume(t, 6), "filesystem-not-accepted")
    assert_closed(t)


def test_label_is_made_safe_and_unique(t):
    image(t, "exfat", "exfat", 1)
    plug(t, "exfat")
    t.run("mkdir -p '/run/media/tanaka/_.__税務_1'")
    mount = open_volume(t, 1, more="--label " + shlex.quote("../\n税務\u202e1"))[-1]["mount"]
    assert mount == "/run/media/tanaka/_.__税務_1-2", mount
    close(t)
    assert t.ls("/run/media/tanaka") == ["_.__税務_1"]
    t.run("rmdir /run/media/tanaka/* /run/media/tanaka")


def test_busy_volume_names_its_holders_and_is_closed_by_force(t):
    image(t, "exfat", "exfat", 1)
    plug(t, "exfat")
    mount = open_volume(t, 1)[-1]["mount"]
    holders = [t.start(f"{TANAKA} sh -c 'cd {mount}; exec sleep 1000'"),
               t.start(f"{TANAKA} sh -c 'exec sleep 1000 > {mount}/held'")]
    t.wait_until(lambda: t.exists(f"{mount}/held"))
    lines = close(t)
    failed(lines, "busy")
    assert sorted((line["pid"], line["uid"], line["holder"]) for line in lines if "holder" in line) == \
        sorted((pid, 1001, "sleep") for pid in holders), lines
    assert mount_of(t, mount), "it stays open"
    assert close(t, force=True)[-1] == {"result": "closed", "forced": True}
    assert mount_of(t, mount) is None and t.ls("/run/sekimori/volumes") == []
    # The key is out of the kernel and the stick is free while they still hold the dead mapping.
    assert t.run("dmsetup table").out.split()[-1] == "error"
    t.run("blockdev --rereadpt /dev/sda")
    t.run(f"kill {holders[0]} {holders[1]}")
    t.wait_until(lambda: mappings(t) == [], what="the mapping going with its last holder")


def test_unplugged_while_it_is_written(t):
    image(t, "ext4", "ext4", 3)
    plug(t, "ext4")
    mount = open_volume(t, 3)[-1]["mount"]
    t.run(f"{TANAKA} sh -c 'rm -f {mount}/x'")
    writer = t.start(f"{TANAKA} sh -c 'while :; do dd if=/dev/zero of={mount}/big bs=64k count=200 conv=fsync || exit; done'")
    t.wait_until(lambda: t.exists(f"{mount}/big"))
    t.unplug("ext4")
    close(t, force=True)
    t.run(f"kill {writer}; pkill dd", check=False)
    t.wait_until(lambda: mappings(t) == [], what="no mapping")
    assert_closed(t)


def test_a_killed_helper_is_cleaned_up_after(t):
    clean_image(t)
    plug(t, "clean")
    t.write("/run/secret", PASSPHRASE)
    # A scanner that takes the question and never answers holds it in the middle.
    t.run("python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); "
          "s.bind(\"/run/silent\"); s.listen(); time.sleep(1000)' & echo $! > /run/silent.pid")
    t.wait_until(lambda: t.exists("/run/silent"))
    pid = t.start(f"{OPEN} open --node /dev/sda --mapping {MAPPING} --method luks2 --uuid {uuid(7)} --uid 1001 "
                  "--gid 1001 --user tanaka --scan /run/silent 3< /run/secret 4> /run/progress")
    t.wait_until(lambda: t.exists("/run/progress") and '"scan"' in t.read("/run/progress"), 60, "the scan")
    assert t.ls("/run/media") == [], "nothing is shown before it is scanned"
    assert t.run(f"{TANAKA} ls /run/sekimori/volumes", check=False).status != 0
    t.run(f"kill -9 {pid}; kill $(cat /run/silent.pid); rm /run/silent")
    failed(open_volume(t, 7), "open-already")
    assert close(t, force=True)[-1]["result"] == "closed"
    assert_closed(t)


def test_a_listener_that_goes_away_closes_it_again(t):
    image(t, "exfat", "exfat", 1)
    plug(t, "exfat")
    t.write("/run/secret", PASSPHRASE)
    t.run(f"{OPEN} open --node /dev/sda --mapping {MAPPING} --method luks2 --uuid {uuid(1)} --uid 1001 --gid 1001 "
          "--user tanaka 3< /run/secret 4>&1 > /dev/null | true", timeout=60)
    t.wait_until(lambda: mappings(t) == [] and t.ls("/run/sekimori/volumes") == [], 60, "everything undone")
    assert_closed(t)


def start_clamd(t):
    """A real clamd whose only signature is EICAR's."""
    if t.exists("/run/clamd/ctl"):
        return "/run/clamd/ctl"
    t.run("mkdir -p /run/clamd/db")
    t.write("/run/clamd/db/test.ndb", "Sekimori.Test.EICAR:0:*:" + EICAR.encode().hex() + "\n")
    t.write("/run/clamd/conf", "LocalSocket /run/clamd/ctl\nDatabaseDirectory /run/clamd/db\nForeground yes\n"
            "User clamav\nLogFile /run/clamd/log\nLogFileUnlock yes\nMaxThreads 2\n")
    t.run("touch /run/clamd/log; chown -R clamav /run/clamd")
    t.start("clamd --config-file=/run/clamd/conf", "/run/clamd.out")
    t.wait_until(lambda: t.exists("/run/clamd/ctl"), 60, "clamd")
    return "/run/clamd/ctl"


def test_clean_volume_is_scanned_and_shown(t):
    clean_image(t)
    socket = start_clamd(t)
    plug(t, "clean")
    lines = open_volume(t, 7, more=f"--scan {socket}", timeout=120)
    assert lines[-1]["result"] == "open", lines
    scans = [line for line in lines if line.get("step") == "scan"]
    assert scans[0]["done"] == 0 and scans[-1]["done"] == scans[-1]["total"] == 32, scans
    assert t.run(f"{TANAKA} cat /run/media/tanaka/CLEAN/a/b/7").out == "7\n"
    assert t.read("/proc/self/mountinfo").count(MAPPING) == 1, "the place of scanning is gone"
    close(t)
    assert_closed(t)


def test_infected_volume_is_withheld_and_its_files_are_named(t):
    t.write("/run/eicar", EICAR)
    image(t, "ill", "ext4", 8, "mkdir d; echo good > good; cp /run/eicar 'd/bad one'; cp /run/eicar 請求書.doc; "
          "ln -s d loop; mkfifo pipe")
    t.run("rm /run/eicar")
    socket = start_clamd(t)
    plug(t, "ill")
    lines = open_volume(t, 8, more=f"--scan {socket}", timeout=120)
    failed(lines, "infected")
    assert sorted((line["infected"], line["signature"]) for line in lines if "infected" in line) == \
        [("d/bad one", "Sekimori.Test.EICAR.UNOFFICIAL"), ("請求書.doc", "Sekimori.Test.EICAR.UNOFFICIAL")], lines
    assert_closed(t)


def test_without_an_answering_scanner_the_volume_is_withheld(t):
    clean_image(t)
    plug(t, "clean")
    lines = open_volume(t, 7, more="--scan /run/nobody")
    failed(lines, "scan-failed")
    assert "does not run" in lines[-1]["detail"]
    assert_closed(t)
