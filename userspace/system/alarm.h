/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock on the wall: a call at a moment, and whenever somebody sets the clock. Between such moments
 * nothing wakes up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "core/macro.h"

struct alarm;

/* clock_set: the clock was set, and whether the moment has come must be asked anew. */
typedef void (*alarm_fn)(void *userdata, bool clock_set);

int alarm_new(struct alarm **alarmp, sd_event *event, alarm_fn fn, void *userdata);
struct alarm *alarm_free(struct alarm *alarm);
DEFINE_CLEANUP(struct alarm *, alarm_free)

/*
 * Calls at the first full second from `civil` on (local time, core/civil.h; INT64_MAX: never), instead of any moment
 * set before. For any other moment it calls at the next full hour at the latest, since the zone's rules may
 * change then.
 */
int alarm_set(struct alarm *alarm, int64_t civil);

/* Local time now, in civil seconds; 0 for a clock before 1970. */
int64_t alarm_civil_now(void);
