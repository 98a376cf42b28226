/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mark: what tells a medium that the help desk issued from one that only copies its descriptors.
 * It lies in the LUKS2 header as a token of type "sekimori" and binds the medium's number and class
 * to one volume (LUKS UUID, and digest of the volume key's digest) on one device (ids, serial), for a
 * time, signed Ed25519 by the desk. docs/mark.md is its specification.
 *
 * Pure: no clock, no files. What is parsed here comes from the medium and may be anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARK_TYPE "sekimori"
#define MARK_VERSION 1
#define MARK_NUMBER_MAX 64  /* with NUL; as MEDIUM_NUMBER_MAX */
#define MARK_SERIAL_MAX 128 /* with NUL; USB strings have at most 126 characters */
#define MARK_UUID_MAX 40
#define MARK_DATE_MAX 11 /* YYYY-MM-DD and NUL */
#define MARK_BINDING_SIZE 32
#define MARK_SIGNER_SIZE 8 /* a minisign key id */
#define MARK_SIGNATURE_SIZE 64
#define MARK_KEY_SIZE 32
#define MARK_SECRET_SIZE 64 /* libsodium's Ed25519 secret key */
#define MARK_JSON_MAX 2048  /* longest token text, with NUL */
#define MARK_CANONICAL_MAX 1024

enum {
	MARK_E_FORM = 1,      /* not the members of a mark, or values that none has */
	MARK_E_SIGNATURE = 2, /* the signature is not one over this mark by this key */
	MARK_E_VOLUME = 3,    /* made for another volume */
	MARK_E_DEVICE = 4,    /* made for another device */
	MARK_E_EXPIRED = 5,   /* its last day is over */
	MARK_E_NOT_YET = 6,   /* its first day has not come */
};

/* Plain data without pointers: it travels in struct report. Texts: safe UTF-8 (text_is_safe), zeroes behind. */
struct mark {
	char number[MARK_NUMBER_MAX];
	char uuid[MARK_UUID_MAX]; /* of the LUKS volume, lower case */
	char serial[MARK_SERIAL_MAX];
	char issued[MARK_DATE_MAX]; /* first day */
	char until[MARK_DATE_MAX];  /* last day; "" no end */
	uint8_t class;		    /* 1 to 3 */
	uint8_t pad[1];
	uint16_t id_vendor;
	uint16_t id_product;
	uint8_t binding[MARK_BINDING_SIZE];
	uint8_t signer[MARK_SIGNER_SIZE]; /* id of the signing key, as in a minisign key */
	uint8_t signature[MARK_SIGNATURE_SIZE];
};

/*
 * What binds a mark to a volume key: SHA-256 over "sekimori-binding-1\0", the salt's length (u32,
 * little-endian), the salt, and the digest, of the LUKS2 digest object of the data segments.
 */
void mark_binding(const uint8_t *salt, size_t salt_len, const uint8_t *digest, size_t digest_len,
		  uint8_t out[static MARK_BINDING_SIZE]);

/* Reads the token's JSON text, one object. 0 or MARK_E_FORM; -ENOMEM. */
int mark_parse(const char *json, size_t len, struct mark *mark);

/* Do the fields hold what a mark may hold? For marks that come in other forms than JSON. */
bool mark_ok(const struct mark *mark);

/* Writes the token's JSON text and returns its length; the mark must be mark_ok(). */
size_t mark_format(const struct mark *mark, char out[static MARK_JSON_MAX]);

/* The bytes that are signed; returns their number. */
size_t mark_canonical(const struct mark *mark, char out[static MARK_CANONICAL_MAX]);

void mark_sign(struct mark *mark, const uint8_t signer[static MARK_SIGNER_SIZE],
	       const uint8_t secret[static MARK_SECRET_SIZE]);

/* 0 or MARK_E_SIGNATURE. */
int mark_verify(const struct mark *mark, const uint8_t key[static MARK_KEY_SIZE]);

/* Where a mark is found. */
struct mark_place {
	const char *uuid; /* of the volume that carries it */
	const uint8_t *binding;
	uint16_t id_vendor;
	uint16_t id_product;
	const char *serial;
};

/* Was it made for this place, and is `civil` (civil seconds) in its time? 0, MARK_E_VOLUME, _DEVICE, _EXPIRED, _NOT_YET. */
int mark_check(const struct mark *mark, const struct mark_place *place, int64_t civil);
