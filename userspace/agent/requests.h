/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions as they go: those that are one's own, and those that wait for one as an approver. Signals are only the
 * occasion to look; what is said comes from the difference to the last look. So a thousand steps in a second are one look,
 * and nothing is missed that still holds.
 */
#pragma once

#include "agent/barrier.h"
#include "agent/notify.h"

/* One's own that are followed at one time; a user has fewer than that waiting (docs/exceptions.md). */
#define REQUESTS_OWN_MAX 200

struct requests;

/* What it is given must outlive it, but barrier, which is freed first. */
int requests_new(struct requests **ret, sd_event *event, struct barrier *barrier, struct notify *notify);
struct requests *requests_free(struct requests *requests);
DEFINE_CLEANUP(struct requests *, requests_free);

/* Something may have changed: looks soon, and not more than once in a while. */
void requests_stir(struct requests *requests);

/* This one has taken a step, so that it may wait for other approvers now. Stirs, too. */
void requests_stepped(struct requests *requests, uint32_t number);

/* The daemon is there, or not. What is overdue is told anew when it comes. */
void requests_here(struct requests *requests, bool here);

/* One ends in so many seconds: told if it is one's own. */
void requests_warned(struct requests *requests, uint32_t number, uint32_t seconds);
