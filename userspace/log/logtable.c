// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/eventkind.h"
#include "core/reason.h"
#include "core/text.h"
#include "log/logformats.h"
#include "log/logrecord.h"
#include "log/logwords.h"

#define TIME_WIDTH (sizeof("2026-11-21 08:30:00") - 1)
#define GAP_WIDTH 2

enum column {
	COLUMN_TIME,
	COLUMN_TERMINAL,
	COLUMN_KIND,
	COLUMN_DEVICE,
	COLUMN_MEDIUM,
	COLUMN_USER,
	COLUMN_WHY,
	N_COLUMNS,
};

/* `share` percent of what the time leaves, from `min` to `max`; the last column gets the rest. */
static const struct {
	const char *title;
	size_t min, max;
	size_t share;
} columns[N_COLUMNS] = {
	[COLUMN_TIME] = {N_("Time"), TIME_WIDTH, TIME_WIDTH, 0},
	[COLUMN_TERMINAL] = {N_("Terminal"), 8, 14, 12},
	[COLUMN_KIND] = {N_("What happened"), 12, 34, 28},
	[COLUMN_DEVICE] = {N_("Device"), 8, 28, 18},
	[COLUMN_MEDIUM] = {N_("Medium"), 9, 12, 9},
	[COLUMN_USER] = {N_("User"), 8, 12, 8},
	[COLUMN_WHY] = {N_("Why"), 0, 0, 0},
};

static bool is_shown(const struct logwriter *writer, enum column column)
{
	return column != COLUMN_TERMINAL || writer->terminals;
}

static size_t column_width(const struct logwriter *writer, enum column column)
{
	size_t gaps = (writer->terminals ? N_COLUMNS - 1 : N_COLUMNS - 2) * GAP_WIDTH, rest, share;

	if (!columns[column].share || !writer->width)
		return columns[column].max;
	rest = writer->width > TIME_WIDTH + gaps ? writer->width - TIME_WIDTH - gaps : 0;
	share = rest * columns[column].share / 100;
	if (share < columns[column].min)
		return columns[column].min;
	return share < columns[column].max ? share : columns[column].max;
}

/* Where a line stands: columns that are behind it, and blanks that are due before the next text, so that none ends it. */
struct place {
	size_t used;
	size_t due;
};

/* Prints one cell; `text` is cut. */
static void print_cell(const struct logwriter *writer, enum column column, char *text, const char *colour, struct place *at)
{
	size_t width = column_width(writer, column);
	bool last = column == COLUMN_WHY;

	if (last)
		width = !writer->width ? 0 : writer->width > at->used ? writer->width - at->used : 1;
	if (width || !last)
		output_cut(text, width);
	if (*text) {
		printf("%*s", (int)at->due, "");
		at->due = 0;
	}
	if (writer->colour && *text && *colour)
		printf("%s%s\x1b[0m", colour, text);
	else
		fputs(text, stdout);
	if (last) {
		putchar('\n');
		return;
	}
	at->due += width - text_width(text) + GAP_WIDTH;
	at->used += width + GAP_WIDTH;
}

static char *time_cell(struct json_object *record)
{
	char text[TIME_WIDTH + 1];
	time_t seconds;
	struct tm tm;
	int64_t us;

	if (!logrecord_time(record, &us))
		return logrecord_text(record, "time");
	seconds = (time_t)(us / 1000000);
	if (!strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm)))
		return logrecord_text(record, "time");
	return output_format("%s", text);
}

static char *kind_cell(struct json_object *record)
{
	const struct eventkind *row = eventkind_find(output_raw(record, "kind"));

	return row ? output_format("%s", i18n(row->text)) : logrecord_text(record, "kind");
}

static const char *kind_colour(struct json_object *record)
{
	const struct eventkind *row = eventkind_find(output_raw(record, "kind"));

	if (row && row->priority <= LOG_ERR)
		return "\x1b[31m";
	return row && row->priority == LOG_WARNING ? "\x1b[33m" : "";
}

/* The port, and what the device calls itself; or the road that is no USB port. */
static char *device_cell(struct json_object *record)
{
	_cleanup_(freep) char *port = logrecord_text(record, "device");
	_cleanup_(freep) char *product = logrecord_text(record, "product");
	_cleanup_(freep) char *id = logrecord_text(record, "id");
	const char *name = *product ? product : id;

	if (!*port && *output_raw(record, "road"))
		return logrecord_text(record, "road");
	return output_format("%s%s%s", port, *port && *name ? " " : "", name);
}

/* Who did it; of what an exception's time or device did, whom it is for. */
static char *user_cell(struct json_object *record)
{
	static const char *const members[] = {"user", "by", "person"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (*output_raw(record, members[i]))
			return logrecord_text(record, members[i]);
	return logrecord_text(record, "uid");
}

static void append(char **text, const char *format, ...) _printf_(2, 3);
static void append(char **text, const char *format, ...)
{
	_cleanup_(freep) char *before = *text, *more = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&more, format, args) < 0) {
		more = NULL;
		output_no_memory();
	}
	va_end(args);
	*text = output_format("%s%s%s", before, *before ? " " : "", more);
}

static char *why_cell(struct json_object *record)
{
	_cleanup_(freep) char *detail = logwords_text(record, "detail");
	_cleanup_(freep) char *error = logwords_text(record, "error");
	_cleanup_(freep) char *exception = logwords_exception(record);
	const char *code = output_raw(record, "reason");
	char *text = *code ? output_escape(i18n(reason_text(code))) : logwords_members(record);

	if (*exception)
		append(&text, "%s", exception);
	if (*error)
		append(&text, "%s", error);
	if (*detail)
		append(&text, "(%s)", detail);
	return text;
}

void logtable_begin(const struct logwriter *writer)
{
	struct place at = {0};

	for (unsigned int column = 0; column < N_COLUMNS; column++) {
		_cleanup_(freep) char *title = output_format("%s", i18n(columns[column].title));

		if (is_shown(writer, column))
			print_cell(writer, column, title, "", &at);
	}
}

void logtable_record(const struct logwriter *writer, struct json_object *record)
{
	char *cells[N_COLUMNS];
	struct place at = {0};

	cells[COLUMN_TIME] = time_cell(record);
	cells[COLUMN_TERMINAL] = logrecord_text(record, "terminal");
	cells[COLUMN_KIND] = kind_cell(record);
	cells[COLUMN_DEVICE] = device_cell(record);
	cells[COLUMN_MEDIUM] = logrecord_text(record, "medium");
	cells[COLUMN_USER] = user_cell(record);
	cells[COLUMN_WHY] = why_cell(record);
	for (unsigned int column = 0; column < N_COLUMNS; column++) {
		if (is_shown(writer, column))
			print_cell(writer, column, cells[column], column == COLUMN_KIND ? kind_colour(record) : "", &at);
		free(cells[column]);
	}
}
