# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl doctor over a machine's tree made by hand: a sound one, and one fault after the other."""
import datetime
import json
import os
import re
import shutil
import time

import test_doctor_start
from harness import EXCEPTIONS, MANAGER, REQUEST, ROOT, TOP, request, wish, world
from sound_machine import (BUILD_ID, IMAGE, KERNEL, POLICY, Tree, check_faults, clinic, digest, doctor, elf, initrd, results, sign,
                           sound)

JA = {"LANG": "ja_JP.UTF-8"}


# --- faults ----------------------------------------------------------------------------------------


def edit_rule(t):
    t.append("/usr/lib/udev/rules.d/10-sekimori.rules", "# edited\n")


def card(t):
    t.write("/sys/bus/mmc/devices/mmc0:aaaa/type", "SD\n")
    t.link("/sys/bus/mmc/devices/mmc0:aaaa/driver", "../../drivers/mmcblk")


def outside_disk(t):
    t.write("/sys/class/scsi_host/host3/ahci_port_cmd", "20c017\n")
    t.mkdir("/sys/class/scsi_host/host3/device/target3:0:0")


def stick_persists(t):
    t.write("/sys/bus/usb/devices/1-1/power/persist", "1\n")
    t.write("/sys/bus/usb/devices/1-1:1.0/bInterfaceClass", "08\n")


def other_policy(t):
    t.write("/etc/sekimori/policy", POLICY.replace("version 3", "version 4"))
    sign(t)


def policy_that(text):
    def change(t):
        t.write("/etc/sekimori/policy", text)
        sign(t)
        t.accept(text.encode())
    return change


def unsigned(t):
    t.remove("/etc/sekimori/policy.sato.minisig")
    t.remove("/etc/sekimori/trust.d/board.trust")
    text = (f"sekimori-floor 1\nentry 1\nversion 3\nsigned no\ndigest {digest(POLICY.encode())}\n"
            f"seal {digest(b'')}\nsignatures 0\n")
    t.write("/var/lib/sekimori/policy/floor", text + f"sum {digest(text.encode())}\n")


def flip_log(t):
    path = t.at("/var/log/sekimori/events.jsonl")
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"kind":"denied"', b'"kind":"passed"', 1))


def other_log(t):
    """A log that is sound in itself, of another terminal's key."""
    header = t.at("/var/lib/sekimori/log/header").read_bytes()
    t.seal_log()
    t.write("/var/lib/sekimori/log/header", header)


def drop_in(directory, text="[Service]\nExecStart=\nExecStart=/bin/sleep infinity\n"):
    return lambda t: t.write(f"{directory}/x.conf", text)


def roads(first, now):
    """Our file with the line for a driver changed, and a manifest that agrees."""
    def change(t):
        path = "/usr/lib/modprobe.d/sekimori-roads.conf"
        text = t.at(path).read_text()
        assert first in text
        t.write(path, text.replace(first, now))
        t.manifest()
        t.write(IMAGE, initrd(t))
    return change


def udisks_shown(t):
    t.write("/usr/libexec/udisks2/udisksd", "")
    t.write("/etc/udev/rules.d/99-show.rules", 'SUBSYSTEM=="block", ENV{UDISKS_IGNORE}="0"\n')


def closed_only_by_name(t):
    path = "/usr/lib/modprobe.d/sekimori-roads.conf"
    text = t.at(path).read_text().replace("install sr_mod /usr/libexec/sekimori/sekimori-road sr_mod", "blacklist sr_mod")
    t.write(path, text)
    t.manifest()
    t.write(IMAGE, initrd(t))


POLKIT_RULES = "/usr/share/polkit-1/rules.d/50-sekimori.rules"


def telephone_key(mode):
    def change(t):
        t.append("/etc/sekimori/sekimorid.conf", "telephone-key /etc/sekimori/telephone.key\n")
        t.manifest()
        if mode is not None:
            t.write("/etc/sekimori/telephone.key", "secret\n", mode)
    return change


SOON = (datetime.date.today() + datetime.timedelta(days=10)).isoformat()
PAST = (datetime.date.today() - datetime.timedelta(days=10)).isoformat()


