// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/luks2-metadata.h"

#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/macro.h"

/* Real metadata is 1 to 12 KiB; the limit keeps what json-c allocates for the worst text small. */
#define JSON_TEXT_MAX ((size_t)128 << 10)
/* Real metadata nests 5 deep; tokens may add a few levels. */
#define JSON_DEPTH_MAX 16
/* Specification, sections 3.2 to 3.5: what the reference implementation takes at most. */
#define KEYSLOTS_MAX 32
#define SEGMENTS_MAX 32
#define TOKENS_MAX 32
#define KEYSLOTS_SIZE_MAX ((uint64_t)128 << 20)
/* Between keyslots and data lies alignment only; more would be room for a plain file system. */
#define GAP_MAX ((uint64_t)16 << 20)
/* At the end of the medium what is less than the largest encryption sector cannot be used. */
#define TAIL_MAX 4096
/* A digest's salt has 32 bytes, and the digest as many as its hash: SHA-1 to SHA-512. */
#define DIGEST_MIN 20
#define DIGEST_MAX 64
#define SALT_MIN 16
#define SALT_MAX 64
/* Longest type of a foreign token ("systemd-tpm2" and the like), and of its whole text. */
#define TOKEN_TYPE_MAX 64
#define TOKEN_TEXT_MAX 16384

/*
 * Key derivation, in the order of their names, and the limits that libcryptsetup has for their
 * costs: a header that demands more would only hold up who opens it.
 */
static const struct {
	const char *name;
	struct {
		const char *name;
		int64_t min, max;
	} costs[3];
} kdfs[] = {
	{"argon2i", {{"time", 1, UINT32_MAX}, {"memory", 32, 4 << 20}, {"cpus", 1, 4}}},
	{"argon2id", {{"time", 1, UINT32_MAX}, {"memory", 32, 4 << 20}, {"cpus", 1, 4}}},
	{"pbkdf2", {{"iterations", 1000, UINT32_MAX}}},
};

struct segment {
	uint64_t offset;
	uint64_t size; /* 0 for dynamic */
};

struct parser {
	struct volume *out;
	struct luks2 *more;
	char *detail;
	uint64_t size;
	struct json_object *keyslots;
	struct json_object *segments;
	struct json_object *digests;
	struct json_object *tokens;
	struct segment areas[KEYSLOTS_MAX];  /* of the keyslots */
	struct segment ranges[SEGMENTS_MAX]; /* sorted by offset */
	unsigned int kdfs;                   /* bits: places in the table of KDFs */
};

DEFINE_CLEANUP(struct json_object *, json_object_put)

/* json_tokener_free() itself does not take NULL. */
static void json_tokener_freep(struct json_tokener **tok)
{
	if (*tok)
		json_tokener_free(*tok);
}

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
		return volume_refuse(detail, VOLUME_E_JSON, "the JSON text does not end");
	if (n > JSON_TEXT_MAX)
		return volume_refuse(detail, VOLUME_E_JSON, "%zu bytes of JSON text are too many",
				     n);
	if (text[0] != '{')
		return volume_refuse(detail, VOLUME_E_JSON, "the JSON text is not an object");
	if (!bytes_zero(area + n, len - n))
		return volume_refuse(detail, VOLUME_E_JSON,
				     "something is hidden behind the JSON text");
	/* Control characters have no place in it, but a place in other formats' magic numbers. */
	for (size_t i = 0; i < n; i++)
		if (area[i] < 0x20 && !strchr("\t\n\r", area[i]))
			return volume_refuse(detail, VOLUME_E_JSON,
					     "control character in the JSON text");

	tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*root = json_tokener_parse_ex(tok, text, (int)n + 1);
	if (!*root)
		return volume_refuse(detail, VOLUME_E_JSON, "JSON: %s at byte %zu",
				     json_tokener_error_desc(json_tokener_get_error(tok)),
				     json_tokener_get_parse_end(tok));
	return 0;
}

/* Specification, section 3.6. */
static int config_check(struct parser *p, struct json_object *config)
{
	const uint64_t hdr_size = p->more->hdr_size;
	struct json_object *requirements, *mandatory;
	uint64_t json_size, keyslots_size;

	if (!member_u64(config, "json_size", &json_size) ||
	    json_size != hdr_size - LUKS2_BINARY_LEN)
		return volume_refuse(p->detail, VOLUME_E_METADATA,
				     "json_size contradicts the header");
	if (!member_u64(config, "keyslots_size", &keyslots_size) || keyslots_size % 4096 != 0 ||
	    keyslots_size > KEYSLOTS_SIZE_MAX)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "keyslots_size cannot be right");
	p->more->keyslots_end = 2 * hdr_size + keyslots_size;

	if (!json_object_object_get_ex(config, "requirements", &requirements))
		return 0;
	mandatory = member_get(requirements, "mandatory", json_type_array);
	if (!mandatory)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "requirements without a list");
	if (json_object_array_length(mandatory) > 0) {
		const char *name = text_of(json_object_array_get_idx(mandatory, 0));

		return volume_refuse(p->detail, VOLUME_E_REQUIREMENT,
				     "mandatory requirement \"%s\"", name ? name : "?");
	}
	return 0;
}

