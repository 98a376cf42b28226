#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds the Debian packages of this tree: a copy of it below OUT, with packaging/debian as its debian/, is built by
# dpkg-buildpackage and held against lintian. What is compiled stays in the copy for the next time; nothing is done if
# nothing has changed, and packages of before stay until there are new ones.
#
#   usage: packaging/deb.sh VERSION OUT
#
# Result: OUT/*.deb, OUT/*.changes, OUT/*.buildinfo, OUT/log.
set -euo pipefail
# What the calling make was told is not for the one below.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

version=$1
out=$(realpath -m "$2")
top=$(cd "$(dirname "$0")/.." && pwd)
work=$out/work # dpkg-buildpackage puts packages beside the tree
tree=$work/tree

say() { echo "deb: $*" >&2; }

# What the packages are made of: files of the tree, also those that are not committed yet.
files() {
	if git -C "$top" rev-parse --is-inside-work-tree > /dev/null 2>&1; then
		git -C "$top" ls-files -z --cached --others --exclude-standard
	else
		(cd "$top" && find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%P\0')
	fi | (cd "$top" && xargs -0 -r sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done; :' files) |
		grep -zvE '^(tests|\.ci)/' | sort -z
}

digest() {
	{ echo "$version"; (cd "$top" && files | xargs -0 sha256sum); } | sha256sum
}

copy() {
	# Other flags or another version: nothing compiled before fits.
	local flags
	flags=$({ echo "$version"; grep -E '^(WARN|HARDEN|SAN|C[A-Z]*FLAGS|LDFLAGS|PKGS)' "$top/Makefile"; dpkg-buildflags; } | sha256sum)
	[ "$(cat "$tree/build/flags" 2> /dev/null)" = "$flags" ] || rm -rf "$tree/build"
	# Pages are installed as they lie there.
	rm -rf "$tree/build/man"
	mkdir -p "$tree/build"
	echo "$flags" > "$tree/build/flags"
	# What is not as it was before is new to make, whenever it was written.
	rm -rf "$tree.new"
	mkdir "$tree.new"
	(cd "$top" && files | tar --null -T - -cf -) | tar -C "$tree.new" -m -xf -
	(cd "$tree.new" && find . -type f -exec sh -c \
		'for f; do ! cmp -s "$f" "$0/$f" || touch -r "$0/$f" "$f"; done' "$tree" {} +)
	mv "$tree/build" "$tree.new/build"
	rm -rf "$tree"
	mv "$tree.new" "$tree"
	cp -r "$tree/packaging/debian" "$tree/debian"
	sed -i "1s/([^)]*)/($version)/" "$tree/debian/changelog"
}

mkdir -p "$work"
exec 9> "$out/lock"
flock 9
[ "$(cat "$out/made" 2> /dev/null)" != "$(digest)" ] || exit 0
start=$(date +%s)
rm -f "$work"/*.* "$out/made"
made=$(digest)
copy
if ! (cd "$tree" && DEB_BUILD_OPTIONS="parallel=$(nproc)" dpkg-buildpackage -b -nc -us -uc) > "$out/log" 2>&1 < /dev/null; then
	tail -n 40 "$out/log" >&2
	say "failed; all of it is in $out/log"
	exit 1
fi
# lintian says itself what it finds. Of root it only says that it should not be.
lintian --allow-root --fail-on error,warning "$work"/*.changes
rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
mv "$work"/*.* "$out"
echo "$made" > "$out/made"
say "packages in $out after $(($(date +%s) - start)) s"