# What is wrong, and exactly what changes by it.
FAULTS = [
    ("rule edited", edit_rule, {"manifest": "fail", "initramfs": "warn"}),
    ("rule masked", lambda t: t.link("/etc/udev/rules.d/10-sekimori.rules", "/dev/null"), {"udev-rules": "fail"}),
    ("rule shadowed", lambda t: t.write("/run/udev/rules.d/72-sekimori.rules", ""), {"udev-rules": "fail"}),
    ("no udev", lambda t: t.remove("/run/udev/control"), {"udev-rules": "fail"}),
    ("a host open", lambda t: t.write("/sys/bus/usb/devices/usb2/interface_authorized_default", "1\n"),
     {"usb-hosts": "fail"}),
    ("a host open to inner ports", lambda t: t.write("/sys/bus/usb/devices/usb2/interface_authorized_default", "2\n"),
     {"usb-hosts": "fail"}),
    ("a stick persists", stick_persists, {"usb-persist": "warn"}),
    ("daemon not enabled", lambda t: t.remove("/etc/systemd/system/sysinit.target.wants/sekimorid.service"),
     {"daemon-at-boot": "fail"}),
    ("a drill asked for", lambda t: (t.append("/etc/sekimori/sekimorid.conf", "mode drill\n"), t.manifest()), {"mode": "fail"}),
    ("daemon dies", lambda t: t.write("/run/sekimori/deaths", "sekimori-deaths 1\nrunning 1\nbegun 5\ndeaths 3\n"),
     {"daemon-deaths": "fail"}),
    ("device held after deaths", lambda t: t.write(
        "/run/sekimori/deaths", "sekimori-deaths 1\nrunning 1\nbegun 5\ndeaths 0\nheld 2-1 2 7\n"), {"daemon-deaths": "warn"}),
    ("deaths of somebody else's making", lambda t: t.write("/run/sekimori/deaths", "sekimori-deaths 1\nheld 2-1\n"),
     {"daemon-deaths": "unknown"}),
    ("unit of the helpers replaced", lambda t: t.write("/etc/systemd/system/sekimori-helpers.service", "[Service]\n"),
     {"overrides": "fail"}),
    ("socket of the helpers elsewhere", lambda t: t.write(
        "/etc/systemd/system/sekimori-helpers.socket.d/x.conf", "[Socket]\nListenSequentialPacket=/tmp/x\n"), {"overrides": "fail"}),
    ("policy group-writable", lambda t: t.at("/etc/sekimori/policy").chmod(0o664),
     {"policy-file": "fail", "policy-signed": "unknown", "policy-end": "unknown", "policy-contact": "unknown"}),
    ("policy altered", lambda t: t.append("/etc/sekimori/policy", "allow id 1234:*\n"),
     {"policy-file": "fail", "policy-signed": "unknown", "policy-end": "unknown", "policy-contact": "unknown"}),
    ("policy not accepted yet", other_policy, {"policy-file": "warn"}),
    ("memory of policies damaged", lambda t: t.append("/var/lib/sekimori/policy/floor", "x"),
     {"policy-file": "fail", "policy-signed": "unknown", "policy-end": "unknown", "policy-contact": "unknown"}),
    ("policy unsigned", unsigned, {"policy-signed": "warn"}),
    ("policy ends soon", policy_that(POLICY.replace("2099-03-31", SOON)), {"policy-end": "warn"}),
    ("policy ended", policy_that(POLICY.replace("2099-03-31", PAST)), {"policy-end": "fail"}),
    ("nobody to ask", policy_that("".join(x for x in POLICY.splitlines(True) if "contact" not in x)),
     {"policy-contact": "warn"}),
    ("terminal without a name", lambda t: (t.write("/etc/sekimori/sekimorid.conf", "# nothing\n"), t.manifest()),
     {"terminal-name": "warn"}),
    ("settings edited", lambda t: t.append("/etc/sekimori/sekimorid.conf", "inspect-deadline 9\n"), {"manifest": "warn"}),
    ("program missing", lambda t: t.remove("/usr/sbin/sekimorid"), {"manifest": "fail"}),
    ("program writable", lambda t: t.at("/usr/sbin/sekimorid").chmod(0o757), {"manifest": "fail"}),
    ("program set-uid", lambda t: t.at("/usr/sbin/sekimorid").chmod(0o4755), {"manifest": "fail"}),
    ("manifest cut", lambda t: t.write("/usr/share/sekimori/manifest", "# sekimori-manifest 1\n"), {"manifest": "fail"}),
    ("drop-in", lambda t: t.write("/etc/systemd/system/sekimorid.service.d/x.conf", "[Service]\n"),
     {"overrides": "warn"}),
    ("drop-in of a unit that starts something else", drop_in("/etc/systemd/system/sekimorid.service.d"),
     {"overrides": "fail"}),
    ("drop-in beside ours", drop_in("/usr/lib/systemd/system/sekimorid.service.d"), {"overrides": "fail"}),
    ("drop-in until the next start", drop_in("/run/systemd/system/sekimorid.service.d"), {"overrides": "fail"}),
    ("drop-in of a generator", drop_in("/run/systemd/generator.early/sekimorid.service.d"), {"overrides": "fail"}),
    ("drop-in for all services", drop_in("/etc/systemd/system/service.d"), {"overrides": "fail"}),
    ("drop-in for all services, harmless", drop_in("/usr/lib/systemd/system/service.d", "[Service]\nNice=1\n"),
     {"overrides": "warn"}),
    ("drop-in of names that begin so", drop_in("/run/systemd/system/sekimori-.timer.d", "[Timer]\nOnCalendar=\n"),
     {"overrides": "fail"}),
    ("unit masked", lambda t: t.link("/run/systemd/system/sekimorid.service", "/dev/null"), {"overrides": "fail"}),
    ("bus opened", lambda t: t.write("/etc/dbus-1/system.d/x.conf", '<allow own="org.sekimori.Sekimori1"/>'),
     {"overrides": "fail"}),
    ("bus opened beside ours", lambda t: t.write("/usr/share/dbus-1/system.d/org.sekimori.conf", '<allow own="org.sekimori.Sekimori1"/>'),
     {"overrides": "fail"}),
    ("polkit loosened", lambda t: t.write("/etc/polkit-1/rules.d/1.rules", 'if (action.id == "org.sekimori.x")'),
     {"overrides": "warn"}),
    ("configuration writable", lambda t: t.mkdir("/var/lib/sekimori", 0o777),
     {"directories": "fail"}),
    ("timer off", lambda t: t.remove("/etc/systemd/system/timers.target.wants/sekimori-doctor.timer"), {"timer": "warn"}),
    ("a card in use", card, {"road-sd": "fail"}),
    ("burner in use", lambda t: t.mkdir("/sys/block/sr0"), {"road-optical": "fail"}),
    ("burner's driver in", lambda t: t.write("/sys/module/sr_mod/initstate", "live\n"), {"road-optical": "fail"}),
    ("burner blacklisted only", closed_only_by_name, {"road-optical": "warn"}),
    ("burner's driver by another command", roads("install sr_mod /usr/libexec/sekimori/sekimori-road sr_mod",
     "install sr_mod /usr/libexec/sekimori/sekimori-road sr_mod || /sbin/modprobe --ignore-install sr_mod"), {"road-optical": "fail"}),
    ("FireWire's driver after a command", lambda t: t.write("/etc/modprobe.d/a.conf",
     "install firewire-ohci /bin/true ; insmod /lib/firewire-ohci.ko\n"), {"road-firewire": "fail"}),
    ("FireWire's driver by a pattern", lambda t: t.write("/etc/modprobe.d/a.conf",
     "install firewire* /sbin/modprobe -i $CMDLINE_OPTS\n"), {"road-firewire": "fail"}),
    ("no list of drivers", lambda t: (t.remove(f"/lib/modules/{KERNEL}/modules.dep"), roads("install floppy /usr/libexec/sekimori/sekimori-road floppy", "")(t)),
     {"road-floppy": "unknown", "module-kernels": "fail"}),
    ("Memory Stick", lambda t: t.mkdir("/sys/bus/memstick/devices/memstick0"), {"road-memory-stick": "fail"}),
    ("floppy", lambda t: t.mkdir("/sys/block/fd0"), {"road-floppy": "fail"}),
    ("FireWire opened", lambda t: t.write("/etc/modprobe.d/0.conf", "install firewire-ohci /sbin/modprobe -i firewire-ohci\n"),
     {"road-firewire": "fail"}),
    ("Thunderbolt device", lambda t: t.write("/sys/bus/thunderbolt/devices/0-1/authorized", "1\n"),
     {"road-thunderbolt": "fail"}),
    ("PCI from outside", lambda t: t.write("/sys/bus/pci/devices/0000:05:00.0/removable", "removable\n"),
     {"road-outside-pci": "fail"}),
    ("disk outside", outside_disk, {"road-hotplug-disks": "fail"}),
    ("Bluetooth", lambda t: t.mkdir("/sys/class/bluetooth/hci0"), {"road-bluetooth": "fail"}),
    ("NFC", lambda t: t.mkdir("/sys/class/nfc/nfc0"), {"road-nfc": "warn"}),
    ("serial port", lambda t: t.write("/sys/class/tty/ttyS0/type", "4\n"), {"road-serial": "warn"}),
    ("clock alone", lambda t: t.remove("/run/systemd/timesync/synchronized"), {"clock-synchronised": "warn"}),
    ("hardware clock off", lambda t: t.write("/sys/class/rtc/rtc0/since_epoch", "1000000000\n"), {"clock-sane": "warn"}),
    ("clock before the installation",
     lambda t: os.utime(t.at("/usr/share/sekimori/manifest"), (time.time() + 90000,) * 2), {"clock-sane": "fail"}),
    ("log altered", flip_log, {"log-verifies": "fail"}),
    ("log of another terminal", other_log, {"log-verifies": "fail"}),
    ("log emptied", lambda t: t.write("/var/log/sekimori/events.jsonl", "", 0o640),
     {"log-verifies": "fail", "log-checkpoint": "unknown", "log-sealed": "unknown"}),
    ("log's header gone", lambda t: t.remove("/var/lib/sekimori/log/header"), {"log-verifies": "fail"}),
    ("log's header without a key", lambda t: t.write("/var/lib/sekimori/log/header", '{"public":"x"}'), {"log-verifies": "fail"}),
    ("log gone", lambda t: t.remove("/var/log/sekimori/events.jsonl"),
     {"log-verifies": "fail", "log-checkpoint": "unknown", "log-sealed": "unknown"}),
    ("no checkpoint for hours", lambda t: t.seal_log(checkpoint=False, age=9000), {"log-checkpoint": "warn"}),
    ("log sealed to nobody", lambda t: t.seal_log(desk=False), {"log-sealed": "warn"}),
    ("log readable by all", lambda t: t.mkdir("/var/log/sekimori", 0o755), {"log-directory": "fail"}),
    ("no sysfs", lambda t: shutil.rmtree(t.at("/sys")),
     {**dict.fromkeys(("module-loaded", "module-locked", "module-ours", "usb-hosts", "usb-persist", "road-sd", "road-memory-stick",
                       "road-optical", "road-floppy", "road-firewire", "road-thunderbolt", "road-outside-pci",
                       "road-hotplug-disks", "road-bluetooth", "road-nfc", "road-serial", "clock-sane"), "unknown"),
      "kernel": "warn"}),
    ("usbmount", lambda t: t.mkdir("/usr/share/usbmount"), {"automounters": "warn"}),
    ("udisks shown media", udisks_shown, {"automounters": "fail"}),
    ("fstab for users", lambda t: t.write("/etc/fstab", "/dev/sdb1 /media/usb vfat noauto,users 0 0\n"),
     {"automounters": "warn"}),
    ("USBGuard", lambda t: t.write("/proc/99/comm", "usbguard-daemon\n"), {"usbguard": "warn"}),
    ("command line", lambda t: t.write("/proc/cmdline", "quiet module_blacklist=x,sekimori\n"), {"command-line": "fail"}),
    ("nobody logs in", lambda t: t.write("/etc/pam.d/login", "auth required pam_unix.so\n# session required pam_loginuid.so\n"),
     {"exceptions-logins": "warn"}),
    ("a service of logins", lambda t: t.write("/etc/pam.d/sshd", "session    required     pam_loginuid.so\n"), {}),
    ("nobody may approve", lambda t: (t.remove(POLKIT_RULES), t.manifest()), {"exceptions-roles": "warn"}),
    ("anybody may approve", lambda t: t.at(POLKIT_RULES).chmod(0o666), {"exceptions-roles": "fail", "manifest": "fail"}),
    ("no telephone key", telephone_key(None), {"telephone-key": "warn"}),
    ("telephone key for all", telephone_key(0o644), {"telephone-key": "fail"}),
    ("telephone key for the group", telephone_key(0o640), {"telephone-key": "fail"}),
    ("telephone key not taken", telephone_key(0o600), {"telephone-key": "warn"}),
    ("unsigned modules", lambda t: t.write("/sys/module/module/parameters/sig_enforce", "N\n"), {"kernel": "warn"}),
]


