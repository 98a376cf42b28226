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
 *	spent "hexadecimal digits"        nonces, 7 digits each, the oldest first; the last is the challenge's
 */
#pragma once

#include "core/exception.h"
#include "core/lex.h"
#include "core/phonecode.h"

/* Nonces of so many challenges are remembered: eight years of one each working day. */
#define PHONEPENDING_SPENT_MAX 2048
#define PHONEPENDING_NONCE_DIGITS 7
/* Bytes of the text: the nonces, and less than this for everything else. */
#define PHONEPENDING_TEXT_MAX (PHONEPENDING_SPENT_MAX * PHONEPENDING_NONCE_DIGITS + 4096)

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
	size_t n_spent;
	uint32_t spent[PHONEPENDING_SPENT_MAX];
};

/* Was this nonce made before, as far back as is remembered? */
bool phonepending_spent(const struct phonepending *pending, uint32_t nonce);
/* Remembers it, and forgets the oldest where there is no room. */
void phonepending_spend(struct phonepending *pending, uint32_t nonce);

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
