// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "core/clockwatch.h"

/* No sum of such times overflows. 9999-12-31. */
#define TIME_MAX INT64_C(253402300800000000)

static int64_t within(int64_t us)
{
	return us < 0 ? 0 : us > TIME_MAX ? TIME_MAX : us;
}

void clockwatch_begin(struct clockwatch *watch, int64_t now_us)
{
	*watch = (struct clockwatch){ .mark_us = within(now_us) };
}

int64_t clockwatch_look(struct clockwatch *watch, int64_t now_us, int64_t boot_us, int64_t newest_us)
{
	int64_t gained, ran = 0, jump;

	now_us = within(now_us);
	if (watch->running) {
		ran = within(within(boot_us) - watch->boot_us);
		gained = now_us - watch->seen_us - ran;
	} else {
		gained = newest_us > 0 ? now_us - within(newest_us) : 0;
	}
	watch->running = true;
	watch->seen_us = now_us;
	watch->boot_us = within(boot_us);
	watch->ran_us = within(watch->ran_us + ran);
	if (gained > 0)
		watch->off_us = within(watch->off_us + gained);
	if (watch->off_us <= CLOCKWATCH_SLACK ||
	    watch->off_us - CLOCKWATCH_SLACK <= watch->ran_us * CLOCKWATCH_SHARE)
		return 0;
	jump = watch->off_us;
	watch->ahead_us = within(watch->ahead_us + jump);
	watch->mark_us = now_us;
	watch->ran_us = watch->off_us = 0;
	return jump;
}

void clockwatch_reversed(struct clockwatch *watch, int64_t now_us, int64_t by_us)
{
	if (watch->mark_us > now_us)
		watch->mark_us = within(now_us);
	watch->ahead_us = within(watch->ahead_us - within(by_us));
}

bool clockwatch_expired(const struct clockwatch *watch, int64_t now_us, int64_t newest_us, int64_t retention_us)
{
	int64_t ahead = newest_us < watch->mark_us ? watch->ahead_us : 0;

	now_us = within(now_us);
	return watch->ran_us >= CLOCKWATCH_HOLD && now_us - watch->mark_us >= CLOCKWATCH_HOLD &&
	       now_us - within(newest_us) - ahead > retention_us;
}

void clockwatch_format(const struct clockwatch *watch, char out[static CLOCKWATCH_TEXT_MAX])
{
	snprintf(out, CLOCKWATCH_TEXT_MAX, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", watch->mark_us,
		 watch->ran_us, watch->off_us, watch->ahead_us);
}

bool clockwatch_parse(struct clockwatch *watch, const char *text)
{
	struct clockwatch read = { .running = false };
	int end = 0;

	if (sscanf(text, "%18" SCNd64 " %18" SCNd64 " %18" SCNd64 " %18" SCNd64 "%n", &read.mark_us, &read.ran_us,
		   &read.off_us, &read.ahead_us, &end) != 4 ||
	    text[end] != '\n' || text[end + 1] || read.mark_us < 0 || read.ran_us < 0 || read.off_us < 0 ||
	    read.ahead_us < 0)
		return false;
	*watch = read;
	return true;
}
