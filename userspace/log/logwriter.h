/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records written for people and for other programs, on standard output:
 *
 *   table   local time, what happened, device, medium, user, why; cut to a width, in the reader's language
 *   json    the record as it stands in the log, one a line; characters that steer a terminal as \uXXXX. Lines that the daemon
 *           wrote come out byte for byte, so what was exported without a filter verifies like the log itself
 *   csv     RFC 4180 with a byte order mark (core/csv.h), a title line, and in the last column what has none of its own, as JSON
 *   cef     ArcSight Common Event Format, version 0, without a syslog prefix
 *
 * In all but JSON the texts of strangers are escaped as core/text.h says (a backslash as \\, ESC as \x1B): so a record is one
 * line everywhere, and the original can be told from it.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "log/logset.h"

enum logwriter_format {
	LOGWRITER_TABLE,
	LOGWRITER_JSON,
	LOGWRITER_CSV,
	LOGWRITER_CEF,
};

struct logwriter {
	enum logwriter_format format;
	size_t width; /* columns of the table; 0: nothing is cut */
	bool colour;
	bool terminals; /* a column for the terminal: there are records of several */
};

/* "table", "json", "csv", "cef". False: there is no such format. */
bool logwriter_format_parse(const char *name, enum logwriter_format *format);

void logwriter_begin(const struct logwriter *writer);
/* record: NULL is enough for LOGWRITER_JSON, which writes the line. */
void logwriter_record(const struct logwriter *writer, struct json_object *record, const struct logset_line *line);
