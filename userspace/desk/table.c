// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/csv.h"
#include "desk/table.h"

static void write_cell(FILE *out, const char *text)
{
	_cleanup_(freep) char *cell = malloc(CSV_CELL_MAX(strlen(text)) + 1);

	if (!cell)
		output_no_memory();
	csv_cell(text, cell);
	fputs(cell, out);
}

const char *table_title(enum field field)
{
	return i18n_is_japanese() ? i18n(field_rows[field].text) : field_rows[field].name;
}

void table_write_titles(FILE *out)
{
	fputs(CSV_BOM, out);
	for (enum field i = 0; i < FIELD_COUNT; i++) {
		if (i)
			fputc(',', out);
		write_cell(out, table_title(i));
	}
	fputs(CSV_END, out);
}

void table_write_row(FILE *out, const struct record *record)
{
	for (enum field i = 0; i < FIELD_COUNT; i++) {
		if (i)
			fputc(',', out);
		write_cell(out, record_get(record, i));
	}
	fputs(CSV_END, out);
}

enum field table_find_title(const char *title)
{
	for (enum field i = 0; i < FIELD_COUNT; i++)
		if (!strcmp(title, field_rows[i].name) || !strcmp(title, field_rows[i].text) ||
		    !strcmp(title, i18n_in(true, field_rows[i].text)))
			return i;
	return FIELD_COUNT;
}

void table_mend_date(char date[static 11], const char *text)
{
	unsigned int year, month, day;
	int end = 0;

	if (sscanf(text, "%4u/%2u/%2u%n", &year, &month, &day, &end) == 3 && !text[end])
		snprintf(date, 11, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
	else
		snprintf(date, 11, "%.10s", strlen(text) == 10 ? text : "?");
}
