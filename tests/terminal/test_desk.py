# SPDX-License-Identifier: GPL-2.0-or-later
"""The help desk's tool on real disks: USB sticks and image files, dm-crypt, mkfs. No barrier here: a desk is
no terminal. What it makes is opened by plain cryptsetup and mount."""

import json
import os
import re
import shlex
import time

from disks import MIB, Disks
from terminal import BUILD

with open(os.path.join(BUILD, "stage/usr/bin/sekimori-desk"), "rb") as program:
    OPTIONS = {"files": {"/usr/bin/sekimori-desk": (0o755, program.read())}}

DISKS = Disks()
DESK = "/run/desk"
KEYS = "/run/keys.pass"  # opens the desk's own keys, and answers every question besides
PASS = "/run/medium.pass"
KEY_PASSPHRASE = "the media key of Aoba"
HOLDER = "Sakura-no-hana-2026"
USB_ID = "46f4:0001"
QUICK = "--kdf-memory 32 --kdf-passes 4 --kdf-threads 2"
IMAGE = f"--id {USB_ID} --serial"
LUKS = b"LUKS\xba\xbe"
SKUL = b"SKUL\xba\xbe"


def ready(t):
    """A desk, once for each boot."""
    if t.exists(DESK):
        return
    t.run("modprobe -a dm_mod dm_crypt loop exfat ext4; udevadm settle")
    t.write(KEYS, KEY_PASSPHRASE + "\n")
    t.write(PASS, f"{KEY_PASSPHRASE}\n{HOLDER}\n")
    desk(t, "init --organisation 'Aoba-shi' --policy-signer Tanaka --quick-kdf", passphrases=KEYS)


def command(arguments, passphrases=PASS):
    return f"sekimori-desk --desk {DESK} --by Suzuki --lang en --passphrase-file {passphrases} {arguments}"


def desk(t, arguments, passphrases=PASS, check=True):
    return t.run(command(arguments, passphrases), check=check, timeout=120)


def refused(t, arguments, reason, status=1):
    result = desk(t, arguments, check=False)
    assert result.status == status and re.search(reason, result.err), result
    return result


def issue(t, device, more="", **options):
    result = desk(t, f"issue {device} --class II --yes --json {QUICK} {more}", **options)
    return json.loads(result.out)


def inspect(t, device, more=""):
    result = desk(t, f"inspect {device} --json {more}", check=False)
    return json.loads(result.out)


def image(t, name, size="64M"):
    path = f"/run/{name}.img"
    t.run(f"rm -f {path}; truncate -s {size} {path}")
    return path


def plug(t, id, path, serial):
    """Returns the disk's node."""
    before = set(t.ls("/sys/block"))
    t.plug_storage(id, path, serial=serial)
    name = t.wait_until(lambda: next((d for d in sorted(set(t.ls("/sys/block")) - before) if d.startswith("sd")),
                                     None), what="disk")
    t.settle()
    return "/dev/" + name


def mappings(t):
    return [name for name in t.ls("/dev/mapper") if name != "control"]


def loops(t):
    return t.run("losetup -a").out


def open_plain(t, device, passphrase, shell, options=""):
    """Opens with cryptsetup, mounts, runs a shell command there, and closes."""
    t.run(f"printf %s {shlex.quote(passphrase)} | cryptsetup open --key-file - {options} {device} plain", timeout=60)
    try:
        t.run("mkdir -p /run/mnt && mount /dev/mapper/plain /run/mnt")
        return t.run(f"cd /run/mnt && {shell}").out
    finally:
        t.run("umount /run/mnt; udevadm settle; cryptsetup close plain")


def opens(t, device, passphrase):
    return t.run(f"printf %s {shlex.quote(passphrase)} | cryptsetup open --test-passphrase --key-file - {device}",
                 check=False, timeout=60).status == 0


def teardown(t):
    for id in list(t.drives):
        t.unplug(id)
    assert mappings(t) == [], mappings(t)
    t.wait_until(lambda: loops(t) == "", what="no loop device left")


# --- issuing ----------------------------------------------------------------------------------


def test_issued_image_opens_with_plain_cryptsetup_and_mount(t):
    ready(t)
    path = image(t, "first")
    issued = issue(t, path, f"{IMAGE} IMG-1 --generate")
    assert re.fullmatch(r"([a-z]{6}-){4}\d{4}", issued["passphrase"]), issued
    open_plain(t, path, issued["passphrase"], "echo 住民票 > kept")
    assert open_plain(t, path, issued["passphrase"], "cat kept").strip() == "住民票"
    assert not opens(t, path, "wrong-" + issued["passphrase"])
    found = inspect(t, path, f"{IMAGE} IMG-1")
    assert found["outcome"] == "proved" and [v["mark"] for v in found["volumes"]] == ["good"], found
    assert found["register"]["luks_uuid"] == issued["luks_uuid"] == found["volumes"][0]["uuid"], found
    assert found["register"]["number"] == issued["number"] == found["volumes"][0]["marked_number"], found
    assert found["register"]["status"] == "active" and found["volumes"][0]["kdf"] == "argon2id", found


