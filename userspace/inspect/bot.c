// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One command, as BOT 1.0 draws it in 5.3 and figure 2:
 *
 *   CBW out ──ok──► data in ──ok, short──► CSW in ──valid──► 0 or BOT_E_FAILED
 *     │               │ stall: clear halt ──►  │ stall: clear halt, once more (6.7.2)
 *     │ stall,        │ too much               │ stall again, not valid, not meaningful,
 *     │ slow          ▼                        ▼ phase error
 *     └──────────► reset recovery (5.3.4) ──► BOT_E_RESET, or BOT_E_BROKEN
 */
#include "inspect/bot.h"

#include <stdbool.h>
#include <string.h>

#include "core/bytes.h"

#define CBW_LEN 31 /* 5.1 */
#define CSW_LEN 13 /* 5.2 */
#define CBW_SIGNATURE 0x43425355u
#define CSW_SIGNATURE 0x53425355u
#define CBW_FLAG_IN 0x80
#define CSW_PASSED 0
#define CSW_FAILED 1
#define CSW_PHASE_ERROR 2

#define LUN_MAX 15 /* 3.2 */

/*
 * A device must be ready for a command after it has sent the last status (3.3); one that was left
 * in the middle of an earlier inspection may not be, and a reset wakes it. Bounded, so that there
 * is time left for that.
 */
#define CBW_MS 1500
/* Requests on the control endpoint: USB 2.0, 9.2.6.4 allows 500 ms for one with data. */
#define CONTROL_MS 1000

void bot_init(struct bot *bot, const struct bot_transport *ops, void *ctx, uint64_t deadline)
{
	memset(bot, 0, sizeof(*bot));
	bot->ops = ops;
	bot->ctx = ctx;
	bot->deadline = deadline;
	bot->detail = "";
}

static int bot_refuse(struct bot *bot, int code, const char *detail)
{
	bot->detail = detail;
	return code;
}

uint64_t bot_left(const struct bot *bot)
{
	uint64_t now = bot->ops->now(bot->ctx);

	return now < bot->deadline ? bot->deadline - now : 0;
}

/* Milliseconds left, at most `cap`; 0 when the deadline has passed. */
static unsigned int time_left(const struct bot *bot, unsigned int cap)
{
	uint64_t left = bot_left(bot);

	return left < cap ? (unsigned int)left : cap;
}

static int bot_expire(struct bot *bot)
{
	return bot_refuse(bot, BOT_E_TIMEOUT, "no answer before the deadline");
}

int bot_wait(struct bot *bot, unsigned int ms)
{
	unsigned int left = time_left(bot, ms);

	if (left)
		bot->ops->sleep(bot->ctx, left);
	return left < ms ? bot_expire(bot) : 0;
}

static int bot_clear_halt(struct bot *bot, int (*clear)(void *ctx, unsigned int ms))
{
	unsigned int ms = time_left(bot, CONTROL_MS);
	int r = ms ? clear(bot->ctx, ms) : BOT_E_TIMEOUT;

	if (r <= 0)
		return r;
	if (r == BOT_E_GONE)
		return bot_refuse(bot, r, "the device has gone");
	if (!time_left(bot, 1))
		return bot_expire(bot);
	return bot_refuse(bot, BOT_E_BROKEN, "clearing a halted endpoint failed");
}

/* 5.3.4: the class request, then both endpoints. `why` stays as the detail if it works. */
static int bot_recover(struct bot *bot, const char *why)
{
	unsigned int ms = time_left(bot, CONTROL_MS);
	int r;

	if (!ms)
		return bot_expire(bot);
	r = bot->ops->reset(bot->ctx, ms);
	if (!r)
		r = bot_clear_halt(bot, bot->ops->clear_halt_in);
	if (!r)
		r = bot_clear_halt(bot, bot->ops->clear_halt_out);

	if (r < 0)
		return r;
	if (r == BOT_E_GONE)
		return bot_refuse(bot, r, "the device has gone");
	if (r && !time_left(bot, 1))
		return bot_expire(bot);
	bot->detail = why;
	return r ? BOT_E_BROKEN : BOT_E_RESET;
}

