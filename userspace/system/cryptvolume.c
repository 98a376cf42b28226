// SPDX-License-Identifier: GPL-2.0-or-later
#include "system/cryptvolume.h"

#include <json-c/json.h>
#include <libcryptsetup.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/mark-text.h"
#include "core/text.h"

#define CIPHER "aes"
#define CIPHER_MODE "xts-plain64"
#define KEY_BYTES 64
#define HASH "sha256"

#define SECTOR 512
#define MESSAGE_MAX 256

/* A LUKS2 digest's salt and digest (specification, 3.4): 32 bytes as the reference writes them; up
 * to 512 bits. */
#define DIGEST_MAX 64

/* udev looks at a mapping that has just come; ten times a tenth of a second. */
#define CLOSE_TRIES 30
#define CLOSE_PAUSE_NS 100000000L

struct cryptvolume {
	struct crypt_device *device;
	char message[MESSAGE_MAX];
};

DEFINE_CLEANUP(struct json_object *, json_object_put)

static void crypt_freep(struct crypt_device **device)
{
	crypt_free(*device);
}

/* Keeps the first complaint of a call: those that follow only say that something failed. */
static void message_keep(int level, const char *text, void *data)
{
	struct cryptvolume *volume = data;

	if (level != CRYPT_LOG_ERROR || !volume || volume->message[0])
		return;
	snprintf(volume->message, sizeof(volume->message), "%s", text);
	volume->message[strcspn(volume->message, "\n")] = '\0';
}

/* Before every call that may complain. */
static struct crypt_device *device_of(struct cryptvolume *volume)
{
	volume->message[0] = '\0';
	return volume->device;
}

static void silence(int level, const char *text, void *data)
{
	(void)level;
	(void)text;
	(void)data;
}

bool cryptvolume_kdf_ok(const struct cryptvolume_kdf *kdf)
{
	return kdf->memory_kib >= CRYPTVOLUME_KDF_MEMORY_MIN &&
	       kdf->memory_kib <= CRYPTVOLUME_KDF_MEMORY_MAX &&
	       kdf->iterations >= CRYPTVOLUME_KDF_ITERATIONS_MIN &&
	       kdf->iterations <= CRYPTVOLUME_KDF_ITERATIONS_MAX && kdf->threads >= 1 &&
	       kdf->threads <= CRYPTVOLUME_KDF_THREADS_MAX;
}

int cryptvolume_new(const char *path, struct cryptvolume **volumep)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = calloc(1, sizeof(*volume));
	int r;

	if (!volume)
		return -ENOMEM;
	/* Without a handle of its own, a complaint would go to standard error. */
	crypt_set_log_callback(NULL, silence, NULL);
	r = crypt_init(&volume->device, path);
	if (r < 0)
		return r;
	crypt_set_log_callback(volume->device, message_keep, volume);
	*volumep = TAKE_PTR(volume);
	return 0;
}

struct cryptvolume *cryptvolume_free(struct cryptvolume *volume)
{
	if (volume)
		crypt_free(volume->device);
	free(volume);
	return NULL;
}

const char *cryptvolume_message(const struct cryptvolume *volume)
{
	return volume->message;
}

int cryptvolume_format(struct cryptvolume *volume, const struct cryptvolume_params *params)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_ARGON2ID,
		.hash = HASH,
		.iterations = params->kdf.iterations,
		.max_memory_kb = params->kdf.memory_kib,
		.parallel_threads = params->kdf.threads,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 luks2 = {
		.pbkdf = &pbkdf,
		.sector_size = params->sector_size,
		.label = params->label,
	};
	int r;

	if (!cryptvolume_kdf_ok(&params->kdf))
		return CRYPTVOLUME_E_KDF;
	r = crypt_format(device_of(volume), CRYPT_LUKS2, CIPHER, CIPHER_MODE, params->uuid, NULL,
			 KEY_BYTES, &luks2);
	return r < 0 ? r : 0;
}

