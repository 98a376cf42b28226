#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prepares the disks that tests/image boots: a Debian 12 terminal with its own kernel and initrd, without Sekimori
# and with it, installed from build/deb by the very lines of the README's quick start.
#
#   usage: tests/image/prepare.sh [base|plain|image|recipe]     (default: plain and image)
#
# Results, each made under another name and moved into place, so that a second call does nothing:
#   build/cache/image-base-KEY.squashfs     Debian's part, which needs the network; two minutes and 450 MB
#   build/cache/image-plain-KEY/            a terminal as Debian makes it, with the tests' own files; build/image/plain is a link
#   build/image/sekimori/                   the same with our packages
#   build/image/recipe/                     the same by docs/provisioning.md's recipe for mmdebstrap; only when asked for
# In each: disk.qcow2 or disk.raw, vmlinuz and initrd.img from its /boot, vmlinux (unpacked), kver.
# Needs root (mmdebstrap, chroot).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${SEKIMORI_BUILD:-$top/build}
cache=${SEKIMORI_CACHE:-$build/cache}
. "$here/../terminal/prepare-parts.sh"

# A municipal terminal without its desktop: what boots it, who logs in, what mounts sticks by itself. The second group is what DKMS
# needs, the third what our packages depend on (no network is there when they are installed). USBGuard is compared with by
# tests/bench and is masked until then.
packages="systemd systemd-sysv libpam-systemd dbus polkitd udisks2 login kbd kmod udev procps sudo mount util-linux
	initramfs-tools linux-image-amd64 cryptsetup-bin dosfstools exfatprogs e2fsprogs fdisk usbutils python3-minimal
	locales zstd cpio strace usbguard
	linux-headers-amd64 dkms gcc make openssl
	libusb-1.0-0 libsystemd0 libudev1 libdbus-1-3 libjson-c5 libsodium23 libseccomp2 libcap-ng0 libcryptsetup12 libblkid1
	libsqlite3-0 libzstd1 libaudit1 zlib1g liblzma5"
disk_size=3G
base_recipe=1 # count up when make_base changes
base=$cache/image-base-$(echo "$base_recipe" $packages | sha256sum | cut -c 1-12).squashfs

make_base() {
	local tmp
	say "image: mmdebstrap (once; some minutes)"
	tmp=$(mktemp -d "$cache/image-base.XXXXXX")
	trap "rm -rf --one-file-system '$tmp'" EXIT
	debian_sources "$tmp/sources"
	mmdebstrap --quiet --variant=apt --format=directory \
		--include="$(echo $packages | tr ' ' ',')" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--essential-hook='echo "ja_JP.UTF-8 UTF-8" > "$1/etc/locale.gen"' \
		--customize-hook='rm -f "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
		--customize-hook='for u in usbguard usbguard-dbus; do ln -sf /dev/null "$1/etc/systemd/system/$u.service"; done' \
		--customize-hook='rm -f "$1"/etc/systemd/system/*.wants/usbguard*.service "$1"/etc/rc?.d/???usbguard*' \
		--customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
		bookworm "$tmp/root" - < "$tmp/sources" >&2
	mksquashfs "$tmp/root" "$tmp/base.squashfs" -comp zstd -Xcompression-level 5 -quiet -no-progress -no-xattrs -wildcards -e 'dev/*' >&2
	mv "$tmp/base.squashfs" "$base"
	rm -rf "$tmp"
	trap - EXIT
}


# Gives $root its /proc and a few device nodes, in a mount name space of its own.
root_mounts='
	mount --make-rprivate /
	mount -t proc proc "$root/proc"
	mount -t tmpfs -o mode=755 dev "$root/dev"
	mknod -m 666 "$root/dev/null" c 1 3
	mknod -m 666 "$root/dev/zero" c 1 5
	mknod -m 666 "$root/dev/full" c 1 7
	mknod -m 666 "$root/dev/random" c 1 8
	mknod -m 666 "$root/dev/urandom" c 1 9
	ln -s /proc/self/fd "$root/dev/fd"
'

# Runs a command in a root.
in_root() {
	local root=$1
	shift
	unshare --mount --pid --fork --kill-child sh -euc '
		root=$1
		shift
		'"$root_mounts"'
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive APT_CONFIG=/root/apt.conf \
			chroot "$root" "$@"' sh "$root" "$@"
}

# The people of the terminal. Which of them may do what is said by groups: add_rights.
people_recipe="clerk:1000:plugdev tanaka:1001:zeimu suzuki:1002:jumin sato:1003:jumin kato:1004:users yamada:1005:users"

