/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record that sekimori-inspect hands to sekimorid: one fixed-size structure, written once to
 * the pipe that the daemon gave it. The daemon trusts nothing in it before report_check() has said
 * yes: the inspector has talked to a hostile device and may be owned by it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_MAGIC 0x4b455331u /* "1SEK" as little-endian bytes */
#define REPORT_VERSION 1

/* What the inspection came to. Adding an outcome is adding a row in report.c's table. */
enum report_outcome {
	REPORT_LUKS2 = 1,	/* a valid LUKS2 header covers the medium */
	REPORT_PLAIN = 2,	/* no known encryption header at the start of the medium */
	REPORT_LUKS_BAD = 3,	/* a LUKS magic, but the header is damaged or lies */
	REPORT_LUKS_OTHER = 4,	/* LUKS version 1 or an unknown one */
	REPORT_NO_MEDIUM = 5,	/* a reader with nothing in it */
	REPORT_LUNS = 6,	/* more than one logical unit */
	REPORT_NOT_DISK = 7,	/* INQUIRY says something else than a direct-access block device */
	REPORT_BAD_ANSWER = 8,	/* the device answered SCSI or BOT in a way that cannot be right */
	REPORT_TRANSPORT = 9,	/* no bulk-only interface, or USB transfers fail */
	REPORT_TIMEOUT = 10,	/* the device did not answer in time */
	REPORT_INTERNAL = 11,	/* the inspector itself failed (sandbox, memory) */
};

#define REPORT_VENDOR_MAX 9   /* INQUIRY: 8 bytes and NUL */
#define REPORT_PRODUCT_MAX 17 /* INQUIRY: 16 bytes and NUL */
#define REPORT_REVISION_MAX 5
#define REPORT_UUID_MAX 40   /* as in the LUKS2 binary header */
#define REPORT_LABEL_MAX 48  /* as in the LUKS2 binary header */
#define REPORT_CIPHER_MAX 64 /* segment "encryption", e.g. "aes-xts-plain64" */
#define REPORT_DETAIL_MAX 96 /* one line of English for the log: what exactly was wrong */

struct report {
	uint32_t magic;
	uint16_t version;
	uint16_t outcome; /* enum report_outcome */
	uint32_t block_size;	/* bytes; 0 if unknown */
	uint32_t commands;	/* SCSI commands sent */
	uint64_t blocks;	/* number of blocks of block_size; 0 if unknown */
	uint64_t bytes_read;	/* data bytes read from the medium */
	uint64_t elapsed_us;	/* microseconds from start to report */
	uint8_t luns;		/* number of logical units, at least 1 */
	uint8_t write_protected; /* 0 or 1 */
	uint8_t pad[2];		/* zero */
	uint32_t luks_keyslots; /* number of keyslots in the LUKS2 JSON area */
	char vendor[REPORT_VENDOR_MAX];
	char product[REPORT_PRODUCT_MAX];
	char revision[REPORT_REVISION_MAX];
	char luks_uuid[REPORT_UUID_MAX];   /* lower-case, canonical 8-4-4-4-12 form, or empty */
	char luks_label[REPORT_LABEL_MAX]; /* may be any UTF-8, or empty */
	char luks_cipher[REPORT_CIPHER_MAX];
	char detail[REPORT_DETAIL_MAX]; /* printable ASCII */
	uint8_t pad_end[1];		/* zero; makes the size a multiple of 8 without a hole */
};

/* Empty report with magic, version and outcome set: every other byte is zero, except luns = 1. */
void report_init(struct report *report, enum report_outcome outcome);

/*
 * Copies text that a device wrote into a field of `size` bytes so that report_check() accepts it:
 * control characters and bytes that are not UTF-8 become '?', with `ascii` everything but printable
 * ASCII does; what does not fit is cut at a character's boundary; the rest of the field is zeroed.
 */
void report_set_text(char *field, size_t size, const char *text, bool ascii);

/*
 * Says whether `buf` is a well-formed report: length, magic, version, a known outcome, strings that
 * end inside their fields and hold valid UTF-8 without control characters, a canonical UUID if and
 * only if the outcome is REPORT_LUKS2 (which also needs a plausible medium, a cipher and a keyslot),
 * zero padding. On success copies it to *report; on failure leaves *report alone.
 */
bool report_check(const void *buf, size_t len, struct report *report);

/* Short stable word for an outcome ("luks2", "plain", …); "unknown" for anything else. */
const char *report_outcome_name(unsigned int outcome);
