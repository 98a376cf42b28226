// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/exceptions.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "core/mark-text.h"
#include "daemon/exceptions-inside.h"

const struct exception_actor exceptions_system = { .session = "", .roles = EXCEPTION_ROLE_SYSTEM };

/* --- the object --------------------------------------------------------------------------------- */

/* One that is not known is another one each time: then what was granted before this start counts as granted before a reboot. */
static void read_boot_id(struct exceptions *e)
{
	sd_id128_t id;

	if (sd_id128_get_boot(&id) >= 0)
		memcpy(e->boot_id, id.bytes, sizeof(e->boot_id));
	else
		randombytes_buf(e->boot_id, sizeof(e->boot_id));
}

int exceptions_new(struct exceptions **exceptionsp, const struct exceptions_setup *setup,
		   const struct exceptions_ops *ops, void *userdata)
{
	_cleanup_(exceptions_freep) struct exceptions *e = calloc(1, sizeof(*e));
	struct grantclock_reading reading;
	int r;

	if (!e)
		return -ENOMEM;
	e->setup = *setup;
	e->setup.path = strdup(setup->path);
	e->ops = ops;
	e->userdata = userdata;
	e->starting = true;
	e->why = -EAGAIN;
	strcpy(e->state, "ok");
	if (!e->setup.path)
		return -ENOMEM;
	read_boot_id(e);
	r = exceptions_start_timers(e);
	if (r >= 0)
		r = exceptions_start_refused(e);
	if (r < 0)
		return r;
	/* Until the store says more. */
	exceptions_read(e, &reading);
	grantclock_start(&e->clock, NULL, &reading);
	*exceptionsp = TAKE_PTR(e);
	return 0;
}

int exceptions_begin(struct exceptions *e)
{
	e->begun = true;
	exceptions_try(e);
	if (e->why == -ENOMEM)
		return -ENOMEM;
	exceptions_build_grants(e);
	return 0;
}

struct exceptions *exceptions_free(struct exceptions *e)
{
	if (!e)
		return NULL;
	if (e->store && e->setup.path) {
		exceptions_tick(e);
		grantclock_end(&e->clock);
		if (e->store && exceptionstore_keep_mark(e->store, &e->clock.mark))
			fputs(SD_WARNING "exceptions: the clock's mark could not be kept\n", stderr);
	}
	if (e->summary)
		exceptions_stop_refused(e);
	exceptions_tell_rest(e);
	exceptions_stop_timers(e);
	exceptions_forget(e);
	exceptions_sweep(e);
	for (size_t i = 0; i < e->n_pending; i++)
		json_object_put(e->pending[i].extra);
	exceptionstore_close(e->store);
	grantset_free(e->grants);
	free(e->in_force);
	free(e->open);
	free(e->owed);
	free((char *)e->setup.path);
	free(e);
	return NULL;
}

const char *exceptions_state(const struct exceptions *e)
{
	return e->state;
}

const char *exceptions_error(int r, const char **detail)
{
	const char *reason = exception_reason(r);

	*detail = "";
	if (reason)
		return reason;
	switch (r) {
	case EXCEPTIONSTORE_E_ABSENT:
		return "exception-absent";
	case EXCEPTIONSTORE_E_USED:
		return "exception-grant-used";
	case EXCEPTIONSTORE_E_LIVE:
		return "exception-clock-needed";
	default:
		break;
	}
	if (r < 0)
		*detail = strerror(-r);
	else if (exceptionstore_error(r))
		*detail = exceptionstore_error(r);
	return "exception-store";
}

/* --- steps --------------------------------------------------------------------------------------- */

