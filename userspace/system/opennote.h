/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of an open volume outside of any process: written before the first thing that has to be undone
 * is done, so that whoever comes after a killed helper, or a daemon that was restarted, can go on
 * from there. /run/sekimori/volumes/MAPPING.json, JSON, root's alone; gone with the next boot, like
 * what it tells of.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/macro.h"

#define OPENNOTE_TEXT_MAX 600
#define OPENNOTE_UUID_MAX 40
#define OPENNOTE_NAME_MAX 256

struct opennote {
	char node[OPENNOTE_NAME_MAX];
	char uuid[OPENNOTE_UUID_MAX];
	char user[OPENNOTE_NAME_MAX];
	uid_t uid;
	bool read_only;
	bool open; /* shown to its user */
	char mount[OPENNOTE_TEXT_MAX]; /* its directory, "" none yet */
};

enum {
	OPENNOTE_E_ABSENT = 1, /* there is none */
	OPENNOTE_E_UNSAFE = 2, /* one that somebody else could have written, or that makes no sense */
};

/* "sekimori-", then letters, digits, '-' and '_', at most OPENNOTE_MAPPING_MAX - 1 bytes. */
#define OPENNOTE_MAPPING_MAX 100
bool opennote_mapping_valid(const char *mapping);

int opennote_write(const char *mapping, const struct opennote *note);
int opennote_read(const char *mapping, struct opennote *note);
void opennote_remove(const char *mapping);

/* The mappings of all notes, at most `max`; returns how many. */
size_t opennote_list(char (*mappings)[OPENNOTE_MAPPING_MAX], size_t max);
