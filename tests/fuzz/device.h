/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both fuzz targets hold rules against: one device, another one that is let in, a world, and
 * the properties of a rule that hold for every text.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sample-device.h"
#include "core/rule.h"


#define NOW SAMPLE_NOW

static const struct ident neighbour = {
	.name = "1-1",
	.id_vendor = 0x0001,
	.serial = "x",
	.n_types = 1,
	.types = {{0x09, 0x00, 0x01, 0}},
};

static uint64_t last_applied(void *userdata, uint64_t rule_key, bool evaluated)
{
	return evaluated ? 0 : rule_key % 200000000;
}

static inline struct rule_world device_world(void)
{
	static const struct ident *const allowed[] = {&neighbour};
	static const char *const groups[] = {"madoguchi", "plugdev"};

	return (struct rule_world){.civil = NOW,
				   .boot_us = 200000000,
				   .terminal = "north-01",
				   .user = "tanaka",
				   .groups = groups,
				   .n_groups = 2,
				   .seed = 7,
				   .allowed = allowed,
				   .n_allowed = 1,
				   .last = last_applied};
}

static void must(bool condition, const char *what, const struct rule *rule)
{
	char text[4096] = "";

	if (condition)
		return;
	if (rule)
		rule_format(rule, text, sizeof(text));
	fprintf(stderr, "broken: %s: %s\n", what, text);
	abort();
}

static char *canonical(const struct rule *rule)
{
	size_t len = rule_format(rule, NULL, 0);
	char *text = malloc(len + 1);

	if (!text)
		abort();
	must(rule_format(rule, text, len + 1) == len && strlen(text) == len, "length", rule);
	return text;
}

/* The canonical form is a rule, the same one, and holds nothing that moves a cursor. */
static void check_canonical(const struct rule *rule)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct rule_error error;
	char *text = canonical(rule), *again;
	const struct rule *reread;

	if (!arena)
		abort();
	reread = rule_parse(arena, text, strlen(text), &error);
	must(reread, "canonical form is refused", rule);
	again = canonical(reread);
	must(!strcmp(text, again), "canonical form is written differently", rule);
	must(rule_key(rule) == rule_key(reread), "key", rule);
	free(again);
	free(text);
}

/* Matches the device or not; whatever it depends on, the moment to look again lies ahead. */
static bool check_match(const struct rule *rule)
{
	struct rule_world world = device_world();
	int64_t recheck = INT64_MAX;
	enum rule_attr_name mismatch = rule_mismatch(rule, &sample_device, &world, &recheck);

	must(mismatch == RULE_ATTR_COUNT || rule_attr(rule, mismatch), "mismatch", rule);
	rule_conditions_hold(rule, &world, &recheck);
	for (unsigned int i = 0; i < sample_device.n_types; i++)
		rule_covers_interface(rule, &sample_device.types[i]);
	must(recheck > NOW, "recheck", rule);
	return mismatch == RULE_ATTR_COUNT;
}

struct problems {
	unsigned int n;
};

/* Told of each error: it has a place and says something that a terminal can show. */
static void count_problem(void *userdata, const char *file, unsigned int line, unsigned int column,
			  const char *message)
{
	struct problems *problems = userdata;

	problems->n++;
	must(line && column, "place of an error", NULL);
	must(*message, "message", NULL);
	for (const char *p = message; *p; p++)
		must((unsigned char)*p >= 0x20 && *p != 0x7f, "control character in a message",
		     NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
