/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and their groups by the terminal's databases, whatever nsswitch.conf(5) names. A directory service may answer late: ask only
 * where a decision about a person needs it; for names in records there is system/username.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* LOGIN_NAME_MAX, with the NUL. Longer names count as unknown. */
#define ACCOUNT_NAME_MAX 256

/* Nobody is in so many; what is beyond does not count. */
#define ACCOUNT_GROUPS_MAX 64

/* False when there is no such user or it cannot be read; name is "" then. */
bool account_find(uid_t uid, char name[static ACCOUNT_NAME_MAX], gid_t *gid);
/* name: as the database writes it, which may take others for the same. */
bool account_find_name(const char *asked, char name[static ACCOUNT_NAME_MAX], uid_t *uid);

/* The names of a user's groups, the primary one (gid) first; returns how many. */
size_t account_groups(const char *name, gid_t gid,
		      char groups[static ACCOUNT_GROUPS_MAX][ACCOUNT_NAME_MAX]);
