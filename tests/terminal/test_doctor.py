# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimorictl doctor on the installed system: what is right is found right, what root weakens is named, and the timer's
service sees the same and leaves it in the event log."""

import json

from barrier import Since, ready
from sessions import options

LONG = True
OPTIONS = options(units={"sekimori-doctor.timer": "timers.target"})

# Of these nothing may be wrong; the others depend on the machine (clock, firmware, signatures, what the scenario changes).
SOUND = ("module-loaded", "module-locked", "module-ours", "module-at-boot", "udev-rules", "usb-hosts", "usb-persist", "daemon",
         "daemon-backend", "daemon-at-boot", "policy-state", "policy-file", "policy-end", "terminal-name", "directories",
         "timer", "polkit", "road-sd", "road-memory-stick", "road-optical", "road-floppy", "road-firewire",
         "road-thunderbolt", "road-outside-pci", "road-hotplug-disks", "road-bluetooth", "road-nfc", "log-state",
         "log-verifies", "log-directory", "automounters", "usbguard", "command-line")
RULE = "/usr/lib/udev/rules.d/10-sekimori.rules"
DEFAULT = "/sys/bus/usb/devices/usb1/interface_authorized_default"


def doctor(t, more=""):
    done = t.run(f"sekimorictl doctor --json {more}", check=False)
    return done, {item["id"]: item for item in json.loads(done.out)}

def results(items):
    return {id: item["result"] for id, item in items.items()}


def service(t):
    """Starts the timer's service; its record, and whether it succeeded."""
    since = Since(t)
    done = t.run("systemctl start sekimori-doctor.service", check=False, timeout=60)
    return since.wait("self-check"), done.status == 0


def said(items):
    return {id: (item["result"], item["detail"][:160]) for id, item in items.items() if item["result"] != "ok"}


def test_installed_system(t):
    ready(t)
    done, items = doctor(t)
    wrong = [items[id] for id in SOUND if items[id]["result"] != "ok"]
    assert not wrong, wrong
    # The scenario's own settings stand in the place of those that were installed.
    assert items["manifest"]["result"] == "warn" and "sekimorid.conf has been changed" in items["manifest"]["detail"], items
    assert items["policy-signed"]["result"] == "warn", items
    failed = [id for id, item in items.items() if item["result"] == "fail"]
    assert done.status == bool(failed) and not failed, failed
    assert t.run("systemctl is-active sekimori-doctor.timer").out.strip() == "active"
    by_hand = t.run("b2sum --check --quiet /usr/share/sekimori/manifest", check=False)
    assert by_hand.out.split() == ["/etc/sekimori/sekimorid.conf:", "FAILED"], by_hand


def test_service_sees_what_root_sees_and_records_it(t):
    ready(t)
    _, items = doctor(t)
    record, succeeded = service(t)
    assert succeeded and record["result"] == "warn" and record["fail"] == 0, record
    assert record["ok"] == list(results(items).values()).count("ok"), (record, said(items))
    recorded = {i["id"]: (i["result"], i["detail"]) for i in record["items"]}
    by_hand = t.run("b2sum -l 256 /usr/share/sekimori/manifest").out.split()[0]
    assert recorded.pop("manifest-digest") == ("ok", by_hand), record
    by_hand = t.run("b2sum -l 256 $(modinfo -n sekimori)").out.split()[0]
    assert recorded.pop("module-digest") == ("ok", by_hand) and recorded == said(items), record
    assert record["unknown"] == list(results(items).values()).count("unknown"), record
    shown = t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 org.sekimori.Sekimori1.Manager "
                  "SelfCheckResult LastSelfCheck").out.split()
    assert shown[:2] == ["s", '"warn"'] and shown[3].strip('"')[:16] == record["time"][:16], (shown, record)


def test_what_root_weakens_is_named(t):
    ready(t)
    base = results(doctor(t)[1])
    weaken = (
        (f"echo '# x' >> {RULE}", f"sed -i '$d' {RULE}", {"manifest"}),
        ("chmod 666 /etc/sekimori/policy", "chmod 644 /etc/sekimori/policy", {"policy-file"}),
        (f"echo 1 > {DEFAULT}", f"echo 0 > {DEFAULT}", {"usb-hosts"}),
        ("modprobe --ignore-install firewire_sbp2", "modprobe -r firewire_sbp2", {"road-firewire"}),
        ("printf '[Service]\\nExecStart=\\n' > /run/systemd/system/sekimorid.service",
         "rm /run/systemd/system/sekimorid.service", {"overrides"}),
    )
    for command, undo, names in weaken:
        t.run(command)
        done, items = doctor(t)
        failed = {id for id, item in items.items() if item["result"] == "fail"}
        assert failed == names and done.status == 1, (command, failed)
        t.run(undo)
        assert results(doctor(t)[1]) == base, undo


def test_failed_check_is_a_failed_unit_and_a_record(t):
    ready(t)
    t.run(f"echo '# x' >> {RULE}")
    record, succeeded = service(t)
    assert not succeeded and record["result"] == "fail" and record["fail"] == 1, record
    assert {"id": "manifest", "result": "fail", "detail": f"{RULE} has been changed"} in record["items"], record
    assert t.run("systemctl is-failed sekimori-doctor.service").out.strip() == "failed"
    t.run(f"sed -i '$d' {RULE}")
    record, succeeded = service(t)
    assert succeeded and record["fail"] == 0, record


def test_staff_may_look_and_not_record(t):
    ready(t)
    since = Since(t)
    done = t.run("runuser -u tanaka -- sekimorictl doctor --record", check=False)
    assert done.status == 1 and "could not be recorded" in done.err and not since.records("self-check"), done
    done = t.run("runuser -u tanaka -- sekimorictl doctor --json", check=False)
    found = results({item["id"]: item for item in json.loads(done.out)})
    assert found["module-loaded"] == "ok" and found["log-verifies"] == "unknown" and "fail" not in found.values(), found
