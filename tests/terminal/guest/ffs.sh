#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plugs played devices (ffs-device) into the guest's dummy host controller, and pulls them out.
#
#   ffs.sh start NAME VENDOR PRODUCT SERIAL MODE [options of ffs-device]
#   ffs.sh start-all             the same for each line of standard input
#   ffs.sh stop NAME...
#
# Ids are hexadecimal (1d6b). What the device saw is in /run/ffs-NAME.log. The first free UDC is taken;
# for more than one device at a time load dummy_hcd with num=N beforehand. Programs are started as
# seldom as possible: under emulation each costs more than what it does.
set -eu

gadgets=/sys/kernel/config/usb_gadget
program=${FFS_DEVICE:-/usr/lib/terminal/ffs-device}

fail() { echo "ffs: $*" >&2; exit 1; }

# Is it what the (only) line of the file begins with?
line_is() {
	line=''
	! [ -e "$1" ] || read -r line < "$1" || true
	[ "$line" = "$2" ]
}

# Sets udc.
free_udc() {
	for udc in /sys/class/udc/*; do
		udc=${udc##*/}
		for gadget in "$gadgets"/*; do
			! line_is "$gadget/UDC" "$udc" || continue 2
		done
		[ ! -e "/sys/class/udc/$udc" ] || return 0
	done
	fail "no free UDC"
}

prepare() {
	if ! [ -e /sys/class/udc/dummy_udc.0 ] || ! [ -d /sys/module/usb_f_fs ]; then
		modprobe -a dummy_hcd libcomposite usb_f_fs
	fi
	mountpoint -q /sys/kernel/config || mount -t configfs config /sys/kernel/config
}

create() {
	name=$1 vendor=$2 product=$3 serial=$4
	shift 4
	gadget=$gadgets/$name mount=/run/ffs-$name
	mkdir "$gadget" "$gadget/strings/0x409" "$gadget/configs/c.1" "$gadget/functions/ffs.played-$name" "$mount"
	echo "0x$vendor" > "$gadget/idVendor"
	echo "0x$product" > "$gadget/idProduct"
	echo 0x0200 > "$gadget/bcdUSB"
	echo "$serial" > "$gadget/strings/0x409/serialnumber"
	echo "Sekimori test" > "$gadget/strings/0x409/manufacturer"
	echo "played device" > "$gadget/strings/0x409/product"
	ln -s "$gadget/functions/ffs.played-$name" "$gadget/configs/c.1/"
	mount -i -t functionfs "played-$name" "$mount" # not $name: mount(8) takes "dev" for /dev
	: > "/run/ffs-$name.log" # not the last one's "ready"
	setsid "$program" "$mount" "$@" > "/run/ffs-$name.log" 2>&1 < /dev/null &
	echo $! > "/run/ffs-$name.pid"
}

plug() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		! line_is "/run/ffs-$1.log" ready || break
		[ -z "$line" ] || fail "$(cat "/run/ffs-$1.log")"
		sleep 0.2
	done
	free_udc
	echo "$udc" > "$gadgets/$1/UDC"
}

start() {
	prepare
	create "$@"
	plug "$1"
}

start_all() {
	prepare
	names=''
	while read -r line; do
		# shellcheck disable=SC2086
		create $line
		names="$names ${line%% *}"
	done
	for name in $names; do
		plug "$name"
	done
}

# Each program once for all of them.
stop() {
	mounts='' pids='' files='' parts=''
	for name; do
		gadget=$gadgets/$name
		echo > "$gadget/UDC" 2>/dev/null || true
		line_is "/run/ffs-$name.pid" "" || pids="$pids $line"
		mounts="$mounts /run/ffs-$name"
		files="$files /run/ffs-$name.pid $gadget/configs/c.1/ffs.played-$name"
		parts="$parts $gadget/functions/ffs.played-$name $gadget/configs/c.1 $gadget/strings/0x409 $gadget /run/ffs-$name"
	done
	# shellcheck disable=SC2086
	{
		[ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
		for _ in $(seq 100); do
			umount -i $mounts 2>/dev/null && break
			still=''
			while read -r _ at _; do
				case " $mounts " in *" $at "*) still="$still $at" ;; esac
			done < /proc/mounts
			mounts=$still
			[ -n "$mounts" ] || break
			sleep 0.05
		done
		rm -f $files
		rmdir $parts
	}
}

case ${1-} in
start) [ $# -ge 6 ] || fail "start NAME VENDOR PRODUCT SERIAL MODE [options]" ;;
start-all) shift; start_all; exit ;;
stop) [ $# -ge 2 ] || fail "stop NAME..." ;;
*) fail "start, start-all or stop" ;;
esac
"$@"
