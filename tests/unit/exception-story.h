/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions in tests, told as stories: "request:ito +600 approve:sato approve:kato begin". A word is a step by an actor, or a time
 * that passes (seconds, or with m, h, d). What a row changes of the usual wish, rules and world stands in `with`: "uses=1 approvers=1".
 */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/civil.h"
#include "core/exception.h"
#include "core/macro.h"
#include "testing.h"

/* 2026-06-01T09:00:00 in Japan, a Monday. */
#define STORY_BEGIN INT64_C(1780272000)
#define STORY_OFFSET 32400

/* Who plays. ito asks; "boss" is ito with every right; namesake and twin share a name or a user id with sato. */
static const struct player {
	const char *nick;
	uint32_t uid;
	const char *name;
	unsigned int roles;
} players[] = {
	{ "ito", 1001, "ito", EXCEPTION_ROLE_ASK },
	{ "boss", 1001, "ito", 0x1f & ~EXCEPTION_ROLE_SYSTEM },
	{ "sato", 1002, "sato", EXCEPTION_ROLE_APPROVE },
	{ "kato", 1003, "kato", EXCEPTION_ROLE_APPROVE },
	{ "namesake", 1004, "sato", EXCEPTION_ROLE_APPROVE },
	{ "twin", 1002, "sato2", EXCEPTION_ROLE_APPROVE },
	{ "person", 1005, "mori", EXCEPTION_ROLE_APPROVE },
	{ "emi", 1006, "emi", EXCEPTION_ROLE_EMERGENCY },
	{ "desk", 1007, "desk", EXCEPTION_ROLE_DESK },
	{ "stranger", 1008, "ono", 0 },
	{ "asker", 1009, "abe", EXCEPTION_ROLE_ASK },
	{ "liar", 1011, "liar", EXCEPTION_ROLE_OWN },
	{ "nobody", UINT32_MAX, "", EXCEPTION_ROLE_APPROVE | EXCEPTION_ROLE_DESK },
	{ "nameless", 1010, "", EXCEPTION_ROLE_APPROVE | EXCEPTION_ROLE_DESK },
	{ "system", 0, "", EXCEPTION_ROLE_SYSTEM },
};

struct story {
	struct exception x;
	struct exception_rules rules;
	struct exception_world world;
	struct exception_event event;
	struct exception_deed deed;
	char note[EXCEPTION_NOTE_MAX + 2];
};

static inline struct exception_actor story_actor(const char *nick)
{
	for (size_t i = 0; i < ARRAY_SIZE(players); i++)
		if (!strcmp(players[i].nick, nick)) {
			struct exception_actor actor = { .who.uid = players[i].uid,
							 .login = EXCEPTION_LOGIN_OWN,
							 .login_uid = players[i].uid,
							 .session = "c1",
							 .roles = players[i].roles };

			strcpy(actor.who.name, players[i].name);
			return actor;
		}
	printf("no player %s\n", nick);
	abort();
}

static inline int64_t story_seconds(const char *text)
{
	char *end;
	int64_t n = strtoll(text, &end, 10);

	return n * (*end == 'd' ? 86400 : *end == 'h' ? 3600 : *end == 'm' ? 60 : 1);
}

/* One "name=value" of `with`; times are relative to the beginning, or dates of local time. */
static inline void story_set(struct story *story, const char *name, const char *value)
{
	struct grant *grant = &story->x.grant;
	int64_t n = story_seconds(value), when = STORY_BEGIN + n;

	if (strlen(value) >= 10 && civil_parse(value, strlen(value), false, &when))
		when -= STORY_OFFSET;
#define SET(key, target, v)                                                                        \
	if (!strcmp(name, key)) {                                                                  \
		target = (__typeof__(target))(v);                                                  \
		return;                                                                            \
	}
#define SET_TEXT(key, target)                                                                      \
	if (!strcmp(name, key)) {                                                                  \
		memset(target, 0, sizeof(target));                                                 \
		strncpy(target, value, sizeof(target));                                            \
		return;                                                                            \
	}
	SET("approvers", story->rules.approvers, n)
	SET("longest", story->rules.period_seconds, n)
	SET("lapse", story->rules.lapse_seconds, n)
	SET("emergency", story->rules.emergency_seconds, n)
	SET("reports", story->rules.emergency_reports, n)
	SET("may-wait", story->rules.waiting, n)
	SET("may-daily", story->rules.daily, n)
	SET("past-march", story->rules.past_march, n)
	SET("waiting", story->world.waiting, n)
	SET("daily", story->world.daily, n)
	SET("due", story->world.reports_due, n)
	SET("void", story->world.void_before, when)
	SET("now", story->world.now, when)
	SET("period", story->x.period, n)
	SET("begin", grant->not_before, when)
	SET("end", grant->not_after, when)
	SET("return", grant->return_by, when)
	SET("seconds", grant->seconds, n)
	SET("uses", grant->uses, n)
	SET("quota", grant->write_quota, n)
	SET("class", grant->class, n)
	SET("access", grant->access, n)
	SET("uid", grant->uid, n)
	SET("requester-uid", story->x.requester.uid, n)
	SET("negative", grant->return_by, -n)
	SET_TEXT("person", grant->person)
	SET_TEXT("terminal", grant->terminal)
	SET_TEXT("print", grant->fingerprint)
	SET_TEXT("medium", grant->medium)
	SET_TEXT("purpose", grant->purpose)
	SET_TEXT("form", grant->form)
	SET_TEXT("data", grant->data_class)
#undef SET
#undef SET_TEXT
	printf("no setting %s\n", name);
	abort();
}