static bool member_int_in(struct json_object *obj, const char *name, int64_t min, int64_t max)
{
	struct json_object *value = member_get(obj, name, json_type_int);

	return value && json_object_get_int64(value) >= min && json_object_get_int64(value) <= max;
}

/* Specification, section 3.2.3. */
static int kdf_check(struct parser *p, const char *keyslot, struct json_object *kdf)
{
	const char *type = member_text(kdf, "type");
	size_t k = 0;

	if (!type || !member_text(kdf, "salt"))
		return volume_refuse(p->detail, VOLUME_E_METADATA, "keyslot %s is incomplete",
				     keyslot);
	while (k < ARRAY_SIZE(kdfs) && strcmp(kdfs[k].name, type) != 0)
		k++;
	if (k == ARRAY_SIZE(kdfs))
		return volume_refuse(p->detail, VOLUME_E_REQUIREMENT,
				     "keyslot %s has the unknown KDF \"%s\"", keyslot, type);
	for (size_t i = 0; i < ARRAY_SIZE(kdfs[k].costs) && kdfs[k].costs[i].name; i++)
		if (!member_int_in(kdf, kdfs[k].costs[i].name, kdfs[k].costs[i].min,
				   kdfs[k].costs[i].max))
			return volume_refuse(p->detail, VOLUME_E_METADATA,
					     "keyslot %s: %s of its KDF cannot be right", keyslot,
					     kdfs[k].costs[i].name);
	p->kdfs |= 1u << k;
	return 0;
}

/* The i-th keyslot's area lies between the headers and the data, and in no other's. */
static bool area_take(struct parser *p, struct json_object *area, size_t i)
{
	struct segment *at = &p->areas[i];

	if (!member_u64(area, "offset", &at->offset) || !member_u64(area, "size", &at->size) ||
	    at->size == 0 || at->offset < 2 * (uint64_t)p->more->hdr_size ||
	    at->offset > p->more->keyslots_end || at->size > p->more->keyslots_end - at->offset)
		return false;
	for (size_t k = 0; k < i; k++)
		if (at->offset < p->areas[k].offset + p->areas[k].size &&
		    p->areas[k].offset < at->offset + at->size)
			return false;
	return true;
}

/* Specification, section 3.2. */
static int keyslots_check(struct parser *p)
{
	int count = json_object_object_length(p->keyslots);
	size_t i = 0;

	if (count < 1 || count > KEYSLOTS_MAX)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "%d keyslots", count);
	json_object_object_foreach(p->keyslots, name, keyslot)
	{
		struct json_object *area = member_get(keyslot, "area", json_type_object);
		const char *type = member_text(keyslot, "type");
		int r;

		if (!type || strcmp(type, "luks2") != 0)
			return volume_refuse(p->detail, VOLUME_E_METADATA,
					     "keyslot %s is of type \"%s\"", name,
					     type ? type : "?");
		if (!volume_cipher_encrypts(member_text(area, "encryption")))
			return volume_refuse(p->detail, VOLUME_E_CLEAR,
					     "keyslot %s is not encrypted", name);
		if (!member_get(keyslot, "af", json_type_object))
			return volume_refuse(p->detail, VOLUME_E_METADATA,
					     "keyslot %s is incomplete", name);
		if (!area_take(p, area, i++))
			return volume_refuse(p->detail, VOLUME_E_METADATA,
					     "keyslot %s lies outside its area", name);
		r = kdf_check(p, name, member_get(keyslot, "kdf", json_type_object));
		if (r)
			return r;
	}
	return 0;
}

/* Each name once, separated by blanks. */
static void kdfs_write(struct parser *p)
{
	size_t at = 0;

	for (size_t k = 0; k < ARRAY_SIZE(kdfs); k++)
		if (p->kdfs & 1u << k)
			at += (size_t)snprintf(p->out->kdf + at, sizeof(p->out->kdf) - at, "%s%s",
					       at ? " " : "", kdfs[k].name);
}

