// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/luks2.h"

#include <json-c/json.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/macro.h"

/* Offsets and lengths in the binary header: specification, section 2.1, figure 2. */
#define OFF_VERSION 6
#define OFF_HDR_SIZE 8
#define OFF_SEQID 16
#define OFF_LABEL 24
#define OFF_CSUM_ALG 72
#define OFF_UUID 168
#define OFF_SUBSYSTEM 208
#define OFF_HDR_OFFSET 256
#define OFF_PADDING 264
#define OFF_CSUM 448
#define CSUM_LEN 64
#define CSUM_ALG_LEN 32
#define UUID_LEN 36
#define VERSION_2 2

/* Real metadata is 1 to 12 KiB; the limit keeps what json-c allocates for the worst text small. */
#define JSON_TEXT_MAX ((size_t)128 << 10)
/* Real metadata nests 5 deep; tokens may add a few levels. */
#define JSON_DEPTH_MAX 16
/* Specification, sections 3.2 and 3.3: what the reference implementation takes at most. */
#define KEYSLOTS_MAX 32
#define SEGMENTS_MAX 32
#define KEYSLOTS_SIZE_MAX ((uint64_t)128 << 20)
/* Between keyslots and data lies alignment only; more would be room for a plain file system. */
#define GAP_MAX ((uint64_t)16 << 20)
/* At the end of the medium what is less than the largest encryption sector cannot be used. */
#define TAIL_MAX 4096

struct segment {
	uint64_t offset;
	uint64_t size; /* 0 for dynamic */
};

struct parser {
	struct luks2 *out;
	char *detail;
	uint64_t medium;
	uint64_t keyslots_end; /* offset of the first byte that may be data */
	struct json_object *keyslots;
	struct json_object *segments;
	struct json_object *digests;
	struct segment ranges[SEGMENTS_MAX]; /* sorted by offset */
};

DEFINE_CLEANUP(struct json_object *, json_object_put)

/* json_tokener_free() itself does not take NULL. */
static void json_tokener_freep(struct json_tokener **tok)
{
	if (*tok)
		json_tokener_free(*tok);
}

_printf_(3, 4) static int refuse(char *detail, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, LUKS2_DETAIL_MAX, format, args);
	va_end(args);
	return code;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* --- binary header -------------------------------------------------------------------------- */

int luks2_header_size(const uint8_t first[static LUKS2_BINARY_LEN], size_t *size,
		      char detail[static LUKS2_DETAIL_MAX])
{
	static const uint8_t magic[] = {'L', 'U', 'K', 'S', 0xba, 0xbe};
	struct bytes b = {.data = first, .len = LUKS2_BINARY_LEN};
	uint16_t version = bytes_u16_be(&b, OFF_VERSION);
	uint64_t hdr_size = bytes_u64_be(&b, OFF_HDR_SIZE);

	if (memcmp(first, magic, sizeof(magic)) != 0)
		return refuse(detail, LUKS2_E_NOT_LUKS, "no LUKS magic");
	if (version != VERSION_2)
		return refuse(detail, LUKS2_E_VERSION, "LUKS version %u", version);
	/* Specification, table 1: powers of two only. */
	if (hdr_size < LUKS2_SIZE_MIN || hdr_size > LUKS2_SIZE_MAX || (hdr_size & (hdr_size - 1)))
		return refuse(detail, LUKS2_E_HEADER, "header size %llu is none of LUKS2's",
			      (unsigned long long)hdr_size);
	*size = (size_t)hdr_size;
	return 0;
}

/* The field as a string, or false if it does not end inside the field. */
static bool field_copy(const uint8_t *field, size_t size, char *out)
{
	if (!memchr(field, '\0', size))
		return false;
	memcpy(out, field, size);
	return true;
}

bool luks2_uuid_ok(const char *uuid)
{
	if (strlen(uuid) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? uuid[i] != '-' : !strchr("0123456789abcdef", uuid[i]))
			return false;
	}
	return true;
}

/* SHA-256 over the header with the checksum field zeroed: specification, section 2.1. */
static bool checksum_ok(const uint8_t *area, size_t len)
{
	static const uint8_t zero[CSUM_LEN];
	uint8_t sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, area, OFF_CSUM);
	crypto_hash_sha256_update(&state, zero, CSUM_LEN);
	crypto_hash_sha256_update(&state, area + OFF_CSUM + CSUM_LEN, len - OFF_CSUM - CSUM_LEN);
	crypto_hash_sha256_final(&state, sum);
	return memcmp(sum, area + OFF_CSUM, sizeof(sum)) == 0;
}