add_people() {
	local root=$1 person name uid group
	in_root "$root" groupadd --gid 2001 zeimu
	in_root "$root" groupadd --gid 2002 jumin
	for person in $people_recipe; do
		IFS=: read -r name uid group <<< "$person"
		in_root "$root" useradd --create-home --uid "$uid" --groups "$group" --shell /bin/sh "$name"
	done
}

# As the README says: sato approves, kato audits, yamada is the help desk.
add_rights() {
	in_root "$1" gpasswd -a sato sekimori-approve > /dev/null
	in_root "$1" gpasswd -a kato sekimori-audit > /dev/null
	in_root "$1" gpasswd -a yamada sekimori-desk > /dev/null
}

# What stands in for the installer of Debian, and the tests' own hand. guest/start is process 1 between the initrd and systemd.
add_harness() {
	local root=$1 guest=$here/../terminal/guest
	echo "/dev/vda / ext4 errors=remount-ro 0 1" > "$root/etc/fstab"
	echo terminal > "$root/etc/hostname"
	echo "127.0.0.1 localhost terminal" > "$root/etc/hosts"
	echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
	cp -r "$guest/systemd/." "$root/"
	install -D -m 755 "$here/guest/start" "$root/usr/lib/terminal/start"
	install -D -m 755 "$guest/gadget.sh" "$guest/ffs.sh" -t "$root/usr/lib/terminal"
	install -m 755 "$cache/terminal/agent" "$root/usr/sbin/terminal-agent"
	ln -sfn /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	in_root "$root" systemctl -q enable terminal-agent.service terminal-setup.service
}

# The root's file system as a disk, its kernel and initrd beside it.
make_disk() {
	local root=$1 out=$2 kver
	kver=$(basename "$(ls -d "$root"/lib/modules/*-amd64 | sort -V | tail -n 1)")
	mkdir -p "$out"
	truncate -s "$disk_size" "$out/disk.raw"
	mke2fs -q -t ext4 -L terminal -d "$root" "$out/disk.raw" >&2
	cp "$root/boot/vmlinuz-$kver" "$out/vmlinuz"
	cp "$root/boot/initrd.img-$kver" "$out/initrd.img"
	unpack_kernel "$out/vmlinuz" "$out/vmlinux"
	echo "$kver" > "$out/kver"
}

unpack_base() {
	unsquashfs -quiet -no-progress -d "$1" "$base" >&2
	mkdir -p "$1/dev"
}

make_plain() {
	local tmp
	say "image: a plain terminal"
	tmp=$(mktemp -d "$cache/image-plain.XXXXXX")
	trap "rm -rf --one-file-system '$tmp'" EXIT
	unpack_base "$tmp/root"
	add_people "$tmp/root"
	add_harness "$tmp/root"
	make_disk "$tmp/root" "$tmp/out"
	qemu-img convert -O qcow2 -c -o compression_type=zstd "$tmp/out/disk.raw" "$tmp/out/disk.qcow2"
	rm "$tmp/out/disk.raw"
	mv "$tmp/out" "$plain"
	ls -dt "$cache"/image-plain-???????????? | tail -n +4 | xargs -r -d '\n' rm -rf # of other versions of this tree
	rm -rf --one-file-system "$tmp"
	trap - EXIT
}

