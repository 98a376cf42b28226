// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl report`: a month of the event log for those who answer for the terminal. */
#include <stdio.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logwalk.h"

/* Who sat there when the month began, and since when the keeper was away, stands in records before it. */
#define BEFORE_US (INT64_C(7) * 86400 * 1000000)

DEFINE_CLEANUP(struct tally *, tally_free);

static int take_line(void *userdata, const struct logset_line *line)
{
	return tally_add(userdata, line->text, line->len);
}

static int set_period(struct period *period, const char *month, int64_t now_us)
{
	_cleanup_(freep) char *shown = NULL;

	if (!month) {
		period_set_now(period, now_us);
		return COMMAND_OK;
	}
	if (period_set_month(period, month))
		return COMMAND_OK;
	shown = output_escape(month);
	fprintf(stderr, _("sekimorictl: --month: '%s' is no month; expected YYYY-MM, like 2026-04\n"), shown);
	return COMMAND_USAGE;
}

static int make(const struct tally *tally, const struct report_check *check, int64_t now_us,
		enum logwalk_format format, const struct command_options *options)
{
	_cleanup_(document_freep) struct document *document =
		options->compliance ? report_compliance(tally, check, now_us) : report_month(tally, check, now_us);
	int r = logwalk_write(document, format, options);

	logwalk_warn(check);
	return check->unreadable ? COMMAND_FAILED : r;
}

int report_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(tally_freep) struct tally *tally = NULL;
	int64_t now_us = (int64_t)time(NULL) * 1000000;
	enum logwalk_format format;
	struct report_check check;
	struct period period;
	int r = logwalk_format(options, &format);

	if (r == COMMAND_OK)
		r = set_period(&period, options->month, now_us);
	if (r != COMMAND_OK)
		return r;
	tally = tally_new(&period);
	if (!tally)
		output_no_memory();
	r = logwalk_run(context, options, period.since_us - BEFORE_US, take_line, tally, &check);
	if (r == COMMAND_OK) {
		if (tally_end(tally, now_us))
			output_no_memory();
		r = make(tally, &check, now_us, format, options);
	}
	logwalk_free(&check);
	return r;
}
