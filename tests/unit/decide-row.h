/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision, told as rows: a policy, a device, a moment, and what comes of it. The outcome is
 * written as one line for the device and one for each interface:
 *
 *	allow ro proved luks2 @A      access, reason, proven method, what decided: medium or rule's line
 *	block rule-rejected reject @2
 *	prove @A
 *	allow ro granted @grant 2
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "core/decide.h"
#include "core/reason.h"
#include "policy-text.h"
#include "testing.h"

#define UUID_A "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00a"
#define UUID_B "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00b"
#define UUID_C "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00c"
#define PRINT_1 "blake2b:00112233445566778899aabbccddeeff"
#define PRINT_2 "blake2b:ffeeddccbbaa99887766554433221100"

/* A medium that says it is 46f4:0001 "S1"; more attributes may follow. */
#define MEDIUM(number, uuid)                                                                       \
	"medium " number " id 46f4:0001 serial \"S1\" encryption luks2 luks-uuid " uuid
#define MEDIUM_A MEDIUM("A", UUID_A)

struct row {
	const char *name;
	const char *policy; /* NULL: none */
	/*
	 * Interfaces, blanks between them: class:subclass:protocol of each setting, slashes between
	 * them; a leading - is one that the gate does not hold, a trailing ! one held as suspect.
	 * NULL: one stick, 08:06:50.
	 */
	const char *interfaces;
	unsigned int outcome; /* of the inspection; 0: not inspected yet */
	const char *uuid;     /* found by it */
	const char *device;   /* expected judgement of the device */
	const char *each;     /* … and of each held interface, " | " between them */
	const char *recheck;  /* expected; NULL: never, "?": not looked at */

	/* The device and the world, where they differ from the usual ones. */
	const char *serial; /* "S1" */
	const char *print;
	const char *user; /* nobody */
	const char *group;
	const char *terminal; /* not known */
	const char *now;      /* 2026-04-15T10:00:00, a Wednesday */
	bool malformed;
	const struct decide_grants *grants;
	const struct mark *mark; /* on the volume that was found */
};

#define NOW "2026-04-15T10:00:00"

/* Rows leave out what is usual. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* --- making a device from its row --- */

static inline unsigned int hex2(const char **p)
{
	char digits[3] = { (*p)[0], (*p)[1], '\0' };

	*p += 3;
	return (unsigned int)strtoul(digits, NULL, 16);
}

/* One interface at *p; false if it is not held. */
static inline bool make_interface(const char **p, uint8_t number, struct ident *ident,
			   struct decide_interface *intf)
{
	bool held = **p != '-';

	*p += !held;
	*intf = (struct decide_interface){ .ident.number = number };
	for (bool first = true;; first = false, (*p)++) {
		struct ident_type *type = &ident->types[ident->n_types++];

		type->number = number;
		type->class = (uint8_t)hex2(p);
		type->subclass = (uint8_t)hex2(p);
		type->protocol = (uint8_t)hex2(p);
		(*p)--;
		intf->storage |= type->class == 0x08;
		if (first) {
			intf->ident.class = type->class;
			intf->ident.subclass = type->subclass;
			intf->ident.protocol = type->protocol;
		}
		if (**p != '/')
			break;
	}
	intf->suspect = **p == '!';
	*p += intf->suspect;
	ident->interfaces[ident->n_interfaces++] = intf->ident;
	return held;
}

static inline unsigned int make_device(const struct row *row, struct ident *ident,
				struct decide_interface *interfaces)
{
	const char *p = row->interfaces ? row->interfaces : "08:06:50";
	unsigned int n = 0;

	*ident = (struct ident){ .name = "1-2", .id_vendor = 0x46f4, .id_product = 1,
				 .product = "Stick", .connect_type = "hotplug" };
	strcpy(ident->serial, row->serial ? row->serial : "S1");
	strcpy(ident->fingerprint, row->print ? row->print : "");
	for (uint8_t number = 0; *p; number++) {
		n += make_interface(&p, number, ident, &interfaces[n]);
		p += *p == ' ';
	}
	if (row->malformed) {
		ident->malformed = true;
		ident->n_types = 0;
	}
	return n;
}

/* What cryptsetup makes, or an empty report of another outcome. */
static inline void make_report(const struct row *row, struct report *report)
{
	struct volume volume = { .method = ENCRYPTION_LUKS2, .keyslots = 1,
				 .cipher = "aes-xts-plain64", .kdf = "argon2id" };

	report_init(report, row->outcome);
	if (!row->uuid)
		return;
	report->n_units = 1;
	report->units[0] = (struct report_unit){ .state = REPORT_UNIT_DISK, .blocks = 1,
						 .block_size = 512, .digest = { 1 } };
	strcpy(volume.uuid, row->uuid);
	if (row->mark) {
		volume.has_mark = true;
		volume.mark = *row->mark;
	}
	report_add_volume(report, 0, 0, 0, 512, &volume);
}

