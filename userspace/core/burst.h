/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many records a user may cause one by one. Each has a purse of BURST_RECORDS, into which one comes every
 * BURST_REFILL_US; who has spent his is only counted, until a summary is due BURST_SUMMARY_US after the first that was
 * counted. So nobody fills the log, and nothing goes untold. Pure: the clock is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* People of one terminal; the one who was not seen for longest makes room, after his summary. */
#define BURST_USERS_MAX 16
#define BURST_RECORDS 10
#define BURST_REFILL_US (30 * 1000000ull)
#define BURST_SUMMARY_US (60 * 1000000ull)

/* Kinds of what is counted: the caller's own numbers. */
#define BURST_KINDS 3

struct burst_user {
	bool used;
	uint32_t uid;
	unsigned int purse;
	uint64_t refilled_us;
	uint64_t seen_us;
	/* Counted since the last summary. */
	uint64_t counts[BURST_KINDS];
	uint64_t first_us; /* UINT64_MAX: none */
	uint64_t last_us;
};

struct burst {
	struct burst_user users[BURST_USERS_MAX];
};

/*
 * The user's place, which is given to him if he has none. If that is another's who has been counted, the place is
 * returned with his uid and burst_is_counted(): take his summary, burst_clear() it, and ask again.
 */
struct burst_user *burst_find(struct burst *burst, uint32_t uid, uint64_t now_us);

/* True: write a record. False: it was counted as `kind`. Times never go back. */
bool burst_admit(struct burst_user *user, unsigned int kind, uint64_t now_us);

static inline bool burst_is_counted(const struct burst_user *user)
{
	return user->used && user->first_us != UINT64_MAX;
}

/* What was counted has been told. */
void burst_clear(struct burst_user *user);

/* When the next summary is due; UINT64_MAX: never. */
uint64_t burst_due(const struct burst *burst);
