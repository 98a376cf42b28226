/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding in a large policy what concerns one device: sorted arrays and binary search. Rules are filed
 * under one thing that a device must have for the rule to match at all (its serial number, its ids, a class
 * of interface, …); a device is then compared with the rules filed under what it has, and with those that
 * could not be filed.
 */
#pragma once

#include "core/policy.h"

struct index_media {
	const struct medium **by_ids;	 /* by ids, serial, line */
	const struct medium **by_uuid;	 /* by LUKS UUID, begin of the term, line */
	const struct medium **by_number; /* by number, begin of the term, line */
	size_t n;
};

/* 0 or -ENOMEM; in any case to be deinitialised. */
int index_media_build(struct index_media *index, const struct medium *media, size_t n);
void index_media_deinit(struct index_media *index);
const struct medium *const *index_media_by_ids(const struct index_media *index, uint16_t id_vendor,
					       uint16_t id_product, const char *serial, size_t *n);
const struct medium *const *index_media_by_uuid(const struct index_media *index, const char *uuid,
						size_t *n);
const char *index_medium_number(const struct medium *medium);
const char *index_medium_uuid(const struct medium *medium); /* "" if it has none */

struct index_entry {
	uint32_t key;  /* of what the rule is filed under; different things may share one */
	uint32_t rule; /* its place in the file */
};

struct index_rules {
	struct index_entry *entries; /* by key, rule */
	size_t n;
};

int index_rules_build(struct index_rules *index, const struct rule *const *rules, size_t n);
void index_rules_deinit(struct index_rules *index);
void index_rules_start(const struct index_rules *index, const struct ident *ident,
		       struct policy_rules *rules);
/* The place of the next rule that may match, SIZE_MAX at the end. */
size_t index_rules_next(const struct index_rules *index, struct policy_rules *rules);