# --- tests -----------------------------------------------------------------------------------------


def test_sound_machine_passes_and_each_fault_shows_as_its_own_item():
    base = check_faults(FAULTS)
    covered = {id for _, _, expected in FAULTS + test_doctor_start.FAULTS for id in expected}
    # These need another daemon, no polkit, or a full disk.
    assert set(base) - covered == {"daemon", "daemon-backend", "policy-state", "log-state", "log-space", "polkit", "secrets",
                                   "exceptions-store", "exceptions-due", "exceptions-reports", "exceptions-clock"}, \
        set(base) - covered


def test_what_the_daemon_says_of_itself_counts():
    with clinic() as (w, tree):
        w.tell("log cannot be written: No space left on device")
        w.tell("policy-state previous")
        done, items = doctor(w, tree)
        assert done.returncode == 1 and items["log-state"]["result"] == "fail", items
        assert "No space left" in items["log-state"]["detail"] and items["policy-state"]["result"] == "warn", items
        w.tell("log keys cannot be replaced: Input/output error")
        assert doctor(w, tree)[1]["log-state"]["result"] == "warn"
        w.tell("policy-state expired")
        assert doctor(w, tree)[1]["policy-state"]["result"] == "fail"
        w.daemon_stop()
        done, items = doctor(w, tree)
        found = results(items)
        assert done.returncode == 1 and found["daemon"] == "fail", found
        assert {found[id] for id in ("daemon-backend", "policy-state", "log-state")} == {"unknown"}, found


