// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bus/caller.h"
#include "bus/names.h"
#include "core/purse.h"
#include "core/reason.h"
#include "core/utf8.h"
#include "daemon/administration.h"
#include "daemon/json.h"
#include "system/username.h"

#define SUMMARY_ACCURACY_US 5000000u

/* A message may quote a policy of any length. */
#define DETAIL_MAX 512

/* Longer than any code of core/reason.c. */
#define REASON_CODE_MAX 64

struct administration {
	struct purses purses;
	struct json_object *last[PURSES_MAX + 1]; /* of each place: record of the newest that was only counted */
	sd_event_source *timer;			  /* on while something is counted */
	administration_record_fn record;
	void *userdata;
};

static const char *const outcomes[PURSES_KINDS] = {
	[BUS_DONE] = "done",
	[BUS_REFUSED] = "refused",
	[BUS_FAILED] = "failed",
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * A refusal says "CODE: sentence" and a volume "CODE" or "CODE: detail", with a code of core/reason.h; anything else is
 * named by the D-Bus error. What the code says by itself is not repeated.
 */
static void add_reason(struct json_object *record, const struct bus_deed *deed)
{
	const char *name = strrchr(deed->error, '.'), *rest = deed->message;
	size_t len = strcspn(rest, ":");
	char code[REASON_CODE_MAX], detail[DETAIL_MAX];

	utf8_copy(code, sizeof(code), rest, len);
	if (reason_find(code)) {
		rest += len;
		rest += strspn(rest, ": ");
		if (!strcmp(rest, reason_text(code)))
			rest = "";
		json_add_string(record, "reason", code);
	} else {
		json_add_string(record, "reason", name ? name + 1 : deed->error);
	}
	utf8_copy(detail, sizeof(detail), rest, strlen(rest));
	if (detail[0])
		json_add_string(record, "detail", detail);
}

static struct json_object *describe(const struct bus_deed *deed)
{
	struct json_object *record = json_object_new_object();
	const struct bus_caller *caller = deed->caller;
	const char *interface = strrchr(deed->interface, '.');
	char method[128];

	if (!record)
		return NULL;
	snprintf(method, sizeof(method), "%s.%s", interface ? interface + 1 : deed->interface,
		 deed->method);
	json_add_string(record, "method", method);
	json_add_string(record, "object", deed->path);
	json_add_string(record, "action", deed->action);
	json_add_string(record, "result", outcomes[deed->outcome]);
	if (caller->uid != (uid_t)-1)
		json_add_number(record, "uid", caller->uid);
	if (caller->session[0])
		json_add_string(record, "session", caller->session);
	if (caller->program[0])
		json_add_string(record, "program", caller->program);
	if (caller->pid)
		json_add_number(record, "pid", (uint64_t)caller->pid);
	if (deed->error)
		add_reason(record, deed);
	return record;
}

/* The name last, and only for what is written. */
static void write_record(struct administration *a, struct json_object *record, uid_t uid)
{
	char name[USERNAME_MAX];

	if (!record)
		return;
	if (uid != (uid_t)-1 && username_local(USERNAME_FILE, uid, name))
		json_add_string(record, "user", name);
	a->record(a->userdata, record);
}

/* Of several users nobody is named: the newest was only one of them. */
static void forget_who(struct json_object *record)
{
	static const char *const keys[] = { "uid", "session", "program", "pid" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_object_del(record, keys[i]);
}

static void write_summary(struct administration *a, struct purses_user *user)
{
	struct json_object **last = &a->last[user - a->purses.users];
	uint64_t count = 0;

	if (*last) {
		for (unsigned int kind = 0; kind < PURSES_KINDS; kind++) {
			if (!user->counts[kind])
				continue;
			count += user->counts[kind];
			json_add_number(*last, outcomes[kind], user->counts[kind]);
		}
		json_add_number(*last, "count", count);
		json_add_number(*last, "span_us", user->last_us - user->first_us);
		if (user->uid == PURSES_OTHERS)
			forget_who(*last);
		write_record(a, TAKE_PTR(*last), user->uid);
	}
	purses_clear(user);
}

static void plan_summary(struct administration *a)
{
	uint64_t due = purses_due(&a->purses);

	if (due == UINT64_MAX || sd_event_source_set_time(a->timer, due) < 0)
		sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
	else
		sd_event_source_set_enabled(a->timer, SD_EVENT_ONESHOT);
}

static void write_due(struct administration *a, uint64_t now)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->purses.users); i++) {
		struct purses_user *user = &a->purses.users[i];

		if (purses_counted(user) &&
		    (now == UINT64_MAX || user->first_us + PURSES_SUMMARY_US <= now))
			write_summary(a, user);
	}
}

static int summary_is_due(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct administration *a = userdata;

	write_due(a, now_us());
	plan_summary(a);
	return 0;
}

void administration_witness(void *userdata, const struct bus_deed *deed)
{
	struct administration *a = userdata;
	uint64_t now = now_us();
	struct purses_user *user;
	struct json_object **last;

	if (!deed->caller->uid) {
		write_record(a, describe(deed), 0);
		return;
	}
	user = purses_find(&a->purses, deed->caller->uid, now);
	if (purses_admit(&a->purses, user, deed->outcome, now)) {
		write_record(a, describe(deed), deed->caller->uid);
		return;
	}
	last = &a->last[user - a->purses.users];
	json_object_put(*last);
	*last = describe(deed);
	plan_summary(a);
}

int administration_new(struct administration **administrationp, sd_event *event,
		       administration_record_fn record, void *userdata)
{
	struct administration *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->record = record;
	a->userdata = userdata;
	r = sd_event_add_time(event, &a->timer, CLOCK_BOOTTIME, 0, SUMMARY_ACCURACY_US,
			      summary_is_due, a);
	if (r >= 0)
		r = sd_event_source_set_priority(a->timer, BUS_EVENT_PRIORITY);
	if (r >= 0)
		r = sd_event_source_set_enabled(a->timer, SD_EVENT_OFF);
	if (r < 0) {
		administration_free(a);
		return r;
	}
	*administrationp = a;
	return 0;
}

struct administration *administration_free(struct administration *a)
{
	if (!a)
		return NULL;
	write_due(a, UINT64_MAX);
	sd_event_source_disable_unref(a->timer);
	for (size_t i = 0; i < ARRAY_SIZE(a->last); i++)
		json_object_put(a->last[i]);
	free(a);
	return NULL;
}