int cryptvolume_renew(struct cryptvolume *volume)
{
	struct crypt_device *device = device_of(volume);
	_cleanup_(freep) char *label = NULL, *subsystem = NULL;
	const char *said;
	int r;

	if (cryptvolume_method(volume) != ENCRYPTION_LUKS2)
		return CRYPTVOLUME_E_METHOD;
	/* Copies, because what libcryptsetup returns (NULL for none) is what it will overwrite. */
	if (((said = crypt_get_label(device)) && !(label = strdup(said))) ||
	    ((said = crypt_get_subsystem(device)) && !(subsystem = strdup(said))))
		return -ENOMEM;
	r = crypt_set_label(device, label, subsystem);
	return r < 0 ? r : 0;
}

int cryptvolume_load(struct cryptvolume *volume)
{
	/* CRYPT_LUKS is both versions. */
	static const char *const types[] = {CRYPT_LUKS, CRYPT_BITLK};
	struct crypt_device *device = device_of(volume);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		int r = crypt_load(device, types[i], NULL);

		if (r >= 0)
			return 0;
		if (r == -ENOMEM || r == -EACCES || r == -EIO || r == -ENODEV)
			return r;
	}
	return CRYPTVOLUME_E_NONE;
}

enum encryption cryptvolume_method(const struct cryptvolume *volume)
{
	const char *type = crypt_get_type(volume->device);

	if (!type)
		return 0;
	return !strcmp(type, CRYPT_LUKS2)   ? ENCRYPTION_LUKS2
	       : !strcmp(type, CRYPT_LUKS1) ? ENCRYPTION_LUKS1
	       : !strcmp(type, CRYPT_BITLK) ? ENCRYPTION_BITLOCKER
					    : 0;
}

static bool is_luks(const struct cryptvolume *volume)
{
	return cryptvolume_method(volume) & (ENCRYPTION_LUKS1 | ENCRYPTION_LUKS2);
}

const char *cryptvolume_uuid(const struct cryptvolume *volume)
{
	const char *uuid = crypt_get_uuid(volume->device);

	return uuid ? uuid : "";
}

uint64_t cryptvolume_data_offset(const struct cryptvolume *volume)
{
	return crypt_get_data_offset(volume->device) * SECTOR;
}

uint32_t cryptvolume_sector_size(const struct cryptvolume *volume)
{
	int size = crypt_get_sector_size(volume->device);

	return size > 0 ? (uint32_t)size : SECTOR;
}

/* --- keyslots --- */

static bool slot_used(const struct cryptvolume *volume, int slot)
{
	crypt_keyslot_info info = crypt_keyslot_status(volume->device, slot);

	return info == CRYPT_SLOT_ACTIVE || info == CRYPT_SLOT_ACTIVE_LAST ||
	       info == CRYPT_SLOT_UNBOUND;
}

static int slots_max(const struct cryptvolume *volume)
{
	return is_luks(volume) ? crypt_keyslot_max(crypt_get_type(volume->device)) : 0;
}

unsigned int cryptvolume_keyslots(const struct cryptvolume *volume)
{
	unsigned int n = 0;

	for (int slot = 0; slot < slots_max(volume); slot++)
		n += slot_used(volume, slot);
	return n;
}

int cryptvolume_key_add(struct cryptvolume *volume, const void *passphrase, size_t len)
{
	return crypt_keyslot_add_by_volume_key(device_of(volume), CRYPT_ANY_SLOT, NULL, 0,
					       passphrase, len);
}

/* libcryptsetup says -EPERM, or -ENOENT when there is no keyslot at all. */
static int passphrase_outcome(int r)
{
	if (r == -EPERM || r == -ENOENT)
		return CRYPTVOLUME_E_PASSPHRASE;
	if (r == -EBUSY || r == -EEXIST)
		return CRYPTVOLUME_E_BUSY;
	return r < 0 ? r : 0;
}

int cryptvolume_key_try(struct cryptvolume *volume, const void *passphrase, size_t len, int *slot)
{
	int r = crypt_activate_by_passphrase(device_of(volume), NULL, CRYPT_ANY_SLOT, passphrase,
					     len, 0);

	*slot = r;
	return passphrase_outcome(r);
}

int cryptvolume_keys_destroy(struct cryptvolume *volume, unsigned int *n)
{
	*n = 0;
	if (!is_luks(volume))
		return CRYPTVOLUME_E_METHOD;
	for (int slot = 0; slot < slots_max(volume); slot++) {
		int r;

		if (!slot_used(volume, slot))
			continue;
		r = crypt_keyslot_destroy(device_of(volume), slot);
		if (r < 0)
			return r;
		++*n;
	}
	return cryptvolume_keyslots(volume) ? -EIO : 0;
}

