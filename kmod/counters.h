/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures that can be read without the daemon, one number in each file of
 * /sys/class/misc/sekimori/counters/. Totals run from the loading of the module.
 */
#ifndef _SEKIMORI_COUNTERS_H
#define _SEKIMORI_COUNTERS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct attribute_group;

/* X(name, what it counts) */
#define COUNTERS(X)                                                                                \
	X(added, "interfaces seen")                                                                \
	X(held, "interfaces held when they were added")                                            \
	X(vetoes, "driver bindings vetoed")                                                        \
	X(refused, "attempts by processes that were refused and reported")                         \
	X(verdicts, "verdicts carried out")                                                        \
	X(bad_verdicts, "verdicts refused")                                                        \
	X(events_lost, "events lost because nobody read them")                                     \
	X(untracked, "interfaces shut for good because memory ran out")                            \
	X(hold_ns_total, "nanoseconds spent in the hold, all interfaces together")                 \
	X(hold_ns_max, "nanoseconds spent in the longest hold")

enum counter {
#define X(name, what) COUNTER_##name,
	COUNTERS(X)
#undef X
	COUNTER_COUNT
};

void counter_add(enum counter counter, u64 n);
void counter_max(enum counter counter, u64 n);

extern const struct attribute_group counters_group;

#endif
