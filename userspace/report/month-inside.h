/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rooms of the monthly report share: month-exceptions.c has the sections on exceptions, month-roads.c that on roads, month.c the rest. */
#pragma once

#include "report/report.h"

/* A row of two: what, and how often. */
void month_fact(struct document *document, const char *key, const char *title, uint64_t value, enum document_tone tone);

/* How many names of a table get a row, and a note on those that do not. */
size_t month_rows(struct counts *counts);
void month_note_rest(struct document *document, struct counts *counts, const struct count *const *sorted, size_t value);

void month_add_exceptions(struct document *document, const struct tally *tally);
void month_add_roads(struct document *document, const struct tally *tally);
