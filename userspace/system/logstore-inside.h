/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of the log store: logstore.c writes, logstore-look.c finds out what stands in the files, logstore-begin.c begins
 * logs. */
#pragma once

#include "system/logstate.h"
#include "system/logstore.h"

/* Records that are due, in the order in which they are written. */
#define DUE_HEADER 1u
#define DUE_RECOVERED 2u
#define DUE_DAMAGED 4u
#define DUE_HANDOVER 8u

struct logstore {
	char *path, *folder, *stem, *keys;
	const char *name; /* of the current file, in path */
	const char *trouble;
	uint8_t desk_public[LOGSTORE_DESK_KEY_LEN];
	bool has_desk;

	struct logstate *state;	 /* NULL until the keys have been read */
	struct logpoint *points; /* both of: */
	struct logpoint *live;	 /* the newest record written */
	struct logpoint *durable;

	int dir, fd;		/* -1 while closed */
	uint64_t size;		/* that the file must have now */
	uint64_t durable_size;	/* … and had at the last commit */
	uint64_t first_seq;	/* of the current file */
	int64_t first_us;
	unsigned int pending;	/* records between durable and live */
	bool cut;		/* the file does not end with a newline */
	bool uncut;		/* what failed could not be cut off the file */
	bool unsaved;		/* durable is further than the stored keys */
	bool missing;		/* the file was gone, and not by our doing */

	bool handing;		/* the desk has another key: a log for it is prepared */
	uint64_t handed_seq;	/* of the record that says so */
	bool unsettled;		/* what the keys' directory says may be of a log that was not begun */

	unsigned int due, current;
	uint64_t torn_bytes;
	uint8_t torn_hash[CHAIN_HASH_LEN];
	uint64_t found_seq;
	uint64_t lost;
	int first_error;
};

/* Opens the file and finds out what is due. Negative errno. */
int logstore_look(struct logstore *store);

/* Opens the current file; live's inode, size and cut are its. Negative errno. */
int logstore_open_file(struct logstore *store, int flags);
/* *seqp: of its first record, which are first_seq and first_us too; 0: its first line is none. */
int logstore_read_first(struct logstore *store, uint64_t *seqp);

/* Reads the keys; where there are none, or they are lost, a log is begun. */
int logstore_load_keys(struct logstore *store);
/* A log that could not be begun is given up: the one that is there stands in the keys' directory again before it goes on. */
int logstore_settle(struct logstore *store);
/* Makes a hand-over due if the desk has another key. */
int logstore_follow_desk(struct logstore *store);
/* The log that was handed over to is begun. */
int logstore_hand_over(struct logstore *store);

/* Gives the current file the name of a rotated one, durably; the descriptor stays open. */
int logstore_set_aside(struct logstore *store, char **namep);

/* Makes a new current file; its first record is due. */
int logstore_create(struct logstore *store);
