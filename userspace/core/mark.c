// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/mark.h"

#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "core/luks2.h"
#include "core/macro.h"
#include "core/text.h"

/* A token is flat: an object with an empty array in it. */
#define JSON_DEPTH_MAX 3

DEFINE_CLEANUP(struct json_object *, json_object_put)

static void json_tokener_freep(struct json_tokener **tok)
{
	if (*tok)
		json_tokener_free(*tok);
}

/* --- what a mark may hold --- */

/* Ends inside the field, zeroes behind, safe. */
static bool field_ok(const char *field, size_t size)
{
	size_t len = strnlen(field, size);

	for (size_t i = len; i < size; i++)
		if (field[i])
			return false;
	return len < size && text_is_safe(field);
}

static bool date_ok(const char *date)
{
	int64_t civil;

	return strlen(date) == MARK_DATE_MAX - 1 && civil_parse(date, strlen(date), false, &civil);
}

bool mark_ok(const struct mark *mark)
{
	return field_ok(mark->number, sizeof(mark->number)) && mark->number[0] &&
	       field_ok(mark->uuid, sizeof(mark->uuid)) && luks2_uuid_ok(mark->uuid) &&
	       field_ok(mark->serial, sizeof(mark->serial)) &&
	       field_ok(mark->issued, sizeof(mark->issued)) && date_ok(mark->issued) &&
	       field_ok(mark->until, sizeof(mark->until)) &&
	       (!mark->until[0] || (date_ok(mark->until) && strcmp(mark->issued, mark->until) <= 0)) &&
	       mark->class >= 1 && mark->class <= 3 && !mark->pad[0];
}

/* --- the token --- */

/* Each takes its member from the object, so that what is left over has no business there. */

