// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/exception-number.h"

#include <stdio.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"

bool exception_number_parse(const char *text, uint32_t *number)
{
	const unsigned char *p = (const unsigned char *)text + (*text == '#');
	_cleanup_(freep) char *shown = NULL;
	uint64_t value = 0;

	for (;;) {
		unsigned int digit;

		if (*p >= '0' && *p <= '9') {
			digit = *p - (unsigned int)'0';
			p += 1;
		} else if (p[0] == 0xef && p[1] == 0xbc && p[2] >= 0x90 && p[2] <= 0x99) {
			/* U+FF10 to U+FF19 */
			digit = p[2] - 0x90u;
			p += 3;
		} else {
			break;
		}
		value = value * 10 + digit;
		if (value > UINT32_MAX)
			break;
	}
	if (!*p && value && value <= UINT32_MAX) {
		*number = (uint32_t)value;
		return true;
	}
	shown = output_escape(text);
	fprintf(stderr, _("sekimorictl: '%s' is no number of an exception: 'sekimorictl requests' lists them\n"), shown);
	return false;
}
