/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a medium is shown: as JSON, and in words. */
#pragma once

#include <json-c/json.h>

#include "desk/command.h"
#include "desk/register.h"

/* Lent, and the day on which it was due is over. `today` is YYYY-MM-DD. */
bool view_is_overdue(const struct medium_state *state, const char *today);

/* All fields by their names, and entered, changed, events, wiped, overdue. */
struct json_object *view_json(const struct medium_state *state, const char *today);

/*
 * What an event says of it: the fields it sets by their names, without status. NULL if it sets
 * none.
 */
struct json_object *view_sets_json(const struct record *sets);

/* A field's value for people, escaped; malloc'd. */
char *view_value(const struct context *context, const struct record *record, enum field field);