def test_issued_stick_carries_its_own_ids_and_three_keys(t):
    ready(t)
    stick = DISKS.plain("usb")
    node = plug(t, "usb", stick, "SERIAL-0001")
    t.write("/run/three.pass", f"{KEY_PASSPHRASE}\n{KEY_PASSPHRASE}\n{HOLDER}\n")
    issued = issue(t, node, "--number R8-### --organisation-key --content 'zeimu'", passphrases="/run/three.pass")
    assert re.fullmatch(r"R8-\d{3}", issued["number"]), issued
    found = inspect(t, node)
    assert found["outcome"] == "proved" and found["volumes"][0]["mark"] == "good", found
    assert found["register"]["id"] == USB_ID and found["register"]["serial"] == "SERIAL-0001", found
    assert found["volumes"][0]["keyslots"] == 3, found
    open_plain(t, node, HOLDER, "echo x > file && sync")
    recovery = desk(t, f"recovery {issued['number']} --why 'holder forgot it'").out.strip()
    assert recovery != HOLDER and opens(t, node, recovery)
    refused(t, f"recovery {issued['number']}", "reason", status=2)
    # A stick of its own: nothing of the old partition table is left on it.
    with open(stick, "rb") as f:
        start = f.read(MIB)
    assert start.startswith(LUKS) and start[510:512] == b"\0\0"


def test_the_same_header_on_another_stick_is_called_a_copy(t):
    ready(t)
    original = DISKS.blank("original")
    issue(t, plug(t, "original", original, "SERIAL-A"))
    t.unplug("original")
    node = plug(t, "copy", original, "SERIAL-B")
    result = desk(t, f"inspect {node}", check=False)
    assert result.status == 1 and "made for another device" in result.out, result
    assert "not in the register" in result.out, result


def test_ext4_is_writable_by_whoever_has_it_open(t):
    ready(t)
    path = image(t, "ext4")
    issue(t, path, f"{IMAGE} EXT4 --filesystem ext4")
    assert open_plain(t, path, HOLDER, "stat -c '%a %T' . && stat -f -c %T .").split()[0] == "1777"


def test_a_medium_is_issued_again_only_by_its_number(t):
    ready(t)
    path = image(t, "again")
    first = issue(t, path, f"{IMAGE} AGAIN")
    refused(t, f"issue {path} --class II --yes {QUICK} {IMAGE} AGAIN", f"is medium {first['number']}")
    refused(t, f"issue {path} --class II --yes {QUICK} {IMAGE} OTHER --number {first['number']}", "another device")
    second = issue(t, path, f"{IMAGE} AGAIN --number {first['number']}")
    assert second["number"] == first["number"] and second["luks_uuid"] != first["luks_uuid"]
    assert inspect(t, path, f"{IMAGE} AGAIN")["register"]["luks_uuid"] == second["luks_uuid"]


def test_weak_protection_is_refused_before_anything_is_touched(t):
    ready(t)
    path = image(t, "weak")
    t.run(f"mkfs.ext4 -q {path}")
    for weak in ("--kdf-memory 16", "--kdf-passes 3", "--kdf-memory 5000", "--kdf-threads 9"):
        refused(t, f"issue {path} --class II --yes {IMAGE} WEAK {weak}", "argon2id takes", status=2)
    for bad, why in (("short", "12 characters"), ("aaaaaaaaaaaaaaaa", "too few"), ("ひみつのことばはひみつ", "every keyboard")):
        t.write("/run/bad.pass", f"{KEY_PASSPHRASE}\n{bad}\n")
        result = desk(t, f"issue {path} --class II --yes {IMAGE} WEAK", passphrases="/run/bad.pass", check=False)
        assert result.status == 1 and why in result.err, result
    assert "ext4" in t.run(f"blkid {path}").out


# --- refusals ---------------------------------------------------------------------------------


