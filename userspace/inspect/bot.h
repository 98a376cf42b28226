/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB Mass Storage Class, Bulk-Only Transport, revision 1.0 ("BOT"), host side, for commands that
 * read or carry no data: nothing here can send data to a medium.
 *
 * The wire is behind a table of operations, so that a test can play the device. All waiting is
 * bounded by one deadline on the clock that the table gives.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/scsi.h"

/* Outcomes. Transport operations return 0 or one of the first five, or a negative errno. */
enum {
	BOT_E_STALL = 1,    /* the endpoint or the request was halted */
	BOT_E_TIMEOUT = 2,  /* nothing came in time */
	BOT_E_GONE = 3,     /* the device has gone, or was taken away */
	BOT_E_IO = 4,       /* the transfer failed on the wire */
	BOT_E_OVERFLOW = 5, /* the device sent more than was asked for */
	BOT_E_FAILED = 6,   /* well-formed status "command failed": ask for sense data */
	BOT_E_RESET = 7,    /* the device broke the protocol; it was reset and may be asked again */
	BOT_E_BROKEN = 8,   /* … and the reset did not work either */
};

/* Timeouts are in milliseconds, at least 1. */
struct bot_transport {
	int (*bulk_out)(void *ctx, const uint8_t *data, size_t len, size_t *done, unsigned int ms);
	int (*bulk_in)(void *ctx, uint8_t *data, size_t len, size_t *done, unsigned int ms);
	int (*clear_halt_out)(void *ctx, unsigned int ms);
	int (*clear_halt_in)(void *ctx, unsigned int ms);
	int (*reset)(void *ctx, unsigned int ms);                         /* BOT 1.0, 3.1 */
	int (*get_max_lun)(void *ctx, uint8_t *max_lun, unsigned int ms); /* BOT 1.0, 3.2 */
	uint64_t (*now)(void *ctx); /* milliseconds, never backwards */
	void (*sleep)(void *ctx, unsigned int ms);
};

struct bot {
	const struct bot_transport *ops; /* not owned */
	void *ctx;                       /* for the operations */
	uint64_t deadline;               /* milliseconds on ops->now */
	uint32_t tag;                    /* of the last command */
	uint32_t commands;               /* sent so far */
	const char *detail;              /* what went wrong last, one line of ASCII; never NULL */
};

void bot_init(struct bot *bot, const struct bot_transport *ops, void *ctx, uint64_t deadline);

/* The highest LUN, 0 to 15. A stall means 0 (3.2). Else returns an outcome. */
int bot_get_max_lun(struct bot *bot, uint8_t *max_lun);

/*
 * One command to one logical unit, with up to cdb->expect bytes of answer into `data`. Returns 0
 * with the number of bytes that came in *got, or an outcome.
 */
int bot_command(struct bot *bot, uint8_t lun, const struct scsi_cdb *cdb, uint8_t *data,
		size_t *got);

/* Milliseconds until the deadline. */
uint64_t bot_left(const struct bot *bot);

/* Sleeps, but not beyond the deadline: then returns BOT_E_TIMEOUT. */
int bot_wait(struct bot *bot, unsigned int ms);
