/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The register as a CSV table: titles, rows, and reading them back. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include "desk/field.h"

/*
 * Titles and rows as text; append to a stream. Titles are the reader's in Japanese and the fields'
 * names otherwise; both are read back.
 */
void table_write_titles(FILE *out);
void table_write_row(FILE *out, const struct record *record);

/* One title. */
const char *table_title(enum field field);

/* The field whose name or title, in either language, this is; FIELD_COUNT if none. */
enum field table_find_title(const char *title);

/*
 * A date as spreadsheets rewrite it (2027/3/31) as the register has it; what is no date becomes
 * none.
 */
void table_mend_date(char date[static 11], const char *text);
