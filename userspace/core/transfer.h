/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to files on an open volume, as sekimori-transfer tells it to the daemon: lines of fields that are
 * separated by tabs. In a field every byte up to the blank, '%' and DEL is written %HH (capitals); all others stand as
 * they are, since names of files are any bytes. Numbers are decimal.
 *
 *	watching  full|limited
 *	failed    words                        it cannot watch; it ends
 *	file      op flags time uid pid size program path to
 *	files     from until uid program create write attrib rename delete read bytes-written
 *	          bytes-read first last
 *	overflow                               events are lost
 *	end       events                       nothing more comes; how many the kernel has given
 *
 * uid and size are '-' where they are not known; flags are letters, 'd' a directory, 'n' only the name is known and not the
 * path, 'c' a path is cut at its front; '-' none of them. Times are microseconds since the epoch. Paths are relative
 * to the medium's root. "limited": the file system has no handles for its files, so that only writing (and
 * reading) is seen, neither renaming nor deleting.
 *
 * Many events in a short time are told as one summary for each user and program (of which the last may be several: then
 * program is empty, and uid '-' if they are several users'). Nothing is left out: what is not told as `file` is counted in
 * a `files`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With the NUL. A record holds two, each byte of which may take six (\u001b), and must fit into LOGFILE_LINE_MAX. */
#define TRANSFER_PATH_MAX 1024
#define TRANSFER_PROGRAM_MAX 256
#define TRANSFER_WORDS_MAX 160
/* Two paths and a program, all escaped, and 14 numbers; with the newline. */
#define TRANSFER_LINE_MAX 8192

#define TRANSFER_UID_UNKNOWN UINT32_MAX

enum transfer_op {
	TRANSFER_CREATE,
	TRANSFER_WRITE, /* closed after writing */
	TRANSFER_ATTRIB, /* its times, mode, owner or extended attributes were set */
	TRANSFER_RENAME,
	TRANSFER_DELETE,
	TRANSFER_READ, /* closed after having been opened for reading only */
	TRANSFER_OPS,
};

/* "create", "write", … */
const char *transfer_op_name(enum transfer_op op);

struct transfer_event {
	enum transfer_op op;
	bool directory;
	bool name_only;
	bool cut;
	bool has_size;
	uint64_t size; /* bytes, when it was looked at */
	uint64_t time_us;
	uint32_t uid; /* TRANSFER_UID_UNKNOWN: the process had gone before it could be looked at */
	int32_t pid;
	char program[TRANSFER_PROGRAM_MAX]; /* path of its executable; "" unknown */
	char path[TRANSFER_PATH_MAX];
	char to[TRANSFER_PATH_MAX]; /* of a rename, else "" */
};

struct transfer_summary {
	uint64_t from_us, until_us;
	uint32_t uid;
	char program[TRANSFER_PROGRAM_MAX];
	uint64_t count[TRANSFER_OPS];
	uint64_t written, read; /* bytes: sizes of what was written and read, added up */
	char first[TRANSFER_PATH_MAX];
	char last[TRANSFER_PATH_MAX];
};

enum transfer_kind {
	TRANSFER_WATCHING,
	TRANSFER_FAILED,
	TRANSFER_FILE,
	TRANSFER_FILES,
	TRANSFER_OVERFLOW,
	TRANSFER_END,
};

struct transfer_report {
	enum transfer_kind kind;
	union {
		bool limited;			/* WATCHING */
		char words[TRANSFER_WORDS_MAX]; /* FAILED */
		struct transfer_event file;
		struct transfer_summary files;
		uint64_t events; /* END */
	};
};

/* Length of the line with its newline, no NUL; 0 if it does not fit (a report within its bounds does). */
size_t transfer_format(const struct transfer_report *report, char *line, size_t size);

/* A line without its newline, of any bytes. 0, or -EINVAL for whatever transfer_format() would not write. */
int transfer_parse(const char *line, size_t len, struct transfer_report *report);

/*
 * Copies a path of any length into out; what would take too much of a record is cut at its front, at the start of a
 * character. True if it was cut.
 */
bool transfer_set_path(char out[static TRANSFER_PATH_MAX], const char *path);

/* --- bursts ------------------------------------------------------------------------------------ */

/*
 * What is told comes out of a purse, into which one comes every second: a person's work is told one by one, and nobody fills
 * the log by never resting. Who has spent it is only counted, until a summary.
 */
#define TRANSFER_PURSE_MAX 50
#define TRANSFER_REFILL_US 1000000u
/* A burst is over when so long nothing more came, and there is enough in the purse for its summaries; one that lasts is told … */
#define TRANSFER_QUIET_US 1000000u
/* … so often whatever the purse says, so that a cut-off terminal has lost little. So are losses. */
#define TRANSFER_SUMMARY_US 10000000u
/* Users and programs that are told apart; the last one is for all others, so that nobody floods the log by having many. */
#define TRANSFER_SUMMARIES 8

struct transfer_burst {
	unsigned int spent; /* of the purse */
	uint64_t refilled_us;
	uint64_t began_us; /* when the oldest summary did */
	uint64_t last_us;  /* when the newest event came that is in one */
	unsigned int n;
	struct transfer_summary summaries[TRANSFER_SUMMARIES];
	bool lost, lost_told; /* events, that is not told yet; and that was told, then: */
	uint64_t lost_us;
};

typedef void (*transfer_emit_fn)(void *userdata, const struct transfer_report *report);

/* now_us: a clock that does not jump. Starts from zeros. */
void transfer_burst_add(struct transfer_burst *burst, const struct transfer_event *event,
			uint64_t now_us, transfer_emit_fn emit, void *userdata);
/* Events are lost: told at once, and then as often as summaries. */
void transfer_burst_lost(struct transfer_burst *burst, uint64_t now_us, transfer_emit_fn emit, void *userdata);
/* When transfer_burst_tick() wants to be called; UINT64_MAX: not before the next event. */
uint64_t transfer_burst_due(const struct transfer_burst *burst);
void transfer_burst_tick(struct transfer_burst *burst, uint64_t now_us, transfer_emit_fn emit,
			 void *userdata);
/* Tells what is there. */
void transfer_burst_flush(struct transfer_burst *burst, transfer_emit_fn emit, void *userdata);
