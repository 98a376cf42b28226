/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception, a wish and their parts for a reader. `exception` is an object with the members of docs/dbus.md; what the
 * daemon does not say is left out. Texts are malloc'd, never NULL, and safe for a terminal.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* An integer member; 0 if it is absent. */
int64_t exception_number(struct json_object *exception, const char *key);
bool exception_flag(struct json_object *exception, const char *key);

/* Is this word in the array of words? */
bool exception_has_word(struct json_object *exception, const char *key, const char *word);

/* "in force", "waiting for approval"; a word that is unknown as it is. */
char *exception_state_words(const char *state);

/* "read only", "reading and writing, encrypted media only". */
char *exception_access_words(bool read_write, bool encrypted_only);

/* What a form is for, in a line; "" for one that is unknown. Borrowed. */
const char *exception_form_words(const char *form);

/* "ZEI-0001", or "USB memory or disk, not encrypted (a51c3)"; and of what is plugged in "… = PRODUCT, port 1-2". */
char *exception_device_words(struct json_object *exception, struct json_object *devices);

/* The same short, for a table: "ZEI-0001", "a51c3 USB memory or disk, not encrypted". */
char *exception_device_short(struct json_object *exception);

/* "report overdue, erasure": what is owed; "" for nothing. */
char *exception_due_words(struct json_object *exception);

/* "2 h", "1 h 30 min", "under a minute". */
char *exception_left_words(int64_t seconds);

/* A line "Label   value"; nothing for an empty value. */
void exception_print_row(FILE *out, const char *label, const char *value);

/* All of an exception, a row for each thing that is said. */
void exception_print(FILE *out, struct json_object *exception, struct json_object *devices);

/* Each step, oldest first: time, who, what, from which session, and the note. */
void exception_print_steps(FILE *out, struct json_object *steps);
