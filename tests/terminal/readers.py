# SPDX-License-Identifier: GPL-2.0-or-later
"""Card readers whose cards come and go while they are plugged in."""

import os

from barrier import PLAYED, TOOLS, bring


class Reader:
    """QEMU's, with one slot: its other units lose their sense data."""

    def __init__(self, t, id, card, serial, driver="usb-bot", block_size=512):
        self.t, self.id = t, id
        t.qmp("device_add", {"driver": driver, "id": id, "bus": "xhci.0", "serial": serial})
        t.qmp("device_add", {"driver": "scsi-hd", "id": id + "-slot", "bus": id + ".0", "drive": self._node(card),
                             "removable": True, "logical_block_size": block_size,
                             "physical_block_size": block_size})
        t.qmp("qom-set", {"path": f"/machine/peripheral/{id}", "property": "attached", "value": True})
        t.drives[id] = None  # for unplug_all()

    def _node(self, image):
        self.t.images += 1
        node = f"card-{self.id}-{self.t.images}"
        self.t.qmp("blockdev-add", {
            "driver": "raw", "node-name": node,
            "file": {"driver": "file", "filename": os.path.abspath(image), "locking": "off"}})
        return node

    def eject(self):
        self.t.qmp("blockdev-open-tray", {"id": self.id + "-slot", "force": True})
        self.t.qmp("blockdev-remove-medium", {"id": self.id + "-slot"})

    def insert(self, image):
        self.t.qmp("blockdev-insert-medium", {"id": self.id + "-slot", "node-name": self._node(image)})
        self.t.qmp("blockdev-close-tray", {"id": self.id + "-slot"})

    def change(self, image):
        """Quicker than anybody looks."""
        self.eject()
        self.insert(image)


class Slots:
    """The kernel's own mass storage gadget, with as many slots; a card is an image or None."""

    def __init__(self, t, cards, serial):
        self.t = t
        bring(t, [card for card in cards if card])
        t.run(f"{TOOLS}/gadget.sh up gadget id={':'.join(PLAYED)} serial={serial} "
              f"reader={','.join(map(self._file, cards))}")

    @staticmethod
    def _file(card):
        return "/run/images/" + os.path.basename(card) if card else "-"

    def put(self, slot, card):
        if card:
            bring(self.t, [card])
        self.t.run(f"{TOOLS}/gadget.sh card gadget {slot} {self._file(card)}")
