/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things stand in the text of a rule line that has been parsed: the parsed rule does not say.
 * Columns count bytes from 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Offset of the # that begins the comment behind the rule; len if there is none. */
size_t ruleline_comment(const char *line, size_t len);

/* Column of the first word, the target. */
unsigned int ruleline_target(const char *line, size_t len);

/* Column of an attribute's name; of the target if it is not written out (an id right behind the
 * target). */
unsigned int ruleline_attribute(const char *line, size_t len, const char *name);

/* Column of the first id (1234:ABCD) with an upper-case digit, 0 if there is none. */
unsigned int ruleline_upper_id(const char *line, size_t len);
