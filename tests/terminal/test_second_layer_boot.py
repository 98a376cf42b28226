# SPDX-License-Identifier: GPL-2.0-or-later
"""The udev rules alone, for what is already in the terminal when it is switched on."""

from disks import Disks
from test_second_layer import OPTIONS as RULES, assert_held, disks

DISKS = Disks()
OPTIONS = {**RULES, "qemu": [
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
    # The block driver comes nevertheless (as for an eMMC): the card is taken off it.
    t.run("modprobe mmc_block")
    t.settle()
    t.wait_until(lambda: disks(t) == [], what="SD card unbound")
    t.run("rmmod mmc_block")
