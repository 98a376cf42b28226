# SPDX-License-Identifier: GPL-2.0-or-later
"""The inspector by hand, in a terminal without a daemon: shared by its scenarios and the bench."""

import os

from terminal import BUILD

TOOLS = "/usr/lib/terminal"
PROGRAM = "/usr/libexec/sekimori/sekimori-inspect"
STICK = "46f4:0001"  # QEMU's usb-storage


def options():
    """The programs in place; nothing that starts them, and no rules that hold devices."""
    files = {}
    for path, built in ((PROGRAM, "sekimori-inspect"), (TOOLS + "/inspect-by-hand", "guest/inspect-by-hand")):
        with open(os.path.join(BUILD, built), "rb") as f:
            files[path] = (0o755, f.read())
    return {"files": files}


class Report(dict):
    """What inspect-by-hand printed: numbers as numbers."""

    def __init__(self, text):
        super().__init__()
        for line in text.splitlines():
            name, _, value = line.partition("=")
            self[name] = int(value) if value.isdecimal() and "digest" not in name else value

    def all(self, name):
        """Of all volumes, or of all units: all("volume.uuid")."""
        kind, _, member = name.partition(".")
        return [self[f"{kind}{i}.{member}"] for i in range(self[kind + "s"])]


def _run(t, node, how, deadline, more=""):
    result = t.run(f"{TOOLS}/inspect-by-hand {PROGRAM} {node} {how} --deadline {deadline} {more}",
                   check=False, timeout=60)
    assert result.status in (0, 1), repr(result)
    return Report(result.out)


def inspect(t, ids=STICK, deadline=30000, interface=0):
    """Over bulk-only transport; drivers are taken off."""
    name = t.find_usb(ids)
    bus, device = (int(t.read(f"/sys/bus/usb/devices/{name}/{what}num")) for what in ("bus", "dev"))
    return _run(t, f"/dev/bus/usb/{bus:03}/{device:03}", interface, deadline)


def inspect_block(t, node, deadline=30000, more=""):
    return _run(t, node, "--block", deadline, more)


def plug_reader(t, id, images, **properties):
    """A bulk-only device with a unit for each image; None is a CD drive with nothing in it."""
    t.qmp("device_add", {"driver": "usb-bot", "id": id, "bus": "xhci.0"})
    nodes = []
    for lun, image in enumerate(images):
        place = {"id": f"{id}-{lun}", "bus": id + ".0", "lun": lun}
        if image is None:
            t.qmp("device_add", {"driver": "scsi-cd", **place})
            continue
        nodes.append(t._drive(f"{id}-{lun}", image, False))
        t.qmp("device_add", {"driver": "scsi-hd", "drive": nodes[-1], **place, **properties})
    # A hotplugged one stays off the bus until its disks are there.
    t.qmp("qom-set", {"path": f"/machine/peripheral/{id}", "property": "attached", "value": True})
    return nodes


def unplug_reader(t, id, nodes):
    t.unplug(id)
    for node in nodes:
        t._forget_image(node)
