// SPDX-License-Identifier: GPL-2.0-or-later
/* The real engine of exceptions, by a policy and a clock of the test. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/policy.h"
#include "core/trust.h"
#include "daemon/exceptions-bus.h"
#include "daemon/phone.h"

#include "fake-exceptions.h"

void fake_complain(void *userdata, const char *file, unsigned int line,
		   unsigned int column, const char *message)
{
	fprintf(stderr, "%s:%u:%u: %s\n", file, line, column, message);
}

static void fake_read_clocks(void *userdata, struct grantclock_reading *reading)
{
	const struct fake_exceptions *fake = userdata;
	struct timespec wall, boot;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	*reading = (struct grantclock_reading){
		.wall_us = wall.tv_sec * INT64_C(1000000) + wall.tv_nsec / 1000 + fake->clock_us,
		.boot_us = (uint64_t)boot.tv_sec * 1000000u + (uint64_t)boot.tv_nsec / 1000,
		.boot_id = "this very boot",
	};
}

static int fake_exception_record(void *userdata, const char *kind, struct json_object *extra)
{
	const struct fake_exceptions *fake = userdata;

	fake->record(fake->userdata, kind, extra ? extra : json_object_new_object());
	return 0;
}

static const struct exception_rules *fake_rules(void *userdata)
{
	const struct fake_exceptions *fake = userdata;

	return fake->rules ? &policy_header(fake->rules)->exceptions : NULL;
}

static void fake_grants_changed(void *userdata)
{
}

static void fake_stepped(void *userdata, const struct exception *after,
			 const struct exception_deed *deed)
{
	struct fake_exceptions *fake = userdata;

	exceptions_bus_stepped(manager_bus_exceptions(fake->bus), after, deed);
}

static void fake_warned(void *userdata, const struct exception *exception, uint32_t seconds)
{
	struct fake_exceptions *fake = userdata;

	exceptions_bus_warned(manager_bus_exceptions(fake->bus), exception, seconds);
}

static void fake_exceptions_state(void *userdata)
{
	struct fake_exceptions *fake = userdata;

	exceptions_bus_changed(manager_bus_exceptions(fake->bus));
}

static bool fake_at_seat(void *userdata, uid_t uid)
{
	const struct fake_exceptions *fake = userdata;

	return uid == *fake->may;
}

static const struct trust *fake_trust(void *userdata)
{
	const struct fake_exceptions *fake = userdata;

	return fake->trust;
}

static void exceptions_show(struct fake_exceptions *fake)
{
	const struct exceptions_bus_setup setup = {
		.exceptions = fake->engine,
		.phone = fake->phone,
		.terminal = fake->terminal,
		.rules = fake_rules,
		.at_seat = fake_at_seat,
		.trust = fake_trust,
		.userdata = fake,
	};

	exceptions_bus_set(manager_bus_exceptions(fake->bus), &setup);
}

/* A file whole, malloc'd; NULL: it cannot be read. */
static char *file_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t n = f ? getdelim(&text, &room, '\0', f) : -1;

	if (f)
		fclose(f);
	if (n >= 0) {
		*len = (size_t)n;
		return text;
	}
	free(text);
	return NULL;
}

static int exceptions_by(struct fake_exceptions *fake, const char *policy_file)
{
	size_t len;
	_cleanup_(freep) char *text = file_read(policy_file, &len);
	struct policy *policy = NULL, *old;
	int r;

	if (!text)
		return -ENOENT;
	r = policy_parse(policy_file, text, len, fake_complain, NULL, &policy);
	if (r < 0)
		return r;
	old = fake->rules;
	fake->rules = policy;
	if (fake->engine)
		exceptions_policy_changed(fake->engine);
	policy_free(old);
	exceptions_bus_changed(manager_bus_exceptions(fake->bus));
	return 0;
}

static int engine_begin(struct fake_exceptions *fake, const char *path, const char *policy_file)
{
	static const struct exceptions_ops ops = {
		.record = fake_exception_record,
		.rules = fake_rules,
		.changed = fake_grants_changed,
		.stepped = fake_stepped,
		.warned = fake_warned,
		.state = fake_exceptions_state,
	};
	const struct exceptions_setup setup = {
		.event = fake->event,
		.path = path,
		.terminal = fake->terminal,
		.read_clocks = fake_read_clocks,
	};
	int r;

	if (fake->engine)
		return -EEXIST;
	r = exceptions_by(fake, policy_file);
	if (r == 0)
		r = exceptions_new(&fake->engine, &setup, &ops, fake);
	if (r == 0)
		r = exceptions_begin(fake->engine);
	if (r == 0)
		exceptions_show(fake);
	return r;
}

