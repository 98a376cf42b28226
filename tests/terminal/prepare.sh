#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prepares what the virtual terminal boots and what does not change from run to run: Debian's
# kernel, a Debian root file system, the command agent. Everything lies in build/cache under
# a name that contains its version, so that a second call does nothing.
#
#   usage: tests/terminal/prepare.sh [KVER]
#
# Result: build/cache/terminal/{vmlinux,vmlinuz,modules.squashfs,initramfs.cpio,modules,kver,
# root.squashfs,agent}, links to the parts in use. Needs root (mmdebstrap), about a minute and
# 500 MB the first time.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${SEKIMORI_CACHE:-$top/build/cache}
kver=${1:-${KVER:-}}

if [ -z "$kver" ]; then
	kver=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'linux-headers-*-amd64' |
	       sed -n 's/^ii  *linux-headers-\([0-9].*\)$/\1/p' | sort -V | tail -n 1)
fi
[ -n "$kver" ] || { echo "prepare: no linux-headers-*-amd64 installed: run 'make deps'" >&2; exit 1; }
kdeb=$(dpkg-query -W -f '${Version}' "linux-headers-$kver" 2>/dev/null || echo any)

kernel=$cache/kernel-$kver-${kdeb//[:~]/_}

# What the guest root contains. The third group brings the rules that usually open USB device nodes
# to users, so that the second layer is tested against them. The fourth is for boots with systemd as
# process 1, and `usbguard generate-policy`, whose answer ours is compared with: its daemon never runs.
# Last, what opens, fills and scans media. No virus database is fetched: tests bring their own.
packages="udev systemd dbus kmod procps mount util-linux libusb-1.0-0 libsystemd0 libudev1
	libdbus-1-3 libjson-c5 libsodium23 libseccomp2 libcap-ng0 cryptsetup-bin usbutils
	e2fsprogs dosfstools python3-minimal strace
	libmtp-common libmtp-runtime libgphoto2-6 android-sdk-platform-tools-common
	systemd-sysv libpam-systemd polkitd login kbd usbguard
	exfatprogs fdisk libcryptsetup12 libblkid1 libsqlite3-0 clamav-daemon"
root_recipe=5 # count up when make_root changes
root=$cache/root-$(echo "$root_recipe" $packages | sha256sum | cut -c 1-12).squashfs
agent=$cache/agent-$(sha256sum "$here/guest/agent.c" | cut -c 1-12)

# Directories of the kernel tree that a USB terminal can need; what they depend on comes along.
module_dirs='kernel/(fs|crypto|lib|arch|block)/
kernel/drivers/(usb|hid|scsi|input|md|virtio|block|ata|mmc|cdrom|crypto|firewire)/
kernel/drivers/net/(usb|mii|phy)/
kernel/drivers/char/(virtio|hw_random)
kernel/(net/core|drivers/net/tun|drivers/media/cec)'
init_modules="virtio_pci virtio_blk virtio_console virtio_rng squashfs overlay"

. "$here/prepare-parts.sh"

linked() { # already prepared, with these very parts?
	[ "$(readlink "$cache/terminal/vmlinuz" 2>/dev/null)" = "../${kernel##*/}/vmlinuz" ] &&
	[ -e "$kernel/ready" ] &&
	[ "$(readlink "$cache/terminal/root.squashfs" 2>/dev/null)" = "../${root##*/}" ] && [ -e "$root" ] &&
	[ "$(readlink "$cache/terminal/agent" 2>/dev/null)" = "../${agent##*/}" ] && [ -e "$agent" ]
}

make_kernel() {
	local tmp=$kernel.tmp deb base list
	rm -rf "$tmp" "$kernel"
	mkdir -p "$tmp/deb" "$tmp/tree"
	say "kernel $kver ($kdeb): downloading"
	chown _apt "$tmp/deb" 2>/dev/null || true # apt downloads as _apt if it may
	(cd "$tmp/deb" && { apt-get -q -o APT::Sandbox::User=root download "linux-image-$kver=$kdeb" ||
		apt-get -q -o APT::Sandbox::User=root download "linux-image-$kver" ||
		{ apt-get -q update &&
		  apt-get -q -o APT::Sandbox::User=root download "linux-image-$kver"; } ||
		# No signed package (any more): the unsigned one is the same kernel.
		apt-get -q -o APT::Sandbox::User=root download "linux-image-$kver-unsigned"; }) >&2
	deb=$(ls "$tmp"/deb/*.deb)
	say "kernel $kver: unpacking"
	dpkg -x "$deb" "$tmp/tree"
	depmod -b "$tmp/tree" "$kver"

	say "kernel $kver: choosing modules"
	base=lib/modules/$kver
	mkdir -p "$tmp/modules/usr/$base"
	ln -s usr/lib "$tmp/modules/lib" # as in the guest, whose /lib is a link
	(cd "$tmp/tree/$base" &&
	 { grep -E "^($(echo "$module_dirs" | paste -sd '|'))" modules.dep | tr -d : | tr ' ' '\n'; \
	   echo modules.builtin; echo modules.order; echo modules.builtin.modinfo; } | sort -u |
	 cpio --quiet -pdm "$tmp/modules/$base")
	depmod -b "$tmp/modules" "$kver"
	mksquashfs "$tmp/modules" "$tmp/modules.squashfs" -comp lz4 -quiet -no-progress \
		-all-root -no-xattrs >&2

	say "kernel $kver: initramfs"
	mkdir -p "$tmp/init/bin" "$tmp/init/m"
	cp "$(command -v busybox)" "$tmp/init/bin/busybox"
	list=$(for m in $init_modules; do
		modprobe -d "$tmp/tree" -S "$kver" --show-depends "$m"; done |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++')
	for m in $list; do
		cp "$m" "$tmp/init/m/"
		basename "$m" >> "$tmp/init/m/order"
	done
	(cd "$tmp/init" && find . | cpio --quiet -o -H newc -R 0:0) > "$tmp/initramfs.cpio"

	unpack_kernel "$tmp/tree/boot/vmlinuz-$kver" "$tmp/vmlinux"
	cp "$tmp/tree/boot/vmlinuz-$kver" "$tmp/vmlinuz"
	cp "$tmp/tree/boot/config-$kver" "$tmp/config"
	echo "$kver" > "$tmp/kver"
	rm -rf "$tmp/tree" "$tmp/deb" "$tmp/init"
	touch "$tmp/ready"
	mv "$tmp" "$kernel"
}

make_root() {
	say "guest root: mmdebstrap"
	tmp=$(mktemp -d "$cache/root.XXXXXX")
	trap 'rm -rf --one-file-system "$tmp"' EXIT # what is mounted in there is the host's
	debian_sources "$tmp/sources"
	mmdebstrap --quiet --variant=essential --format=directory \
		--include="$(echo $packages | tr ' ' ',')" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
		--customize-hook='chroot "$1" useradd --create-home --uid 1000 --groups plugdev clerk' \
		--customize-hook='chroot "$1" groupadd --gid 2001 zeimu' \
		--customize-hook='chroot "$1" groupadd --gid 2002 jumin' \
		--customize-hook='chroot "$1" useradd --create-home --uid 1001 --groups zeimu --shell /bin/sh tanaka' \
		--customize-hook='chroot "$1" useradd --create-home --uid 1002 --groups jumin --shell /bin/sh suzuki' \
		--customize-hook='for u in usbguard usbguard-dbus; do ln -sf /dev/null "$1/etc/systemd/system/$u.service"; done' \
		--customize-hook='rm -f "$1"/usr/share/dbus-1/system-services/org.usbguard1.service "$1"/etc/init.d/usbguard*' \
		--customize-hook='rm -f "$1"/etc/systemd/system/dbus-org.usbguard.service "$1"/etc/rc?.d/???usbguard*' \
		--customize-hook='rm -f "$1"/etc/systemd/system/*.wants/usbguard*.service; : > "$1/etc/usbguard/rules.conf"' \
		--customize-hook='for u in clamav-daemon clamav-freshclam; do ln -sf /dev/null "$1/etc/systemd/system/$u.service"; done' \
		--customize-hook='ln -sf /dev/null "$1/etc/systemd/system/clamav-daemon.socket"; rm -f "$1"/var/lib/clamav/*' \
		--customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
		bookworm "$tmp/root" - < "$tmp/sources" >&2
	say "guest root: squashfs"
	mksquashfs "$tmp/root" "$tmp/root.squashfs" -comp lz4 -quiet -no-progress -no-xattrs \
		-e dev/* -wildcards >&2
	mv "$tmp/root.squashfs" "$root"
	rm -rf "$tmp"
	trap - EXIT
}

make_agent() {
	say "command agent: compiling"
	"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -s -o "$agent.tmp" "$here/guest/agent.c"
	mv "$agent.tmp" "$agent"
}

linked && exit 0
mkdir -p "$cache/terminal"
exec 9> "$cache/terminal.lock"
flock 9
start=$(date +%s)
[ -e "$kernel/ready" ] || make_kernel
[ -e "$root" ] || make_root
[ -e "$agent" ] || make_agent
# Relative, so that they hold under whatever path the cache is reached.
for f in vmlinux vmlinuz modules.squashfs initramfs.cpio modules kver config; do
	ln -sfn "../${kernel##*/}/$f" "$cache/terminal/$f"
done
ln -sfn "../${root##*/}" "$cache/terminal/root.squashfs"
ln -sfn "../${agent##*/}" "$cache/terminal/agent"
say "ready after $(($(date +%s) - start)) s"
