/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What issue and enrol are told of the medium by their options, checked before anything is touched:
 * its number, its term, its class, and who may use it where.
 */
#pragma once

#include "core/mark.h"
#include "desk/desk.h"
#include "desk/issue-number.h"
#include "desk/progress.h"
#include "desk/target.h"

struct issue_request {
	struct record identity; /* with number */
	struct record sets;     /* class, term, …: without encryption, volume and mark */
	char number[MEDIUM_NUMBER_MAX];
	int number_lock;
	bool known;                 /* the number is in the register: issued again */
	struct medium_state before; /* with `known` */
};

#define ISSUE_REQUEST_INIT                                                                         \
	{                                                                                          \
		.number_lock = -1                                                                  \
	}

/*
 * Reads the options, keeps the number, and looks in the register whether `kind` (EVENT_ISSUED,
 * EVENT_ENROLLED) may happen to it with this device. Starts as ISSUE_REQUEST_INIT; deinit in any
 * case. 0, or COMMAND_FAILED or COMMAND_USAGE after saying why.
 */
int issue_request_read(const struct context *context, const struct command_options *options,
		       const struct desk *desk, const struct target *target, enum event_kind kind,
		       struct issue_request *request);
void issue_request_deinit(struct issue_request *request);

/*
 * The mark that this medium gets on its volume, unsigned. 0, or COMMAND_FAILED after saying what a
 * mark cannot hold.
 */
int issue_request_mark(const struct context *context, const struct issue_request *request,
		       const struct target *target, const char *uuid, const uint8_t *binding,
		       struct mark *mark);

/* Can this device and request be marked at all? To be asked before anything is destroyed. */
bool issue_request_markable(const struct target *target, const struct issue_request *request);

/*
 * Enters it, in one transaction: 0, or COMMAND_FAILED after ending `progress` (or NULL) and saying
 * why. `detail`: JSON, or NULL.
 */
int issue_request_enter(const struct context *context, const struct desk *desk,
			struct issue_request *request, enum event_kind kind, const char *detail,
			struct progress *progress);
