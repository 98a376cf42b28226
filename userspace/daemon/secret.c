// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/macro.h"
#include "daemon/secret.h"

static const char *const names[N_SECRETS] = { [SECRET_ORGANISATION] = "organisation", [SECRET_TELEPHONE] = "telephone" };

/* As sekimori-credential@.service asks for them. */
static const char *const own_stores[] = { "/etc/credstore.encrypted", "/etc/credstore", NULL };

const char *secret_name(enum secret secret)
{
	return names[secret];
}

/* Takes the path: 0 with *pathp if it is there, else SECRET_E_ABSENT. */
static int look(char *path, char **pathp)
{
	if (access(path, F_OK) < 0) {
		free(path);
		return SECRET_E_ABSENT;
	}
	*pathp = path;
	return 0;
}

static int look_in(const char *dir, const char *prefix, const char *name, char **pathp)
{
	char *path;

	return asprintf(&path, "%s/%s%s", dir, prefix, name) < 0 ? -ENOMEM : look(path, pathp);
}

static int look_opened(const char *dir, const char *name, char **pathp)
{
	_cleanup_(freep) char *own = NULL;
	int r;

	if (asprintf(&own, "%s/%s", dir, name) < 0) {
		own = NULL;
		return -ENOMEM;
	}
	r = look_in(own, "sekimori.", name, pathp);
	return r == SECRET_E_ABSENT ? look_in(own, "", "plain", pathp) : r;
}

int secret_find_in(const char *dir, const char *const *stores, enum secret secret, char **pathp)
{
	int r;

	/* Whoever starts us without the unit has nothing opened for us. */
	if (!dir)
		return SECRET_E_ABSENT;
	r = look_opened(dir, names[secret], pathp);
	for (; r == SECRET_E_ABSENT && *stores; stores++) {
		_cleanup_(freep) char *stored = NULL;

		r = look_in(*stores, "sekimori.", names[secret], &stored);
		if (!r)
			return SECRET_E_UNOPENED;
	}
	return r;
}

int secret_find(enum secret secret, char **pathp)
{
	return secret_find_in(getenv(SECRET_VARIABLE), own_stores, secret, pathp);
}