/* Keeps the ranges sorted; there are few. */
static void range_insert(struct parser *p, struct segment range)
{
	size_t i = p->more->segments++;

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
		return volume_refuse(p->detail, VOLUME_E_CLEAR, "segment %s is of type \"%s\"",
				     name, type ? type : "?");
	if (!volume_cipher_encrypts(cipher))
		return volume_refuse(p->detail, VOLUME_E_CLEAR, "segment %s has encryption \"%s\"",
				     name, cipher ? cipher : "");
	if (strlen(cipher) >= sizeof(p->out->cipher))
		return volume_refuse(p->detail, VOLUME_E_METADATA,
				     "segment %s: cipher name too long", name);
	/* One answer for the whole medium: what policy accepts for one part must hold for all. */
	if (p->more->segments > 0 && strcmp(cipher, p->out->cipher) != 0)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "segments differ in encryption");
	memcpy(p->out->cipher, cipher, strlen(cipher) + 1);

	if (sector != 512 && sector != 1024 && sector != 2048 && sector != 4096)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "segment %s: bad sector size",
				     name);
	p->more->sector_size = (uint32_t)sector;
	if (!member_u64(segment, "iv_tweak", &tweak))
		return volume_refuse(p->detail, VOLUME_E_METADATA, "segment %s: no iv_tweak", name);
	/* Flags mark the parts of a re-encryption: specification, section 3.3, table 6. */
	if (json_object_object_get_ex(segment, "flags", &flags) &&
	    (!json_object_is_type(flags, json_type_array) || json_object_array_length(flags) > 0))
		return volume_refuse(p->detail, VOLUME_E_METADATA, "segment %s has flags", name);
	/* dm-integrity's superblock, journal and tags would lie among the data. */
	if (json_object_object_get_ex(segment, "integrity", &value))
		return volume_refuse(p->detail, VOLUME_E_REQUIREMENT,
				     "segment %s demands integrity tags", name);

	if (!member_u64(segment, "offset", &range.offset) || range.offset % (uint64_t)sector != 0 ||
	    range.offset < p->more->keyslots_end)
		return volume_refuse(p->detail, VOLUME_E_METADATA,
				     "segment %s starts in the wrong place", name);
	if (!size || (strcmp(size, "dynamic") != 0 &&
		      (!member_u64(segment, "size", &range.size) || range.size == 0)))
		return volume_refuse(p->detail, VOLUME_E_METADATA, "segment %s: bad size", name);
	range_insert(p, range);
	return 0;
}

/* All segments together: from the keyslots to the end of the medium without a hole. */
static int segments_cover(struct parser *p)
{
	uint64_t end = p->ranges[0].offset;

	p->more->data_offset = end;
	if (end - p->more->keyslots_end > GAP_MAX)
		return volume_refuse(p->detail, VOLUME_E_CLEAR, "clear space before the data");
	for (size_t i = 0; i < p->more->segments; i++) {
		const struct segment *range = &p->ranges[i];

		if (range->offset != end)
			return volume_refuse(p->detail, VOLUME_E_CLEAR,
					     "hole or overlap in the segments");
		if (range->offset >= p->size || range->size > p->size - range->offset)
			return volume_refuse(p->detail, VOLUME_E_CAPACITY,
					     "the data reaches beyond the end of the medium");
		end = range->size ? range->offset + range->size : p->size;
	}
	if (p->size - end >= TAIL_MAX)
		return volume_refuse(p->detail, VOLUME_E_CLEAR, "clear space behind the data");
	return 0;
}

static int segments_check(struct parser *p)
{
	int count = json_object_object_length(p->segments);

	if (count < 1 || count > SEGMENTS_MAX)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "%d segments", count);
	json_object_object_foreach(p->segments, name, segment)
	{
		int r = segment_check(p, name, segment);

		if (r)
			return r;
	}
	return segments_cover(p);
}

/* Base64 of between min and max bytes. */
static bool member_base64(struct json_object *obj, const char *name, size_t min, size_t max,
			  uint8_t *out, size_t *len)
{
	const char *text = member_text(obj, name);

	return text &&
	       !sodium_base642bin(out, max, text, strlen(text), NULL, len, NULL,
				  sodium_base64_VARIANT_ORIGINAL) &&
	       *len >= min;
}

/* The digest of the key that the data is encrypted with: specification, section 3.4. */
static bool digest_bind(struct json_object *digest, uint8_t binding[static MARK_BINDING_SIZE])
{
	uint8_t salt[SALT_MAX], sum[DIGEST_MAX];
	const char *type = member_text(digest, "type");
	size_t salt_len, sum_len;

	if (!type || strcmp(type, "pbkdf2") != 0 ||
	    !member_base64(digest, "salt", SALT_MIN, sizeof(salt), salt, &salt_len) ||
	    !member_base64(digest, "digest", DIGEST_MIN, sizeof(sum), sum, &sum_len))
		return false;
	mark_binding(salt, salt_len, sum, sum_len, binding);
	return true;
}

