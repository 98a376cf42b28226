/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a report says, before it is text, HTML or CSV: sections with notes and a table, of which a chart may be drawn.
 * Made from the top down: document_section(), its notes and columns, then cell after cell; a row is full when every column
 * has one. Texts are in the reader's language. What a device or a person wrote comes in by document_text() alone, which
 * writes out what cannot be shown safely (core/text.h) in a way that can be read back. For tools: ends the program
 * without memory (cli/output.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/macro.h"

#define DOCUMENT_COLUMNS_MAX 13
#define DOCUMENT_SERIES_MAX 2

enum document_chart {
	CHART_NONE,
	CHART_COLUMNS, /* upright, one for each row, side by side for each series */
	CHART_BARS,    /* lying, one for each row, with the first column as its name */
};

/* How a cell looks, besides what it says. */
enum document_tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_WARN,
	TONE_BAD,
	TONE_BLANK, /* a person fills it in */
	N_TONES,
};

struct document_cell {
	char *shown;
	char *raw; /* for programs; NULL: the same */
	enum document_tone tone;
	bool whole; /* not to be broken into lines: a time */
};

struct document_column {
	const char *id; /* for programs */
	const char *title;
	bool number;
};

struct document_section {
	const char *id;
	const char *title;
	char **notes;
	size_t n_notes;
	struct document_column columns[DOCUMENT_COLUMNS_MAX];
	size_t n_columns;
	size_t n_keys; /* columns that name the row: 1 or 2 */
	struct document_cell *cells;
	size_t n_cells;
	enum document_chart chart;
	size_t series[DOCUMENT_SERIES_MAX]; /* columns */
	size_t n_series;
	bool page; /* begins on a new one */
};

struct document {
	char *title, *subtitle;
	bool japanese;
	bool form; /* sheets to be filled in: room for handwriting */
	struct document_section *sections;
	size_t n_sections;
};

/* Takes over title and subtitle. */
struct document *document_new(char *title, char *subtitle, bool japanese);
struct document *document_free(struct document *document);
DEFINE_CLEANUP(struct document *, document_free)

/* The titles must outlive the document: literals, or translations of literals. Good until the next section. */
struct document_section *document_section(struct document *document, const char *id, const char *title);
void document_column(struct document *document, const char *id, const char *title, bool number);
void document_note(struct document *document, const char *format, ...) _printf_(2, 3);

/* Cells of the newest section. */
void document_words(struct document *document, const char *shown, const char *raw); /* ours; raw may be NULL */
void document_text(struct document *document, const char *untrusted);
void document_number(struct document *document, uint64_t number);
void document_bytes(struct document *document, uint64_t bytes);
void document_time(struct document *document, int64_t us); /* 0: none */
void document_duration(struct document *document, int64_t us);
void document_tone(struct document *document, enum document_tone tone); /* of the newest cell */

size_t document_rows(const struct document_section *section);
const struct document_cell *document_cell(const struct document_section *section, size_t row, size_t column);
const char *document_raw(const struct document_cell *cell);

/* Durations and sizes for people; free them. */
char *document_show_bytes(uint64_t bytes);
char *document_show_duration(int64_t us);

/* --- writers --- */

void document_write_text(const struct document *document, FILE *out);
void document_write_html(const struct document *document, FILE *out);
/* One table: section, key, detail, item, value; words of programs, values as they are. */
void document_write_csv(const struct document *document, FILE *out);
