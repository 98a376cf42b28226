/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a parser of an encryption header (luks1.h, luks2.h, bitlocker.h) finds out about a volume: the
 * facts that a verdict rests on, in one form for all methods. Texts are as the medium has them: they
 * end inside their fields, but may hold any bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/encryption.h"
#include "core/macro.h"
#include "core/mark.h"

#define VOLUME_UUID_MAX 40   /* canonical 8-4-4-4-12 form in lower case, and a NUL */
#define VOLUME_LABEL_MAX 48  /* the field of LUKS2's binary header */
#define VOLUME_CIPHER_MAX 64 /* dm-crypt's names are below 40 */
#define VOLUME_KDF_MAX 48    /* distinct names, sorted, separated by blanks: "argon2id pbkdf2" */
#define VOLUME_DETAIL_MAX 96 /* one line for the log about what was refused */

struct volume {
	enum encryption method; /* one bit */
	uint32_t keyslots;	/* that can be opened; 0 if the method cannot tell */
	char uuid[VOLUME_UUID_MAX];
	char label[VOLUME_LABEL_MAX];
	char cipher[VOLUME_CIPHER_MAX]; /* as dm-crypt writes it: "aes-xts-plain64" */
	char kdf[VOLUME_KDF_MAX];	/* of every keyslot; "" if the method cannot tell */
	uint8_t binding[MARK_BINDING_SIZE]; /* mark_binding() of the volume key's digest; zero if none */
	bool has_mark;
	struct mark mark; /* parsed, not verified; only with has_mark */
};

/* Outcomes of the parsers, beside 0 and a negative errno. Each fills `detail`. */
enum {
	VOLUME_E_NONE = 1,	  /* not a header of this method */
	VOLUME_E_VERSION = 2,	  /* this method, in a version that is not known */
	VOLUME_E_HEADER = 3,	  /* a field of the binary header cannot be right */
	VOLUME_E_CHECKSUM = 4,	  /* the header does not match its checksum */
	VOLUME_E_JSON = 5,	  /* the JSON area is not well-formed */
	VOLUME_E_METADATA = 6,	  /* well-formed, but contradicts itself or the specification */
	VOLUME_E_REQUIREMENT = 7, /* something under way or demanded that is not known */
	VOLUME_E_CLEAR = 8,	  /* some of the data is not encrypted, or by a null cipher */
	VOLUME_E_CAPACITY = 9,	  /* reaches beyond the end of the medium */
	VOLUME_E_MARK = 10,	  /* a token that claims to be our mark is malformed */
	VOLUME_E_COPIES = 11,	  /* the two copies of the header contradict each other */
};

/* Writes the line about what was refused, cut to VOLUME_DETAIL_MAX, and returns `code`. */
_printf_(3, 4) int volume_refuse(char *detail, int code, const char *format, ...);

/* Does dm-crypt have ciphers of such a name, that hide anything? Not so NULL, "", null ciphers. */
bool volume_cipher_encrypts(const char *cipher);
