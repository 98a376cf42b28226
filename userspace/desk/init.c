// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk init`: makes a desk. */
#include "desk/commands.h"
#include "desk/message.h"

int init_run(const struct context *context, const struct command_options *options)
{
	return message_fail(context, "%s exists", "%sはすでにあります", context->directory);
}
