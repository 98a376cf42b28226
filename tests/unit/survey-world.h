/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surveys of disks in memory: a test makes `disk`, says in `played` what goes wrong, and finds in `report` what survey() told and
 * in `played` what was read.
 */
#pragma once

#include <string.h>

#include "core/bitlocker.h"

/* BitLocker is played: a magic, and where its copies lie; a copy begins with what its parser answers. */
#define PLAYED_MAGIC "played bitlocker"

static int played_boot_parse(const uint8_t *first, uint64_t size, struct bitlocker_boot *boot,
			     char *detail)
{
	if (memcmp(first, PLAYED_MAGIC, sizeof(PLAYED_MAGIC)))
		return VOLUME_E_NONE;
	memcpy(boot->metadata, first + 32, sizeof(boot->metadata));
	return 0;
}

static int played_metadata_parse(const uint8_t *data, size_t len, uint64_t size,
				 const struct bitlocker_boot *boot, struct volume *out, char *detail)
{
	*out = (struct volume){ .method = ENCRYPTION_BITLOCKER,
				.uuid = "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d99",
				.cipher = "aes-xts-plain64" };
	strcpy(detail, "played");
	return len == BITLOCKER_METADATA_LEN ? data[0] : VOLUME_E_HEADER;
}

static bool played_copies_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	return !memcmp(a, b, len);
}

#define bitlocker_boot_parse played_boot_parse
#define bitlocker_metadata_parse played_metadata_parse
#define bitlocker_copies_equal played_copies_equal
#include "../../userspace/inspect/survey.c"

#include "disk-image.h"
#include "testing.h"

static struct disk disk;
static struct report report;

static struct {
	unsigned int reads;
	unsigned int fail_at; /* this read fails; 0 none */
	enum report_outcome outcome;
	uint64_t last; /* offset */
	uint32_t noise; /* each read is spoilt by other bytes; 0 none */
	bool seen[64 * 1024]; /* 4 KiB pages of a disk of up to 256 MiB that were read */
	unsigned int twice;
} played;

/* Always the same numbers: xorshift32. */
static uint32_t noise_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int play_read(void *ctx, uint64_t offset, uint8_t *data, size_t len, const char **detail)
{
	CU_ASSERT(len > 0 && offset % disk.block == 0 && len % disk.block == 0);
	CU_ASSERT(offset <= disk.size && len <= disk.size - offset);
	played.last = offset;
	if (++played.reads == played.fail_at) {
		*detail = "played";
		return (int)played.outcome;
	}
	for (uint64_t page = offset >> 12; page < (offset + len) >> 12; page++) {
		if (page >= ARRAY_SIZE(played.seen))
			break;
		played.twice += played.seen[page];
		played.seen[page] = true;
	}
	disk_read(&disk, offset, data, len);
	if (played.noise)
		data[noise_next(&played.noise) % len] ^= 1;
	return 0;
}

static unsigned int survey_more(void)
{
	const struct survey_disk reader = {.read = play_read};
	struct report copy;
	bool proved;

	played.reads = played.twice = 0;
	memset(played.seen, 0, sizeof(played.seen));
	report_init(&report, REPORT_PROVED);
	report.n_units = 1;
	report.units[0].state = REPORT_UNIT_DISK;
	report.units[0].blocks = disk.size / disk.block;
	report.units[0].block_size = disk.block;
	proved = survey_run(&reader, &report, 0);
	EXPECT(proved == (report.outcome == REPORT_PROVED), report.detail);
	EXPECT(proved == (report.detail[0] == '\0'), report.detail);
	report_conclude(&report);
	EXPECT(report_check(&report, sizeof(report), &copy), report.detail);
	return report.outcome;
}

static _unused_ unsigned int survey(void)
{
	memset(&played, 0, sizeof(played));
	return survey_more();
}

static _unused_ void whole_make(void)
{
	disk_make(&disk, 64 * MIB, 512);
	disk_luks2(&disk, 0, 0x11);
}

/* Four primary partitions of 20 MiB from 1 MiB on. */
static _unused_ void mbr_make(uint32_t block)
{
	uint8_t *sector;

	disk_make(&disk, 82 * MIB, block);
	sector = disk_mbr(&disk, 0);
	for (unsigned int i = 0; i < 4; i++) {
		disk_mbr_entry(&disk, sector, i, 0x83, (1 + 20 * i) * MIB, 20 * MIB);
		disk_luks2(&disk, (1 + 20 * i) * MIB, 0x11 + i);
	}
}
