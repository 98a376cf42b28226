// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/exception.h"

bool exception_same_person(const struct exception_person *a, const struct exception_person *b)
{
	return (a->uid == b->uid && a->uid != UINT32_MAX) ||
	       !strncmp(a->name, b->name, sizeof(a->name));
}

void exception_init(struct exception *exception, const struct grant *wish, uint32_t period,
		    const struct exception_person *requester)
{
	*exception = (struct exception){ .grant = *wish,
					 .period = period,
					 .requester = *requester,
					 .state = EXCEPTION_DRAFT };
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

bool exception_needs_erasure(const struct exception *exception)
{
	switch (exception->grant.class) {
	case DEVICE_CLASS_NETWORK:
	case DEVICE_CLASS_PRINTER:
	case DEVICE_CLASS_AUDIO_VIDEO:
	case DEVICE_CLASS_SERIAL:
		return false;
	default:
		return exception->used;
	}
}

bool exception_erasure_by_sight(const struct exception *exception, const struct exception_rules *rules)
{
	const char *data = exception->grant.data_class;

	return exception_due(exception, 0) & EXCEPTION_DUE_ERASURE && *exception->grant.fingerprint &&
	       !(rules && rules->erasure_by_person) && (!*data || !strcmp(data, "III"));
}

uint64_t exception_bytes_left(const struct exception *exception)
{
	uint64_t quota = exception->grant.write_quota;

	if (!quota)
		return UINT64_MAX;
	return exception->written < quota ? quota - exception->written : 0;
}

int64_t exception_end(const struct exception *exception)
{
	const struct grant *grant = &exception->grant;

	if (!grant->seconds || !exception->first_used)
		return grant->not_after;
	return earlier(grant->not_after, exception->first_used + grant->seconds);
}

bool exception_is_over(const struct exception *exception, const struct exception_world *world)
{
	return world->now >= exception_end(exception) || exception->approved < world->void_before;
}

bool exception_in_force(const struct exception *exception, const struct exception_world *world)
{
	return exception->state == EXCEPTION_LIVE && !exception_is_over(exception, world) &&
	       exception_bytes_left(exception);
}

unsigned int exception_due(const struct exception *exception, int64_t now)
{
	unsigned int due = 0;

	switch (exception->state) {
	case EXCEPTION_USED_UP:
	case EXCEPTION_EXPIRED:
	case EXCEPTION_REVOKED:
		if (exception_needs_erasure(exception))
			due |= EXCEPTION_DUE_RETURN | EXCEPTION_DUE_ERASURE;
		break;
	case EXCEPTION_RETURNED:
		if (exception_needs_erasure(exception))
			due |= EXCEPTION_DUE_ERASURE;
		break;
	case EXCEPTION_LIVE:
		if (exception->grant.return_by && now > exception->grant.return_by)
			due |= EXCEPTION_DUE_RETURN;
		break;
	case EXCEPTION_ERASE_CONFIRMED:
		break;
	default:
		return 0;
	}
	if (due && now > exception->grant.return_by && now > exception->ended)
		due |= EXCEPTION_DUE_OVERDUE;
	if (exception->emergency && !exception->reported) {
		due |= EXCEPTION_DUE_REPORT;
		if (exception->ended && now > exception->ended)
			due |= EXCEPTION_DUE_OVERDUE;
	}
	return due;
}
