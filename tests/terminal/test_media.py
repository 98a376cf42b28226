# SPDX-License-Identifier: GPL-2.0-or-later
"""Media that are more than one disk with one volume: two faces, cards that change, readers, UAS, partitions."""

import os
import time

import tables
from barrier import (PLAYED, SANITIZED, TOOLS, UUID, UUID_OTHER, Since, bring, check_daemon, daemon_pid, disks, ffs,
                     ffs_stop, images, medium, options, ready, start_daemon, unplug_all)
from disks import MIB, SECTOR
from luks import Header
from policies import reload, use
from readers import Reader, Slots

UAS_ID = "46f4:0003"
NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups"
SIZE = 16 * MIB
SECTORS = SIZE // SECTOR

FACES_UUID, CARD_UUID, UAS_UUID, READONLY_UUID, SLOTS_UUID, UASRO_UUID, PARTS_UUID = (
    UUID[:-3] + f"a0{i}" for i in range(7))
MEDIA = (
    medium("ZEI-001", "GOOD", UUID)
    + medium("ZEI-002", "CARD", CARD_UUID)
    + medium("ZEI-003", "FACES", FACES_UUID, ids=":".join(PLAYED))
    + medium("ZEI-004", "UAS", UAS_UUID, ids=UAS_ID)
    + medium("ZEI-005", "READONLY", READONLY_UUID, more="access ro")
    + medium("ZEI-006", "SLOTS", SLOTS_UUID, ids=":".join(PLAYED))
    + medium("ZEI-007", "UASRO", UASRO_UUID, ids=UAS_ID, more="access ro")
    + medium("ZEI-008", "PARTS", PARTS_UUID)
)
# tests/unit/test-survey.c has all tables, test_inspect.py the large sectors and the large disk.
LONG = {"test_card_that_is_taken_out_and_put_in_again_is_proved_again",
        "test_device_with_two_partition_tables_has_no_second_chance_until_it_is_plugged_anew", "test_disk_beyond_two_tib",
        "test_every_kind_of_table_with_four_volumes", "test_mounted_medium_stays_through_a_restart_and_goes_with_the_policy",
        "test_plain_card_beside_a_proved_one_keeps_all_out", "test_plain_partition_among_four_is_named",
        "test_read_only_grant_of_a_uas_stick", "test_sectors_of_4096_bytes",
        "test_uas_reader_with_more_units_than_can_be_proved_is_taken_back"}
OPTIONS = options(daemon=SANITIZED, policy="policy test-terminal\nversion 1\n" + MEDIA)


def teardown(t):
    unplug_all(t)
    check_daemon(t)
    assert daemon_pid(t), "the daemon has died"
    if "policy test-terminal\nversion 1\n" not in t.read("/etc/sekimori/policy"):
        use(t, MEDIA)


def small(uuid=UUID, **more):
    """The register's volume in 2 MiB."""
    key = "".join(f"-{k}{v}" for k, v in more.items())
    return images.get(f"small-{uuid}{key}", lambda d: d.small(f"small-{uuid}{key}", uuid=uuid, **more))


def made(name, make):
    return images.get(name, lambda d: make(d, name))


def wait_gone(t, timeout=15):
    t.wait_until(lambda: not disks(t), timeout, "no disk")


class Thief:
    """Somebody else who opens /dev/sda as soon as it is there, if he may."""

    def __init__(self, t):
        self.t = t
        self.pid = t.start(f"{NOBODY} {TOOLS}/waitdisk /dev/sda 30 && echo opened", "/run/thief")

    def assert_failed(self):
        out = self.t.read("/run/thief")
        self.t.run(f"kill {self.pid}", check=False)
        assert "opened" not in out, "somebody else has opened it"


# --- two faces ---

def longer(d, name):
    path = d.copy(name, small(FACES_UUID))
    with open(path, "r+b") as f:
        f.truncate(3 * MIB)
    return path


FACES = {
    "a plain file system": lambda d, name: d.plain(name, 4 * MIB),
    "another second copy of the header": lambda d, name: Header(d.copy(name, small(FACES_UUID))).edit(
        lambda m: m["config"].update(flags=["no-read-workqueue"]), copies=[1]).write(),
    "a longer disk": longer,
}
TABLE_FACES = {
    "another partition table": lambda d, name: d.assemble(
        name, SIZE, tables.primary((0x83, 2048, 4096), (0x0c, 8192, 8192)), {MIB: small(FACES_UUID)}),
}


