// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/i18n.h"
#include "desk/target-survey.h"

#include "inspect/survey.h"

static int read_target(void *ctx, uint64_t offset, uint8_t *data, size_t len, const char **detail)
{
	if (!target_read(ctx, offset, data, len))
		return 0;
	*detail = N_("the device cannot be read");
	return REPORT_TRANSPORT;
}

void target_survey(const struct target *target, struct report *report)
{
	const struct survey_disk disk = {.ctx = (void *)target, .read = read_target};

	report_init(report, REPORT_PROVED);
	report->n_units = 1;
	report->units[0].state = REPORT_UNIT_DISK;
	report->units[0].block_size = target->block;
	report->units[0].blocks = target->size / target->block;
	survey_run(&disk, report, 0);
	report_conclude(report);
}

static const struct {
	unsigned int outcome;
	const char *text;
} texts[] = {
	{REPORT_PROVED, N_("encrypted, all of it")},
	{REPORT_PLAIN, N_("not encrypted, or not all of it")},
	{REPORT_DAMAGED, N_("encrypted, but its header is damaged")},
	{REPORT_UNKNOWN, N_("encrypted in a way that terminals do not know")},
	{REPORT_TOO_MANY, N_("with more partitions than terminals take")},
	{REPORT_TABLE, N_("with a damaged partition table")},
	{REPORT_SLACK, N_("with something outside of its encrypted volumes")},
};

const char *target_survey_text(unsigned int outcome)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].outcome == outcome)
			return i18n(texts[i].text);
	return _("not to be read");
}
