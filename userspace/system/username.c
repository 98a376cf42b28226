// SPDX-License-Identifier: GPL-2.0-or-later
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "system/username.h"

/* A longer line ends the search. */
#define LINE_MAX_BYTES 16384

/* The first user of this name, or of this number if it is NULL. */
static bool search(const char *file, const char *wanted, uid_t *uid, char name[static USERNAME_MAX])
{
	_cleanup_(freep) char *buffer = malloc(LINE_MAX_BYTES);
	FILE *f = buffer ? fopen(file, "re") : NULL;
	struct passwd entry, *found;

	name[0] = '\0';
	if (!f)
		return false;
	while (!name[0] && !fgetpwent_r(f, &entry, buffer, LINE_MAX_BYTES, &found)) {
		/* A line that begins with one of these is no user but a word to nss_compat. */
		if (strchr("+-", entry.pw_name[0]) || strlen(entry.pw_name) >= USERNAME_MAX)
			continue;
		if (wanted ? !strcmp(entry.pw_name, wanted) : entry.pw_uid == *uid) {
			strcpy(name, entry.pw_name);
			*uid = entry.pw_uid;
		}
	}
	fclose(f);
	return name[0] != '\0';
}

bool username_local(const char *file, uid_t uid, char name[static USERNAME_MAX])
{
	return search(file, NULL, &uid, name);
}

bool username_find(const char *file, const char *name, uid_t *uid)
{
	char found[USERNAME_MAX];

	*uid = (uid_t)-1;
	return search(file, name, uid, found);
}
