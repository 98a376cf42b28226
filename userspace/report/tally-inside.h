/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rooms of the tally share: tally-kinds.c knows what each kind of records counts for, tally.c the rest. */
#pragma once

#include "report/tally.h"

/* A record on its way through the tally. */
struct record {
	const struct fields *fields;
	char kind[FIELD_STRING_MAX];
	uint64_t seq, boot_us;
	int64_t us;
	bool inside; /* the month */
	const struct period_hour *hour; /* NULL outside */
};

bool record_is(const struct record *record, const char *kind);
/* A string member, cut before a character. */
void record_copy(char *out, size_t size, const struct record *record, enum field field);

/* One more entry; NULL: it is counted only, or there is no memory (*r). */
struct tally_entry *tally_list_add(struct tally_list *list, int64_t us, int *r);

/* New figures of an incident that was told of before; it is no new one, wherever the month ends. */
void tally_incident_again(struct tally *tally, const struct record *record);

/* Counts a record of the month. 0 or -ENOMEM. */
int tally_add_inside(struct tally *tally, const struct record *record);
