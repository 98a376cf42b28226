/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a text JSON (RFC 8259), and an object? json-c takes more, also when it is told to be strict ('a', NaN, comments), and
 * builds what nobody wants where a record is only handed on. Two things are not looked at, since the text is made safe
 * before it goes out: control characters within strings, and whether bytes are UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool logjson_is_object(const char *text, size_t len);
