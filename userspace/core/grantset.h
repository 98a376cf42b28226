/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grants that are in force on this terminal, indexed for decide(): a device finds those that speak of it by binary search, so that
 * a thousand grants cost no more than one. Built whole from the live exceptions whenever one of them takes a step, then never changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/grant.h"
#include "core/macro.h"

#define GRANTSET_ID_TEXT_MAX 33 /* 32 hexadecimal digits and a NUL */

struct grantset_entry {
	const struct grant *grant; /* the caller's; must live as long as the set */
	int64_t end;		   /* exception_end(): seconds since the epoch */
	uint64_t order;		   /* a later one outweighs an earlier: the exception's number */
	bool used_up;		   /* only for the attach that it let in last */
};

struct grantset;

/* Copies the entries. 0 or -ENOMEM. */
int grantset_new(const struct grantset_entry *entries, size_t n, struct grantset **setp);
struct grantset *grantset_free(struct grantset *set);
DEFINE_CLEANUP(struct grantset *, grantset_free)

/*
 * Those that are bound to a device's fingerprint, or to a medium's number alone: sets *n and returns the first, the latest grant first.
 * NULL and 0 for "" and for what nothing is granted to.
 */
const struct grantset_entry *grantset_by_fingerprint(const struct grantset *set, const char *fingerprint,
						     size_t *n);
const struct grantset_entry *grantset_by_medium(const struct grantset *set, const char *medium, size_t *n);

/* Are there any that are bound to a medium's number, so that it is worth looking for one? */
bool grantset_asks_for_media(const struct grantset *set);

/* An id as people and logs write it. */
void grantset_id_format(const uint8_t id[static 16], char out[static GRANTSET_ID_TEXT_MAX]);
