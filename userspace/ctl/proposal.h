/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy lines for a device that is plugged in, made from what it says of itself. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "core/ident.h"

/* All malloc'd, never NULL. */

/*
 * An allow rule with everything that tells this device from others; storage only once its
 * encryption is proved.
 */
char *proposal_rule(const struct ident *ident);

/* A line of the register. Without a LUKS UUID, NUMBER and UUID stand for what has to be filled in.
 */
char *proposal_medium(const struct ident *ident, const char *luks_uuid);

/* The line that `usbguard generate-policy` prints for the device, byte for byte. */
char *proposal_usbguard(const struct ident *ident);

bool proposal_is_storage(const struct ident *ident);
