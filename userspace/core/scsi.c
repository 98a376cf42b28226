// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/scsi.h"

#include <string.h>

#include "core/bytes.h"

/* SPC-4, table E.2 */
#define OP_TEST_UNIT_READY 0x00
#define OP_REQUEST_SENSE 0x03
#define OP_INQUIRY 0x12
#define OP_MODE_SENSE6 0x1a
#define OP_READ_CAPACITY10 0x25
#define OP_READ10 0x28
#define OP_READ16 0x88
#define OP_SERVICE_ACTION_IN16 0x9e
#define SERVICE_READ_CAPACITY16 0x10

#define MODE_PAGE_ALL 0x3f /* SPC-4, 6.11.1, table 172 */

static void cdb_init(struct scsi_cdb *cdb, uint8_t op, uint8_t len, uint32_t expect)
{
	memset(cdb, 0, sizeof(*cdb));
	cdb->bytes[0] = op;
	cdb->len = len;
	cdb->expect = expect;
}

static void put_be(uint8_t *p, uint64_t value, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)(value & 0xff);
		value >>= 8;
	}
}

void scsi_build_test_unit_ready(struct scsi_cdb *cdb)
{
	cdb_init(cdb, OP_TEST_UNIT_READY, 6, 0);
}

void scsi_build_request_sense(struct scsi_cdb *cdb)
{
	cdb_init(cdb, OP_REQUEST_SENSE, 6, SCSI_SENSE_LEN);
	cdb->bytes[4] = SCSI_SENSE_LEN;
}

void scsi_build_inquiry(struct scsi_cdb *cdb)
{
	cdb_init(cdb, OP_INQUIRY, 6, SCSI_INQUIRY_LEN);
	put_be(cdb->bytes + 3, SCSI_INQUIRY_LEN, 2);
}

void scsi_build_mode_sense(struct scsi_cdb *cdb)
{
	cdb_init(cdb, OP_MODE_SENSE6, 6, SCSI_MODE_SENSE_LEN);
	cdb->bytes[2] = MODE_PAGE_ALL;
	cdb->bytes[4] = SCSI_MODE_SENSE_LEN;
}

void scsi_build_capacity10(struct scsi_cdb *cdb)
{
	cdb_init(cdb, OP_READ_CAPACITY10, 10, SCSI_CAPACITY10_LEN);
}

void scsi_build_capacity16(struct scsi_cdb *cdb)
{
	cdb_init(cdb, OP_SERVICE_ACTION_IN16, 16, SCSI_CAPACITY16_LEN);
	cdb->bytes[1] = SERVICE_READ_CAPACITY16;
	put_be(cdb->bytes + 10, SCSI_CAPACITY16_LEN, 4);
}

void scsi_build_read(struct scsi_cdb *cdb, uint64_t lba, uint16_t blocks, uint32_t block_size)
{
	uint32_t expect = blocks * block_size;

	if (lba <= UINT32_MAX) {
		cdb_init(cdb, OP_READ10, 10, expect);
		put_be(cdb->bytes + 2, lba, 4);
		put_be(cdb->bytes + 7, blocks, 2);
	} else {
		cdb_init(cdb, OP_READ16, 16, expect);
		put_be(cdb->bytes + 2, lba, 8);
		put_be(cdb->bytes + 10, blocks, 4);
	}
}

/* Fields of INQUIRY data are padded with spaces: SPC-4, 4.4.1. */
static void copy_padded(char *out, const uint8_t *field, size_t n)
{
	memcpy(out, field, n);
	out[n] = '\0';
	n = strlen(out);
	while (n > 0 && out[n - 1] == ' ')
		out[--n] = '\0';
}

int scsi_parse_inquiry(const uint8_t *data, size_t len, struct scsi_inquiry *out)
{
	struct bytes b = {.data = data, .len = len};

	if (len < SCSI_INQUIRY_LEN)
		return SCSI_E_SHORT;
	/* ADDITIONAL LENGTH counts the bytes after itself. */
	if (bytes_u8(&b, 4) < SCSI_INQUIRY_LEN - 5)
		return SCSI_E_SHORT;

	out->qualifier = bytes_u8(&b, 0) >> 5;
	out->type = bytes_u8(&b, 0) & 0x1f;
	out->removable = (bytes_u8(&b, 1) & 0x80) != 0;
	copy_padded(out->vendor, data + 8, 8);
	copy_padded(out->product, data + 16, 16);
	copy_padded(out->revision, data + 32, 4);
	return 0;
}

int scsi_parse_sense(const uint8_t *data, size_t len, struct scsi_sense *out)
{
	struct bytes b = {.data = data, .len = len};
	struct scsi_sense sense;

	switch (bytes_u8(&b, 0) & 0x7f) {
	case 0x70: /* current or deferred error in fixed format: SPC-4, 4.5.3 */
	case 0x71:
		sense.key = bytes_u8(&b, 2) & 0x0f;
		sense.asc = bytes_u8(&b, 12);
		sense.ascq = bytes_u8(&b, 13);
		break;
	case 0x72: /* the same in descriptor format: SPC-4, 4.5.2 */
	case 0x73:
		sense.key = bytes_u8(&b, 1) & 0x0f;
		sense.asc = bytes_u8(&b, 2);
		sense.ascq = bytes_u8(&b, 3);
		break;
	default:
		return len == 0 ? SCSI_E_SHORT : SCSI_E_INVALID;
	}
	if (!bytes_ok(&b))
		return SCSI_E_SHORT;
	*out = sense;
	return 0;
}

bool scsi_block_size_ok(uint32_t size)
{
	return size >= 512 && size <= SCSI_BLOCK_SIZE_MAX && !(size & (size - 1));
}

static int capacity_set(struct scsi_capacity *out, uint64_t last_lba, uint32_t block_size)
{
	if (!scsi_block_size_ok(block_size))
		return SCSI_E_INVALID;
	/* Byte offsets must fit the kernel's signed 64-bit file offset; so last_lba + 1 does too.
	 */
	if (last_lba >= (uint64_t)INT64_MAX / block_size)
		return SCSI_E_INVALID;
	out->blocks = last_lba + 1;
	out->block_size = block_size;
	return 0;
}

int scsi_parse_capacity10(const uint8_t *data, size_t len, struct scsi_capacity *out)
{
	struct bytes b = {.data = data, .len = len};
	uint32_t last_lba = bytes_u32_be(&b, 0);
	uint32_t block_size = bytes_u32_be(&b, 4);

	if (!bytes_ok(&b))
		return SCSI_E_SHORT;
	if (last_lba == UINT32_MAX)
		return SCSI_E_LARGE;
	return capacity_set(out, last_lba, block_size);
}

int scsi_parse_capacity16(const uint8_t *data, size_t len, struct scsi_capacity *out)
{
	struct bytes b = {.data = data, .len = len};
	uint64_t last_lba = bytes_u64_be(&b, 0);
	uint32_t block_size = bytes_u32_be(&b, 8);

	if (!bytes_ok(&b))
		return SCSI_E_SHORT;
	return capacity_set(out, last_lba, block_size);
}

int scsi_parse_write_protect(const uint8_t *data, size_t len, bool *out)
{
	struct bytes b = {.data = data, .len = len};
	uint8_t parameter = bytes_u8(&b, 2);

	/* The header is four bytes: SPC-4, 7.5.5. */
	if (!bytes_has(&b, 0, 4))
		return SCSI_E_SHORT;
	*out = (parameter & 0x80) != 0;
	return 0;
}
