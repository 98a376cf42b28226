// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
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

/* 0 with *pathp, which is the caller's, if there is such a file; else SECRET_E_ABSENT. */
_printf_(2, 3) static int look(char **pathp, const char *format, ...)
{
	_cleanup_(freep) char *path = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&path, format, args);
	va_end(args);
	if (r < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (access(path, F_OK) < 0)
		return SECRET_E_ABSENT;
	*pathp = TAKE_PTR(path);
	return 0;
}

int secret_find_in(const struct secret_places *places, enum secret secret, char **pathp)
{
	_cleanup_(freep) char *sealed = NULL;
	const char *name = names[secret];
	int r = SECRET_E_ABSENT;

	/* For a daemon that no unit has started nothing is opened. */
	if (places->opened) {
		r = look(pathp, "%s/%s/sekimori.%s", places->opened, name, name);
		if (r != SECRET_E_ABSENT)
			return r;
		r = look(&sealed, "%s/sekimori.%s", places->store, name);
		if (!r)
			return SECRET_E_UNOPENED;
	}
	if (r == SECRET_E_ABSENT && places->loaded)
		r = look(pathp, "%s/sekimori.%s", places->loaded, name);
	return r;
}

int secret_find(enum secret secret, char **pathp)
{
	const struct secret_places places = { .opened = getenv(SECRET_VARIABLE), .loaded = getenv("CREDENTIALS_DIRECTORY"), .store = STORE };

	return secret_find_in(&places, secret, pathp);
}