static int binary_parse(const uint8_t *area, size_t len, struct luks2 *out, char *detail)
{
	const size_t sum_end = OFF_CSUM + crypto_hash_sha256_BYTES;
	struct bytes b = {.data = area, .len = len};
	char subsystem[LUKS2_LABEL_MAX], algorithm[CSUM_ALG_LEN];

	if (bytes_u64_be(&b, OFF_HDR_OFFSET) != 0)
		return refuse(detail, LUKS2_E_HEADER, "the first header says it lies elsewhere");
	if (!field_copy(area + OFF_CSUM_ALG, sizeof(algorithm), algorithm) ||
	    strcmp(algorithm, "sha256") != 0)
		return refuse(detail, LUKS2_E_HEADER, "checksum algorithm is not sha256");
	if (!field_copy(area + OFF_LABEL, sizeof(out->label), out->label) ||
	    !field_copy(area + OFF_SUBSYSTEM, sizeof(subsystem), subsystem))
		return refuse(detail, LUKS2_E_HEADER, "label or subsystem does not end");
	if (!field_copy(area + OFF_UUID, sizeof(out->uuid), out->uuid) || !luks2_uuid_ok(out->uuid))
		return refuse(detail, LUKS2_E_HEADER, "the UUID is not in canonical form");
	/*
	 * The 55 aa of a partition table and its last entries fit into the padding and behind the
	 * checksum; with zeroes there the kernel finds no partition table of the common kinds.
	 */
	if (!all_zero(area + OFF_PADDING, OFF_CSUM - OFF_PADDING) ||
	    !all_zero(area + sum_end, LUKS2_BINARY_LEN - sum_end))
		return refuse(detail, LUKS2_E_HEADER, "something is hidden in the padding");
	if (!checksum_ok(area, len))
		return refuse(detail, LUKS2_E_CHECKSUM, "header checksum does not match");
	out->hdr_size = (uint32_t)len;
	out->seqid = bytes_u64_be(&b, OFF_SEQID);
	return 0;
}

/* --- JSON area ------------------------------------------------------------------------------- */

