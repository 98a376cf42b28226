/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of clamd (clamd(8), "COMMANDS"): files are scanned by passing their descriptors, so that clamd
 * needs no right to the path. One session carries many files: zIDSESSION, then zFILDES for each with
 * the descriptor in SCM_RIGHTS beside one byte; answers end with NUL and begin with the number of the
 * request, counted from 1, in any order:
 *
 *	"1: fd[10]: OK"   "2: fd[11]: Name.Of.Signature FOUND"   "3: fd[12]: Can't … ERROR"
 *
 * What clamd says is believed about the file (it is who was asked), but not trusted to be well-formed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

/* Names of signatures are below 100 bytes; what is longer is cut. */
#define CLAMD_SIGNATURE_MAX 128

enum clamd_verdict {
	CLAMD_CLEAN,
	CLAMD_INFECTED,
	CLAMD_ERROR, /* the file was not scanned, or not to its end */
};

struct clamd_answer {
	uint32_t id;
	enum clamd_verdict verdict;
	char signature[CLAMD_SIGNATURE_MAX]; /* or the text of the error */
};

enum {
	CLAMD_E_ABSENT = 1,  /* nobody listens there */
	CLAMD_E_TIMEOUT = 2, /* it did not answer in time */
	CLAMD_E_ANSWER = 3,  /* it answered something else, or hung up */
};

/* One answer without its NUL. False if it has another form. */
bool clamd_parse(const char *text, size_t len, struct clamd_answer *answer);

struct clamd;

/* Connects to a Unix socket and begins a session. A positive code, or a negative errno. */
int clamd_new(struct clamd **clamdp, const char *path, unsigned int timeout_ms);
struct clamd *clamd_free(struct clamd *clamd);
DEFINE_CLEANUP(struct clamd *, clamd_free)

/* Asks for a file; it is clamd's from then on, and the caller may close it. *id is the request's number. */
int clamd_send(struct clamd *clamd, int fd, uint32_t *id);

/* Waits for the next answer. */
int clamd_receive(struct clamd *clamd, struct clamd_answer *answer);

/* What a positive code means, as a sentence without its full stop. */
const char *clamd_error(int code);
