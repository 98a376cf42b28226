/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule: one line of USBGuard's rule language (usbguard-rules.conf(5)), with the attributes that this
 * language adds. docs/policy.md has the grammar and every difference. A rule lives in the arena
 * it was parsed into and never changes.
 *
 *   rule-parser.h  text → rule     rule-format.c   rule → text     rule-match.c   rule ↔ device
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/civil.h"
#include "core/encryption.h"
#include "core/ident.h"

enum rule_target {
	RULE_ALLOW,
	RULE_BLOCK,
	RULE_REJECT,
	RULE_MATCH, /* parses, decides nothing: for queries */
	RULE_DEVICE, /* parses, decides nothing: describes a device */
};

/* In the order in which a rule is written out. */
enum rule_attr_name {
	RULE_ID,
	RULE_SERIAL,
	RULE_NAME,
	RULE_HASH,
	RULE_PARENT_HASH,
	RULE_VIA_PORT,
	RULE_WITH_INTERFACE,
	RULE_IF,
	RULE_WITH_CONNECT_TYPE,
	RULE_LABEL,
	/* Not in USBGuard's language: */
	RULE_FINGERPRINT,
	RULE_ONLY_INTERFACE,
	RULE_ENCRYPTED,
	RULE_ACCESS,
	RULE_FOR_USER,
	RULE_FOR_GROUP,
	RULE_ON_TERMINAL,
	RULE_FROM,
	RULE_UNTIL,
	RULE_ATTR_COUNT,
};

enum rule_operator {
	RULE_EQUALS, /* the default */
	RULE_EQUALS_ORDERED,
	RULE_ALL_OF,
	RULE_ONE_OF,
	RULE_NONE_OF,
	RULE_MATCH_ALL,
};

enum access {
	ACCESS_RW,
	ACCESS_RO,
};

/* VVVV:PPPP; `parts` says how many of the two are given (0 to 2). */
struct rule_id {
	uint16_t vendor;
	uint16_t product;
	uint8_t parts;
};

/* CC:SS:PP; `parts` says how many of the three are given (1 to 3). */
struct rule_interface {
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
	uint8_t parts;
};

enum condition_kind {
	CONDITION_TRUE,
	CONDITION_FALSE,
	CONDITION_RANDOM,
	CONDITION_LOCALTIME,
	CONDITION_RULE_APPLIED,
	CONDITION_RULE_EVALUATED,
	CONDITION_ALLOWED_MATCHES,
};

struct rule;

struct condition {
	uint8_t kind; /* enum condition_kind */
	bool negated;
	const struct text *argument; /* as written, without parentheses; NULL if there is none */
	union {
		double probability;	    /* RANDOM: 0 to 1 */
		struct civil_window window; /* LOCALTIME */
		uint64_t seconds;	    /* RULE_APPLIED, _EVALUATED: within; 0 means ever */
		const struct rule *match;   /* ALLOWED_MATCHES */
	};
};

union rule_value {
	struct rule_id id;		    /* ID */
	struct rule_interface interface;    /* WITH_INTERFACE, ONLY_INTERFACE */
	const struct text *text;	    /* strings; ENCRYPTED's words are in `number` */
	const struct condition *condition; /* IF */
	int64_t civil;			    /* FROM, UNTIL: civil seconds, both inclusive */
	uint64_t number;		    /* ACCESS: enum access; ENCRYPTED: ENCRYPTION_… */
};

struct rule_attr {
	uint8_t name; /* enum rule_attr_name */
	uint8_t op;   /* enum rule_operator */
	uint16_t n;
	union rule_value values[]; /* of n */
};

struct rule {
	uint32_t line; /* in its file */
	uint8_t target;
	uint8_t n_attrs;
	bool allowed_matches; /* some condition looks at other devices */
	bool remembers;	      /* some condition asks when the rule was applied or evaluated */
	struct rule_attr *attrs; /* one after the other, see rule_next_attr() */
};

static inline const struct rule_attr *rule_next_attr(const struct rule_attr *attr)
{
	return (const struct rule_attr *)&attr->values[attr->n];
}

/* The attribute of this name, or NULL. */
const struct rule_attr *rule_attr(const struct rule *rule, enum rule_attr_name name);

/* "allow", … */
const char *rule_target_name(enum rule_target target);
const char *rule_attr_word(enum rule_attr_name name);
enum rule_operator rule_attr_operator(enum rule_attr_name name); /* when none is written */

/* Does the line begin like a rule, by its first word? */
bool rule_begins(const char *line, size_t len);

/*
 * Parses one line (valid UTF-8 without line feed; blanks around and a comment behind are fine) into
 * the arena. NULL after an error: *column (from 1, in bytes) and `message` say where and what was
 * expected; an empty message means that there is no memory.
 */
#define RULE_MESSAGE_MAX 256
struct rule_error {
	unsigned int column;
	char message[RULE_MESSAGE_MAX];
};
const struct rule *rule_parse(struct arena *arena, const char *line, size_t len,
			      struct rule_error *error);

/*
 * Writes the rule in its canonical form: attributes in a fixed order, ids in lower case, printable UTF-8 as
 * itself, everything else (control characters, direction marks, see text_is_unsafe()) as \xHH.
 * Returns what snprintf() would; always ends with NUL if size > 0.
 */
size_t rule_format(const struct rule *rule, char *out, size_t size);

/* Writes a string as a rule holds it, in double quotes. Returns as above. */
size_t rule_format_string(const char *bytes, size_t len, char *out, size_t size);

/* --- matching --- */

/* What conditions ask about the world. All pointers may be NULL: nothing is known then. */
struct rule_world {
	int64_t civil;	   /* now; see core/civil.h */
	uint64_t boot_us;  /* now, CLOCK_BOOTTIME, for durations */
	const char *terminal;
	const char *user; /* of the active session; "" or NULL: nobody */
	const char *const *groups;
	size_t n_groups;
	uint64_t seed; /* drawn once for each attach of the device, for random() */
	/* Devices that are let in now, without the one that is judged. */
	const struct ident *const *allowed;
	size_t n_allowed;
	/*
	 * When the rule was last applied (or, with `evaluated`, its conditions looked at) by another device:
	 * CLOCK_BOOTTIME microseconds, 0 never.
	 */
	uint64_t (*last)(void *userdata, uint64_t rule_key, bool evaluated);
	void *userdata;
};

/*
 * The first attribute that does not match, in the order of the enumeration; RULE_ATTR_COUNT if all do. So whoever
 * is told for-user, for-group, on-terminal, from or until knows that the device itself matches. `if`, `encrypted`,
 * `only-interface` and `access` are not looked at. *recheck is lowered to the first moment
 * (civil seconds) at which time alone may change the answer.
 */
enum rule_attr_name rule_mismatch(const struct rule *rule, const struct ident *ident,
				  const struct rule_world *world, int64_t *recheck);

/* Do its conditions hold? True without any. */
bool rule_conditions_hold(const struct rule *rule, const struct rule_world *world,
			  int64_t *recheck);

/* Does `only-interface` (if there is one) cover this triple? */
bool rule_covers_interface(const struct rule *rule, const struct ident_type *type);

/* A number that two rules share only if they are written alike: for remembering when one was applied. */
uint64_t rule_key(const struct rule *rule);

/* Does a terminal's name match a pattern: equal, or with a trailing * equal so far? */
bool terminal_matches(const struct text *pattern, const char *terminal);
