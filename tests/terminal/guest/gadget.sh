#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices that QEMU does not have, made inside the guest with dummy_hcd (a host controller and a
# device controller joined in software) and configfs.
#
#   gadget.sh up NAME [id=VVVV:PPPP] [serial=S] [maker=M] [product=P] [class=XX] [bcd=XXXX] FUNCTION...
#   gadget.sh down NAME
#   gadget.sh type NAME TEXT      keystrokes (a-z, 0) from the gadget's keyboard
#   gadget.sh card NAME SLOT IMAGE   puts a card into a slot of its reader; "-" takes it out
#   gadget.sh prepare             load the controllers only
#
# FUNCTION, one interface (or more) each, in this order:
#   keyboard          boot keyboard (class 03)
#   storage=IMAGE     bulk-only mass storage (08); IMAGE is a file or block device in the guest;
#                     storage=IMAGE,ro and storage=IMAGE,cdrom
#   reader=IMAGE,...  the same with a unit for each; "-" is an empty slot
#   vendor            vendor-specific with bulk endpoints (ff), the kernel's source/sink
#   network           CDC ECM (02, 0a);  rndis (e0)
#   serial            CDC ACM (02, 0a)
set -eu
top=/sys/kernel/config/usb_gadget

prepare() {
	[ -d /sys/class/udc/dummy_udc.0 ] || modprobe dummy_hcd num=2
	[ -d "$top" ] || modprobe libcomposite
}

free_udc() {
	for udc in /sys/class/udc/*; do
		grep -qsx "${udc##*/}" "$top"/*/UDC || { echo "${udc##*/}"; return; }
	done
	echo "gadget: no free device controller" >&2
	exit 1
}

# HID 1.11, appendix B.1: boot keyboard, 8-byte reports, without its LEDs.
keyboard_report() {
	# In one write: each write to report_desc replaces the whole.
	a='\005\001\011\006\241\001\005\007\031\340\051\347\025\000\045\001\165\001\225\010\201\002'
	printf "$a"'\225\001\165\010\201\003\225\006\165\010\025\000\045\145\005\007\031\000\051\145\201\000\300'
}

add_function() { # gadget dir, number, function
	case $3 in
	keyboard)
		f=$1/functions/hid.$2
		mkdir "$f"
		echo 1 > "$f/protocol"
		echo 1 > "$f/subclass"
		echo 8 > "$f/report_length"
		keyboard_report > "$f/report_desc" ;;
	storage=*)
		f=$1/functions/mass_storage.$2
		mkdir "$f"
		image=${3#storage=}
		case $image in
		*,ro) echo 1 > "$f/lun.0/ro" ;;
		*,cdrom) echo 1 > "$f/lun.0/cdrom" ;;
		esac
		echo 1 > "$f/lun.0/removable"
		echo "${image%%,*}" > "$f/lun.0/file" ;;
	reader=*)
		f=$1/functions/mass_storage.$2
		mkdir "$f"
		slot=0
		for image in $(echo "${3#reader=}" | tr , ' '); do
			[ -d "$f/lun.$slot" ] || mkdir "$f/lun.$slot"
			echo 1 > "$f/lun.$slot/removable"
			[ "$image" = - ] || echo "$image" > "$f/lun.$slot/file"
			slot=$((slot + 1))
		done ;;
	vendor) f=$1/functions/SourceSink.$2; mkdir "$f" ;;
	network) f=$1/functions/ecm.$2; mkdir "$f" ;;
	rndis) f=$1/functions/rndis.$2; mkdir "$f" ;;
	serial) f=$1/functions/acm.$2; mkdir "$f" ;;
	*) echo "gadget: unknown function '$3'" >&2; exit 2 ;;
	esac
	ln -s "$f" "$1/configs/c.1/"
}

up() {
	g=$top/$1
	shift
	prepare
	mkdir "$g" "$g/strings/0x409" "$g/configs/c.1" "$g/configs/c.1/strings/0x409"
	echo 0x1d6b > "$g/idVendor"
	echo 0x0104 > "$g/idProduct"
	echo Sekimori > "$g/strings/0x409/manufacturer"
	echo Gadget > "$g/strings/0x409/product"
	echo 0 > "$g/strings/0x409/serialnumber"
	number=0
	for word; do
		case $word in
		id=*)
			id=${word#id=}
			echo "0x${id%:*}" > "$g/idVendor"
			echo "0x${id#*:}" > "$g/idProduct" ;;
		serial=*) echo "${word#*=}" > "$g/strings/0x409/serialnumber" ;;
		maker=*) echo "${word#*=}" > "$g/strings/0x409/manufacturer" ;;
		product=*) echo "${word#*=}" > "$g/strings/0x409/product" ;;
		bcd=*) echo "0x${word#*=}" > "$g/bcdDevice" ;;
		class=*) echo "0x${word#*=}" > "$g/bDeviceClass" ;;
		*)
			add_function "$g" "$number" "$word"
			number=$((number + 1)) ;;
		esac
	done
	free_udc > "$g/UDC"
}

down() {
	g=$top/$1
	[ -d "$g" ] || return 0
	echo > "$g/UDC" || true
	for link in "$g"/configs/c.1/*.*; do [ -L "$link" ] && rm "$link"; done
	rmdir "$g/configs/c.1/strings/0x409" "$g/configs/c.1"
	for f in "$g"/functions/*; do
		for lun in "$f"/lun.[1-9]*; do [ ! -d "$lun" ] || rmdir "$lun"; done
		[ ! -d "$f" ] || rmdir "$f"
	done
	rmdir "$g/strings/0x409" "$g"
}

change_card() { # name, slot, image
	[ "$3" = - ] && image='' || image=$3
	for f in "$top/$1"/functions/mass_storage.*; do
		echo "$image" > "$f/lun.$2/file"
	done
}

type_text() {
	node=/dev/char/$(cat "$top/$1"/functions/hid.*/dev)
	printf '%s\n' "$2" | fold -w 1 | while IFS= read -r c; do
		case $c in
		[a-z]) code=$(($(printf '%d' "'$c") - 97 + 4)) ;;
		*) code=39 ;; # 0
		esac
		printf "\\000\\000\\$(printf '%03o' "$code")\\000\\000\\000\\000\\000" > "$node"
		printf '\000\000\000\000\000\000\000\000' > "$node"
	done
}

case ${1:-} in
up|down) "$@" ;;
type) type_text "$2" "$3" ;;
card) change_card "$2" "$3" "$4" ;;
prepare) prepare ;;
*) sed -n 's/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
