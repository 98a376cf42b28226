// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "core/csv.h"
#include "log/logformats.h"
#include "log/logrecord.h"

/* Members with a column of their own; the titles are their names, so that a program finds them in every language. */
static const char *const columns[] = {
	"seq",	     "time",	     "boot_us",	    "sync",    "kind",	  "terminal",	 "device",  "id",
	"serial",    "manufacturer", "product",	    "fingerprint", "interfaces", "state", "reason", "decided_by",
	"medium",    "method",	     "access",	    "user",    "uid",	  "session",	 "program", "pid",
	"volume",    "path",	     "size",	    "why",     "error",	  "detail",	 "exception", "person",
	"by",	     "by_uid",	     "purpose",	    "note",
};
static const char rest_title[] = "more";

static void print_cell(const char *text)
{
	char *cell = malloc(CSV_CELL_MAX(strlen(text)) + 1);

	if (!cell)
		output_no_memory();
	csv_cell(text, cell);
	fputs(cell, stdout);
	free(cell);
}

static bool has_column(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (!strcmp(columns[i], name))
			return true;
	return false;
}

static char *rest_new(struct json_object *record)
{
	_cleanup_(json_objectp) struct json_object *rest = NULL;

	json_object_object_foreach(record, key, value) {
		if (has_column(key))
			continue;
		if (!rest)
			rest = json_object_new_object();
		if (!rest || json_object_object_add(rest, key, json_object_get(value)))
			output_no_memory();
	}
	return rest ? output_escape(json_object_to_json_string_ext(rest, JSON_C_TO_STRING_PLAIN |
									 JSON_C_TO_STRING_NOSLASHESCAPE)) :
		      output_escape("");
}

void logcsv_begin(void)
{
	fputs(CSV_BOM, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		printf("%s,", columns[i]);
	fputs(rest_title, stdout);
	fputs(CSV_END, stdout);
}

void logcsv_record(struct json_object *record)
{
	_cleanup_(freep) char *rest = rest_new(record);

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		_cleanup_(freep) char *text = logrecord_text(record, columns[i]);

		print_cell(text);
		putchar(',');
	}
	print_cell(rest);
	fputs(CSV_END, stdout);
}