/* --- the mark --- */

/* Bytes of the base64 in a member; false if it is none, or too long. */
static bool member_bytes(struct json_object *object, const char *name,
			 uint8_t out[static DIGEST_MAX], size_t *len)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	return sodium_base642bin(out, DIGEST_MAX, text, strlen(text), NULL, len, NULL,
				 sodium_base64_VARIANT_ORIGINAL) == 0;
}

static size_t array_length(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) &&
			       json_object_is_type(value, json_type_array)
		       ? json_object_array_length(value)
		       : 0;
}

/* The digest that all segments have; NULL if there is none, or several. */
static struct json_object *data_digest(struct json_object *root)
{
	struct json_object *segments, *digests, *found = NULL;

	if (!json_object_object_get_ex(root, "segments", &segments) ||
	    !json_object_object_get_ex(root, "digests", &digests) ||
	    !json_object_is_type(segments, json_type_object) ||
	    !json_object_is_type(digests, json_type_object))
		return NULL;
	json_object_object_foreach(digests, id, digest)
	{
		size_t n = array_length(digest, "segments");

		(void)id;
		if (!n)
			continue;
		if (found || n != (size_t)json_object_object_length(segments))
			return NULL;
		found = digest;
	}
	return found;
}

static bool member_is(struct json_object *object, const char *name, const char *text)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) &&
	       json_object_is_type(value, json_type_string) &&
	       !strcmp(json_object_get_string(value), text);
}

bool cryptvolume_covers(struct cryptvolume *volume)
{
	_cleanup_(json_object_putp) struct json_object *root = NULL;
	struct json_object *segments;
	const char *cipher = crypt_get_cipher(volume->device), *json;

	if (!is_luks(volume) || !cipher || strstr(cipher, "null"))
		return false;
	/* LUKS1 has one area, which always goes to the end. */
	if (cryptvolume_method(volume) == ENCRYPTION_LUKS1)
		return true;
	if (crypt_dump_json(device_of(volume), &json, 0) < 0)
		return false;
	root = json_tokener_parse(json);
	if (!root || !json_object_object_get_ex(root, "segments", &segments) ||
	    !json_object_is_type(segments, json_type_object) ||
	    json_object_object_length(segments) != 1)
		return false;
	json_object_object_foreach(segments, id, segment)
	{
		(void)id;
		if (!member_is(segment, "type", "crypt") || !member_is(segment, "size", "dynamic"))
			return false;
	}
	return true;
}

int cryptvolume_binding(struct cryptvolume *volume, uint8_t binding[static MARK_BINDING_SIZE])
{
	_cleanup_(json_object_putp) struct json_object *root = NULL;
	uint8_t salt[DIGEST_MAX], bytes[DIGEST_MAX];
	size_t salt_len, len;
	struct json_object *digest;
	const char *json;
	int r;

	if (cryptvolume_method(volume) != ENCRYPTION_LUKS2)
		return CRYPTVOLUME_E_METHOD;
	r = crypt_dump_json(device_of(volume), &json, 0);
	if (r < 0)
		return r;
	root = json_tokener_parse(json);
	digest = root ? data_digest(root) : NULL;
	if (!digest || !member_bytes(digest, "salt", salt, &salt_len) ||
	    !member_bytes(digest, "digest", bytes, &len))
		return CRYPTVOLUME_E_DIGEST;
	mark_binding(salt, salt_len, bytes, len, binding);
	return 0;
}

/* The number of our token, -1 for none, -2 for several. */
static int mark_token(struct cryptvolume *volume)
{
	int found = -1;

	for (int token = 0; token < crypt_token_max(CRYPT_LUKS2); token++) {
		const char *type;

		switch (crypt_token_status(volume->device, token, &type)) {
		case CRYPT_TOKEN_EXTERNAL:
		case CRYPT_TOKEN_EXTERNAL_UNKNOWN:
			if (strcmp(type, MARK_TYPE))
				break;
			if (found >= 0)
				return -2;
			found = token;
			break;
		default:
			break;
		}
	}
	return found;
}

