// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/macro.h"
#include "daemon/secret.h"

static const char *const names[N_SECRETS] = { [SECRET_ORGANISATION] = "organisation", [SECRET_TELEPHONE] = "telephone" };

/* As sekimori-credential@.service takes them. */
#define STORE "/etc/credstore.encrypted"

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

static int look_in(const char *dir, const char *name, char **pathp)
{
	char *path;

	return asprintf(&path, "%s/sekimori.%s", dir, name) < 0 ? -ENOMEM : look(path, pathp);
}

static int look_opened(const char *dir, const char *name, char **pathp)
{
	char *path;

	return asprintf(&path, "%s/%s/sekimori.%s", dir, name, name) < 0 ? -ENOMEM : look(path, pathp);
}

int secret_find_in(const struct secret_places *places, enum secret secret, char **pathp)
{
	_cleanup_(freep) char *sealed = NULL;
	const char *name = names[secret];
	int r = SECRET_E_ABSENT;

	/* For a daemon that no unit has started nothing is opened. */
	if (places->opened) {
		r = look_opened(places->opened, name, pathp);
		if (r != SECRET_E_ABSENT)
			return r;
		r = look_in(places->store, name, &sealed);
		if (!r)
			return SECRET_E_UNOPENED;
	}
	if (r == SECRET_E_ABSENT && places->loaded)
		r = look_in(places->loaded, name, pathp);
	return r;
}

int secret_find(enum secret secret, char **pathp)
{
	const struct secret_places places = { .opened = getenv(SECRET_VARIABLE), .loaded = getenv("CREDENTIALS_DIRECTORY"), .store = STORE };

	return secret_find_in(&places, secret, pathp);
}