static struct json_object *member_get(struct json_object *obj, const char *name,
				      enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(obj, json_type_object))
		return NULL;
	if (!json_object_object_get_ex(obj, name, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

/* A string, or NULL. One with a NUL inside would read differently in C, so it is none. */
static const char *text_of(struct json_object *value)
{
	const char *text =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

static const char *member_text(struct json_object *obj, const char *name)
{
	return text_of(member_get(obj, name, json_type_string));
}

/* 64-bit numbers are decimal strings in LUKS2: specification, section 3. */
static bool member_u64(struct json_object *obj, const char *name, uint64_t *out)
{
	const char *text = member_text(obj, name);
	uint64_t value = 0;

	if (!text || !*text)
		return false;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(uint8_t)*text - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* Whether the array `name` of `obj` holds the string `wanted`. */
static bool array_has(struct json_object *obj, const char *name, const char *wanted)
{
	struct json_object *array = member_get(obj, name, json_type_array);
	size_t n = array ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *text = text_of(json_object_array_get_idx(array, i));

		if (text && strcmp(text, wanted) == 0)
			return true;
	}
	return false;
}

static int json_read(const uint8_t *area, size_t len, struct json_object **root, char *detail)
{
	_cleanup_(json_tokener_freep) struct json_tokener *tok = NULL;
	const char *text = (const char *)area;
	size_t n = strnlen(text, len);

	if (n == len)
		return refuse(detail, LUKS2_E_JSON, "the JSON text does not end");
	if (n > JSON_TEXT_MAX)
		return refuse(detail, LUKS2_E_JSON, "%zu bytes of JSON text are too many", n);
	if (text[0] != '{')
		return refuse(detail, LUKS2_E_JSON, "the JSON text is not an object");
	if (!all_zero(area + n, len - n))
		return refuse(detail, LUKS2_E_JSON, "something is hidden behind the JSON text");
	/* Control characters have no place in it, but a place in other formats' magic numbers. */
	for (size_t i = 0; i < n; i++)
		if (area[i] < 0x20 && !strchr("\t\n\r", area[i]))
			return refuse(detail, LUKS2_E_JSON, "control character in the JSON text");

	tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*root = json_tokener_parse_ex(tok, text, (int)n + 1);
	if (!*root)
		return refuse(detail, LUKS2_E_JSON, "JSON: %s at byte %zu",
			      json_tokener_error_desc(json_tokener_get_error(tok)),
			      json_tokener_get_parse_end(tok));
	return 0;
}

/* dm-crypt's names for "not encrypted" all hold this word; no useful cipher does. */
static bool cipher_encrypts(const char *cipher)
{
	return cipher && *cipher && !strcasestr(cipher, "null");
}

/* Specification, section 3.6. */
static int config_check(struct parser *p, struct json_object *config)
{
	const uint64_t hdr_size = p->out->hdr_size;
	struct json_object *requirements, *mandatory;
	uint64_t json_size, keyslots_size;

	if (!member_u64(config, "json_size", &json_size) ||
	    json_size != hdr_size - LUKS2_BINARY_LEN)
		return refuse(p->detail, LUKS2_E_METADATA, "json_size contradicts the header");
	if (!member_u64(config, "keyslots_size", &keyslots_size) || keyslots_size % 4096 != 0 ||
	    keyslots_size > KEYSLOTS_SIZE_MAX)
		return refuse(p->detail, LUKS2_E_METADATA, "keyslots_size cannot be right");
	p->keyslots_end = 2 * hdr_size + keyslots_size;

	if (!json_object_object_get_ex(config, "requirements", &requirements))
		return 0;
	mandatory = member_get(requirements, "mandatory", json_type_array);
	if (!mandatory)
		return refuse(p->detail, LUKS2_E_METADATA, "requirements without a list");
	if (json_object_array_length(mandatory) > 0) {
		const char *name = text_of(json_object_array_get_idx(mandatory, 0));

		return refuse(p->detail, LUKS2_E_REQUIREMENT, "mandatory requirement \"%s\"",
			      name ? name : "?");
	}
	return 0;
}

/* Specification, section 3.2. */
static int keyslots_check(struct parser *p)
{
	int count = json_object_object_length(p->keyslots);

	if (count < 1 || count > KEYSLOTS_MAX)
		return refuse(p->detail, LUKS2_E_METADATA, "%d keyslots", count);
	json_object_object_foreach(p->keyslots, name, keyslot)
	{
		struct json_object *area = member_get(keyslot, "area", json_type_object);
		const char *type = member_text(keyslot, "type");
		uint64_t offset, size;

		if (!type || strcmp(type, "luks2") != 0)
			return refuse(p->detail, LUKS2_E_METADATA, "keyslot %s is of type \"%s\"",
				      name, type ? type : "?");
		if (!cipher_encrypts(member_text(area, "encryption")))
			return refuse(p->detail, LUKS2_E_CLEAR, "keyslot %s is not encrypted",
				      name);
		if (!member_get(keyslot, "kdf", json_type_object) ||
		    !member_get(keyslot, "af", json_type_object))
			return refuse(p->detail, LUKS2_E_METADATA, "keyslot %s is incomplete",
				      name);
		if (!member_u64(area, "offset", &offset) || !member_u64(area, "size", &size) ||
		    size == 0 || offset < 2 * (uint64_t)p->out->hdr_size ||
		    offset > p->keyslots_end || size > p->keyslots_end - offset)
			return refuse(p->detail, LUKS2_E_METADATA,
				      "keyslot %s lies outside its area", name);
	}
	p->out->keyslots = (uint32_t)count;
	return 0;
}

/* Keeps the ranges sorted; there are few. */
static void range_insert(struct parser *p, struct segment range)
{
	size_t i = p->out->segments++;

	for (; i > 0 && p->ranges[i - 1].offset > range.offset; i--)
		p->ranges[i] = p->ranges[i - 1];
	p->ranges[i] = range;
}

/* One segment by itself: specification, section 3.3. */
static int segment_check(struct parser *p, const char *name, struct json_object *segment)
{
	struct json_object *flags, *value = member_get(segment, "sector_size", json_type_int);
	int64_t sector = value ? json_object_get_int64(value) : 0;
	const char *type = member_text(segment, "type");
	const char *size = member_text(segment, "size");
	const char *cipher = member_text(segment, "encryption");
	struct segment range = {0};
	uint64_t tweak;

	if (!type || strcmp(type, "crypt") != 0)
		return refuse(p->detail, LUKS2_E_CLEAR, "segment %s is of type \"%s\"", name,
			      type ? type : "?");
	if (!cipher_encrypts(cipher))
		return refuse(p->detail, LUKS2_E_CLEAR, "segment %s has encryption \"%s\"", name,
			      cipher ? cipher : "");
	if (strlen(cipher) >= sizeof(p->out->cipher))
		return refuse(p->detail, LUKS2_E_METADATA, "segment %s: cipher name too long",
			      name);
	/* One answer for the whole medium: what policy accepts for one part must hold for all. */
	if (p->out->segments > 0 && strcmp(cipher, p->out->cipher) != 0)
		return refuse(p->detail, LUKS2_E_METADATA, "segments differ in encryption");
	memcpy(p->out->cipher, cipher, strlen(cipher) + 1);

	if (sector != 512 && sector != 1024 && sector != 2048 && sector != 4096)
		return refuse(p->detail, LUKS2_E_METADATA, "segment %s: bad sector size", name);
	p->out->sector_size = (uint32_t)sector;
	if (!member_u64(segment, "iv_tweak", &tweak))
		return refuse(p->detail, LUKS2_E_METADATA, "segment %s: no iv_tweak", name);
	/* Flags mark the parts of a re-encryption: specification, section 3.3, table 6. */
	if (json_object_object_get_ex(segment, "flags", &flags) &&
	    (!json_object_is_type(flags, json_type_array) || json_object_array_length(flags) > 0))
		return refuse(p->detail, LUKS2_E_METADATA, "segment %s has flags", name);

	if (!member_u64(segment, "offset", &range.offset) || range.offset % (uint64_t)sector != 0 ||
	    range.offset < p->keyslots_end)
		return refuse(p->detail, LUKS2_E_METADATA, "segment %s starts in the wrong place",
			      name);
	if (!size || (strcmp(size, "dynamic") != 0 &&
		      (!member_u64(segment, "size", &range.size) || range.size == 0)))
		return refuse(p->detail, LUKS2_E_METADATA, "segment %s: bad size", name);
	range_insert(p, range);
	return 0;
}

/* All segments together: from the keyslots to the end of the medium without a hole. */
static int segments_cover(struct parser *p)
{
	uint64_t end = p->ranges[0].offset;

	p->out->data_offset = end;
	if (end - p->keyslots_end > GAP_MAX)
		return refuse(p->detail, LUKS2_E_CLEAR, "clear space before the data");
	for (size_t i = 0; i < p->out->segments; i++) {
		const struct segment *range = &p->ranges[i];

		if (range->offset != end)
			return refuse(p->detail, LUKS2_E_CLEAR, "hole or overlap in the segments");
		if (range->offset >= p->medium || range->size > p->medium - range->offset)
			return refuse(p->detail, LUKS2_E_CAPACITY,
				      "the data reaches beyond the end of the medium");
		end = range->size ? range->offset + range->size : p->medium;
	}
	if (p->medium - end >= TAIL_MAX)
		return refuse(p->detail, LUKS2_E_CLEAR, "clear space behind the data");
	return 0;
}

static int segments_check(struct parser *p)
{
	int count = json_object_object_length(p->segments);

	if (count < 1 || count > SEGMENTS_MAX)
		return refuse(p->detail, LUKS2_E_METADATA, "%d segments", count);
	json_object_object_foreach(p->segments, name, segment)
	{
		int r = segment_check(p, name, segment);

		if (r)
			return r;
	}
	return segments_cover(p);
}

/* Whether a digest ties the segment's key to an existing keyslot: specification, section 3.4. */
static bool segment_has_key(struct parser *p, const char *segment)
{
	json_object_object_foreach(p->digests, digest_name, digest)
	{
		(void)digest_name;
		if (!array_has(digest, "segments", segment))
			continue;
		json_object_object_foreach(p->keyslots, keyslot_name, keyslot)
		{
			(void)keyslot;
			if (array_has(digest, "keyslots", keyslot_name))
				return true;
		}
	}
	return false;
}

static int digests_check(struct parser *p)
{
	json_object_object_foreach(p->segments, name, segment)
	{
		(void)segment;
		if (!segment_has_key(p, name))
			return refuse(p->detail, LUKS2_E_METADATA,
				      "no digest ties segment %s to a keyslot", name);
	}
	return 0;
}

int luks2_parse(const uint8_t *area, size_t len, uint64_t medium, struct luks2 *out,
		char detail[static LUKS2_DETAIL_MAX])
{
	_cleanup_(json_object_putp) struct json_object *root = NULL;
	struct luks2 luks = {0};
	struct parser p = {.out = &luks, .detail = detail, .medium = medium};
	struct json_object *config;
	size_t size;
	int r;

	detail[0] = '\0';
	if (len < LUKS2_BINARY_LEN)
		return refuse(detail, LUKS2_E_HEADER, "the header is cut off");
	r = luks2_header_size(area, &size, detail);
	if (r)
		return r;
	if (size != len)
		return refuse(detail, LUKS2_E_HEADER, "header size has changed");
	if ((r = binary_parse(area, len, &luks, detail)) ||
	    (r = json_read(area + LUKS2_BINARY_LEN, len - LUKS2_BINARY_LEN, &root, detail)))
		return r;

	config = member_get(root, "config", json_type_object);
	p.keyslots = member_get(root, "keyslots", json_type_object);
	p.segments = member_get(root, "segments", json_type_object);
	p.digests = member_get(root, "digests", json_type_object);
	if (!config || !p.keyslots || !p.segments || !p.digests)
		return refuse(detail, LUKS2_E_METADATA,
			      "config, keyslots, segments or digests missing");

	if ((r = config_check(&p, config)) || (r = keyslots_check(&p)) ||
	    (r = segments_check(&p)) || (r = digests_check(&p)))
		return r;
	*out = luks;
	return 0;
}
