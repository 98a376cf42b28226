// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/purse.h"

static const struct purse_size user_size = { PURSES_USER_COINS, PURSES_USER_REFILL_US };
static const struct purse_size all_size = { PURSES_ALL_COINS, PURSES_ALL_REFILL_US };

void purse_open(struct purse *purse, const struct purse_size *size, uint64_t now_us)
{
	*purse = (struct purse){ .coins = size->coins, .refilled_us = now_us };
}

unsigned int purse_refill(struct purse *purse, const struct purse_size *size, uint64_t now_us)
{
	uint64_t earned = (now_us - purse->refilled_us) / size->refill_us;

	if (earned >= size->coins - purse->coins) {
		purse_open(purse, size, now_us);
	} else {
		purse->coins += (unsigned int)earned;
		purse->refilled_us += earned * size->refill_us;
	}
	return purse->coins;
}

bool purse_pay(struct purse *purse, const struct purse_size *size, uint64_t now_us)
{
	if (!purse_refill(purse, size, now_us))
		return false;
	purse->coins--;
	return true;
}

/* Nothing is known of its owner that a newcomer would not be given. */
static bool place_is_free(struct purses_user *user, uint64_t now_us)
{
	return !user->used ||
	       (!purses_counted(user) &&
		purse_refill(&user->purse, &user_size, now_us) == user_size.coins);
}

static struct purses_user *place_give(struct purses_user *user, uint32_t uid, uint64_t now_us)
{
	*user = (struct purses_user){ .used = true, .uid = uid, .first_us = UINT64_MAX };
	purse_open(&user->purse, &user_size, now_us);
	return user;
}

struct purses_user *purses_find(struct purses *purses, uint32_t uid, uint64_t now_us)
{
	struct purses_user *others = &purses->users[PURSES_MAX];

	for (size_t i = 0; i < PURSES_MAX && uid != PURSES_OTHERS; i++)
		if (purses->users[i].used && purses->users[i].uid == uid)
			return &purses->users[i];
	for (size_t i = 0; i < PURSES_MAX && uid != PURSES_OTHERS; i++)
		if (place_is_free(&purses->users[i], now_us))
			return place_give(&purses->users[i], uid, now_us);
	return others->used ? others : place_give(others, PURSES_OTHERS, now_us);
}

void purses_count(struct purses_user *user, unsigned int kind, uint64_t now_us)
{
	if (!purses_counted(user))
		user->first_us = now_us;
	user->last_us = now_us;
	user->counts[kind]++;
}

bool purses_admit(struct purses *purses, struct purses_user *user, unsigned int kind,
		  uint64_t now_us)
{
	if (!purses->open)
		purse_open(&purses->all, &all_size, now_us);
	purses->open = true;
	if (purse_refill(&purses->all, &all_size, now_us) &&
	    purse_pay(&user->purse, &user_size, now_us)) {
		purses->all.coins--;
		return true;
	}
	purses_count(user, kind, now_us);
	return false;
}

void purses_clear(struct purses_user *user)
{
	memset(user->counts, 0, sizeof(user->counts));
	user->first_us = UINT64_MAX;
	user->last_us = 0;
}

uint64_t purses_due(const struct purses *purses)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(purses->users); i++)
		if (purses_counted(&purses->users[i]) &&
		    purses->users[i].first_us + PURSES_SUMMARY_US < due)
			due = purses->users[i].first_us + PURSES_SUMMARY_US;
	return due;
}