def test_what_is_in_use_is_refused(t):
    ready(t)
    node = plug(t, "busy", DISKS.plain("busy"), "BUSY")
    part = t.wait_until(lambda: t.exists(node + "1") and node + "1", what="partition")
    every = ("issue {} --class II --yes " + QUICK, "wipe {} --yes --overwrite")
    for line in every:
        refused(t, line.format(part), f"partition; name the whole disk .{node}")
    t.run(f"mkdir -p /run/mnt && mount {part} /run/mnt")
    for line in every:
        refused(t, line.format(node), "mounted; unmount it first ./run/mnt")
    t.run("umount /run/mnt")
    t.run(f"mkswap {node} && swapon {node}")
    for line in every:
        refused(t, line.format(node), "swap")
    t.run(f"swapoff {node}")
    t.run(f"echo 0 131072 linear {node} 0 | dmsetup create held")
    for line in every:
        refused(t, line.format(node), "in use; close what uses it first .dm-")
    t.run("dmsetup remove held")
    # What root and /usr come from, and what is built in.
    for line in every:
        refused(t, line.format("/dev/vda"), "built in")
        refused(t, line.format("/dev/vda") + f" --force-fixed {IMAGE} X", "running system|has it for itself|mounted|cannot be written")
    loop = image(t, "loop")
    t.run(f"losetup /dev/loop5 {loop}")
    for line in every:
        refused(t, line.format(loop) + f" {IMAGE} L", "in use; close what uses it first .loop5")
    t.run("losetup -d /dev/loop5")
    for what, why in (("/run", "neither a disk"), ("/dev/null", "neither a disk"), ("/run/nothing", "no such device")):
        refused(t, every[0].format(what), why)
    refused(t, every[0].format(loop), "--id VVVV:PPPP")
    refused(t, every[0].format(node) + f" {IMAGE} FALSE", "says its own id")


def test_a_write_protected_stick_is_refused(t):
    ready(t)
    t.plug_storage("protected", DISKS.blank("protected"), serial="RO", readonly=True)
    node = t.wait_until(lambda: next(("/dev/" + d for d in t.ls("/sys/block") if d.startswith("sd")), None), what="disk")
    t.settle()
    refused(t, f"issue {node} --class II --yes {QUICK}", "write-protect")


# --- stopped, killed, pulled out, twice ----------------------------------------------------------


def begin(t, device, more="", log="/run/issue.out"):
    """Starts issuing, in the background; returns its process id."""
    return t.start(command(f"issue {device} --class II --yes {QUICK} {more}"), out=log)


def wait_step(t, text, log="/run/issue.out"):
    t.wait_until(lambda: text in t.read(log), timeout=60, what=text)


def gone(t, pid):
    t.wait_until(lambda: not t.exists(f"/proc/{pid}/exe") or not t.run(f"readlink /proc/{pid}/exe", check=False).out,
                 timeout=60, what="process ended")


def test_killed_at_any_step_leaves_nothing_in_the_register_and_is_taken_up(t):
    ready(t)
    stick = DISKS.plain("killed")
    node = plug(t, "killed", stick, "KILLED")
    for step in ("writing the LUKS2", "making keyslots", "making the file system", "reading everything back"):
        pid = begin(t, node)
        wait_step(t, step)
        # A moment into the step, so that it is in the middle of something.
        time.sleep(0.4)
        t.run(f"kill -9 {pid}")
        gone(t, pid)
        found = inspect(t, node)
        assert "register" not in found, (step, found)
        assert found["outcome"] != "proved" or found["volumes"][0]["mark"] == "none", (step, found)
    issued = issue(t, node)
    found = inspect(t, node)
    assert found["volumes"][0]["mark"] == "good" and found["register"]["number"] == issued["number"], found


def test_killed_on_an_image_frees_mapping_and_loop_device_on_the_next_run(t):
    ready(t)
    path = image(t, "killed")
    pid = begin(t, path, f"{IMAGE} KILLED-IMG")
    wait_step(t, "making the file system")
    t.wait_until(lambda: mappings(t), timeout=60, what="mapping")
    t.run(f"kill -9 {pid}")
    gone(t, pid)
    assert issue(t, path, f"{IMAGE} KILLED-IMG")["number"]


def test_interrupted_says_how_the_medium_is_left(t):
    ready(t)
    node = plug(t, "stopped", DISKS.plain("stopped"), "STOPPED")
    pid = begin(t, node)
    wait_step(t, "making keyslots")
    t.run(f"kill -INT {pid}")
    gone(t, pid)
    assert "stopped; what was on the medium is gone and it cannot be used yet: run issue again" in t.read("/run/issue.out")
    assert mappings(t) == []
    assert issue(t, node)["number"]


def test_pulled_out_in_the_middle_fails_and_leaves_no_mapping(t):
    ready(t)
    node = plug(t, "pulled", DISKS.plain("pulled"), "PULLED")
    pid = begin(t, node)
    wait_step(t, "making the file system")
    t.unplug("pulled")
    gone(t, pid)
    log = t.read("/run/issue.out")
    assert "is issued" not in log and "run issue again" in log, log
    assert mappings(t) == [], log