def test_secret_that_the_daemon_cannot_open_fails_with_what_to_do():
    with clinic() as (w, tree):
        assert doctor(w, tree)[1]["secrets"]["result"] == "ok"
        w.tell("unopened telephone")
        done, items = doctor(w, tree)
        item = items["secrets"]
        assert done.returncode == 1 and item["result"] == "fail" and "secret telephone" in item["detail"], item
        assert "sekimorictl provision" in item["todo"], item
        w.daemon_stop()
        assert doctor(w, tree)[1]["secrets"]["result"] == "unknown"


def test_device_that_a_drill_left_in_is_not_said_to_be_held():
    with clinic() as (w, tree):
        tree.write("/run/sekimori/deaths", "sekimori-deaths 1\nrunning 1\nbegun 5\ndeaths 0\nheld 2-1 2 7\n")
        assert "2-1 stays held" in doctor(w, tree)[1]["daemon-deaths"]["detail"]
        w.tell("mode drill 1")
        detail = doctor(w, tree)[1]["daemon-deaths"]["detail"]
        assert "2-1 is left as it is, let in or held" in detail and "stays held" not in detail, detail
        # Also while no daemon says so.
        w.daemon_stop()
        assert "2-1 stays held" in doctor(w, tree)[1]["daemon-deaths"]["detail"]
        tree.append("/etc/sekimori/sekimorid.conf", "mode drill\n")
        assert "2-1 is left as it is, let in or held" in doctor(w, tree)[1]["daemon-deaths"]["detail"]


