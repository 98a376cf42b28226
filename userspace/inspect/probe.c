// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   units ─► INQUIRY ─► TEST UNIT READY, until ready ─► MODE SENSE ─► READ CAPACITY
 *         ─► first 4096 bytes ─► rest of the LUKS2 header ─► outcome
 *
 * Every step either goes on (true) or has set the report's outcome (false).
 */
#include "inspect/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/luks2.h"
#include "core/macro.h"

/* Two unit attentions in a row are common (power on, medium changed); more than this is a game. */
#define ATTENTION_MAX 4
/* Between questions to a disk that spins up. */
#define NOT_READY_MS 200
/* One READ: what every stick can do, and below usbfs's limits. */
#define READ_MAX ((size_t)64 << 10)

struct probe {
	struct bot *bot;
	struct report *report;
	struct scsi_sense sense; /* of the last BOT_E_FAILED */
	bool was_reset;          /* the one second chance after a broken protocol is used up */
};

_printf_(3, 4) static bool probe_end(struct probe *p, enum report_outcome outcome,
				     const char *format, ...)
{
	char detail[2 * REPORT_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	p->report->outcome = (uint16_t)outcome;
	report_set_text(p->report->detail, sizeof(p->report->detail), detail, true);
	return false;
}

/* Ends with what a failed transport or a failed command means. */
static bool probe_fail(struct probe *p, int error, const char *step)
{
	enum report_outcome outcome = REPORT_BAD_ANSWER;

	if (error < 0)
		return probe_end(p, REPORT_INTERNAL, "%s: %s", step, strerror(-error));
	if (error == BOT_E_FAILED)
		return probe_end(p, outcome, "%s: refused, sense %x/%02x/%02x", step, p->sense.key,
				 p->sense.asc, p->sense.ascq);
	if (error == BOT_E_TIMEOUT)
		outcome = REPORT_TIMEOUT;
	else if (error == BOT_E_GONE || error == BOT_E_IO)
		outcome = REPORT_TRANSPORT;
	return probe_end(p, outcome, "%s: %s", step, p->bot->detail);
}

/*
 * One command with what every command needs around it: sense data after a failure, once more after
 * a unit attention (SPC-4, 5.14: the command was not carried out), and once in an inspection after
 * a reset: an earlier inspector may have been killed in the middle of a command.
 */
static int probe_ask(struct probe *p, const struct scsi_cdb *cdb, uint8_t *data, size_t *got)
{
	struct scsi_cdb sense_cdb;
	uint8_t sense[SCSI_SENSE_LEN];
	size_t sense_got;
	int r;

	scsi_build_request_sense(&sense_cdb);
	for (int attention = 0;;) {
		r = bot_command(p->bot, 0, cdb, data, got);
		if (r == BOT_E_RESET && !p->was_reset) {
			p->was_reset = true;
			continue;
		}
		if (r != BOT_E_FAILED)
			return r;

		r = bot_command(p->bot, 0, &sense_cdb, sense, &sense_got);
		if (r == BOT_E_FAILED || (!r && scsi_parse_sense(sense, sense_got, &p->sense))) {
			p->bot->detail = "no sense data after a failure";
			return BOT_E_RESET;
		}
		if (r)
			return r;
		if (p->sense.key != SCSI_KEY_UNIT_ATTENTION || ++attention == ATTENTION_MAX)
			return BOT_E_FAILED;
	}
}

static bool probe_units(struct probe *p)
{
	uint8_t max_lun;
	int r = bot_get_max_lun(p->bot, &max_lun);

	if (r)
		return probe_fail(p, r, "Get Max LUN");
	p->report->luns = (uint8_t)(max_lun + 1);
	return true;
}

static bool probe_inquiry(struct probe *p)
{
	struct report *report = p->report;
	struct scsi_inquiry inquiry;
	uint8_t data[SCSI_INQUIRY_LEN];
	struct scsi_cdb cdb;
	size_t got;
	int r;

	scsi_build_inquiry(&cdb);
	r = probe_ask(p, &cdb, data, &got);
	if (r)
		return probe_fail(p, r, "INQUIRY");
	if (scsi_parse_inquiry(data, got, &inquiry))
		return probe_end(p, REPORT_BAD_ANSWER, "INQUIRY: %zu bytes are too few", got);

	report_set_text(report->vendor, sizeof(report->vendor), inquiry.vendor, true);
	report_set_text(report->product, sizeof(report->product), inquiry.product, true);
	report_set_text(report->revision, sizeof(report->revision), inquiry.revision, true);
	if (inquiry.qualifier != 0 || inquiry.type != SCSI_TYPE_DISK)
		return probe_end(p, REPORT_NOT_DISK, "peripheral type %02x, qualifier %u",
				 inquiry.type, inquiry.qualifier);
	if (report->luns != 1)
		return probe_end(p, REPORT_LUNS, "%u logical units", report->luns);
	return true;
}

static bool probe_ready(struct probe *p)
{
	struct scsi_cdb cdb;
	size_t got;
	int r;

	scsi_build_test_unit_ready(&cdb);
	for (;;) {
		r = probe_ask(p, &cdb, NULL, &got);
		if (!r)
			return true;
		if (r != BOT_E_FAILED)
			return probe_fail(p, r, "TEST UNIT READY");
		if (p->sense.asc == SCSI_ASC_NO_MEDIUM)
			return probe_end(p, REPORT_NO_MEDIUM, "no medium in the reader");
		/* Becoming ready; some say so with no sense at all. */
		if (p->sense.key != SCSI_KEY_NO_SENSE && p->sense.key != SCSI_KEY_NOT_READY)
			return probe_fail(p, r, "TEST UNIT READY");
		r = bot_wait(p->bot, NOT_READY_MS);
		if (r)
			return probe_end(p, REPORT_TIMEOUT, "not ready in time, sense %x/%02x/%02x",
					 p->sense.key, p->sense.asc, p->sense.ascq);
	}
}

/* Many sticks refuse this one; then they are not write-protected as far as anybody can know. */
static bool probe_write_protect(struct probe *p)
{
	uint8_t data[SCSI_MODE_SENSE_LEN];
	struct scsi_cdb cdb;
	bool protected;
	size_t got;
	int r;

	scsi_build_mode_sense(&cdb);
	r = probe_ask(p, &cdb, data, &got);
	if (r && r != BOT_E_FAILED && r != BOT_E_RESET)
		return probe_fail(p, r, "MODE SENSE");
	if (!r && !scsi_parse_write_protect(data, got, &protected))
		p->report->write_protected = protected;
	return true;
}

static bool probe_capacity(struct probe *p)
{
	struct scsi_capacity capacity;
	uint8_t data[SCSI_CAPACITY16_LEN];
	struct scsi_cdb cdb;
	size_t got;
	int r;

	scsi_build_capacity10(&cdb);
	r = probe_ask(p, &cdb, data, &got);
	if (r)
		return probe_fail(p, r, "READ CAPACITY (10)");
	r = scsi_parse_capacity10(data, got, &capacity);
	if (r == SCSI_E_LARGE) {
		scsi_build_capacity16(&cdb);
		r = probe_ask(p, &cdb, data, &got);
		if (r)
			return probe_fail(p, r, "READ CAPACITY (16)");
		r = scsi_parse_capacity16(data, got, &capacity);
	}
	if (r == SCSI_E_SHORT)
		return probe_end(p, REPORT_BAD_ANSWER, "READ CAPACITY: %zu bytes are too few", got);
	if (r)
		return probe_end(p, REPORT_BAD_ANSWER, "READ CAPACITY: impossible size");
	if (capacity.blocks * capacity.block_size < LUKS2_BINARY_LEN)
		return probe_end(p, REPORT_BAD_ANSWER, "READ CAPACITY: %u bytes in all",
				 (unsigned int)(capacity.blocks * capacity.block_size));
	p->report->blocks = capacity.blocks;
	p->report->block_size = capacity.block_size;
	return true;
}

/* `offset` and `len` are multiples of 4096, and so of every block size; within the medium. */
static bool probe_read(struct probe *p, uint8_t *data, uint64_t offset, size_t len)
{
	const uint32_t block = p->report->block_size;
	struct scsi_cdb cdb;
	size_t got;
	int r;

	while (len > 0) {
		size_t n = len < READ_MAX ? len : READ_MAX;

		scsi_build_read(&cdb, offset / block, (uint16_t)(n / block), block);
		r = probe_ask(p, &cdb, data, &got);
		if (r)
			return probe_fail(p, r, "READ");
		p->report->bytes_read += got;
		if (got < n)
			return probe_end(p, REPORT_BAD_ANSWER, "READ: %zu of %zu bytes", got, n);
		data += n;
		offset += n;
		len -= n;
	}
	return true;
}

/* What a plain medium starts with, for the person who reads the log. */
static const char *plain_kind(const uint8_t *first)
{
	if (first[510] == 0x55 && first[511] == 0xaa)
		return "starts with a partition table or boot sector";
	for (size_t i = 0; i < LUKS2_BINARY_LEN; i++)
		if (first[i])
			return "starts with neither LUKS nor a partition table";
	return "starts with zeroes";
}

static bool probe_luks(struct probe *p)
{
	struct report *report = p->report;
	const uint64_t medium = report->blocks * report->block_size;
	_cleanup_(freep) uint8_t *header = NULL;
	uint8_t first[LUKS2_BINARY_LEN];
	char detail[LUKS2_DETAIL_MAX];
	struct luks2 luks;
	size_t size;
	int r;

	if (!probe_read(p, first, 0, sizeof(first)))
		return false;
	r = luks2_header_size(first, &size, detail);
	if (r == LUKS2_E_NOT_LUKS)
		return probe_end(p, REPORT_PLAIN, "%s", plain_kind(first));
	if (r)
		return probe_end(p, r == LUKS2_E_VERSION ? REPORT_LUKS_OTHER : REPORT_LUKS_BAD,
				 "%s", detail);
	if (size > medium)
		return probe_end(p, REPORT_LUKS_BAD, "the header is larger than the medium");

	/* What was read once is not read again: a device may answer differently every time. */
	header = malloc(size);
	if (!header)
		return probe_fail(p, -ENOMEM, "LUKS2 header");
	memcpy(header, first, sizeof(first));
	if (!probe_read(p, header + sizeof(first), sizeof(first), size - sizeof(first)))
		return false;

	r = luks2_parse(header, size, medium, &luks, detail);
	if (r < 0)
		return probe_fail(p, r, "LUKS2 header");
	if (r)
		return probe_end(p, REPORT_LUKS_BAD, "%s", detail);

	report->outcome = REPORT_LUKS2;
	report->luks_keyslots = luks.keyslots;
	report_set_text(report->luks_uuid, sizeof(report->luks_uuid), luks.uuid, true);
	report_set_text(report->luks_label, sizeof(report->luks_label), luks.label, false);
	report_set_text(report->luks_cipher, sizeof(report->luks_cipher), luks.cipher, true);
	return true;
}

void probe_run(struct bot *bot, struct report *report)
{
	struct probe p = {.bot = bot, .report = report};

	(void)(probe_units(&p) && probe_inquiry(&p) && probe_ready(&p) && probe_write_protect(&p) &&
	       probe_capacity(&p) && probe_luks(&p));
	report->commands = bot->commands;
}
