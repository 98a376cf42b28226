// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/civil.h"
#include "desk/term.h"

void term_date(int64_t civil, char out[static TERM_DATE_MAX])
{
	char text[CIVIL_TEXT_MAX];

	civil_format(civil, text);
	memcpy(out, text, TERM_DATE_MAX - 1);
	out[TERM_DATE_MAX - 1] = '\0';
}

void term_fiscal_end(int64_t civil, char out[static TERM_DATE_MAX])
{
	char today[TERM_DATE_MAX];
	int year;

	term_date(civil, today);
	year = atoi(today);
	if (strcmp(today + 4, "-03-31") > 0)
		year++;
	snprintf(out, TERM_DATE_MAX, "%04u-03-31", (unsigned int)year % 10000);
}
