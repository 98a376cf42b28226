// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl report`: a month of the event log for those who answer for the terminal. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logwalk.h"

DEFINE_CLEANUP(struct tally *, tally_free);

struct reading {
	struct tally *tally;
	/* Of the file before, as its first record says. */
	bool begun;
	uint8_t id[CHAIN_ID_LEN];
	char terminal[FIELD_STRING_MAX];
	char other[FIELD_STRING_MAX]; /* the name of a second terminal, or "" */
};

/* A terminal may get another name; then its log goes on. Another name in another log is another terminal. */
static void look_at_first(struct reading *reading, const struct logset_line *line)
{
	struct logverify_header header;
	char terminal[FIELD_STRING_MAX];
	struct fields fields;

	if (!logverify_header_parse(&header, line->text, line->len) || !fields_parse(&fields, line->text, line->len))
		return;
	fields_string(&fields, FIELD_TERMINAL, terminal);
	if (reading->begun && memcmp(reading->id, header.id, sizeof(header.id)) && strcmp(reading->terminal, terminal))
		strcpy(reading->other, terminal);
	else
		strcpy(reading->terminal, terminal);
	memcpy(reading->id, header.id, sizeof(header.id));
	reading->begun = true;
}

static int take_line(void *userdata, const struct logset_line *line)
{
	struct reading *reading = userdata;

	if (line->first && !reading->other[0])
		look_at_first(reading, line);
	return tally_add(reading->tally, line->text, line->len);
}

static int refuse_several(const struct reading *reading)
{
	_cleanup_(freep) char *one = output_escape(reading->terminal), *other = output_escape(reading->other);

	fprintf(stderr, _("sekimorictl: --log: these are logs of several terminals (%s, %s): a report is of one\n"), one, other);
	return COMMAND_USAGE;
}

static int set_period(struct period *period, const char *month, int64_t now_us)
{
	_cleanup_(freep) char *shown = NULL;

	if (!month) {
		period_set_now(period, now_us);
		return COMMAND_OK;
	}
	if (!strcmp(month, "last")) {
		period_set_now(period, now_us);
		period_set_now(period, period->since_us - 1);
		return COMMAND_OK;
	}
	if (period_set_month(period, month))
		return COMMAND_OK;
	shown = output_escape(month);
	fprintf(stderr, _("sekimorictl: --month: '%s' is no month; expected YYYY-MM, like 2026-04, or 'last'\n"), shown);
	return COMMAND_USAGE;
}

static int make(const struct tally *tally, const struct report_check *check, int64_t now_us,
		enum logwalk_format format, const struct command_options *options)
{
	_cleanup_(document_freep) struct document *document =
		options->compliance ? report_compliance(tally, check, now_us) : report_month(tally, check, now_us);
	int r = logwalk_write(document, format, options);

	logwalk_warn(check);
	return check->unreadable || check->result.findings ? COMMAND_FAILED : r;
}

int report_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(tally_freep) struct tally *tally = NULL;
	struct reading reading = { .begun = false };
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
	reading.tally = tally;
	/* From the log's beginning: which policy was in force, and who sat there when the month began, may be told long before. */
	r = logwalk_run(context, options, 0, take_line, &reading, &check);
	if (r == COMMAND_OK && reading.other[0])
		r = refuse_several(&reading);
	if (r == COMMAND_OK) {
		if (tally_end(tally, now_us))
			output_no_memory();
		r = make(tally, &check, now_us, format, options);
	}
	logwalk_free(&check);
	return r;
}
