// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/exceptions-inside.h"
#include "daemon/json.h"

#define SUMMARY_ACCURACY_US 1000000
/* All refusals are of one kind here. */
#define REFUSED 0

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

static struct json_object *describe(struct exceptions *e, int code, uint32_t number, const struct grant *wish,
				    enum exception_event_kind kind, const struct exception_actor *actor)
{
	struct json_object *record = json_object_new_object();
	const struct exception *x = exceptions_find_open(e, number);
	const char *detail;

	if (!record)
		return NULL;
	json_add_string(record, "event", exception_event_name(kind));
	json_add_string(record, "reason", exceptions_error(code, &detail));
	if (*detail)
		json_add_string(record, "detail", detail);
	if (x)
		exceptions_describe(record, x);
	else if (number)
		json_add_number(record, "exception", number);
	else if (wish && memchr(wish->person, '\0', sizeof(wish->person)))
		json_add_string(record, "person", wish->person);
	if (*actor->who.name)
		json_add_string(record, "by", actor->who.name);
	if (actor->who.uid != UINT32_MAX && (*actor->who.name || !(actor->roles & EXCEPTION_ROLE_SYSTEM)))
		json_add_number(record, "by_uid", actor->who.uid);
	if (actor->session && *actor->session)
		json_add_string(record, "session", actor->session);
	return record;
}

/* The newest one stands for all of them; of several people nobody is named. What the log does not take goes on being counted. */
static void write_summary(struct exceptions *e, struct purses_user *user)
{
	static const char *const who[] = { "by", "by_uid", "session", "person", "person_uid", "exception", "grant" };
	struct json_object **last = &e->refused[user - e->purses.users];

	if (*last) {
		json_add_number(*last, "count", user->counts[REFUSED]);
		json_add_number(*last, "span_us", user->last_us - user->first_us);
		for (size_t i = 0; user->uid == PURSES_OTHERS && i < ARRAY_SIZE(who); i++)
			json_object_object_del(*last, who[i]);
		e->refused_waits |= !exceptions_say_now(e, "exception-refused", *last);
	}
	if (e->refused_waits)
		return;
	json_object_put(*last);
	*last = NULL;
	purses_clear(user);
}

static void write_due(struct exceptions *e, uint64_t now)
{
	e->refused_waits = false;
	for (size_t i = 0; i < ARRAY_SIZE(e->purses.users) && !e->refused_waits; i++) {
		struct purses_user *user = &e->purses.users[i];

		if (purses_counted(user) && (now == UINT64_MAX || user->first_us + PURSES_SUMMARY_US <= now))
			write_summary(e, user);
	}
}

static void plan_summary(struct exceptions *e)
{
	uint64_t due = e->refused_waits ? UINT64_MAX : purses_due(&e->purses);

	if (due != UINT64_MAX)
		sd_event_source_set_time(e->summary, due);
	sd_event_source_set_enabled(e->summary, due != UINT64_MAX ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int on_summary(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct exceptions *e = userdata;

	write_due(e, now_us());
	plan_summary(e);
	exceptions_plan_retry(e);
	return 0;
}

void exceptions_tell_refused(struct exceptions *e)
{
	write_due(e, UINT64_MAX);
	plan_summary(e);
}

void exceptions_refused(struct exceptions *e, int code, uint32_t number, const struct grant *wish,
			enum exception_event_kind kind, const struct exception_actor *actor)
{
	struct json_object *record = describe(e, code, number, wish, kind, actor);
	uint64_t now = now_us();
	struct purses_user *user = purses_find(&e->purses, actor->who.uid, now);
	struct json_object **last = &e->refused[user - e->purses.users];

	if (purses_admit(&e->purses, user, REFUSED, now)) {
		if (record && exceptions_say_now(e, "exception-refused", record)) {
			json_object_put(record);
			return;
		}
		purses_count(user, REFUSED, now);
		e->refused_waits = true;
	}
	json_object_put(*last);
	*last = record;
	plan_summary(e);
	exceptions_plan_retry(e);
}

int exceptions_start_refused(struct exceptions *e)
{
	int r = sd_event_add_time(e->setup.event, &e->summary, CLOCK_BOOTTIME, 0, SUMMARY_ACCURACY_US,
				  on_summary, e);

	return r < 0 ? r : sd_event_source_set_enabled(e->summary, SD_EVENT_OFF);
}

void exceptions_stop_refused(struct exceptions *e)
{
	write_due(e, UINT64_MAX);
	sd_event_source_disable_unref(e->summary);
	if (e->refused_waits)
		fputs(SD_ERR "exceptions: the log takes no records, and summaries of refusals are lost\n", stderr);
	e->refused_waits = false;
	for (size_t i = 0; i < ARRAY_SIZE(e->refused); i++)
		json_object_put(e->refused[i]);
}
