/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision: a pure function of a device, what the inspection of it found, the policy, and what the
 * world looks like. Each guarded interface is judged by itself; the first of these that applies decides:
 *
 *   0. what it says of itself is malformed                      block
 *   1. the policy is not in its time                            block
 *   2. a lost, revoked or disposed medium                       block, the whole device
 *   3. a grant in force: this device or medium, this terminal,
 *      this person                                              as granted; of several the latest
 *   4. a registered medium, in its term, on one of its terminals,
 *      in its holder's hands                                    allow its storage once proved
 *   5. the rules in the order of the file, the first that
 *      matches the device, holds, and covers the interface      as it says
 *   6. nothing                                                  block (or reject), the default
 *
 * It is asked twice: without a report it may say that a proof is needed, with one it never does. Storage under a grant is inspected
 * like any other, also where the grant asks for no encryption: a lost medium is known by its volume. A grant speaks of what its
 * device is held for; a keyboard or smart-card reader beside it is judged as if there were none.
 */
#pragma once

#include "core/grantset.h"
#include "core/ident.h"
#include "core/policy.h"
#include "core/report.h"
#include "core/rule.h"

enum decide_verdict {
	DECIDE_BLOCK,
	DECIDE_PROVE, /* inspect it and ask again; never the answer when there is a report */
	DECIDE_ALLOW,
};

/* An interface that the gate holds. */
struct decide_interface {
	struct ident_interface ident;
	bool storage; /* some setting of it is of mass-storage class */
	bool suspect; /* held because a storage driver tried it: judged like storage */
};

/* The grants in force, for the one device. */
struct decide_grants {
	const struct grantset *set; /* NULL: none are in force */
	int64_t now;		/* by core/grantclock.h */
	uint32_t uid;		/* of world.user; UINT32_MAX: not known */
	bool look;		/* inspect it in any case: it may have been erased (core/exception.h, CONFIRM_ERASED) */
	const uint8_t *current; /* 16 bytes: id of the grant that let this attach in; NULL: none did */
};

struct decide_input {
	const struct ident *ident;
	const struct decide_interface *interfaces;
	unsigned int n_interfaces;   /* at most IDENT_INTERFACES_MAX */
	const struct report *report; /* NULL before the inspection */
	const struct policy *policy; /* NULL if there is none */
	const struct decide_grants *grants; /* NULL: there are none */
	struct rule_world world;
	/* Told of each rule that remembers (rule->remembers) and whose conditions are looked at. */
	void (*evaluated)(void *userdata, const struct rule *rule);
	void *userdata;
};

struct decide_judgement {
	enum decide_verdict verdict;
	enum access access;	     /* of ALLOW */
	bool reject;		     /* of BLOCK: the device is to be removed */
	const char *reason;	     /* code of core/reason.h */
	const struct medium *medium; /* what decided: a medium, */
	const struct rule *rule;     /* or a rule, */
	const struct grant *grant;   /* or a grant, or none of them: the default */
	const char *method;	     /* proven encryption, or "" */
};

struct decide_result {
	/*
	 * Of the device as a whole: a rule's rejection if there is one; else PROVE if any is; else ALLOW if any
	 * is (not counting harmless ones), and then that one's; else the block.
	 */
	struct decide_judgement device;
	/* Of each interface of the input. */
	struct decide_judgement interfaces[IDENT_INTERFACES_MAX];
	/* Civil seconds: the first moment at which time alone may change the answer; INT64_MAX never. */
	int64_t recheck;
};

/* *result is written whole. */
void decide(const struct decide_input *input, struct decide_result *result);

/* Line of the policy that decided, 0 for the default. */
unsigned int decide_line(const struct decide_judgement *judgement);

/* "FILE:LINE", "grant ID" or "default": what stands in the log and on D-Bus. */
void decide_by(const struct decide_judgement *judgement, const char *file, char *out, size_t size);
