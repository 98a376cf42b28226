// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "daemon/phonekey.h"
#include "daemon/secret.h"

#define CREDENTIAL "sekimori.telephone"

struct terminalkey *phonekey_free(struct terminalkey *key)
{
	sodium_free(key);
	return NULL;
}

static void text_free(char *text)
{
	sodium_free(text);
}
DEFINE_CLEANUP(char *, text_free)

/* Reads what is there into TERMINALKEY_TEXT_MAX bytes; a right file is shorter. */
static int read_text(int fd, char *text, size_t *len)
{
	for (*len = 0; *len < TERMINALKEY_TEXT_MAX;) {
		ssize_t n = read(fd, text + *len, TERMINALKEY_TEXT_MAX - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		*len += (size_t)n;
	}
	return PHONEKEY_E_DAMAGED;
}

static int open_file(const char *path, int *fdp)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? PHONEKEY_E_ABSENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IRWXG | S_IRWXO))
		return PHONEKEY_E_UNSAFE;
	*fdp = TAKE_FD(fd);
	return 0;
}

static int open_key(const char *path, int *fdp)
{
	_cleanup_(freep) char *credential = NULL;
	int r;

	if (*path)
		return open_file(path, fdp);
	r = secret_find(SECRET_TELEPHONE, &credential);
	if (r > 0)
		return r == SECRET_E_UNOPENED ? PHONEKEY_E_UNOPENED : PHONEKEY_E_ABSENT;
	return r ? r : open_file(credential, fdp);
}

/* What a line of it holds is never printed, only where it is wrong. */
static void complain(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	fprintf(stderr, SD_WARNING "%s:%u:%u: %s\n", file, line, column, message);
}

int phonekey_load(const char *path, const char *terminal, struct terminalkey **keyp)
{
	_cleanup_(text_freep) char *text = sodium_malloc(TERMINALKEY_TEXT_MAX);
	_cleanup_(phonekey_freep) struct terminalkey *key = sodium_malloc(sizeof(*key));
	_cleanup_(closep) int fd = -1;
	size_t len;
	int r;

	if (!text || !key)
		return -ENOMEM;
	r = open_key(path, &fd);
	if (!r)
		r = read_text(fd, text, &len);
	if (r)
		return r;
	r = terminalkey_parse(*path ? path : CREDENTIAL, text, len, complain, NULL, key);
	if (r)
		return r == -EINVAL ? PHONEKEY_E_DAMAGED : r;
	if (strcmp(key->terminal, terminal))
		return PHONEKEY_E_OTHER;
	*keyp = TAKE_PTR(key);
	return 0;
}
