// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A report as one long table, for spreadsheets and programs: section, key, detail, item, value. Keys and items are words
 * that no language changes; the cells are safe from being taken for formulas (core/csv.h).
 */
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "core/csv.h"
#include "report/document.h"

static void write_cell(FILE *out, const char *text, bool last)
{
	_cleanup_(freep) char *cell = malloc(CSV_CELL_MAX(strlen(text)) + 1);

	if (!cell)
		output_no_memory();
	csv_cell(text, cell);
	fputs(cell, out);
	fputs(last ? CSV_END : ",", out);
}

static void write_row(FILE *out, const char *const cells[static 5])
{
	for (int i = 0; i < 5; i++)
		write_cell(out, cells[i], i == 4);
}

static void write_section(const struct document_section *section, FILE *out)
{
	for (size_t row = 0; row < document_rows(section); row++) {
		const char *key = document_raw(document_cell(section, row, 0));
		const char *detail =
			section->n_keys > 1 ? document_raw(document_cell(section, row, 1)) : "";

		for (size_t c = section->n_keys; c < section->n_columns; c++)
			write_row(out, (const char *const[]){
					       section->id, key, detail, section->columns[c].id,
					       document_raw(document_cell(section, row, c)) });
	}
}

void document_write_csv(const struct document *document, FILE *out)
{
	fputs(CSV_BOM, out);
	write_row(out, (const char *const[]){ "section", "key", "detail", "item", "value" });
	write_row(out, (const char *const[]){ "document", "title", "", "text", document->title });
	write_row(out, (const char *const[]){ "document", "subtitle", "", "text", document->subtitle });
	for (size_t i = 0; i < document->n_sections; i++)
		write_section(&document->sections[i], out);
}
