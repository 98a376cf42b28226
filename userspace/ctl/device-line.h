/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device as a line of the rule language tells of it: what `usbguard list-devices` and
 * `sekimorictl rule-for` print. Whatever stands as its target says nothing about it, and a number
 * in front ("7: ") is left out.
 */
#pragma once

#include <stdbool.h>

#include "core/ident.h"
#include "core/rule.h"

/*
 * Fills the identity. Each value of with-interface becomes one interface, numbered from 0. False
 * after an error: *error says where and what.
 */
bool device_line_parse(const char *line, struct ident *ident, struct rule_error *error);
