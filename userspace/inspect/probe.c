// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   units ─► INQUIRY of each ─► for each disk:
 *
 *     TEST UNIT READY, until ready ─► MODE SENSE ─► READ CAPACITY ─► survey ─► next unit
 *        │ no medium: empty ─► next unit                  │
 *        └◄── medium changed in the middle, once ─────────┘
 *
 * Every step either goes on (true) or has worsened the report's outcome (false).
 */
#include "inspect/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "inspect/survey.h"

/* Two unit attentions in a row are common (power on, medium changed); more than this is a game. */
#define ATTENTION_MAX 4
/*
 * TEST UNIT READY is asked so often, whatever the sense data says: readers exist (QEMU's is one) that
 * have wrong sense data for a unit attention of all units but the first. Linux asks three times, too.
 */
#define REFUSALS_MAX 3
/* Between questions to a disk that spins up. */
#define NOT_READY_MS 200
/* One READ: what every stick can do, and below usbfs's limits. */
#define READ_MAX ((size_t)64 << 10)

struct probe {
	struct bot *bot;
	struct report *report;
	uint8_t lun;		 /* that is being asked */
	struct scsi_sense sense; /* of the last BOT_E_FAILED */
	bool was_reset;		 /* the one second chance after a broken protocol is used up */
	bool watching;		 /* from now on a change of medium matters … */
	bool changed;		 /* … and there was one */
	char failure[REPORT_DETAIL_MAX]; /* room for what probe_read() says */
};

_printf_(3, 4) static bool probe_end(struct probe *p, enum report_outcome outcome,
				     const char *format, ...)
{
	char detail[2 * REPORT_DETAIL_MAX];
	size_t n = 0;
	va_list args;

	if (p->report->n_units > 1)
		n = (size_t)snprintf(detail, sizeof(detail), "unit %u: ", p->lun);
	va_start(args, format);
	vsnprintf(detail + n, sizeof(detail) - n, format, args);
	va_end(args);
	report_worsen(p->report, outcome, detail);
	return false;
}

/* What a failed transport or a failed command means. */
static enum report_outcome probe_outcome(struct probe *p, int error, const char *step,
					 char detail[static REPORT_DETAIL_MAX])
{
	const char *why = error < 0 ? strerror(-error) : p->bot->detail;

	if (error == BOT_E_FAILED)
		snprintf(detail, REPORT_DETAIL_MAX, "%s: refused, sense %x/%02x/%02x", step,
			 p->sense.key, p->sense.asc, p->sense.ascq);
	else
		snprintf(detail, REPORT_DETAIL_MAX, "%s: %s", step, why);
	if (error < 0)
		return REPORT_INTERNAL;
	if (error == BOT_E_TIMEOUT)
		return REPORT_TIMEOUT;
	return error == BOT_E_GONE || error == BOT_E_IO ? REPORT_TRANSPORT : REPORT_BAD_ANSWER;
}

static bool probe_fail(struct probe *p, int error, const char *step)
{
	char detail[REPORT_DETAIL_MAX];
	enum report_outcome outcome = probe_outcome(p, error, step, detail);

	return probe_end(p, outcome, "%s", detail);
}

/*
 * Does the sense data say that another medium may be in the unit than before, or none? A reset (29h)
 * does not: it may be our own, after a broken protocol.
 */
static bool sense_is_change(const struct scsi_sense *sense)
{
	if (sense->asc == SCSI_ASC_NO_MEDIUM)
		return true;
	return sense->key == SCSI_KEY_UNIT_ATTENTION &&
	       (sense->asc == SCSI_ASC_MEDIUM_CHANGED ||
		sense->asc == SCSI_ASC_PARAMETERS_CHANGED ||
		sense->asc == SCSI_ASC_TARGET_CHANGED);
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
		r = bot_command(p->bot, p->lun, cdb, data, got);
		if (r == BOT_E_RESET && !p->was_reset) {
			p->was_reset = true;
			continue;
		}
		if (r != BOT_E_FAILED)
			return r;

		r = bot_command(p->bot, p->lun, &sense_cdb, sense, &sense_got);
		if (r == BOT_E_FAILED || (!r && scsi_parse_sense(sense, sense_got, &p->sense))) {
			p->bot->detail = "no sense data after a failure";
			return BOT_E_RESET;
		}
		if (r)
			return r;
		if (p->watching && sense_is_change(&p->sense)) {
			p->changed = true;
			return BOT_E_FAILED;
		}
		if (p->sense.key != SCSI_KEY_UNIT_ATTENTION || ++attention == ATTENTION_MAX)
			return BOT_E_FAILED;
	}
}

/* --- what the units are --- */

static bool probe_units(struct probe *p)
{
	uint8_t max_lun;
	int r = bot_get_max_lun(p->bot, &max_lun);

	if (r)
		return probe_fail(p, r, "Get Max LUN");
	p->report->n_units = (uint8_t)(max_lun + 1);
	return true;
}

