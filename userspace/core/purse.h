/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many records somebody may cause one by one. A purse holds so many coins, and one comes back every while; each
 * record costs one. Who has none left is only counted, until a summary is due: so nobody fills the log, and nothing goes
 * untold. Pure: the clock is an argument, in microseconds; it never goes back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- one purse ------------------------------------------------------------------------------------ */

struct purse_size {
	unsigned int coins; /* at most */
	uint64_t refill_us; /* one comes back in this time */
};

/* All zero is an empty purse at time 0: purse_open() it. */
struct purse {
	unsigned int coins;
	uint64_t refilled_us;
};

/* Full from the beginning. */
void purse_open(struct purse *purse, const struct purse_size *size, uint64_t now_us);

/* Puts in what has come back. The coins that are there now. */
unsigned int purse_refill(struct purse *purse, const struct purse_size *size, uint64_t now_us);

/* False: it is empty. */
bool purse_pay(struct purse *purse, const struct purse_size *size, uint64_t now_us);

/* --- the purses of all users ------------------------------------------------------------------------ */

/*
 * Each user has a purse of his own, and all have one together: who has many user ids (subuid(5)) writes no more than
 * that. A record costs a coin of both.
 */
#define PURSES_USER_COINS 10
#define PURSES_USER_REFILL_US (30 * 1000000ull)
#define PURSES_ALL_COINS 40
#define PURSES_ALL_REFILL_US (10 * 1000000ull)
#define PURSES_SUMMARY_US (60 * 1000000ull)

/*
 * Places: people of one terminal. A place becomes another's when its purse is full again and everything is told, so that
 * nobody gains by being forgotten. Who finds none shares the last place with all who are like him, and with callers whom
 * the bus does not know.
 */
#define PURSES_MAX 16
#define PURSES_OTHERS UINT32_MAX

/* Kinds of what is counted: the caller's own numbers. */
#define PURSES_KINDS 3

struct purses_user {
	bool used;
	uint32_t uid; /* PURSES_OTHERS: of several */
	struct purse purse;
	/* Counted since the last summary. */
	uint64_t counts[PURSES_KINDS];
	uint64_t first_us; /* UINT64_MAX: none */
	uint64_t last_us;
};

/* All zero is fine to begin with. */
struct purses {
	bool open;
	struct purse all;
	struct purses_user users[PURSES_MAX + 1]; /* the last is for PURSES_OTHERS */
};

/* The user's place, or that of PURSES_OTHERS; never NULL. */
struct purses_user *purses_find(struct purses *purses, uint32_t uid, uint64_t now_us);

/* user: as found. True: write a record. False: it was counted as `kind`. */
bool purses_admit(struct purses *purses, struct purses_user *user, unsigned int kind,
		  uint64_t now_us);

/* Counts one that had a coin and could not be written all the same. */
void purses_count(struct purses_user *user, unsigned int kind, uint64_t now_us);

static inline bool purses_counted(const struct purses_user *user)
{
	return user->used && user->first_us != UINT64_MAX;
}

/* What was counted has been told. */
void purses_clear(struct purses_user *user);

/* When the next summary is due; UINT64_MAX: never. */
uint64_t purses_due(const struct purses *purses);