/* The time zone may have been set anew since the daemon began; localtime_r() need not look. */
static int32_t utc_offset(int64_t when)
{
	time_t seconds = (time_t)when;
	struct tm tm;

	tzset();
	return localtime_r(&seconds, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* When its time begins, or would. */
static int64_t begin_of(const struct exception *x, int64_t now)
{
	bool granted = x->state == EXCEPTION_APPROVED || x->state == EXCEPTION_LIVE;

	return granted || x->grant.not_before > now ? x->grant.not_before : now;
}

/* For a step of this one: the fiscal year is the one that it begins in, by the local time of then. */
static struct exception_world world_of(struct exceptions *e, const struct exception *x)
{
	struct exception_world world = exceptions_world(e);

	if (x)
		world.utc_offset = utc_offset(begin_of(x, world.now));
	return world;
}

struct exception_world exceptions_world(struct exceptions *e)
{
	int64_t now = grantclock_now(&e->clock);

	return (struct exception_world){
		.now = now,
		.utc_offset = utc_offset(now),
		.void_before = e->clock.mark.void_before,
		.terminal = e->setup.terminal,
		.rules = e->ops->rules(e->userdata),
	};
}

int exceptions_take(struct exceptions *e, uint32_t number, const struct exception_event *event,
		    const struct exception_actor *actor, struct exception *x)
{
	struct exception_world world = world_of(e, number ? exceptions_find_open(e, number) : x);
	struct exceptionstore_act act = {
		.event = event, .actor = actor, .world = &world, .mark = &e->clock.mark
	};
	struct exception_deed deed;
	int r;

	if (!e->store)
		return e->why;
	if (number)
		r = exceptionstore_step(e->store, number, &act, x, &deed);
	else
		r = exceptionstore_submit(e->store, x, &act, &deed);
	if (r)
		return exceptions_failed(e, r);
	grantclock_kept(&e->clock);
	r = exceptions_keep(e, x);
	exceptions_tell(e, x, &deed);
	/* It is taken, and the memory does not know it: only reading all of it again puts that right. */
	if (r && e->store)
		exceptions_give_up(e, r);
	if (!e->starting)
		e->ops->stepped(e->userdata, x, &deed);
	return 0;
}

int exceptions_take_system(struct exceptions *e, uint32_t number, enum exception_event_kind kind,
			   uint64_t bytes, const char *note)
{
	struct exception_event event = { .kind = kind, .bytes = bytes, .note = note };
	struct exception x;
	int r = exceptions_take(e, number, &event, &exceptions_system, &x);

	if (r)
		exceptions_refused(e, r, number, NULL, kind, &exceptions_system);
	return r;
}

/* As it is once what followed at once has been done: an approved one that begins now is live. */
static void look_again(struct exceptions *e, const struct exception *x, struct exception *after)
{
	const struct exception *now = exceptions_find_open(e, x->number);

	if (after)
		*after = now ? *now : *x;
}

int exceptions_would(struct exceptions *e, enum exception_event_kind kind, const struct grant *wish, uint32_t period,
		     const struct exception_actor *actor)
{
	struct exception_event event = { .kind = kind };
	struct exception_world world;
	struct exception x;

	exceptions_clock_set(e);
	exception_init(&x, wish, period, &actor->who);
	world = world_of(e, &x);
	return e->store ? exception_step(&x, &event, actor, &world, NULL) : e->why;
}

int exceptions_submit(struct exceptions *e, enum exception_event_kind kind, const struct grant *wish,
		      uint32_t period, const char *note, const struct exception_actor *actor,
		      struct exception *after)
{
	struct exception_person requester = actor->who;

	/* What the desk granted was asked for by whom it is for, unless somebody else brought it. */
	if (!*requester.name) {
		requester.uid = wish->uid;
		memcpy(requester.name, wish->person, sizeof(requester.name));
	}
	return exceptions_submit_of(e, kind, wish, period, note, &requester, actor, after);
}

int exceptions_submit_of(struct exceptions *e, enum exception_event_kind kind, const struct grant *wish,
			 uint32_t period, const char *note, const struct exception_person *requester,
			 const struct exception_actor *actor, struct exception *after)
{
	static const uint8_t none[sizeof(wish->id)];
	struct exception_event event = { .kind = kind, .note = note };
	struct exception x;
	int r;

	exceptions_clock_set(e);
	exception_init(&x, wish, period, requester);
	if (!memcmp(x.grant.id, none, sizeof(none)))
		randombytes_buf(x.grant.id, sizeof(x.grant.id));
	r = exceptions_take(e, 0, &event, actor, &x);
	if (r) {
		exceptions_refused(e, r, 0, wish, kind, actor);
		return r;
	}
	exceptions_take_due(e);
	look_again(e, &x, after);
	return 0;
}

int exceptions_step(struct exceptions *e, uint32_t number, const struct exception_event *event,
		    const struct exception_actor *actor, struct exception *after)
{
	struct exception x;
	int r;

	/* What time has ended already is not there any more for a person to end. */
	exceptions_clock_set(e);
	r = number ? exceptions_take(e, number, event, actor, &x) : EXCEPTIONSTORE_E_ABSENT;
	if (r) {
		exceptions_refused(e, r, number, NULL, event->kind, actor);
		return r;
	}
	exceptions_take_due(e);
	look_again(e, &x, after);
	return 0;
}

bool exceptions_may_approve(struct exceptions *e, const struct exception *exception,
			    const struct exception_actor *actor)
{
	struct exception_event event = { .kind = EXCEPTION_APPROVE, .until = exception->extend_until };
	struct exception_world world = exceptions_world(e);
	struct exception x = *exception;

	return !exception_step(&x, &event, actor, &world, NULL);
}

/* --- looking ------------------------------------------------------------------------------------- */

int exceptions_get(struct exceptions *e, uint32_t number, struct exception *exception)
{
	return e->store ? exceptions_failed(e, exceptionstore_get(e->store, number, exception)) : e->why;
}

int exceptions_list(struct exceptions *e, const struct exceptionstore_filter *filter,
		    int (*each)(void *userdata, const struct exception *exception), void *userdata)
{
	return e->store ? exceptionstore_list(e->store, filter, each, userdata) : e->why;
}

int exceptions_deeds(struct exceptions *e, uint32_t number, uint32_t most,
		     int (*each)(void *userdata, const struct exception_deed *deed), void *userdata)
{
	return e->store ? exceptionstore_deeds(e->store, number, most, each, userdata) : e->why;
}

int exceptions_has_grant(struct exceptions *e, const uint8_t id[static 16])
{
	struct exception x;
	int r = e->store ? exceptions_failed(e, exceptionstore_find_grant(e->store, id, &x)) : e->why;

	if (!r)
		return EXCEPTIONSTORE_E_USED;
	return e->store && r == EXCEPTIONSTORE_E_ABSENT ? 0 : r;
}

const struct exception *const *exceptions_open(const struct exceptions *e, size_t *n)
{
	*n = e->n_open;
	return (const struct exception *const *)e->open;
}

const struct exception *exceptions_find_open(const struct exceptions *e, uint32_t number)
{
	const struct exceptions_entry *entry = exceptions_entry(e, number);

	return entry ? &entry->x : NULL;
}

struct exceptions_counts exceptions_counts(struct exceptions *e)
{
	struct exceptions_counts counts = { .waiting = 0 };
	int64_t now = exceptions_now(e);

	for (size_t i = 0; i < e->n_open; i++) {
		const struct exception *x = e->open[i];
		unsigned int due = exception_due(x, now);

		counts.waiting += x->state == EXCEPTION_REQUESTED;
		counts.live += x->state == EXCEPTION_APPROVED || x->state == EXCEPTION_LIVE;
		counts.overdue += !!(due & EXCEPTION_DUE_OVERDUE);
		counts.unreported += x->emergency && !x->reported;
	}
	return counts;
}

/* --- devices ------------------------------------------------------------------------------------- */

const struct grantset *exceptions_grants(const struct exceptions *e)
{
	return e->store ? e->grants : NULL;
}

static const struct exception *find_grant(const struct exceptions *e, const uint8_t id[static 16])
{
	for (size_t i = 0; i < e->n_open; i++)
		if (!memcmp(e->open[i]->grant.id, id, sizeof(e->open[i]->grant.id)))
			return e->open[i];
	return NULL;
}

int exceptions_use(struct exceptions *e, const uint8_t id[static 16], uint64_t size, uint32_t *number)
{
	const struct exception *x;
	int r;

	exceptions_clock_set(e);
	x = find_grant(e, id);
	if (!x)
		return e->store ? EXCEPTIONSTORE_E_ABSENT : e->why;
	*number = x->number;
	r = exceptions_take_system(e, x->number, EXCEPTION_USE, size, NULL);
	/* Its time may run from now on. */
	exceptions_take_due(e);
	return r;
}

void exceptions_unused(struct exceptions *e, uint32_t number)
{
	const struct exception *x;

	exceptions_clock_set(e);
	x = exceptions_find_open(e, number);
	if (x && x->state == EXCEPTION_LIVE && x->grant.uses && x->used >= x->grant.uses)
		exceptions_take_system(e, number, EXCEPTION_USE_UP, 0, NULL);
	exceptions_take_due(e);
}

static void owe(struct exceptions *e, uint32_t number, uint64_t bytes)
{
	struct exceptions_owed *owed = realloc(e->owed, (e->n_owed + 1) * sizeof(*owed));

	if (!owed) {
		fprintf(stderr, SD_ERR "exceptions: no memory to count what was written under %u\n", number);
		return;
	}
	e->owed = owed;
	e->owed[e->n_owed++] = (struct exceptions_owed){ number, bytes };
}

void exceptions_count_owed(struct exceptions *e)
{
	struct exceptions_owed *owed = TAKE_PTR(e->owed);
	size_t n = e->n_owed;

	e->n_owed = 0;
	for (size_t i = 0; i < n; i++) {
		int r = e->why;

		if (e->store)
			r = exceptions_take_system(e, owed[i].number, EXCEPTION_WRITTEN, owed[i].bytes, NULL);
		/* With a store it was counted, or is refused for good. */
		if (r && !e->store)
			owe(e, owed[i].number, owed[i].bytes);
	}
	free(owed);
}

/* A quota that is reached ends it (exceptions_take_due()), also when the daemon dies between the two. */
void exceptions_written(struct exceptions *e, uint32_t number, uint64_t bytes)
{
	int r;

	exceptions_clock_set(e);
	r = e->why;
	if (bytes && e->store)
		r = exceptions_take_system(e, number, EXCEPTION_WRITTEN, bytes, NULL);
	if (bytes && r && !e->store)
		owe(e, number, bytes);
	exceptions_take_due(e);
}

uint64_t exceptions_bytes_left(const struct exceptions *e, uint32_t number)
{
	const struct exception *x = exceptions_find_open(e, number);

	return x ? exception_bytes_left(x) : 0;
}

static bool awaits_empty(struct exceptions *e, const struct exception *x, const char *fingerprint)
{
	return !strcmp(x->grant.fingerprint, fingerprint) &&
	       exception_erasure_by_sight(x, e->ops->rules(e->userdata));
}

bool exceptions_await_empty(struct exceptions *e, const char *fingerprint, uint32_t but)
{
	for (size_t i = 0; i < e->n_open; i++)
		if (e->open[i]->number != but && awaits_empty(e, e->open[i], fingerprint))
			return true;
	return false;
}

/* Sticks of a batch may have one serial number; of another size it is another one. */
static bool is_of_size(struct exceptions *e, uint32_t number, uint64_t size)
{
	uint64_t known;

	return e->store && !exceptions_failed(e, exceptionstore_size(e->store, number, &known)) &&
	       known == size;
}

void exceptions_seen_empty(struct exceptions *e, const char *fingerprint, uint64_t size,
			   const char *how)
{
	uint32_t number = 0;

	exceptions_clock_set(e);
	for (size_t i = 0; i < e->n_open; i++) {
		if (e->open[i]->number <= number || !awaits_empty(e, e->open[i], fingerprint) ||
		    !is_of_size(e, e->open[i]->number, size))
			continue;
		number = e->open[i]->number;
		exceptions_take_system(e, number, EXCEPTION_CONFIRM_ERASED, 0, how);
	}
	exceptions_take_due(e);
}
