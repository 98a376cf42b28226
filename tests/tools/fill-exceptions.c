// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fill-exceptions STORE TERMINAL COUNT OPEN
 *
 * Makes a store of exceptions with COUNT requests, fast, for tests of what a terminal of many years looks like: request I is of "userI",
 * an hour after the one before, and all but the last OPEN are denied.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/exception.h"
#include "core/macro.h"
#include "system/exceptionstore.h"

static struct exception_world world;
static const struct exception_rules rules = { .approvers = 1,
					      .period_seconds = EXCEPTION_PERIOD_DEFAULT,
					      .lapse_seconds = EXCEPTION_LAPSE_DEFAULT,
					      .waiting = 1,
					      .daily = 1 };

static int ask(struct exceptionstore *store, unsigned int i, uint32_t *number)
{
	struct grant wish = { .fingerprint = "blake2b:00112233445566778899aabbccddeeff",
			      .class = DEVICE_CLASS_STORAGE_PLAIN,
			      .purpose = "税務課の申告書" };
	const struct exception_event event = { .kind = EXCEPTION_REQUEST };
	struct exception_actor actor = { .session = "", .roles = EXCEPTION_ROLE_ASK };
	const struct exceptionstore_act act = { .event = &event, .actor = &actor, .world = &world };
	struct exception exception;
	int r;

	snprintf(wish.terminal, sizeof(wish.terminal), "%s", world.terminal);
	snprintf(wish.person, sizeof(wish.person), "user%u", i);
	memcpy(wish.id, &i, sizeof(i));
	wish.uid = 100000 + i;
	actor.who.uid = wish.uid;
	memcpy(actor.who.name, wish.person, sizeof(actor.who.name));
	exception_init(&exception, &wish, 7200, &actor.who);
	r = exceptionstore_submit(store, &exception, &act, NULL);
	*number = exception.number;
	return r ? r : exceptionstore_told(store, exception.number, 1);
}

static int deny(struct exceptionstore *store, uint32_t number)
{
	const struct exception_event event = { .kind = EXCEPTION_DENY, .note = "窓口で紙を受け取る" };
	const struct exception_actor actor = { .who = { .uid = 2, .name = "bin" },
					       .login = EXCEPTION_LOGIN_OWN,
					       .login_uid = 2,
					       .session = "",
					       .roles = EXCEPTION_ROLE_APPROVE };
	const struct exceptionstore_act act = { .event = &event, .actor = &actor, .world = &world };
	int r = exceptionstore_step(store, number, &act, NULL, NULL);

	return r ? r : exceptionstore_told(store, number, 2);
}

int main(int argc, char **argv)
{
	_cleanup_(exceptionstore_closep) struct exceptionstore *store = NULL;
	unsigned int count = argc == 5 ? (unsigned int)atoi(argv[3]) : 0;
	unsigned int left = argc == 5 ? (unsigned int)atoi(argv[4]) : 0;
	uint32_t number;
	int r;

	if (!count || left > count) {
		fputs("usage: fill-exceptions STORE TERMINAL COUNT OPEN\n", stderr);
		return 2;
	}
	world = (struct exception_world){ .terminal = argv[2], .rules = &rules };
	r = exceptionstore_create(argv[1], &store);
	for (unsigned int i = 1; i <= count && !r; i++) {
		world.now = time(NULL) - (int64_t)(count - i) * 3600;
		r = ask(store, i, &number);
		if (!r && i <= count - left)
			r = deny(store, number);
	}
	if (r)
		fprintf(stderr, "fill-exceptions: %s: %d\n", argv[1], r);
	return !!r;
}
