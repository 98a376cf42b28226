/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this terminal itself knows of its log, apart from the log: its key, and records that were seen elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/logverify.h"
#include "ctl/command.h"

/* The terminal that wrote a log, as is known apart from the log. */
struct logterminal {
	uint8_t public_key[LOGVERIFY_PUBLIC_LEN];
	uint8_t id[CHAIN_ID_LEN]; /* of its log, if has_id */
	bool has_id;
	uint8_t sealed[LOGVERIFY_SEALED_MAX]; /* its first key, sealed to the desk: an id alone everybody can copy */
	size_t sealed_len;
	bool has_sealed;
};

#define LOGANCHORS_HEADER "/var/lib/sekimori/log/header"

/* What the keeper laid down for its newest log. False: there is nothing, or it may not be read. */
bool loganchors_read_terminal(const struct context *context, struct logterminal *terminal);

/*
 * A key as it is given: 64 hexadecimal digits or base64, or a file that holds that on a line (lines with # are comments) or is a
 * keeper's header, which has the log's id too.
 */
bool loganchors_parse_terminal(const char *text, struct logterminal *terminal);

struct loganchor {
	uint64_t seq;
	uint8_t hash[CHAIN_HASH_LEN];
};

/* The newest record as the running keeper tells it over D-Bus. False: it does not run, or does not tell. */
bool loganchors_ask_daemon(struct loganchor *anchor);

/*
 * Checkpoints that the keeper wrote to the journal, newest first, at most `max`; malloc'd. 0 or negative errno (-EACCES: only
 * root and the group systemd-journal may read it). Entries of others than root do not count.
 */
int loganchors_read_journal(const struct context *context, size_t max, struct loganchor **anchorsp, size_t *n);