def emergency(w):
    """Declared, used, and over."""
    data, error = w.call(ROOT, EXCEPTIONS, "DeclareEmergency", "a{sv}", *wish(medium="ZEI-0001", purpose="停電", seconds=3600))
    assert not error, error
    number = data[0]
    w.tell(f"use {number}")
    w.tell("clock +7200")
    w.tell("clock +60")
    return number


def test_what_is_owed_of_exceptions_counts():
    with clinic() as (w, tree):
        done, items = doctor(w, tree)
        assert items["exceptions-store"]["detail"] == "waiting for approval: 0; approved or in force: 0", items
        policy_that(POLICY.replace("contact", "emergency-period 4 hours\nemergency-reports 2\ncontact"))(tree)
        first = emergency(w)
        done, items = doctor(w, tree)
        assert done.returncode == 0 and "sekimorictl requests --due" in items["exceptions-due"]["todo"], items["exceptions-due"]
        assert (items["exceptions-reports"]["result"], items["exceptions-due"]["result"]) == ("warn", "warn"), items
        # The next one after this would be refused.
        second = emergency(w)
        done, items = doctor(w, tree)
        assert done.returncode == 1 and items["exceptions-reports"]["result"] == "fail", items["exceptions-reports"]
        assert "2" in items["exceptions-due"]["detail"], items["exceptions-due"]
        for number in (first, second):
            assert not w.call(request(number), REQUEST, "Report", "s", "復旧した")[1]
        done, items = doctor(w, tree)
        assert (items["exceptions-reports"]["result"], items["exceptions-due"]["result"]) == ("ok", "warn"), items


