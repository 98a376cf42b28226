/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A medium's printed label as SVG: number, class, organisation, where to return it, barcode. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "desk/field.h"

/* Millimetres, of the common A4 sheets of ten labels (2 by 5). */
#define LABEL_WIDTH_MM 86.4
#define LABEL_HEIGHT_MM 50.8

struct label_words {
	const char *organisation;
	const char *return_to;
};

/* False if the number has no barcode: it is printed without one. */
bool label_write(FILE *out, const struct record *record, const struct label_words *words);

