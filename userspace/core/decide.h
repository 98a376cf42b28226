/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision: a pure function of a device, what the inspection of it found, and the policy. It is
 * asked twice: without a report it says whether the device may be worth inspecting, with
 * one whether it is let in. Anything that nobody allowed is blocked.
 */
#pragma once

#include "core/ident.h"
#include "core/policy.h"
#include "core/report.h"

enum decide_verdict {
	DECIDE_BLOCK,
	DECIDE_PROVE, /* inspect it and ask again; never the answer when there is a report */
	DECIDE_ALLOW, /* its storage interface only */
};

struct decide_input {
	const struct ident *ident;
	unsigned int n_storage;	     /* guarded interfaces of mass-storage class */
	unsigned int n_other;	     /* guarded interfaces of any other class */
	const struct report *report; /* NULL before the inspection */
	const struct policy *policy; /* NULL if there is none */
};

struct decide_result {
	enum decide_verdict verdict;
	const char *reason;	     /* code of core/reason.h */
	const struct medium *medium; /* the registered medium that decided, or NULL: the default */
	const char *method;	     /* proven encryption, or "" */
};

struct decide_result decide(const struct decide_input *input);
