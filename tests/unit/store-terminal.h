/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal in a directory of its own, for the tests of the policy store. */
#pragma once

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/civil.h"
#include "minisig.h"
#include "system/policystore.h"
#include "system/safedir.h"
#include "testing.h"

/* 2026-11-21 12:00 local time */
static int64_t now;

struct terminal {
	char dir[64];
	struct policystore *store;
	struct policystore_result result;
	unsigned int errors;
	char first_error[512];
};

static _printf_(2, 3) char *path_in(const struct terminal *t, const char *format, ...)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];
	int n = snprintf(path, 256, "%s/", t->dir);
	va_list args;

	va_start(args, format);
	vsnprintf(path + n, 256 - (size_t)n, format, args);
	va_end(args);
	return path;
}

static void put_bytes(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_FATAL(file != NULL);
	CU_ASSERT_FATAL(fwrite(data, 1, len, file) == len);
	fclose(file);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static size_t get(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(out, 1, size - 1, file) : 0;

	out[n] = '\0';
	if (file)
		fclose(file);
	return n;
}

static void terminal_init(struct terminal *t)
{
	*t = (struct terminal){0};
	/* In memory where that is possible: the store waits for the disk at every step. */
	strcpy(t->dir, access("/dev/shm", W_OK) ? "/tmp/policystore-XXXXXX" : "/dev/shm/policystore-XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(t->dir) != NULL);
	CU_ASSERT_FATAL(!mkdir(path_in(t, "etc"), 0755));
	CU_ASSERT_FATAL(!mkdir(path_in(t, "etc/trust.d"), 0755));
	CU_ASSERT_FATAL(!policystore_new(&t->store, path_in(t, "etc/policy"),
					 path_in(t, "etc/trust.d"), path_in(t, "var/lib/policy")));
}

static void remove_tree(const char *path)
{
	const char *const command[] = {"rm", "-rf", path, NULL};
	pid_t pid = fork();

	if (!pid) {
		execvp("rm", (char *const *)command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void terminal_deinit(struct terminal *t)
{
	policystore_result_free(&t->result);
	policystore_free(t->store);
	remove_tree(t->dir);
}

static void note_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		       const char *message)
{
	struct terminal *t = userdata;

	if (!t->errors++)
		snprintf(t->first_error, sizeof(t->first_error), "%s:%u:%u: %s", file, line, column,
			 message);
}

static int load(struct terminal *t)
{
	policystore_result_free(&t->result);
	t->errors = 0;
	return policystore_load(t->store, now, note_error, t, &t->result);
}

static int load_accepted(struct terminal *t)
{
	policystore_result_free(&t->result);
	return policystore_load_accepted(t->store, note_error, t, &t->result);
}

/* As the daemon does it. */
static int adopt(struct terminal *t)
{
	int r = load(t);

	return r ? r : policystore_accept(t->store, &t->result);
}

#define SAYS(t, words) EXPECT(strstr((t)->result.message, (words)), (t)->result.message)

static struct signer signers[4];

static void trust(struct terminal *t, const char *name, const char *before, unsigned int first,
		  unsigned int last)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "%s\n", before);

	for (unsigned int i = first; i <= last; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "key board \"%s\" name \"署名者%u\"\n", signers[i].public_key, i);
	put(path_in(t, "etc/trust.d/%s", name), text);
}

/* Installs a policy of this version, `more` behind its header, signed by the digits of `who`. */
static void install(struct terminal *t, unsigned int version, const char *more, const char *who)
{
	char text[512], signature[1024];

	snprintf(text, sizeof(text), "policy \"税務\"\nversion %u\n%s", version, more);
	put(path_in(t, "etc/policy"), text);
	for (unsigned int i = 0; i < ARRAY_SIZE(signers); i++)
		unlink(path_in(t, "etc/policy.%u.minisig", i));
	for (; *who; who++) {
		signer_sign(&signers[*who - '0'], text, strlen(text), "承認", signature,
			    sizeof(signature));
		put(path_in(t, "etc/policy.%c.minisig", *who), signature);
	}
}
