#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Compiles the kernel that watches itself (KASAN, lockdep, kmemleak and others: debug.config) from
# Debian's linux-source-6.1, and our module for it. run-debug.py boots them.
#
#   usage: tests/terminal/prepare-debug.sh [JOBS]
#
# Result: build/cache/debug-kernel-VERSION-HASH, a directory for the terminal's kernel= option, with
# the trimmed source tree in tree/; the link build/cache/debug-kernel to it; build/debug/sekimori.ko.
# Some six minutes and 700 MB the first time on two cores, seconds after that.
# Needs the packages linux-source-6.1 xz-utils flex bison bc libelf-dev libssl-dev.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${SEKIMORI_BUILD:-$top/build}
cache=${SEKIMORI_CACHE:-$build/cache}
jobs=${1:-2}
source=/usr/src/linux-source-6.1.tar.xz
needed="linux-source-6.1 xz-utils flex bison bc libelf-dev libssl-dev"

say() { echo "prepare-debug: $*" >&2; }

version=$(dpkg-query -W -f '${Version}' linux-source-6.1 2>/dev/null || true)
[ -n "$version" ] && [ -e "$source" ] || { say "missing packages; needed are: $needed"; exit 1; }

recipe=1 # count up when make_kernel changes
kernel=$cache/debug-kernel-${version//[:~]/_}-$({ echo "$recipe"; grep ^CONFIG_ "$here/debug.config"; } |
	sha256sum | cut -c 1-12)

quietly() { # what was said is shown after a failure only
	"$@" > "$kernel.log" 2>&1 || { tail -n 40 "$kernel.log" >&2; say "failed: $*"; exit 1; }
}

# A choice that depends on something we did not switch on is dropped without a word: look.
check_config() {
	local line missing=
	while read -r line; do
		grep -qxF "$line" "$1" || missing="$missing $line"
	done < <(grep '^CONFIG_' "$here/debug.config")
	[ -z "$missing" ] || { say "not taken over:$missing"; exit 1; }
}

make_kernel() {
	local tmp=$kernel.tmp tree=$kernel.tmp/tree kver make
	rm -rf "$tmp"
	mkdir -p "$tree"
	say "kernel $version: unpacking"
	# The code of what is not compiled stays packed; its Kconfig files have to be there.
	tar -xJf "$source" -C "$tree" --strip-components 1 --wildcards \
		--exclude '*/Documentation/*.rst' --exclude '*/Documentation/devicetree/*.yaml' \
		--exclude '*/arch/[!x]*/*.[chS]' --exclude '*/arch/*.dts*' --exclude '*/tools/testing/*' --exclude '*/tools/perf/*' \
		--exclude 'linux-source-*/sound/*.[ch]' --exclude '*/drivers/gpu/*.[ch]' --exclude '*/drivers/net/*/*.[ch]' \
		--exclude '*/drivers/media/*.[ch]' --exclude '*/drivers/infiniband/*.[ch]' \
		--exclude '*/drivers/staging/*.[ch]' --exclude '*/drivers/iio/*.[ch]'
	make="nice -n 10 make -C $tree -j$jobs ARCH=x86_64 LOCALVERSION=-debug KBUILD_BUILD_USER=sekimori KBUILD_BUILD_HOST=terminal"
	quietly $make KCONFIG_ALLCONFIG="$here/debug.config" allnoconfig
	check_config "$tree/.config"
	say "kernel $version: compiling"
	quietly $make bzImage modules
	kver=$(cat "$tree/include/config/kernel.release")

	say "kernel $kver: modules"
	ln -s usr/lib "$tmp/modules.lib"
	mkdir "$tmp/modules"
	mv "$tmp/modules.lib" "$tmp/modules/lib" # as in the guest, whose /lib is a link
	quietly $make INSTALL_MOD_PATH="$tmp/modules/usr" modules_install
	rm -f "$tmp/modules/usr/lib/modules/$kver/"{build,source}
	mksquashfs "$tmp/modules" "$tmp/modules.squashfs" -comp lz4 -quiet -no-progress -all-root -no-xattrs >&2

	# Nothing is needed before the root is mounted that is not built in.
	mkdir -p "$tmp/init/bin" "$tmp/init/m"
	cp "$(command -v busybox)" "$tmp/init/bin/busybox"
	: > "$tmp/init/m/order"
	(cd "$tmp/init" && find . | cpio --quiet -o -H newc -R 0:0) > "$tmp/initramfs.cpio"

	strip -o "$tmp/vmlinux" "$tree/vmlinux"
	cp "$tree/arch/x86/boot/bzImage" "$tmp/vmlinuz"
	cp "$tree/.config" "$tmp/config"
	echo "$kver" > "$tmp/kver"
	rm -rf "$tmp/init"
	# Enough stays to compile modules, and vmlinux to find lines from addresses.
	find "$tree" -type f \( -name '*.o' -o -name '*.a' -o -name '*.ko' -o -name '*.cmd' \) \
		! -path "$tree/scripts/*" ! -path "$tree/tools/*" -delete
	touch "$tmp/ready"
	rm -rf "$kernel"
	mv "$tmp" "$kernel"
}

make_module() {
	mkdir -p "$build/debug/kmod"
	cp -r "$top/kmod/." "$build/debug/kmod/"
	quietly nice -n 10 make -C "$kernel/tree" M="$build/debug/kmod" ARCH=x86_64 LOCALVERSION=-debug W=1 modules
	cmp -s "$build/debug/kmod/sekimori.ko" "$build/debug/sekimori.ko" ||
		cp "$build/debug/kmod/sekimori.ko" "$build/debug/sekimori.ko"
}

mkdir -p "$cache"
exec 9> "$cache/debug-kernel.lock"
flock 9
start=$(date +%s)
[ -e "$kernel/ready" ] || make_kernel
ln -sfn "$kernel" "$cache/debug-kernel"
make_module
rm -f "$kernel.log"
say "ready after $(($(date +%s) - start)) s"
