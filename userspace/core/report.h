/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record that sekimori-inspect hands to sekimorid: one fixed-size structure, written once to
 * the pipe that the daemon gave it. The daemon trusts nothing in it before report_check() has said
 * yes: the inspector has talked to a hostile device and may be owned by it.
 *
 * A device has units (logical units, LUNs). A unit is empty, or a disk, which holds volumes: one on
 * the whole disk, or one in every partition. The outcome is REPORT_PROVED only if every unit is
 * either empty or a disk of which every volume was proved, and at least one was.
 *
 * It is larger than what a pipe takes in one atomic write, and smaller than what a pipe holds: the
 * reader finds all of it when the writer has gone, or takes it for none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/volume.h"

#define REPORT_MAGIC 0x4b455331u /* "1SEK" as little-endian bytes */
#define REPORT_VERSION 2

/* What the inspection came to. Adding an outcome is adding a row in report.c's table with its rank. */
enum report_outcome {
	REPORT_PROVED = 1,     /* everything on the medium is proved encrypted: see the volumes */
	REPORT_PLAIN = 2,      /* a disk or a partition is not encrypted, or not all of it */
	REPORT_DAMAGED = 3,    /* an encryption header that is damaged or lies */
	REPORT_UNKNOWN = 4,    /* encrypted in a version or with a demand that is not known */
	REPORT_NO_MEDIUM = 5,  /* every unit is empty */
	REPORT_TOO_MANY = 6,   /* more units or volumes than can be proved */
	REPORT_NOT_DISK = 7,   /* a unit says that it is no direct-access block device */
	REPORT_BAD_ANSWER = 8, /* the device answered SCSI or BOT in a way that cannot be right */
	REPORT_TRANSPORT = 9,  /* no bulk-only interface, or transfers fail */
	REPORT_TIMEOUT = 10,   /* the device did not answer in time */
	REPORT_INTERNAL = 11,  /* the inspector itself failed (sandbox, memory) */
	REPORT_TABLE = 12,     /* a partition table that is damaged or contradicts itself */
	REPORT_SLACK = 13,     /* space outside the volumes holds a file system, or could hide one */
};

enum report_unit_state {
	REPORT_UNIT_UNKNOWN = 0, /* the inspection did not get so far */
	REPORT_UNIT_EMPTY = 1,	 /* a reader's slot with nothing in it */
	REPORT_UNIT_DISK = 2,
	REPORT_UNIT_OTHER = 3, /* another type of device: see `type` */
};

#define REPORT_UNITS_MAX 16   /* LUN is a number of 4 bits in BOT */
#define REPORT_VOLUMES_MAX 16 /* in all units together */
#define REPORT_VENDOR_MAX 9   /* INQUIRY: 8 bytes and NUL */
#define REPORT_PRODUCT_MAX 17 /* INQUIRY: 16 bytes and NUL */
#define REPORT_REVISION_MAX 5
#define REPORT_DIGEST_SIZE 32
#define REPORT_DETAIL_MAX 96 /* one line of English for the log: what exactly was wrong; printable ASCII */

struct report_unit {
	uint64_t blocks;	 /* number of blocks of block_size; 0 unless a disk */
	uint32_t block_size;	 /* bytes; 0 unless a disk */
	uint8_t state;		 /* enum report_unit_state */
	uint8_t type;		 /* SCSI peripheral device type */
	uint8_t write_protected; /* 0 or 1 */
	uint8_t table;		 /* enum ptable_kind */
	/*
	 * BLAKE2b-256 over size and the bytes that the verdict rests on, in order, but for those that change
	 * while a volume is used; zero until then.
	 */
	uint8_t digest[REPORT_DIGEST_SIZE];
	char vendor[REPORT_VENDOR_MAX]; /* printable ASCII, these three */
	char product[REPORT_PRODUCT_MAX];
	char revision[REPORT_REVISION_MAX];
	uint8_t blank; /* 1: nothing but zeros wherever SURVEY_BLANK_… looked */
};

