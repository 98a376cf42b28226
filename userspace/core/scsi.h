/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few SCSI commands that an inspection needs, as pure functions: commands are built into
 * bytes, answers are parsed out of bytes that a device wrote and that may be anything.
 *
 * Sources: SPC-4 (INCITS 513, draft r37) for INQUIRY, REQUEST SENSE, TEST UNIT READY, MODE SENSE;
 * SBC-3 (INCITS 514, draft r36) for READ and READ CAPACITY. SCSI numbers are big-endian. There is
 * no command here that writes to a medium.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Outcomes of the parsers. */
enum {
	SCSI_E_SHORT = 1,   /* fewer bytes than the answer must have */
	SCSI_E_INVALID = 2, /* a value that cannot be right */
	SCSI_E_LARGE = 3,   /* READ CAPACITY (10): does not fit, ask with (16) */
};

#define SCSI_CDB_MAX 16
#define SCSI_INQUIRY_LEN 36    /* standard INQUIRY data up to the revision: SPC-4, 6.4.2 */
#define SCSI_SENSE_LEN 18      /* fixed format sense data: SPC-4, 4.5.3 */
#define SCSI_CAPACITY10_LEN 8  /* SBC-3, 5.15.2 */
#define SCSI_CAPACITY16_LEN 32 /* SBC-3, 5.16.2 */
#define SCSI_MODE_SENSE_LEN                                                                        \
	192                      /* what other systems ask of sticks; some choke on other lengths  \
				  */
#define SCSI_BLOCK_SIZE_MAX 4096 /* the kernel's disk driver takes none above a page */

struct scsi_cdb {
	uint8_t bytes[SCSI_CDB_MAX];
	uint8_t len;     /* 6, 10 or 16 */
	uint32_t expect; /* bytes of data-in that the command asks for; 0 for none */
};

#define SCSI_TYPE_DISK 0x00 /* direct access block device: SPC-4, table 142 */

struct scsi_inquiry {
	uint8_t qualifier; /* 0: a unit is connected */
	uint8_t type;      /* peripheral device type */
	bool removable;
	/* ASCII, trailing spaces cut; bytes that are no printable ASCII are left as they came. */
	char vendor[9];
	char product[17];
	char revision[5];
};

/* SPC-4, 4.5.6, table 43 */
enum {
	SCSI_KEY_NO_SENSE = 0x0,
	SCSI_KEY_NOT_READY = 0x2,
	SCSI_KEY_UNIT_ATTENTION = 0x6,
};

/* SPC-4, table 44: additional sense codes that go with NOT READY … */
#define SCSI_ASC_NOT_READY 0x04 /* becoming ready, or waiting for a start command */
#define SCSI_ASC_NO_MEDIUM 0x3a
/* … and with UNIT ATTENTION */
#define SCSI_ASC_MEDIUM_CHANGED 0x28	 /* not ready to ready, medium may have changed */
#define SCSI_ASC_PARAMETERS_CHANGED 0x2a /* of the mode, or the capacity */
#define SCSI_ASC_TARGET_CHANGED 0x3f	 /* what it says in INQUIRY, or its units */

struct scsi_sense {
	uint8_t key;
	uint8_t asc;
	uint8_t ascq;
};

struct scsi_capacity {
	uint64_t blocks;     /* at least 1 */
	uint32_t block_size; /* bytes: 512, 1024, 2048 or 4096 */
};

void scsi_build_test_unit_ready(struct scsi_cdb *cdb); /* SPC-4, 6.37 */
void scsi_build_request_sense(struct scsi_cdb *cdb);   /* SPC-4, 6.31, fixed format */
void scsi_build_inquiry(struct scsi_cdb *cdb);         /* SPC-4, 6.4.1, standard data */
void scsi_build_mode_sense(struct scsi_cdb *cdb);      /* SPC-4, 6.11, all pages */
void scsi_build_capacity10(struct scsi_cdb *cdb);      /* SBC-3, 5.15 */
void scsi_build_capacity16(struct scsi_cdb *cdb);      /* SBC-3, 5.16 */
/* READ (10) where the address fits 32 bits, else READ (16): SBC-3, 5.8 and 5.10. */
void scsi_build_read(struct scsi_cdb *cdb, uint64_t lba, uint16_t blocks, uint32_t block_size);

/* Sizes of a logical block that the kernel makes disks of. */
bool scsi_block_size_ok(uint32_t size);

/* Each returns 0 or an outcome from above; *out is set only with 0. */
int scsi_parse_inquiry(const uint8_t *data, size_t len, struct scsi_inquiry *out);
int scsi_parse_sense(const uint8_t *data, size_t len, struct scsi_sense *out);
int scsi_parse_capacity10(const uint8_t *data, size_t len, struct scsi_capacity *out);
int scsi_parse_capacity16(const uint8_t *data, size_t len, struct scsi_capacity *out);
/* The mode parameter header: only the WP bit (SBC-3, 6.5.1). */
int scsi_parse_write_protect(const uint8_t *data, size_t len, bool *out);
