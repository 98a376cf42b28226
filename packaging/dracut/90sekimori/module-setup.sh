#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut(8) module: the USB barrier, before udev. The same parts as from initramfs-tools' hook (packaging/initramfs/hook).

# 0: always, without being asked for.
check() {
	local why

	if [[ $hostonly ]] && why=$(/usr/libexec/sekimori/root-on-usb); then
		dwarn "sekimori: $why: with the barrier in its initramfs, this machine would not start. It is left out."
		dwarn "sekimori: what is plugged in at power-on is not held until the system runs: install the terminal on an inner disk."
		return 1
	fi
	return 0
}

depends() {
	echo udev-rules
}

installkernel() {
	hostonly='' instmods sekimori
	[[ -n $(find "$initdir" -name 'sekimori.ko*' -print -quit) ]] ||
		dwarn "sekimori: there is no sekimori.ko for kernel $kernel: until it is built, only the second layer stands at start"
}

install() {
	inst_multiple modprobe
	inst_rules 10-sekimori.rules 72-sekimori.rules
	# Without hostonly dracut leaves /etc/modprobe.d out.
	inst_multiple /etc/modprobe.d/sekimori.conf "$(realpath -s /usr/lib)/modprobe.d/sekimori-roads.conf"
	inst_simple /usr/libexec/sekimori/early-gate
	inst_hook pre-udev 00 "$moddir/sekimori-gate.sh"
}
