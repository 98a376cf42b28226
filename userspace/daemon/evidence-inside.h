/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rooms of the evidence: evidence.c writes, evidence-device.c describes a device, evidence-tell.c tells others. */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>

#include "core/eventkind.h"
#include "core/macro.h"
#include "daemon/device.h"

void evidence_add_device(struct json_object *record, const struct device *device);

/* The journal and the kernel's audit, which hear of every record; neither is waited for. */
struct evidence_tell;

int evidence_tell_new(struct evidence_tell **tellp);
struct evidence_tell *evidence_tell_free(struct evidence_tell *tell);

/* `lost`: the record is not in the log. */
void evidence_tell(struct evidence_tell *tell, const struct eventkind *kind, struct json_object *record, bool lost);
