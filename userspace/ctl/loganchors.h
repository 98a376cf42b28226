/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this terminal itself knows of its log, apart from the log: its key, and records that were seen elsewhere. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/logverify.h"
#include "ctl/command.h"

/* The public key that the keeper laid down. False: there is none, or it may not be read. */
bool loganchors_public_key(const struct context *context, uint8_t key[static LOGVERIFY_PUBLIC_LEN]);

/*
 * A key as it is given: 64 hexadecimal digits or base64, or a file that holds that on a line (lines with # are comments) or is the
 * keeper's header.
 */
bool loganchors_parse_key(const char *text, uint8_t key[static LOGVERIFY_PUBLIC_LEN]);

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
