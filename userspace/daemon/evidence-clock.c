// SPDX-License-Identifier: GPL-2.0-or-later
/* The clocks that the evidence goes by. */
#include <sys/timex.h>

#include "daemon/evidence-inside.h"
#include "system/helpers.h"

uint64_t evidence_clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * EVIDENCE_SECOND + (uint64_t)ts.tv_nsec / 1000;
}

void evidence_is_coming(void)
{
	if (helpers_stand())
		helpers_clock_ask();
}

bool evidence_clock_is_synchronised(void)
{
	struct timex tx = { .modes = 0 };

	/* The daemon's sandbox knows no call that has to do with setting a clock. */
	if (helpers_stand())
		return helpers_clock_is_synchronised();
	return adjtimex(&tx) >= 0 && !(tx.status & STA_UNSYNC);
}
