/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of users for records, without waiting. getpwuid(3) asks whatever nsswitch.conf(5) names, which may be a server
 * that does not answer for half a minute; who writes a record must not wait for it. Here only the terminal's own file is
 * read. Whom it does not know stands in the record with his number alone.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* LOGIN_NAME_MAX, with the NUL. Longer names count as unknown. */
#define USERNAME_MAX 256

#define USERNAME_FILE "/etc/passwd"

/* file: as passwd(5). False, and name is "": nobody has this number, or it cannot be read. */
bool username_local(const char *file, uid_t uid, char name[static USERNAME_MAX]);

/* The other way: false, and *uid is (uid_t)-1, if the file has nobody of this name. */
bool username_find(const char *file, const char *name, uid_t *uid);
