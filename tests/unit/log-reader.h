/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and verifies a directory of log files, for tests of what writes them. */
#pragma once

#include <CUnit/Basic.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "core/logverify.h"
#include "system/logfiles.h"
#include "system/safedir.h"

static struct logverify_result reader_result;

static _unused_ char *reader_file(const char *path, size_t *len)
{
	char *text = NULL;
	FILE *file = fopen(path, "re");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fseek(file, 0, SEEK_END);
	*len = (size_t)ftell(file);
	rewind(file);
	text = malloc(*len + 1);
	CU_ASSERT_EQUAL_FATAL(fread(text, 1, *len, file), *len);
	text[*len] = '\0';
	fclose(file);
	return text;
}

static _unused_ void reader_put(const char *path, const char *mode, const char *text, size_t len)
{
	FILE *file = fopen(path, mode);

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(text, 1, len, file), len);
	CU_ASSERT_EQUAL(fclose(file), 0);
}

static _unused_ void reader_write(const char *path, const char *text, size_t len)
{
	reader_put(path, "we", text, len);
}

static _unused_ void reader_append(const char *path, const char *text, size_t len)
{
	reader_put(path, "ae", text, len);
}

static _unused_ void reader_copy(const char *from, const char *dir, const char *name)
{
	char path[256];
	size_t len;
	char *text = reader_file(from, &len);

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	reader_write(path, text, len);
	free(text);
}

static void reader_finding(void *userdata, const struct logverify_finding *finding)
{
	char *out = userdata;
	size_t n = strlen(out);

	snprintf(out + n, 2048 - n, "%s(%s:%llu, %llu..%llu %s) ", logverify_kind_name(finding->kind), finding->file,
		 (unsigned long long)finding->line, (unsigned long long)finding->from,
		 (unsigned long long)finding->to, finding->detail);
}

/* Rotated files of tests are small. */
#define READER_UNPACKED_MAX (8u << 20)

static char *reader_unpack(char *packed, size_t *len)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { packed, *len, 0 };
	ZSTD_outBuffer out = { malloc(READER_UNPACKED_MAX), READER_UNPACKED_MAX, 0 };

	CU_ASSERT_EQUAL_FATAL(ZSTD_decompressStream(context, &out, &in), 0);
	ZSTD_freeDCtx(context);
	free(packed);
	*len = out.pos;
	return out.dst;
}

static void reader_lines(struct logverify *verify, const char *dir, const char *name)
{
	char path[256];
	size_t len;
	char *text, *p, *newline;
	uint64_t number = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	text = reader_file(path, &len);
	if (strstr(name, ".zst"))
		text = reader_unpack(text, &len);
	p = text;
	while (p < text + len) {
		newline = memchr(p, '\n', (size_t)(text + len - p));
		logverify_line(verify, name, ++number, p, (size_t)((newline ? newline : text + len) - p), !newline);
		p = newline ? newline + 1 : text + len;
	}
	free(text);
}

/* The findings in words, "" for none; reader_result is set. */
static _unused_ const char *reader_run(const char *dir, struct logverify_options *options)
{
	static char findings[2048];
	struct logverify *verify;
	char **names = NULL;
	size_t n = 0;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	findings[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(logfiles_list(fd, "events", &names, &n), 0);
	close(fd);
	options->finding = reader_finding;
	options->userdata = findings;
	verify = logverify_new(options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(verify);
	for (size_t i = 0; i < n; i++)
		reader_lines(verify, dir, names[i]);
	reader_lines(verify, dir, "events.jsonl");
	logverify_end(verify);
	reader_result = *logverify_result(verify);
	logverify_free(verify);
	safedir_free_names(names, n);
	return findings;
}

/* Each log is opened by one of the desks. */
static struct {
	size_t n;
	uint8_t public[2][32], secret[2][32];
} reader_desks;

static _unused_ bool reader_unseal(void *userdata, const struct logverify_header *header,
				   uint8_t key[static CHAIN_KEY_LEN])
{
	uint8_t plain[CHAIN_KEY_LEN + CHAIN_ID_LEN];

	(void)userdata;
	for (size_t i = 0; i < reader_desks.n; i++) {
		if (header->sealed_len != sizeof(plain) + crypto_box_SEALBYTES ||
		    crypto_box_seal_open(plain, header->sealed, header->sealed_len, reader_desks.public[i],
					 reader_desks.secret[i]))
			continue;
		memcpy(key, plain, CHAIN_KEY_LEN);
		return !memcmp(plain + CHAIN_KEY_LEN, header->id, CHAIN_ID_LEN);
	}
	return false;
}

/* The same with the desk's key, as the desk does. */
static _unused_ const char *reader_verify(const char *dir, const uint8_t *desk_public, const uint8_t *desk_secret)
{
	struct logverify_options options = { .unseal = reader_unseal };

	reader_desks.n = 1;
	memcpy(reader_desks.public[0], desk_public, 32);
	memcpy(reader_desks.secret[0], desk_secret, 32);
	return reader_run(dir, &options);
}
