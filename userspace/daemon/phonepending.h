/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pending file of exceptions by telephone (daemon/phone.h): the one challenge that waits for the help desk's code, what it asks for,
 * and what became of it. A text in core/statement.h's form, read strictly:
 *
 *	sekimori-telephone-request 1
 *	challenge "46PJ-HRD0-2738-NKRT"   class, access and period asked for stand in it
 *	asked 2026-11-21T08:30:00Z        by the grant clock
 *	wrong 2                           codes; with it: last TIME
 *	stage waiting                     accepted: its code has come; done: and was acted upon
 *	device "blake2b:…"                medium "…" where it has a mark
 *	terminal "ZEI-014"
 *	person "tanaka"                   uid N
 *	requester "ito"                   requester-uid N; who may type the code in
 *	encrypted-only yes                uses N, write-quota N, data-class …, form …, return-by TIME: limits of the wish
 *	purpose "…"
 *	nonce-key "64 hexadecimal digits"  core/phonenonce.h: nobody else is to know it
 *	made 12                           challenges with this key so far; the nonce of the last one is the challenge's
 *	today "hexadecimal digits"        challenges of the last 24 hours, the oldest first: 16 digits when, 8 who (user id)
 */
#pragma once

#include "core/exception.h"
#include "core/lex.h"
#include "core/phonenonce.h"

/* Challenges of so many are remembered for a day; daemon/phone.h lets nobody make more. */
#define PHONEPENDING_TODAY_MAX 30
#define PHONEPENDING_DAY_S 86400
/* Bytes of the text: nothing in it is longer than a purpose. */
#define PHONEPENDING_TEXT_MAX 8192

enum phonepending_stage {
	PHONEPENDING_NONE, /* nobody has asked */
	PHONEPENDING_WAITING,
	PHONEPENDING_ACCEPTED,
	PHONEPENDING_DONE,
};

struct phonepending {
	enum phonepending_stage stage;
	struct phonecode_pending code; /* used: in the stages ACCEPTED and DONE */
	struct grant wish;	       /* class, access as in the challenge; no id, no times */
	struct exception_person requester;
	uint8_t nonce_key[PHONENONCE_KEY_SIZE];
	uint32_t made; /* with this key; 0: there is none yet */
	size_t n_today;
	struct phonepending_made {
		int64_t when;
		uint32_t uid; /* who asked */
	} today[PHONEPENDING_TODAY_MAX];
};

/* How many challenges were made in the 24 hours before `now`: by this user, or by anybody (UINT32_MAX). */
unsigned int phonepending_today(const struct phonepending *pending, int64_t now, uint32_t uid);
/* Counts one more, and returns its nonce. The first one makes the key. */
uint32_t phonepending_make(struct phonepending *pending, int64_t now, uint32_t uid);

/* 0, -EINVAL after its errors were reported, -ENOMEM. What does not fit together is an error too. */
int phonepending_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		       struct phonepending *pending);
/* Of a stage other than NONE; returns the length. */
size_t phonepending_format(const struct phonepending *pending, char out[static PHONEPENDING_TEXT_MAX]);

/*
 * Reads the file. No file: stage NONE. Errors are printed (to the journal). 0, -EINVAL (damaged or not ours: *pending is empty then),
 * other -errno.
 */
int phonepending_read(const char *path, struct phonepending *pending);

/* Puts it in the file's place, mode 0600, whole and on the disk when 0 is returned. Its directory is made. -errno. */
int phonepending_keep(const char *path, const struct phonepending *pending);
