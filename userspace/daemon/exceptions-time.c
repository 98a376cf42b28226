// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/exceptions-inside.h"
#include "daemon/json.h"

#define SECOND_US 1000000ull
/* A grant ends when it ends; a mark may be some seconds late (core/grantclock.h). */
#define END_ACCURACY_US 1000
#define MARK_ACCURACY_US (5 * SECOND_US)
#define MARK_US (GRANTCLOCK_MARK_S * SECOND_US / 2)
#define RETRY_ACCURACY_US SECOND_US
/* A step that is due and was refused all the same must not keep the processor busy. */
#define AGAIN_US SECOND_US

static uint64_t clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * SECOND_US + (uint64_t)ts.tv_nsec / 1000;
}

/* --- the clock --------------------------------------------------------------------------------- */

void exceptions_read(struct exceptions *e, struct grantclock_reading *reading)
{
	if (e->setup.read_clocks) {
		e->setup.read_clocks(e->userdata, reading);
		return;
	}
	reading->wall_us = (int64_t)clock_us(CLOCK_REALTIME);
	reading->boot_us = clock_us(CLOCK_BOOTTIME);
	memcpy(reading->boot_id, e->boot_id, sizeof(reading->boot_id));
}

/* Once for each time that it falls behind. A reboot alone is nothing wrong. */
void exceptions_note_clock(struct exceptions *e, const struct grantclock_reading *reading, unsigned int bits)
{
	bool voided = bits & GRANTCLOCK_VOIDED, behind = bits & GRANTCLOCK_BACK;
	int64_t by = (e->clock.mark.now_us - reading->wall_us) / (int64_t)SECOND_US;
	struct json_object *record;
	bool known = e->behind;

	e->behind = behind;
	if (!voided && (!behind || known))
		return;
	record = json_object_new_object();
	if (record) {
		json_add_string(record, "what", voided ? "voided" : "back");
		json_add_number(record, "seconds_behind", by > 0 ? (uint64_t)by : 0);
		json_object_object_add(record, "rebooted",
				       json_object_new_boolean(bits & GRANTCLOCK_REBOOTED));
	}
	exceptions_say(e, "exception-clock", record);
}

/* Does anything live by this clock? What is watched is over when a mark says so, not before. */
static bool any_runs(const struct exceptions *e)
{
	if (e->watch_until && e->clock.kept_us / (int64_t)SECOND_US < e->watch_until)
		return true;
	for (size_t i = 0; i < e->n_open; i++)
		if (e->open[i]->state == EXCEPTION_APPROVED || e->open[i]->state == EXCEPTION_LIVE)
			return true;
	return false;
}

static int keep_mark(struct exceptions *e)
{
	int r;

	if (!e->store)
		return e->why;
	r = exceptions_failed(e, exceptionstore_keep_mark(e->store, &e->clock.mark));
	if (!r)
		grantclock_kept(&e->clock);
	return r;
}

void exceptions_tick(struct exceptions *e)
{
	struct grantclock_reading reading;
	unsigned int bits;

	exceptions_read(e, &reading);
	bits = grantclock_read(&e->clock, &reading);
	exceptions_note_clock(e, &reading, bits);
	if (bits & GRANTCLOCK_VOIDED || (grantclock_mark_due(&e->clock) && any_runs(e)))
		keep_mark(e);
}

/* --- what time does ---------------------------------------------------------------------------- */

int64_t exceptions_begin_of(const struct exception *x)
{
	/* One that counts from its first use is as long as from there. */
	return exception_end(x) < x->grant.not_after ? x->first_used : x->grant.not_before;
}

unsigned int exceptions_warnings(const struct exception *x, int64_t now)
{
	if (x->state != EXCEPTION_LIVE)
		return 0;
	switch (grantclock_phase(exceptions_begin_of(x), exception_end(x), now)) {
	case GRANTCLOCK_ENDS_SOON:
		return EXCEPTIONS_WARNED_FIRST;
	case GRANTCLOCK_LAST_MINUTES:
	case GRANTCLOCK_OVER:
		return EXCEPTIONS_WARNED_FIRST | EXCEPTIONS_WARNED_LAST;
	default:
		return 0;
	}
}

