// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/i18n.h"
#include "desk/filter.h"
#include "desk/message.h"
#include "desk/view.h"

int filter_init(struct filter *filter, const struct context *context,
		const struct command_options *options)
{
	const char *value;
	size_t at = 0;

	*filter = (struct filter){.holder = command_option(options, OPTION_HOLDER),
				  .class = command_option(options, OPTION_CLASS),
				  .overdue = command_option(options, OPTION_OVERDUE)};
	term_date(context->now, filter->today);
	while ((value = command_option_next(options, OPTION_STATUS, &at))) {
		enum medium_status status;

		if (!status_find(value, &status))
			return message_usage(
				context,
				_("--status takes active, lent, lost, revoked or disposed"));
		filter->statuses |= 1u << status;
	}
	if (filter->class && field_check(FIELD_CLASS, filter->class))
		return message_usage(context, _("--class takes I, II or III"));
	return 0;
}

bool filter_matches(const struct filter *filter, const struct medium_state *state)
{
	const struct record *record = &state->record;

	return (!filter->statuses || (filter->statuses & 1u << state->transition.status)) &&
	       (!filter->holder || strstr(record_get(record, FIELD_HOLDER), filter->holder)) &&
	       (!filter->class || !strcmp(record_get(record, FIELD_CLASS), filter->class)) &&
	       (!filter->overdue || view_is_overdue(state, filter->today));
}
