/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the header of a policy says: each statement once (mark-key several times), in any order. Its
 * statements are rows of the table in policy-header.c; docs/policy.md describes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/exception-rules.h"
#include "core/lex.h"
#include "core/minisign.h"

/* Classes that pass without a verdict, a bit each as in struct sekimori_verdict. */
struct policy_classes {
	uint8_t bits[32];
};

#define POLICY_NAMES_MAX 16    /* ciphers, key derivations */
#define POLICY_WHO_MAX 64      /* users and groups of one list */
/* What is recorded of files on open volumes. */
enum policy_transfers {
	POLICY_TRANSFERS_WRITES, /* created, written, renamed, deleted */
	POLICY_TRANSFERS_ALL,	 /* reads too */
	POLICY_TRANSFERS_OFF,
};

/* "writes", … */
const char *policy_transfers_name(enum policy_transfers transfers);

#define POLICY_MARK_KEYS_MAX 8 /* a desk has one, and one that it had before */

/* Empty strings and zeros where the header says nothing. */
struct policy_header {
	const char *id;
	uint64_t version;
	int64_t valid_from; /* civil seconds, 0: always */
	int64_t valid_until;
	bool has_harmless; /* else the gate's own list counts: hub, HID, smart card */
	struct policy_classes harmless;
	unsigned int encryption; /* ENCRYPTION_… accepted; 0: nothing is said */
	const struct text *const *ciphers; /* accepted, n_ciphers; 0: all */
	const struct text *const *kdfs;	   /* of every keyslot, n_kdfs; 0: all */
	unsigned int n_ciphers;
	unsigned int n_kdfs;
	bool mark_required;
	bool scan; /* before a user sees a volume */
	enum policy_transfers transfers;
	/* What becomes of open volumes; by default they are closed at log-out and at a switch of users. */
	bool close_at_lock;
	bool close_at_logout;
	bool close_at_switch;
	unsigned int n_mark_keys;
	struct minisign_key mark_keys[POLICY_MARK_KEYS_MAX]; /* that sign marks */
	struct exception_rules exceptions;
	unsigned int retention_days; /* of the log; 0: nothing is said */
	const char *contact;	     /* shown to staff */
	bool drill_forbidden;	     /* the barrier stands, whatever a terminal's settings say */
	bool default_reject;
};

void policy_header_init(struct policy_header *header);

struct policy_statement {
	const char *name;
	/* Parses the rest of the statement. 0 (also after an error was reported) or -ENOMEM. */
	int (*parse)(struct policy_header *header, struct arena *arena, struct lex *lex);
	bool repeats;
};

/* All of them; the last has no name. */
extern const struct policy_statement *const policy_header_statements;
