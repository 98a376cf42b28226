// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/burst.h"
#include "core/macro.h"

static struct burst_user *oldest(struct burst *burst)
{
	struct burst_user *oldest = &burst->users[0];

	for (size_t i = 0; i < BURST_USERS_MAX; i++) {
		if (!burst->users[i].used)
			return &burst->users[i];
		if (burst->users[i].seen_us < oldest->seen_us)
			oldest = &burst->users[i];
	}
	return oldest;
}

struct burst_user *burst_find(struct burst *burst, uint32_t uid, uint64_t now_us)
{
	struct burst_user *user;

	for (size_t i = 0; i < BURST_USERS_MAX; i++)
		if (burst->users[i].used && burst->users[i].uid == uid)
			return &burst->users[i];
	user = oldest(burst);
	if (burst_is_counted(user))
		return user;
	*user = (struct burst_user){
		.used = true,
		.uid = uid,
		.purse = BURST_RECORDS,
		.refilled_us = now_us,
		.seen_us = now_us,
		.first_us = UINT64_MAX,
	};
	return user;
}

bool burst_admit(struct burst_user *user, unsigned int kind, uint64_t now_us)
{
	uint64_t earned = (now_us - user->refilled_us) / BURST_REFILL_US;

	if (earned >= BURST_RECORDS - user->purse) {
		user->purse = BURST_RECORDS;
		user->refilled_us = now_us;
	} else {
		user->purse += (unsigned int)earned;
		user->refilled_us += earned * BURST_REFILL_US;
	}
	user->seen_us = now_us;
	if (user->purse) {
		user->purse--;
		return true;
	}
	if (!burst_is_counted(user))
		user->first_us = now_us;
	user->last_us = now_us;
	user->counts[kind]++;
	return false;
}

void burst_clear(struct burst_user *user)
{
	memset(user->counts, 0, sizeof(user->counts));
	user->first_us = UINT64_MAX;
	user->last_us = 0;
}

uint64_t burst_due(const struct burst *burst)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < BURST_USERS_MAX; i++)
		if (burst_is_counted(&burst->users[i]) &&
		    burst->users[i].first_us + BURST_SUMMARY_US < due)
			due = burst->users[i].first_us + BURST_SUMMARY_US;
	return due;
}