/*
 * One digest ties all segments to at least one keyslot; the others belong to keys that open
 * nothing. More for the data would mean several keys, of which the mark binds only one.
 */
static int digests_check(struct parser *p)
{
	struct json_object *data = NULL;

	if (json_object_object_length(p->digests) > KEYSLOTS_MAX)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "too many digests");
	json_object_object_foreach(p->segments, name, segment)
	{
		struct json_object *found = NULL;

		(void)segment;
		json_object_object_foreach(p->digests, digest_name, digest)
		{
			if (!array_has(digest, "segments", name))
				continue;
			if (found || (data && data != digest))
				return volume_refuse(p->detail, VOLUME_E_METADATA,
						     "digest %s is one too many for the data",
						     digest_name);
			found = digest;
		}
		if (!found)
			return volume_refuse(p->detail, VOLUME_E_METADATA,
					     "no digest belongs to segment %s", name);
		data = found;
	}
	json_object_object_foreach(p->keyslots, keyslot_name, keyslot)
	{
		(void)keyslot;
		if (array_has(data, "keyslots", keyslot_name))
			p->out->keyslots++;
	}
	if (!p->out->keyslots)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "no keyslot opens the data");
	if (!digest_bind(data, p->out->binding))
		return volume_refuse(p->detail, VOLUME_E_METADATA,
				     "the digest of the volume key cannot be right");
	return 0;
}

/* Specification, section 3.5: what a token says beside is its owner's. */
static bool token_ok(struct parser *p, struct json_object *token, const char **type)
{
	struct json_object *keyslots = member_get(token, "keyslots", json_type_array);
	size_t n = keyslots ? json_object_array_length(keyslots) : 0;

	*type = member_text(token, "type");
	if (!*type || !**type || strlen(*type) >= TOKEN_TYPE_MAX || !keyslots)
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *name = text_of(json_object_array_get_idx(keyslots, i));

		if (!name || !member_get(p->keyslots, name, json_type_object))
			return false;
	}
	return true;
}

static int tokens_check(struct parser *p)
{
	if (json_object_object_length(p->tokens) > TOKENS_MAX)
		return volume_refuse(p->detail, VOLUME_E_METADATA, "%d tokens",
				     json_object_object_length(p->tokens));
	json_object_object_foreach(p->tokens, name, token)
	{
		const char *type, *text;
		size_t len = 0;
		int r;

		if (!token_ok(p, token, &type))
			return volume_refuse(p->detail, VOLUME_E_METADATA, "token %s is malformed",
					     name);
		text = json_object_to_json_string_length(token, JSON_C_TO_STRING_PLAIN, &len);
		if (!text)
			return -ENOMEM;
		if (len > TOKEN_TEXT_MAX)
			return volume_refuse(p->detail, VOLUME_E_METADATA, "token %s is too long",
					     name);
		if (strcmp(type, MARK_TYPE) != 0)
			continue;
		if (p->out->has_mark)
			return volume_refuse(p->detail, VOLUME_E_MARK, "there are two marks");
		r = mark_parse(text, len, &p->out->mark);
		if (r)
			return r < 0 ? r
				     : volume_refuse(p->detail, VOLUME_E_MARK,
						     "the mark in token %s is malformed", name);
		p->out->has_mark = true;
	}
	return 0;
}

int luks2_metadata_parse(const uint8_t *area, size_t len, uint64_t size, struct volume *out,
			 struct luks2 *more, char detail[static VOLUME_DETAIL_MAX])
{
	_cleanup_(json_object_putp) struct json_object *root = NULL;
	struct parser p = {.out = out, .more = more, .detail = detail, .size = size};
	struct json_object *config;
	int r;

	r = json_read(area, len, &root, detail);
	if (r)
		return r;
	config = member_get(root, "config", json_type_object);
	p.keyslots = member_get(root, "keyslots", json_type_object);
	p.segments = member_get(root, "segments", json_type_object);
	p.digests = member_get(root, "digests", json_type_object);
	p.tokens = member_get(root, "tokens", json_type_object);
	if (!config || !p.keyslots || !p.segments || !p.digests || !p.tokens)
		return volume_refuse(detail, VOLUME_E_METADATA,
				     "config, keyslots, segments, digests or tokens missing");
	if ((r = config_check(&p, config)) || (r = keyslots_check(&p)) ||
	    (r = segments_check(&p)) || (r = digests_check(&p)) || (r = tokens_check(&p)))
		return r;
	kdfs_write(&p);
	return 0;
}
