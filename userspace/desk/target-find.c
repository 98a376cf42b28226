// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-find.h"

#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "desk/message.h"
#include "desk/target-say.h"

struct search {
	const struct target *target;
	unsigned int found;
	char number[MEDIUM_NUMBER_MAX];
};

static int look_at(void *userdata, const struct medium_state *state)
{
	struct search *search = userdata;

	if (state->transition.status == MEDIUM_DISPOSED ||
	    !target_say_same(search->target, &state->record))
		return 0;
	search->found++;
	snprintf(search->number, sizeof(search->number), "%s",
		 record_get(&state->record, FIELD_NUMBER));
	return 0;
}

static int find_device(const struct context *context, const struct desk *desk,
		       const struct target *target, struct medium_state *state)
{
	struct search search = {.target = target};
	int r;

	if (!target->identified || !target->serial[0])
		return TARGET_FIND_NONE;
	r = register_each(desk->reg, look_at, &search);
	if (r)
		return register_say(context, desk->reg, r, "");
	if (!search.found)
		return TARGET_FIND_NONE;
	if (search.found > 1)
		return message_fail(
			context, _("%u media have this serial number: which one is it? --number"),
			search.found);
	r = register_find(desk->reg, search.number, state);
	return r ? register_say(context, desk->reg, r, search.number) : 0;
}

int target_find(const struct context *context, const struct command_options *options,
		const struct desk *desk, const struct target *target, const char *uuid,
		struct medium_state *state)
{
	const char *number = command_option(options, OPTION_NUMBER);
	int r;

	if (number) {
		r = register_find(desk->reg, number, state);
		if (r)
			return register_say(context, desk->reg, r, number);
		if (target_say_same(target, &state->record))
			return 0;
		return message_fail(context, _("%s is another device: %s, serial number %s"),
				    number, record_get(&state->record, FIELD_ID),
				    record_get(&state->record, FIELD_SERIAL));
	}
	r = *uuid ? register_find_volume(desk->reg, uuid, state) : REGISTER_E_ABSENT;
	if (r && r != REGISTER_E_ABSENT)
		return register_say(context, desk->reg, r, uuid);
	if (!r && (!target->identified || target_say_same(target, &state->record)))
		return 0;
	/* A copy of a medium's header on another device is not that medium. */
	medium_state_deinit(state);
	memset(state, 0, sizeof(*state));
	return find_device(context, desk, target, state);
}
