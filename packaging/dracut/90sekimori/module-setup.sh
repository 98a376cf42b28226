#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut(8) module: the USB barrier, before udev. The same parts as from initramfs-tools' hook (packaging/initramfs/hook).

# Prints why the barrier cannot be part of this machine's initramfs; fails if it can. Whether for this host only or not
# (Debian's dracut makes initramfs for any): it is this machine that starts with what is made here. A foreign root is none of it.
left_out() {
	[[ ! $dracutsysrootdir ]] && /usr/libexec/sekimori/root-on-usb
}

# 0: always, without being asked for. Left out it is by what the other functions do: without this module of ours the kernel's
# would come all the same, by "softdep xhci_hcd pre: sekimori" (sekimori-roads.conf), which dracut-install follows.
check() {
	local why

	if why=$(left_out); then
		dwarn "sekimori: $why: with the barrier in its initramfs, this machine would not start. It is left out."
		dwarn "sekimori: what is plugged in at power-on is not held until the system runs: install the terminal on an inner disk."
		# A regular expression by now, for each call of dracut-install.
		omit_drivers+="${omit_drivers:+|}^sekimori\$"
	fi
	return 0
}

depends() {
	echo udev-rules
}

installkernel() {
	! left_out > /dev/null || return 0
	hostonly='' instmods sekimori
	[[ -n $(find "$initdir" -name 'sekimori.ko*' -print -quit) ]] ||
		dwarn "sekimori: there is no sekimori.ko for kernel $kernel: until it is built, only the second layer stands at start"
}

install() {
	if left_out > /dev/null; then
		# kernel-modules, before us by its name, has copied all of modprobe.d; systemd's part may have what loads the module.
		find "${initdir:?}" '(' -name 'sekimori.ko*' -o -path '*/modprobe.d/sekimori*.conf' -o -path '*/modules-load.d/sekimori.conf' ')' -delete
		return 0
	fi
	inst_multiple modprobe
	inst_rules 10-sekimori.rules 72-sekimori.rules
	# Without hostonly dracut leaves /etc/modprobe.d out.
	inst_multiple /etc/modprobe.d/sekimori.conf "$(realpath -s /usr/lib)/modprobe.d/sekimori-roads.conf"
	inst_simple /usr/libexec/sekimori/early-gate
	inst_hook pre-udev 00 "$moddir/sekimori-gate.sh"
}
