/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wish asked for question by question, where somebody sits at the terminal. */
#pragma once

#include "ctl/wish.h"

struct wish_asking {
	struct json_object *devices; /* client_devices()' */
	const struct command_options *options; /* what was said there is not asked for again */
	uint32_t longest; /* seconds that the policy allows; 0: not known */
	bool emergency; /* asks only what is needed at once */
};

/*
 * Asks for what the options left open, checking each answer at once. COMMAND_OK, or another status: nothing was sent, which has been
 * said.
 */
int wish_ask(struct wish *wish, const struct wish_asking *asking);

/* One value, asked for until it is right; `otherwise` (may be "") is what an empty answer means. False at the end of input. */
bool wish_ask_field(struct wish *wish, enum wish_field field, const char *question, const char *otherwise);
