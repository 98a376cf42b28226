// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "report/svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "core/utf8.h"

/* Units of the drawing; the page scales it to its width. */
#define WIDTH 720
#define COLUMNS_HEIGHT 190
#define LEFT 44
#define TOP 26
#define BOTTOM 24
#define BAR 16
#define BAR_STEP 24
#define BARS_LEFT 340
#define BARS_RIGHT 60
#define BARS_MAX 12
/* A name beside a bar: columns of a fixed font, wide characters count two. */
#define NAME_WIDTH 60

static const char *const classes[DOCUMENT_SERIES_MAX] = { "s1", "s2" };

static uint64_t value_at(const struct document_section *section, size_t row, size_t series)
{
	return strtoull(document_raw(document_cell(section, row, section->series[series])), NULL, 10);
}

static size_t chart_rows(const struct document_section *section)
{
	size_t n = document_rows(section);

	return section->chart == CHART_BARS && n > BARS_MAX ? BARS_MAX : n;
}

static uint64_t highest(const struct document_section *section)
{
	uint64_t most = 0;

	for (size_t row = 0; row < chart_rows(section); row++)
		for (size_t s = 0; s < section->n_series; s++)
			if (value_at(section, row, s) > most)
				most = value_at(section, row, s);
	return most;
}

bool svg_worthwhile(const struct document_section *section)
{
	return section->chart != CHART_NONE && section->n_series && highest(section);
}

/* 1, 2 or 5 times a power of ten: at most five lines up to `most`. */
static uint64_t step_of(uint64_t most)
{
	static const uint64_t factors[] = { 1, 2, 5 };

	for (uint64_t power = 1; power <= UINT64_MAX / 50; power *= 10)
		for (size_t i = 0; i < ARRAY_SIZE(factors); i++)
			if (most / (factors[i] * power) < 5)
				return factors[i] * power;
	return most;
}

static void begin(const struct document_section *section, FILE *out, int height)
{
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, height);
	output_markup(out, section->title);
	fputs("\">\n", out);
}

static void write_legend(const struct document_section *section, FILE *out)
{
	double x = LEFT;

	for (size_t s = 0; s < section->n_series; s++) {
		const char *title = section->columns[section->series[s]].title;

		fprintf(out, "<rect class=\"%s\" x=\"%.0f\" y=\"6\" width=\"10\" height=\"10\"/>", classes[s], x);
		fprintf(out, "<text x=\"%.0f\" y=\"15\">", x + 15);
		output_markup(out, title);
		fputs("</text>\n", out);
		x += 40 + 7.0 * (double)text_width(title);
	}
}

static void write_grid(FILE *out, uint64_t most, double scale)
{
	uint64_t step = step_of(most);

	for (uint64_t at = 0; at <= most; at += step) {
		double y = COLUMNS_HEIGHT - BOTTOM - (double)at * scale;

		fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH,
			y, y);
		fprintf(out, "<text class=\"end\" x=\"%d\" y=\"%.1f\">%" PRIu64 "</text>\n", LEFT - 6, y + 4, at);
	}
}

/* "21" of "21 (Sat)": there is no room for more below a column. */
static void write_first_word(FILE *out, const char *text)
{
	char word[16];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " "), text);
	output_markup(out, word);
}

static void write_columns(const struct document_section *section, FILE *out)
{
	size_t n = chart_rows(section);
	uint64_t most = highest(section);
	double scale = (double)(COLUMNS_HEIGHT - TOP - BOTTOM) / (double)most;
	double slot = (double)(WIDTH - LEFT) / (double)n;
	double width = slot * 0.8 / (double)section->n_series;

	begin(section, out, COLUMNS_HEIGHT);
	write_legend(section, out);
	write_grid(out, most, scale);
	for (size_t row = 0; row < n; row++) {
		double x = LEFT + slot * (double)row;

		for (size_t s = 0; s < section->n_series; s++) {
			double height = (double)value_at(section, row, s) * scale;

			if (height > 0)
				fprintf(out,
					"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
					classes[s], x + slot * 0.1 + width * (double)s,
					COLUMNS_HEIGHT - BOTTOM - height, width, height);
		}
		fprintf(out, "<text class=\"middle\" x=\"%.1f\" y=\"%d\">", x + slot / 2,
			COLUMNS_HEIGHT - BOTTOM + 15);
		write_first_word(out, document_cell(section, row, 0)->shown);
		fputs("</text>\n", out);
	}
	fputs("</svg>\n", out);
}

/* As much of a name as fits beside its bar. */
static void write_name(FILE *out, const char *name)
{
	char text[4 * NAME_WIDTH + 8];
	size_t n = 0, width = 0;

	while (name[n] && n + 8 < sizeof(text)) {
		size_t len = utf8_decode(name + n, strlen(name + n), NULL);

		if (!len)
			break;
		memcpy(text + n, name + n, len);
		text[n + len] = '\0';
		width = text_width(text);
		if (width > NAME_WIDTH - 1)
			break;
		n += len;
	}
	memcpy(text, name, n);
	strcpy(text + n, name[n] ? "…" : "");
	output_markup(out, text);
}

static void write_bars(const struct document_section *section, FILE *out)
{
	size_t n = chart_rows(section);
	double scale = (double)(WIDTH - BARS_LEFT - BARS_RIGHT) / (double)highest(section);

	begin(section, out, (int)n * BAR_STEP + 8);
	for (size_t row = 0; row < n; row++) {
		uint64_t value = value_at(section, row, 0);
		int y = (int)row * BAR_STEP + 4;

		fprintf(out, "<text class=\"end\" x=\"%d\" y=\"%d\">", BARS_LEFT - 8, y + BAR - 4);
		write_name(out, document_cell(section, row, 0)->shown);
		fprintf(out, "</text><rect class=\"s2\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
			BARS_LEFT, y, (double)value * scale, BAR);
		fprintf(out, "<text x=\"%.1f\" y=\"%d\">%" PRIu64 "</text>\n",
			BARS_LEFT + (double)value * scale + 6, y + BAR - 4, value);
	}
	fputs("</svg>\n", out);
}

void svg_write(const struct document_section *section, FILE *out)
{
	if (section->chart == CHART_COLUMNS)
		write_columns(section, out);
	else
		write_bars(section, out);
}
