/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a temporary exception allows: this device (or medium, by its mark), on this terminal, for this person, so, until then.
 * It comes from approvals on the terminal (core/exception.h), from a grant file that the desk signed (core/grantfile.h), or
 * from a code by telephone (core/phonecode.h); what it allows is the same. Plain data: nothing in it is owned.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/device-class.h"

#define GRANT_TEXT_MAX 512   /* bytes with NUL: purpose */
#define GRANT_NAME_MAX 128   /* a terminal, a user, a medium's number, a form's number */
#define GRANT_FINGERPRINT_MAX 48 /* "blake2b:" and 32 hexadecimal digits */

enum grant_access {
	GRANT_READ_ONLY,
	GRANT_READ_WRITE,
};

struct grant {
	uint8_t id[16];				 /* random; a grant file's or code's is used once */
	char fingerprint[GRANT_FINGERPRINT_MAX]; /* of the device; "": `medium` decides */
	char medium[GRANT_NAME_MAX];		 /* number on the mark, proved; "": `fingerprint` decides */
	enum device_class class;		 /* what the terminal found it to be when it was asked for */
	char terminal[GRANT_NAME_MAX];
	char person[GRANT_NAME_MAX];		 /* user name on the terminal */
	uint32_t uid;				 /* UINT32_MAX: any with that name */
	enum grant_access access;
	bool encrypted_only;
	int64_t not_before, not_after;		 /* seconds since the epoch, UTC */
	uint32_t seconds;			 /* how long from its first use, at most; 0: until not_after */
	uint32_t uses;				 /* attaches; 0: any number */
	uint64_t write_quota;			 /* bytes; 0: none */
	char purpose[GRANT_TEXT_MAX];
	char data_class[GRANT_NAME_MAX];	 /* "I", "II", "III" */
	char form[GRANT_NAME_MAX];		 /* "8", "10", "13-1"; of an emergency "13-2"; or "" */
	int64_t return_by;			 /* seconds since the epoch; 0: with the end */
};
