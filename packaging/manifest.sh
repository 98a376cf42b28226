#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints the manifest (userspace/doctor/manifest.h) of what is installed below each DESTDIR (packages that are installed together):
# every file of ours at a place that steers the barrier. To be run last, after stripping and signing. The module that DKMS builds is
# not in it: each machine has its own (docs/doctor.md).
#
#   usage: packaging/manifest.sh PREFIX DESTDIR...
#
# By hand, on the terminal:  b2sum --check /usr/share/sekimori/manifest
set -eu

prefix=$1
shift

# kind and a pattern below DESTDIR
list() {
	cat <<-END
	program $prefix/sbin/sekimori*
	program $prefix/bin/sekimori*
	program $prefix/libexec/sekimori/*
	module /lib/modules/*/updates/sekimori.ko
	rule $prefix/lib/udev/rules.d/*sekimori*.rules
	rule $prefix/lib/modprobe.d/sekimori*.conf
	rule $prefix/lib/modules-load.d/sekimori*.conf
	rule /etc/modprobe.d/sekimori*.conf
	rule $prefix/lib/systemd/system/sekimori*
	rule $prefix/lib/sysusers.d/sekimori*
	rule $prefix/lib/tmpfiles.d/sekimori*
	rule $prefix/share/dbus-1/system.d/org.sekimori.*
	rule $prefix/share/polkit-1/actions/org.sekimori.*
	rule $prefix/share/polkit-1/rules.d/*sekimori*
	rule $prefix/share/initramfs-tools/hooks/sekimori*
	rule $prefix/share/initramfs-tools/scripts/init-top/sekimori*
	rule $prefix/lib/dracut/modules.d/90sekimori/*
	text $prefix/lib/systemd/catalog/sekimori*
	text $prefix/share/locale/*/LC_MESSAGES/sekimori.mo
	conf /etc/sekimori/sekimorid.conf
	END
}

# Of one pattern, below each directory.
entries() {
	kind=$1 pattern=$2
	shift 2
	for destdir; do
		for file in "${destdir%/}"$pattern; do
			[ -f "$file" ] || continue
			path=${file#"${destdir%/}"}
			printf '# %04o %s %s\n' "0$(stat -c %a "$file")" "$kind" "$path"
			printf '%s  %s\n' "$(b2sum --length=256 < "$file" | cut -d ' ' -f 1)" "$path"
		done
	done
}

echo "# sekimori-manifest 1"
list | while read -r kind pattern; do
	entries "$kind" "$pattern" "$@"
done