def two_faces(t, first, second, what):
    ready(t)
    since = Since(t)
    thief = Thief(t)
    bring(t, [first, second])
    run = "/run/images/" + second.rsplit("/", 1)[1]
    ffs(t, "played", "FACES", f"good --image /run/images/{first.rsplit('/', 1)[1]} --face {run} --turn 1")
    since.wait("allowed", serial="FACES")
    tampering = since.wait("tampering", timeout=30, serial="FACES")
    denied = since.wait("denied", serial="FACES")
    assert denied["reason"] == "two-faces", (what, denied)
    assert tampering["medium"] == "ZEI-003" and tampering["disk"].startswith("sd"), tampering
    assert [r["kind"] for r in since.records(serial="FACES") if r["kind"] != "incident"] == [
        "held", "allowed", "released", "tampering", "revoked", "held", "denied"], (what, since.records())
    wait_gone(t)
    thief.assert_failed()
    return since


def test_device_with_two_faces_is_taken_back_for_good(t):
    first = small(FACES_UUID)
    for what, make in FACES.items():
        since = two_faces(t, first, made("face-" + what.replace(" ", "-"), make), what)
        ffs_stop(t, "played")
        since.wait("removed")


def test_device_with_two_partition_tables_has_no_second_chance_until_it_is_plugged_anew(t):
    first = made("table", lambda d, name: d.assemble(name, SIZE, tables.primary((0x83, 2048, 4096)), {MIB: small(FACES_UUID)}))
    what, make = next(iter(TABLE_FACES.items()))
    two_faces(t, first, made("face-table", make), what)
    since = Since(t)
    use(t, MEDIA)
    reload(t)
    time.sleep(4)
    assert not since.records(serial="FACES"), since.records()
    ffs_stop(t, "played")
    since.wait("removed")
    ffs(t, "played", "FACES", f"good --image /run/images/{first.rsplit('/', 1)[1]}")
    since.wait("allowed", serial="FACES")
    t.wait_until(lambda: disks(t), what="the disk")


def test_unit_that_only_the_kernel_is_told_of_is_a_second_face(t):
    ready(t)
    since = Since(t)
    bring(t, [small(FACES_UUID)])
    ffs(t, "played", "FACES", f"more-units --image /run/images/{small(FACES_UUID).rsplit('/', 1)[1]}")
    since.wait("allowed", serial="FACES")
    since.wait("tampering", timeout=30, serial="FACES")
    assert since.wait("denied", serial="FACES")["reason"] == "two-faces"
    wait_gone(t)


# --- cards ---

def test_card_that_is_taken_out_and_put_in_again_is_proved_again(t):
    ready(t)
    since = Since(t)
    reader = Reader(t, "r", small(CARD_UUID), "CARD")
    since.wait("allowed", serial="CARD")
    t.wait_until(lambda: disks(t), what="the disk")
    time.sleep(1)
    reader.eject()
    assert since.wait("revoked", timeout=20)["why"] == "medium-changed"
    assert since.wait("denied")["reason"] == "no-medium"
    wait_gone(t)
    since = Since(t)
    time.sleep(7)
    assert not since.records(), f"an empty reader is no news: {since.records()}"
    reader.insert(small(CARD_UUID))
    assert since.wait("allowed", timeout=20)["reason"] == "proved"
    t.wait_until(lambda: disks(t), what="the disk")
    assert not since.records("held"), since.records()


def test_another_card_is_judged_for_itself(t):
    ready(t)
    since = Since(t)
    reader = Reader(t, "r", small(CARD_UUID), "CARD")
    since.wait("released")
    t.wait_until(lambda: disks(t), what="the disk")
    time.sleep(1)
    reader.change(images.plain())
    since.wait("revoked", timeout=20)
    assert since.wait("denied")["reason"] == "not-encrypted"
    wait_gone(t)


def test_reader_is_let_in_with_all_its_cards_or_not_at_all(t):
    ready(t)
    since = Since(t)
    slots = Slots(t, [None, small(SLOTS_UUID), None, small(UUID_OTHER)], "SLOTS")
    allowed = since.wait("allowed", serial="SLOTS", timeout=20)
    assert allowed["reason"] == "proved" and allowed["medium"] == "ZEI-006", allowed
    t.wait_until(lambda: len(disks(t)) == 4, what="four disks")
    time.sleep(1)
    assert not since.records("revoked"), since.records()
    slots.put(2, images.plain())
    since.wait("revoked", timeout=20)
    denied = since.wait("denied")
    assert denied["reason"] == "not-encrypted" and "unit 2" in denied["detail"], denied
    wait_gone(t)