def test_two_at_once_on_one_stick_the_second_is_refused(t):
    ready(t)
    node = plug(t, "twice", DISKS.plain("twice"), "TWICE")
    pid = begin(t, node)
    wait_step(t, "writing the LUKS2")
    for line in (f"issue {node} --class II --yes {QUICK}", f"wipe {node} --yes --overwrite"):
        refused(t, line, "another sekimori-desk is working on it")
    gone(t, pid)
    assert "is issued" in t.read("/run/issue.out")
    assert inspect(t, node)["volumes"][0]["mark"] == "good"


def test_two_desks_at_once_give_two_numbers(t):
    ready(t)
    one, two = image(t, "one"), image(t, "two")
    pids = [begin(t, path, f"{IMAGE} TWO-{n}", log=f"/run/two-{n}.out") for n, path in enumerate((one, two))]
    for pid in pids:
        gone(t, pid)
    got = [re.search(r"(M-\d+) is issued", t.read(f"/run/two-{n}.out")) for n in range(2)]
    assert all(got) and got[0].group(1) != got[1].group(1), [t.read(f"/run/two-{n}.out") for n in range(2)]


# --- enrolling and wiping --------------------------------------------------------------------------


def test_existing_luks_is_enrolled_without_touching_what_is_on_it(t):
    ready(t)
    stick = DISKS.luks2("old", passphrase="an old passphrase", size=64 * MIB)
    node = plug(t, "old", stick, "OLD-1")
    result = desk(t, f"enrol {node} --class I --yes --mark --number OLD-1")
    assert "OLD-1 is entered" in result.out, result
    found = inspect(t, node)
    assert found["volumes"][0]["mark"] == "good" and found["register"]["encryption"] == "luks2", found
    assert opens(t, node, "an old passphrase")
    plain = plug(t, "plain", DISKS.plain("unencrypted"), "PLAIN-1")
    refused(t, f"enrol {plain} --class I --yes", "not encrypted")
    desk(t, f"enrol {plain} --class I --yes --method hardware --number HW-1")
    assert inspect(t, plain)["register"]["encryption"] == "hardware"


def test_wiped_stick_is_unreadable_and_on_record(t):
    ready(t)
    stick = DISKS.blank("wiped")
    node = plug(t, "wiped", stick, "WIPED")
    number = issue(t, node)["number"]
    open_plain(t, node, HOLDER, "echo secret > file")
    header = t.run(f"dd if={node} bs=1M count=17 status=none | sha256sum").out
    result = desk(t, f"wipe {node} --yes --witness Sato --why 'end of use' --certificate /run/certificate.txt")
    assert "is wiped, and it was proved" in result.out, result
    text = t.read("/run/certificate.txt")
    for expected in ("消去証明書（様式第3号）", "Certificate of erasure", number, "WIPED", "Sato", "end of use", "2 keyslots"):
        assert expected in text, text
    assert not opens(t, node, HOLDER)
    assert "not a valid LUKS device" in t.run(f"cryptsetup luksDump {node} 2>&1", check=False).out
    assert t.run(f"blkid -p {node}", check=False).status == 2
    assert t.run(f"dd if={node} bs=1M count=17 status=none | sha256sum").out != header
    t.unplug("wiped")
    # As it lies on the medium itself: neither copy of the header, at none of the places where one may be.
    with open(stick, "rb") as f:
        data = f.read(40 * MIB)
    assert LUKS not in data and SKUL not in data and data[:MIB] == bytes(MIB)
    assert data[MIB:2 * MIB] != bytes(MIB)


def test_killed_in_the_middle_of_wiping_is_taken_up(t):
    ready(t)
    path = image(t, "half", size="256M")
    issue(t, path, f"{IMAGE} HALF")
    pid = t.start(command(f"wipe {path} --yes {IMAGE} HALF --overwrite --certificate /run/half.txt"), out="/run/wipe.out")
    wait_step(t, "overwriting everything", log="/run/wipe.out")
    t.run(f"kill -9 {pid}")
    gone(t, pid)
    assert not opens(t, path, HOLDER)
    result = desk(t, f"wipe {path} --yes {IMAGE} HALF", check=False)
    if result.status:
        assert "--overwrite" in result.err, result
        desk(t, f"wipe {path} --yes {IMAGE} HALF --overwrite")


def test_what_is_no_luks_is_overwritten_or_left_alone(t):
    ready(t)
    stick = DISKS.plain("clear", label="HIMITSU")
    DISKS.patch(stick, 33 * MIB, b"plain secret" * 1000)
    node = plug(t, "clear", stick, "CLEAR")
    refused(t, f"wipe {node} --yes", "--overwrite overwrites everything")
    with open(stick, "rb") as f:
        assert b"plain secret" in f.read()
    result = desk(t, f"wipe {node} --yes --overwrite")
    assert "not in the register" in result.err and "every block of the medium" in result.out, result
    t.unplug("clear")
    with open(stick, "rb") as f:
        data = f.read()
    assert b"plain secret" not in data and b"HIMITSU" not in data
