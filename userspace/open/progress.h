/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekimori-open tells on its way: one JSON object a line, on descriptor 4 (standard output if that is
 * not open). The last line has "result".
 *
 *	{"step":"unlock"}  {"step":"mount"}  {"step":"scan","done":12,"total":340}  {"step":"close"}
 *	{"infected":"path on the medium","signature":"…"}       paths as utf8_copy() makes them
 *	{"holder":"name","pid":1234,"uid":1001}
 *	{"result":"open","mapping":"…","mount":"…","filesystem_label":"…"}
 *	{"result":"closed","forced":false}
 *	{"result":"failed","reason":"…","detail":"…"}           reasons are rows of core/reason.c
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "system/mounts.h"

void progress_init(void);

/* All return false when nobody listens any more: what has been done then has to be undone. */
bool progress_step(const char *step);
/* Told at most five times a second, and the last one always. */
bool progress_scan(uint64_t done, uint64_t total);
bool progress_infected(const char *path, const char *signature);
bool progress_holder(const struct mounts_holder *holder);
bool progress_open(const char *mapping, const char *mount, const char *label);
bool progress_closed(bool forced);
bool progress_failed(const char *reason, const char *detail);
