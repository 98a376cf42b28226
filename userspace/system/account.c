// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "system/account.h"

/* An entry of the user or group database; a group's may list thousands of members. */
#define ENTRY_MAX (1u << 20)

/* What is asked for by, and what was found. */
struct entry {
	unsigned int id;
	char name[ACCOUNT_NAME_MAX];
	gid_t gid;
};

/* One entry of a database, as getpwuid_r() and its like ask for it. */
typedef int (*entry_fn)(struct entry *entry, char *buffer, size_t size);

static int take_name(struct entry *entry, const char *found)
{
	if (strlen(found) >= ACCOUNT_NAME_MAX)
		return ENAMETOOLONG;
	strcpy(entry->name, found);
	return 0;
}

static int user_by_id(struct entry *entry, char *buffer, size_t size)
{
	struct passwd passwd, *found;
	int e = getpwuid_r(entry->id, &passwd, buffer, size, &found);

	if (e || !found)
		return e ? e : ENOENT;
	entry->gid = passwd.pw_gid;
	return take_name(entry, passwd.pw_name);
}

static int user_by_name(struct entry *entry, char *buffer, size_t size)
{
	struct passwd passwd, *found;
	int e = getpwnam_r(entry->name, &passwd, buffer, size, &found);

	if (e || !found)
		return e ? e : ENOENT;
	entry->id = passwd.pw_uid;
	entry->gid = passwd.pw_gid;
	return take_name(entry, passwd.pw_name);
}

static int group_by_id(struct entry *entry, char *buffer, size_t size)
{
	struct group group, *found;
	int e = getgrgid_r(entry->id, &group, buffer, size, &found);

	if (e || !found)
		return e ? e : ENOENT;
	return take_name(entry, group.gr_name);
}

static bool entry_read(entry_fn fn, struct entry *entry)
{
	size_t size = 4096;
	int e;

	do {
		_cleanup_(freep) char *buffer = malloc(size);

		e = buffer ? fn(entry, buffer, size) : ENOMEM;
		size *= 4;
	} while (e == ERANGE && size <= ENTRY_MAX);
	return !e;
}

bool account_find(uid_t uid, char name[static ACCOUNT_NAME_MAX], gid_t *gid)
{
	struct entry entry = { .id = uid };
	bool found = entry_read(user_by_id, &entry);

	strcpy(name, found ? entry.name : "");
	*gid = entry.gid;
	return found;
}

bool account_find_name(const char *asked, char name[static ACCOUNT_NAME_MAX], uid_t *uid)
{
	struct entry entry = { .id = 0 };
	bool found = !take_name(&entry, asked) && entry_read(user_by_name, &entry);

	strcpy(name, found ? entry.name : "");
	*uid = found ? entry.id : (uid_t)-1;
	return found;
}

size_t account_groups(const char *name, gid_t gid,
		      char groups[static ACCOUNT_GROUPS_MAX][ACCOUNT_NAME_MAX])
{
	gid_t gids[ACCOUNT_GROUPS_MAX];
	int n = ACCOUNT_GROUPS_MAX;
	size_t known = 0;

	if (getgrouplist(name, gid, gids, &n) < 0)
		n = ACCOUNT_GROUPS_MAX; /* there are more; these it has filled in */
	for (int i = 0; i < n; i++) {
		struct entry entry = { .id = gids[i] };

		if (entry_read(group_by_id, &entry))
			strcpy(groups[known++], entry.name);
	}
	return known;
}
