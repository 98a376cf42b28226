# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 12 packages, by name: what building, testing and linting need.

DEPS_BUILD := gcc make pkg-config gettext libc6-dev linux-headers-amd64 libsystemd-dev libudev-dev \
	libusb-1.0-0-dev libdbus-1-dev libjson-c-dev libsodium-dev libseccomp-dev libcap-ng-dev \
	libcryptsetup-dev libblkid-dev libsqlite3-dev zlib1g-dev liblzma-dev libzstd-dev libaudit-dev
# lowdown makes manual pages.
DEPS_BUILD += lowdown
DEPS_TEST := libcunit1-dev python3 qemu-system-x86 qemu-utils mmdebstrap cryptsetup-bin squashfs-tools cpio \
	busybox-static e2fsprogs kmod systemd dbus libglib2.0-bin binutils \
	minisign openssl zstd shellcheck umockdev usbguard clang-14 libclang-rt-14-dev systemd-journal-remote
# For manual pages and completion.
DEPS_TEST += man-db groff mandoc bash-completion zsh
# For the role that provisions terminals.
DEPS_TEST += ansible-core
# For the agent: a screen without a screen, what draws on it, and who types.
DEPS_TEST += xvfb dunst zenity pinentry-gtk2 xdotool imagemagick fonts-vlgothic

# For the packages.
DEPS_DEB := debhelper dh-dkms dpkg-dev lintian

# For `make test-debug` only: it builds a kernel.
DEPS_DEBUG := linux-source-6.1 flex bison bc xz-utils libelf-dev libssl-dev

# For `make bench` only: what USBGuard's own library makes of the same rules; memory of a process.
DEPS_BENCH := libusbguard-dev g++ time

DEPS := $(DEPS_BUILD) $(DEPS_TEST) $(DEPS_DEB)