def test_plain_card_beside_a_proved_one_keeps_all_out(t):
    ready(t)
    since = Since(t)
    Slots(t, [small(SLOTS_UUID), None, images.plain()], "SLOTS")
    denied = since.wait("denied", timeout=20)
    assert denied["reason"] == "not-encrypted" and "unit 2" in denied["detail"], denied
    since.assert_no_disk()


# --- UAS ---

def test_uas_stick_is_proved_on_its_block_device_before_anybody_may_open_it(t):
    ready(t)
    since, thief = Since(t), Thief(t)
    t.plug_storage("a", small(UAS_UUID), uas=True, serial="UAS")
    allowed = since.wait("allowed", timeout=30)
    assert allowed["reason"] == "proved" and allowed["method"] == "luks2", allowed
    since.wait("released")
    assert len(disks(t)) == 1
    time.sleep(0.5)
    thief.assert_failed()


def test_plain_uas_stick_is_taken_back(t):
    ready(t)
    since, thief = Since(t), Thief(t)
    t.plug_storage("a", images.plain(), uas=True, serial="UAS")
    denied = since.wait("denied", timeout=30)
    assert denied["reason"] == "not-encrypted", denied
    assert not since.records("allowed") and not since.records("released"), since.records()
    wait_gone(t)
    thief.assert_failed()
    assert "sda" not in t.read("/proc/mounts")


def test_uas_reader_with_more_units_than_can_be_proved_is_taken_back(t):
    ready(t)
    since = Since(t)
    t.qmp("device_add", {"driver": "usb-uas", "id": "a", "bus": "xhci.0", "serial": "UAS"})
    for lun in range(17):
        t.qmp("device_add", {"driver": "scsi-hd", "id": f"a-{lun}", "bus": "a.0", "lun": lun,
                             "drive": t._drive(f"a-{lun}", small(UAS_UUID), True), "share-rw": True})
        t.drives.pop(f"a-{lun}")
    t.drives["a"] = None
    t.qmp("qom-set", {"path": "/machine/peripheral/a", "property": "attached", "value": True})
    denied = since.wait("denied", timeout=40)
    assert denied["reason"] == "too-many-volumes", denied
    assert not since.records("allowed"), since.records()
    wait_gone(t)


# --- read-only ---

def assert_read_only(t, *nodes):
    for node in nodes:
        t.wait_until(lambda: t.run(f"blockdev --getro {node}", check=False).out.strip() == "1", what=f"{node} read-only")
        before = t.run(f"head -c 4096 {node} | md5sum").out
        written = t.run(f"dd if=/dev/urandom of={node} bs=4096 count=1 conv=fsync oflag=direct", check=False)
        assert written.status != 0, written
        t.run(f"blockdev --flushbufs {node}", check=False)
        assert t.run(f"head -c 4096 {node} | md5sum").out == before


def partitioned(uuid, name="partitioned"):
    return made(name, lambda d, n: d.assemble(n, SIZE, tables.primary((0x83, 2048, 4096)), {MIB: small(uuid)}))


def test_read_only_grant_is_read_only_for_root_too(t):
    ready(t)
    since, thief = Since(t), Thief(t)
    t.plug_storage("a", partitioned(READONLY_UUID), serial="READONLY")
    assert since.wait("allowed")["access"] == "ro"
    t.wait_until(lambda: t.exists("/dev/sda1"), what="the partition")
    t.wait_until(lambda: t.read("/sys/block/sda/ro") == "1", what="the disk read-only")
    assert_read_only(t, "/dev/sda", "/dev/sda1")
    thief.assert_failed()


