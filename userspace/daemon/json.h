/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of a log record. */
#pragma once

#include <json-c/json_object.h>
#include <stdint.h>

#include "core/macro.h"

static inline _unused_ void json_add_string(struct json_object *object, const char *key,
					    const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static inline _unused_ void json_add_number(struct json_object *object, const char *key,
					    uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}
