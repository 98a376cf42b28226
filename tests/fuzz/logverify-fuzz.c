// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Logs. The lines of the input are taken as they are, or, after the letter S, as what follows "seq"
 * in a record and sealed, so that every member reaches the verifier under a right hash; D leaves
 * one sealed line out, T gives it twice.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/logverify.h"

#define LINE_MAX_FUZZ 8192

static const uint8_t key[CHAIN_KEY_LEN] = {1};
static uint64_t told;

static void take(void *userdata, const struct logverify_finding *finding)
{
	if (finding->kind >= N_LOGVERIFY_KINDS || !finding->detail || !finding->file ||
	    finding->from > finding->to)
		abort();
	told++;
}

static void take_line(struct logverify *verify, struct chain *chain, const char *text, size_t len,
		      bool cut)
{
	char line[LINE_MAX_FUZZ];
	struct logverify_header header;
	char how = len ? *text : '\0';
	int n;

	if (!strchr("SDT", how) || !how || len > LINE_MAX_FUZZ / 2) {
		logverify_header_parse(&header, text, len);
		logverify_line(verify, "fuzz", 1, text, len, cut);
		return;
	}
	n = snprintf(line, sizeof(line), "{\"seq\":%llu,", (unsigned long long)chain->seq + 1);
	memcpy(line + n, text + 1, len - 1);
	line[(size_t)n + len - 1] = '}';
	len = chain_seal(chain, line, (size_t)n + len, sizeof(line));
	if (!len)
		abort();
	logverify_header_parse(&header, line, len);
	for (int times = how == 'S' ? 1 : how == 'T' ? 2 : 0; times; times--)
		logverify_line(verify, "fuzz", 1, line, len, false);
}

static void run(const uint8_t *data, size_t size, const uint8_t *first_key)
{
	struct logverify_options options = {
		.first_key = first_key, .expected_seq = 1, .finding = take};
	struct logverify *verify = logverify_new(&options), *copy;
	const char *text = (const char *)data, *end = text + size;
	struct chain chain = {0};

	if (!verify)
		abort();
	memcpy(chain.key, key, sizeof(key));
	told = 0;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((newline ? newline : end) - text);

		take_line(verify, &chain, text, len, !newline);
		text += len + 1;
	}
	copy = logverify_copy(verify);
	if (!copy)
		abort();
	logverify_free(copy);
	logverify_end(verify);
	if (logverify_result(verify)->findings != told)
		abort();
	logverify_free(verify);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sodium_init() < 0)
		abort();
	run(data, size, NULL);
	run(data, size, key);
	return 0;
}
