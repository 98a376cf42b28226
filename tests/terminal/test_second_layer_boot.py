# SPDX-License-Identifier: GPL-2.0-or-later
"""The udev rules alone, for what is already in the terminal when it is switched on."""

import os

from disks import Disks
from terminal import BUILD
from test_second_layer import OPTIONS as RULES, assert_held, disks

DISKS = Disks()
with open(os.path.join(BUILD, "sekimori-road"), "rb") as f:
    ROAD = {"/usr/libexec/sekimori/sekimori-road": (0o755, f.read())}
OPTIONS = {"files": {**RULES["files"], **ROAD}, "qemu": [
    "-drive", f"if=none,id=early,format=raw,file={DISKS.plain('early')}",
    "-device", "usb-storage,id=early-stick,drive=early,serial=EARLY",
    "-drive", f"if=none,id=card,format=raw,file={DISKS.plain('card')}",
    "-device", "sdhci-pci", "-device", "sd-card,drive=card"]}


def test_stick_present_at_boot_is_held(t):
    name = t.find_usb("46f4:0001")
    assert_held(t, name, ["08"])
    t.unplug("early-stick")


def test_sd_card_never_becomes_a_disk(t):
    cards = t.wait_until(lambda: t.ls("/sys/bus/mmc/devices"), what="SD card")
    assert t.read(f"/sys/bus/mmc/devices/{cards[0]}/type") == "SD"
    assert disks(t) == []
    # For the event log; a slot, not what the card says.
    t.wait_until(lambda: t.exists(f"/run/sekimori/roads/closed-{cards[0].split(':')[0]}"), what="note of the closed road")
    # The block driver comes nevertheless (as for an eMMC): the card is taken off it.
    t.run("modprobe mmc_block")
    t.settle()
    t.wait_until(lambda: disks(t) == [], what="SD card unbound")
    t.run("rmmod mmc_block")
