# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person does with the files of an open medium stands in the event log: behind the sandbox of sekimorid.service,
on each kind of file system, one by one and by thousands. Whatever becomes of who watches is in test_transfers_faults.py."""

import os

from barrier import UUID, UUID_2, Since, disks, images, ready, unplug_all
from policies import use
from sessions import TANAKA, login, options, session
from test_volumes_session import MEDIA, SLOW, ctl, mappings, plug, property, secret

LONG = {"test_exfat_tells_what_is_written_and_that_it_tells_no_more", "test_names_of_any_bytes_and_thousands_of_files",
        "test_no_copy_of_the_mount_is_of_use_after_the_close",
        "test_reads_of_a_read_only_medium_are_records_where_the_policy_asks"}
OPTIONS = options()
FILES = 5000 if os.environ.get("SEKIMORI_LONG") else 500
MAKE = {"vfat": "mkfs.vfat", "ext4": "mkfs.ext4 -q", "exfat": "mkfs.exfat"}

made = set()


def teardown(t):
    """He stays logged in: that takes longer than a test."""
    unplug_all(t)
    t.wait_until(lambda: not mappings(t), SLOW, "no mapping")
    assert t.ls("/run/media") == [] and t.ls("/run/sekimori/volumes") == []
    assert not watchers(t), "nobody watches what is closed"


def opened(t, kind, serial="GOOD", uuid=UUID, medium="ZEI-001"):
    """A stick with such a file system, opened by the person in front; (what comes since, where it is)."""
    if not session(t, TANAKA):
        login(t, TANAKA, 1)
    image = images.get(f"transfers-{kind}", lambda d: d.luks2(f"transfers-{kind}", uuid=uuid))
    since = plug(t, image, serial)
    if kind not in made:
        t.run("cryptsetup open --key-file /run/passphrase /dev/sda filling && "
              f"{MAKE[kind]} /dev/mapper/filling && cryptsetup close filling", timeout=SLOW)
        made.add(kind)
    ctl(t, TANAKA, f"open --passphrase-file {secret(t, TANAKA)}")
    return since, f"/run/media/tanaka/{medium}"


def do(t, where, commands, check=True):
    """As tanaka, by one shell that stays for as long as it takes to be looked at."""
    return t.run(f"cd {where} && runuser -u tanaka -- sh -c {repr(commands + '; sleep 1')}", check=check, timeout=SLOW)


def eject(t, since):
    ctl(t, TANAKA, "eject")
    since.wait("volume-closed", SLOW)
    assert not mappings(t)


def hold(t):
    """A copy of all mounts, in a namespace that tanaka may make for himself; its process."""
    t.run("setsid runuser -u tanaka -- unshare -Urm sleep 4711 > /dev/null 2>&1 &")
    return t.wait_until(lambda: t.run("pgrep -f '^sleep 4711'", check=False).out.split(), SLOW, "the copy")[0]


def writes(t, pid, where):
    """Does it come to the medium, what is written through that copy?"""
    return t.run(f"dd if=/dev/zero of=/proc/{pid}/root{where}/unseen bs=64k count=1 conv=fsync", check=False).status == 0


def happened(since):
    return [(r["op"], r["path"]) for r in since.records("file")]


def watchers(t):
    return t.run("pgrep -x sekimori-transf", check=False).out.split()


def test_each_file_that_is_made_written_renamed_or_deleted_is_a_record(t):
    since, where = opened(t, "vfat")
    assert since.records("volume-opened")[0]["transfers"] == "full"
    # nobody, with CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, and filtered system calls
    status = t.read(f"/proc/{watchers(t)[0]}/status").split()
    found = {key: status[status.index(key + ":") + 1] for key in ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}
    assert found == {"Uid": "65534", "CapEff": "0000000000080004", "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}, found
    do(t, where, "mkdir 住民票; printf 123456789 > 住民票/x.csv; mv 住民票/x.csv 名簿.csv; cat 名簿.csv; rm 名簿.csv")
    since.wait("file", op="delete")
    eject(t, since)
    files = since.records("file")
    assert happened(since) == [("create", "住民票"), ("create", "住民票/x.csv"), ("write", "住民票/x.csv"),
                               ("rename", "住民票/x.csv"), ("delete", "名簿.csv")], files
    assert files[0]["directory"] is True and "directory" not in files[1], files
    assert files[2]["size"] == 9 and files[3]["to"] == "名簿.csv", files
    for record in files:
        assert (record["user"], record["uid"]) == ("tanaka", 1001), record
        assert (record["volume"], record["medium"], record["serial"]) == (UUID, "ZEI-001", "GOOD"), record
        assert record["pid"] > 1 and "limited" not in record, record
    # The shell itself wrote it, and was there to be seen.
    assert files[2]["program"].endswith(("/sh", "/dash", "/busybox")), files
    # The log tells in the order of what happened.
    assert files[-1]["seq"] < since.records("volume-closed")[0]["seq"]

def test_names_of_any_bytes_and_thousands_of_files(t):
    since, where = opened(t, "ext4", "GOOD2", UUID_2, "ZEI-005")
    name = b"a\xff\n\x1b[2J\""
    t.write("/run/names.sh", b"printf x > '" + name + b"'\nsleep 1\n")
    t.run(f"cd {where} && runuser -u tanaka -- sh /run/names.sh")
    record = since.wait("file", op="write")
    assert bytes.fromhex(record["path_hex"]) == name and record["path"] == 'a\ufffd\n\x1b[2J"', record

    # What goes into an extended attribute is seen too.
    t.write("/run/attribute.py", f"import os, time\nos.setxattr({name!r}, 'user.x', b'carried out')\ntime.sleep(1)\n")
    t.run(f"cd {where} && runuser -u tanaka -- python3 /run/attribute.py")
    assert bytes.fromhex(since.wait("file", op="attrib")["path_hex"]) == name
    before = len(since.records())
    do(t, where, f"i=0; while [ $i -lt {FILES} ]; do printf abc > f$i; i=$((i+1)); done")
    last = f"f{FILES - 1}"
    t.wait_until(lambda: any(r["last"] == last for r in since.records("files")), 30, "the end of the burst")
    new = since.records()[before:]
    kinds = {r["kind"] for r in new}
    assert kinds == {"file", "files"}, "nothing was lost, and no overflow"
    summaries = since.records("files")
    single = happened(since)
    for op in ("create", "write"):
        told = sum(r.get(op, 0) for r in summaries) + len([p for o, p in single if o == op and p.startswith("f")])
        assert told == FILES, (op, told, summaries)
    assert len(new) < 120, len(new)
    wrote = [r for r in summaries if r.get("write")]
    assert sum(r["bytes_written"] for r in wrote) == 3 * sum(r["write"] for r in wrote), summaries
    assert all(r["count"] == r.get("create", 0) + r.get("write", 0) for r in summaries), summaries
    assert all(r["user"] == "tanaka" and r["program"].endswith(("sh", "busybox")) for r in summaries), summaries
    assert all(r["from"] <= r["until"] for r in summaries)
    eject(t, since)


def test_exfat_tells_what_is_written_and_that_it_tells_no_more(t):
    since, where = opened(t, "exfat")
    assert since.records("volume-opened")[0]["transfers"] == "limited"
    do(t, where, "mkdir d; printf 12345 > d/税.txt; mv d/税.txt y; rm y")
    record = since.wait("file", op="write")
    # A file that the kernel cannot open for the watcher is one that went unseen.
    watcher, = watchers(t)
    t.run(f"kill -STOP {watcher}")
    do(t, where, "printf 1 > held")
    t.write("/run/lease.py", "import fcntl, os, signal, time\nsignal.signal(signal.SIGIO, signal.SIG_IGN)\n"
            "fcntl.fcntl(os.open('held', os.O_RDWR), 1024, fcntl.F_WRLCK)\nopen('/run/user/1001/leased', 'w').close()\ntime.sleep(600)\n")
    t.run(f"cd {where} && runuser -u tanaka -- python3 /run/lease.py > /dev/null 2>&1 &")
    t.wait_until(lambda: t.exists("/run/user/1001/leased"), SLOW, "the lease")
    t.run(f"kill -CONT {watcher}")
    since.wait("transfer-overflow")
    t.run("pkill -f [l]ease.py")
    eject(t, since)
    assert happened(since)[0] == ("write", "d/税.txt") and ("rename", "y") not in happened(since), happened(since)
    assert record["limited"] is True and record["user"] == "tanaka", record
    assert not since.records("transfers-unwatched")


def test_reads_of_a_read_only_medium_are_records_where_the_policy_asks(t):
    since, where = opened(t, "ext4", "GOOD2", UUID_2, "ZEI-005")
    do(t, where, "printf abc > f1")
    eject(t, since)
    unplug_all(t)
    media = "".join(line + (" access ro" if "ZEI-005" in line else "") + "\n" for line in MEDIA.splitlines())
    use(t, "transfers all\ndefault block\n" + media)
    since, where = opened(t, "ext4", "GOOD2", UUID_2, "ZEI-005")
    do(t, where, "printf x > new; ls > /dev/null; cat f1")
    record = since.wait("file", op="read")
    assert (record["path"], record["size"], record["user"], record["access"]) == ("f1", 3, "tanaka", "ro"), record
    eject(t, since)
    assert happened(since) == [("read", "f1")], "nothing was written, and listing a directory is no transfer"


def test_no_copy_of_the_mount_is_of_use_after_the_close(t):
    since, where = opened(t, "vfat")
    pid = hold(t)
    assert writes(t, pid, where)
    ctl(t, TANAKA, "eject")
    assert since.wait("volume-closed", SLOW)["forced"] is True
    assert property(t, "State") == 's "locked"' and not watchers(t)
    assert not writes(t, pid, where), "nobody watches"
    t.run(f"kill {pid}")
    t.wait_until(lambda: not mappings(t), SLOW, "what was held is gone")


def test_of_a_plain_medium_the_device_is_taken_back(t):
    use(t, 'default block\nallow serial "BARE"\n' + MEDIA)
    ready(t)
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="BARE")
    since.wait("released", SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")
    t.wait_until(lambda: ctl(t, TANAKA, "open", check=False).status == 0, SLOW, "it is open")
    where = "/run/media/tanaka/PLAIN"
    since.wait("volume-opened", SLOW)
    pid = hold(t)
    assert writes(t, pid, where)
    assert ctl(t, TANAKA, "eject", check=False).status != 0
    assert since.wait("revoked", SLOW)["why"] == "close-failed"
    t.wait_until(lambda: not disks(t), SLOW, "the disk is gone")
    assert not writes(t, pid, where), "nobody watches"
    assert since.wait("denied", SLOW)["reason"] == "close-failed", "until it is plugged in anew"
    t.run(f"kill {pid}")
