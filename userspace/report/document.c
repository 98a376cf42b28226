// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/document.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "report/period.h"

/* One more element; doubles the room. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		output_no_memory();
	return array;
}

struct document *document_new(char *title, char *subtitle, bool japanese)
{
	struct document *document = calloc(1, sizeof(*document));

	if (!document)
		output_no_memory();
	document->title = title;
	document->subtitle = subtitle;
	document->japanese = japanese;
	return document;
}

struct document *document_free(struct document *document)
{
	if (!document)
		return NULL;
	for (size_t i = 0; i < document->n_sections; i++) {
		struct document_section *section = &document->sections[i];

		for (size_t k = 0; k < section->n_notes; k++)
			free(section->notes[k]);
		for (size_t k = 0; k < section->n_cells; k++) {
			free(section->cells[k].shown);
			free(section->cells[k].raw);
		}
		free(section->notes);
		free(section->cells);
	}
	free(document->sections);
	free(document->title);
	free(document->subtitle);
	free(document);
	return NULL;
}

static struct document_section *newest(struct document *document)
{
	return &document->sections[document->n_sections - 1];
}

struct document_section *document_section(struct document *document, const char *id, const char *title)
{
	document->sections = grow(document->sections, document->n_sections, sizeof(*document->sections));
	document->sections[document->n_sections++] =
		(struct document_section){ .id = id, .title = title, .n_keys = 1 };
	return newest(document);
}

void document_column(struct document *document, const char *id, const char *title, bool number)
{
	struct document_section *section = newest(document);

	if (section->n_columns < DOCUMENT_COLUMNS_MAX)
		section->columns[section->n_columns++] =
			(struct document_column){ .id = id, .title = title, .number = number };
}

void document_note(struct document *document, const char *format, ...)
{
	struct document_section *section = newest(document);
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		output_no_memory();
	section->notes = grow(section->notes, section->n_notes, sizeof(*section->notes));
	section->notes[section->n_notes++] = text;
}

/* --- cells --- */

static void add_cell(struct document *document, char *shown, char *raw)
{
	struct document_section *section = newest(document);

	section->cells = grow(section->cells, section->n_cells, sizeof(*section->cells));
	section->cells[section->n_cells++] = (struct document_cell){ .shown = shown, .raw = raw };
}

void document_words(struct document *document, const char *shown, const char *raw)
{
	add_cell(document, output_format("%s", shown), raw ? output_format("%s", raw) : NULL);
}

void document_text(struct document *document, const char *untrusted)
{
	add_cell(document, output_escape(untrusted), NULL);
}

void document_number(struct document *document, uint64_t number)
{
	add_cell(document, output_format("%" PRIu64, number), NULL);
}

char *document_show_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	return unit < 0 ? output_format("%" PRIu64 " B", bytes)
			: output_format("%.1f %s", value, units[unit]);
}

void document_bytes(struct document *document, uint64_t bytes)
{
	add_cell(document, document_show_bytes(bytes), output_format("%" PRIu64, bytes));
}

void document_time(struct document *document, int64_t us)
{
	char text[PERIOD_TEXT_MAX] = "";

	if (us)
		period_format(us, text);
	add_cell(document, output_format("%s", us ? text : "-"), us ? NULL : output_format("%s", ""));
	newest(document)->cells[newest(document)->n_cells - 1].whole = true;
}

char *document_show_duration(int64_t us)
{
	int64_t seconds = us / 1000000;

	if (seconds < 60)
		return output_format(_("%lld s"), (long long)seconds);
	if (seconds < 3600)
		return output_format(_("%lld min"), (long long)(seconds / 60));
	if (seconds < 2 * 86400)
		return output_format(_("%lld h %lld min"), (long long)(seconds / 3600),
				     (long long)(seconds / 60 % 60));
	return output_format(_("%lld d %lld h"), (long long)(seconds / 86400),
			     (long long)(seconds / 3600 % 24));
}

void document_duration(struct document *document, int64_t us)
{
	add_cell(document, document_show_duration(us), output_format("%" PRId64, us / 1000000));
}

void document_tone(struct document *document, enum document_tone tone)
{
	struct document_section *section = newest(document);

	section->cells[section->n_cells - 1].tone = tone;
}

size_t document_rows(const struct document_section *section)
{
	return section->n_columns ? section->n_cells / section->n_columns : 0;
}

const struct document_cell *document_cell(const struct document_section *section, size_t row, size_t column)
{
	return &section->cells[row * section->n_columns + column];
}

const char *document_raw(const struct document_cell *cell)
{
	return cell->raw ? cell->raw : cell->shown;
}
