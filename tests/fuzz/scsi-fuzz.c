// SPDX-License-Identifier: GPL-2.0-or-later
/* What a device answers to SCSI commands, and the inspector's report, as the daemon gets it. */
#include "core/fsmagic.h"
#include "core/scsi.h"
#include "medium.h"

static void check_answers(const uint8_t *data, size_t len)
{
	struct scsi_inquiry inquiry;
	struct scsi_capacity capacity;
	struct scsi_sense sense;
	bool protected;

	if (!scsi_parse_inquiry(data, len, &inquiry))
		must(memchr(inquiry.vendor, 0, sizeof(inquiry.vendor)) &&
			     memchr(inquiry.product, 0, sizeof(inquiry.product)) &&
			     memchr(inquiry.revision, 0, sizeof(inquiry.revision)),
		     "a name does not end");
	if (!scsi_parse_sense(data, len, &sense))
		must(sense.key < 16, "sense key");
	for (int i = 0; i < 2; i++)
		if (!(i ? scsi_parse_capacity16 : scsi_parse_capacity10)(data, len, &capacity))
			must(capacity.blocks && scsi_block_size_ok(capacity.block_size) &&
				     capacity.blocks <= UINT64_MAX / capacity.block_size,
			     "capacity");
	(void)scsi_parse_write_protect(data, len, &protected);
	(void)fsmagic_find(data, len);
}

/* A proof of two disks, to be tampered with. */
static void sample_report(struct report *report)
{
	struct volume volume = {
		.method = ENCRYPTION_LUKS2,
		.keyslots = 2,
		.uuid = "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11",
		.label = "\xe8\xb2\xb8\xe5\x87\xba",
		.cipher = "aes-xts-plain64",
		.kdf = "argon2id",
	};

	report_init(report, REPORT_PROVED);
	report->n_units = 2;
	for (uint8_t i = 0; i < 2; i++) {
		report->units[i].state = REPORT_UNIT_DISK;
		report->units[i].block_size = 512;
		report->units[i].blocks = 1 << 20;
		report->units[i].digest[0] = 1;
		volume.uuid[0] = (char)('0' + i);
		must(report_add_volume(report, i, 0, 0, 512ull << 20, &volume), "report is full");
	}
}

static void check_report(struct input *in)
{
	struct report report, checked, again;

	sample_report(&report);
	must(report_check(&report, sizeof(report), &checked), "sample is refused");
	input_patch(in, (uint8_t *)&report, sizeof(report));
	if (!report_check(&report, sizeof(report), &checked))
		return;
	must(!memcmp(&report, &checked, sizeof(report)), "a report changes when it is checked");
	must(report_check(&checked, sizeof(checked), &again) &&
		     !memcmp(&checked, &again, sizeof(again)),
	     "a report is taken once only");
	must(strcmp(report_outcome_name(checked.outcome), "unknown") != 0, "outcome");
	must(checked.n_units <= REPORT_UNITS_MAX && checked.n_volumes <= REPORT_VOLUMES_MAX,
	     "number of units or volumes");
	must(!checked.n_volumes || checked.outcome == REPORT_PROVED, "volumes without a proof");
	for (size_t i = 0; i < checked.n_volumes; i++) {
		const struct report_volume *v = &checked.volumes[i];
		const struct report_unit *u = &checked.units[v->unit];

		must(v->unit < checked.n_units && u->state == REPORT_UNIT_DISK, "unit of a volume");
		must(v->offset <= u->blocks * u->block_size &&
			     v->size <= u->blocks * u->block_size - v->offset,
		     "a volume leaves its disk");
		must(!v->has_mark || mark_ok(&v->mark), "mark");
		must(report_find_uuid(&checked, v->uuid), "a volume is not found");
	}
}

/* Any text can be reported. */
static void check_text(struct input *in)
{
	struct report report, checked;
	char text[256];
	size_t len;
	const uint8_t *bytes = input_bytes(in, sizeof(text) - 1, &len);

	memcpy(text, bytes, len);
	text[len] = '\0';
	sample_report(&report);
	report_set_text(report.detail, sizeof(report.detail), text, true);
	report_set_text(report.units[0].vendor, sizeof(report.units[0].vendor), text, true);
	report_set_text(report.volumes[0].label, sizeof(report.volumes[0].label), text, false);
	must(report_check(&report, sizeof(report), &checked), "a text that was set is refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	switch (input_number(&in, 1)) {
	case 'r':
		check_report(&in);
		break;
	case 't':
		check_text(&in);
		break;
	default:
		check_answers(in.data, in.len);
	}
	return 0;
}
