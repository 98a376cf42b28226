/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy: what may pass on the terminals of this fleet. A header, the register's media, and rules.
 * A policy is parsed whole from one text into one immutable object; a text with any error gives no
 * object. The language is described in docs/policy.md.
 *
 *   policy.c          the file and the object      policy-header.c   what it says once
 *   medium.c          `medium` lines               model.c           `model` lines
 *   rule-*.c          rules                        index.c           finding media and rules quickly
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lex.h"
#include "core/medium.h"
#include "core/model.h"
#include "core/policy-header.h"
#include "core/rule.h"

/* A policy file larger than this is refused before it is read. 100,000 media need about 20 MB. */
#define POLICY_FILE_MAX (64u << 20)

struct policy;

/*
 * Parses a text. 0 and *policyp (to be freed by policy_free), or -EINVAL after every error has been
 * reported through `error`, or -ENOMEM. `file` is copied.
 */
int policy_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		 struct policy **policyp);
struct policy *policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

const char *policy_file(const struct policy *policy);
const struct policy_header *policy_header(const struct policy *policy);
const char *policy_id(const struct policy *policy);	      /* "" if the file has none */
uint64_t policy_version(const struct policy *policy);	      /* 0 if the file has none */
int64_t policy_valid_from(const struct policy *policy);	      /* civil seconds, 0: always */
int64_t policy_valid_until(const struct policy *policy);      /* … the last second; 0: for ever */
size_t policy_n_media(const struct policy *policy);
size_t policy_n_rules(const struct policy *policy);
const struct medium *policy_medium(const struct policy *policy, size_t i); /* in the order of the file */
const struct rule *policy_rule(const struct policy *policy, size_t i);	   /* in the order of the file */
/* Does some rule look at other devices (allowed-matches), or at what was decided on them (rule-applied, …)? */
bool policy_looks_at_others(const struct policy *policy);
/* Bytes that the object takes. */
size_t policy_size(const struct policy *policy);

/* Without a policy, or one that says nothing of it, the gate's own list: hub, HID, smart card. */
bool policy_is_harmless(const struct policy *policy, uint8_t class);

/*
 * The media registered under these ids and this serial, in the order of the file: sets *n and returns the
 * first of *n pointers. Several may share them, as whole batches of sticks do. O(log n).
 */
const struct medium *const *policy_find_media(const struct policy *policy, uint16_t id_vendor,
					      uint16_t id_product, const char *serial, size_t *n);

/* The media with this LUKS UUID, by the begin of their terms: several lines only if those differ. */
const struct medium *const *policy_find_uuid(const struct policy *policy, const char *uuid,
					     size_t *n);

/* The model of these ids; NULL if the policy lists none. */
const struct model *policy_find_model(const struct policy *policy, uint16_t id_vendor,
				      uint16_t id_product);
size_t policy_n_models(const struct policy *policy);

/*
 * The rules that may match a device, in the order of the file: all others cannot, by one of their
 * attributes. policy_next_rule() gives them one after the other, NULL at the end.
 */
#define POLICY_RANGES_MAX (IDENT_TYPES_MAX + 8)
struct policy_rules {
	const struct policy *policy;
	struct {
		size_t next;
		size_t end;
	} ranges[POLICY_RANGES_MAX];
	size_t n_ranges;
	int64_t last;
};
void policy_rules_start(struct policy_rules *rules, const struct policy *policy,
			const struct ident *ident);
const struct rule *policy_next_rule(struct policy_rules *rules);
