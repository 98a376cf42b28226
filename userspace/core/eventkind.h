/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of records in the event log, as a table: adding a kind is adding a row in eventkind.c (and in docs/evidence.md
 * and the message catalogue packaging/sekimori.catalog; a test holds them together). The sentence is a msgid for gettext.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct eventkind {
	const char *name;	/* "denied" */
	const char *message_id; /* 32 hex digits: the journal's MESSAGE_ID */
	int priority;		/* syslog's: LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR */
	bool at_once;		/* durable before the call returns; others with the next commit, milliseconds later */
	bool audit;		/* also to the kernel's audit (AUDIT_USER_DEVICE) */
	const char *text;	/* English sentence, gettext msgid: "A device was refused." */
};

extern const struct eventkind eventkinds[];
extern const size_t n_eventkinds;

/* NULL if there is no such kind. */
const struct eventkind *eventkind_find(const char *name);
