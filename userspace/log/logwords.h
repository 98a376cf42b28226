/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a record says beside its kind, for people: "program: /usr/bin/cp, count: 3", codes as words. In the reader's language,
 * safe for a terminal; malloc'd. Exit without memory, as tools do.
 */
#pragma once

#include <json-c/json.h>

/* The members that say the most where no reason code tells it; "" if there is none. */
char *logwords_members(struct json_object *record);

/* The same of a record of a temporary exception; "" if it is none. */
char *logwords_exception(struct json_object *record);

/* The word for a member's code, by the member's name (`why`, `attempt`, `result`, `state` …); NULL if there is none. */
const char *logwords_word(const char *key, const char *code);

/* `detail` or `error`: a text that the daemon formed, or a message of another program. */
char *logwords_text(struct json_object *record, const char *key);