/* What cannot wait: the step that a grant takes now. */
static bool ends_or_begins(const struct exception *x, const struct exception_world *world,
			   enum exception_event_kind *kind)
{
	if (x->state != EXCEPTION_APPROVED && x->state != EXCEPTION_LIVE)
		return false;
	if (exception_is_over(x, world))
		*kind = EXCEPTION_EXPIRE;
	else if (x->state == EXCEPTION_LIVE && !exception_bytes_left(x))
		*kind = EXCEPTION_USE_UP;
	else if (x->state == EXCEPTION_APPROVED && world->now >= x->grant.not_before)
		*kind = EXCEPTION_BEGIN;
	else
		return false;
	return true;
}

static bool owes_nothing(const struct exception *x, int64_t now)
{
	switch (x->state) {
	case EXCEPTION_USED_UP:
	case EXCEPTION_EXPIRED:
	case EXCEPTION_REVOKED:
	case EXCEPTION_RETURNED:
	case EXCEPTION_ERASE_CONFIRMED:
		return !exception_due(x, now) && now >= x->changed + EXCEPTIONS_CLOSE_S;
	default:
		return false;
	}
}

/* What can wait. */
static bool lapses_or_closes(const struct exception *x, const struct exception_world *world,
			     enum exception_event_kind *kind)
{
	if (x->state == EXCEPTION_REQUESTED && world->rules &&
	    world->now >= x->requested + world->rules->lapse_seconds)
		*kind = EXCEPTION_LAPSE;
	else if (owes_nothing(x, world->now))
		*kind = EXCEPTION_CLOSE;
	else
		return false;
	return true;
}

/*
 * Takes the steps that `due` finds, at most so many. True: there are more, and it is worth going on. By number, since a step may let an
 * exception go, and what hears of it may take steps itself.
 */
static bool take_those(struct exceptions *e, size_t most,
		       bool (*due)(const struct exception *x, const struct exception_world *world,
				   enum exception_event_kind *kind))
{
	struct exception_world world = exceptions_world(e);
	enum exception_event_kind kind;
	uint32_t number = 0;
	bool refused = false;

	for (size_t i = 0; i < e->n_open; i++) {
		if (e->open[i]->number <= number || !due(e->open[i], &world, &kind))
			continue;
		if (!most--)
			return !refused;
		number = e->open[i]->number;
		refused |= exceptions_take_system(e, number, kind, 0, NULL) != 0;
		/* The ones before it may be fewer now; none of them is looked at twice. */
		i = 0;
		while (i < e->n_open && e->open[i]->number <= number)
			i++;
		i--;
	}
	return false;
}