struct report_volume {
	uint64_t offset;    /* bytes from the start of its unit */
	uint64_t size;	    /* bytes */
	uint32_t keyslots;  /* 0 if the method cannot tell */
	uint16_t partition; /* the kernel's number of it; 0 the whole disk */
	uint8_t unit;
	uint8_t method; /* one bit of ENCRYPTION_PROVABLE */
	uint8_t has_mark;
	uint8_t pad[1];		      /* zero */
	char uuid[VOLUME_UUID_MAX];   /* lower-case, canonical 8-4-4-4-12 form */
	char label[VOLUME_LABEL_MAX]; /* may be any UTF-8, or empty */
	char cipher[VOLUME_CIPHER_MAX];
	char kdf[VOLUME_KDF_MAX];
	uint8_t binding[MARK_BINDING_SIZE];
	struct mark mark;   /* zero without has_mark; mark_ok() with it */
	uint8_t pad_end[2]; /* zero; makes the size a multiple of 8 without a hole */
};

struct report {
	uint32_t magic;
	uint16_t version;
	uint16_t outcome;    /* enum report_outcome */
	uint32_t commands;   /* SCSI commands sent */
	uint8_t n_units;     /* at least 1, or 0 if unknown */
	uint8_t n_volumes;   /* 0 unless proved */
	uint8_t pad[2];	     /* zero */
	uint64_t bytes_read; /* data bytes read from the medium */
	uint64_t elapsed_us; /* microseconds from start to report */
	char detail[REPORT_DETAIL_MAX];
	struct report_unit units[REPORT_UNITS_MAX];
	struct report_volume volumes[REPORT_VOLUMES_MAX]; /* by unit, then by offset */
};

/* Empty report with magic, version and outcome set: every other byte is zero. */
void report_init(struct report *report, enum report_outcome outcome);

/*
 * Copies text that a device wrote into a field of `size` bytes so that report_check() accepts it:
 * control characters and bytes that are not UTF-8 become '?', with `ascii` everything but printable
 * ASCII does; what does not fit is cut at a character's boundary; the rest of the field is zeroed.
 */
void report_set_text(char *field, size_t size, const char *text, bool ascii);

/* Appends a proved volume, its texts made acceptable as above. False if there is no room. */
bool report_add_volume(struct report *report, uint8_t unit, uint16_t partition, uint64_t offset,
		       uint64_t size, const struct volume *volume);

/*
 * Makes `outcome` the report's if it is worse than the one that is there, with its detail: the worst
 * of all units wins, and the first of equally bad ones tells about itself. To be called on a report
 * that began with REPORT_PROVED.
 */
void report_worsen(struct report *report, enum report_outcome outcome, const char *detail);

/* After the last unit: REPORT_NO_MEDIUM if all are empty; volumes only stay in a proof. */
void report_conclude(struct report *report);

/*
 * Says whether `buf` is a well-formed report: length, magic, version, a known outcome, strings that
 * end inside their fields and hold valid UTF-8 without control characters, units of which only disks
 * have a size; volumes in order, within their disks, without overlaps, with canonical UUIDs and
 * ciphers; volumes only with REPORT_PROVED, and then in every disk; zero padding. On success copies
 * it to *report; on failure leaves *report alone.
 */
bool report_check(const void *buf, size_t len, struct report *report);

/* Short stable word for an outcome ("proved", "plain", …); "unknown" for anything else. */
const char *report_outcome_name(unsigned int outcome);

/* The first proved volume with this UUID, or NULL. */
const struct report_volume *report_find_uuid(const struct report *report, const char *uuid);

/* Is it one single disk, and did nothing but zeros show on it? */
bool report_is_blank(const struct report *report);

/* Are both disks, of one size and table, that gave the same bytes wherever a survey looked? */
bool report_unit_same(const struct report_unit *a, const struct report_unit *b);