int cryptvolume_mark_get(struct cryptvolume *volume, struct mark *mark)
{
	const char *json;
	int token, r;

	if (cryptvolume_method(volume) != ENCRYPTION_LUKS2)
		return CRYPTVOLUME_E_METHOD;
	token = mark_token(volume);
	if (token < 0)
		return CRYPTVOLUME_E_MARK;
	r = crypt_token_json_get(device_of(volume), token, &json);
	if (r < 0)
		return r;
	r = mark_parse(json, strlen(json), mark);
	return r > 0 ? CRYPTVOLUME_E_MARK : r;
}

int cryptvolume_mark_set(struct cryptvolume *volume, const struct mark *mark)
{
	char json[MARK_JSON_MAX];
	int token, r;

	if (cryptvolume_method(volume) != ENCRYPTION_LUKS2)
		return CRYPTVOLUME_E_METHOD;
	token = mark_token(volume);
	if (token == -2 || !mark_ok(mark))
		return CRYPTVOLUME_E_MARK;
	mark_format(mark, json);
	r = crypt_token_json_set(device_of(volume), token < 0 ? CRYPT_ANY_TOKEN : token, json);
	return r < 0 ? r : 0;
}

/* --- opening and closing --- */

int cryptvolume_activate(struct cryptvolume *volume, const char *name, const void *passphrase,
			 size_t len, unsigned int flags)
{
	uint32_t native = (flags & CRYPTVOLUME_READ_ONLY ? CRYPT_ACTIVATE_READONLY : 0) |
			  (flags & CRYPTVOLUME_PRIVATE ? CRYPT_ACTIVATE_PRIVATE : 0) |
			  (flags & CRYPTVOLUME_DISCARD ? CRYPT_ACTIVATE_ALLOW_DISCARDS : 0);

	return passphrase_outcome(crypt_activate_by_passphrase(
		device_of(volume), name, CRYPT_ANY_SLOT, passphrase, len, native));
}

int cryptvolume_deactivate(const char *name)
{
	const struct timespec pause = {.tv_nsec = CLOSE_PAUSE_NS};
	char path[128];
	int r = 0;

	crypt_set_log_callback(NULL, silence, NULL);
	for (int i = 0; i < CLOSE_TRIES; i++) {
		_cleanup_(crypt_freep) struct crypt_device *device = NULL;
		crypt_status_info status = crypt_status(NULL, name);

		if (status == CRYPT_INACTIVE)
			return 0;
		if (status == CRYPT_ACTIVE || status == CRYPT_BUSY) {
			/* By its name: also a mapping whose device has been pulled out. */
			r = crypt_init_by_name(&device, name);
			if (r >= 0)
				r = crypt_deactivate(device, name);
			else
				r = crypt_deactivate(NULL, name);
			if (r != -EBUSY)
				return r == -ENODEV ? 0 : r < 0 ? r : 0;
		} else {
			/* No device mapper in this kernel: then there is no mapping either. */
			snprintf(path, sizeof(path), "/dev/mapper/%s", name);
			return access(path, F_OK) ? 0 : -EIO;
		}
		nanosleep(&pause, NULL);
	}
	return CRYPTVOLUME_E_BUSY;
}

const char *cryptvolume_error(int code)
{
	switch (code) {
	case CRYPTVOLUME_E_NONE:
		return N_("holds no encrypted volume that can be read");
	case CRYPTVOLUME_E_PASSPHRASE:
		return N_("is not opened by this passphrase");
	case CRYPTVOLUME_E_KDF:
		return N_(
			"would be protected too weakly, or too strongly for a terminal: memory 32 "
			"MiB "
			"to 1 GiB, 4 to 64 passes, 1 to 4 threads");
	case CRYPTVOLUME_E_MARK:
		return N_("carries no mark, or a malformed one");
	case CRYPTVOLUME_E_BUSY:
		return N_("is in use");
	case CRYPTVOLUME_E_METHOD:
		return N_("is encrypted by a method for which this cannot be done");
	case CRYPTVOLUME_E_DIGEST:
		return N_("has several volume keys");
	}
	return N_("cannot be read");
}
