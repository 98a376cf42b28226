/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terms of media and loans: dates as YYYY-MM-DD; they end with the fiscal year unless said
 * otherwise.
 */
#pragma once

#include <stdint.h>

#define TERM_DATE_MAX 11

/* The date of a civil moment. */
void term_date(int64_t civil, char out[static TERM_DATE_MAX]);

/* The next 31 March, which may be the day itself. */
void term_fiscal_end(int64_t civil, char out[static TERM_DATE_MAX]);