def test_read_only_grant_of_a_uas_stick(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", small(UASRO_UUID), uas=True, serial="UASRO")
    assert since.wait("allowed", timeout=30)["access"] == "ro"
    since.wait("released")
    assert_read_only(t, "/dev/sda")


def test_write_protected_stick_is_let_in_as_it_is(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", small(UUID), serial="GOOD", readonly=True)
    assert since.wait("allowed")["access"] == "rw"
    t.wait_until(lambda: disks(t), what="the disk")
    time.sleep(1)
    assert_read_only(t, "/dev/sda")
    assert not since.records("tampering") and not since.records("revoked"), since.records()


# --- partitions, and disks of other sizes ---

def stays(t, image, serial="PARTS", nodes=(), block_size=512):
    """Proved, let in, and still there after the second look."""
    ready(t)
    since = Since(t)
    if block_size == 512:
        t.plug_storage("a", image, serial=serial)
    else:
        Reader(t, "a", image, serial, block_size=block_size)
    record = since.wait("allowed", timeout=30)
    for node in nodes:
        t.wait_until(lambda: t.exists(node), what=node)
        status = t.run(f"stat -c '%a %U' {node}", check=False)
        assert status.out.split() == ["600", "root"], (node, status, since.records())
    t.wait_until(lambda: disks(t), what="the disk")
    time.sleep(1.5)
    assert not since.records("revoked") and len(disks(t)) == 1, since.records()
    t.unplug("a")
    since.wait("removed")
    return record


def test_every_kind_of_table_with_four_volumes(t):
    starts = [2048, 8192, 14336, 20480]
    volumes = {start * SECTOR: small(uuid) for start, uuid in zip(starts, [UUID_OTHER, PARTS_UUID, UUID, CARD_UUID])}
    parts = [(start, 4096) for start in starts]
    nodes = {"gpt": (1, 2, 3, 4), "mbr": (1, 2, 3, 4), "logical": (1, 5, 6, 7)}
    for kind, table in (("gpt", tables.gpt(SECTORS, parts)),
                        ("mbr", tables.primary(*((0x83, *part) for part in parts))),
                        ("logical", tables.logical(7168, SECTORS - 7168, parts[1:], first=[(0x83, *parts[0])]))):
        image = made(f"four-{kind}", lambda d, n, table=table: d.assemble(n, SIZE, table, volumes))
        record = stays(t, image, nodes=[f"/dev/sda{n}" for n in nodes[kind]])
        assert record["medium"] == "ZEI-008" and record["reason"] == "proved", (kind, record)


def test_plain_partition_among_four_is_named(t):
    ready(t)
    since = Since(t)

    def make(d, name):
        path = d.assemble(name, SIZE, tables.gpt(SECTORS, [(2048, 4096), (8192, 4096), (14336, 4096), (20480, 4096)]),
                          {start * SECTOR: small(PARTS_UUID) for start in (2048, 8192, 20480)})
        d.put(path, 14336 * SECTOR, d.plain(name + "-fat", 2 * MIB, partitioned=False))
        return path
    t.plug_storage("a", made("plain-among-four", make), serial="PARTS")
    denied = since.wait("denied")
    assert denied["reason"] == "not-encrypted" and "partition 3" in denied["detail"], denied
    since.assert_no_disk()


def test_sectors_of_4096_bytes(t):
    stays(t, small(PARTS_UUID), block_size=4096)
    count = SIZE // 4096
    image = made("gpt-4096", lambda d, n: d.assemble(
        n, SIZE, tables.gpt(count, [(256, 512), (1024, 512)], sector=4096), {MIB: small(PARTS_UUID), 4 * MIB: small()}))
    stays(t, image, nodes=["/dev/sda1", "/dev/sda2"], block_size=4096)


def test_disk_beyond_two_tib(t):
    size = 3 << 40
    total, middle = size // SECTOR, (5 << 39) // SECTOR
    image = made("whole-3-tib", lambda d, n: _stretched(d, n, size))
    stays(t, image)
    table = tables.gpt(total, [(2048, middle - 2048), (middle, total - 2048 - middle)])
    image = made("gpt-3-tib", lambda d, n: d.assemble(
        n, size, table, {MIB: small(PARTS_UUID), middle * SECTOR: small()}))
    stays(t, image, nodes=["/dev/sda1", "/dev/sda2"])


def _stretched(d, name, size):
    path = d.copy(name, small(PARTS_UUID))
    os.truncate(path, size)
    return path


# --- a restart ---

def test_mounted_medium_stays_through_a_restart_and_goes_with_the_policy(t):
    ready(t)
    since = Since(t)
    t.plug_storage("a", made("mountable", lambda d, n: d.luks2(n, uuid=UUID)), serial="GOOD")
    since.wait("released")
    t.wait_until(lambda: disks(t), what="the disk")
    time.sleep(1)
    t.run("echo -n sekimori | cryptsetup open --key-file - /dev/sda opened && mkfs.ext4 -q /dev/mapper/opened && "
          "mkdir -p /run/opened && mount /dev/mapper/opened /run/opened && echo kept > /run/opened/file && sync", timeout=60)
    t.run("kill -KILL $(pidof sekimorid); while pidof sekimorid; do sleep 0.1; done")
    assert t.ls("/run/sekimori") and disks(t)
    since = Since(t)
    start_daemon(t)
    since.wait("resumed", serial="GOOD")
    time.sleep(1.5)
    assert not since.records("revoked"), since.records()
    assert t.read("/run/opened/file") == "kept"
    use(t, MEDIA.replace("GOOD", "OTHER"))
    since.wait("revoked", serial="GOOD")
    since.wait("denied", serial="GOOD")
    wait_gone(t)
    t.run("umount -l /run/opened; cryptsetup close opened", check=False)
