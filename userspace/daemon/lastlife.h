/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this life of the daemon leaves to the next (core/deaths.h), in a file below /run, which a restart keeps and a
 * start of the terminal empties. Also keeps a second daemon from starting beside this one.
 */
#pragma once

#include <stdbool.h>

#include "core/deaths.h"
#include "core/macro.h"

struct lastlife;

/*
 * Begins another life. 0, -EBUSY if another daemon lives, or a negative errno (what cannot be noted cannot be told the next
 * one). An unreadable file is that of a first life. `path` is duplicated.
 */
int lastlife_new(struct lastlife **lifep, const char *path);

/* Does another daemon live? Never to be asked by one that has a life: it would lose its lock. */
bool lastlife_is_running(const char *path);

/* Without lastlife_end() or lastlife_fail() before it the next life takes this for a death. */
struct lastlife *lastlife_free(struct lastlife *life);
DEFINE_CLEANUP(struct lastlife *, lastlife_free)

void lastlife_end(struct lastlife *life);

/* It ends by itself because it cannot begin or go on. */
void lastlife_fail(struct lastlife *life);

const struct deaths *lastlife_deaths(const struct lastlife *life);

/* Has run for DEATHS_QUIET_US. */
void lastlife_forget(struct lastlife *life);

/* To be called before anything is read of the device; it stays so until it is not in lastlife_judging() any more. */
void lastlife_meet(struct lastlife *life, const struct deaths_device *device);

/* Those that are being judged now, all of them. */
void lastlife_judging(struct lastlife *life, const struct deaths_device *devices, size_t n);
