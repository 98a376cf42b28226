// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/civil.h"
#include "core/grantclock.h"

#define US INT64_C(1000000)

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool same_boot(const struct grantclock_mark *mark, const struct grantclock_reading *reading)
{
	/* A boot clock that goes back is another boot, whatever the id says: a restored snapshot of a virtual machine. */
	return !memcmp(mark->boot_id, reading->boot_id, sizeof(mark->boot_id)) &&
	       reading->boot_us >= mark->boot_us;
}

static void set_mark(struct grantclock_mark *mark, int64_t now_us, const struct grantclock_reading *reading)
{
	mark->now_us = now_us;
	mark->boot_us = reading->boot_us;
	mark->ended = false;
	memcpy(mark->boot_id, reading->boot_id, sizeof(mark->boot_id));
}

static bool is_behind(int64_t wall_us, int64_t now_us)
{
	return wall_us < now_us - GRANTCLOCK_SLACK_S * US;
}

/* The mark is from another boot. */
static unsigned int after_reboot(struct grantclock *clock, const struct grantclock_reading *reading)
{
	unsigned int told = GRANTCLOCK_REBOOTED;
	bool behind = is_behind(reading->wall_us, clock->mark.now_us);
	/* Charged at every boot, a healthy clock would fall ever further behind: a power failure alone loses anything. */
	bool whole = clock->mark.ended && !behind;
	int64_t least = clock->mark.now_us + (whole ? 0 : GRANTCLOCK_MARK_S * US);

	set_mark(&clock->mark, later(reading->wall_us, least), reading);
	if (behind) {
		/* Whatever was granted bears a time up to the mark, and that is behind by now. */
		clock->mark.void_before = grantclock_now(clock);
		told |= GRANTCLOCK_VOIDED | GRANTCLOCK_BACK;
	}
	return told;
}

unsigned int grantclock_read(struct grantclock *clock, const struct grantclock_reading *reading)
{
	int64_t elapsed, now_us;

	if (!same_boot(&clock->mark, reading))
		return after_reboot(clock, reading);
	elapsed = (int64_t)(reading->boot_us - clock->mark.boot_us);
	now_us = later(reading->wall_us, clock->mark.now_us + elapsed);
	set_mark(&clock->mark, now_us, reading);
	return is_behind(reading->wall_us, now_us) ? GRANTCLOCK_BACK : 0;
}

unsigned int grantclock_start(struct grantclock *clock, const struct grantclock_mark *kept,
			      const struct grantclock_reading *reading)
{
	*clock = (struct grantclock){ .kept_us = INT64_MIN };
	if (!kept) {
		set_mark(&clock->mark, reading->wall_us, reading);
		return GRANTCLOCK_FIRST;
	}
	clock->mark = *kept;
	return grantclock_read(clock, reading);
}

int64_t grantclock_now(const struct grantclock *clock)
{
	return clock->mark.now_us / US;
}

bool grantclock_mark_due(const struct grantclock *clock)
{
	/* Half of what may be lost, so that a busy second does not make it more. */
	return clock->kept_us == INT64_MIN ||
	       clock->mark.now_us - clock->kept_us >= GRANTCLOCK_MARK_S * US / 2;
}

void grantclock_kept(struct grantclock *clock)
{
	clock->kept_us = clock->mark.now_us;
}

void grantclock_end(struct grantclock *clock)
{
	clock->mark.ended = true;
}

void grantclock_reset(struct grantclock *clock, const struct grantclock_reading *reading)
{
	set_mark(&clock->mark, reading->wall_us, reading);
	clock->mark.resets++;
	clock->mark.void_before = 0;
	clock->kept_us = INT64_MIN;
}

/* --- one grant's time --- */

/* Where the last `warn` seconds begin; a grant that is no longer than them has none of these. */
static int64_t warning(int64_t begin, int64_t end, int64_t warn)
{
	return end - begin > warn ? end - warn : end;
}

enum grantclock_phase grantclock_phase(int64_t begin, int64_t end, int64_t now)
{
	if (now >= end)
		return GRANTCLOCK_OVER;
	if (now < begin)
		return GRANTCLOCK_BEFORE;
	if (now >= warning(begin, end, GRANTCLOCK_WARN_LAST_S))
		return GRANTCLOCK_LAST_MINUTES;
	return now >= warning(begin, end, GRANTCLOCK_WARN_FIRST_S) ? GRANTCLOCK_ENDS_SOON :
								     GRANTCLOCK_RUNS;
}

int64_t grantclock_next(int64_t begin, int64_t end, int64_t now)
{
	switch (grantclock_phase(begin, end, now)) {
	case GRANTCLOCK_BEFORE:
		return begin;
	case GRANTCLOCK_RUNS:
		if (end - begin > GRANTCLOCK_WARN_FIRST_S)
			return end - GRANTCLOCK_WARN_FIRST_S;
		return warning(begin, end, GRANTCLOCK_WARN_LAST_S);
	case GRANTCLOCK_ENDS_SOON:
		return end - GRANTCLOCK_WARN_LAST_S;
	case GRANTCLOCK_LAST_MINUTES:
		return end;
	case GRANTCLOCK_OVER:
		break;
	}
	return INT64_MAX;
}

uint64_t grantclock_deadline(const struct grantclock *clock, int64_t when)
{
	if (when > INT64_MAX / US)
		return UINT64_MAX;
	if (when * US <= clock->mark.now_us)
		return clock->mark.boot_us;
	return clock->mark.boot_us + (uint64_t)(when * US - clock->mark.now_us);
}

int64_t grantclock_fiscal_end(int64_t when, int32_t utc_offset)
{
	char text[CIVIL_TEXT_MAX];
	int64_t civil = when + utc_offset, april;
	int year;

	civil_format(civil, text);
	year = atoi(text);
	april = civil_from_date(year, 4, 1);
	if (civil >= april)
		april = civil_from_date(year + 1, 4, 1);
	return april - utc_offset;
}
