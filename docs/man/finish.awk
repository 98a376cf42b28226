# SPDX-License-Identifier: GPL-2.0-or-later
#
# What lowdown(1) leaves to do in a manual page: titles on their macro's line with no paragraph begun behind them; code in bold, as
# names are that are typed as they stand (mandoc knows no \fC); and in code a dash that can be copied into a command line.

function code_dashes(text,	out, at) {
	out = ""
	while ((at = index(text, "\\fC"))) {
		out = out substr(text, 1, at - 1) "\\fB"
		text = substr(text, at + 3)
		at = index(text, "\\f")
		if (!at)
			at = length(text) + 1
		out = out dashes(substr(text, 1, at - 1))
		text = substr(text, at)
	}
	return out text
}

function dashes(text) {
	gsub(/\\-/, "-", text)
	gsub(/-/, "\\-", text)
	return text
}

function title(macro, text) {
	print macro " " code_dashes(text)
	after_title = 1
}

# Lines of Japanese can hardly be stretched to the right edge.
/^\.TH / && japanese {
	print
	print ".ad l"
	next
}

/^\.S[HS]$/ {
	macro = $0
	next
}

macro != "" {
	title(macro, $0)
	macro = ""
	next
}

after_title && /^\.[LP]P$/ {
	next
}

{
	after_title = 0
}

/^\.(EX|nf)$/ {
	literal = 1
}

/^\.(EE|fi)$/ {
	literal = 0
}

literal && !/^[.']/ {
	print dashes($0)
	next
}

{
	print code_dashes($0)
}