static bool take_text(struct json_object *token, const char *name, char *field, size_t size)
{
	struct json_object *value;
	const char *text;
	size_t len;

	if (!json_object_object_get_ex(token, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	len = (size_t)json_object_get_string_len(value);
	if (len >= size || strlen(text) != len)
		return false;
	memset(field, 0, size);
	memcpy(field, text, len);
	json_object_object_del(token, name);
	return true;
}

static bool take_hex(struct json_object *token, const char *name, uint8_t *out, size_t size)
{
	char text[2 * MARK_SIGNATURE_SIZE + 1], again[sizeof(text)];
	size_t len;

	if (!take_text(token, name, text, 2 * size + 1) || strlen(text) != 2 * size ||
	    sodium_hex2bin(out, size, text, 2 * size, NULL, &len, NULL) || len != size)
		return false;
	/* One way to write it: lower case. */
	sodium_bin2hex(again, sizeof(again), out, size);
	return !strcmp(again, text);
}

static bool take_id(struct json_object *token, const char *name, uint16_t *id)
{
	uint8_t bytes[2];

	if (!take_hex(token, name, bytes, sizeof(bytes)))
		return false;
	*id = (uint16_t)(bytes[0] << 8 | bytes[1]);
	return true;
}

static bool take_number(struct json_object *token, const char *name, uint8_t min, uint8_t max,
			uint8_t *out)
{
	struct json_object *value;
	int64_t number;

	if (!json_object_object_get_ex(token, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return false;
	number = json_object_get_int64(value);
	if (number < min || number > max)
		return false;
	*out = (uint8_t)number;
	json_object_object_del(token, name);
	return true;
}

/* Opens no keyslot: LUKS2 specification, section 3.5. */
static bool take_keyslots(struct json_object *token)
{
	struct json_object *value;

	if (!json_object_object_get_ex(token, "keyslots", &value) ||
	    !json_object_is_type(value, json_type_array) || json_object_array_length(value))
		return false;
	json_object_object_del(token, "keyslots");
	return true;
}

static bool token_read(struct json_object *token, struct mark *mark)
{
	char type[sizeof(MARK_TYPE)];
	uint8_t version;

	return take_text(token, "type", type, sizeof(type)) && !strcmp(type, MARK_TYPE) &&
	       take_keyslots(token) &&
	       take_number(token, "version", MARK_VERSION, MARK_VERSION, &version) &&
	       take_text(token, "number", mark->number, sizeof(mark->number)) &&
	       take_number(token, "class", 1, 3, &mark->class) &&
	       take_text(token, "uuid", mark->uuid, sizeof(mark->uuid)) &&
	       take_hex(token, "binding", mark->binding, sizeof(mark->binding)) &&
	       take_id(token, "id_vendor", &mark->id_vendor) &&
	       take_id(token, "id_product", &mark->id_product) &&
	       take_text(token, "serial", mark->serial, sizeof(mark->serial)) &&
	       take_text(token, "issued", mark->issued, sizeof(mark->issued)) &&
	       take_text(token, "until", mark->until, sizeof(mark->until)) &&
	       take_hex(token, "signer", mark->signer, sizeof(mark->signer)) &&
	       take_hex(token, "signature", mark->signature, sizeof(mark->signature)) &&
	       !json_object_object_length(token);
}

int mark_parse(const char *json, size_t len, struct mark *mark)
{
	_cleanup_(json_object_putp) struct json_object *token = NULL;
	_cleanup_(json_tokener_freep) struct json_tokener *tok = NULL;
	struct mark read = { 0 };

	if (len >= MARK_JSON_MAX)
		return MARK_E_FORM;
	tok = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	token = json_tokener_parse_ex(tok, json, (int)len);
	if (!token || !json_object_is_type(token, json_type_object) || !token_read(token, &read) ||
	    !mark_ok(&read))
		return MARK_E_FORM;
	*mark = read;
	return 0;
}

/* The texts are safe: no control characters; what JSON would have to escape is " and \ alone. */
static size_t put_member(char *out, size_t at, const char *name, const char *text)
{
	at += (size_t)snprintf(out + at, MARK_JSON_MAX - at, ",\"%s\":\"", name);
	for (; *text && at + 4 < MARK_JSON_MAX; text++) {
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at++] = '"';
	return at;
}

static size_t put_hex(char *out, size_t at, const char *name, const uint8_t *bytes, size_t size)
{
	char text[2 * MARK_SIGNATURE_SIZE + 1];

	sodium_bin2hex(text, sizeof(text), bytes, size);
	return put_member(out, at, name, text);
}

static void id_text(uint16_t id, char out[static 5])
{
	snprintf(out, 5, "%04x", id);
}

size_t mark_format(const struct mark *mark, char out[static MARK_JSON_MAX])
{
	char vendor[5], product[5];
	size_t at;

	id_text(mark->id_vendor, vendor);
	id_text(mark->id_product, product);
	at = (size_t)snprintf(out, MARK_JSON_MAX,
			      "{\"type\":\"" MARK_TYPE "\",\"keyslots\":[],\"version\":%d", MARK_VERSION);
	at = put_member(out, at, "number", mark->number);
	at += (size_t)snprintf(out + at, MARK_JSON_MAX - at, ",\"class\":%u", mark->class);
	at = put_member(out, at, "uuid", mark->uuid);
	at = put_hex(out, at, "binding", mark->binding, sizeof(mark->binding));
	at = put_member(out, at, "id_vendor", vendor);
	at = put_member(out, at, "id_product", product);
	at = put_member(out, at, "serial", mark->serial);
	at = put_member(out, at, "issued", mark->issued);
	at = put_member(out, at, "until", mark->until);
	at = put_hex(out, at, "signer", mark->signer, sizeof(mark->signer));
	at = put_hex(out, at, "signature", mark->signature, sizeof(mark->signature));
	return at + (size_t)snprintf(out + at, MARK_JSON_MAX - at, "}");
}

/* --- the signature --- */

/*
 * A line for each member. No text holds a line feed, so no two marks give the same bytes. The first
 * line keeps them apart from everything else that a desk signs.
 */
size_t mark_canonical(const struct mark *mark, char out[static MARK_CANONICAL_MAX])
{
	char binding[2 * MARK_BINDING_SIZE + 1], signer[2 * MARK_SIGNER_SIZE + 1];
	int n;

	sodium_bin2hex(binding, sizeof(binding), mark->binding, sizeof(mark->binding));
	sodium_bin2hex(signer, sizeof(signer), mark->signer, sizeof(mark->signer));
	n = snprintf(out, MARK_CANONICAL_MAX,
		     "sekimori mark %d\nnumber %s\nclass %u\nuuid %s\nbinding %s\nid %04x:%04x\n"
		     "serial %s\nissued %s\nuntil %s\nsigner %s\n",
		     MARK_VERSION, mark->number, mark->class, mark->uuid, binding, mark->id_vendor,
		     mark->id_product, mark->serial, mark->issued, mark->until, signer);
	return (size_t)n;
}

void mark_sign(struct mark *mark, const uint8_t signer[static MARK_SIGNER_SIZE],
	       const uint8_t secret[static MARK_SECRET_SIZE])
{
	char text[MARK_CANONICAL_MAX];
	size_t len;

	memcpy(mark->signer, signer, sizeof(mark->signer));
	len = mark_canonical(mark, text);
	crypto_sign_detached(mark->signature, NULL, (const uint8_t *)text, len, secret);
}

int mark_verify(const struct mark *mark, const uint8_t key[static MARK_KEY_SIZE])
{
	char text[MARK_CANONICAL_MAX];
	size_t len = mark_canonical(mark, text);

	return crypto_sign_verify_detached(mark->signature, (const uint8_t *)text, len, key) ?
		       MARK_E_SIGNATURE :
		       0;
}

/* --- what it is bound to --- */

void mark_binding(const uint8_t *salt, size_t salt_len, const uint8_t *digest, size_t digest_len,
		  uint8_t out[static MARK_BINDING_SIZE])
{
	static const char domain[] = "sekimori-binding-1";
	const uint8_t len[] = { (uint8_t)salt_len, (uint8_t)(salt_len >> 8), (uint8_t)(salt_len >> 16),
				(uint8_t)(salt_len >> 24) };
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)domain, sizeof(domain));
	crypto_hash_sha256_update(&state, len, sizeof(len));
	crypto_hash_sha256_update(&state, salt, salt_len);
	crypto_hash_sha256_update(&state, digest, digest_len);
	crypto_hash_sha256_final(&state, out);
}

int mark_check(const struct mark *mark, const struct mark_place *place, int64_t civil)
{
	int64_t moment;

	if (strcmp(mark->uuid, place->uuid) ||
	    memcmp(mark->binding, place->binding, sizeof(mark->binding)))
		return MARK_E_VOLUME;
	if (mark->id_vendor != place->id_vendor || mark->id_product != place->id_product ||
	    strcmp(mark->serial, place->serial))
		return MARK_E_DEVICE;
	if (!civil_parse(mark->issued, strlen(mark->issued), false, &moment) || civil < moment)
		return MARK_E_NOT_YET;
	if (mark->until[0] &&
	    (!civil_parse(mark->until, strlen(mark->until), true, &moment) || civil > moment))
		return MARK_E_EXPIRED;
	return 0;
}