make_image() {
	local tmp out=$build/image/sekimori
	say "image: installing build/deb"
	tmp=$(mktemp -d "$build/image/tmp.XXXXXX")
	trap "rm -rf --one-file-system '$tmp'" EXIT
	unpack_base "$tmp/root"
	add_people "$tmp/root"
	cp "$build"/deb/*.deb "$tmp/root/root/"
	"$here/quick-start.py" before > "$tmp/root/root/quick-start"
	echo 'APT::Get::Assume-Yes "true";' > "$tmp/root/root/apt.conf" # nobody is there to be asked
	in_root "$tmp/root" sh -euxc 'cd /root; . ./quick-start' > "$tmp/install.log" 2>&1 || {
		cat "$tmp/install.log" >&2
		say "image: installing as the README says has failed"
		exit 1
	}
	rm "$tmp"/root/root/*.deb "$tmp"/root/root/{quick-start,apt.conf}
	add_rights "$tmp/root"
	add_harness "$tmp/root"
	make_disk "$tmp/root" "$tmp/out"
	mv "$tmp/install.log" "$tmp/out/"
	echo "$image_key" > "$tmp/out/key"
	rm -rf "$out"
	mv "$tmp/out" "$out"
	rm -rf --one-file-system "$tmp"
	trap - EXIT
}

# What docs/provisioning.md has beside its recipes, in SRV/sekimori: packages, and what a desk gives to all terminals.
make_shared() {
	local tmp=$1 at=$1/srv/sekimori package desk
	mkdir -p "$at/debs" "$at/common/trust.d"
	for package in sekimori sekimori-common sekimori-dkms; do
		cp "$build"/deb/${package}_*.deb "$at/debs/"
	done
	for package in sekimori sekimori-desk; do
		dpkg-deb -x "$build"/deb/${package}_*.deb "$tmp/tools"
	done
	echo "four unrelated words here" > "$tmp/words"
	desk="env LANG=C.UTF-8 SEKIMORI_DESK=$tmp/desk $tmp/tools/usr/bin/sekimori-desk --by=clerk --passphrase-file=$tmp/words"
	$desk init --quick-kdf --policy-signer=suzuki --policy-signer=sato --organisation=みどり市 --return-to=情報課
	$desk log keygen --quick-kdf
	$desk policy --base="$here/../../policy/terminal.policy" --out="$at/common/policy" --sign=policy-1
	cp "$tmp/desk/trust/sekimori-desk.trust" "$at/common/trust.d/"
	cp "$tmp/desk/keys/desk-log.pub" "$at/common/"
	cp "$tmp/desk/keys/policy-1.pub" "$at/desk.pub"
	printf 'sekimori-provision 1\nmode drill\n' > "$at/common/provision.conf"
}

# The recipe's own last steps come last: nothing of this machine's may be left.
make_recipe() {
	local tmp out=$build/image/recipe
	say "image: by the recipe for mmdebstrap"
	tmp=$(mktemp -d "$build/image/tmp.XXXXXX")
	trap "rm -rf --one-file-system '$tmp'" EXIT
	unpack_base "$tmp/root"
	add_harness "$tmp/root"
	make_shared "$tmp" >&2
	unshare --mount --pid --fork --kill-child sh -euc '
		root=$1/root
		'"$root_mounts"'
		mount --bind "$1/srv" /srv
		exec env -i PATH="$1/tools/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			"$2" "$root"' sh "$tmp" "$here/recipe.py" > "$tmp/install.log" 2>&1 < /dev/null || {
		cat "$tmp/install.log" >&2
		say "image: the recipe of docs/provisioning.md has failed"
		exit 1
	}
	make_disk "$tmp/root" "$tmp/out"
	mv "$tmp/install.log" "$tmp/out/"
	echo "$recipe_key" > "$tmp/out/key"
	rm -rf "$out"
	mv "$tmp/out" "$out"
	rm -rf --one-file-system "$tmp"
	trap - EXIT
}

"$here/../terminal/prepare.sh" # the agent
mkdir -p "$cache" "$build/image"
exec 9> "$cache/image.lock"
flock 9
start=$(date +%s)
[ -e "$base" ] || make_base
[ "${1:-}" = base ] && exit 0

harness_key=$({ echo "$base $people_recipe $disk_size $root_mounts"; declare -f in_root add_people add_harness make_disk unpack_base make_plain
	cat "$here/guest/start" "$(readlink -f "$cache/terminal/agent")"
	cat $(find "$here/../terminal/guest/systemd" -type f | sort); } | sha256sum | cut -c 1-12)
plain=$cache/image-plain-$harness_key
[ -e "$plain" ] || make_plain
ln -sfnr "$plain" "$build/image/plain"
[ "${1:-}" = plain ] && exit 0

ls "$build"/deb/*.deb > /dev/null 2>&1 || { say "no packages in $build/deb: run 'make deb'"; exit 1; }
if [ "${1:-}" = recipe ]; then
	recipe_key=$({ echo "$harness_key"; declare -f make_shared make_recipe; cat "$build"/deb/*.deb "$here/recipe.py" \
		"$here/../../docs/provisioning.md" "$here/../../policy/terminal.policy"; } | sha256sum | cut -c 1-12)
	[ "$(cat "$build/image/recipe/key" 2>/dev/null)" = "$recipe_key" ] || make_recipe
	say "image: ready after $(($(date +%s) - start)) s"
	exit 0
fi
image_key=$({ echo "$harness_key"; declare -f add_rights make_image; "$here/quick-start.py" before; cat "$build"/deb/*.deb; } | sha256sum | cut -c 1-12)
[ "$(cat "$build/image/sekimori/key" 2>/dev/null)" = "$image_key" ] || make_image
say "image: ready after $(($(date +%s) - start)) s"