static bool probe_inquiry(struct probe *p)
{
	struct report_unit *unit = &p->report->units[p->lun];
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

	report_set_text(unit->vendor, sizeof(unit->vendor), inquiry.vendor, true);
	report_set_text(unit->product, sizeof(unit->product), inquiry.product, true);
	report_set_text(unit->revision, sizeof(unit->revision), inquiry.revision, true);
	unit->type = inquiry.type;
	if (inquiry.qualifier != 0 || inquiry.type != SCSI_TYPE_DISK) {
		unit->state = REPORT_UNIT_OTHER;
		probe_end(p, REPORT_NOT_DISK, "peripheral type %02x, qualifier %u", inquiry.type,
			  inquiry.qualifier);
	}
	return true;
}

/* --- one unit --- */

/* False also for an empty unit, which is no failure. */
static bool probe_ready(struct probe *p)
{
	struct scsi_cdb cdb;
	size_t got;
	int r;

	scsi_build_test_unit_ready(&cdb);
	for (int refusals = 0;;) {
		r = probe_ask(p, &cdb, NULL, &got);
		if (!r)
			return true;
		if (r != BOT_E_FAILED)
			return probe_fail(p, r, "TEST UNIT READY");
		if (p->sense.asc == SCSI_ASC_NO_MEDIUM) {
			p->report->units[p->lun].state = REPORT_UNIT_EMPTY;
			return false;
		}
		/* Becoming ready; some say so with no sense at all. */
		if (p->sense.key != SCSI_KEY_NO_SENSE && p->sense.key != SCSI_KEY_NOT_READY) {
			if (p->sense.key == SCSI_KEY_UNIT_ATTENTION || ++refusals == REFUSALS_MAX)
				return probe_fail(p, r, "TEST UNIT READY");
			continue;
		}
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
	if (p->changed || (r && r != BOT_E_FAILED && r != BOT_E_RESET))
		return probe_fail(p, r, "MODE SENSE");
	if (!r && !scsi_parse_write_protect(data, got, &protected))
		p->report->units[p->lun].write_protected = protected;
	return true;
}

static bool probe_capacity(struct probe *p)
{
	struct report_unit *unit = &p->report->units[p->lun];
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
	unit->blocks = capacity.blocks;
	unit->block_size = capacity.block_size;
	unit->state = REPORT_UNIT_DISK;
	return true;
}

/* A survey_disk's function. What it says lies in the probe until the next call. */
static int probe_read(void *ctx, uint64_t offset, uint8_t *data, size_t len, const char **detail)
{
	struct probe *p = ctx;
	const uint32_t block = p->report->units[p->lun].block_size;
	struct scsi_cdb cdb;
	size_t got;
	int r;

	*detail = p->failure;
	while (len > 0) {
		size_t n = len < READ_MAX ? len : READ_MAX;

		scsi_build_read(&cdb, offset / block, (uint16_t)(n / block), block);
		r = probe_ask(p, &cdb, data, &got);
		if (r)
			return (int)probe_outcome(p, r, "READ", p->failure);
		if (got < n) {
			snprintf(p->failure, sizeof(p->failure), "READ: %zu of %zu bytes", got, n);
			return REPORT_BAD_ANSWER;
		}
		data += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static uint64_t probe_left(void *ctx)
{
	const struct probe *p = ctx;

	return bot_left(p->bot);
}

static void probe_disk(struct probe *p)
{
	const struct survey_disk disk = {.ctx = p, .read = probe_read, .left_ms = probe_left};

	p->watching = false;
	p->changed = false;
	if (!probe_ready(p))
		return;
	p->watching = true;
	if (probe_write_protect(p) && probe_capacity(p))
		survey_run(&disk, p->report, p->lun);
	p->watching = false;
}

/*
 * A medium that goes or comes in the middle leaves a survey of two halves: what it came to is thrown
 * away. Nobody changes media twice in a second.
 */
static void probe_unit(struct probe *p)
{
	struct report *report = p->report;
	const struct report before = *report;
	uint64_t bytes_read;

	for (int attempt = 0; attempt < 2; attempt++) {
		probe_disk(p);
		if (!p->changed)
			return;
		bytes_read = report->bytes_read;
		*report = before;
		report->bytes_read = bytes_read;
	}
	probe_end(p, REPORT_BAD_ANSWER, "the medium changes all the time");
}

/* After these the next unit would not answer, either. */
static bool probe_is_over(const struct probe *p)
{
	switch (p->report->outcome) {
	case REPORT_BAD_ANSWER:
	case REPORT_TIMEOUT:
	case REPORT_TRANSPORT:
	case REPORT_INTERNAL:
		return true;
	default:
		return false;
	}
}

static void probe_all(struct probe *p)
{
	struct report *report = p->report;

	if (!probe_units(p))
		return;
	for (p->lun = 0; p->lun < report->n_units; p->lun++)
		if (!probe_inquiry(p))
			return;
	for (p->lun = 0; p->lun < report->n_units && !probe_is_over(p); p->lun++)
		if (report->units[p->lun].state != REPORT_UNIT_OTHER)
			probe_unit(p);
}

void probe_run(struct bot *bot, struct report *report)
{
	struct probe p = {.bot = bot, .report = report};

	report->outcome = REPORT_PROVED;
	probe_all(&p);
	report_conclude(report);
	report->commands = bot->commands;
}