static int phone_begin(struct fake_exceptions *fake, const char *pending_file, const char *key_file)
{
	const struct phone_setup setup = {
		.exceptions = fake->engine,
		.pending_file = pending_file,
		.key_file = key_file,
		.terminal = fake->terminal,
		.record = fake_exception_record,
		.userdata = fake,
	};
	int r = fake->phone ? -EEXIST : phone_new(&fake->phone, &setup);

	if (r == 0)
		exceptions_show(fake);
	return r;
}

static int trust_read(struct fake_exceptions *fake, const char *path)
{
	size_t len;
	_cleanup_(freep) char *text = file_read(path, &len);
	int r;

	if (!text)
		return -ENOENT;
	fake->trust = trust_free(fake->trust);
	r = trust_new(&fake->trust);
	if (r == 0)
		r = trust_add(fake->trust, path, text, len, fake_complain, NULL);
	if (r == 0)
		r = trust_finish(fake->trust, fake_complain, NULL);
	return r;
}

static int clock_go_on(struct fake_exceptions *fake, const char *seconds)
{
	long long n;

	if ((*seconds != '+' && *seconds != '-') || sscanf(seconds, "%lld", &n) != 1)
		return -EINVAL;
	fake->clock_us += n * INT64_C(1000000);
	if (fake->engine)
		exceptions_clock_set(fake->engine);
	return 0;
}

/* As the session of a device does it: "use 1 SIZE", "unused 1", "written 1 4096". */
static int exception_device(struct fake_exceptions *fake, const char *verb, uint32_t number,
			    unsigned long long bytes)
{
	struct exception exception;
	uint32_t used;
	int r;

	if (!strcmp(verb, "unused")) {
		exceptions_unused(fake->engine, number);
		return 0;
	}
	if (!strcmp(verb, "written")) {
		exceptions_written(fake->engine, number, bytes);
		return 0;
	}
	r = exceptions_get(fake->engine, number, &exception);
	if (r == 0)
		r = exceptions_use(fake->engine, exception.grant.id, bytes, &used);
	return r > 0 ? -EPERM : r;
}

bool fake_exceptions_knows(const char *verb)
{
	static const char *const verbs[] = { "exceptions", "exceptions-policy", "phone", "trust", "clock",
					     "use", "unused", "written", "empty" };

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verb, verbs[i]))
			return true;
	return false;
}

int fake_exceptions_command(struct fake_exceptions *fake, const char *verb, const char *line)
{
	char first[256] = "", second[256] = "";
	unsigned long long bytes = 0;
	uint32_t number = 0;

	sscanf(line, "%*s %255s %255s", first, second);
	if (!strcmp(verb, "exceptions"))
		return engine_begin(fake, first, second);
	if (!strcmp(verb, "exceptions-policy"))
		return exceptions_by(fake, first);
	if (!strcmp(verb, "phone"))
		return phone_begin(fake, first, second);
	if (!strcmp(verb, "trust"))
		return trust_read(fake, first);
	if (!strcmp(verb, "clock"))
		return clock_go_on(fake, first);
	if (!fake->engine)
		return -ENOTCONN;
	if (!strcmp(verb, "empty")) {
		exceptions_seen_empty(fake->engine, first, strtoull(second, NULL, 10), "nothing but zeros");
		return 0;
	}
	if (sscanf(line, "%*s %" SCNu32 " %llu", &number, &bytes) < 1)
		return -EINVAL;
	return exception_device(fake, verb, number, bytes);
}

void fake_exceptions_end(struct fake_exceptions *fake)
{
	if (fake->bus)
		exceptions_bus_set(manager_bus_exceptions(fake->bus), NULL);
	fake->phone = phone_free(fake->phone);
	exceptions_free(fake->engine);
	fake->engine = NULL;
	fake->trust = trust_free(fake->trust);
	fake->rules = policy_free(fake->rules);
}
