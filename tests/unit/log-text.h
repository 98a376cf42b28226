/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A well-formed log, line by line, for tests to damage. */
#pragma once

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/chain.h"
#include "core/logverify.h"
#include "testing.h"

#define LOG_LINES_MAX 1100

struct log_text {
	char *lines[LOG_LINES_MAX]; /* NUL-terminated, without newline */
	size_t n;
	const char *terminal;
	struct chain chain;
	uint8_t first_key[CHAIN_KEY_LEN], id[CHAIN_ID_LEN];
	uint8_t public_key[LOGVERIFY_PUBLIC_LEN], secret_key[crypto_sign_SECRETKEYBYTES];
	int seconds; /* since 08:00 */
};

static inline void log_seal(struct log_text *log, const char *kind, const char *more)
{
	char line[4096];
	int seconds = log->seconds++, len;

	len = snprintf(line, sizeof(line),
		       "{\"seq\":%" PRIu64
		       ",\"time\":\"2026-11-21T%02d:%02d:%02d.000000Z\",\"boot_us\":%d,"
		       "\"kind\":\"%s\",\"terminal\":\"%s\"%s}",
		       log->chain.seq + 1, 8 + seconds / 3600, seconds / 60 % 60, seconds % 60,
		       1000 * seconds, kind, log->terminal, more);
	/* Also made outside of a test, where CUnit cannot assert. */
	if (log->n == LOG_LINES_MAX || !chain_seal(&log->chain, line, (size_t)len, sizeof(line)))
		abort();
	log->lines[log->n++] = strdup(line);
}

/* log-begun or log-continued */
static inline void log_header(struct log_text *log, const char *kind, const char *why,
			      uint64_t first)
{
	char more[1024], id[2 * CHAIN_ID_LEN + 1], previous[2 * CHAIN_HASH_LEN + 1], public[64];

	sodium_bin2hex(id, sizeof(id), log->id, sizeof(log->id));
	sodium_bin2hex(previous, sizeof(previous), log->chain.hash, CHAIN_HASH_LEN);
	sodium_bin2base64(public, sizeof(public), log->public_key, sizeof(log->public_key),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(more, sizeof(more),
		 ",\"why\":\"%s\",\"log\":\"%s\",\"log_first\":%" PRIu64
		 ",\"previous\":\"%s\",\"public\":\"%s\",\"sealed\":\"\",\"sealed_to\":\"\"",
		 why, id, first, previous, public);
	log_seal(log, kind, more);
}

/* The log's next record will be a log-begun with this id; log_header() seals to nobody. */
static inline void log_handover(struct log_text *log, const uint8_t *next_id)
{
	char more[512], id[2 * CHAIN_ID_LEN + 1], hex[2 * CHAIN_HASH_LEN + 1];
	uint8_t hash[CHAIN_HASH_LEN];

	crypto_generichash(hash, sizeof(hash), NULL, 0, NULL, 0);
	sodium_bin2hex(id, sizeof(id), next_id, CHAIN_ID_LEN);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(more, sizeof(more), ",\"next_log\":\"%s\",\"sealed_hash\":\"%s\",\"sealed_to\":\"\"", id, hex);
	log_seal(log, "log-handover", more);
}

static inline void log_checkpoint(struct log_text *log)
{
	char more[1024], id[2 * CHAIN_ID_LEN + 1], head[2 * CHAIN_HASH_LEN + 1], text[128];
	uint8_t message[CHAIN_CHECKPOINT_LEN], signature[crypto_sign_BYTES];

	chain_checkpoint_message(message, log->id, log->chain.seq, log->chain.hash);
	crypto_sign_detached(signature, NULL, message, sizeof(message), log->secret_key);
	sodium_bin2hex(id, sizeof(id), log->id, sizeof(log->id));
	sodium_bin2hex(head, sizeof(head), log->chain.hash, CHAIN_HASH_LEN);
	sodium_bin2base64(text, sizeof(text), signature, sizeof(signature),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(more, sizeof(more),
		 ",\"log\":\"%s\",\"at\":%" PRIu64 ",\"head\":\"%s\",\"signature\":\"%s\"", id,
		 log->chain.seq, head, text);
	log_seal(log, "checkpoint", more);
}

static inline void log_init(struct log_text *log, const char *terminal, uint8_t seed)
{
	uint8_t seeds[crypto_sign_SEEDBYTES];

	*log = (struct log_text){.terminal = terminal};
	memset(seeds, seed, sizeof(seeds));
	memset(log->id, 0x10 + seed, sizeof(log->id));
	memset(log->first_key, 0x20 + seed, sizeof(log->first_key));
	crypto_sign_seed_keypair(log->public_key, log->secret_key, seeds);
	memcpy(log->chain.key, log->first_key, sizeof(log->first_key));
}

static inline void log_deny(struct log_text *log)
{
	log_seal(log, "denied",
		 ",\"device\":\"1-2\",\"product\":\"say \\\"x\\\" "
		 "\\u202e\",\"state\":\"blocked\",\"reason\":\"not-registered\"");
}

/* n records: a checkpoint each hundred, a new file at the middle. */
static inline void log_make(struct log_text *log, const char *terminal, uint8_t seed, size_t n)
{
	log_init(log, terminal, seed);
	log_header(log, "log-begun", "first", 1);
	while (log->n < n) {
		if (log->n == n / 2)
			log_header(log, "log-continued", "rotated", 1);
		else if (log->n % 100 == 99)
			log_checkpoint(log);
		else
			log_deny(log);
	}
}

static inline void log_free(struct log_text *log)
{
	for (size_t i = 0; i < log->n; i++)
		free(log->lines[i]);
	log->n = 0;
}

/* What a verifier found. */
struct found {
	size_t n;
	struct logverify_finding list[32];
	char detail[160]; /* of the first */
};

static inline void found_take(void *userdata, const struct logverify_finding *finding)
{
	struct found *found = userdata;

	if (!found->n)
		snprintf(found->detail, sizeof(found->detail), "%s", finding->detail);
	if (found->n < sizeof(found->list) / sizeof(found->list[0]))
		found->list[found->n] = *finding;
	found->n++;
}
