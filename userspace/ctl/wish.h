/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody asks for: the `wish` of docs/dbus.md, from options (wish_take_options()) or from answers on the terminal (wish-ask.h).
 * Each value is checked the same way, by wish_set(), before anything is sent. Times here are seconds since the epoch; people type
 * local ones.
 */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/macro.h"
#include "ctl/command.h"

/* The texts are malloc'd; NULL: not said. */
struct wish {
	bool emergency; /* set before anything else: it has its own form */
	char *device; /* object path of what is plugged in; NULL: by its medium */
	char *medium;
	bool read_write;
	bool encrypted_only;
	uint32_t seconds; /* 0: `until`, or as long as the policy allows */
	int64_t until;	  /* of all the times 0 is "not said" */
	int64_t begin;
	int64_t return_by;
	uint32_t uses;
	uint64_t write_quota;
	char *purpose;
	char *data_class;
	char *form;
	char *person;
};

void wish_deinit(struct wish *wish);

enum wish_field {
	WISH_MEDIUM,
	WISH_ACCESS,
	WISH_FOR,    /* a period */
	WISH_UNTIL,  /* a moment */
	WISH_PERIOD, /* one or the other */
	WISH_FROM,
	WISH_USES,
	WISH_QUOTA,
	WISH_PURPOSE,
	WISH_DATA_CLASS,
	WISH_FORM,
	WISH_RETURN_BY,
	WISH_PERSON,
	N_WISH_FIELDS,
};

/*
 * Takes a value as it was typed; an empty one takes back what was said. NULL, or what is wrong with it: a text that is not translated
 * yet, to stand behind the value ("is no period; …").
 */
const char *wish_set(struct wish *wish, enum wish_field field, const char *value);

/* All options of a wish but the device. COMMAND_OK, or COMMAND_USAGE after saying what is wrong. */
int wish_take_options(struct wish *wish, const struct command_options *options);

/*
 * Which device is meant: the options' argument or --device (a port, a number in `list`, a medium's number), or the only one that is
 * denied; none  or COMMAND_FAILED after saying why and what to do., or COMMAND_FAILED after saying why and what to do.
 */
int wish_take_device(struct wish *wish, const struct command_options *options, struct json_object *devices);

/* The devices of such a list that are denied, in a new one. */
struct json_object *wish_denied_devices(struct json_object *devices);

/* The one that the wish names, borrowed from the list; NULL: none. */
struct json_object *wish_device(const struct wish *wish, struct json_object *devices);

/* The whole wish as a{sv}: client_method.append; userdata is a struct wish. */
bool wish_append(DBusMessageIter *args, const void *userdata);

/* The wish for whoever is asked whether it is right: a row for each thing that is said, on standard error. */
void wish_print(const struct wish *wish, struct json_object *devices);
