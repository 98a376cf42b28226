#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Writes one manual page, in man(7), to standard output: from docs/man/PAGE.md, or from the document that docs/man/pages names.
#
#   usage: docs/man/page.sh [--ja] PAGE VERSION DATE [PROGRAM]        PAGE like sekimorictl.1; PROGRAM: whose tables it holds
set -eu

here=$(dirname "$0")
japanese=
if [ "$1" = --ja ]; then
	japanese=1
	shift
fi
page=$1 version=$2 date=$3 program=${4:-}
document=$here/${japanese:+ja/}$page.md
if [ ! -e "$document" ]; then
	document=$here/../$(awk -F '\t' -v page="$page" '$1 == page { sub(/#.*/, "", $2); print $2 }' "$here/pages")
fi
# Steps of their own, so that none can fail unseen.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LC_ALL=C.UTF-8 awk -v page="$page" -v pages="$here/pages" -v japanese="$japanese" -v program="$program" -f "$here/page.awk" \
	"$document" > "$work/md"
lowdown -s -Tman -M title="${page%.*}" -M section="${page##*.}" -M source="Sekimori $version" -M date="$date" \
	-M volume= -o "$work/man" "$work/md"
awk -v japanese="$japanese" -f "$here/finish.awk" "$work/man"
