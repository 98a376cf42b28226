/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from devices and strangers, made safe to show: what it shows is what it holds. Characters
 * that move the cursor, turn the direction of writing, or cannot be seen are written out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that the escaped form of len bytes takes at most, with the NUL. */
#define TEXT_ESCAPED_MAX(len) (4 * (len) + 1)

/*
 * Must the character be written out? Control characters (C0, DEL, C1), direction marks and
 * overrides (Unicode Bidirectional Algorithm, UAX #9, 2), zero-width and other invisible
 * characters, line and paragraph separators, tags, noncharacters.
 */
bool text_is_unsafe(uint32_t cp);

/* Is it UTF-8 without any such character? */
bool text_is_safe(const char *text);

/*
 * Copies text so that a terminal shows it harmlessly: unsafe characters as \u{202E} (those below
 * U+0080 as \x1B), bytes that are not UTF-8 as \xHH (always 80 or above), a backslash as \\. The
 * original can so be told from the result. What does not fit is cut before a character. Returns
 * out.
 */
char *text_escape_terminal(char *out, size_t size, const char *text);

/*
 * Copies JSON text so that every unsafe character in its strings is written as its JSON escape: a reader gets the
 * same strings, a terminal nothing to obey. Line feeds are layout and stay, since a string cannot hold one
 * raw. malloc'd, NULL without memory.
 */
char *text_escape_json(const char *json, size_t len);

/*
 * Columns that a text takes on a terminal: 2 for East Asian wide and full-width characters (UAX
 * #11), 0 for combining ones, 1 otherwise. Give it escaped text.
 */
size_t text_width(const char *text);
