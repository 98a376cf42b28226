// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/mark-text.h"
#include "core/minisign.h"
#include "core/utf8.h"

#define ALGORITHM_SIZE 2
#define KEY_RECORD_SIZE (ALGORITHM_SIZE + MINISIGN_ID_SIZE + MINISIGN_KEY_SIZE)
#define SIGNATURE_RECORD_SIZE (ALGORITHM_SIZE + MINISIGN_ID_SIZE + MINISIGN_SIGNATURE_SIZE)
/* minisign(1) reads the untrusted comment into 1024 bytes: with LF and NUL. */
#define UNTRUSTED_LINE_MAX 1022

static const char untrusted_prefix[] = "untrusted comment: ";
static const char trusted_prefix[] = "trusted comment: ";

/* Exactly `size` bytes in canonical base64 with padding, nothing before or after. */
static bool base64_decode(const char *text, size_t len, uint8_t *out, size_t size)
{
	const char *end;
	size_t n;

	/* libsodium 1.0.18 takes the byte 0xaf for a slash where char is signed. */
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] > 0x7f)
			return false;
	return !sodium_base642bin(out, size, text, len, NULL, &n, &end,
				  sodium_base64_VARIANT_ORIGINAL) &&
	       n == size && end == text + len;
}

int minisign_key_parse(const char *text, size_t len, struct minisign_key *key)
{
	uint8_t record[KEY_RECORD_SIZE];

	if (!base64_decode(text, len, record, sizeof(record)) ||
	    memcmp(record, "Ed", ALGORITHM_SIZE) != 0)
		return MINISIGN_E_KEY;
	memcpy(key->id, record + ALGORITHM_SIZE, MINISIGN_ID_SIZE);
	memcpy(key->key, record + ALGORITHM_SIZE + MINISIGN_ID_SIZE, MINISIGN_KEY_SIZE);
	/* A mistyped key shall be told from a bad signature. */
	return crypto_core_ed25519_is_valid_point(key->key) ? 0 : MINISIGN_E_KEY;
}

struct line {
	const char *text;
	size_t len; /* without its end */
	bool ended;
};

