#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints the manifest (userspace/doctor/manifest.h) of what is installed below DESTDIR: every file of ours at a place that
# steers the barrier. To be run last, after stripping and signing.
#
#   usage: packaging/manifest.sh DESTDIR PREFIX
#
# By hand, on the terminal:  b2sum --check /usr/share/sekimori/manifest
set -eu

destdir=${1%/}
prefix=$2

# kind and a pattern below DESTDIR
list() {
	cat <<-END
	program $prefix/sbin/sekimori*
	program $prefix/bin/sekimori*
	program $prefix/libexec/sekimori/*
	module /lib/modules/*/updates/sekimori.ko
	module /lib/modules/*/updates/dkms/sekimori.ko
	rule $prefix/lib/udev/rules.d/*sekimori*.rules
	rule $prefix/lib/modprobe.d/sekimori*.conf
	rule $prefix/lib/modules-load.d/sekimori*.conf
	rule /etc/modprobe.d/sekimori*.conf
	rule $prefix/lib/systemd/system/sekimori*
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

echo "# sekimori-manifest 1"
list | while read -r kind pattern; do
	for file in "$destdir"$pattern; do
		[ -f "$file" ] || continue
		path=${file#"$destdir"}
		printf '# %04o %s %s\n' "0$(stat -c %a "$file")" "$kind" "$path"
		printf '%s  %s\n' "$(b2sum --length=256 < "$file" | cut -d ' ' -f 1)" "$path"
	done
done
