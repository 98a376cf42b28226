/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event log: one JSON object a line (docs/evidence.md), durable before the call returns. The same
 * record is what D-Bus signals carry.
 */
#pragma once

#include <json-c/json_object.h>

#include "core/macro.h"
#include "daemon/device.h"

struct evidence;

/* `terminal` is copied. A log that cannot be opened is no error here: see evidence_state(). */
int evidence_new(struct evidence **evidencep, const char *path, const char *terminal);
struct evidence *evidence_free(struct evidence *evidence);

/*
 * Writes one record of this kind. `device` (may be NULL) gives identity and verdict; `extra` (may
 * be NULL) gives further members and is released. The record is handed out in *recordp (to be
 * put by the caller) if recordp is not NULL, also when writing failed.
 * 0, or a negative errno: the record may not be on the disk, and nothing may be let through on it.
 */
int evidence_write(struct evidence *evidence, const char *kind, const struct device *device,
		   struct json_object *extra, struct json_object **recordp);

/* "ok", or what is wrong with the log since the last write. */
const char *evidence_state(const struct evidence *evidence);
