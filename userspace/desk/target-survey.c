// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-survey.h"

#include "inspect/survey.h"

static int read_target(void *ctx, uint64_t offset, uint8_t *data, size_t len, const char **detail)
{
	if (!target_read(ctx, offset, data, len))
		return 0;
	*detail = "the device cannot be read";
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
	const char *en;
	const char *ja;
} texts[] = {
	{REPORT_PROVED, "encrypted, all of it", "全体が暗号化されています"},
	{REPORT_PLAIN, "not encrypted, or not all of it",
	 "暗号化されていないか、全体ではありません"},
	{REPORT_DAMAGED, "encrypted, but its header is damaged", "暗号化ヘッダーが壊れています"},
	{REPORT_UNKNOWN, "encrypted in a way that terminals do not know",
	 "端末が対応しない暗号化です"},
	{REPORT_TOO_MANY, "with more partitions than terminals take", "パーティションが多すぎます"},
	{REPORT_TABLE, "with a damaged partition table", "パーティション表が壊れています"},
	{REPORT_SLACK, "with something outside of its encrypted volumes",
	 "暗号化領域の外に何かがあります"},
};

const char *target_survey_text(unsigned int outcome, bool japanese)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].outcome == outcome)
			return japanese ? texts[i].ja : texts[i].en;
	return japanese ? "読み取れません" : "not to be read";
}
