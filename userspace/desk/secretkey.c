// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/text.h"
#include "desk/secretkey.h"

#define SALT_SIZE crypto_pwhash_scryptsalsa208sha256_SALTBYTES
#define SECRET_SIZE crypto_sign_SECRETKEYBYTES
#define CHECK_SIZE 32

/* The record, by offset. */
enum {
	AT_SALT = 6,
	AT_OPSLIMIT = AT_SALT + SALT_SIZE,
	AT_MEMLIMIT = AT_OPSLIMIT + 8,
	AT_BOX = AT_MEMLIMIT + 8,
	BOX_ID = 0,
	BOX_SECRET = BOX_ID + MINISIGN_ID_SIZE,
	BOX_CHECK = BOX_SECRET + SECRET_SIZE,
	BOX_SIZE = BOX_CHECK + CHECK_SIZE,
	RECORD_SIZE = AT_BOX + BOX_SIZE,
};

/* A damaged file shall not ask for all memory or a day of work. */
#define OPSLIMIT_MAX (UINT64_C(1) << 28)
#define MEMLIMIT_MAX (UINT64_C(2) << 30)

static const char algorithms[] = "EdScB2";

int secretkey_generate(struct signing_key *key)
{
	key->secret = sodium_malloc(SECRET_SIZE);
	if (!key->secret)
		return -ENOMEM;
	crypto_sign_keypair(key->key, key->secret);
	randombytes_buf(key->id, sizeof(key->id));
	return 0;
}

static void box_check(const uint8_t *box, uint8_t out[static CHECK_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, CHECK_SIZE);
	crypto_generichash_update(&state, (const uint8_t *)algorithms, 2);
	crypto_generichash_update(&state, box, BOX_CHECK);
	crypto_generichash_final(&state, out, CHECK_SIZE);
}

/* The XOR is its own inverse. */
static int box_cover(uint8_t *box, const char *passphrase, const uint8_t *record, uint64_t opslimit,
		     uint64_t memlimit)
{
	uint8_t *stream = sodium_malloc(BOX_SIZE);
	int r;

	if (!stream)
		return -ENOMEM;
	r = crypto_pwhash_scryptsalsa208sha256(stream, BOX_SIZE, passphrase, strlen(passphrase),
					       record + AT_SALT, opslimit, (size_t)memlimit);
	for (size_t i = 0; !r && i < BOX_SIZE; i++)
		box[i] ^= stream[i];
	sodium_free(stream);
	return r ? -ENOMEM : 0;
}