static void put_le32(uint8_t *p, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static int bot_send_command(struct bot *bot, uint8_t lun, const struct scsi_cdb *cdb)
{
	uint8_t cbw[CBW_LEN] = {0};
	unsigned int ms = time_left(bot, CBW_MS);
	size_t done = 0;
	int r;

	if (!ms)
		return bot_expire(bot);
	put_le32(cbw, CBW_SIGNATURE);
	put_le32(cbw + 4, ++bot->tag);
	put_le32(cbw + 8, cdb->expect);
	cbw[12] = cdb->expect ? CBW_FLAG_IN : 0;
	cbw[13] = lun & 0x0f;
	cbw[14] = cdb->len;
	memcpy(cbw + 15, cdb->bytes, cdb->len);

	bot->commands++;
	r = bot->ops->bulk_out(bot->ctx, cbw, sizeof(cbw), &done, ms);
	switch (r) {
	case 0:
		return done == sizeof(cbw) ? 0 : bot_recover(bot, "the device took half a command");
	case BOT_E_STALL: /* 6.6.1 */
		return bot_recover(bot, "the device stalled a command");
	case BOT_E_TIMEOUT:
		return bot_recover(bot, "the device did not take a command");
	case BOT_E_GONE:
		return bot_refuse(bot, r, "the device has gone");
	default:
		return bot_refuse(bot, r, "sending a command failed");
	}
}

static int bot_receive_data(struct bot *bot, const struct scsi_cdb *cdb, uint8_t *data, size_t *got)
{
	unsigned int ms = time_left(bot, UINT32_MAX);
	int r;

	if (!ms)
		return bot_expire(bot);
	r = bot->ops->bulk_in(bot->ctx, data, cdb->expect, got, ms);
	switch (r) {
	case 0:
		return 0;
	case BOT_E_STALL: /* 6.7.2: the device has no more data; the status follows */
		return bot_clear_halt(bot, bot->ops->clear_halt_in);
	case BOT_E_TIMEOUT:
		return bot_expire(bot);
	case BOT_E_OVERFLOW:
		return bot_recover(bot, "the device sent more data than asked for");
	case BOT_E_GONE:
		return bot_refuse(bot, r, "the device has gone");
	default:
		return bot_refuse(bot, r, "reading data failed");
	}
}

/* Reads the status; 6.3 says when it is valid and meaningful. */
static int bot_receive_status(struct bot *bot, const struct scsi_cdb *cdb, size_t *got)
{
	uint8_t csw[CSW_LEN];
	struct bytes b = {.data = csw, .len = sizeof(csw)};
	unsigned int ms;
	uint32_t residue;
	size_t done = 0;
	int r = 0;

	for (int attempt = 0; attempt < 2; attempt++) {
		ms = time_left(bot, UINT32_MAX);
		if (!ms)
			return bot_expire(bot);
		r = bot->ops->bulk_in(bot->ctx, csw, sizeof(csw), &done, ms);
		/* An empty packet in front of it ends data that filled its last packet. */
		if (r == 0 && done > 0)
			break;
		if (r == BOT_E_STALL) {
			int cleared = bot_clear_halt(bot, bot->ops->clear_halt_in);

			if (cleared)
				return cleared;
		} else if (r) {
			break;
		}
	}

	switch (r) {
	case 0:
		break;
	case BOT_E_STALL:
		return bot_recover(bot, "the device stalled the status twice");
	case BOT_E_TIMEOUT:
		return bot_expire(bot);
	case BOT_E_OVERFLOW:
		return bot_recover(bot, "the status is too long");
	case BOT_E_GONE:
		return bot_refuse(bot, r, "the device has gone");
	default:
		return bot_refuse(bot, r, "reading the status failed");
	}

	if (done != sizeof(csw))
		return bot_recover(bot, "the status is too short");
	if (bytes_u32_le(&b, 0) != CSW_SIGNATURE)
		return bot_recover(bot, "the status has no signature");
	if (bytes_u32_le(&b, 4) != bot->tag)
		return bot_recover(bot, "the status belongs to another command");

	residue = bytes_u32_le(&b, 8);
	switch (csw[12]) {
	case CSW_PASSED:
	case CSW_FAILED:
		if (residue > cdb->expect)
			return bot_recover(bot, "the status leaves more than was asked for");
		break;
	case CSW_PHASE_ERROR:
		return bot_recover(bot, "the device reports a phase error");
	default:
		return bot_recover(bot, "the status has an unknown value");
	}
	/*
	 * Residues of real sticks are often wrong, so one is believed only where data is missing
	 * anyway. A device that fills up with padding gains nothing: each answer is checked by its
	 * parser, and all of it is the device's word either way.
	 */
	if (*got<cdb->expect && * got> cdb->expect - residue)
		*got = cdb->expect - residue;
	return csw[12] == CSW_FAILED ? bot_refuse(bot, BOT_E_FAILED, "command failed") : 0;
}

int bot_command(struct bot *bot, uint8_t lun, const struct scsi_cdb *cdb, uint8_t *data,
		size_t *got)
{
	int r;

	*got = 0;
	r = bot_send_command(bot, lun, cdb);
	if (!r && cdb->expect)
		r = bot_receive_data(bot, cdb, data, got);
	if (!r)
		r = bot_receive_status(bot, cdb, got);
	if (r)
		*got = 0;
	return r;
}

int bot_get_max_lun(struct bot *bot, uint8_t *max_lun)
{
	unsigned int ms = time_left(bot, CONTROL_MS);
	int r;

	if (!ms)
		return bot_expire(bot);
	*max_lun = 0;
	r = bot->ops->get_max_lun(bot->ctx, max_lun, ms);
	if (r == BOT_E_STALL) {
		*max_lun = 0;
		return 0;
	}
	if (r)
		return bot_refuse(bot, r, "asking for the number of units failed");
	if (*max_lun > LUN_MAX)
		return bot_refuse(bot, BOT_E_RESET, "impossible number of units");
	return 0;
}
