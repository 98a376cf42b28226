/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a month's records come to. Takes the lines of a log in order, those before and after the month too (who sat
 * there when it began, which gaps reach into it). Memory does not grow with the log: names are limited as in
 * counts.h, lists by TALLY_LIST_MAX with the true total beside them. No I/O, no clock.
 */
#pragma once

#include <stdbool.h>

#include "report/counts.h"
#include "report/fields.h"
#include "report/period.h"

#define TALLY_LIST_MAX 200
#define TALLY_TEXT_MAX 256

/* Something with a moment; what numbers and texts mean stands beside each list. */
struct tally_entry {
	int64_t us;
	uint64_t numbers[3];
	char texts[3][TALLY_TEXT_MAX];
};

struct tally_list {
	struct tally_entry *entries; /* the first TALLY_LIST_MAX */
	size_t n;
	uint64_t total;
};

/* values[] of `use`, by medium and user. */
enum {
	USE_ALLOWED, USE_DENIED, USE_OPENED, USE_FILES, /* files: created and written */
	USE_CHANGED, /* renamed and deleted */
	USE_WRITTEN, USE_READS, USE_READ, /* written and read: bytes */
	USE_VERDICTS, /* let in, refused and opened, all together */
	USE_TRANSFERS, /* files, changed and reads, all together */
};

/* values[] of `roads`. */
enum {
	ROADS_TRIED, ROADS_DRILLED, /* drilled: those of them that a drill opened */
};

/* labels[] of `devices`. */
enum {
	DEVICE_LABEL_ID, DEVICE_LABEL_SERIAL, DEVICE_LABEL_NAME,
};

enum {
	CHECK_OK, CHECK_WARN, CHECK_FAIL, CHECK_UNKNOWN, N_CHECKS,
};

struct tally_day {
	uint64_t attaches, allowed, denied, incidents, files, starts, checks[N_CHECKS];
};

/* What the newest `started` or `policy` record up to the month's end says. */
struct tally_policy {
	bool known, is_signed;
	char id[TALLY_TEXT_MAX], state[64], backend[32];
	uint64_t number, media, signers, retention_days; /* retention: 0: it says nothing */
};

struct tally_exceptions;

struct tally {
	struct period *period; /* borrowed */
	char terminal[TALLY_TEXT_MAX];

	/* Of the whole log. */
	uint64_t strange; /* lines that are no records, or without a time */
	uint64_t last_seq;
	int64_t last_us, log_since_us; /* 0: none */
	int64_t checkpoint_us; /* the newest: the keeper lived */
	bool last_stopped;
	char seated[TALLY_TEXT_MAX];

	/* Of the month. */
	uint64_t records, first_seq, final_seq;
	struct tally_day days[PERIOD_DAYS_MAX];
	uint64_t hours_attached[24], hours_denied[24];
	uint64_t attaches, allowed, read_only, denied, revoked, kept, checkpoints, stops, lost, missed, limited, writes_only, tries;
	uint64_t verdicts, verdict_us, verdict_max_us;
	uint64_t drilled, would_deny; /* records of a drill; what it let in and would have been refused */
	struct counts *would_reasons, *would_devices; /* like reasons and devices */
	struct counts *roads; /* other than USB, by name: nobody's, since the terminal itself asks for what is built in */
	struct counts *reasons, *devices, *use, *open_refusals, *acts, *attempts;
	struct tally_exceptions *exceptions; /* report/tally-exceptions.h */
	struct tally_list policies;   /* number: version; texts: id, signed or unsigned or refused, error */
	struct tally_list incidents;  /* numbers: count; texts: number, type, medium or device */
	struct tally_list starts;     /* texts: version, backend, policy state */
	struct tally_list clocks;     /* texts: kind */
	struct tally_list log_events; /* texts: kind, why, file */
	struct tally_list seq_gaps;   /* numbers: from, to */
	struct tally_list time_gaps;  /* us: from; numbers: to (us), terminal ran (us), 1: not ended properly */
	uint64_t ordinary_gaps;	      /* switched off properly, the keeper back soon: only counted */
	int64_t gap_us, gap_on_us;    /* inside the month */
	struct tally_policy policy;
	uint64_t checks[N_CHECKS];
	int64_t check_us; /* the newest self-check up to the month's end; 0: none */
	uint64_t check_found[N_CHECKS];
	char *check_items; /* its member "items", JSON: what was not in order; or NULL */
};

struct tally *tally_new(struct period *period); /* NULL without memory */
struct tally *tally_free(struct tally *tally);

/* 0 or -ENOMEM. */
int tally_add(struct tally *tally, const char *line, size_t len);

/* The log is over; `now_us` ends a gap that is still open. 0 or -ENOMEM. */
int tally_end(struct tally *tally, int64_t now_us);
