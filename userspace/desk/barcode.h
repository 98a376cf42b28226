/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code 128 (ISO/IEC 15417), code set B: what every barcode reader reads, for numbers on labels.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* More characters would be too narrow to be read off a label. */
#define BARCODE_TEXT_MAX 28
#define BARCODE_MODULES_MAX (11 * (BARCODE_TEXT_MAX + 2) + 13 + 1)

/*
 * The modules as '1' (bar) and '0' (space) and a NUL, without the quiet zones of 10 modules on
 * either side; returns their number. 0 for a text that is empty, too long, or not printable ASCII.
 */
size_t barcode_modules(const char *text, char out[static BARCODE_MODULES_MAX]);