/* Cuts the next line off text[*pos..len); false if there is none. */
static bool line_take(const char *text, size_t len, size_t *pos, struct line *line)
{
	const char *end;

	if (*pos >= len)
		return false;
	line->text = text + *pos;
	end = memchr(line->text, '\n', len - *pos);
	line->ended = end;
	line->len = end ? (size_t)(end - line->text) : len - *pos;
	*pos += line->len + (end ? 1 : 0);
	while (line->len && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

static bool line_strip(struct line *line, const char *prefix)
{
	size_t n = strlen(prefix);

	if (line->len < n || memcmp(line->text, prefix, n) != 0)
		return false;
	line->text += n;
	line->len -= n;
	return true;
}

/* The same characters that minisign(1) prints: no C0 but the tabulator, no DEL, no C1. */
static bool comment_is_printable(const char *text, size_t len)
{
	while (len) {
		uint32_t cp;
		size_t n = utf8_decode(text, len, &cp);

		if (!n || (cp < 0x20 && cp != '\t') || (cp >= 0x7f && cp <= 0x9f))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static int signature_set_record(struct minisign_signature *signature, const struct line *line)
{
	uint8_t record[SIGNATURE_RECORD_SIZE];

	if (!base64_decode(line->text, line->len, record, sizeof(record)))
		return MINISIGN_E_BASE64;
	if (!memcmp(record, "ED", ALGORITHM_SIZE))
		signature->prehashed = true;
	else if (!memcmp(record, "Ed", ALGORITHM_SIZE))
		signature->prehashed = false;
	else
		return MINISIGN_E_ALGORITHM;
	memcpy(signature->id, record + ALGORITHM_SIZE, MINISIGN_ID_SIZE);
	memcpy(signature->signature, record + ALGORITHM_SIZE + MINISIGN_ID_SIZE,
	       MINISIGN_SIGNATURE_SIZE);
	return 0;
}

int minisign_signature_parse(const char *text, size_t len, struct minisign_signature *signature)
{
	struct line untrusted, record, trusted, global, rest;
	size_t pos = 0;
	int r;

	if (len > MINISIGN_FILE_MAX || memchr(text, '\0', len) ||
	    !line_take(text, len, &pos, &untrusted) || !line_strip(&untrusted, untrusted_prefix) ||
	    untrusted.len + strlen(untrusted_prefix) > UNTRUSTED_LINE_MAX ||
	    !line_take(text, len, &pos, &record) || !line_take(text, len, &pos, &trusted) ||
	    !line_strip(&trusted, trusted_prefix) || !trusted.ended ||
	    !line_take(text, len, &pos, &global) || line_take(text, len, &pos, &rest))
		return MINISIGN_E_FORM;
	if (trusted.len >= MINISIGN_COMMENT_MAX || !comment_is_printable(trusted.text, trusted.len))
		return MINISIGN_E_COMMENT;

	r = signature_set_record(signature, &record);
	if (r)
		return r;
	if (!base64_decode(global.text, global.len, signature->comment_signature,
			   MINISIGN_SIGNATURE_SIZE))
		return MINISIGN_E_BASE64;
	memcpy(signature->comment, trusted.text, trusted.len);
	signature->comment[trusted.len] = '\0';
	signature->comment_len = trusted.len;
	return 0;
}

void minisign_message_init(struct minisign_message *message, const void *data, size_t len)
{
	message->data = data;
	message->len = len;
	crypto_generichash(message->hash, sizeof(message->hash), data, len, NULL, 0);
}

int minisign_verify(const struct minisign_key *key, const struct minisign_signature *signature,
		    const struct minisign_message *message)
{
	const void *data = signature->prehashed ? message->hash : message->data;
	size_t len = signature->prehashed ? sizeof(message->hash) : message->len;
	uint8_t commented[MINISIGN_SIGNATURE_SIZE + MINISIGN_COMMENT_MAX];

	if (memcmp(signature->id, key->id, MINISIGN_ID_SIZE) != 0)
		return MINISIGN_E_OTHER_KEY;
	if (crypto_sign_verify_detached(signature->signature, data, len, key->key) != 0)
		return MINISIGN_E_SIGNATURE;

	memcpy(commented, signature->signature, MINISIGN_SIGNATURE_SIZE);
	memcpy(commented + MINISIGN_SIGNATURE_SIZE, signature->comment, signature->comment_len);
	if (crypto_sign_verify_detached(signature->comment_signature, commented,
					MINISIGN_SIGNATURE_SIZE + signature->comment_len,
					key->key) != 0)
		return MINISIGN_E_COMMENT_SIGNATURE;
	return 0;
}

void minisign_id_format(const uint8_t id[static MINISIGN_ID_SIZE],
			char out[static MINISIGN_ID_TEXT_MAX])
{
	struct bytes view = {.data = id, .len = MINISIGN_ID_SIZE};

	snprintf(out, MINISIGN_ID_TEXT_MAX, "%016llX",
		 (unsigned long long)bytes_le(&view, 0, MINISIGN_ID_SIZE));
}

const char *minisign_error(int code)
{
	switch (code) {
	case MINISIGN_E_KEY:
		return N_("not a minisign public key; expected the second line of a .pub file (RW…)");
	case MINISIGN_E_FORM:
		return N_("not a signature file: expected the four lines that minisign -S writes");
	case MINISIGN_E_BASE64:
		return N_("a signature line is damaged");
	case MINISIGN_E_ALGORITHM:
		return N_("signed by an unknown method; expected Ed25519 (Ed or ED)");
	case MINISIGN_E_COMMENT:
		return N_("the trusted comment is too long or holds characters that are not text");
	case MINISIGN_E_OTHER_KEY:
		return N_("made by another key");
	case MINISIGN_E_SIGNATURE:
		return N_("does not match the file: the file was changed after it was signed");
	case MINISIGN_E_COMMENT_SIGNATURE:
		return N_("the trusted comment was changed after signing");
	}
	return N_("unknown signature error");
}
