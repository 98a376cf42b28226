// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers of LUKS1 and LUKS2, with checksums that are right and wrong, and the mark in its token.
 */
#include "core/luks1.h"
#include "luks1-image.h"
#include "luks2-image.h"
#include "medium.h"

static uint8_t copies[2 * IMAGE_HEADER];

/* Sizes around what the usual header describes, and any other. */
static uint64_t input_size(struct input *in)
{
	static const uint64_t sizes[] = {IMAGE_MEDIUM, 1ull << 40, UINT64_MAX, 16777216, 0};
	size_t i = (size_t)input_number(in, 1);

	return i < 5 ? sizes[i] : input_number(in, 8);
}

static void check_luks1(struct input *in)
{
	uint64_t size = input_size(in);
	char detail[VOLUME_DETAIL_MAX];
	uint8_t first[LUKS1_READ_LEN];
	struct volume volume;
	struct luks1 luks;
	int r;

	luks1_image_make(first);
	input_patch(in, first, 640);
	r = luks1_parse(first, size, &volume, &luks, detail);
	volume_must(r, &volume, size, detail);
	must(r || (luks.keyslots_end <= luks.data_offset && luks.data_offset < size), "areas");
}

static void check_luks2(uint64_t size, const uint8_t *second)
{
	char detail[VOLUME_DETAIL_MAX];
	struct volume volume;
	struct luks2 luks;
	size_t len;
	int r = luks2_header_size(copies, &len, detail);

	if (r) {
		must(*detail, "refused without a word");
		return;
	}
	r = luks2_parse(copies, second, IMAGE_HEADER, size, &volume, &luks, detail);
	volume_must(r, &volume, size, detail);
	must(r || (luks.keyslots_end <= luks.data_offset && luks.data_offset < size), "areas");
	must(r || (*volume.kdf && luks.segments), "keyslots or segments");
}

/* Any JSON text under a right checksum. */
static void check_json(struct input *in)
{
	uint64_t size = input_size(in);
	char text[IMAGE_HEADER - 4096];
	size_t len;
	const uint8_t *bytes = input_bytes(in, sizeof(text) - 1, &len);

	memcpy(text, bytes, len);
	text[len] = '\0';
	image_make(copies, IMAGE_HEADER, text);
	check_luks2(size, copies + IMAGE_HEADER);
}

/* A right JSON text under a binary header, or a second copy, that is not; checksums as the input
 * has it. */
static void check_binary(struct input *in)
{
	uint64_t size = input_size(in);
	unsigned int how = (unsigned int)input_number(in, 1);
	uint8_t *copy = copies + (how & 1 ? IMAGE_HEADER : 0);

	image_make(copies, IMAGE_HEADER, image_json);
	input_patch(in, copy, IMAGE_HEADER);
	if (how & 2)
		image_seal(copy, IMAGE_HEADER);
	if (how & 4)
		image_twin(copies, IMAGE_HEADER);
	check_luks2(size, copies + IMAGE_HEADER);
}

static void check_mark(struct input *in)
{
	struct mark mark, again;
	char text[MARK_JSON_MAX], canonical[MARK_CANONICAL_MAX];
	int r = mark_parse((const char *)in->data, in->len, &mark);
	size_t len;

	must(r == 0 || r == MARK_E_FORM, "outcome of a mark");
	if (r)
		return;
	must(mark_ok(&mark), "mark");
	len = mark_format(&mark, text);
	must(len < sizeof(text) && text[len] == '\0', "length of a mark's text");
	must(!mark_parse(text, len, &again) && !memcmp(&mark, &again, sizeof(mark)),
	     "a mark changes on its way");
	must(mark_canonical(&mark, canonical) < sizeof(canonical), "signed bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	switch (input_number(&in, 1)) {
	case 'm':
		check_mark(&in);
		break;
	case '1':
		check_luks1(&in);
		break;
	case '2':
		check_binary(&in);
		break;
	default:
		check_json(&in);
	}
	return 0;
}