/* --- telling a judgement --- */

static inline void tell(const struct decide_judgement *judgement, char *out, size_t size)
{
	static const char *const verdicts[] = { "block", "prove", "allow" };
	size_t n = (size_t)snprintf(out, size, "%s", verdicts[judgement->verdict]);

	if (judgement->verdict == DECIDE_ALLOW)
		n += (size_t)snprintf(out + n, size - n, " %s",
				      judgement->access == ACCESS_RO ? "ro" : "rw");
	if (*judgement->reason)
		n += (size_t)snprintf(out + n, size - n, " %s", judgement->reason);
	if (*judgement->method)
		n += (size_t)snprintf(out + n, size - n, " %s", judgement->method);
	if (judgement->reject)
		n += (size_t)snprintf(out + n, size - n, " reject");
	if (judgement->medium)
		snprintf(out + n, size - n, " @%s", judgement->medium->number);
	else if (judgement->rule)
		snprintf(out + n, size - n, " @%u", judgement->rule->line);
	else if (judgement->grant)
		snprintf(out + n, size - n, " @grant %u", judgement->grant->id[0]);
}

static inline void tell_each(const struct decide_result *result, unsigned int n, char *out, size_t size)
{
	out[0] = '\0';
	for (unsigned int i = 0; i < n; i++) {
		size_t used = strlen(out);

		used += (size_t)snprintf(out + used, size - used, "%s", i ? " | " : "");
		tell(&result->interfaces[i], out + used, size - used);
	}
}

/* What holds for every judgement there is. */
static inline void check_judgement(const struct decide_judgement *judgement, const struct report *report,
			    const char *name)
{
	EXPECT(!!judgement->medium + !!judgement->rule + !!judgement->grant <= 1, name);
	EXPECT(!judgement->grant == !!strcmp(judgement->reason, "granted"), name);
	EXPECT(judgement->verdict == DECIDE_BLOCK || !judgement->reject, name);
	EXPECT(judgement->verdict == DECIDE_ALLOW || !*judgement->method, name);
	if (judgement->verdict == DECIDE_PROVE)
		EXPECT(!report && !*judgement->reason, name);
	else
		EXPECT(reason_find(judgement->reason), name);
	EXPECT(decide_line(judgement) == (judgement->medium ? judgement->medium->line :
					  judgement->rule   ? judgement->rule->line :
							      0),
	       name);
}

static inline void expect_text(const char *name, const char *what, const char *actual, const char *expected)
{
	char message[2048];

	snprintf(message, sizeof(message), "%s: %s is '%s', expected '%s'", name, what, actual,
		 expected);
	EXPECT(!strcmp(actual, expected), message);
}

static inline void run_row(const struct row *row)
{
	struct decide_interface interfaces[IDENT_INTERFACES_MAX];
	char actual[1024], civil[CIVIL_TEXT_MAX];
	const char *groups[] = { row->group };
	struct decide_result result;
	struct report report;
	struct policy *policy = row->policy ? policy_of(row->policy) : NULL;
	struct ident ident;
	struct decide_input input = {
		.ident = &ident,
		.interfaces = interfaces,
		.report = row->outcome ? &report : NULL,
		.policy = policy,
		.grants = row->grants,
		.world = { .civil = civil_of(row->now ? row->now : NOW),
			   .user = row->user,
			   .groups = groups,
			   .n_groups = !!row->group,
			   .terminal = row->terminal },
	};

	EXPECT(!row->policy || policy, row->name);
	input.n_interfaces = make_device(row, &ident, interfaces);
	make_report(row, &report);
	/* Nothing of what stood in the result before may be left. */
	memset(&result, 0xa5, sizeof(result));
	decide(&input, &result);

	check_judgement(&result.device, input.report, row->name);
	for (unsigned int i = 0; i < input.n_interfaces; i++)
		check_judgement(&result.interfaces[i], input.report, row->name);
	if (input.n_interfaces < IDENT_INTERFACES_MAX)
		EXPECT(!result.interfaces[input.n_interfaces].reason, row->name);
	tell(&result.device, actual, sizeof(actual));
	expect_text(row->name, "the device", actual, row->device);
	tell_each(&result, input.n_interfaces, actual, sizeof(actual));
	if (row->each || input.n_interfaces == 1)
		expect_text(row->name, "each interface", actual,
			    row->each ? row->each : row->device);
	if (!row->recheck) {
		EXPECT(result.recheck == INT64_MAX, row->name);
	} else if (strcmp(row->recheck, "?")) {
		civil_format(result.recheck, civil);
		expect_text(row->name, "the time to ask again", civil, row->recheck);
	}
	policy_free(policy);
}

static inline void run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_row(&rows[i]);
}

#define RUN(rows) run_rows(rows, ARRAY_SIZE(rows))
