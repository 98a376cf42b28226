// SPDX-License-Identifier: GPL-2.0-or-later
/* A report as plain text, for mail: tables where they fit a line, else one block for each row. */
#include <string.h>

#include "core/text.h"
#include "cli/i18n.h"
#include "report/document.h"

#define LINE_WIDTH 130
#define GAP 2

static void repeat(FILE *out, char c, size_t n)
{
	while (n--)
		fputc(c, out);
}

static size_t column_width(const struct document_section *section, size_t column)
{
	size_t width = text_width(section->columns[column].title);

	for (size_t row = 0; row < document_rows(section); row++) {
		size_t cell = text_width(document_cell(section, row, column)->shown);

		if (cell > width)
			width = cell;
	}
	return width;
}

static void write_padded(FILE *out, const char *text, size_t width, bool number, bool last)
{
	size_t space = width - text_width(text);

	if (number)
		repeat(out, ' ', space);
	fputs(text, out);
	if (!last)
		repeat(out, ' ', GAP + (number ? 0 : space));
}

static void write_table(const struct document_section *section, const size_t *widths, FILE *out)
{
	for (size_t c = 0; c < section->n_columns; c++)
		write_padded(out, section->columns[c].title, widths[c], section->columns[c].number,
			     c + 1 == section->n_columns);
	fputc('\n', out);
	for (size_t row = 0; row < document_rows(section); row++) {
		for (size_t c = 0; c < section->n_columns; c++)
			write_padded(out, document_cell(section, row, c)->shown, widths[c],
				     section->columns[c].number, c + 1 == section->n_columns);
		fputc('\n', out);
	}
}

static void write_blocks(const struct document_section *section, FILE *out)
{
	for (size_t row = 0; row < document_rows(section); row++) {
		fprintf(out, "%s%s\n", row ? "\n" : "", document_cell(section, row, 0)->shown);
		for (size_t c = 1; c < section->n_columns; c++)
			fprintf(out, "  %s: %s\n", section->columns[c].title,
				document_cell(section, row, c)->shown);
	}
}

static void write_section(const struct document_section *section, FILE *out)
{
	size_t widths[DOCUMENT_COLUMNS_MAX], total = 0;

	fprintf(out, "\n%s\n", section->title);
	repeat(out, '-', text_width(section->title));
	fputc('\n', out);
	for (size_t i = 0; i < section->n_notes; i++)
		fprintf(out, "%s\n", section->notes[i]);
	if (!section->n_columns)
		return;
	if (!document_rows(section)) {
		fprintf(out, "%s\n", _("None recorded."));
		return;
	}
	for (size_t c = 0; c < section->n_columns; c++) {
		widths[c] = column_width(section, c);
		total += widths[c] + GAP;
	}
	if (total <= LINE_WIDTH)
		write_table(section, widths, out);
	else
		write_blocks(section, out);
}

void document_write_text(const struct document *document, FILE *out)
{
	fprintf(out, "%s\n%s\n", document->title, document->subtitle);
	for (size_t i = 0; i < document->n_sections; i++)
		write_section(&document->sections[i], out);
}