def test_a_clock_of_exceptions_that_is_ahead_is_told_with_the_way_back():
    with clinic() as (w, tree):
        assert doctor(w, tree)[1]["exceptions-clock"]["result"] == "ok"
        w.tell("clock +93784")
        w.tell("clock -93784")
        done, items = doctor(w, tree)
        assert done.returncode == 0 and items["exceptions-clock"]["result"] == "warn", items["exceptions-clock"]
        assert re.search(r"1 days, 2 h [23] min", items["exceptions-clock"]["detail"]), items["exceptions-clock"]
        assert "sekimorictl exception clock --reset" in items["exceptions-clock"]["todo"]


def test_a_store_of_exceptions_that_cannot_be_used_is_a_fault():
    with world() as w:
        store = w.directory / "store"
        store.mkdir(mode=0o700)
        (store / "exceptions.db").write_bytes(b"no database" * 100)
        (store / "exceptions.db").chmod(0o600)
        w.exceptions()
        done, items = doctor(w, sound(w.directory / "sound"))
        assert done.returncode == 1 and items["exceptions-store"]["result"] == "fail", items["exceptions-store"]
        assert items["exceptions-store"]["detail"].startswith("the daemon says: "), items["exceptions-store"]
        shown = w.ctl("doctor", "--root", w.directory / "sound", env=JA).stdout.split("[exceptions-store]")[1].splitlines()[0]
        assert "例外" in shown and "store" not in shown, shown
        w.daemon_stop()
        _, items = doctor(w, sound(w.directory / "again"))
        assert {items[id]["result"] for id in ("exceptions-store", "exceptions-due", "exceptions-reports", "exceptions-clock")} == {"unknown"}, items


def test_without_polkit_that_is_said():
    with world() as w:
        assert doctor(w, sound(w.directory / "sound"))[1]["polkit"]["result"] == "warn"


def test_result_is_handed_to_the_daemon():
    with clinic() as (w, tree):
        done, items = doctor(w, tree, "--record")
        assert done.returncode == 0, done
        ok = sum(item["result"] == "ok" for item in items.values())
        manifest = {"id": "manifest-digest", "result": "ok", "detail": digest(tree.at("/usr/share/sekimori/manifest").read_bytes())}
        module = {"id": "module-digest", "result": "ok", "detail": digest(elf(BUILD_ID))}
        assert json.loads(w.tell("self-check")[0]) == {"result": "ok", "ok": ok, "warn": 0, "fail": 0, "unknown": 0,
                                                       "items": [manifest, module]}
        edit_rule(tree)
        stick_persists(tree)
        tree.remove("/proc/cmdline")
        done, items = doctor(w, tree, "--record")
        recorded = json.loads(w.tell("self-check")[0])
        assert done.returncode == 1 and recorded["result"] == "fail", recorded
        assert (recorded["ok"], recorded["warn"], recorded["fail"], recorded["unknown"]) == (ok - 4, 2, 1, 1), recorded
        assert recorded["items"] == [{"id": id, "result": items[id]["result"], "detail": items[id]["detail"][:160]}
                                     for id in ("initramfs", "usb-persist", "manifest", "command-line")] + [manifest, module], recorded
        w.daemon_stop()
        done = w.ctl("doctor", "--record", "--root", tree.path)
        assert done.returncode == 1 and "could not be recorded" in done.stderr, done


