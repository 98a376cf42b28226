#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plugs a played device (ffs-device) into the guest's dummy host controller, and pulls it out.
#
#   ffs.sh start NAME VENDOR PRODUCT SERIAL MODE [options of ffs-device]
#   ffs.sh stop NAME
#
# Ids are hexadecimal (1d6b). What the device saw is in /run/ffs-NAME.log. The first free UDC is taken;
# for more than one device at a time load dummy_hcd with num=N beforehand.
set -eu

gadgets=/sys/kernel/config/usb_gadget
program=${FFS_DEVICE:-/usr/lib/terminal/ffs-device}

fail() { echo "ffs: $*" >&2; exit 1; }

free_udc() {
	for udc in /sys/class/udc/*; do
		[ -e "$udc" ] || continue
		udc=${udc##*/}
		grep -qsx "$udc" "$gadgets"/*/UDC || { echo "$udc"; return; }
	done
	fail "no free UDC"
}

start() {
	name=$1 vendor=$2 product=$3 serial=$4
	shift 4
	modprobe -a dummy_hcd libcomposite usb_f_fs
	mountpoint -q /sys/kernel/config || mount -t configfs config /sys/kernel/config
	udc=$(free_udc)
	gadget=$gadgets/$name mount=/run/ffs-$name
	mkdir "$gadget"
	echo "0x$vendor" > "$gadget/idVendor"
	echo "0x$product" > "$gadget/idProduct"
	echo 0x0200 > "$gadget/bcdUSB"
	mkdir "$gadget/strings/0x409" "$gadget/configs/c.1" "$gadget/functions/ffs.played-$name"
	echo "$serial" > "$gadget/strings/0x409/serialnumber"
	echo "Sekimori test" > "$gadget/strings/0x409/manufacturer"
	echo "played device" > "$gadget/strings/0x409/product"
	ln -s "$gadget/functions/ffs.played-$name" "$gadget/configs/c.1/"
	mkdir -p "$mount"
	mount -t functionfs "played-$name" "$mount" # not $name: mount(8) takes "dev" for /dev
	setsid "$program" "$mount" "$@" > "/run/ffs-$name.log" 2>&1 < /dev/null &
	echo $! > "/run/ffs-$name.pid"
	for _ in $(seq 100); do
		grep -qs '^ready$' "/run/ffs-$name.log" && break
		kill -0 "$(cat "/run/ffs-$name.pid")" 2>/dev/null || fail "$(cat "/run/ffs-$name.log")"
		sleep 0.05
	done
	echo "$udc" > "$gadget/UDC"
}

stop() {
	name=$1
	gadget=$gadgets/$name mount=/run/ffs-$name
	echo > "$gadget/UDC" 2>/dev/null || true
	kill -9 "$(cat "/run/ffs-$name.pid")" 2>/dev/null || true
	for _ in $(seq 100); do
		umount "$mount" 2>/dev/null && break
		sleep 0.05
	done
	rm -f "$gadget/configs/c.1/ffs.played-$name" "/run/ffs-$name.pid"
	rmdir "$gadget/functions/ffs.played-$name" "$gadget/configs/c.1" "$gadget/strings/0x409" "$gadget"
	rmdir "$mount"
}

case ${1-} in
start) [ $# -ge 6 ] || fail "start NAME VENDOR PRODUCT SERIAL MODE [options]" ;;
stop) [ $# -eq 2 ] || fail "stop NAME" ;;
*) fail "start or stop" ;;
esac
"$@"
