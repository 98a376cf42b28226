// SPDX-License-Identifier: GPL-2.0-or-later
/* BitLocker's boot sector and metadata, mostly with right checksums; magic numbers on the way. */
#include "bitlocker-image.h"
#include "core/bitlocker.h"
#include "core/fsmagic.h"
#include "medium.h"

static uint8_t metadata[BITLOCKER_METADATA_LEN];

static void check_boot(struct input *in)
{
	uint8_t first[BITLOCKER_BOOT_LEN];
	char detail[VOLUME_DETAIL_MAX];
	uint64_t size = BITLOCKER_IMAGE_SIZE;
	struct bitlocker_boot boot;
	const char *name;
	int r;

	bitlocker_image_boot(first);
	if (input_number(in, 1) & 1)
		size = input_number(in, 8);
	input_patch(in, first, sizeof(first));
	name = fsmagic_find(first, sizeof(first));
	r = bitlocker_boot_parse(first, size, &boot, detail);
	must(!r == !*detail, "refused without a word, or accepted with one");
	if (r)
		return;
	must(name && !strcmp(name, "bitlocker"), "accepted, but its magic number is not known");
	for (size_t i = 0; i < BITLOCKER_COPIES; i++)
		must(boot.metadata[i] % 512 == 0 && boot.metadata[i] < size &&
			     size - boot.metadata[i] >= BITLOCKER_METADATA_LEN,
		     "metadata leaves the volume");
}

static void check_metadata(uint64_t size, size_t len)
{
	/* Memory of the right size, so that a step beyond it is seen. */
	uint8_t *copy = malloc(len ? len : 1);
	char detail[VOLUME_DETAIL_MAX];
	struct bitlocker_boot boot;
	struct volume volume;

	must(copy, "memory");
	memcpy(copy, metadata, len);
	memcpy(boot.metadata, bitlocker_image_offsets, sizeof(boot.metadata));
	volume_must(bitlocker_metadata_parse(copy, len, size, &boot, &volume, detail), &volume,
		    size, detail);
	must(!len || bitlocker_copies_equal(copy, metadata, len) ==
			     bitlocker_copies_equal(metadata, copy, len),
	     "comparison of copies");
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	const uint8_t *bytes;
	size_t len;

	switch (input_number(&in, 1)) {
	case 'b':
		check_boot(&in);
		break;
	case 'e': /* any entries */
		bitlocker_image_make(metadata);
		bytes = input_bytes(&in, 4096, &len);
		memcpy(metadata + 112, bytes, len);
		bitlocker_image_close(metadata, metadata + 112 + len);
		check_metadata(BITLOCKER_IMAGE_SIZE, sizeof(metadata));
		break;
	case 'p': /* patches, under a right checksum */
		bitlocker_image_make(metadata);
		input_patch(&in, metadata, 1024);
		bitlocker_image_seal(metadata);
		check_metadata(BITLOCKER_IMAGE_SIZE, sizeof(metadata));
		break;
	default: /* anything, cut anywhere */
		bitlocker_image_make(metadata);
		len = (size_t)input_number(&in, 2);
		input_patch(&in, metadata, 1024);
		check_metadata(input_number(&in, 8), len);
	}
	return 0;
}