def test_names_on_the_machine_cannot_steer_the_screen_and_are_recorded():
    with clinic() as (w, tree):
        tree.write(b"/etc/systemd/system/sekimorid.service.d/\x1b[2J\xff.conf".decode("utf-8", "surrogateescape"), "")
        done = w.ctl("doctor", "--record", "--root", tree.path)
        assert done.returncode == 0 and "\x1b" not in done.stdout and "\\x1B[2J\\xFF.conf" in done.stdout, done
        assert "\\x1B[2J\\xFF.conf" in json.loads(w.tell("self-check")[0])["items"][0]["detail"]
        done, items = doctor(w, tree)
        assert "\x1b" not in done.stdout and "\x1b[2J" in items["overrides"]["detail"], done


def record(w, *arguments):
    return w.call(ROOT, MANAGER, "RecordSelfCheck", "suuua(sss)", *[str(a) for a in arguments])[1]


def test_daemon_takes_no_nonsense():
    with world() as w:
        good = ("fail", 1, 0, 1, 1, "manifest", "fail", "x")
        assert record(w, *good) is None
        for bad in (("perfect", 1, 0, 0, 0), ("ok", 1, 0, 1, 1, "a", "fail", ""), ("fail", 1, 0, 0, 0),
                    ("ok", 1001, 0, 0, 0), ("fail", 0, 0, 1, 0), ("fail", 0, 0, 1, 1, "", "fail", ""),
                    ("fail", 0, 0, 1, 1, "A B", "fail", ""), ("fail", 0, 0, 1, 1, "a" * 49, "fail", ""),
                    ("fail", 0, 0, 1, 1, "a", "perfect", ""), ("fail", 0, 0, 1, 1, "a", "fail", "x" * 513),
                    ("fail", 0, 0, 65, 65) + ("a", "fail", "") * 65, ("fail", 0, 0, 40, 40) + ("a", "fail", "x" * 400) * 40):
            assert re.match("Call failed: (the|an|a|there) ", record(w, *bad) or ""), (bad, record(w, *bad))
        assert json.loads(w.tell("self-check")[0])["items"] == [{"id": "manifest", "result": "fail", "detail": "x"}]


def test_people_read_it_in_their_language():
    with clinic() as (w, tree):
        edit_rule(tree)
        shown = w.ctl("doctor", "--root", tree.path)
        assert shown.returncode == 1 and "\x1b" not in shown.stdout, shown
        lines = shown.stdout.splitlines()
        at = next(i for i, line in enumerate(lines) if "[manifest]" in line)
        assert lines[at - 1].split()[:2] == ["FAIL", "R24"] and "10-sekimori.rules has been changed" in lines[at], lines
        assert lines[at + 1].strip().startswith("→ Install the package again"), lines
        assert "1 failed" in lines[-1], lines
        tree.remove(f"/boot/initrd.img-{KERNEL}")
        shown = w.ctl("doctor", "--record", "--root", tree.path, env=JA)
        assert "読めません: ファイルまたはディレクトリーがありません" in shown.stdout and "No such" not in shown.stdout, shown.stdout
        assert "cannot be read: No such file" in w.tell("self-check")[0], "the record is in English"


def test_documentation_has_a_row_for_each_check():
    with world(bus=False, daemon=False) as w:
        tree = Tree(w.directory / "empty")
        tree.mkdir("/")
        _, items = doctor(w, tree)
        page = (TOP / "docs" / "doctor.md").read_text()
        rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in page.splitlines() if line.startswith("| `")]
        assert rows == [[f"`{id}`", " ".join(item["requirements"])] for id, item in items.items()], rows


def test_usage():
    with world(bus=False, daemon=False) as w:
        assert w.ctl("doctor", "extra").returncode == 2
        assert w.ctl("status", "--record").returncode == 2
        done = w.ctl("doctor", "--root", "/no/such/directory")
        assert done.returncode == 1 and "cannot be read" in done.stderr, done