static void put_le64(uint8_t *out, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

int secretkey_format(const struct signing_key *key, const char *passphrase, bool quick,
		     char out[static SECRETKEY_FILE_MAX])
{
	uint64_t opslimit = quick ? crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN
				  : crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE;
	uint64_t memlimit = quick ? crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN
				  : crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE;
	uint8_t *record = sodium_malloc(RECORD_SIZE);
	int n, r;

	if (!record)
		return -ENOMEM;
	memcpy(record, algorithms, AT_SALT);
	randombytes_buf(record + AT_SALT, SALT_SIZE);
	put_le64(record + AT_OPSLIMIT, opslimit);
	put_le64(record + AT_MEMLIMIT, memlimit);
	memcpy(record + AT_BOX + BOX_ID, key->id, MINISIGN_ID_SIZE);
	memcpy(record + AT_BOX + BOX_SECRET, key->secret, SECRET_SIZE);
	box_check(record + AT_BOX, record + AT_BOX + BOX_CHECK);
	r = box_cover(record + AT_BOX, passphrase, record, opslimit, memlimit);
	if (!r) {
		n = snprintf(out, SECRETKEY_FILE_MAX,
			     "untrusted comment: minisign encrypted secret key\n");
		sodium_bin2base64(out + n, SECRETKEY_FILE_MAX - (size_t)n - 1, record, RECORD_SIZE,
				  sodium_base64_VARIANT_ORIGINAL);
		strcat(out, "\n");
	}
	sodium_free(record);
	return r;
}

static int record_open(uint8_t *record, const char *passphrase, struct signing_key *key)
{
	struct bytes view = {.data = record, .len = RECORD_SIZE};
	uint64_t opslimit = bytes_le(&view, AT_OPSLIMIT, 8);
	uint64_t memlimit = bytes_le(&view, AT_MEMLIMIT, 8);
	uint8_t *box = record + AT_BOX, check[CHECK_SIZE];
	int r;

	if (memcmp(record, algorithms, AT_SALT) || opslimit > OPSLIMIT_MAX ||
	    memlimit > MEMLIMIT_MAX)
		return SECRETKEY_E_FORM;
	r = box_cover(box, passphrase, record, opslimit, memlimit);
	if (r)
		return r;
	box_check(box, check);
	if (sodium_memcmp(check, box + BOX_CHECK, CHECK_SIZE))
		return SECRETKEY_E_PASSPHRASE;
	key->secret = sodium_malloc(SECRET_SIZE);
	if (!key->secret)
		return -ENOMEM;
	memcpy(key->id, box + BOX_ID, sizeof(key->id));
	memcpy(key->secret, box + BOX_SECRET, SECRET_SIZE);
	crypto_sign_ed25519_sk_to_pk(key->key, key->secret);
	return 0;
}

int secretkey_parse(const char *text, size_t len, const char *passphrase, struct signing_key *key)
{
	const char *line = memchr(text, '\n', len), *end;
	uint8_t *record;
	size_t n;
	int r = SECRETKEY_E_FORM;

	if (!line || len > SECRETKEY_FILE_MAX)
		return SECRETKEY_E_FORM;
	record = sodium_malloc(RECORD_SIZE);
	if (!record)
		return -ENOMEM;
	line++;
	if (!sodium_base642bin(record, RECORD_SIZE, line, len - (size_t)(line - text), "\r\n", &n,
			       &end, sodium_base64_VARIANT_ORIGINAL) &&
	    n == RECORD_SIZE && end == text + len)
		r = record_open(record, passphrase, key);
	sodium_free(record);
	return r;
}

void secretkey_public(const struct signing_key *key, char out[static SECRETKEY_PUBLIC_MAX])
{
	uint8_t record[2 + MINISIGN_ID_SIZE + MINISIGN_KEY_SIZE] = "Ed";

	memcpy(record + 2, key->id, MINISIGN_ID_SIZE);
	memcpy(record + 2 + MINISIGN_ID_SIZE, key->key, MINISIGN_KEY_SIZE);
	sodium_bin2base64(out, SECRETKEY_PUBLIC_MAX, record, sizeof(record),
			  sodium_base64_VARIANT_ORIGINAL);
}

size_t secretkey_sign(const struct signing_key *key, const void *data, size_t len,
		      const char *comment, char out[static MINISIGN_FILE_MAX])
{
	uint8_t record[2 + MINISIGN_ID_SIZE + MINISIGN_SIGNATURE_SIZE] = "ED";
	uint8_t *signature = record + 2 + MINISIGN_ID_SIZE, global[MINISIGN_SIGNATURE_SIZE];
	uint8_t commented[MINISIGN_SIGNATURE_SIZE + SECRETKEY_COMMENT_MAX];
	char record_text[128], global_text[128];
	size_t n = strnlen(comment, SECRETKEY_COMMENT_MAX - 1);
	struct minisign_message message;

	minisign_message_init(&message, data, len);
	memcpy(record + 2, key->id, MINISIGN_ID_SIZE);
	crypto_sign_detached(signature, NULL, message.hash, sizeof(message.hash), key->secret);
	memcpy(commented, signature, MINISIGN_SIGNATURE_SIZE);
	memcpy(commented + MINISIGN_SIGNATURE_SIZE, comment, n);
	crypto_sign_detached(global, NULL, commented, MINISIGN_SIGNATURE_SIZE + n, key->secret);
	sodium_bin2base64(record_text, sizeof(record_text), record, sizeof(record),
			  sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(global_text, sizeof(global_text), global, sizeof(global),
			  sodium_base64_VARIANT_ORIGINAL);
	return (size_t)snprintf(out, MINISIGN_FILE_MAX,
				"untrusted comment: signature by sekimori-desk\n%s\n"
				"trusted comment: %.*s\n%s\n",
				record_text, (int)n, comment, global_text);
}
