// SPDX-License-Identifier: GPL-2.0-or-later
/* Preloaded: a clock that is synchronised, and CLOCK_SHIFT seconds after this machine's. */
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>

time_t time(time_t *out)
{
	const char *shift = getenv("CLOCK_SHIFT");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += shift ? atol(shift) : 0;
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int adjtimex(struct timex *timex)
{
	timex->status = 0;
	return TIME_OK;
}
