// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mark-text.h"
#include "daemon/exceptions-inside.h"
#include "daemon/json.h"
#include "system/safedir.h"

/* --- the state --------------------------------------------------------------------------------- */

static void set_state(struct exceptions *e, const char *text, const char *detail)
{
	char state[EXCEPTIONS_STATE_MAX];
	struct json_object *record;

	snprintf(state, sizeof(state), "%s%s%s", text, detail ? ": " : "", detail ? detail : "");
	if (!strcmp(state, e->state))
		return;
	memcpy(e->state, state, sizeof(state));
	e->new_state = true;
	exceptions_next_turn(e);
	record = json_object_new_object();
	if (record)
		json_add_string(record, "state", e->state);
	exceptions_say(e, "exception-store", record);
}

static void set_error(struct exceptions *e, int r)
{
	e->why = r;
	if (r > 0)
		set_state(e, exceptionstore_error(r), NULL);
	else
		set_state(e, N_("The store of exceptions cannot be used, so none is in force; tell the help desk"),
			  strerror(-r));
}

/* What a step may meet that is not the store's fault. */
static bool is_harmless(int r)
{
	switch (r) {
	case 0:
	case -ENOMEM:
	case -EOVERFLOW:
	case EXCEPTIONSTORE_E_ABSENT:
	case EXCEPTIONSTORE_E_USED:
	case EXCEPTIONSTORE_E_LIVE:
		return true;
	default:
		return r > 0 && r < N_EXCEPTION_ERRORS;
	}
}

void exceptions_give_up(struct exceptions *e, int r)
{
	e->store = exceptionstore_close(e->store);
	exceptions_forget(e);
	set_error(e, r);
	exceptions_plan_retry(e);
}

int exceptions_failed(struct exceptions *e, int r)
{
	if (!is_harmless(r) && e->store)
		exceptions_give_up(e, r);
	return r;
}

/* --- opening ------------------------------------------------------------------------------------ */

/* The directory is made if it is missing, and then it is nobody else's to look into. */
static int make_directory(const char *path)
{
	_cleanup_(freep) char *directory = strdup(path);
	_cleanup_(closep) int above = -1, fd = -1;
	char *slash = directory ? strrchr(directory, '/') : NULL;
	char *name;
	int r;

	if (!directory)
		return -ENOMEM;
	if (!slash || slash == directory)
		return -EINVAL;
	*slash = '\0';
	name = strrchr(directory, '/');
	if (!name)
		return -EINVAL;
	*name++ = '\0';
	r = safedir_make(*directory ? directory : "/", &above);
	if (r)
		return r > 0 ? EXCEPTIONSTORE_E_UNSAFE : r;
	if (!mkdirat(above, name, 0700))
		r = safedir_sync(above);
	else if (errno != EEXIST)
		r = -errno;
	if (r)
		return r;
	name[-1] = '/';
	r = safedir_open(directory, &fd);
	return r > 0 ? EXCEPTIONSTORE_E_UNSAFE : r;
}

static int open_or_create(struct exceptions *e)
{
	int r = exceptionstore_open(e->setup.path, &e->store);

	if (r != EXCEPTIONSTORE_E_ABSENT)
		return r;
	r = make_directory(e->setup.path);
	/* Exclusively: what is there already, whatever is wrong with it, is never overwritten. */
	return r ? r : exceptionstore_create(e->setup.path, &e->store);
}

static int keep_one(void *userdata, const struct exception *x)
{
	return exceptions_keep(userdata, x);
}

/* A warning whose time was before the last mark has been given: the daemon was alive then. */
static void skip_given_warnings(struct exceptions *e, int64_t alive)
{
	for (size_t i = 0; i < e->n_open; i++) {
		struct exceptions_entry *entry = (struct exceptions_entry *)e->open[i];

		entry->warned = exceptions_warnings(&entry->x, alive);
		entry->warned_end = exception_end(&entry->x);
	}
}

static int load(struct exceptions *e, int64_t alive)
{
	struct exceptionstore_filter filter = {
		.states = ~(1u << EXCEPTION_DENIED | 1u << EXCEPTION_LAPSED | 1u << EXCEPTION_CLOSED),
	};
	int r = exceptionstore_list(e->store, &filter, keep_one, e);

	if (!r)
		skip_given_warnings(e, alive);
	return r;
}

/* From the mark that was kept on, so that no time is lost that the daemon did not see. */
static int start_clock(struct exceptions *e, int64_t *alive)
{
	struct grantclock_reading reading;
	struct grantclock_mark mark;
	unsigned int bits;
	int r = exceptionstore_mark(e->store, &mark);

	if (r && r != EXCEPTIONSTORE_E_ABSENT)
		return r;
	exceptions_read(e, &reading);
	bits = grantclock_start(&e->clock, r ? NULL : &mark, &reading);
	*alive = r ? 0 : mark.now_us / 1000000;
	/* Also shows whether anything can be written. */
	r = exceptionstore_keep_mark(e->store, &e->clock.mark);
	if (r)
		return r;
	grantclock_kept(&e->clock);
	exceptions_note_clock(e, &reading, bits);
	return 0;
}

void exceptions_try(struct exceptions *e)
{
	int64_t alive = 0;
	int r = open_or_create(e);

	if (!r)
		r = start_clock(e, &alive);
	if (!r)
		r = load(e, alive);
	if (r) {
		exceptions_give_up(e, r);
		return;
	}
	e->why = 0;
	set_state(e, "ok", NULL);
	e->untold = true;
	exceptions_tell_rest(e);
	exceptions_count_owed(e);
	exceptions_take_due(e);
	exceptions_next_turn(e);
}

void exceptions_plan_retry(struct exceptions *e)
{
	bool wanted = !e->store || e->untold || e->n_pending || e->refused_waits;
	int enabled = SD_EVENT_OFF;

	if (!e->retry)
		return;
	sd_event_source_get_enabled(e->retry, &enabled);
	if (wanted == (enabled != SD_EVENT_OFF))
		return;
	if (wanted)
		sd_event_source_set_time_relative(e->retry, (e->setup.retry_ms ? e->setup.retry_ms :
										 EXCEPTIONS_RETRY_MS) *
								     1000ull);
	sd_event_source_set_enabled(e->retry, wanted ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}
