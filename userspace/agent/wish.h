/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of the form for a temporary exception, and what is asked for by what was typed (docs/dbus.md, "wish"). Pure. */
#pragma once

#include <dbus/dbus.h>
#include <stdint.h>

#include "agent/form.h"

/* Lengths that can be chosen; those beyond what the policy allows are not shown. */
#define WISH_LENGTHS_MAX 8

struct wish {
	const char *device; /* its path; borrowed, as are all strings, those that were typed of the form */
	const char *access;
	uint32_t seconds;
	const char *purpose;
	const char *data_class; /* "": none, as below */
	const char *form;
	int64_t return_by; /* 0: none */
};

/* The form's fields, with their choices, and what was typed so far; until wish_form_deinit(). */
struct wish_form {
	struct form form;
	uint32_t seconds[WISH_LENGTHS_MAX];
	char *lengths[WISH_LENGTHS_MAX];
	char *kept[FORM_FIELDS_MAX]; /* what the fields' `kept` points to; NULL: nothing */
};

/* longest: period that the policy allows, in seconds; 0: not known, then only the shorter ones can be chosen. */
void wish_form_init(struct wish_form *form, uint32_t longest);
void wish_form_deinit(struct wish_form *form);

/* Keeps what was typed and chosen; what was left empty, in a form of several fields, is as it was before. */
void wish_form_take(struct wish_form *form, char *const *values);

/* Of what was kept. NULL, or what is wrong, translated; that alone is forgotten then. now: seconds since the epoch. */
const char *wish_read(struct wish_form *form, int64_t now, struct wish *wish);

/* As the argument of Exceptions.Request. False: no memory. */
bool wish_append(DBusMessage *message, const struct wish *wish);

/* The fields for an extension: how much longer, and why; and for an approver's word. */
void wish_form_init_extension(struct wish_form *form, uint32_t longest);
void wish_form_init_note(struct wish_form *form, bool needed);

/* What is kept of an extension: NULL, or as above; of an approver's word: the same, needed as above. */
const char *wish_read_extension(struct wish_form *form, uint32_t *seconds, const char **note);
const char *wish_read_note(struct wish_form *form, bool needed, const char **note);
