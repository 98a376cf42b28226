/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A grant as a file that the help desk signed (docs/telephone-code.md, "Grant files"): for terminals without a network and
 * exceptions that are granted before they are asked for. A text in core/statement.h's form, and beside it FILE.minisig
 * by a key whose role in the terminal's trust (core/trust.h) is "grant"; the text:
 *
 *	sekimori-grant 1
 *	id "32 hexadecimal digits"       random: the file is used once
 *	terminal "ZEI-014"
 *	device "blake2b:…"               or: medium "ZEI-0001"; one of them
 *	class storage-encrypted          core/device-class-name.h
 *	person "tanaka"                  user name there
 *	uid 1001                         optional
 *	access ro                        or rw
 *	encrypted-only yes               or no
 *	not-before 2026-11-21T00:00:00Z
 *	not-after 2026-11-22T08:15:00Z   at most GRANTFILE_DAYS_MAX days later
 *	seconds 7200                     optional: how long from its first use
 *	uses 1                           optional: attaches
 *	write-quota 1048576              optional: bytes
 *	purpose "…"
 *	data-class II                    optional: I, II, III
 *	form 8                           optional: 8, 10, 13-1
 *	return-by 2026-11-30T14:59:59Z   optional
 *
 * Pure: files and time come as arguments. What is read here comes from a stranger's medium and may be anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/grant.h"
#include "core/lex.h"
#include "core/trust.h"

#define GRANTFILE_ROLE "grant"
#define GRANTFILE_MAX 16384 /* bytes; no right one is longer */
#define GRANTFILE_DAYS_MAX 366
#define GRANTFILE_SECONDS_MAX (GRANTFILE_DAYS_MAX * 86400)
#define GRANTFILE_USES_MAX 1000

enum {
	GRANTFILE_E_UNSIGNED = 1,  /* no signature by a key of the role "grant": *verdict says why */
	GRANTFILE_E_FORM = 2,	   /* signed, but not such a text; errors were reported */
	GRANTFILE_E_TERMINAL = 3,  /* for another terminal */
	GRANTFILE_E_NOT_YET = 4,   /* it has not begun */
	GRANTFILE_E_EXPIRED = 5,   /* its end is past */
	GRANTFILE_E_USED = 6,	   /* imported before */
};

/* What a positive code means, marked for translation: one line, with what to do. */
const char *grantfile_error(int code);

/* Reads a text. 0, -EINVAL after errors were reported, -ENOMEM. */
int grantfile_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		    struct grant *grant);

/* Does the grant hold what a file may hold, so that grantfile_parse() takes what grantfile_format() writes? */
bool grantfile_ok(const struct grant *grant);

/* The text of a grantfile_ok() grant; returns its length. */
size_t grantfile_format(const struct grant *grant, char out[static GRANTFILE_MAX]);

/* A file as it was brought, and the world it comes into. */
struct grantfile {
	const char *file; /* its name, for messages */
	const char *text;
	size_t len;
	const char *signature; /* FILE.minisig */
	size_t signature_len;
};

struct grantfile_world {
	const struct trust *trust; /* finished */
	const char *terminal;	   /* this one's name */
	int64_t now;		   /* seconds since the epoch, UTC; never before the store's high-water mark */
	/* Was a grant with this id taken before? 0: no; GRANTFILE_E_USED; what else it returns (it cannot tell) is passed on. */
	int (*is_used)(void *userdata, const uint8_t id[static 16]);
	void *userdata; /* of is_used and error */
	lex_error_fn error;
};

/*
 * All that has to be right before a grant from a file is stored: signature first (nothing unsigned is read), form, terminal,
 * time, single use. 0 and *grant; GRANTFILE_E_…; -EINVAL (the trust is unfinished or empty), -ENOMEM. *verdict tells of
 * the signature. To take it, the caller stores its id in the same step as the grant.
 */
int grantfile_check(const struct grantfile *file, const struct grantfile_world *world, struct grant *grant,
		    struct trust_verdict *verdict);
