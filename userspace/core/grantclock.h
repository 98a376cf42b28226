/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock that temporary grants live by. It never goes back, and it goes on at least as fast as CLOCK_BOOTTIME, so that a
 * grant never lasts longer than it was granted, whatever becomes of the wall clock:
 *
 *	asleep past the end        CLOCK_BOOTTIME counts sleep: over on waking
 *	wall clock set back        not followed: time goes on from the highest that was seen, by CLOCK_BOOTTIME
 *	wall clock set forward     followed: what would end by it ends; setting it right again does not bring it back
 *	the daemon dies            the same boot: the mark's boot time says how much has passed
 *	reboot                     the wall clock says how much has passed. If the mark is not the one that the daemon left when
 *	                           it ended in order, at least GRANTCLOCK_MARK_S have, because that is what a power failure may
 *	                           have lost of it
 *	reboot, RTC gone back      nobody knows how much has passed: whatever was granted before this boot is over
 *
 * What it cannot know: that the RTC was set to just after the last mark while the terminal was off for days. When the wall clock is put
 * right (by NTP, minutes later), that ends what should have ended.
 *
 * A clock that was once far ahead (a wrong year, put right later) stays ahead: grants go by length as usual, but what has a date of its
 * own seems to be over. grantclock_reset() is the administrator's way back (`sekimorictl exception clock --reset`). It is for when nothing is approved or live any more: the
 * store refuses its mark otherwise, since what was granted in the time that is given up would last until that time comes again.
 *
 * Pure: readings come in as arguments. The mark is to be kept (system/exceptionstore.h) whenever grantclock_mark_due() says so, and
 * with every step of an exception. "Now" is seconds since the epoch, UTC; microseconds where the name says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define GRANTCLOCK_BOOT_SIZE 16 /* bytes of the kernel's boot id */
#define GRANTCLOCK_MARK_S 60	/* seconds: a mark may be older than now by no more */
#define GRANTCLOCK_WARN_FIRST_S (15 * 60)
#define GRANTCLOCK_WARN_LAST_S (5 * 60)
/* A wall clock behind the mark by less than this after a reboot is an RTC that is slow, not one that was set back. */
#define GRANTCLOCK_SLACK_S 60

/* What the clocks show at one moment. */
struct grantclock_reading {
	int64_t wall_us;  /* CLOCK_REALTIME */
	uint64_t boot_us; /* CLOCK_BOOTTIME */
	uint8_t boot_id[GRANTCLOCK_BOOT_SIZE];
};

/* What outlives the daemon and the boot. */
struct grantclock_mark {
	int64_t now_us; /* the highest time seen */
	uint64_t boot_us; /* when it was */
	uint8_t boot_id[GRANTCLOCK_BOOT_SIZE];
	int64_t void_before; /* seconds: grants from before then are over; 0: none are */
	uint32_t resets;
	bool ended; /* the daemon ended in order just after: nothing but the time since is unknown */
};

struct grantclock {
	struct grantclock_mark mark; /* of the last reading */
	int64_t kept_us;	     /* time of the mark that was kept last */
};

/* What a reading tells; bits, for the record. */
enum {
	GRANTCLOCK_FIRST = 1 << 0,    /* there was no mark */
	GRANTCLOCK_REBOOTED = 1 << 1, /* the mark is from another boot */
	GRANTCLOCK_VOIDED = 1 << 2,   /* … and the wall clock is behind it: void_before was set */
	GRANTCLOCK_BACK = 1 << 3,     /* the wall clock is behind the highest time by more than the slack */
};

/* Begins with the mark that was kept (NULL: never was one). Returns bits. */
unsigned int grantclock_start(struct grantclock *clock, const struct grantclock_mark *kept,
			      const struct grantclock_reading *reading);

/* Takes a reading of the same boot, and returns bits. Time is then grantclock_now(). */
unsigned int grantclock_read(struct grantclock *clock, const struct grantclock_reading *reading);

int64_t grantclock_now(const struct grantclock *clock);

/* Must the mark be kept now? grantclock_kept() says that it was. */
bool grantclock_mark_due(const struct grantclock *clock);
void grantclock_kept(struct grantclock *clock);

/* The daemon ends in order: the mark that is kept now is the last one. The next reading takes that back. */
void grantclock_end(struct grantclock *clock);

/* Follows the wall clock back. The mark must be kept at once; if the store refuses it, start again from the one that is kept. */
void grantclock_reset(struct grantclock *clock, const struct grantclock_reading *reading);

/* --- one grant's time --- */

enum grantclock_phase {
	GRANTCLOCK_BEFORE, /* its begin has not come */
	GRANTCLOCK_RUNS,
	GRANTCLOCK_ENDS_SOON, /* the last 15 minutes, of a grant that was longer */
	GRANTCLOCK_LAST_MINUTES, /* the last 5, likewise */
	GRANTCLOCK_OVER,
};

/* begin ≤ t < end is inside. */
enum grantclock_phase grantclock_phase(int64_t begin, int64_t end, int64_t now);

/* The next moment at which the phase is another one; INT64_MAX if it is over. */
int64_t grantclock_next(int64_t begin, int64_t end, int64_t now);

/*
 * CLOCK_BOOTTIME microseconds at which `when` has come at the latest, for a timer: earlier only if the wall clock jumps ahead, which
 * the caller hears of (TFD_TIMER_CANCEL_ON_SET). UINT64_MAX for INT64_MAX.
 */
uint64_t grantclock_deadline(const struct grantclock *clock, int64_t when);

/*
 * The end of the fiscal year that `when` lies in: the first second of 1 April after it, in a local time that is `utc_offset` seconds
 * ahead. (31 March is its last day, whole.)
 */
int64_t grantclock_fiscal_end(int64_t when, int32_t utc_offset);
