/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal whose people ask by telephone, and the desk that answers them. */
#pragma once

#include "offline-terminal.h"

#include "daemon/phone.h"

#define FINGERPRINT "blake2b:a51c3e0f9b7d24680123456789abcdef"

struct world {
	struct offline o;
	struct phone *phone;
	struct terminalkey key;
	struct grant wish;
	struct exception_actor ito, sato, root;
	char challenge[PHONECODE_CHALLENGE_MAX];
	struct exception after;
	struct exception_deed first;
};

static void start(struct world *w)
{
	char pending[128], key[128];
	const struct phone_setup setup = { .exceptions = w->o.exceptions,
					   .pending_file = pending,
					   .key_file = key,
					   .terminal = TERMINAL,
					   .record = offline_record,
					   .userdata = &w->o };

	snprintf(pending, sizeof(pending), "%s", offline_path(&w->o, "state/telephone"));
	snprintf(key, sizeof(key), "%s", offline_path(&w->o, "key"));
	CU_ASSERT_EQUAL_FATAL(phone_new(&w->phone, &setup), 0);
}

static void stop(struct world *w)
{
	w->phone = phone_free(w->phone);
	offline_stop(&w->o);
}

static void restart(struct world *w)
{
	stop(w);
	offline_start(&w->o);
	start(w);
}

static void write_key(struct world *w, const char *terminal, uint32_t generation, mode_t mode)
{
	static const uint8_t secret[TERMINALKEY_SECRET_SIZE] = { 7 };
	char text[TERMINALKEY_TEXT_MAX];

	terminalkey_derive(secret, terminal, generation, &w->key);
	terminalkey_format(&w->key, text);
	offline_write(&w->o, "key", text, mode);
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	offline_init(&w->o);
	write_key(w, TERMINAL, 1, 0600);
	start(w);
	w->wish = (struct grant){ .fingerprint = FINGERPRINT,
				  .class = DEVICE_CLASS_STORAGE_PLAIN,
				  .terminal = TERMINAL,
				  .person = "tanaka",
				  .uid = 1001,
				  .access = GRANT_READ_WRITE,
				  .purpose = "県への \"急ぎ\" の提出",
				  .data_class = "II",
				  .form = "13-1" };
	w->ito = offline_actor(1001, "tanaka");
	w->sato = offline_actor(1002, "sato");
	w->root = offline_actor(0, "root");
	w->root.roles = 0;
}

static void world_deinit(struct world *w)
{
	w->phone = phone_free(w->phone);
	offline_deinit(&w->o);
}

static int request(struct world *w, uint32_t seconds)
{
	return phone_request(w->phone, &w->wish, seconds, &w->ito, w->challenge);
}

static int answer(struct world *w, const char *code, const struct exception_actor *actor)
{
	memset(&w->after, 0, sizeof(w->after));
	return phone_answer(w->phone, code, actor, &w->after);
}

/* What the desk says to the challenge that was read to it. */
static const char *desk_code(const struct world *w, enum grant_access access, uint32_t seconds, unsigned int uses)
{
	struct phonecode_terms terms = { .access = access, .seconds = seconds, .uses = uses };
	static char code[PHONECODE_ANSWER_MAX];
	struct phonecode_challenge heard;

	CU_ASSERT_EQUAL_FATAL(phonecode_challenge_parse(w->challenge, &heard), 0);
	CU_ASSERT_EQUAL_FATAL(phonecode_answer(w->key.key, &heard, &terms, code), 0);
	return code;
}

static unsigned int imported(const struct world *w)
{
	size_t n;

	exceptions_open(w->o.exceptions, &n);
	return (unsigned int)n;
}

static int phone_testing_run(const char *suite_name, const struct test *tests, size_t n)
{
	setenv("TZ", "Asia/Tokyo", 1);
	return sodium_init() < 0 ? 1 : testing_run(suite_name, tests, n);
}
