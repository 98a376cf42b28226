/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekimorid.conf: where things are on this terminal. The same lexical form as the policy, one
 * setting a line: NAME VALUE. Settings are rows of the table in settings.c.
 */
#pragma once

#include "core/lex.h"

/* The longest path or name that is taken, with its NUL. */
#define SETTINGS_VALUE_MAX 256

/* Defaults that tools share with the daemon. */
#define SETTINGS_POLICY_FILE "/etc/sekimori/policy"
#define SETTINGS_STATE_DIR "/var/lib/sekimori/policy"
#define SETTINGS_EXCEPTIONS "/var/lib/sekimori/exceptions/store.sqlite"

/* Does the barrier block, or only say what it would block (docs/drill.md)? */
enum settings_mode {
	SETTINGS_ENFORCE,
	SETTINGS_DRILL,
};

struct settings {
	enum settings_mode mode;
	char terminal[SETTINGS_VALUE_MAX]; /* name of this terminal; "" means the host name */
	char policy_file[SETTINGS_VALUE_MAX];
	char trust_dir[SETTINGS_VALUE_MAX]; /* keys that may sign policies, *.trust */
	char state_dir[SETTINGS_VALUE_MAX]; /* accepted policies and the lowest version that may follow */
	char exceptions[SETTINGS_VALUE_MAX]; /* file: the store of temporary exceptions */
	char log_file[SETTINGS_VALUE_MAX];
	char log_keys[SETTINGS_VALUE_MAX];     /* directory of the log's keys */
	char log_desk_key[SETTINGS_VALUE_MAX]; /* file: whom the log's first key is sealed to */
	unsigned int log_rotate_mib;	       /* 1 to 4096 */
	unsigned int log_rotate_days;	       /* 1 to 366 */
	unsigned int log_checkpoint_records;   /* 1 to 100,000 */
	unsigned int log_checkpoint_minutes;   /* 1 to 1440 */
	char inspector[SETTINGS_VALUE_MAX]; /* path of sekimori-inspect */
	unsigned int inspect_deadline_ms;   /* 1000 to 60000 */
	char opener[SETTINGS_VALUE_MAX];    /* path of sekimori-open */
	char watcher[SETTINGS_VALUE_MAX];   /* path of sekimori-transfer */
	char scanner[SETTINGS_VALUE_MAX];   /* clamd's socket */
	char organisation_key[SETTINGS_VALUE_MAX]; /* file; "": the service's credential, if it has one */
	char telephone_key[SETTINGS_VALUE_MAX];	   /* likewise */
};

void settings_init(struct settings *settings);

/* Reads a text over the defaults. 0, -EINVAL after errors were reported, -ENOMEM. */
int settings_parse(struct settings *settings, const char *file, const char *text, size_t len,
		   lex_error_fn error, void *userdata);
