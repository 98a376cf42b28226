# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimori-inspect on its own: whole devices, every unit and every partition, over USB and over the
block device, which must agree."""

import atexit
import os

from disks import MIB, Disks
from inspecting import inspect, inspect_block, options, plug_reader, unplug_reader

LONG = {"test_disk_beyond_two_tebibytes", "test_four_partitions_are_proved_by_every_kind_of_table",
        "test_one_plain_partition_spoils_the_device", "test_plain_and_damaged_disks_are_told_apart", "test_sectors_of_4096_bytes"}
OPTIONS = options()
TIB = 1 << 40
RSS_KIB = 3 << 10  # the inspector's bound

disks = Disks()
atexit.register(disks.close)
made = {}


def uuid(n):
    return f"0f3b6a58-6b1c-4c59-9c3f-8d2a54d9c{n:03x}"


def luks(n, size=20 * MIB):
    """Volume number n; made once."""
    if (n, size) not in made:
        made[n, size] = disks.luks2(f"luks-{n}-{size}", uuid=uuid(n), size=size, label=f"媒体{n}")
    return made[n, size]


def four():
    return [luks(n) for n in range(4)]


def show(report):
    return f"{report['outcome']}: {report['detail']}"


def disk_of(t):
    """The node of the only USB disk, once it can be read. inspect() has taken its driver off before."""
    name = t.wait_until(lambda: [d for d in t.ls("/sys/block") if d.startswith("sd")], what="a disk")[0]
    t.wait_until(lambda: t.run(f"dd if=/dev/{name} of=/dev/null bs=4096 count=1", check=False).status == 0)
    return f"/dev/{name}"


def both(t, image, id="stick", uas=False, **properties):
    """Inspected on the block device, and over USB after that. QEMU's usb-storage forgets the properties
    of its disk, so a disk with some is the only one of a reader."""
    nodes = []
    if properties:
        nodes = plug_reader(t, id, [image], **properties)
    else:
        t.plug_storage(id, image, uas=uas, serial="INSPECTED")
    try:
        block = inspect_block(t, disk_of(t))
        usb = None if uas else inspect(t)
    finally:
        unplug_reader(t, id, nodes)
    for report in (block, usb):
        if report:
            assert report["maxrss_kib"] < RSS_KIB, report["maxrss_kib"]
    if usb:
        assert (usb["outcome"], usb["detail"]) == (block["outcome"], block["detail"]), (show(usb), show(block))
        for name in ("blocks", "block_size", "table", "digest", "write_protected"):
            assert usb["unit0." + name] == block["unit0." + name], name
        assert usb.all("volume.uuid") == block.all("volume.uuid")
    return usb or block


def test_whole_disk_is_proved_in_few_commands(t):
    report = both(t, luks(9, 64 * MIB))
    assert report["outcome"] == "proved", show(report)
    assert report["commands"] <= 12 and report["bytes_read"] <= 40 << 10, report
    assert report.all("volume.uuid") == [uuid(9)] and report["volume0.partition"] == 0
    assert report["volume0.label"] == "媒体9" and report["volume0.kdf"] == "pbkdf2", report
    assert report["unit0.table"] == "none" and report["unit0.vendor"] == "QEMU"


def test_four_partitions_are_proved_by_every_kind_of_table(t):
    for table, numbers in (("mbr", [1, 2, 3, 4]), ("logical", [1, 5, 6, 7]), ("gpt", [1, 2, 3, 4])):
        report = both(t, disks.parts("four-" + table, four(), table=table), id=table)
        assert report["outcome"] == "proved", f"{table}: {show(report)}"
        assert report.all("volume.partition") == numbers, report
        assert report.all("volume.uuid") == [uuid(n) for n in range(4)]


def test_kernel_finds_the_partitions_that_were_proved(t):
    """There is no second way to read the disk: what the kernel makes of it is what the report says."""
    for table in ("logical", "gpt"):
        image = disks.parts("same-" + table, four(), table=table)
        t.plug_storage(table, image, serial="INSPECTED")
        disk = os.path.basename(disk_of(t))
        report = inspect_block(t, "/dev/" + disk)
        found = []
        for part in t.ls(f"/sys/block/{disk}"):
            if part.startswith(disk):
                base = f"/sys/block/{disk}/{part}/"
                number, start, size = (int(t.read(base + f)) for f in ("partition", "start", "size"))
                if size > 2:  # an extended partition itself is shown with two sectors
                    found.append((number, start * 512, size * 512))
        t.unplug(table)
        assert sorted(found) == list(zip(report.all("volume.partition"), report.all("volume.offset"),
                                         report.all("volume.size"))), (found, report)


def test_one_plain_partition_spoils_the_device(t):
    for table in ("logical", "gpt"):
        image = disks.parts("spoilt-" + table, [luks(0), luks(1), disks.ext4("plain-" + table, 20 * MIB), luks(3)],
                            table=table)
        report = both(t, image, id=table)
        assert report["outcome"] == "plain", show(report)
        assert report["detail"].startswith(f"partition {6 if table == 'logical' else 3}: not encrypted: ext"), report
        assert report["volumes"] == 0


def test_plain_and_damaged_disks_are_told_apart(t):
    fat = both(t, disks.plain("fat"), id="fat")
    assert fat["outcome"] == "plain" and "fat" in fat["detail"], show(fat)
    bare = both(t, disks.plain("bare", partitioned=False), id="bare")
    assert bare["outcome"] == "plain" and "fat" in bare["detail"], show(bare)
    zero = both(t, disks.blank("zero"), id="zero")
    assert zero["outcome"] == "plain" and "zeroes" in zero["detail"], show(zero)
    broken = disks.luks2("broken", uuid=uuid(0x10))
    disks.patch(broken, 16384 + 5000, b"\1")
    report = both(t, broken, id="broken")
    assert report["outcome"] == "damaged", show(report)


def test_file_system_beside_the_partition_is_found(t):
    image = disks.parts("beside", [luks(0)], table="mbr", size=34 * MIB)
    disks.copy_in(image, 24 * MIB, disks.ext4("hidden", 8 * MIB))
    report = both(t, image)
    assert report["outcome"] == "slack" and "ext" in report["detail"], show(report)


def test_luks1_is_proved(t):
    report = both(t, disks.luks1("luks1", uuid=uuid(0x11)))
    assert report["outcome"] == "proved", show(report)
    assert report.all("volume.method") == ["luks1"] and report.all("volume.uuid") == [uuid(0x11)]


def test_sectors_of_4096_bytes(t):
    for name, image in (("whole", luks(9, 64 * MIB)),
                        ("gpt", disks.parts("4k-gpt", four(), table="gpt", sector=4096)),
                        ("logical", disks.parts("4k-logical", four(), table="logical", sector=4096))):
        report = both(t, image, id="k" + name, logical_block_size=4096, physical_block_size=4096)
        assert report["outcome"] == "proved", f"{name}: {show(report)}"
        assert report["unit0.block_size"] == 4096


def test_disk_beyond_two_tebibytes(t):
    whole = disks.luks2("huge", uuid=uuid(0x20))
    os.truncate(whole, 3 * TIB)
    report = both(t, whole, id="huge")
    assert report["outcome"] == "proved", show(report)
    assert report["unit0.blocks"] == 3 * TIB // 512

    first, second = disks.luks2("huge-1", uuid=uuid(0x21)), disks.luks2("huge-2", uuid=uuid(0x22))
    os.truncate(first, 5 * TIB // 2 - MIB)
    report = both(t, disks.parts("huge-gpt", [first, second], table="gpt"), id="gpt")
    assert report["outcome"] == "proved", show(report)
    assert report["volume1.offset"] == 5 * TIB // 2


def test_eight_units_are_proved(t):
    nodes = plug_reader(t, "reader", [luks(n) for n in range(8)])
    report = inspect(t)
    unplug_reader(t, "reader", nodes)
    assert report["outcome"] == "proved", show(report)
    assert report["units"] == 8 and report.all("volume.unit") == list(range(8))
    assert report.all("volume.uuid") == [uuid(n) for n in range(8)]
    assert report["commands"] <= 8 * 12 and report["maxrss_kib"] < RSS_KIB, report


def test_one_plain_unit_spoils_the_reader(t):
    nodes = plug_reader(t, "reader", [luks(0), disks.ext4("unit", 20 * MIB), luks(1)])
    report = inspect(t)
    unplug_reader(t, "reader", nodes)
    assert report["outcome"] == "plain" and report["detail"] == "unit 1: not encrypted: ext", show(report)
    assert report.all("unit.state") == ["disk"] * 3 and report["volumes"] == 0


def test_cd_drive_beside_a_disk_is_told_of(t):
    """As hardware-encrypting sticks look while they are locked."""
    nodes = plug_reader(t, "reader", [None, luks(0)])
    report = inspect(t)
    unplug_reader(t, "reader", nodes)
    assert report["outcome"] == "not-disk", show(report)
    assert report.all("unit.state") == ["other", "disk"] and report.all("unit.type") == [5, 0]
    assert report.all("unit.product") == ["QEMU CD-ROM", "QEMU HARDDISK"]


READER = """
set -e
/usr/lib/terminal/gadget.sh prepare
g=/sys/kernel/config/usb_gadget/reader
mkdir $g $g/strings/0x409 $g/configs/c.1 $g/functions/mass_storage.0
echo 0x1d6b > $g/idVendor; echo 0x0104 > $g/idProduct; echo READER > $g/strings/0x409/serialnumber
cd $g/functions/mass_storage.0
mkdir lun.1 lun.2 lun.3
for lun in lun.?; do echo 1 > $lun/removable; done
ln -s $PWD ../../configs/c.1
ls /sys/class/udc | head -n 1 > $g/UDC
"""


def test_card_reader_with_empty_slots(t):
    card = "/run/card"
    with open(luks(0), "rb") as f:
        t.write(card, f.read(32768))
    t.run(f"truncate -s 20M {card}; cp {card} {card}-2")
    t.run(READER)
    lun = "/sys/kernel/config/usb_gadget/reader/functions/mass_storage.0/lun."

    report = inspect(t, "1d6b:0104")
    assert report["outcome"] == "no-medium" and report.all("unit.state") == ["empty"] * 4, show(report)
    t.run(f"echo {card} > {lun}2/file")
    report = inspect(t, "1d6b:0104")
    assert report["outcome"] == "proved", show(report)
    assert report.all("unit.state") == ["empty", "empty", "disk", "empty"] and report.all("volume.unit") == [2]
    t.run(f"echo {card}-2 > {lun}0/file; printf x | dd of={card}-2 conv=notrunc 2>/dev/null")
    report = inspect(t, "1d6b:0104")
    assert report["outcome"] == "plain" and report["detail"].startswith("unit 0: "), show(report)
    t.run(f"echo > {lun}0/file; echo > {lun}2/file")
    report = inspect(t, "1d6b:0104")
    assert report["outcome"] == "no-medium", show(report)
    t.run("echo > /sys/kernel/config/usb_gadget/reader/UDC")
    t.wait_until(lambda: "1d6b:0104" not in t.usb().values(), what="no reader")


def test_write_protection_is_seen_both_ways(t):
    t.plug_storage("stick", luks(9, 64 * MIB), serial="INSPECTED", readonly=True)
    block, usb = inspect_block(t, disk_of(t)), inspect(t)
    t.unplug("stick")
    assert usb["unit0.write_protected"] == block["unit0.write_protected"] == 1
    assert usb["unit0.digest"] == block["unit0.digest"]


def test_uas_disk_is_proved_on_the_block_device(t):
    report = both(t, luks(9, 64 * MIB), uas=True)
    assert report["outcome"] == "proved" and report["commands"] == 0, show(report)


def test_block_device_is_read_past_the_cache(t):
    image = disks.luks2("cached", uuid=uuid(0x30))
    t.plug_storage("stick", image, serial="INSPECTED")
    disk = disk_of(t)
    t.run(f"dd if={disk} of=/dev/null bs=64k count=4")
    assert inspect_block(t, disk)["outcome"] == "proved"
    # The guest's cache still has the old bytes; the medium has others.
    disks.patch(image, 16384 + 5000, b"\1")
    report = inspect_block(t, disk)
    t.unplug("stick")
    assert report["outcome"] == "damaged", show(report)


def test_block_mode_takes_only_the_block_device_that_was_meant(t):
    program = "/usr/libexec/sekimori/sekimori-inspect"
    for node, devnum, error in (("/dev/null", "1:3", "No such device"), ("/etc/passwd", "8:0", "No such device"),
                                ("/dev/vda", "8:0", "No such device"), ("/dev/nothing", "8:0", "No such file"),
                                ("/proc/self/fd/0", "254:0", "symbolic links")):
        result = t.run(f"{program} --block {node} --devnum {devnum} 4>&1 | tr -d '\\0'", check=False)
        assert error in result.out, (node, repr(result))
    # A node whose disk has gone.
    t.run("mknod /dev/gone b 8 240")
    result = t.run(f"{program} --block /dev/gone --devnum 8:240 4>&1 | tr -d '\\0'; rm /dev/gone", check=False)
    assert "No such device" in result.out, repr(result)
    for options in ("--block /dev/vda", "--block /dev/vda --devnum 254:0 --interface 0", "--block", "",
                    "--block /dev/vda --devnum 0:0", "--block /dev/vda --devnum x"):
        assert t.run(f"{program} {options}", check=False).status == 2, options


def test_disk_is_made_read_only_before_it_is_looked_at(t):
    t.plug_storage("stick", luks(9, 64 * MIB), serial="INSPECTED")
    disk = disk_of(t)
    assert inspect_block(t, disk)["unit0.write_protected"] == 0
    report = inspect_block(t, disk, more="--read-only")
    written = t.run(f"dd if=/dev/zero of={disk} bs=512 count=1 conv=fsync", check=False)
    t.unplug("stick")
    assert report["outcome"] == "proved" and report["unit0.write_protected"] == 1, show(report)
    assert written.status != 0
