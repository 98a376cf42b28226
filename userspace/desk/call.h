/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call to the desk: what a challenge asks for, which terminal and medium it may be about, and what a clerk should know
 * before answering. Reads the register; decides nothing.
 */
#pragma once

#include "core/phonecode.h"
#include "desk/rules.h"
#include "desk/terminals.h"

/*
 * Terminals with one digest, and media with one beginning of a fingerprint: more are not shown. Of media, what was lost, revoked or
 * disposed of goes first, and the rest is counted: one series of media without serial numbers may share a fingerprint.
 */
#define CALL_TERMINALS_MAX 16
#define CALL_MEDIA_MAX 8
#define CALL_WARNINGS_MAX 16
/* So many answers to one terminal within a day are worth a word. */
#define CALL_A_DAY_MAX 3

struct call {
	struct phonecode_challenge challenge;
	struct terminal_state terminals[CALL_TERMINALS_MAX]; /* entered ones that fit */
	size_t n_terminals;
	struct call_medium {
		char number[MEDIUM_NUMBER_MAX];
		enum medium_status status;
		char *holder; /* malloc'd */
	} media[CALL_MEDIA_MAX];
	size_t n_media;
	size_t n_fitting; /* media in all */
	size_t n_gone;	  /* of them lost, revoked or disposed of: the first of `media` */
	char *warnings[CALL_WARNINGS_MAX]; /* sentences, malloc'd */
	size_t n_warnings;
};

void call_deinit(struct call *call);

/* Looks up terminals and media for call->challenge. 0, REGISTER_E_…, negative errno. */
int call_look(struct call *call, struct media_register *reg);

/* Warns of what speaks against these terms for this terminal, at `now` (civil seconds). The same. */
int call_judge(struct call *call, struct media_register *reg, const char *terminal, const struct phonecode_terms *terms,
	       int64_t now);

/* What is asked for, in words, on standard error. */
void call_say(const struct context *context, const struct call *call);

/* "read-only", "reading and writing". */
const char *call_access_text(enum grant_access access);