static inline void story_begin(struct story *story, const char *with)
{
	struct exception_person ito = { .uid = 1001, .name = "ito" };
	struct grant wish = { .id = { 1 },
			      .fingerprint = "blake2b:00112233445566778899aabbccddeeff",
			      .class = DEVICE_CLASS_STORAGE_PLAIN,
			      .terminal = "ZEI-014",
			      .person = "ito",
			      .uid = 1001,
			      .purpose = "提出データの受け取り",
			      .data_class = "II",
			      .form = "13-1" };
	char words[512], *save, *word;

	memset(story, 0, sizeof(*story));
	exception_init(&story->x, &wish, 2 * 3600, &ito);
	story->x.number = 7;
	story->rules = (struct exception_rules){ .approvers = 2,
						 .period_seconds = 8 * 3600,
						 .lapse_seconds = 86400,
						 .emergency_seconds = 4 * 3600,
						 .emergency_reports = 2,
						 .waiting = 5,
						 .daily = 20 };
	story->world = (struct exception_world){ .now = STORY_BEGIN,
						 .utc_offset = STORY_OFFSET,
						 .terminal = "ZEI-014" };
	story->world.rules = &story->rules;
	snprintf(words, sizeof(words), "%s", with ? with : "");
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		story_set(story, word, value);
	}
}

/*
 * Takes one word. "event:actor:argument", the actor may be left out for the system; the argument is bytes of written, a note of deny and
 * report (there is one unless it is "-"), or the end that extend, approve and deny speak of, since the beginning.
 */
static inline int story_word(struct story *story, const char *word)
{
	char copy[128], *save, *event, *nick, *argument;
	struct exception_actor actor;

	if (*word == '+') {
		story->world.now += story_seconds(word + 1);
		return 0;
	}
	snprintf(copy, sizeof(copy), "%s", word);
	event = strtok_r(copy, ":", &save);
	nick = strtok_r(NULL, ":", &save);
	argument = strtok_r(NULL, ":", &save);
	if (!strcmp(event, "world")) {
		char *value = strchr(nick, '=');

		*value++ = '\0';
		story_set(story, nick, value);
		return 0;
	}
	actor = story_actor(nick ? nick : "system");
	story->event = (struct exception_event){ .kind = exception_event_find(event) };
	if (story->event.kind == N_EXCEPTION_EVENTS) {
		printf("no event %s\n", event);
		abort();
	}
	snprintf(story->note, sizeof(story->note), "%s", argument ? argument : "理由");
	if (story->event.kind == EXCEPTION_DENY || story->event.kind == EXCEPTION_REPORT)
		story->event.note = argument && !strcmp(argument, "-") ? NULL : story->note;
	if (argument && story->event.kind == EXCEPTION_WRITTEN)
		story->event.bytes = strtoull(argument, NULL, 10);
	else if (argument && *argument != '-')
		story->event.until = STORY_BEGIN + story_seconds(argument);
	return exception_step(&story->x, &story->event, &actor, &story->world, &story->deed);
}

/* Plays the steps: the state's name, or the reason of a refusal, which only the last word may meet. */
static inline const char *story_play(struct story *story, const char *steps, const char *name)
{
	char words[512], *save, *word, *next;
	int r = 0;

	snprintf(words, sizeof(words), "%s", steps);
	for (word = strtok_r(words, " ", &save); word; word = next) {
		struct exception before = story->x;

		next = strtok_r(NULL, " ", &save);
		r = story_word(story, word);
		if (r)
			EXPECT(!memcmp(&before, &story->x, sizeof(before)), name);
		if (r && next) {
			printf("%s: %s: %s\n", name, word, exception_reason(r));
			EXPECT(!r, name);
		}
	}
	return r ? exception_reason(r) : exception_state_name(story->x.state);
}
