# SPDX-License-Identifier: GPL-2.0-or-later
#
# A document of docs/ as lowdown(1) wants it for a manual page, on standard output:
#
#   - the first heading goes, the others rise by one; those of the second level become sections, in capitals;
#   - tables become lists of definitions, since a table of sentences fits no terminal: the first column is the term, the columns
#     between are named, the last one is the text;
#   - links to documents become names of pages, as docs/man/pages has them: "sekimori.policy(5)";
#   - summaries in Japanese go, unless the page is Japanese.
#
#   awk -v page=NAME.SECTION -v pages=FILE [-v japanese=1] [-v program=FILE] -f page.awk DOCUMENT
#
# A line `<!-- commands -->` or `<!-- options -->` gives way to what `program` has to say of its own tables.

function load_pages(	line, field, n, section, sections, i) {
	while ((getline line < pages) > 0) {
		n = split(line, field, "\t")
		if (line ~ /^#/ || n < 4)
			continue
		sections = split(field[2], section, "#")
		if (sections == 1)
			page_of[field[2]] = reference(field[1])
		if (field[1] == page) {
			name = field[1]
			sub(/\.[0-9]$/, "", name)
			gsub(/ /, ", ", field[3])
			printf "# NAME\n\n%s%s - %s\n\n", name, field[3] == "" ? "" : ", " field[3], field[4]
			intro = "# DESCRIPTION\n"
			for (i = 2; i <= sections; i++)
				wanted[section[i]] = i
			dropping = sections > 1
			chosen = sections > 1
		}
	}
	close(pages)
}

# "sekimorid.8" is sekimorid(8).
function reference(stem,	at) {
	at = length(stem)
	return "**" substr(stem, 1, at - 2) "**(" substr(stem, at) ")"
}

function page_for(file) {
	sub(/#.*/, "", file)
	sub(/.*\//, "", file)
	if (file in page_of)
		return page_of[file]
	if (file ~ /\.[0-9]\.md$/)
		return reference(substr(file, 1, length(file) - 3))
	return "/usr/share/doc/sekimori-common/" file
}

# [text](file.md#part), docs/file.md, and the name of a file that is a page.
function link_text(text,	out, at, end, label, target) {
	out = ""
	while (match(text, /\[[^]]*\]\([^)]*\)/)) {
		at = RSTART
		end = RSTART + RLENGTH
		label = substr(text, at + 1, index(substr(text, at), "](") - 2)
		target = substr(text, at + length(label) + 3, end - at - length(label) - 4)
		out = out substr(text, 1, at - 1)
		if (target ~ /^https?:/)
			out = out label " (" target ")"
		else if (target ~ /^#/)
			out = out label
		else if (label ~ /\.md$/ || label ~ /\([0-9]\)$/)
			out = out page_for(target)
		else
			out = out label " (" page_for(target) ")"
		text = substr(text, end)
	}
	text = out text
	out = ""
	while (match(text, /`?[a-zA-Z0-9.\/-]+\.md`?/)) {
		at = RSTART
		end = RSTART + RLENGTH
		target = substr(text, at, RLENGTH)
		if (target ~ /docs\// || target in page_of)
			gsub(/`/, "", target)
		out = out substr(text, 1, at - 1) (target ~ /^docs\// || target in page_of ? page_for(target) : target)
		text = substr(text, end)
	}
	return underscores(out text)
}

# Those in names, as CAP_SYS_ADMIN, emphasise nothing. Code may go on from one line to the next.
function underscores(text,	n, i, part) {
	n = split(text, part, "`")
	text = ""
	for (i = 1; i <= n; i++) {
		if (i > 1) {
			in_code = !in_code
			text = text "`"
		}
		if (!in_code)
			gsub(/_/, "\\_", part[i])
		text = text part[i]
	}
	return text
}

# Cells of a row into cell[1..]; "\|" is no border.
function row_split(row,	n, i) {
	gsub(/\\\|/, "\001", row)
	sub(/^ *\|/, "", row)
	sub(/\| *$/, "", row)
	n = split(row, cell, /\|/)
	for (i = 1; i <= n; i++) {
		gsub(/\001/, "|", cell[i])
		sub(/^ +/, "", cell[i])
		sub(/ +$/, "", cell[i])
	}
	return n
}

function table_row(	n, i, text, label) {
	n = row_split($0)
	table_rows++
	if (table_rows == 1) {
		for (i = 1; i <= n; i++)
			title[i] = cell[i]
		return
	}
	if (table_rows == 2)
		return
	text = ""
	for (i = 2; i <= n; i++) {
		if (cell[i] == "")
			continue
		label = (i < n || n > 4) && title[i] != "" ? "*" title[i] ":* " : ""
		text = text (text == "" ? "" : (i == n ? ". " : "; ")) label cell[i]
	}
	printf "%s\n:   %s\n\n", link_text(cell[1] == "" ? "-" : cell[1]), link_text(text == "" ? "-" : text)
}

function heading(line,	marks, text) {
	match(line, /^#+/)
	marks = substr(line, 2, RLENGTH - 1)
	text = substr(line, RLENGTH + 2)
	dropping = !japanese && text ~ /日本語の要約/
	if (chosen && marks == "#") {
		unwanted = !(text in wanted)
		# The first of them is the description itself.
		if (!unwanted && wanted[text] == 2)
			return
	}
	dropping = dropping || (chosen && (marks == "" || unwanted))
	if (dropping || marks == "")
		return
	intro = ""
	# What has lower and upper case only as it stands keeps it: names of interfaces.
	if (marks == "#" && text !~ /org\./)
		text = toupper(text)
	print marks " " link_text(text)
}

BEGIN {
	load_pages()
}

# With blank lines around, which lowdown needs inside a list.
/^ *```/ {
	fenced = !fenced
	print fenced ? "\n" $0 : $0 "\n"
	next
}

fenced {
	print
	next
}

/^<!-- (commands|options) -->$/ {
	command = "LC_ALL=" (japanese ? "ja_JP.UTF-8" : "C") " '" program "' completion " $2
	while ((command | getline line) > 0)
		print line
	if (close(command)) {
		print page ": " command " failed" > "/dev/stderr"
		exit 1
	}
	next
}

/^<!--/ {
	next
}

/^#/ {
	heading($0)
	next
}

dropping {
	next
}

# A summary: to the end of its paragraph, and of the list that follows a colon.
!japanese && /^(日本語の要約|要約（日本語）)/ {
	summary = 1
}

summary {
	if ($0 == "") {
		summary = summary == 2 || last !~ /：$/ ? 0 : 2
	}
	if ($0 != "")
		last = $0
	next
}

intro != "" && $0 != "" {
	print intro
	intro = ""
}

$0 == "" || /^ *\|/ {
	in_code = 0
}

/^ *\|/ {
	table_row()
	next
}

table_rows {
	table_rows = 0
}

# Code by indentation stands as it is.
/^    / {
	print
	next
}

{
	print link_text($0)
}
