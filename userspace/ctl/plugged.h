/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding a device that is plugged in, by what a person calls it, in sysfs and if need be through
 * the daemon. */
#pragma once

#include <json-c/json.h>

#include "core/ident.h"
#include "ctl/command.h"

struct plugged {
	struct ident ident; /* whole, with its fingerprint unless it is not configured */
	char luks_uuid[40]; /* of the volume that the daemon has proved; "" */
};

/*
 * `what` is a port path ("1-2"), an id ("1234:abcd"), or a device's number in `list`. False after
 * the reason was told on standard error.
 */
bool plugged_find(const struct context *context, const char *what, struct plugged *plugged);