static uint32_t seconds_left(const struct exceptions *e, const struct exception *x)
{
	int64_t now = grantclock_now(&e->clock), left;

	if (x->state != EXCEPTION_APPROVED && x->state != EXCEPTION_LIVE)
		return 0;
	if (now < x->grant.not_before)
		now = x->grant.not_before;
	left = exception_end(x) - now;
	if (left <= 0 || x->approved < e->clock.mark.void_before)
		return 0;
	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static void warn(struct exceptions *e, struct exceptions_entry *entry)
{
	unsigned int bits = exceptions_warnings(&entry->x, grantclock_now(&e->clock));
	int64_t end = exception_end(&entry->x);
	struct json_object *record;
	uint32_t seconds;

	/* A later end is warned of again. */
	if (entry->warned_end != end)
		entry->warned = 0;
	entry->warned_end = end;
	if (!(bits & ~entry->warned))
		return;
	entry->warned |= bits;
	seconds = seconds_left(e, &entry->x);
	record = json_object_new_object();
	if (record) {
		exceptions_describe(record, &entry->x);
		json_add_number(record, "seconds", seconds);
	}
	exceptions_say(e, "exception-warned", record);
	/* A daemon that is killed now does not warn again. */
	keep_mark(e);
	e->ops->warned(e->userdata, &entry->x, seconds);
}

static void warn_all(struct exceptions *e)
{
	for (size_t i = 0; i < e->n_open; i++)
		if (e->open[i]->state == EXCEPTION_LIVE)
			warn(e, (struct exceptions_entry *)e->open[i]);
}

/* --- timers ------------------------------------------------------------------------------------ */

static int64_t next_of(const struct exception *x, const struct exception_world *world)
{
	int64_t lapse;

	switch (x->state) {
	case EXCEPTION_APPROVED:
		return x->grant.not_before < exception_end(x) ? x->grant.not_before : exception_end(x);
	case EXCEPTION_LIVE:
		return exception_is_over(x, world) ? world->now :
						     grantclock_next(exceptions_begin_of(x),
								     exception_end(x), world->now);
	case EXCEPTION_REQUESTED:
		lapse = world->rules ? x->requested + world->rules->lapse_seconds : INT64_MAX;
		/* One that is overdue is seen to when there is time. */
		return lapse > world->now ? lapse : INT64_MAX;
	default:
		return INT64_MAX;
	}
}

static void plan_timer(struct exceptions *e)
{
	struct exception_world world = exceptions_world(e);
	int64_t next = INT64_MAX;
	uint64_t base = 0;

	for (size_t i = 0; i < e->n_open; i++) {
		int64_t one = next_of(e->open[i], &world);

		next = one < next ? one : next;
	}
	if (next == INT64_MAX) {
		sd_event_source_set_enabled(e->timer, SD_EVENT_OFF);
		return;
	}
	/* The clock of a test runs beside the one that wakes us. */
	if (e->setup.read_clocks)
		base = clock_us(CLOCK_BOOTTIME) - e->clock.mark.boot_us;
	sd_event_source_set_time(e->timer, next <= world.now ? clock_us(CLOCK_BOOTTIME) + AGAIN_US :
							       base + grantclock_deadline(&e->clock, next));
	sd_event_source_set_enabled(e->timer, SD_EVENT_ONESHOT);
}

static void plan_mark(struct exceptions *e)
{
	bool wanted = e->store && any_runs(e);
	int enabled = SD_EVENT_OFF;

	sd_event_source_get_enabled(e->mark, &enabled);
	if (wanted == (enabled != SD_EVENT_OFF))
		return;
	if (wanted)
		sd_event_source_set_time_relative(e->mark, MARK_US);
	sd_event_source_set_enabled(e->mark, wanted ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void plan(struct exceptions *e)
{
	plan_timer(e);
	plan_mark(e);
	if (e->more_due || e->more_untold)
		sd_event_source_set_enabled(e->rest, SD_EVENT_ONESHOT);
	exceptions_plan_retry(e);
}

void exceptions_take_due(struct exceptions *e)
{
	if (!e->begun || e->in_due)
		return;
	e->in_due = true;
	take_those(e, SIZE_MAX, ends_or_begins);
	e->more_due = take_those(e, EXCEPTIONS_AT_ONCE, lapses_or_closes);
	/* Warnings are for who hears them: not before the loop runs, which this timer is then for. */
	if (e->starting)
		exceptions_next_turn(e);
	else
		warn_all(e);
	e->in_due = false;
	plan(e);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct exceptions *e = userdata;

	exceptions_tick(e);
	exceptions_take_due(e);
	return 0;
}

static int on_mark(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct exceptions *e = userdata;

	exceptions_tick(e);
	if (e->clock.kept_us != e->clock.mark.now_us)
		keep_mark(e);
	exceptions_take_due(e);
	return 0;
}

static int on_rest(sd_event_source *source, void *userdata)
{
	struct exceptions *e = userdata;

	if (e->more_untold)
		exceptions_tell_rest(e);
	return on_time(source, 0, userdata);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct exceptions *e = userdata;

	if (!e->store)
		exceptions_try(e);
	exceptions_tell_rest(e);
	exceptions_plan_retry(e);
	return 0;
}

static int on_turn(sd_event_source *source, void *userdata)
{
	struct exceptions *e = userdata;
	bool changed = exceptions_build_grants(e), first = e->starting;

	exceptions_sweep(e);
	e->starting = false;
	/* Warnings that were due at the start. */
	if (first)
		exceptions_take_due(e);
	if (e->new_state) {
		e->new_state = false;
		e->ops->state(e->userdata);
	}
	if (changed)
		e->ops->changed(e->userdata);
	return 0;
}

/*
 * An end comes before whatever else waits, and what follows from a step before anything that would go by what was before it. What is no
 * hurry comes last.
 */
int exceptions_start_timers(struct exceptions *e)
{
	sd_event *event = e->setup.event;
	int r = sd_event_add_time(event, &e->timer, CLOCK_BOOTTIME, 0, END_ACCURACY_US, on_time, e);

	if (r >= 0)
		r = sd_event_source_set_priority(e->timer, SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = sd_event_add_time(event, &e->mark, CLOCK_BOOTTIME, 0, MARK_ACCURACY_US, on_mark, e);
	if (r >= 0)
		r = sd_event_add_time(event, &e->retry, CLOCK_BOOTTIME, 0, RETRY_ACCURACY_US, on_retry, e);
	if (r >= 0)
		r = sd_event_add_defer(event, &e->rest, on_rest, e);
	if (r >= 0)
		r = sd_event_source_set_priority(e->rest, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_add_defer(event, &e->turn, on_turn, e);
	if (r >= 0)
		r = sd_event_source_set_priority(e->turn, SD_EVENT_PRIORITY_IMPORTANT - 1);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(e->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(e->mark, SD_EVENT_OFF);
	sd_event_source_set_enabled(e->retry, SD_EVENT_OFF);
	sd_event_source_set_enabled(e->rest, SD_EVENT_OFF);
	sd_event_source_set_enabled(e->turn, SD_EVENT_OFF);
	return 0;
}

void exceptions_stop_timers(struct exceptions *e)
{
	e->timer = sd_event_source_disable_unref(e->timer);
	e->mark = sd_event_source_disable_unref(e->mark);
	e->retry = sd_event_source_disable_unref(e->retry);
	e->rest = sd_event_source_disable_unref(e->rest);
	e->turn = sd_event_source_disable_unref(e->turn);
}

/* --- for others -------------------------------------------------------------------------------- */

int64_t exceptions_now(struct exceptions *e)
{
	exceptions_tick(e);
	return grantclock_now(&e->clock);
}

void exceptions_clock_set(struct exceptions *e)
{
	exceptions_tick(e);
	exceptions_take_due(e);
}

int64_t exceptions_clock_ahead(struct exceptions *e)
{
	struct grantclock_reading reading;
	int64_t ahead;

	exceptions_tick(e);
	exceptions_read(e, &reading);
	ahead = (e->clock.mark.now_us - reading.wall_us + (int64_t)SECOND_US / 2) / (int64_t)SECOND_US;
	return ahead > 0 ? ahead : 0;
}

/* Whatever bears a time of this clock that is still to come, or an end by it, would last until that time comes again. */
static bool any_waits(const struct exceptions *e)
{
	if (e->watch_until > grantclock_now(&e->clock))
		return true;
	for (size_t i = 0; i < e->n_open; i++)
		if (e->open[i]->state == EXCEPTION_REQUESTED)
			return true;
	return any_runs(e);
}

static void note_reset(struct exceptions *e, const struct exception_actor *actor, int64_t ahead)
{
	struct json_object *record = json_object_new_object();

	if (record) {
		json_add_string(record, "what", "reset");
		json_add_number(record, "seconds_behind", (uint64_t)ahead);
		json_add_string(record, "by", actor->who.name);
		json_add_number(record, "by_uid", actor->who.uid);
		if (*actor->user.name)
			json_add_number(record, "user_uid", actor->user.uid);
		json_add_string(record, "session", actor->session);
	}
	exceptions_say(e, "exception-clock", record);
}

int exceptions_reset_clock(struct exceptions *e, const struct exception_actor *actor, int64_t *ahead)
{
	struct grantclock_reading reading;
	struct grantclock before;
	int r = exception_check_login(actor);

	exceptions_clock_set(e);
	*ahead = exceptions_clock_ahead(e);
	if (r)
		return r;
	if (!e->store)
		return e->why;
	if (any_waits(e))
		return EXCEPTIONSTORE_E_LIVE;
	if (!*ahead)
		return 0;
	before = e->clock;
	exceptions_read(e, &reading);
	grantclock_reset(&e->clock, &reading);
	/* The store has the last word: it knows steps that the memory may not. */
	r = keep_mark(e);
	if (r) {
		e->clock = before;
		return r;
	}
	e->watch_until = 0;
	e->behind = false;
	note_reset(e, actor, *ahead);
	exceptions_take_due(e);
	return 0;
}

int exceptions_watch_clock(struct exceptions *e, int64_t until)
{
	int r;

	exceptions_tick(e);
	e->watch_until = until;
	r = until ? keep_mark(e) : 0;
	exceptions_take_due(e);
	return r;
}

int64_t exceptions_void_before(const struct exceptions *e)
{
	return e->clock.mark.void_before;
}

void exceptions_policy_changed(struct exceptions *e)
{
	exceptions_clock_set(e);
}

uint32_t exceptions_seconds_left(struct exceptions *e, const struct exception *exception)
{
	exceptions_tick(e);
	return seconds_left(e, exception);
}
